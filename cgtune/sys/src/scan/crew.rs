//! The threads of a group: what each has used and waited since it began.

use std::path::Path;

use cgtune_core::{Layout, Nanos};

use super::group::Group;
use crate::{Hierarchies, members};

/// A thread's times since it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadTimes {
    /// Its id.
    pub tid: u32,
    /// Time on a CPU.
    pub cpu: Nanos,
    /// Time it could run and did not, throttled time included.
    pub run_delay: Nanos,
}

/// Reads the threads of a group, given with those below it. Those that end meanwhile are not among them.
pub(super) fn of<'g>(
    groups: impl Iterator<Item = (&'g Path, &'g Group)>,
    hierarchies: &Hierarchies,
    most: usize,
) -> Option<Vec<ThreadTimes>> {
    let mut tids = Vec::new();
    for (number, (path, group)) in groups.enumerate() {
        match ids(path, group, hierarchies) {
            Some(ids) => tids.extend(ids),
            // One below may vanish; without the group itself there is nothing to say.
            None if number > 0 => {}
            None => return None,
        }
        if tids.len() > most {
            return None;
        }
    }
    let times = |tid| {
        members::schedstat(hierarchies.host(), tid).map(|(cpu, run_delay)| ThreadTimes {
            tid,
            cpu,
            run_delay,
        })
    };
    Some(tids.into_iter().filter_map(times).collect())
}

/// The threads directly in a group. `None`: it is gone, or they are of another pid namespace.
pub(super) fn ids(path: &Path, group: &Group, hierarchies: &Hierarchies) -> Option<Vec<u32>> {
    let file = match hierarchies.cpu().layout {
        Layout::V1 => "tasks",
        Layout::V2 => "cgroup.threads",
    };
    let ids = match group.dir() {
        Some(dir) => members::ids(dir, file),
        None => members::ids(&hierarchies.cpu().open(path).ok()??, file),
    };
    // The kernel shows 0 for those of another pid namespace.
    ids.ok().filter(|ids| !ids.contains(&0))
}
