//! `cgtune kubelet recommend`: what a node's configuration should say about CPU, and how it gets there.

use std::{collections::BTreeSet, path::PathBuf};

use anyhow::anyhow;
use cgtune_core::{
    kubelet::{
        Fault, Finding, KubeletConfig, Severity,
        recommend::{KnownPod, Recommendation, Situation, recommend},
    },
    text::Escaped,
};
use cgtune_manifest::{Edited, Format, KubeletFile, Workload};

use super::{
    input::{self, Above, Layered, Meant, Over},
    running::Running,
};
use crate::{
    cli,
    exit::Exit,
    failure::Hinted,
    machine,
    manifests::Pods,
    render::kubelet::{
        recommend::{self as render, Advised},
        recommend_json, runbook,
    },
    streams::{self, Streams},
};

const EXAMPLES: &str = "\
Nothing is written but the answer. Each change has a reason, what it rests on,
what is expected of it (measured, modelled, or nothing), and its risk. Modelled
is a node full of copies of the pods that get CPUs alone.
Without -f and --running nothing is known of pods, and the machine alone decides:
the one that this runs on, unless another is described. Whoever is throttled is
known only by --running.
Drop-ins and flags count, where --config-dir and --flags name them; what they
set is not changed in the file.

Examples:
  cgtune kubelet recommend --config /var/lib/kubelet/config.yaml -f deploy/ -R
  cgtune topology --json > cpus.json      on another machine
  cgtune kubelet recommend --config /var/lib/kubelet/config.yaml \\
    --topology cpus.json -f deploy/ -R --kubernetes 1.33
  cgtune kubelet recommend --config config.yaml --topology cpus.json \\
    --running --for 1m -o diff
  cgtune kubelet recommend --config config.yaml --topology cpus.json -o yaml \\
    > new.yaml && cgtune kubelet check new.yaml --topology cpus.json
  cgtune kubelet recommend --topology cpus.json -o kubeadm \\
    > patches/kubeletconfiguration+strategic.yaml";

/// Recommend a kubelet's configuration: pinning, reserved CPUs, topology manager, quotas
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The kubelet's present configuration; - for standard input
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    over: Over,
    #[command(flatten)]
    meant: Meant,
    /// What to print: the report unless given
    #[arg(short, long, value_name = "FORM", value_enum, conflicts_with = "json")]
    output: Option<Form>,
    #[command(flatten)]
    node: cli::Node,
    #[command(flatten)]
    json: cli::Output,
    #[command(flatten)]
    pods: Pods,
    #[command(flatten)]
    running: Running,
}

/// A form of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// The whole configuration
    Yaml,
    /// What changes in the file, as diff -u
    Diff,
    /// A patch for kubeadm --patches
    Kubeadm,
    /// Steps on the node, and what breaks
    Runbook,
    /// The report and all of these
    All,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    let config = ("--config", args.config.as_deref());
    input::one_standard_input(args.pods.named().chain([config, args.meant.description()]))?;
    let machine = args.meant.described_or_here(&args.node.host_root)?;
    let topology = machine::cpus(&machine)?.as_the_kubelet_groups()?;
    let release = args.meant.kubernetes;
    let present = args.config.as_deref().map(input::config).transpose()?;
    let above = args.over.read(args.config.as_ref(), streams)?;
    let layered = present.as_ref().map(|present| Layered::of(present, &above));
    if let Some(layered) = &layered {
        decodable(layered, release)?;
    }
    let nothing = KubeletConfig::default();
    let config = layered.as_ref().map_or(&nothing, Layered::config);
    let quotas = config.effective(release).cpu_cfs_quota;
    let mut planned = args.pods.asked().then(|| args.pods.read(streams)).transpose()?;
    if let Some(planned) = &mut planned {
        input::of_the_release(planned, config, release, streams)?;
    }
    let planned: Option<Vec<KnownPod>> = planned.map(|pods| pods.iter().map(known).collect());
    let ran = args.running.read(&args.node, quotas, streams)?;
    let interrupted = ran.as_ref().is_some_and(|ran| ran.interrupted);
    let pods = match (planned, ran.map(|ran| ran.pods)) {
        (Some(planned), Some(running)) => Some(together(running, planned)),
        (planned, running) => planned.or(running),
    };
    let done = recommend(&Situation {
        release,
        topology: &topology,
        machine: Some(&machine),
        config,
        pods: pods.as_deref(),
    });
    let edited = match &present {
        Some(present) => present.file.edited(&present.text, &of_the_file(&done, &above, streams)?),
        None => Edited::fresh(&done),
    }?;
    let file = KubeletFile::read(edited.text.as_bytes(), Format::Yaml)?;
    let file = input::Config { name: "the new file".to_owned(), text: edited.text.clone(), file };
    let file = Layered::of(&file, &above);
    let left = file.file().check(release, args.meant.machine(Some(&topology)));
    let left: Vec<Finding> =
        left.into_iter().filter(|finding| finding.severity() != Severity::Note).collect();
    let advised = Advised {
        name: present.as_ref().map(|present| present.name.as_str()),
        before: present.as_ref().map_or("", |present| &present.text),
        release,
        online: topology.all(),
        pods: pods.as_ref().map(Vec::len),
        done: &done,
        edited: &edited,
        file: &file,
        left: &left,
    };
    let out = &mut *streams.out;
    match args.output {
        _ if args.json.json => recommend_json::write(&advised, out)?,
        None => render::report(&advised, out)?,
        Some(Form::Yaml) => render::yaml(&advised, out)?,
        Some(Form::Diff) => render::diff(&advised, out)?,
        Some(Form::Kubeadm) => render::kubeadm(&advised, out)?,
        Some(Form::Runbook) => runbook::write(&advised, out)?,
        Some(Form::All) => render::all(&advised, out)?,
    }
    if done.changes.is_empty() && matches!(args.output, Some(Form::Diff | Form::Kubeadm)) {
        streams.out.flush()?;
        streams::labelled(streams.err, "note", streams::HINT, "nothing to change")?;
    }
    if args.output.is_some() {
        render::warnings(&advised, streams)?;
    }
    Ok(if interrupted { Exit::Interrupted } else { Exit::Done })
}

