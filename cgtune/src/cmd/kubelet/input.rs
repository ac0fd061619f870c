//! What the verbs about the kubelet read: its configuration, the release that is meant, the machine.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use cgtune_core::{
    Topology,
    convert::{Feature, Kubernetes, Warning},
    kubelet::{Finding, Gate, KubeletConfig, Machine, Release},
    topology,
};
use cgtune_manifest::{Fault as Text, Flags, Format, KubeletFile, KubeletFileError, Layers, Workload};

use super::{
    command_line::CommandLine,
    drop_ins::{DropIn, DropIns},
};
use crate::{
    failure::Hinted,
    machine::{self, Described},
    named::Named,
    streams::Streams,
    typed,
};

/// Most bytes of a configuration; a kubelet's has a few kibibytes.
const MOST_CONFIG: u64 = 16 << 20;

/// Which kubelet on which machine is meant.
#[derive(Debug, clap::Args)]
pub(super) struct Meant {
    /// Kubernetes version of the node, 1.30 to 1.36
    #[arg(long, value_name = "VERSION", default_value_t = Release::NEWEST, value_parser = typed::release)]
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

impl Meant {
    /// The CPUs of another machine, where one is described.
    pub(super) fn topology(&self) -> anyhow::Result<Option<Topology>> {
        self.described.is_elsewhere().then(|| self.topology_or_here(Path::new("/"))).transpose()
    }

    /// The CPUs of another machine, or else of this one.
    pub(super) fn topology_or_here(&self, host_root: &Path) -> anyhow::Result<Topology> {
        self.described_or_here(host_root).and_then(|machine| machine::cpus(&machine))
    }

    /// The file that describes the machine, with its flag.
    pub(super) fn description(&self) -> (&'static str, Option<&Path>) {
        ("--topology", self.described.file())
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

/// Refuses two that are to be read from standard input: it ends with the first. Each comes with its flag.
pub(super) fn one_standard_input<'a>(
    named: impl IntoIterator<Item = (&'static str, Option<&'a Path>)>,
) -> anyhow::Result<()> {
    let standard =
        named.into_iter().filter(|(_, path)| path.is_some_and(|path| Named(path).is_standard_input()));
    let flags: Vec<&str> = standard.map(|(flag, _)| flag).collect();
    match flags[..] {
        [one, other, ..] => {
            let error = anyhow!("{one} and {other} both name standard input (-), which can be read once");
            Err(Hinted::new(error, "name a file for one of them").into())
        }
        _ => Ok(()),
    }
}

/// Reads a configuration; `-` is standard input.
pub(super) fn config(path: &Path) -> anyhow::Result<Config> {
    let bytes = Named(path).read("a kubelet's configuration", MOST_CONFIG)?;
    parsed(path, bytes)
}

fn parsed(path: &Path, bytes: Vec<u8>) -> anyhow::Result<Config> {
    let named = Named(path);
    // Renderers escape it; what is no text must not reach them as another name.
    let name =
        path.to_str().filter(|_| !named.is_standard_input()).map_or_else(|| named.name(), str::to_owned);
    let format = match path.extension() {
        Some(ending) if ending == "json" => Format::Json,
        _ => Format::Unknown,
    };
    let file = KubeletFile::read(&*bytes, format).map_err(|error| refused(error, &name))?;
    // What the reader took is UTF-8, up to a byte order mark at its start.
    let text = String::from_utf8(bytes).with_context(|| format!("cannot read {}", named.name()))?;
    Ok(Config { name, text, file })
}

/// How flags are called in messages.
const COMMAND_LINE: &str = "the command line";

/// What lies over a configuration: drop-ins, and flags over these.
#[derive(Debug, clap::Args)]
pub(super) struct Over {
    #[command(flatten)]
    pub(super) drop_ins: DropIns,
    #[command(flatten)]
    command_line: CommandLine,
}

/// That, read.
pub(super) struct Above {
    /// `None`: no folder of them is named.
    drop_ins: Option<Vec<Config>>,
    flags: Flags,
}

impl Over {
    /// Reads it. Over no configuration lies nothing.
    pub(super) fn read(&self, config: Option<&PathBuf>, streams: &mut Streams<'_>) -> anyhow::Result<Above> {
        if config.is_none() && (self.drop_ins.asked() || self.command_line.asked()) {
            let error =
                anyhow!("--config-dir and --flags say what lies over a configuration, and none is named");
            return Err(Hinted::new(error, "name the kubelet's own file with --config").into());
        }
        let parsed = |DropIn { path, bytes }| parsed(&path, bytes);
        let all = |all: Vec<DropIn>| all.into_iter().map(parsed).collect::<anyhow::Result<Vec<_>>>();
        let drop_ins = self.drop_ins.read(streams)?.map(all).transpose()?;
        Ok(Above { drop_ins, flags: self.command_line.read(&self.drop_ins, streams)? })
    }
}

impl Above {
    /// Who says something of a field, or of an entry of one, over the file: a flag, or the last drop-in that does.
    pub(super) fn says_of(&self, steps: &[&str]) -> Option<String> {
        let flag = self.flags.says_of(steps).map(|(flag, _)| format!("by the flag --{flag}"));
        let drop_in =
            |drop_in: &Config| Some(format!("in {}, line {}", drop_in.name, drop_in.file.says_of(steps)?));
        flag.or_else(|| self.drop_ins.iter().flatten().rev().find_map(drop_in))
    }
}

/// A configuration with what lies over it.
pub(crate) struct Layered {
    /// The configuration's own name, those of the drop-ins in their order, and the command line's.
    names: Vec<String>,
    drop_ins: usize,
    layers: Layers,
}

impl Layered {
    /// Reads a configuration, and what lies over it.
    pub(super) fn read(path: &PathBuf, over: &Over, streams: &mut Streams<'_>) -> anyhow::Result<Self> {
        let own = config(path)?;
        Ok(Self::of(&own, &over.read(Some(path), streams)?))
    }

