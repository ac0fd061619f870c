//! `cgtune pin verify`: whether pinned groups have their CPUs, and alone; and who is to blame where not.

mod intents;
mod watch;

use std::{
    collections::HashMap,
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use anyhow::anyhow;
use cgtune_core::{
    CpuSet, Micros,
    pinning::{Finding, Found, Name, Report, Reports},
};
use cgtune_node::{
    names::Register,
    owner::{self, Touched},
};
use cgtune_sys::{HostRoot, descriptors, facts};

pub(crate) use intents::LeftOut;
pub(crate) use watch::Effort;
use watch::Pace;

use crate::{
    cli,
    exit::Exit,
    failure::Hinted,
    interrupt::Interrupt,
    render,
    streams::Streams,
    target::{self, Target},
    typed::list,
};

const EXAMPLES: &str = "\
Without a TARGET it looks at all groups that the kubelet's CPU manager or cgtune
pin apply has pinned, and at those whose cpuset is narrower than the one above.

What is meant is what --cpus says; else what our journal set last; else what the
kubelet's cpu_manager_state says; else the group's own cpuset.cpus.

It only reads, and keeps off the CPUs that it looks at where it can. Time that
others took is a lower bound: what they ran between two looks at which they were
seen on the CPU.

Examples:
  cgtune pin verify 3b2e --cpus 2-3           two looks, a quarter of a second
  cgtune pin verify --watch --for 10s         all pinned groups, for ten seconds
  cgtune pin verify pod:prod/web --exclusive --watch
  cgtune pin verify 3b2e --watch --for 1m --check --json";

/// Say whether pinned groups have their CPUs, and alone, or who is to blame
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Cgroup paths, pids, container ids or their beginnings
    #[arg(value_name = "TARGET")]
    targets: Vec<OsString>,
    /// The CPUs that they are meant to have
    #[arg(long, value_name = "LIST", requires = "targets")]
    cpus: Option<String>,
    /// They are meant to have them alone: others' sets may not overlap
    #[arg(long)]
    exclusive: bool,
    /// Look again and again, until Ctrl-C or for as long as --for says
    #[arg(long)]
    watch: bool,
    /// Watch for so long
    #[arg(long = "for", value_name = "DURATION")]
    duration: Option<String>,
    /// Exit 1 when anything is found
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    ledger: cli::Ledger,
    #[command(flatten)]
    output: cli::Output,
}

/// Shorter shows nothing: two looks, a tenth of a second apart.
const SHORTEST: Micros = Micros::from_ms(200);

/// What was seen, with the names of everybody in it.
pub(crate) struct Verified {
    pub(crate) reports: Reports,
    pub(crate) effort: Effort,
    pub(crate) register: Register,
    /// Who writes to the cpuset of a group of which that is not what was meant.
    pub(crate) suspects: HashMap<Name, Vec<String>>,
    pub(crate) left_out: LeftOut,
    pub(crate) interrupted: bool,
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    let pace = pace(args)?;
    let asked = args.cpus.as_deref().map(meant).transpose()?;
    let targets: Vec<Target> =
        args.targets.iter().map(|typed| Target::parse(Some(typed))).collect::<Result<_, _>>()?;
    // Of each group some files stay open; where that is not enough, the one that cannot be opened is named.
    let _ = descriptors::raise_limit();
    let hierarchies = args.ledger.hierarchies()?;
    let ask = args.ledger.ask()?;
    let host = hierarchies.host();
    refuse_unknown(asked.as_ref(), host)?;
    let known = intents::Known::read(args.ledger.journal(), &hierarchies, streams)?;
    let (cgroups, left_out) = match targets.is_empty() {
        true => known.pinned(&hierarchies, &ask)?,
        false => (target::open_all(&targets, &hierarchies, &ask)?, LeftOut::default()),
    };
    let paths: Vec<PathBuf> = cgroups.iter().map(|cgroup| cgroup.path().to_owned()).collect();
    let mut register = Register::read(host, &paths, &ask);
    let groups = known.intents(cgroups, !targets.is_empty(), asked.as_ref(), args.exclusive, &register)?;
    let interrupt = Interrupt::watch()?;
    let (reports, effort) = watch::look(&hierarchies, groups, pace, &interrupt, streams)?;
    let strangers: Vec<PathBuf> = reports.groups.iter().flat_map(named).collect();
    if !strangers.is_empty() {
        register = Register::read(host, paths.iter().chain(&strangers), &ask);
    }
    let suspects = suspects(&reports, host);
    let interrupted = interrupt.asked();
    let verified = Verified { reports, effort, register, suspects, left_out, interrupted };
    if args.output.json {
        render::pin::verify_json::write(&verified, streams.out)?;
    } else {
        render::pin::verify::write(&verified, streams.out)?;
    }
    let groups = &verified.reports.groups;
    let residents: Vec<_> =
        groups.iter().map(|group| verified.register.resident(path(&group.pinned.path))).collect();
    render::resident::warn(residents.iter(), &verified.register, streams)?;
    // Of groups that were asked for; others come and go.
    if let Some(gone) = groups.iter().find(|group| group.gone.is_some()).filter(|_| !targets.is_empty()) {
        let gone = cgtune_sys::error::Shown(path(&gone.pinned.path).to_owned());
        return Err(target::kernel(cgtune_sys::Error::Gone(gone)));
    }
    Ok(if verified.interrupted {
        Exit::Interrupted
    } else if args.check && groups.iter().any(|group| !group.findings.is_empty()) {
        Exit::Found
    } else {
        Exit::Done
    })
}

