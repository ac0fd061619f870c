//! Looking at pinned groups: their cpusets and what lies around, their threads' affinities, and who else ran on their CPUs.
//!
//! Only files are read, through [`HostRoot`](crate::HostRoot). What a look costs depends on how many threads there are, so a look is bounded and
//! tells what it cost; when to look again is the caller's business, and others' tasks are looked at no more often than a twentieth of
//! the time allows. Tasks that end meanwhile are simply not among those that are seen.

mod others;
mod placed;
mod threads;

use std::{
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use cgtune_core::{
    Controller, CpuControl as _, CpuSet, Nanos,
    pinning::{
        Name,
        seen::{Holder, Look, Placed},
    },
};

use crate::{
    Cgroup, Error, Hierarchies, clock,
    cpusets::{self, Cpuset, Unread},
    facts,
};

/// The part of the time that looking at others' tasks may take.
const PART_FOR_OTHERS: u64 = 20;

/// A group that is looked at.
#[derive(Debug)]
struct Target {
    cgroup: Cgroup,
    intended: CpuSet,
    threads: threads::Crew,
    around: placed::Around,
    gone: bool,
}

/// Groups under look.
#[derive(Debug)]
pub struct Lookout<'a> {
    hierarchies: &'a Hierarchies,
    targets: Vec<Target>,
    others: others::Everybody,
    /// When others' tasks may be looked at again.
    others_from: Nanos,
    looks: u64,
    cost: Nanos,
    unread: Option<Unread>,
}

impl<'a> Lookout<'a> {
    /// Groups with the CPUs that they are meant to have.
    #[must_use]
    pub fn new(hierarchies: &'a Hierarchies, groups: Vec<(Cgroup, CpuSet)>) -> Self {
        let target = |(cgroup, intended)| Target {
            cgroup,
            intended,
            threads: threads::Crew::default(),
            around: placed::Around::default(),
            gone: false,
        };
        Self {
            hierarchies,
            targets: groups.into_iter().map(target).collect(),
            others: others::Everybody::default(),
            others_from: Nanos::ZERO,
            looks: 0,
            cost: Nanos::ZERO,
            unread: None,
        }
    }

    /// Looks once. `last`: nobody will look again, so that everything is looked at.
    ///
    /// # Errors
    /// A file that is there and cannot be read or understood; a group that is gone is no error.
    pub fn look(&mut self, last: bool) -> Result<Look, Error> {
        let host = self.hierarchies.host();
        let (at, before) = (host.now(), clock::process_cpu());
        let online = facts::online_cpus(host);
        let mut groups = Vec::new();
        let mut members = Vec::new();
        for target in &mut self.targets {
            let seen = target.look(self.hierarchies, &mut members)?;
            groups.push(seen);
        }
        // What went or came while groups were read was not online all the time.
        let online = online.zip(facts::online_cpus(host)).map(|(before, after)| before.intersection(&after));
        let between = clock::process_cpu();
        self.cost = between.saturating_sub(before);
        let whole = last || self.looks == 0;
        let others = (whole || at >= self.others_from).then(|| {
            let watched: Vec<others::Watched<'_>> = self
                .targets
                .iter()
                .map(|target| {
                    let path = target.cgroup.path();
                    let cpuset = cpuset_path(&target.cgroup, self.hierarchies);
                    let by_cpuset = cpuset.is_some_and(|cpuset| cpuset == path);
                    others::Watched { path, by_cpuset, cpus: &target.intended }
                })
                .collect();
            let seen = self.others.look(self.hierarchies, &watched, &members);
            let cost = clock::process_cpu().saturating_sub(between).get();
            self.others_from =
                host.now().saturating_add(Nanos::new(cost.saturating_mul(PART_FOR_OTHERS - 1)));
            seen
        });
        let beside = whole.then(|| self.beside()).transpose()?;
        self.looks += 1;
        Ok(Look { at, groups, online, beside, others })
    }

    /// What was made of the last look took CPU time as well: of others' part where it had looked at them.
    pub fn took(&mut self, look: &Look, more: Nanos) {
        match look.others {
            Some(_) => {
                let rest = Nanos::new(more.get().saturating_mul(PART_FOR_OTHERS - 1));
                self.others_from = self.others_from.saturating_add(rest);
            }
            None => self.cost = self.cost.saturating_add(more),
        }
    }

