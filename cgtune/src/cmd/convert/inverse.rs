//! Back: from a weight, shares, a quota or a cgroup to what it may have come from.

use std::{ffi::OsString, path::Path};

use anyhow::anyhow;
use cgtune_core::{
    CpuControl as _, Layout, Micros, MilliCpu, ObservedShare, Quota, Shares, Weight,
    convert::{
        CpuQuantity, Setting,
        inverse::{self, Judgement, Level, Sibling},
    },
};
use cgtune_node::{
    names::path::container_id,
    owner::{self, Role, kubelet},
};
use cgtune_sys::{Cgroup, Hierarchies, HostRoot};

use super::one;
use crate::{
    cli,
    exit::Exit,
    failure::Hinted,
    render::{
        self,
        convert::{self, inverse::Answer},
    },
    streams::Streams,
    target::{self, Target},
    typed::quantity,
};

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Back")]
#[group(id = "inverse")]
pub(super) struct Args {
    /// The requests that may have become this cpu.weight
    #[arg(long, value_name = "WEIGHT", group = "from")]
    from_weight: Option<u64>,
    /// The requests that became these cpu.shares
    #[arg(long, value_name = "SHARES", group = "from")]
    from_shares: Option<u64>,
    /// The limits that became this quota, at the --period; or max
    #[arg(long, value_name = "DURATION", group = "from")]
    from_quota: Option<String>,
    /// All three of a cgroup on this node; TARGET as for stat
    #[arg(long, value_name = "TARGET", group = "from")]
    from_cgroup: Option<OsString>,
    #[command(flatten)]
    node: cli::Node,
}

impl Args {
    pub(super) fn asked(&self) -> bool {
        self.from_weight.is_some()
            || self.from_shares.is_some()
            || self.from_quota.is_some()
            || self.from_cgroup.is_some()
    }
}

pub(super) fn run(
    args: &Args,
    one: &one::Args,
    setting: &Setting,
    output: cli::Output,
    streams: &mut Streams<'_>,
) -> anyhow::Result<Exit> {
    let answer = if let Some(number) = args.from_weight {
        let weight = Weight::new(number).map_err(|error| anyhow!("--from-weight: {error}"))?;
        Answer { candidates: inverse::of_weight(weight, None), ..Answer::of_weight(weight) }
    } else if let Some(number) = args.from_shares {
        let shares = Shares::new(number).map_err(|error| anyhow!("--from-shares: {error}"))?;
        Answer { candidates: vec![inverse::of_shares(shares, Level::Container)], ..Answer::of_shares(shares) }
    } else if let Some(text) = &args.from_quota {
        let quota = match text.as_str() {
            "max" => Quota::Unlimited,
            text => Quota::Limited(Micros::parse(text).map_err(|error| anyhow!("--from-quota: {error}"))?),
        };
        Answer::of_quota(quota, setting)
    } else {
        let request = one.cpu_request.as_deref().map(|text| quantity("--cpu-request", text)).transpose()?;
        of_cgroup(args, request.map(CpuQuantity::milli), setting)?
    };
    if output.json {
        convert::inverse_json::write(&answer, streams.out)?;
    } else {
        convert::inverse::write(&answer, streams.out)?;
    }
    Ok(Exit::Done)
}

