//! Who took a CPU away that a group asks for.

use serde::Serialize;

use super::{Name, seen::Placed};
use crate::CpuSet;

/// Who took a CPU away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "culprit", rename_all = "kebab-case")]
pub enum Culprit {
    /// It is offline.
    Offline,
    /// The set of a group above does not hold it.
    Above {
        /// That group.
        path: Name,
        /// Its set, in the kernel's list format.
        set: String,
    },
    /// A v2 partition took it out of all groups around it.
    Partition {
        /// The partition's group.
        path: Name,
        /// `root` or `isolated`.
        partition: Name,
    },
    /// Nobody who can be seen.
    Unknown {
        /// The topmost group that lacks it. `None`: only the group itself does.
        at: Option<Name>,
    },
}

/// Who took this CPU away.
///
/// A group has in force what it asks for of what its parent has in force, so the topmost group that lacks a CPU tells: either its
/// own set lacks it, or somebody beside it has taken it (`compute_effective_cpumask` and `update_parent_effective_cpumask`,
/// kernel/cgroup/cpuset.c, 6.12).
pub(super) fn of(cpu: u32, placed: &Placed, online: Option<&CpuSet>) -> Culprit {
    if online.is_some_and(|online| !online.contains(cpu)) {
        return Culprit::Offline;
    }
    let lacks = |cpus: &Option<CpuSet>| cpus.as_ref().is_some_and(|cpus| !cpus.contains(cpu));
    let topmost = placed.above.iter().find(|level| lacks(&level.effective));
    if let Some(level) = topmost
        && let Some(set) = level.set.as_ref().filter(|set| !set.is_empty() && !set.contains(cpu))
    {
        return Culprit::Above { path: level.path.clone(), set: set.to_string() };
    }
    let taker = placed.partitions.iter().find(|holder| holder.cpus.contains(cpu));
    match taker.and_then(|holder| Some((holder, holder.partition.as_ref()?))) {
        Some((holder, partition)) => {
            Culprit::Partition { path: holder.path.clone(), partition: partition.kind.clone() }
        }
        None => Culprit::Unknown { at: topmost.map(|level| level.path.clone()) },
    }
}