    /// CPU time that the last look took, but for others' tasks, which have their own part.
    #[must_use]
    pub fn cost(&self) -> Nanos {
        self.cost
    }

    /// The groups with a set of their own and tasks in them.
    fn beside(&mut self) -> Result<Vec<Holder>, Error> {
        let found = cpusets::read(self.hierarchies)?.unwrap_or_default();
        self.unread = found.unread;
        let groups = found.groups.into_iter().filter(Cpuset::is_pinned);
        Ok(groups.filter(|cpuset| cpusets::is_populated(self.hierarchies, cpuset)).map(holder).collect())
    }

    /// Groups that may have CPUs of the watched ones, and could not be read.
    #[must_use]
    pub fn unread(&self) -> Option<&Unread> {
        self.unread.as_ref()
    }

    /// Whether any group is still there.
    #[must_use]
    pub fn anybody(&self) -> bool {
        self.targets.iter().any(|target| !target.gone)
    }
}

impl Target {
    /// `None`: it is gone. Adds the ids of its threads.
    fn look(&mut self, hierarchies: &Hierarchies, members: &mut Vec<u32>) -> Result<Option<Placed>, Error> {
        if self.gone {
            return Ok(None);
        }
        match self.seen(hierarchies, members) {
            Err(Error::Gone(_)) => {
                self.gone = true;
                Ok(None)
            }
            seen => seen.map(Some),
        }
    }

    fn seen(&mut self, hierarchies: &Hierarchies, members: &mut Vec<u32>) -> Result<Placed, Error> {
        let layout = self.cgroup.capabilities().cpu;
        // Its directory tells also where it has no cpuset that could be read.
        crate::members::thread_ids(self.cgroup.cpu_dir(), layout)?;
        let before = self.around.place(&self.cgroup, hierarchies, &self.intended)?;
        let threads = self.threads.look(&self.cgroup, hierarchies, members);
        let after = self.around.place(&self.cgroup, hierarchies, &self.intended)?;
        // Of threads that were read while the set changed nothing can be said.
        let moved = (&before.set, &before.effective) != (&after.set, &after.effective);
        let threads = threads.map(|mut threads| {
            if moved {
                threads.read.clear();
            }
            threads
        });
        Ok(Placed { threads, ..after })
    }
}

fn holder(cpuset: Cpuset) -> Holder {
    Holder { path: name(&cpuset.path), cpus: cpuset.effective, partition: cpuset.partition }
}

fn name(path: &Path) -> Name {
    Name(path.as_os_str().as_bytes().to_vec())
}

/// A group's path in the hierarchy of cpusets, which on v1 may be another than in that of cpu. `None`: it has no cpuset.
fn cpuset_path(cgroup: &Cgroup, hierarchies: &Hierarchies) -> Option<PathBuf> {
    let hierarchy = hierarchies.of(Controller::Cpuset)?;
    let below = cgroup.cpuset_dir()?.path().strip_prefix(&hierarchy.mount_point).ok()?;
    Some(hierarchy.root.iter().chain(below).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::HostRoot;

    #[test]
    fn what_is_made_of_a_look_is_in_the_part_that_looking_may_take() {
        // A synthetic node without tasks.
        let root = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("proc/1/mountinfo", "25 22 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"),
            ("sys/fs/cgroup/cgroup.controllers", "cpuset cpu\n"),
            ("sys/fs/cgroup/cgroup.procs", ""),
        ] {
            let file = root.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        let hierarchies = Hierarchies::detect(HostRoot::new(root.path())).unwrap();
        let mut lookout = Lookout::new(&hierarchies, Vec::new());
        let ms = |ms: u64| Nanos::new(ms * 1_000_000);
        let first = lookout.look(false).unwrap();
        assert!(first.others.is_some());
        let from = lookout.others_from;
        // An hour's work, so that others' tasks are not looked at for nineteen more.
        lookout.took(&first, ms(3_600_000));
        assert_eq!(lookout.others_from, from.saturating_add(ms(19 * 3_600_000)));
        let second = lookout.look(false).unwrap();
        assert!(second.others.is_none());
        let cost = lookout.cost();
        lookout.took(&second, ms(7));
        assert_eq!(lookout.cost(), cost.saturating_add(ms(7)));
        assert!(lookout.look(true).unwrap().others.is_some(), "the last is at everything");
    }
}
