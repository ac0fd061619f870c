//! A group's threads: CPU time and run delay over the watch, and now and then how many of them could run.
//!
//! Source: `/proc/<tid>/schedstat` (`proc_pid_schedstat`, fs/proc/base.c), `/proc/<tid>/stat` (fs/proc/array.c), 6.12.

use std::collections::HashMap;

use cgtune_core::{
    CpuControl as _, Layout, Nanos,
    diagnose::watched::{Runnable, Series, ThreadSeen, Threads},
};

use crate::{
    Cgroup, HostRoot,
    dir::Dir,
    members::{self, below},
};

/// How many threads of a group are looked at, so that a group of ten thousand costs no more than this.
const LOOKED_AT: usize = 2000;
/// How many thread states are read a second: at about 10 µs each, half a percent of one CPU.
const STATES_A_SECOND: f64 = 400.0;
/// The most counts a second.
const COUNTS_A_SECOND: f64 = 20.0;
/// How many states make one count.
const STATES_A_COUNT: usize = 200;
/// How often the list of threads is read anew.
const LIST_AGES: Nanos = Nanos::new(500_000_000);
/// How many threads are shown.
const MOST: usize = 10;
/// SCHED_IDLE (include/uapi/linux/sched.h).
const SCHED_IDLE: u32 = 5;

/// What is known of a thread at one end of the watch.
#[derive(Debug, Clone)]
pub(super) struct Times {
    name: Vec<u8>,
    cpu: Nanos,
    run_delay: Nanos,
    started_ticks: u64,
    idle_policy: bool,
}

/// All threads that were looked at, at one end of the watch: groups lie inside one another, and each thread is read once.
#[derive(Debug)]
pub(super) struct Roll {
    /// `None`: it ended before it could be read.
    times: HashMap<u32, Option<Times>>,
    at_ticks: u64,
}

impl Roll {
    /// Nobody has been looked at yet.
    pub(super) fn begin(host: &HostRoot) -> Self {
        Self { times: HashMap::new(), at_ticks: members::ticks_since_boot(host) }
    }

    pub(super) fn take(&mut self, host: &HostRoot, tid: u32) -> Option<&Times> {
        self.times.entry(tid).or_insert_with(|| times(host, tid)).as_ref()
    }

    fn get(&self, tid: u32) -> Option<&Times> {
        self.times.get(&tid)?.as_ref()
    }

    /// CPU time and run delay of a thread since this roll was taken. `None`: it moved in with a past, or ran backwards.
    pub(super) fn since(&self, tid: u32, now: &Times) -> Option<(Nanos, Nanos)> {
        match self.get(tid).filter(|then| then.started_ticks == now.started_ticks) {
            Some(then) => Some((now.cpu.checked_sub(then.cpu)?, now.run_delay.checked_sub(then.run_delay)?)),
            None => (now.started_ticks >= self.at_ticks).then_some((now.cpu, now.run_delay)),
        }
    }
}

/// A group's threads, from the beginning of the watch on.
#[derive(Debug)]
pub(super) struct Crew {
    layout: Layout,
    /// The threads at the beginning that were looked at. `None`: they cannot be read.
    first: Option<Vec<u32>>,
    /// Whether its threads are all in groups below it.
    inner: bool,
    listed: Vec<u32>,
    listed_at: Nanos,
    runnable: Vec<Runnable>,
    allowance: f64,
    last_look: Nanos,
}

impl Crew {
    pub(super) fn begin(cgroup: &Cgroup, host: &HostRoot, roll: &mut Roll) -> Self {
        let now = host.now();
        let layout = cgroup.capabilities().cpu;
        let dirs = below(cgroup.cpu_dir());
        let listed = list(&dirs, layout);
        let inner = dirs.len() > 1 && list(&dirs[..1], layout).is_some_and(|own| own.is_empty());
        let first = listed.as_ref().map(|tids| {
            tids.iter().copied().take(LOOKED_AT).filter(|&tid| roll.take(host, tid).is_some()).collect()
        });
        Self {
            layout,
            first,
            inner,
            listed: listed.unwrap_or_default(),
            listed_at: now,
            runnable: Vec::new(),
            allowance: 1.0,
            last_look: now,
        }
    }

    /// Whether it had no thread of its own, only such of groups below it.
    pub(super) fn is_inner(&self) -> bool {
        self.inner
    }

