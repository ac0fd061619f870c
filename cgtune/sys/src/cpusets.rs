//! Which cgroups have CPUs of their own: one walk over all groups for whoever asks, and one reader of what a partition says of itself.
//!
//! A group that vanishes meanwhile is not among them, nor is one without the controller. One with a file that cannot be read or
//! understood costs the answer of itself alone, and is told of ([`Unread`]); groups in it are compared with the nearest above it.

use std::{
    error::Error as _,
    fmt,
    path::{Path, PathBuf},
};

use cgtune_core::{Controller, CpuSet, Layout, layout::Knob, parse::lists, pinning::seen::Partition};

use crate::{Error, Hierarchies, cgroup::parsed, dir::Dir, members};

/// v2 (kernel/cgroup/cpuset.c, 5.0).
const PARTITION: &str = "cpuset.cpus.partition";

/// A cgroup with CPUs, or a set, of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cpuset {
    /// Its path in the cpuset hierarchy.
    pub path: PathBuf,
    /// The CPUs that it asks for; empty on v2: those of the group above.
    pub cpus: CpuSet,
    /// The CPUs that it has.
    pub effective: CpuSet,
    /// The CPUs that the group above has.
    pub above: CpuSet,
    /// What kind of partition it is. `None`: this layout has none.
    pub partition: Option<Partition>,
    /// How many processes are directly in it. `None`: it does not say, as where threads are grouped.
    pub processes: Option<usize>,
}

impl Cpuset {
    /// Whether it takes its CPUs away from the groups beside it, or is meant to.
    #[must_use]
    pub fn is_partition(&self) -> bool {
        self.partition.as_ref().is_some_and(|partition| !partition.is_member())
    }

    /// Whether it holds other CPUs than the group above, or is a partition. One that has none, as a v1 group to which nobody wrote
    /// any, holds none.
    #[must_use]
    pub fn holds_own(&self) -> bool {
        self.is_partition() || (self.effective != self.above && !self.effective.is_empty())
    }

    /// Whether somebody gave it a set that is not what the group above has, or made it a partition. It may have less than that, and
    /// so hold no CPUs of its own.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        let other = self.effective != self.above || !self.cpus.difference(&self.above).is_empty();
        self.is_partition() || (!self.cpus.is_empty() && other)
    }
}

/// What the walk found.
#[derive(Debug, Default)]
pub struct Cpusets {
    /// Those that hold CPUs of their own or are pinned, parents before children. The group at the mount point has nobody above, and
    /// is none.
    pub groups: Vec<Cpuset>,
    /// Those of which that is not known.
    pub unread: Option<Unread>,
}

/// Groups that could not be read.
#[derive(Debug)]
pub struct Unread {
    /// How many.
    pub groups: usize,
    /// Why the first could not.
    pub first: Error,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.groups {
            1 => f.write_str("which CPUs one cgroup holds is not known")?,
            groups => write!(f, "which CPUs {groups} cgroups hold is not known; of the first")?,
        }
        write!(f, ": {}", self.first)?;
        self.first.source().map_or(Ok(()), |source| write!(f, ": {source}"))
    }
}

/// Reads those that can be seen. `None`: no hierarchy carries the cpuset controller.
///
/// # Errors
/// A directory that cannot be listed.
pub fn read(hierarchies: &Hierarchies) -> Result<Option<Cpusets>, Error> {
    let Some(hierarchy) = hierarchies.of(Controller::Cpuset) else { return Ok(None) };
    let layout = hierarchy.layout;
    // Of the groups on the way down to the one that is visited.
    let mut above: Vec<(PathBuf, CpuSet)> = Vec::new();
    let mut found = Cpusets::default();
    hierarchy.walk(|path, dir| {
        while above.last().is_some_and(|(parent, _)| !path.starts_with(parent)) {
            above.pop();
        }
        match visit(path, dir, layout, above.last().map(|(_, effective)| effective)) {
            Ok(Some(cpuset)) => {
                above.push((path.to_owned(), cpuset.effective.clone()));
                if cpuset.holds_own() || cpuset.is_pinned() {
                    found.groups.push(Cpuset { processes: processes(dir), ..cpuset });
                }
            }
            // Without the controller, or gone.
            Ok(None) | Err(Error::Gone(_)) => {}
            Err(error) => match &mut found.unread {
                Some(unread) => unread.groups += 1,
                None => found.unread = Some(Unread { groups: 1, first: error }),
            },
        }
    })?;
    Ok(Some(found))
}

