//! The threads of a group: what each has used and waited since it began.

use std::path::Path;

use cgtune_core::Nanos;

use super::group::Group;
use crate::{Error, Hierarchies, error::Shown, members};

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
    let tids = members::together(groups.map(|(path, group)| ids(path, group, hierarchies)), most)?;
    let times = |tid| {
        members::schedstat(hierarchies.host(), tid).map(|(cpu, run_delay)| ThreadTimes {
            tid,
            cpu,
            run_delay,
        })
    };
    Some(tids.into_iter().filter_map(times).collect())
}

/// The threads directly in a group.
///
/// # Errors
/// [`Error::Gone`]; a file that cannot be read or understood.
pub(super) fn ids(path: &Path, group: &Group, hierarchies: &Hierarchies) -> Result<Vec<u32>, Error> {
    let opened;
    let dir = match group.dir() {
        Some(dir) => dir,
        None => {
            opened = hierarchies.cpu().open(path)?.ok_or_else(|| Error::Gone(Shown(path.to_owned())))?;
            &opened
        }
    };
    members::thread_ids(dir, hierarchies.cpu().layout)
}
