//! The threads of a group and the CPUs that each may run on (`Cpus_allowed_list` of `/proc/<pid>/task/<tid>/status`).

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use cgtune_core::{
    Controller, CpuControl as _, CpuSet, Layout,
    layout::Knob,
    parse::task,
    pinning::{
        Kind, Name,
        seen::{Task, ThreadSeen, Threads},
    },
};

use super::name;
use crate::{
    Cgroup, Hierarchies, HostRoot,
    cpusets::list,
    dir::Dir,
    members::{self, below, thread_file},
    processes,
};

/// How many threads of a group are read at a look: of more, others at each look, until all have had their turn.
const LOOKED_AT: usize = 1000;

/// What does not change of a thread.
#[derive(Debug, Clone, Copy)]
struct Fixed {
    started_ticks: u64,
    kernel: bool,
}

/// What is known of the threads of a group.
#[derive(Debug, Default)]
pub(super) struct Crew {
    /// Of each what was read once, and on which CPUs it could run then.
    known: HashMap<u32, (Fixed, CpuSet)>,
    /// Names of processes.
    processes: HashMap<u32, Option<Name>>,
    /// Where the next look begins.
    turn: usize,
}

impl Crew {
    /// Reads them. Adds the ids of all of them to `members`. `None`: they cannot be read, as from another pid namespace.
    pub(super) fn look(
        &mut self,
        cgroup: &Cgroup,
        hierarchies: &Hierarchies,
        members: &mut Vec<u32>,
    ) -> Option<Threads> {
        let host = hierarchies.host();
        let own = super::cpuset_path(cgroup, hierarchies);
        let mut tids = self::members(cgroup, own.as_deref())?;
        let here: Vec<u32> = tids.iter().map(|(tid, _)| *tid).collect();
        members.extend(&here);
        self.forget(&here);
        let count = tids.len();
        if count > LOOKED_AT {
            let turn = self.turn % count;
            tids.rotate_left(turn);
            tids.truncate(LOOKED_AT);
            self.turn = (turn + LOOKED_AT) % count;
        }
        let seen = tids.into_iter().filter_map(|(tid, of_group)| {
            let astray = match of_group {
                Some(_) => None,
                // Where the group has no cpuset, or one for both controllers, nobody can be in another than its.
                None if cgroup.capabilities().cpuset != Some(Layout::V1) => None,
                None => {
                    let shown = hierarchies.membership(Some(tid), Controller::Cpuset).ok()?;
                    Some(name(elsewhere(own.as_deref()?, &shown)?))
                }
            };
            self.thread(host, tid, of_group, astray)
        });
        let read = seen.collect();
        Some(Threads { here, read })
    }

    /// Of those that are no more here nothing is kept. A process is called as its first thread, which has its number.
    fn forget(&mut self, here: &[u32]) {
        let here: HashSet<u32> = here.iter().copied().collect();
        self.known.retain(|tid, _| here.contains(tid));
        self.processes.retain(|pid, _| here.contains(pid));
    }

    /// `None`: it has ended, or is the kernel's own.
    fn thread(
        &mut self,
        host: &HostRoot,
        tid: u32,
        of_group: Option<CpuSet>,
        astray: Option<Name>,
    ) -> Option<ThreadSeen> {
        let status = task::status(&thread_file(host, tid, "status")?).ok()?;
        let cpus = status.cpus_allowed;
        let Fixed { started_ticks, kernel } = match self.known.get(&tid) {
            // Who may run where it always could has most likely not become somebody else.
            Some((fixed, known)) if *known == cpus => *fixed,
            _ => {
                let stat = task::stat(&thread_file(host, tid, "stat")?).ok()?;
                let kernel = Kind::of(stat.flags, &stat.name, None) != Kind::Process;
                let fixed = Fixed { started_ticks: stat.started_ticks, kernel };
                self.known.insert(tid, (fixed, cpus.clone()));
                fixed
            }
        };
        // Those of the kernel, in the topmost group, are where the kernel wants them.
        if kernel {
            return None;
        }
        let process =
            self.processes.entry(status.tgid).or_insert_with(|| processes::name(host, status.tgid).map(Name));
        let task =
            Task { tid, pid: status.tgid, name: Name(status.name), process: process.clone(), started_ticks };
        Some(ThreadSeen { task, cpus, of_group, astray })
    }
}

/// The cpuset that a thread shows, where it is neither the group's own nor below that. One that began after the list of the group's
/// own was read is in no list, and in its place: the next look has it.
fn elsewhere<'a>(own: &Path, shown: &'a Path) -> Option<&'a Path> {
    (!shown.starts_with(own)).then_some(shown)
}

/// The threads of a group and of those below it, each with what its own cpuset has in force; `None` for those that are in the
/// group in the cpu hierarchy alone. `own` is the path of its cpuset.
fn members(cgroup: &Cgroup, own: Option<&Path>) -> Option<Vec<(u32, Option<CpuSet>)>> {
    let capabilities = cgroup.capabilities();
    let mut found = Vec::new();
    let mut held = HashSet::new();
    if let (Some(dir), Some(layout)) = (cgroup.cpuset_dir(), capabilities.cpuset) {
        let groups = below(dir);
        members::together(groups.iter().map(|dir| members::thread_ids(dir, layout)), usize::MAX)?;
        for dir in &groups {
            let cpus = in_force(dir, layout);
            let ids = members::thread_ids(dir, layout).unwrap_or_default();
            held.extend(ids.iter().copied());
            found.extend(ids.into_iter().map(|tid| (tid, cpus.clone())));
        }
    }
    let shared = cgroup.cpuset_dir().is_some_and(|dir| dir.path() == cgroup.cpu_dir().path());
    if !shared {
        let groups = below(cgroup.cpu_dir());
        let all = members::together(
            groups.iter().map(|dir| members::thread_ids(dir, capabilities.cpu)),
            usize::MAX,
        )?;
        if own.is_some_and(|own| own != cgroup.path()) {
            // Others' threads may be in that cpuset, too: in the topmost one all are that have none of their own.
            let all: HashSet<u32> = all.iter().copied().collect();
            found.retain(|(tid, _)| all.contains(tid));
        }
        let alone = all.into_iter().filter(|tid| !held.contains(tid));
        found.extend(alone.map(|tid| (tid, None)));
    }
    Some(found)
}

/// What a group has in force. An empty v1 set lets nobody in.
fn in_force(dir: &Dir, layout: Layout) -> Option<CpuSet> {
    let read = |knob| list(dir, layout, knob).ok().flatten();
    read(Knob::EffectiveCpus).or_else(|| read(Knob::Cpus))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_generations_the_last_is_kept() {
        let mut crew = Crew::default();
        for generation in 0..1000 {
            let here: Vec<u32> = (generation * 10..generation * 10 + 10).collect();
            for tid in &here {
                crew.known.insert(*tid, (Fixed { started_ticks: 1, kernel: false }, CpuSet::new()));
                crew.processes.insert(*tid, None);
            }
            crew.forget(&here);
        }
        assert_eq!((crew.known.len(), crew.processes.len()), (10, 10));
    }

    #[test]
    fn a_thread_in_the_groups_own_cpuset_or_below_is_not_elsewhere() {
        let of = |own, shown: &'static str| elsewhere(Path::new(own), Path::new(shown));
        assert_eq!(of("/a", "/a"), None);
        assert_eq!(of("/a", "/a/b"), None);
        assert_eq!(of("/", "/b"), None);
        assert_eq!(of("/a", "/"), Some(Path::new("/")));
        assert_eq!(of("/a", "/ab"), Some(Path::new("/ab")));
    }
}
