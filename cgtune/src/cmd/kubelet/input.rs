//! What the verbs about the kubelet read: its configuration, the release that is meant, the machine.

use std::path::Path;

use anyhow::Context as _;
use cgtune_core::{
    Topology,
    convert::Version,
    kubelet::{Finding, KubeletConfig, Machine, Release},
};
use cgtune_manifest::{Format, KubeletFile, KubeletFileError, Layers};

use super::drop_ins::{DropIn, DropIns};
use crate::{
    failure::Hinted,
    machine::{self, Described},
    named::Named,
    streams::Streams,
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
        // Pods may be those of this node while the machine is another: the one that it is to become.
        let root = if self.described.is_elsewhere() { Path::new("/") } else { host_root };
        self.described.read(root).and_then(|machine| machine::cpus(&machine))
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
    let bytes = Named(path).read("a kubelet's configuration", MOST_CONFIG)?;
    parsed(path, bytes)
}

fn parsed(path: &Path, bytes: Vec<u8>) -> anyhow::Result<Config> {
    let named = Named(path);
    let name = if named.is_standard_input() { named.name() } else { path.display().to_string() };
    let format = match path.extension() {
        Some(ending) if ending == "json" => Format::Json,
        _ => Format::Unknown,
    };
    let file = KubeletFile::read(&*bytes, format).map_err(|error| refused(error, &name))?;
    // What the reader took is UTF-8, up to a byte order mark at its start.
    let text = String::from_utf8(bytes).with_context(|| format!("cannot read {}", named.name()))?;
    Ok(Config { name, text, file })
}

/// Reads drop-ins, in their order.
pub(super) fn drop_ins(meant: &DropIns, streams: &mut Streams<'_>) -> anyhow::Result<Vec<Config>> {
    meant.read(streams)?.into_iter().map(|DropIn { path, bytes }| parsed(&path, bytes)).collect()
}

/// A configuration with its drop-ins laid over it.
pub(crate) struct Layered {
    /// The configuration's own name, and those of the drop-ins in their order.
    names: Vec<String>,
    layers: Layers,
}

impl Layered {
    /// Reads a configuration, and what is laid over it.
    pub(super) fn read(path: &Path, drop_ins: &DropIns, streams: &mut Streams<'_>) -> anyhow::Result<Self> {
        Ok(Self::of(&config(path)?, &self::drop_ins(drop_ins, streams)?))
    }

    /// Lays drop-ins over a configuration.
    pub(super) fn of(own: &Config, drop_ins: &[Config]) -> Self {
        let layer = |config: &'_ Config| (config.file.clone(), config.text.clone());
        let names = std::iter::once(own).chain(drop_ins).map(|config| config.name.clone()).collect();
        let drop_ins: Vec<_> = drop_ins.iter().map(layer).collect();
        Self { names, layers: Layers::of((own.file.clone(), own.text.as_str()), &drop_ins) }
    }

    /// As the configuration itself is called.
    pub(crate) fn name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// As the drop-ins are called.
    pub(crate) fn drop_ins(&self) -> &[String] {
        self.names.get(1..).unwrap_or_default()
    }

    /// What the kubelet makes of all.
    pub(crate) const fn file(&self) -> &KubeletFile {
        self.layers.file()
    }

    /// The fields of that.
    pub(crate) const fn config(&self) -> &KubeletConfig {
        self.file().config()
    }

    /// The text that a finding is about, as it is called, and the line there.
    pub(crate) fn place(&self, finding: &Finding) -> (&str, u64) {
        let (text, line) = self.layers.origin(self.file().line(&finding.place));
        (self.names.get(text).map_or("", String::as_str), line)
    }
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