/// What a group on this node says, and what its pod's groups say together about the formula in use.
fn of_cgroup(args: &Args, request: Option<MilliCpu>, setting: &Setting) -> anyhow::Result<Answer> {
    let host = HostRoot::new(&args.node.host_root);
    let target = Target::parse(args.from_cgroup.as_deref())?;
    let hierarchies = Hierarchies::detect(host).map_err(target::kernel)?;
    let mut cgroup = target.open(&hierarchies, &args.node.ask()?)?;
    let observed = cgroup.observe().map_err(target::kernel)?;
    let path = cgroup.path().to_owned();
    let level = level(&path, hierarchies.host());
    // A period that the node has is better knowledge than the one that was assumed.
    let bandwidth = observed.bandwidth;
    let setting = match bandwidth {
        Some(bandwidth) => Setting { period: bandwidth.period, ..setting.clone() },
        None => setting.clone(),
    };
    let mut answer = match bandwidth {
        Some(bandwidth) => Answer::of_quota(bandwidth.quota, &setting),
        None => Answer::default(),
    };
    match observed.share {
        Some(ObservedShare::Weight(0)) | None => {}
        Some(ObservedShare::Weight(number)) => {
            let weight = Weight::new(number)?;
            answer.weight = Some(weight);
            answer.candidates = inverse::of_weight(weight, level);
            answer.judgement = judged(&hierarchies, &path, level, request)?;
        }
        Some(ObservedShare::Shares(number)) => {
            // An idle group shows 3, and so does one that was given 3.
            let shares = Shares::new(number)?;
            answer.shares = Some(shares);
            answer.candidates = vec![inverse::of_shares(shares, level.unwrap_or(Level::Container))];
        }
    }
    if answer.is_empty() {
        let error = anyhow!("{} has neither a weight nor a quota", render::stat::name(&path));
        return Err(Hinted::new(error, "the root of a hierarchy has none; name a group below it").into());
    }
    answer.path = Some(path);
    answer.level = level;
    answer.idle = observed.idle == Some(true);
    Ok(answer)
}

/// Who wrote the group's weight, as far as its path tells.
fn level(path: &Path, host: &HostRoot) -> Option<Level> {
    let owners = owner::of(path, host).owners;
    // The most specific owner comes first, and a pod's slice is a unit as well.
    owners.iter().find_map(|owner| match &owner.role {
        Role::Kubelet(kubelet) if kubelet.level != kubelet::Level::Container => Some(Level::Pod),
        Role::Kubelet(_) | Role::Container(_) => Some(Level::Container),
        Role::Unit(_) => Some(Level::Unit),
        _ => None,
    })
}

/// A pod's group and its containers, judged together. `None`: nothing to judge by.
fn judged(
    hierarchies: &Hierarchies,
    path: &Path,
    level: Option<Level>,
    request: Option<MilliCpu>,
) -> anyhow::Result<Option<Judgement>> {
    let pod = match level {
        Some(Level::Container) => path.parent(),
        Some(Level::Pod) => Some(path),
        _ => None,
    };
    let Some(pod) = pod else { return Ok(None) };
    let is_pod = level == Some(Level::Pod) || self::level(pod, hierarchies.host()) == Some(Level::Pod);
    let pod_weight = if is_pod { weight_of(hierarchies, pod)? } else { None };
    let mut containers = Vec::new();
    let names = match Cgroup::open(hierarchies, pod) {
        Ok(group) => group.cpu_dir().children().map_err(target::kernel)?,
        Err(_) => Vec::new(),
    };
    for name in names {
        let child = pod.join(&name);
        if container_id(&child).is_none() {
            continue;
        }
        if let Some(weight) = weight_of(hierarchies, &child)? {
            containers.push(Sibling { weight, request: request.filter(|_| child == path) });
        }
    }
    Ok((!containers.is_empty()).then(|| Judgement::of(pod_weight, &containers)))
}

/// A group's weight; `None` also for one that has gone since.
fn weight_of(hierarchies: &Hierarchies, path: &Path) -> anyhow::Result<Option<Weight>> {
    if hierarchies.cpu().layout != Layout::V2 {
        return Ok(None);
    }
    let observed = match Cgroup::open(hierarchies, path).and_then(|mut group| group.observe()) {
        Err(cgtune_sys::Error::Gone(_) | cgtune_sys::Error::NoSuchCgroup { .. }) => return Ok(None),
        other => other.map_err(target::kernel)?,
    };
    Ok(match observed.share {
        Some(ObservedShare::Weight(number)) => Weight::new(number).ok(),
        _ => None,
    })
}
