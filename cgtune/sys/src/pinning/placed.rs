//! Where a group stands among the cpusets: its own files, those of the groups above, and the partitions that take CPUs away.

use cgtune_core::{
    Controller, CpuSet, Layout,
    layout::Knob,
    parse::scalar,
    pinning::seen::{Holder, Level, Partition, Placed},
};

use super::{holder, name};
use crate::{
    Cgroup, Error, Hierarchies,
    cgroup::parsed,
    cpusets::{self, Cpuset, list, partition},
    detect::Hierarchy,
    dir::Dir,
};

/// v1.
const EXCLUSIVE: &str = "cpuset.cpu_exclusive";

/// What was found around a group, kept as long as it holds.
#[derive(Debug, Default)]
pub(super) struct Around {
    missing: CpuSet,
    partitions: Vec<Holder>,
}

impl Around {
    /// Its place, without its threads.
    pub(super) fn place(
        &mut self,
        cgroup: &Cgroup,
        hierarchies: &Hierarchies,
        intended: &CpuSet,
    ) -> Result<Placed, Error> {
        let (Some(dir), Some(hierarchy)) = (cgroup.cpuset_dir(), hierarchies.of(Controller::Cpuset)) else {
            return Ok(Placed::default());
        };
        let layout = hierarchy.layout;
        let mut placed = Placed {
            set: list(dir, layout, Knob::Cpus)?,
            effective: list(dir, layout, Knob::EffectiveCpus)?,
            partition: partition(dir, layout)?,
            exclusive: parsed(dir, (layout == Layout::V1).then_some(EXCLUSIVE), scalar::flag)?,
            above: above(dir, hierarchy)?,
            ..Placed::default()
        };
        let missing = placed.missing(intended);
        if missing != self.missing {
            // Only then, and only once: it takes a walk over all groups.
            self.partitions = match layout {
                Layout::V2 if !missing.is_empty() => takers(hierarchies, &missing)?,
                _ => Vec::new(),
            };
            self.missing = missing;
        }
        placed.partitions.clone_from(&self.partitions);
        Ok(placed)
    }
}

/// The groups above that can be seen, from the top down.
fn above(dir: &Dir, hierarchy: &Hierarchy) -> Result<Vec<Level>, Error> {
    let Ok(below) = dir.path().strip_prefix(&hierarchy.mount_point) else { return Ok(Vec::new()) };
    let mut levels = Vec::new();
    let Some(parent) = below.parent() else { return Ok(levels) };
    let mut at = hierarchy.top()?;
    let mut path = hierarchy.root.clone();
    let mut names = parent.iter();
    loop {
        levels.push(Level {
            path: name(&path),
            set: list(&at, hierarchy.layout, Knob::Cpus)?,
            effective: list(&at, hierarchy.layout, Knob::EffectiveCpus)?,
        });
        let Some(next) = names.next() else { return Ok(levels) };
        path.push(next);
        let Some(child) = at.child(next)? else { return Ok(levels) };
        at = child;
    }
}

/// The partitions that hold one of these CPUs.
fn takers(hierarchies: &Hierarchies, missing: &CpuSet) -> Result<Vec<Holder>, Error> {
    let takes = |cpuset: &Cpuset| {
        let takes = cpuset.partition.as_ref().is_some_and(Partition::takes);
        takes && !cpuset.effective.intersection(missing).is_empty()
    };
    let groups = cpusets::read(hierarchies)?.unwrap_or_default().groups;
    Ok(groups.into_iter().filter(takes).map(holder).collect())
}
