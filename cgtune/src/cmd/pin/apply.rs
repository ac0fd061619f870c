//! `cgtune pin apply`: a cpuset, and what belongs to it, through the planning, the journal and the undo of `cgtune apply`.

mod file;

use std::{ffi::OsString, path::PathBuf};

use anyhow::anyhow;
use cgtune_core::{
    CpuControl as _, CpuSet, Layout, Micros, Observed, ObservedBandwidth, ObservedShare, Quota, Shares,
    Weight,
    plan::{Flags, Goal},
    text::Escaped,
};
use cgtune_sys::Cgroup;

use crate::{
    cmd::apply::{self, refused, share_of},
    exit::Exit,
    failure::Hinted,
    streams::Streams,
    target,
    typed::list,
};

const EXAMPLES: &str = "\
A group that is pinned and limited still stalls: its threads use up the quota
together, and then all of its CPUs stand idle. So a pinned group should have no
quota (--drop-quota); where it shares its last CPU, shares or weight divide that.

The change is planned, shown, written down and undone as those of cgtune apply.

Examples:
  cgtune pin apply 3b2e --cpus 2-3 --drop-quota
  cgtune pin apply /demo --cpus 1,5 --mems 0 --shares 205 --for 10m
  cgtune pin plan --cpus 2 --json > plan.json
  cgtune pin apply 3b2e --plan plan.json --drop-quota --with-pod --dry-run";

/// Give a running cgroup its CPUs, with undo
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Cgroup path, pid, container id or its beginning
    #[arg(value_name = "TARGET")]
    target: OsString,
    /// CPUs to run on, such as 2-3,7
    #[arg(long, value_name = "LIST", alias = "cpuset-cpus", required_unless_present = "plan")]
    cpus: Option<String>,
    /// Memory nodes to allocate from
    #[arg(long, value_name = "LIST", alias = "cpuset-mems")]
    mems: Option<String>,
    /// Take CPUs, memory nodes and shares from what cgtune pin plan --json printed;
    /// - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["cpus", "mems", "shares", "weight"])]
    plan: Option<PathBuf>,
    /// Take the quota away: a pinned group with one still stalls
    #[arg(long)]
    drop_quota: bool,
    /// Take as much of the pod's quota away, too
    #[arg(long, requires = "drop_quota")]
    with_pod: bool,
    /// Relative weight on cgroup v1, 2..262144
    #[arg(long, value_name = "N", conflicts_with = "weight")]
    shares: Option<u64>,
    /// Relative weight on cgroup v2, 1..10000
    #[arg(long, value_name = "N")]
    weight: Option<u64>,
    #[command(flatten)]
    manner: apply::Manner,
}

/// What is to be pinned, before it is known what is there.
struct Pin {
    cpus: CpuSet,
    mems: Option<CpuSet>,
    share: Option<Wanted>,
}

/// A relative weight, as it was given.
enum Wanted {
    Exactly(ObservedShare),
    /// Of a plan, which does not know where it will be used.
    Planned(Shares),
}

pub(super) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    let pin = pin(args)?;
    let aim = |cgroup: &mut Cgroup| aim(args, &pin, cgroup);
    apply::change(&args.target, &aim, args.with_pod, Flags::PIN, &args.manner, streams)
}

fn pin(args: &Args) -> anyhow::Result<Pin> {
    if let Some(path) = &args.plan {
        let file::Plan { cpus, mems, shares, .. } = file::read(path)?;
        return Ok(Pin { cpus, mems, share: shares.map(Wanted::Planned) });
    }
    let cpus = list("--cpus", args.cpus.as_deref().unwrap_or_default())?;
    if cpus.is_empty() {
        let error = anyhow!("--cpus: no CPU at all is nothing to pin to");
        let hint = "a list such as 2-3; cgtune undo takes a pinning back, and cgtune apply --cpuset-cpus \"\" empties the list";
        return Err(Hinted::new(error, hint).into());
    }
    let mems = args.mems.as_deref().map(|text| list("--mems", text)).transpose()?;
    let share = match (args.shares, args.weight) {
        (Some(shares), _) => Some(ObservedShare::Shares(Shares::new(shares).map_err(refused)?.get())),
        (None, Some(weight)) => Some(ObservedShare::Weight(Weight::new(weight).map_err(refused)?.get())),
        (None, None) => None,
    };
    Ok(Pin { cpus, mems, share: share.map(Wanted::Exactly) })
}