    /// Counts the threads that could run, if this is a moment that tells something and the budget allows it: when a group
    /// that ran stands still it is either throttled, and they are in state R, or it sleeps; else a few times a second.
    pub(super) fn count(&mut self, cgroup: &Cgroup, series: &Series, host: &HostRoot) {
        let [.., a, b, c] = series.readings.as_slice() else { return };
        let passed = c.at.checked_sub(self.last_look).unwrap_or(Nanos::ZERO).as_secs();
        self.last_look = c.at;
        #[allow(clippy::cast_precision_loss, reason = "a budget")]
        let a_second =
            (STATES_A_SECOND / self.listed.len().clamp(1, STATES_A_COUNT) as f64).min(COUNTS_A_SECOND);
        self.allowance = (self.allowance + passed * a_second).min(a_second.max(1.0));
        let stopped = a.usage < b.usage && b.usage == c.usage;
        let seldom = self
            .runnable
            .last()
            .is_none_or(|last| c.at.checked_sub(last.at).is_some_and(|since| since.get() > 250_000_000));
        if self.allowance < 1.0 || !(stopped || seldom) {
            return;
        }
        self.allowance -= 1.0;
        if c.at.checked_sub(self.listed_at).is_some_and(|age| age > LIST_AGES) {
            self.listed = list(&below(cgroup.cpu_dir()), self.layout).unwrap_or_default();
            self.listed_at = c.at;
        }
        let mut threads = 0;
        for &tid in self.listed.iter().take(STATES_A_COUNT) {
            threads += u32::from(is_runnable(host, tid));
        }
        self.runnable.push(Runnable { at: host.now(), threads });
    }

    /// What happened. `None`: the threads cannot be read, as from another pid namespace.
    pub(super) fn end(
        self,
        cgroup: &Cgroup,
        host: &HostRoot,
        then: &Roll,
        now: &mut Roll,
    ) -> Option<Threads> {
        let first = self.first?;
        let tids = list(&below(cgroup.cpu_dir()), self.layout)?;
        let mut all = Threads { count: tids.len() as u64, runnable: self.runnable, ..Threads::default() };
        for &tid in tids.iter().take(LOOKED_AT) {
            let Some(times) = now.take(host, tid) else { continue };
            all.looked_at += 1;
            all.idle.count += u64::from(times.idle_policy);
            let Some((cpu, run_delay)) = then.since(tid, times) else { continue };
            all.cpu = all.cpu.saturating_add(cpu);
            all.run_delay = all.run_delay.saturating_add(run_delay);
            if times.idle_policy {
                all.idle.cpu = all.idle.cpu.saturating_add(cpu);
                all.idle.run_delay = all.idle.run_delay.saturating_add(run_delay);
            }
            all.most.push(ThreadSeen { tid, name: times.name.clone(), cpu, run_delay });
        }
        let same =
            |tid: &&u32| then.get(**tid).map(|t| t.started_ticks) == now.get(**tid).map(|t| t.started_ticks);
        all.ended = (first.len() - first.iter().filter(same).count()) as u64;
        all.most.sort_by_key(|thread| std::cmp::Reverse(thread.cpu.saturating_add(thread.run_delay)));
        all.most.truncate(MOST);
        Some(all)
    }
}

/// The ids of their threads. `None`: not readable, or not in our pid namespace.
fn list(dirs: &[Dir], layout: Layout) -> Option<Vec<u32>> {
    members::together(dirs.iter().map(|dir| members::thread_ids(dir, layout)), usize::MAX)
}

fn times(host: &HostRoot, tid: u32) -> Option<Times> {
    let (cpu, run_delay) = members::schedstat(host, tid)?;
    let stat = members::stat(&members::thread_file(host, tid, "stat")?)?;
    Some(Times {
        name: stat.comm.into_bytes(),
        cpu,
        run_delay,
        started_ticks: stat.starttime,
        idle_policy: stat.policy == Some(SCHED_IDLE),
    })
}

/// Whether a thread is in state R. The state follows the name, which may hold parentheses itself.
fn is_runnable(host: &HostRoot, tid: u32) -> bool {
    let Some(bytes) = members::thread_file(host, tid, "stat") else { return false };
    let after = bytes.iter().rposition(|&b| b == b')').and_then(|at| bytes.get(at + 2));
    after == Some(&b'R')
}