/// `--cpus`, as `pin apply` takes it.
fn meant(text: &str) -> anyhow::Result<CpuSet> {
    let cpus = list("--cpus", text)?;
    if cpus.is_empty() {
        let error = anyhow!("--cpus: no CPU at all is nothing to be pinned to");
        return Err(Hinted::new(
            error,
            "a list such as 2-3; without --cpus it is what journal, kubelet or cpuset say",
        )
        .into());
    }
    Ok(cpus)
}

/// CPUs that the machine cannot have: nobody took them away. One that is switched off is a finding.
fn refuse_unknown(cpus: Option<&CpuSet>, host: &HostRoot) -> anyhow::Result<()> {
    let Some((cpus, possible)) = cpus.zip(facts::possible_cpus(host)) else { return Ok(()) };
    let unknown = cpus.difference(&possible);
    if unknown.is_empty() {
        return Ok(());
    }
    let error = anyhow!("--cpus: the machine has no CPU {unknown}");
    Err(Hinted::new(error, format!("its CPUs are {possible}, those that are switched off among them")).into())
}

fn pace(args: &Args) -> anyhow::Result<Pace> {
    let Some(text) = &args.duration else {
        return Ok(if args.watch { Pace::Endless } else { Pace::Once });
    };
    let duration = Micros::parse(text).map_err(|error| anyhow!("--for: {error}"))?;
    if duration < SHORTEST {
        let error = anyhow!("--for: nothing moves within {duration}");
        return Err(Hinted::new(error, format!("at least {SHORTEST}, for example 10s")).into());
    }
    Ok(Pace::For(duration))
}

/// Of each group whose set is not what was meant: the owners and agents that write sets there, and when.
fn suspects(reports: &Reports, host: &HostRoot) -> HashMap<Name, Vec<String>> {
    let differs = |found: &Found| matches!(found.finding, Finding::SetDiffers { .. });
    let of = |report: &&Report| report.findings.iter().any(differs);
    let who = |report: &Report| {
        let touched = Touched { cpuset: true, ..Touched::default() };
        let overwrites = owner::of(path(&report.pinned.path), host).overwrites(&touched);
        let who = overwrites.into_iter().map(|overwrite| format!("{}, {}", overwrite.who, overwrite.when));
        (report.pinned.path.clone(), who.collect::<Vec<_>>())
    };
    reports.groups.iter().filter(of).map(who).filter(|(_, who)| !who.is_empty()).collect()
}

/// The groups that findings name.
fn named(report: &Report) -> Vec<PathBuf> {
    let of = |finding: &Finding| stranger(finding).map(|name| path(name).to_owned());
    report.findings.iter().filter_map(|found| of(&found.finding)).collect()
}

/// The other group that a finding is about.
pub(crate) fn stranger(finding: &Finding) -> Option<&Name> {
    use cgtune_core::pinning::Culprit;
    match finding {
        Finding::Overlap { other, .. } => Some(other),
        Finding::ForeignTask { group, .. } => group.as_ref(),
        Finding::ThreadAstray { cpuset, .. } => Some(cpuset),
        Finding::Narrowed {
            culprit: Culprit::Above { path, .. } | Culprit::Partition { path, .. }, ..
        } => Some(path),
        _ => None,
    }
}

/// A path of the kernel's as ours.
pub(crate) fn path(name: &Name) -> &Path {
    Path::new(OsStr::from_bytes(&name.0))
}