/// The state to reach, and what else the group needs to be pinned in earnest.
fn aim(args: &Args, pin: &Pin, cgroup: &mut Cgroup) -> anyhow::Result<(Goal, Vec<String>)> {
    let mut notes = Vec::new();
    let observed = cgroup.observe().map_err(target::kernel)?;
    let mems = match &pin.mems {
        Some(mems) => Some(mems.clone()),
        None => nodes_of_the_parent(cgroup, &observed, &mut notes)?,
    };
    let share = pin.share.as_ref().map(|share| match share {
        Wanted::Exactly(share) => *share,
        Wanted::Planned(shares) => {
            let (share, how) = share_of(*shares, cgroup.capabilities().cpu);
            if matches!(share, ObservedShare::Weight(_)) {
                notes.push(format!("the plan's {} shares are {how}", shares.get()));
            }
            share
        }
    });
    let now = observed.bandwidth;
    let bandwidth = now.filter(|_| args.drop_quota).map(|now| ObservedBandwidth {
        quota: Quota::Unlimited,
        // Without a quota a burst is nothing but a trap for the next one who sets one.
        burst: now.burst.map(|_| Micros::ZERO),
        period: now.period,
    });
    notes.extend(quotas_that_stay(args, cgroup, now)?);
    Ok((Goal { share, bandwidth, idle: None, cpus: Some(pin.cpus.clone()), mems }, notes))
}

/// A v1 cpuset that was never given memory nodes lets no task in: then its parent's are as good as any.
fn nodes_of_the_parent(
    cgroup: &mut Cgroup,
    observed: &Observed,
    notes: &mut Vec<String>,
) -> anyhow::Result<Option<CpuSet>> {
    let empty = observed.mems.as_ref().is_some_and(CpuSet::is_empty);
    if cgroup.capabilities().cpuset != Some(Layout::V1) || !empty {
        return Ok(None);
    }
    let around = cgroup.surroundings().map_err(target::kernel)?.cpuset;
    let Some(nodes) = around.map(|around| around.mems.parent).filter(|nodes| !nodes.is_empty()) else {
        return Ok(None);
    };
    notes.push(format!(
        "cpuset.mems is empty, which lets no task in: the parent's nodes, {nodes}, are taken; --mems chooses others"
    ));
    Ok(Some(nodes))
}

/// Pinned *and* limited still stalls (projecteru2/core#339): the quotas that will go on to hold, here and above.
fn quotas_that_stay(
    args: &Args,
    cgroup: &Cgroup,
    now: Option<ObservedBandwidth>,
) -> anyhow::Result<Vec<String>> {
    let limited = |bandwidth: &ObservedBandwidth| bandwidth.quota.limited().is_some();
    let mut notes = Vec::new();
    if let Some(now) = now.filter(limited).filter(|_| !args.drop_quota) {
        notes.push(format!(
            "its quota of {} of every {} stays, and a group that is pinned and limited still stalls when it runs out: --drop-quota takes it away",
            now.quota, now.period
        ));
    }
    let pod = cgtune_node::change::pod_of(cgroup.path()).filter(|_| args.with_pod);
    for (path, bandwidth) in cgroup.lineage().map_err(target::kernel)?.into_iter().skip(1) {
        let Some(above) = bandwidth.filter(limited).filter(|_| pod.as_ref() != Some(&path)) else { continue };
        let also = match cgtune_node::change::pod_of(cgroup.path()) {
            Some(pod) if pod == path => "; --drop-quota --with-pod takes it away, too",
            _ => "",
        };
        notes.push(format!(
            "{} above has a quota of {} of every {}, which holds for this group, pinned or not{also}",
            Escaped(path.as_os_str().as_encoded_bytes()),
            above.quota,
            above.period
        ));
    }
    Ok(notes)
}
