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
    /// Those of which since then it was seen that they have ended.
    ended: Vec<(u32, u64)>,
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
        self.stood.retain(|tid, stood| {
            if stood.look != now {
                self.ended.push((*tid, stood.started_ticks));
            }
            stood.look == now
        });
        seen.left = std::mem::take(&mut self.ended);
        seen.hidden = !shows_kernel(host);
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
        let before = self.stood.insert(tid, stands);
        let stood = before.filter(|stood| stood.started_ticks == stat.started_ticks);
        // An id that is used again.
        self.ended.extend(before.filter(|_| stood.is_none()).map(|before| (tid, before.started_ticks)));
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

/// Whether this /proc shows the kernel's threads, and with them everybody's: the second task of a machine is the parent of those
/// (`rest_init`, init/main.c, 6.12). A pid namespace of its own has others under that number, and `hidepid` hides it from all who
/// may not trace it (`proc_pid_permission`, fs/proc/base.c).
fn shows_kernel(host: &HostRoot) -> bool {
    let stat = host.read("/proc/2/stat").ok().and_then(|bytes| task::stat(&bytes).ok());
    stat.is_some_and(|stat| Kind::of(stat.flags, &stat.name, None) != Kind::Process)
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

    /// A synthetic node of which tasks come and go: each runs 5 ms on CPU 1 between looks.
    struct Node(tempfile::TempDir);

    impl Node {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            let node = Self(root);
            node.file("proc/1/mountinfo", "25 22 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
            node.file("sys/fs/cgroup/cgroup.controllers", "cpuset cpu\n");
            node
        }

        fn file(&self, name: &str, text: &str) {
            let file = self.0.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }

        fn task(&self, tid: u32, flags: u64, started_ticks: u64, ran_ms: u64) {
            let task = format!("proc/{tid}/task/{tid}");
            // The fields of fs/proc/array.c, do_task_stat, 6.12; what is not read is 0.
            let zeros = |n: usize| vec!["0"; n].join(" ");
            let stat = format!(
                "{tid} (task) R 1 {} {flags} {} {started_ticks} {} 1 {}\n",
                zeros(4),
                zeros(12),
                zeros(16),
                zeros(13)
            );
            self.file(&format!("{task}/stat"), &stat);
            self.file(&format!("proc/{tid}/stat"), &stat);
            self.file(&format!("{task}/schedstat"), &format!("{} 0 1\n", ran_ms * 1_000_000));
            self.file(&format!("proc/{tid}/cgroup"), "0::/other\n");
        }

        fn end(&self, tid: u32) {
            fs::remove_dir_all(self.0.path().join(format!("proc/{tid}"))).unwrap();
        }

        fn look(&self, everybody: &mut Everybody) -> OthersSeen {
            let hierarchies = Hierarchies::detect(HostRoot::new(self.0.path())).unwrap();
            let cpus = "1".parse().unwrap();
            let watched = Watched { path: Path::new("/pinned"), by_cpuset: true, cpus: &cpus };
            everybody.look(&hierarchies, &[watched], &[])
        }
    }

    #[test]
    fn of_many_generations_the_last_is_kept_and_those_before_have_ended() {
        let (node, mut everybody) = (Node::new(), Everybody::default());
        node.task(7, 0, 50, 1);
        node.look(&mut everybody);
        for generation in 0..20 {
            let (old, new) = (100 + generation, 101 + generation);
            node.task(new, 0, 100, 5);
            node.task(7, 0, 50, 6 + u64::from(generation) * 5);
            let seen = node.look(&mut everybody);
            let expected = if generation == 0 { vec![] } else { vec![(old, 100)] };
            assert_eq!((seen.left, seen.tasks, everybody.stood.len()), (expected, 2, 2));
            assert!(seen.ran.iter().any(|ran| ran.task.tid == 7 && ran.ran == Nanos::new(5_000_000)));
            node.end(new);
        }
        // The same number, and somebody else.
        node.task(7, 0, 60, 1);
        let seen = node.look(&mut everybody);
        assert!(seen.left.contains(&(7, 50)), "{seen:?}");
    }

    #[test]
    fn a_proc_that_does_not_show_the_kernels_threads_hides_others() {
        let (node, mut everybody) = (Node::new(), Everybody::default());
        node.task(7, 0, 50, 1);
        assert!(node.look(&mut everybody).hidden);
        node.task(2, 0, 50, 1);
        assert!(node.look(&mut everybody).hidden, "a pid namespace's own second process");
        node.task(2, 0x0020_8040, 50, 1);
        assert!(!node.look(&mut everybody).hidden);
    }

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
