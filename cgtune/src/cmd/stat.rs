//! `cgtune stat`: policy, effective limit and counters of a cgroup, and over a while its rates.

use std::{cmp::Ordering, ffi::OsString, io::IsTerminal as _, path::Path, time::Duration};

use anyhow::anyhow;
use cgtune_core::{CpuControl as _, Interval, Micros, Nanos};
use cgtune_node::names::{Ask, Register};
use cgtune_sys::{Cgroup, Error, Hierarchies, HostRoot, clock};

use crate::{
    capture::{self, Session},
    cli,
    exit::Exit,
    failure::Hinted,
    interrupt::Interrupt,
    progress,
    reading::Reading,
    render,
    streams::Streams,
    target::{self, Target},
};

const EXAMPLES: &str = "\
TARGET is a cgroup path (/kubepods/…), a pid, or a container id or a unique
prefix of one; cgroup:, pid:, container: and unit: force the form.
pod:NAMESPACE/POD is a pod's container, or one of them with /CONTAINER after it.
Without a TARGET it is the cgroup that this command runs in.

Examples:
  cgtune stat                        the cgroup we are in
  cgtune stat --for 5s 3b2e7f9d0c1a  a container, watched for five seconds
  cgtune stat --for 5s pod:prod/web  the container of a pod
  cgtune stat --for 5s --json /kubepods/burstable/pod6c1a4e95
  cgtune stat --all --for 10s        every cgroup with a quota, worst first
  cgtune stat --from node7.tar       what cgtune capture saw, over all of its time";

/// Show a cgroup's CPU policy, its limit up the tree, and how it is throttled
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Which cgroup
    #[arg(conflicts_with = "all")]
    target: Option<OsString>,
    /// The container of this pod, as pod: does
    #[arg(long, value_name = "NAMESPACE/POD", conflicts_with_all = ["target", "all"])]
    pod: Option<String>,
    /// Watch every cgroup that has a quota, worst first
    #[arg(long)]
    all: bool,
    /// Watch for so long and show rates; with --all 1s unless given
    #[arg(long = "for", value_name = "DURATION")]
    duration: Option<String>,
    #[command(flatten)]
    replay: cli::Replay,
    #[command(flatten)]
    node: cli::Node,
    #[command(flatten)]
    output: cli::Output,
}

/// How long `--all` watches unless told: totals say what was, only a difference says what is.
const ALL_FOR: Micros = Micros::from_ms(1000);
/// The longest watch; two readings a day apart are another tool's business.
const LONGEST: Micros = Micros::from_ms(24 * 3600 * 1000);

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    let duration = match &args.duration {
        Some(text) => Some(watch_time(text)?),
        None => args.all.then_some(ALL_FOR),
    };
    let (mut readings, register) = match &args.replay.from {
        Some(file) => replayed(args, file, streams)?,
        None => live(args, duration)?,
    };
    readings.sort_by(worst_first);
    if args.output.json {
        render::stat_json::write(&readings, streams.out)?;
    } else if args.all {
        render::stat_all::write(&readings, streams.out)?;
    } else {
        for reading in &readings {
            render::stat::write(reading, streams.out)?;
        }
    }
    let residents = readings.iter().map(|reading| &reading.resident);
    render::resident::warn(residents, &register, streams)?;
    Ok(Exit::Done)
}

pub(crate) fn watch_time(text: &str) -> anyhow::Result<Micros> {
    let duration = Micros::parse(text).map_err(|error| anyhow!("--for: {error}"))?;
    if duration == Micros::ZERO || duration > LONGEST {
        let error = anyhow!("--for: cannot watch for {duration}");
        return Err(Hinted::new(error, "anything above 0 and up to 24h, such as 5s").into());
    }
    Ok(duration)
}

/// From the node: the one that was named, or of all those with a quota.
fn live(args: &Args, duration: Option<Micros>) -> anyhow::Result<(Vec<Reading>, Register)> {
    let ask = args.node.ask()?;
    let target = target(args)?.unwrap_or(Target::Own);
    let hierarchies = Hierarchies::detect(HostRoot::new(&args.node.host_root)).map_err(target::kernel)?;
    let mut readings = match args.all {
        true => watch_all(&hierarchies, duration.unwrap_or(ALL_FOR))?,
        false => vec![watch(&hierarchies, &target, &ask, duration)?],
    };
    let register = Register::read(hierarchies.host(), readings.iter().map(|reading| &reading.path), &ask);
    for reading in &mut readings {
        reading.resident = register.resident(&reading.path);
    }
    Ok((readings, register))
}

/// What was typed, if something was.
fn target(args: &Args) -> anyhow::Result<Option<Target>> {
    match &args.pod {
        Some(pod) => Target::pod(pod).map(Some),
        None => args.target.as_deref().map(|typed| Target::parse(Some(typed))).transpose(),
    }
}

