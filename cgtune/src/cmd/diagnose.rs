//! `cgtune diagnose`: watches cgroups for a while and says why they stand still, what it costs, and what would help.

mod probe;
pub(crate) mod watch;

use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};

use anyhow::anyhow;
use cgtune_core::{
    Micros,
    diagnose::{Cause, WORTH_MS_PER_S, Watched},
};
use cgtune_node::names::Register;
use cgtune_sys::{Hierarchies, HostRoot};

pub(crate) use watch::Effort;
use watch::Seen;

use crate::{
    capture::{self, Session},
    cli,
    diagnosis::{Diagnosis, Owners},
    exit::Exit,
    failure::Hinted,
    interrupt::Interrupt,
    render,
    streams::Streams,
    target::{self, Target},
};

const EXAMPLES: &str = "\
TARGET is a cgroup path (/kubepods/…), a pid, a container id or its beginning,
pod:NAMESPACE/POD or unit:NAME; without one it is the cgroup that this command
runs in.
It only reads. One cgroup is read every 10 ms or more often, which takes less
than one hundredth of a CPU. (--probe-kernel makes a cgroup of its own.)

Causes: sustained-demand, short-bursts, too-many-threads, ancestor-limit,
pinned-and-limited, quota-too-small, starved, idle-class, kernel-expiry-bug;
or healthy, or unknown with what is missing to tell. Several can hold; they are
ranked by the time they cost. cgtune explain CAUSE tells more of each.

Examples:
  cgtune diagnose 3b2e7f9d0c1a            a container, watched for ten seconds
  cgtune diagnose --for 30s unit:nginx.service
  cgtune diagnose --pod prod/web          a pod and its containers
  cgtune diagnose --all                   every cgroup, worst first
  cgtune diagnose --all --json | jq '.cgroups[] | {path, cause: .findings[0].cause}'
  cgtune diagnose 3b2e --check            exit 1 if it stalls over 10 ms a second
  cgtune diagnose --from node7.tar        what cgtune capture saw, for all in it";

/// Say why cgroups stand still: the cause, what it costs, and what would help
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Which cgroups
    #[arg(value_name = "TARGET", conflicts_with = "all")]
    targets: Vec<OsString>,
    /// All of them
    #[arg(long)]
    all: bool,
    /// A pod: its own group and its containers'
    #[arg(long, value_name = "NAMESPACE/POD", conflicts_with = "all")]
    pod: Vec<String>,
    /// A container, by its id, the beginning of it, or its name
    #[arg(long, value_name = "ID", conflicts_with = "all")]
    container: Vec<String>,
    /// Watch for so long
    #[arg(long = "for", value_name = "DURATION", default_value = "10s")]
    duration: String,
    /// First try for four seconds, in a cgroup of our own, whether this kernel takes
    /// unused quota away (Linux 4.18 to 5.3)
    #[arg(long, conflicts_with = "from")]
    probe_kernel: bool,
    /// Exit 1 when a finding costs more than --max-stall-ms-per-s
    #[arg(long)]
    check: bool,
    /// What --check lets pass, in ms stalled per second of wall time
    #[arg(long, value_name = "N", default_value_t = WORTH_MS_PER_S, requires = "check", value_parser = stall, allow_negative_numbers = true)]
    max_stall_ms_per_s: f64,
    #[command(flatten)]
    replay: cli::Replay,
    #[command(flatten)]
    node: cli::Node,
    #[command(flatten)]
    output: cli::Output,
}

