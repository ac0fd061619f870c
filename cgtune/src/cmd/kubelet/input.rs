//! What the verbs about the kubelet read: its configuration, the release that is meant, the machine.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use anyhow::Context as _;
use cgtune_core::{
    Topology,
    convert::Version,
    kubelet::{Machine, Release},
    topology,
};
use cgtune_manifest::{Format, KubeletFile, KubeletFileError};

use crate::{
    failure::Hinted,
    machine::{self, Described},
};

/// Most bytes of a configuration; a kubelet's has a few kibibytes.
const MOST_CONFIG: u64 = 16 << 20;

/// Which kubelet on which machine is meant.
#[derive(Debug, clap::Args)]
pub(super) struct Meant {
    /// Kubernetes version of the node, 1.30 to 1.36
    #[arg(long, value_name = "VERSION", default_value_t = Release::NEWEST, value_parser = release)]
    pub(super) kubernetes: Release,
    #[command(flatten)]
    described: Described,
    /// The machine's cgroup version
    #[arg(long, value_name = "VERSION", value_enum)]
    cgroup: Option<Cgroup>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Cgroup {
    V1,
    V2,
}

fn release(text: &str) -> Result<Release, String> {
    let version: Version =
        text.parse().map_err(|error: cgtune_core::convert::VersionError| error.to_string())?;
    Release::try_from(version).map_err(|error| error.to_string())
}

impl Meant {
    /// The CPUs of another machine, where one is described.
    pub(super) fn topology(&self) -> anyhow::Result<Option<Topology>> {
        self.described.is_elsewhere().then(|| self.topology_or_here(Path::new("/"))).transpose()
    }

    /// The CPUs of another machine, or else of this one.
    pub(super) fn topology_or_here(&self, host_root: &Path) -> anyhow::Result<Topology> {
        self.described_or_here(host_root).and_then(|machine| machine::cpus(&machine))
    }

    /// All that is known of another machine, or else of this one.
    pub(super) fn described_or_here(&self, host_root: &Path) -> anyhow::Result<topology::Machine> {
        // Pods may be those of this node while the machine is another: the one that it is to become.
        let root = if self.described.is_elsewhere() { Path::new("/") } else { host_root };
        self.described.read(root)
    }

    /// What is known of the machine.
    pub(super) fn machine<'t>(&self, topology: Option<&'t Topology>) -> Machine<'t> {
        Machine { topology, cgroup_v1: self.cgroup.map(|version| version == Cgroup::V1) }
    }
}

/// A configuration and the text that it was read from.
pub(super) struct Config {
    /// As it is called in messages.
    pub(super) name: String,
    pub(super) text: String,
    pub(super) file: KubeletFile,
}

/// Reads a configuration; `-` is standard input.
pub(super) fn config(path: &Path) -> anyhow::Result<Config> {
    let standard = path.as_os_str() == "-";
    let name = if standard { "standard input".to_owned() } else { path.display().to_string() };
    let cannot = || format!("cannot read {name}");
    let reader: Box<dyn Read> = if standard {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).with_context(cannot)?)
    };
    let bytes = whole(reader, MOST_CONFIG).with_context(cannot)?;
    let format = match path.extension() {
        Some(ending) if ending == "json" => Format::Json,
        _ => Format::Unknown,
    };
    let file = KubeletFile::read(&*bytes, format).map_err(|error| refused(error, &name))?;
    // What the reader took is UTF-8, up to a byte order mark at its start.
    let text = String::from_utf8(bytes).with_context(cannot)?;
    Ok(Config { name, text, file })
}

fn refused(error: KubeletFileError, name: &str) -> Hinted {
    let hint = match &error {
        KubeletFileError::Unreadable(_) => "mend the text; the kubelet cannot read it either",
        KubeletFileError::Empty | KubeletFileError::Kind { .. } => {
            "name the kubelet's own file, as a rule /var/lib/kubelet/config.yaml: it says kind: KubeletConfiguration"
        }
    };
    Hinted::new(anyhow::Error::new(error).context(format!("{name} is no configuration of a kubelet")), hint)
}

/// Everything up to a bound.
fn whole(reader: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(most + 1).read_to_end(&mut bytes)?;
    match u64::try_from(bytes.len()) {
        Ok(length) if length <= most => Ok(bytes),
        _ => Err(io::Error::other(format!("it has more than {} MiB", most >> 20))),
    }
}