/// From a capture: the one that was named, or all that were captured, or of these those with a quota.
fn replayed(args: &Args, file: &Path, streams: &mut Streams<'_>) -> anyhow::Result<(Vec<Reading>, Register)> {
    let mut replayed = capture::replay(file, &Interrupt::watch()?)?;
    replayed.keep(target(args)?.as_slice())?;
    replayed.introduce(args.output.json, streams)?;
    let limited = |reading: &Reading| {
        reading.observed.bandwidth.is_some_and(|bandwidth| bandwidth.quota.limited().is_some())
    };
    let Session { mut readings, register, .. } = replayed.session;
    readings.retain(|reading| !args.all || limited(reading));
    Ok((readings, register))
}

/// One cgroup. That it vanishes or is made anew while it is watched is the answer then.
fn watch(
    hierarchies: &Hierarchies,
    target: &Target,
    ask: &Ask,
    duration: Option<Micros>,
) -> anyhow::Result<Reading> {
    let mut cgroup = target.open(hierarchies, ask)?;
    let first = cgroup.sample().map_err(target::kernel)?;
    let view = hierarchies.cpu().view;
    let Some(duration) = duration else {
        return Reading::new(&mut cgroup, view, first, None).map_err(target::kernel);
    };
    wait(first.at, duration, None);
    let last = cgroup.sample().map_err(target::kernel)?;
    let interval = Interval::between(&first, &last)?;
    Reading::new(&mut cgroup, view, last, Some(interval)).map_err(target::kernel)
}

/// Every cgroup with a quota. Those that vanish meanwhile simply leave; those that are made meanwhile are not in it.
fn watch_all(hierarchies: &Hierarchies, duration: Micros) -> anyhow::Result<Vec<Reading>> {
    let mut paths = Vec::new();
    hierarchies.walk(|path, _| paths.push(path.to_owned())).map_err(target::kernel)?;
    let mut watched = Vec::new();
    for path in paths {
        if let Some(found) = target::present(limited(hierarchies, &path))?.flatten() {
            watched.push(found);
        }
    }
    wait(clock::now(), duration, None);
    let mut readings = Vec::new();
    for (mut cgroup, first) in watched {
        let Some(last) = target::present(cgroup.sample())? else { continue };
        // A group whose counters make no interval was made anew: it was not there all the time.
        let Ok(interval) = Interval::between(&first, &last) else { continue };
        let reading = Reading::new(&mut cgroup, hierarchies.cpu().view, last, Some(interval));
        readings.extend(target::present(reading)?);
    }
    Ok(readings)
}

/// Opens and reads a group if it has a quota.
fn limited(hierarchies: &Hierarchies, path: &Path) -> Result<Option<(Cgroup, cgtune_core::Snapshot)>, Error> {
    let mut cgroup = Cgroup::open(hierarchies, path)?;
    let quota = cgroup.observe()?.bandwidth.and_then(|bandwidth| bandwidth.quota.limited());
    if quota.is_none() {
        return Ok(None);
    }
    let snapshot = cgroup.sample()?;
    Ok(Some((cgroup, snapshot)))
}

/// By time stalled; then by the part of throttled periods; then by name.
pub(crate) fn worst_first(a: &Reading, b: &Reading) -> Ordering {
    let badness = |reading: &Reading| {
        let interval = reading.interval.as_ref();
        let stall = interval.and_then(Interval::stall_ms_per_s).unwrap_or(0.0);
        let ratio = interval.and_then(Interval::throttled_ratio).unwrap_or(0.0);
        (stall, ratio)
    };
    badness(b).partial_cmp(&badness(a)).unwrap_or(Ordering::Equal).then_with(|| a.path.cmp(&b.path))
}

/// Sleeps to the end of the watch, or until somebody asks to stop; with a bar when that is long and somebody looks.
pub(crate) fn wait(from: Nanos, duration: Micros, interrupt: Option<&Interrupt>) {
    let asked = || interrupt.is_some_and(Interrupt::asked);
    let end = from.saturating_add(duration.to_nanos());
    let long = Duration::from_micros(duration.get()) > progress::SHOW_AFTER;
    if !long || !std::io::stderr().is_terminal() {
        match interrupt {
            Some(interrupt) => {
                interrupt.sleep_until(end);
            }
            None => clock::sleep_until(end),
        }
        return;
    }
    let bar = progress::bar(duration.to_nanos().get(), "watching {bar:24} {eta} left");
    while let Some(left) = end.checked_sub(clock::now()).filter(|&left| left != Nanos::ZERO && !asked()) {
        bar.set_position(duration.to_nanos().get().saturating_sub(left.get()));
        std::thread::sleep(Duration::from_nanos(left.get()).min(Duration::from_millis(100)));
    }
    bar.finish_and_clear();
}