/// Two periods of the usual 100 ms, and what it takes to see them.
const SHORTEST: Micros = Micros::from_ms(300);
/// Readings are kept until the end: beyond this they would take hundreds of megabytes.
pub(crate) const LONGEST: Micros = Micros::from_ms(10 * 60 * 1000);

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    let duration = watch_time(&args.duration)?;
    let targets = targets(args)?;
    let interrupt = Interrupt::watch()?;
    if let Some(file) = &args.replay.from {
        let mut replayed = capture::replay(file, &interrupt)?;
        replayed.keep(&targets)?;
        replayed.introduce(args.output.json, streams)?;
        let host = replayed.host().clone();
        let Session { seen, register, .. } = replayed.session;
        return answer(args, seen, &register, &host, &interrupt, streams);
    }
    let ask = args.node.ask()?;
    let host = HostRoot::new(&args.node.host_root);
    let hierarchies = Hierarchies::detect(host).map_err(target::kernel)?;
    let expiry = match args.probe_kernel {
        true => match probe::kernel(&hierarchies, &interrupt)? {
            Some(expiry) => Some(expiry),
            None => return Ok(Exit::Interrupted),
        },
        false => None,
    };
    let watch = watch::Watch { duration, interrupt: &interrupt };
    let mut seen = if args.all {
        watch.all(&hierarchies)?
    } else {
        let targets = if targets.is_empty() { vec![Target::Own] } else { targets };
        let cgroups = target::open_all(&targets, &hierarchies, &ask)?;
        let paths: Vec<PathBuf> = cgroups.iter().map(|cgroup| cgroup.path().to_owned()).collect();
        let seen = watch.these(&hierarchies, cgroups)?;
        if let Some(gone) = paths.iter().find(|path| !seen.watched.contains_key(*path)) {
            let error = cgtune_sys::Error::Gone(cgtune_sys::error::Shown(gone.clone()));
            return Err(target::kernel(error));
        }
        seen
    };
    seen.watched.values_mut().for_each(|watched| watched.machine.expiry = expiry);
    seen.effort.expiry = expiry;
    let host = hierarchies.host();
    let register = Register::read(host, seen.watched.keys(), &ask);
    answer(args, seen, &register, host, &interrupt, streams)
}

/// What follows from a watch, worst first.
pub(crate) fn diagnoses(watched: BTreeMap<PathBuf, Watched>, register: &Register) -> Vec<Diagnosis> {
    let mut diagnoses: Vec<Diagnosis> = watched
        .into_iter()
        .map(|(path, watched)| Diagnosis::new(register.resident(&path), path, &watched))
        .collect();
    diagnoses
        .sort_by(|a, b| b.stall_ms_per_s().total_cmp(&a.stall_ms_per_s()).then_with(|| a.path.cmp(&b.path)));
    diagnoses
}

fn answer(
    args: &Args,
    seen: Seen,
    register: &Register,
    host: &HostRoot,
    interrupt: &Interrupt,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Exit> {
    let diagnoses = diagnoses(seen.watched, register);
    if let Some(expiry) = seen.effort.expiry.filter(|_| !args.output.json) {
        render::diagnose::expiry(expiry, streams.out)?;
    }
    if args.output.json {
        render::diagnose_json::write(&diagnoses, &seen.effort, host, streams.out)?;
    } else if args.all {
        render::diagnose_all::write(&diagnoses, &seen.effort, streams.out)?;
    } else {
        let mut owners = Owners::on(host);
        for diagnosis in &diagnoses {
            render::diagnose::write(diagnosis, &mut owners, streams.out)?;
        }
    }
    render::resident::warn(diagnoses.iter().map(|diagnosis| &diagnosis.resident), register, streams)?;
    let over = |finding: &cgtune_core::diagnose::Finding| {
        !matches!(finding.cause, Cause::Healthy)
            && finding.stall_ms_per_s.is_some_and(|stall| stall > args.max_stall_ms_per_s)
    };
    Ok(if interrupt.asked() {
        Exit::Interrupted
    } else if args.check && diagnoses.iter().any(|diagnosis| diagnosis.findings.iter().any(over)) {
        Exit::Found
    } else {
        Exit::Done
    })
}

/// Those that were typed.
fn targets(args: &Args) -> anyhow::Result<Vec<Target>> {
    let mut targets: Vec<Target> =
        args.targets.iter().map(|typed| Target::parse(Some(typed))).collect::<Result<_, _>>()?;
    for pod in &args.pod {
        targets.push(Target::pod(pod)?);
    }
    for id in &args.container {
        targets.push(Target::parse(Some(format!("container:{id}").as_ref()))?);
    }
    Ok(targets)
}

pub(crate) fn watch_time(text: &str) -> anyhow::Result<Micros> {
    let duration = Micros::parse(text).map_err(|error| anyhow!("--for: {error}"))?;
    if !(SHORTEST..=LONGEST).contains(&duration) {
        let error = anyhow!("--for: cannot diagnose from {duration}");
        return Err(
            Hinted::new(error, "from 300ms to 10m; ten seconds show a hundred of the usual periods").into()
        );
    }
    Ok(duration)
}

fn stall(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err("a number of milliseconds, 0 or more".to_owned()),
    }
}