/// The running pods, and of the planned ones those that don't run yet. One that does counts as it runs.
fn together(running: Vec<KnownPod>, planned: Vec<KnownPod>) -> Vec<KnownPod> {
    let names: BTreeSet<String> = running.iter().map(|pod| pod.name.clone()).collect();
    running.into_iter().chain(planned.into_iter().filter(|pod| !names.contains(&pod.name))).collect()
}

/// What matters of a pod, its names fit to show.
fn known(workload: &Workload) -> KnownPod {
    let name = workload.name.as_deref().unwrap_or("-");
    let namespace = workload.namespace.as_deref().unwrap_or("default");
    let name = format!("{}/{}", Escaped(namespace.as_bytes()), Escaped(name.as_bytes()));
    let mut known = KnownPod::of(name, &workload.pod);
    for container in &mut known.containers {
        container.name = Escaped(container.name.as_bytes()).to_string();
    }
    known
}

/// The changes that the file itself takes: what a drop-in or a flag says of a field, it says over the file.
fn of_the_file(
    done: &Recommendation,
    above: &Above,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Recommendation> {
    let mut of_the_file = done.clone();
    let mut overridden = Vec::new();
    of_the_file.changes.retain(|change| {
        let (field, key) = change.field.steps();
        let steps: Vec<&str> = std::iter::once(field).chain(key.as_deref()).collect();
        let by = above.says_of(&steps);
        overridden.extend(by.as_ref().map(|by| {
            let to = change.to.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
            format!(
                "{} is said {by}, over the file: the file is not changed there, and it is that place that should say {to}",
                steps.join(".")
            )
        }));
        by.is_none()
    });
    overridden.iter().try_for_each(|text| streams.warn(text))?;
    Ok(of_the_file)
}

/// What cannot be decoded is not known, and a recommendation would pass over it.
fn decodable(present: &Layered, release: cgtune_core::kubelet::Release) -> anyhow::Result<()> {
    let findings = present.file().check(release, cgtune_core::kubelet::Machine::default());
    // Which line of two a change belongs to is for their author to say.
    let wrong = |finding: &&Finding| matches!(finding.fault, Fault::Type { .. } | Fault::Repeated { .. });
    let Some(wrong) = findings.iter().find(wrong) else { return Ok(()) };
    let ((name, line), path) = (present.place(wrong), present.file().path(&wrong.place));
    let decodes = match wrong.fault {
        Fault::Type { .. } => "; the kubelet cannot decode it",
        _ => "",
    };
    let error = anyhow!("{name}, line {line}: {path}: {}{decodes}", wrong.fault);
    Err(Hinted::new(error, "mend what cgtune kubelet check finds, and ask again").into())
}
