//! All tasks of the machine: which of them ran since the last look, and where they were last.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::Path,
};

use cgtune_core::{
    Controller, CpuSet, Nanos,
    parse::task,
    pinning::{
        Kind, Name,
        seen::{OthersSeen, Ran, Task},
    },
};

use super::name;
use crate::{Hierarchies, HostRoot, facts, members, processes, topology};

/// How many tasks are looked at: as many as a node may have processes, by default.
const LOOKED_AT: usize = 65_536;

/// A group that is watched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watched<'a> {
    pub(super) path: &'a Path,
    /// Whether its cpuset is the one of the same path, so that whoever is in that is its, too.
    pub(super) by_cpuset: bool,
    pub(super) cpus: &'a CpuSet,
}

/// Where a task stood at the last look.
#[derive(Debug, Clone, Copy)]
struct Stood {
    ran: Nanos,
    cpu: u32,
    started_ticks: u64,
    look: u64,
}

/// Every task that was there at the last look.
#[derive(Debug, Default)]
pub(super) struct Everybody {
    stood: HashMap<u32, Stood>,
    looks: u64,
    /// When the last look began.
    since_ticks: u64,
}

impl Everybody {
    /// Who ran since the last look and was last on a CPU of a watched group. `members`: threads of watched groups, whose own
    /// group need not be asked for where there is but one.
    pub(super) fn look(
        &mut self,
        hierarchies: &Hierarchies,
        watched: &[Watched<'_>],
        members: &[u32],
    ) -> OthersSeen {
        let host = hierarchies.host();
        let (begun, ticks) = (host.now(), members::ticks_since_boot(host));
        let members: HashSet<u32> =
            if watched.len() == 1 { members.iter().copied().collect() } else { HashSet::new() };
        // We ourselves run where we are watched from.
        let own = own_pid(host);
        self.looks += 1;
        let mut seen = OthersSeen { begun, first: self.looks == 1, ..OthersSeen::default() };
        'all: for pid in numbers(host, "/proc") {
            if Some(pid) == own {
                continue;
            }
            for tid in numbers(host, &format!("/proc/{pid}/task")) {
                if seen.tasks as usize >= LOOKED_AT {
                    seen.bounded = true;
                    break 'all;
                }
                seen.tasks += 1;
                if members.contains(&tid) {
                    continue;
                }
                if let Some((stat, ran, cpu_before)) = self.moved(host, tid)
                    && watched.iter().any(|group| group.cpus.contains(stat.processor))
                {
                    seen.ran.extend(described(hierarchies, watched, (pid, tid), stat, ran, cpu_before));
                }
            }
        }
        let now = self.looks;
        self.stood.retain(|_, stood| stood.look == now);
        self.since_ticks = ticks;
        seen.interrupts = topology::table(host).map(|interrupts| interrupts.of_devices);
        seen.steal = facts::machine_time(host).map(|time| time.each_steal).unwrap_or_default();
        seen.ended = host.now();
        seen
    }

    /// Whether a task ran since the last look: its stat now, for how long it ran, and on which CPU it was then. Of one that was not
    /// there then only what it ran since it began counts.
    fn moved(&mut self, host: &HostRoot, tid: u32) -> Option<(task::Stat, Nanos, Option<u32>)> {
        let file = |name| members::thread_file(host, tid, name);
        let schedstat = members::schedstat(host, tid).map(|(ran, _)| ran);
        if let (Some(stood), Some(ran)) = (self.stood.get_mut(&tid), schedstat)
            && stood.ran == ran
        {
            // Who has not run is where it was.
            stood.look = self.looks;
            return None;
        }
        let stat = task::stat(&file("stat")?).ok()?;
        // Without CONFIG_SCHED_INFO in ticks.
        let tick = 1_000_000_000 / procfs::ticks_per_second().max(1);
        let ran = schedstat.unwrap_or_else(|| Nanos::new(stat.ticks.saturating_mul(tick)));
        let stands = Stood { ran, cpu: stat.processor, started_ticks: stat.started_ticks, look: self.looks };
        let stood = self.stood.insert(tid, stands).filter(|stood| stood.started_ticks == stat.started_ticks);
        if self.looks == 1 {
            return None;
        }
        match stood {
            Some(stood) => {
                let more = ran.checked_sub(stood.ran).filter(|more| *more > Nanos::ZERO)?;
                Some((stat, more, Some(stood.cpu)))
            }
            None => (stat.started_ticks >= self.since_ticks).then_some((stat, ran, None)),
        }
    }
}

/// The rest of what is to be known of a task that ran. `None`: it is a thread of the only watched group after all.
fn described(
    hierarchies: &Hierarchies,
    watched: &[Watched<'_>],
    (pid, tid): (u32, u32),
    stat: task::Stat,
    ran: Nanos,
    cpu_before: Option<u32>,
) -> Option<Ran> {
    let host = hierarchies.host();
    let group = hierarchies.membership(Some(tid), Controller::Cpu).ok();
    let apart = hierarchies.of(Controller::Cpuset).is_some_and(|other| other != hierarchies.cpu());
    let cpuset = apart.then(|| hierarchies.membership(Some(tid), Controller::Cpuset).ok()).flatten();
    let within =
        |group: &Watched<'_>, path: Option<&Path>| path.is_some_and(|path| path.starts_with(group.path));
    let inside: Vec<usize> = watched
        .iter()
        .enumerate()
        .filter(|(_, watched)| {
            within(watched, group.as_deref()) || (watched.by_cpuset && within(watched, cpuset.as_deref()))
        })
        .map(|(place, _)| place)
        .collect();
    if inside.len() == watched.len() {
        return None;
    }
    let status = members::thread_file(host, tid, "status").and_then(|bytes| task::status(&bytes).ok());
    let allowed = status.map(|status| status.cpus_allowed);
    let kind = Kind::of(stat.flags, &stat.name, allowed.as_ref().map(CpuSet::len));
    let process =
        if pid == tid { Some(Name(stat.name.clone())) } else { processes::name(host, pid).map(Name) };
    let task = Task { tid, pid, name: Name(stat.name), process, started_ticks: stat.started_ticks };
    let group = group.map(|path| name(&path));
    Some(Ran { task, kind, group, inside, allowed, ran, cpu: stat.processor, cpu_before })
}

/// Our own number in the pid namespace that this /proc shows, which may be another than ours. `None`: it does not show us.
fn own_pid(host: &HostRoot) -> Option<u32> {
    let link = fs::read_link(host.join("/proc/self")).ok().filter(|_| !host.is_played())?;
    link.to_str()?.parse().ok()
}

fn numbers(host: &HostRoot, folder: &str) -> Vec<u32> {
    let names = host.list(folder).unwrap_or_default();
    names.iter().filter_map(|name| name.to_str()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_number_is_the_one_that_this_proc_shows() {
        assert_eq!(own_pid(&HostRoot::new("/")), Some(std::process::id()));
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("proc")).unwrap();
        assert_eq!(own_pid(&HostRoot::new(root.path())), None);
        std::os::unix::fs::symlink("4711", root.path().join("proc/self")).unwrap();
        assert_eq!(own_pid(&HostRoot::new(root.path())), Some(4711));
    }
}
