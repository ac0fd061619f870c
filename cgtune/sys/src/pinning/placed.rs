//! Where a group stands among the cpusets: its own files, those of the groups above, and the partitions that take CPUs away.

use std::path::{Path, PathBuf};

use cgtune_core::{
    CpuSet, Layout,
    layout::Knob,
    parse::{lists, scalar},
    pinning::seen::{Holder, Level, Partition, Placed},
};

use super::{cpusets, name};
use crate::{Cgroup, Error, Hierarchies, cgroup::parsed, detect::Hierarchy, dir::Dir, members};

/// How many groups are searched for cpusets of their own.
const GROUPS: usize = 20_000;
/// v2 (kernel/cgroup/cpuset.c, 5.0).
const PARTITION: &str = "cpuset.cpus.partition";
/// v1.
const EXCLUSIVE: &str = "cpuset.cpu_exclusive";

/// A group that has other CPUs than the one above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedGroup {
    /// Its path in the cpuset hierarchy.
    pub path: PathBuf,
    /// The CPUs that it asks for.
    pub asked: CpuSet,
    /// Those in force.
    pub cpus: CpuSet,
    /// What it is on v2.
    pub partition: Option<Partition>,
    /// Whether there are tasks in it or below.
    pub populated: bool,
}

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
        let (Some(dir), Some(hierarchy)) = (cgroup.cpuset_dir(), cpusets(hierarchies)) else {
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
                Layout::V2 if !missing.is_empty() => takers(hierarchy, &missing)?,
                _ => Vec::new(),
            };
            self.missing = missing;
        }
        placed.partitions.clone_from(&self.partitions);
        Ok(placed)
    }
}

fn list(dir: &Dir, layout: Layout, knob: Knob) -> Result<Option<CpuSet>, Error> {
    parsed(dir, layout.file(knob).map(|(_, file)| file), lists::parse)
}

fn partition(dir: &Dir, layout: Layout) -> Result<Option<Partition>, Error> {
    match layout {
        Layout::V1 => Ok(None),
        Layout::V2 => Ok(dir.read(PARTITION)?.map(|bytes| Partition::parse(&bytes))),
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
fn takers(hierarchy: &Hierarchy, missing: &CpuSet) -> Result<Vec<Holder>, Error> {
    let groups = walk(hierarchy)?.into_iter();
    let takes = |group: &PinnedGroup| {
        group.partition.as_ref().is_some_and(Partition::takes) && !group.cpus.intersection(missing).is_empty()
    };
    let holder =
        |group: PinnedGroup| Holder { path: name(&group.path), cpus: group.cpus, partition: group.partition };
    Ok(groups.filter(takes).map(holder).collect())
}

/// The groups that have other CPUs than the one above them, parents before children; no more than twenty thousand groups are
/// looked at. Nothing where there are no cpusets.
///
/// # Errors
/// A directory that cannot be listed.
pub fn pinned_groups(hierarchies: &Hierarchies) -> Result<Vec<PinnedGroup>, Error> {
    cpusets(hierarchies).map_or(Ok(Vec::new()), walk)
}

fn walk(hierarchy: &Hierarchy) -> Result<Vec<PinnedGroup>, Error> {
    let layout = hierarchy.layout;
    let in_force = |dir: &Dir| {
        let read = |knob| list(dir, layout, knob).ok().flatten();
        read(Knob::EffectiveCpus).or_else(|| read(Knob::Cpus))
    };
    let mut found = Vec::new();
    // The CPUs of the groups on the way down: a parent comes before its children.
    let mut way: Vec<(PathBuf, Option<CpuSet>)> = Vec::new();
    let mut seen = 0;
    hierarchy.walk(|path: &Path, dir: &Dir| {
        seen += 1;
        if seen > GROUPS {
            return;
        }
        let cpus = in_force(dir);
        while way.last().is_some_and(|(above, _)| path.parent() != Some(above)) {
            way.pop();
        }
        let above = way.last().and_then(|(_, cpus)| cpus.clone());
        way.push((path.to_owned(), cpus.clone()));
        let asked = list(dir, layout, Knob::Cpus).ok().flatten().filter(|asked| !asked.is_empty());
        if let (Some(asked), Some(cpus), Some(above)) = (asked, cpus, above)
            && (cpus != above || asked.difference(&above) != CpuSet::new())
        {
            let partition = partition(dir, layout).ok().flatten();
            let populated = populated(dir, layout);
            found.push(PinnedGroup { path: path.to_owned(), asked, cpus, partition, populated });
        }
    })?;
    Ok(found)
}

fn populated(dir: &Dir, layout: Layout) -> bool {
    match layout {
        // Of the groups below as well (cgroup.events: "populated 1").
        Layout::V2 => dir
            .read("cgroup.events")
            .ok()
            .flatten()
            .is_some_and(|bytes| bytes.split(|&b| b == b'\n').any(|line| line == b"populated 1")),
        Layout::V1 => members::below(dir)
            .iter()
            .any(|dir| members::thread_ids(dir, layout).is_ok_and(|ids| !ids.is_empty())),
    }
}
