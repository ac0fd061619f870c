//! What the kernel compares a group with before it takes a value.

use super::PlanError;
use crate::{CpuSet, Layout, ObservedBandwidth, Quota, policy::Ratio};

/// A group's place: the limits above and below it, and the cpusets around it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Ratio of the nearest ancestor that has a quota (v1 compares, v2 does not).
    pub parent: Option<Ratio>,
    /// Largest ratio among the nearest descendants that have a quota (v1 compares, v2 does not).
    pub children: Option<Ratio>,
    /// Whether this is the top of the cpu hierarchy, where nothing can be set.
    pub root: bool,
    /// What lies around its cpuset; `None` where it has none.
    pub cpuset: Option<CpusetSurroundings>,
}

/// What lies around a cpuset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CpusetSurroundings {
    /// About `cpuset.cpus`.
    pub cpus: ListSurroundings,
    /// About `cpuset.mems`.
    pub mems: ListSurroundings,
    /// Whether tasks are in the group.
    pub tasks: bool,
    /// Whether this is the top of the cpuset hierarchy.
    pub root: bool,
}

/// What lies around one list of a cpuset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListSurroundings {
    /// What the machine can have.
    pub possible: CpuSet,
    /// The parent's list.
    pub parent: CpuSet,
    /// All that groups inside have.
    pub children: CpuSet,
    /// What no sibling may share with us: theirs that are exclusive, or all theirs if we are.
    pub exclusive: CpuSet,
}

impl Surroundings {
    /// Whether a bandwidth, once in force, is one that v1 accepts here.
    ///
    /// # Errors
    /// [`PlanError::AboveParent`], [`PlanError::BelowChild`].
    pub fn check(&self, wanted: ObservedBandwidth) -> Result<(), PlanError> {
        let Quota::Limited(quota) = wanted.quota else { return Ok(()) };
        let (period, wanted) = (wanted.period, Ratio::of(quota, wanted.period));
        match (self.parent, self.children) {
            (Some(parent), _) if wanted > parent => {
                Err(PlanError::AboveParent { wanted, parent, nearest: parent.largest_quota(period) })
            }
            (_, Some(child)) if wanted < child => {
                Err(PlanError::BelowChild { wanted, child, nearest: child.smallest_quota(period) })
            }
            _ => Ok(()),
        }
    }
}

impl CpusetSurroundings {
    /// Whether a list is one that the kernel takes here.
    pub(super) fn check(
        &self,
        layout: Layout,
        file: &'static str,
        wanted: &CpuSet,
        around: &ListSurroundings,
    ) -> Result<(), PlanError> {
        let wanted_or = |error: fn(&'static str, CpuSet, CpuSet) -> PlanError, other: &CpuSet| {
            Err(error(file, wanted.clone(), other.clone()))
        };
        if self.root {
            return Err(PlanError::Root);
        }
        if !wanted.difference(&around.possible).is_empty() {
            return wanted_or(
                |file, wanted, possible| PlanError::NotThere { file, wanted, possible },
                &around.possible,
            );
        }
        // v2 takes any list of what there is: the effective one rules (cpuset.c, validate_change).
        if layout == Layout::V2 {
            return Ok(());
        }
        if !around.children.difference(wanted).is_empty() {
            return wanted_or(
                |file, wanted, children| PlanError::InsideChild { file, wanted, children },
                &around.children,
            );
        }
        if !wanted.difference(&around.parent).is_empty() {
            return wanted_or(
                |file, wanted, parent| PlanError::OutsideParent { file, wanted, parent },
                &around.parent,
            );
        }
        if wanted.is_empty() && self.tasks {
            return Err(PlanError::EmptyWithTasks { file });
        }
        if !wanted.intersection(&around.exclusive).is_empty() {
            return wanted_or(
                |file, wanted, exclusive| PlanError::NotExclusive { file, wanted, exclusive },
                &around.exclusive,
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Flags, *};

    fn list(text: &str) -> CpuSet {
        text.parse().unwrap()
    }

    #[test]
    fn each_rule_of_a_v1_cpuset_is_its_own_error() {
        let around = ListSurroundings {
            possible: list("0-7"),
            parent: list("0-5"),
            children: list("1"),
            exclusive: list("4"),
        };
        let place = CpusetSurroundings { cpus: around.clone(), tasks: true, ..CpusetSurroundings::default() };
        let check = |layout, text: &str| place.check(layout, "cpuset.cpus", &list(text), &around);
        assert_eq!(check(Layout::V1, "0-3"), Ok(()));
        assert!(matches!(check(Layout::V1, "1,9"), Err(PlanError::NotThere { .. })));
        assert!(matches!(check(Layout::V1, "1,6"), Err(PlanError::OutsideParent { .. })));
        assert!(matches!(check(Layout::V1, "0"), Err(PlanError::InsideChild { .. })));
        assert!(matches!(check(Layout::V1, "1,4"), Err(PlanError::NotExclusive { .. })));
        let childless = ListSurroundings { children: CpuSet::new(), ..around.clone() };
        let empty = place.check(Layout::V1, "cpuset.cpus", &CpuSet::new(), &childless);
        assert_eq!(empty, Err(PlanError::EmptyWithTasks { file: "cpuset.cpus" }));
        assert_eq!(check(Layout::V2, "6"), Ok(()), "v2 lets the effective list rule");
        let nearest = |flags: Flags| check(Layout::V1, "1,9").unwrap_err().nearest(flags).unwrap();
        assert_eq!(nearest(Flags::APPLY), "the nearest that the kernel takes is --cpuset-cpus 1");
        assert_eq!(nearest(Flags::PIN), "the nearest that the kernel takes is --cpus 1");
    }
}