/// A group. `None`: the controller is not here.
fn visit(path: &Path, dir: &Dir, layout: Layout, above: Option<&CpuSet>) -> Result<Option<Cpuset>, Error> {
    let cpus = list(dir, layout, Knob::Cpus)?;
    let Some(effective) = list(dir, layout, Knob::EffectiveCpus)?.or_else(|| cpus.clone()) else {
        return Ok(None);
    };
    // Whatever the topmost group that is seen may be in a tree that is not.
    let partition = above.map_or(Ok(None), |_| partition(dir, layout))?;
    let above = above.unwrap_or(&effective).clone();
    let (path, cpus) = (path.to_owned(), cpus.unwrap_or_default());
    Ok(Some(Cpuset { path, cpus, effective, above, partition, processes: None }))
}

/// A list of CPUs. `None`: not provided here.
pub(crate) fn list(dir: &Dir, layout: Layout, knob: Knob) -> Result<Option<CpuSet>, Error> {
    parsed(dir, layout.file(knob).map(|(_, file)| file), lists::parse)
}

/// What a group says of itself. `None`: not provided here.
pub(crate) fn partition(dir: &Dir, layout: Layout) -> Result<Option<Partition>, Error> {
    parsed(dir, (layout == Layout::V2).then_some(PARTITION), Partition::parse)
}

fn processes(dir: &Dir) -> Option<usize> {
    let bytes = dir.read("cgroup.procs").ok()??;
    Some(bytes.iter().filter(|&&byte| byte == b'\n').count())
}

