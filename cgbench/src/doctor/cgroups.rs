//! Which policies could be put in force here, and what already holds ourselves.

use cgtune_core::{Capabilities, CpuControl, Layout, limit};
use cgtune_sys::{Cgroup, Error, Hierarchies, HostRoot, detect::View, error::Shown, lifecycle::Workshop};
use serde::{Deserialize, Serialize};

/// What the kernel and our permissions allow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Cgroups {
    /// Where the cpu controller is, `v1` or `v2`; `None`: nowhere.
    pub cpu_layout: Option<String>,
    /// Where the cpuset controller is; `None`: nowhere.
    pub cpuset_layout: Option<String>,
    /// Whether a group can have a quota; `None`: no group with a parent could be looked at.
    pub bandwidth: Option<bool>,
    /// Whether it can save up what it does not use; `None` as above.
    pub burst: Option<bool>,
    /// Why no cgroup can be made here; `None`: one was made and removed.
    pub refusal: Option<Refusal>,
    /// The group that we are in; `None`: it could not be read.
    pub own: Option<Own>,
}

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What was tried and what the kernel said, safe to show.
    pub error: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The group that we are in, and the limits on the way up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Own {
    /// Its path, safe to show.
    pub path: String,
    /// The smallest limit of it and those above that can be seen, in CPUs; `None`: no quota.
    pub limit_cpus: Option<f64>,
    /// Whose that is.
    pub limited_by: Option<String>,
    /// Whether all that is above can be seen. In a container mostly not, and what is above may be limited.
    pub sees_root: bool,
}

/// Looks. A cgroup is made for it, where that is allowed, and removed.
pub(super) fn look() -> Cgroups {
    match Hierarchies::detect(HostRoot::default()) {
        Ok(hierarchies) => known(hierarchies),
        Err(error) => Cgroups { refusal: Some(refusal(error)), ..Cgroups::default() },
    }
}

fn known(hierarchies: Hierarchies) -> Cgroups {
    let own = Cgroup::of_process(&hierarchies, None).ok();
    let beside = own.as_ref().map(CpuControl::capabilities);
    let own = own.and_then(|own| limits(&hierarchies, &own).ok());
    let (layout, cpuset) = (hierarchies.cpu().layout, beside.and_then(|seen| seen.cpuset));
    let (seen, refusal) = match probe(hierarchies) {
        Ok(seen) => (Some(seen), None),
        // The root of a v2 hierarchy has no quota whatever the kernel can do.
        Err(error) => (beside.filter(|seen| seen.bandwidth), Some(refusal(error))),
    };
    Cgroups {
        cpu_layout: Some(name(layout)),
        cpuset_layout: seen.map_or(cpuset, |seen| seen.cpuset).map(name),
        bandwidth: seen.map(|seen| seen.bandwidth),
        burst: seen.map(|seen| seen.burst),
        refusal,
        own,
    }
}

fn probe(hierarchies: Hierarchies) -> Result<Capabilities, Error> {
    let workshop = Workshop::open(hierarchies)?;
    let mut group = workshop.group("doctor")?;
    let capabilities = group.cgroup()?.capabilities();
    group.remove()?;
    Ok(capabilities)
}

fn limits(hierarchies: &Hierarchies, own: &Cgroup) -> Result<Own, Error> {
    let lineage = own.lineage()?;
    let quotas: Vec<_> = lineage.iter().map(|(_, quota)| *quota).collect();
    let limit = limit::effective(&quotas);
    let path = |level: usize| lineage.get(level).map(|(path, _)| Shown(path.clone()).to_string());
    Ok(Own {
        path: Shown(own.path().to_owned()).to_string(),
        limit_cpus: limit.map(|limit| limit.cpus),
        limited_by: limit.and_then(|limit| path(limit.level)),
        sees_root: hierarchies.cpu().view == View::Whole,
    })
}

fn refusal(error: Error) -> Refusal {
    let hint = error.hint();
    Refusal { error: format!("{:#}", anyhow::Error::new(error)), hint }
}

fn name(layout: Layout) -> String {
    match layout {
        Layout::V1 => "v1".to_owned(),
        Layout::V2 => "v2".to_owned(),
    }
}
