//! One cgroup as `stat` shows it: what was read, and what happened between two readings. No text, no JSON.

use std::path::PathBuf;

use cgtune_core::{
    CpuControl as _, Interval, Observed, ObservedBandwidth, Snapshot,
    limit::{self, EffectiveLimit},
};
use cgtune_node::names::Resident;
use cgtune_sys::{Cgroup, detect::View};

/// Everything that was read about one cgroup.
#[derive(Debug)]
pub(crate) struct Reading {
    /// Its path in the cpu hierarchy.
    pub(crate) path: PathBuf,
    /// Who lives there, at first as far as its path says.
    pub(crate) resident: Resident,
    /// Whether the hierarchy is visible up to its root.
    pub(crate) view: View,
    /// Its policy.
    pub(crate) observed: Observed,
    /// Itself and its ancestors, nearest first.
    pub(crate) lineage: Vec<(PathBuf, Option<ObservedBandwidth>)>,
    /// The counters, at the interval's end if there is one.
    pub(crate) snapshot: Snapshot,
    /// What happened, if it was watched for a while.
    pub(crate) interval: Option<Interval>,
}

impl Reading {
    /// Reads policy and lineage of a group whose counters have been read.
    pub(crate) fn new(
        cgroup: &mut Cgroup,
        view: View,
        snapshot: Snapshot,
        interval: Option<Interval>,
    ) -> Result<Self, cgtune_sys::Error> {
        Ok(Self {
            path: cgroup.path().to_owned(),
            resident: Resident::of(cgroup.path()),
            view,
            observed: cgroup.observe()?,
            lineage: cgroup.lineage()?,
            snapshot,
            interval,
        })
    }

    /// The smallest limit up the tree, and which group sets it.
    pub(crate) fn limit(&self) -> Option<(EffectiveLimit, &PathBuf)> {
        let path: Vec<_> = self.lineage.iter().map(|(_, bandwidth)| *bandwidth).collect();
        let limit = limit::effective(&path)?;
        Some((limit, &self.lineage.get(limit.level)?.0))
    }

    /// CPU used over the effective limit, in the interval.
    pub(crate) fn used_of_limit(&self) -> Option<f64> {
        Some(self.interval.as_ref()?.cpus_used()? / self.limit()?.0.cpus)
    }
}