/// Whether there are tasks in a group or below. One that is gone has none.
#[must_use]
pub fn is_populated(hierarchies: &Hierarchies, cpuset: &Cpuset) -> bool {
    let Some(hierarchy) = hierarchies.of(Controller::Cpuset) else { return false };
    let Ok(Some(dir)) = hierarchy.open(&cpuset.path) else { return false };
    match hierarchy.layout {
        // Of the groups below as well (cgroup.events: "populated 1").
        Layout::V2 => dir
            .read("cgroup.events")
            .ok()
            .flatten()
            .is_some_and(|bytes| bytes.split(|&b| b == b'\n').any(|line| line == b"populated 1")),
        Layout::V1 => members::below(&dir)
            .iter()
            .any(|dir| members::thread_ids(dir, Layout::V1).is_ok_and(|ids| !ids.is_empty())),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::HostRoot;

    /// A synthetic v2 tree: of each group its set, what is in force, its partition and its events.
    fn tree(groups: &[(&str, &str, &str, &str, &str)]) -> (tempfile::TempDir, Hierarchies) {
        let root = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let file = root.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        file("proc/1/mountinfo", "25 22 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        file("sys/fs/cgroup/cgroup.controllers", "cpuset cpu\n");
        file("sys/fs/cgroup/cpuset.cpus.effective", "0-3\n");
        file("sys/fs/cgroup/cgroup.procs", "");
        for (path, cpus, effective, partition, events) in groups {
            let group = format!("sys/fs/cgroup/{path}");
            file(&format!("{group}/cpuset.cpus"), &format!("{cpus}\n"));
            file(&format!("{group}/cpuset.cpus.effective"), &format!("{effective}\n"));
            file(&format!("{group}/cpuset.cpus.partition"), &format!("{partition}\n"));
            file(&format!("{group}/cgroup.procs"), "");
            file(&format!("{group}/cgroup.events"), &format!("{events}\nfrozen 0\n"));
        }
        let hierarchies = Hierarchies::detect(HostRoot::new(root.path())).unwrap();
        (root, hierarchies)
    }

    #[test]
    fn who_holds_what_and_who_was_given_what_are_two_questions_to_one_walk() {
        let (_root, hierarchies) = tree(&[
            ("inherits", "", "0-3", "member", "populated 1"),
            ("inherits/all", "0-3", "0-3", "member", "populated 1"),
            ("fewer", "1-2", "1-2", "member", "populated 1"),
            ("fewer/inherits", "", "1-2", "member", "populated 0"),
            ("beyond", "0-7", "0-3", "member", "populated 0"),
            ("partition", "", "0-3", "root", "populated 0"),
            ("wanted", "0-3", "0-3", "isolated invalid (Parent is not a partition root)", "populated 0"),
        ]);
        let found = read(&hierarchies).unwrap().unwrap();
        assert!(found.unread.is_none());
        let of = |question: fn(&Cpuset) -> bool| -> Vec<&str> {
            let groups = found.groups.iter().filter(|cpuset| question(cpuset));
            groups.map(|cpuset| cpuset.path.to_str().unwrap()).collect()
        };
        assert_eq!(of(Cpuset::holds_own), ["/fewer", "/partition", "/wanted"]);
        assert_eq!(of(Cpuset::is_pinned), ["/beyond", "/fewer", "/partition", "/wanted"]);
        assert_eq!(of(Cpuset::is_partition), ["/partition", "/wanted"]);
        let populated = |cpuset: &&Cpuset| is_populated(&hierarchies, cpuset);
        assert_eq!(found.groups.iter().filter(populated).count(), 1);
    }

    #[test]
    fn a_group_of_v1_to_which_nobody_wrote_a_cpu_holds_none() {
        let list = |text: &str| text.parse::<CpuSet>().unwrap();
        let group = |cpus: &str| Cpuset {
            path: PathBuf::from("/fresh"),
            cpus: list(cpus),
            effective: list(cpus),
            above: list("0-3"),
            partition: None,
            processes: Some(0),
        };
        assert!(!group("").holds_own() && !group("").is_pinned());
        assert!(group("1").holds_own() && group("1").is_pinned());
    }

    #[test]
    fn a_group_that_cannot_be_read_costs_no_other_and_is_told_of() {
        let (root, hierarchies) = tree(&[
            ("broken", "1-", "1", "member", "populated 1"),
            ("broken/inside", "", "1", "member", "populated 1"),
            ("odd", "2", "2", "root but why", "populated 1"),
            ("well", "3", "3", "member", "populated 1"),
        ]);
        let groups = root.path().join("sys/fs/cgroup");
        // One without the controller, and one that was removed since it was listed.
        for name in ["without", "vanished"] {
            fs::create_dir(groups.join(name)).unwrap();
        }
        fs::write(groups.join("without/cgroup.procs"), "").unwrap();
        let found = read(&hierarchies).unwrap().unwrap();
        let paths: Vec<&Path> = found.groups.iter().map(|cpuset| cpuset.path.as_path()).collect();
        assert_eq!(paths, [Path::new("/broken/inside"), Path::new("/well")]);
        let unread = found.unread.unwrap();
        let said = unread.to_string();
        assert_eq!(unread.groups, 2);
        assert!(said.starts_with("which CPUs 2 cgroups hold is not known; of the first: "), "{said}");
        assert!(said.contains("broken/cpuset.cpus holds something else than its format: "), "{said}");
    }

    #[test]
    fn where_no_hierarchy_has_cpusets_there_are_none() {
        let (root, _) = tree(&[]);
        fs::write(root.path().join("sys/fs/cgroup/cgroup.controllers"), "cpu\n").unwrap();
        let hierarchies = Hierarchies::detect(HostRoot::new(root.path())).unwrap();
        assert!(read(&hierarchies).unwrap().is_none());
    }
}