    /// Lays it over.
    pub(super) fn of(own: &Config, above: &Above) -> Self {
        let drop_ins = above.drop_ins.as_deref();
        let texts = drop_ins
            .map(|all| all.iter().map(|one| (one.file.clone(), one.text.as_str())).collect::<Vec<_>>());
        let mut layers = Layers::of((own.file.clone(), own.text.as_str()), texts.as_deref());
        let drop_ins = drop_ins.unwrap_or_default();
        let mut names: Vec<String> =
            std::iter::once(own).chain(drop_ins).map(|config| config.name.clone()).collect();
        if !above.flags.is_empty() {
            layers = layers.under(&above.flags);
            names.push(COMMAND_LINE.to_owned());
        }
        Self { names, drop_ins: drop_ins.len(), layers }
    }

    /// As the configuration itself is called.
    pub(crate) fn name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// As the drop-ins are called.
    pub(crate) fn drop_ins(&self) -> &[String] {
        self.names.get(1..=self.drop_ins).unwrap_or_default()
    }

    /// Whether flags lie over them.
    pub(crate) fn has_flags(&self) -> bool {
        self.names.len() > 1 + self.drop_ins
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
        KubeletFileError::Unreadable(error) => match error.fault {
            Text::Json { .. } | Text::Yaml { .. } | Text::Tab => {
                "mend the text; the kubelet cannot read it either"
            }
            Text::TooDeep
            | Text::TooLarge
            | Text::TooManyNodes
            | Text::TooMuchAnchored
            | Text::TooManyAliased => {
                "this is a limit of cgtune, not of the kubelet, and a kubelet's own file is far from it: is it the right one?"
            }
            _ => "mend the text",
        },
        KubeletFileError::Kind { later: Some(line), .. } => {
            let hint = format!(
                "the kubelet reads the first document of a file and does not start with another kind: put the one that begins on \
                 line {line} into a file of its own"
            );
            return Hinted::new(anyhow::Error::new(error).context(context(name)), hint);
        }
        KubeletFileError::Empty | KubeletFileError::Kind { .. } => {
            "name the kubelet's own file, as a rule /var/lib/kubelet/config.yaml: it says kind: KubeletConfiguration"
        }
    };
    Hinted::new(anyhow::Error::new(error).context(context(name)), hint)
}

fn context(name: &str) -> String {
    format!("{name} is no configuration of a kubelet")
}

/// Leaves out what a pod names as a whole where the release does not know it, or has it behind a gate that the configuration does not open:
/// the API server drops it then.
pub(super) fn of_the_release(
    workloads: &mut [Workload],
    config: &KubeletConfig,
    release: Release,
    streams: &mut Streams<'_>,
) -> anyhow::Result<()> {
    if config.open(Gate::PodLevelResources, release) {
        return Ok(());
    }
    let mut named = workloads.iter_mut().filter(|workload| workload.pod.whole().is_some());
    let Some(first) = named.next() else { return Ok(()) };
    first.pod.resources = None;
    let name = first.name.clone().unwrap_or_else(|| "(without a name)".to_owned());
    let more = match named.map(|workload| workload.pod.resources = None).count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let feature = Feature::PodLevelResources;
    let (kubernetes, since) = (Kubernetes::new(release.version()), Kubernetes::new(feature.since()));
    let needs = Warning::NeedsFeature { feature, kubernetes, since };
    Ok(streams.warn(&format!("{name}{more}: {needs}"))?)
}
