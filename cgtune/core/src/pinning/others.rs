//! Tasks that do not belong to a pinned group and ran on its CPUs.
//!
//! The kernel says on which CPU a task last ran and how long it has run in all, not how long it ran on each CPU. So a task's time
//! between two looks is counted where it was last on a pinned CPU at both, or may run on no other. What it ran there between two looks
//! at which it was elsewhere is not in it, nor, if it may run elsewhere, what it ran before it was first looked at: the sum is a lower
//! bound, but for a task that went away and back between two looks.
//!
//! Of tasks that have ended only those are kept by themselves that took more than [`WORTH_STOLEN`] of the time until now, which are at
//! most a thousand for each CPU of the group; of the others the sum is.

use std::collections::HashMap;

use serde::Serialize;

use super::{
    Finding, Found, Name,
    seen::{OthersSeen, Ran, Task},
};
use crate::{CpuSet, Nanos};

/// What a task has to take of the CPUs to be told of by itself: a millisecond a second.
pub const WORTH_STOLEN: f64 = 0.001;
/// How many tasks are told apart at once. Of the others only the time is kept.
pub const MOST_TASKS: usize = 10_000;

/// What kind of task, as far as its flags and its name tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Of a program.
    Process,
    /// Of the kernel, one for each CPU, which nobody can move: `ksoftirqd/1`, `kworker/1:0`. That is as it should be.
    KernelPerCpu,
    /// A worker of the kernel that is bound to no CPU: `kworker/u4:1`. `/sys/devices/virtual/workqueue/cpumask` says where they run.
    KernelWorker,
    /// The thread of an interrupt: `irq/36-nvme0q1`.
    KernelInterrupt,
    /// Another one of the kernel.
    Kernel,
}

impl Kind {
    /// `PF_KTHREAD` (include/linux/sched.h, 6.12).
    const KTHREAD: u64 = 0x0020_0000;
    /// `PF_NO_SETAFFINITY`.
    const NO_SETAFFINITY: u64 = 0x0400_0000;

    /// Which kind, by its flags, its name and how many CPUs it may run on.
    #[must_use]
    pub fn of(flags: u64, name: &[u8], allowed: Option<usize>) -> Self {
        if flags & Self::KTHREAD == 0 {
            Self::Process
        } else if name.starts_with(b"irq/") {
            Self::KernelInterrupt
        } else if flags & Self::NO_SETAFFINITY != 0 && allowed == Some(1) {
            Self::KernelPerCpu
        } else if name.starts_with(b"kworker/u") {
            Self::KernelWorker
        } else {
            Self::Kernel
        }
    }
}

/// What others did on a group's CPUs, all in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Others {
    /// Tasks that ran there, but for the kernel's own of each CPU.
    pub tasks: u64,
    /// Their time, at least.
    #[serde(rename = "time_ns")]
    pub time: Nanos,
    /// What of it tasks took that had no room among the [`MOST_TASKS`] that are told apart: these are not counted.
    #[serde(rename = "uncounted_ns")]
    pub uncounted: Nanos,
    /// The kernel's own of each CPU that ran there.
    pub kernel_per_cpu_tasks: u64,
    /// Their time.
    #[serde(rename = "kernel_per_cpu_time_ns")]
    pub kernel_per_cpu_time: Nanos,
    /// Time in which this was counted.
    #[serde(rename = "wall_ns")]
    pub wall: Nanos,
}

#[derive(Debug)]
struct Sum {
    task: Task,
    kind: Kind,
    group: Option<Name>,
    allowed: Option<CpuSet>,
    cpus: CpuSet,
    time: Nanos,
    first: Nanos,
    last: Nanos,
    times: u64,
    look: u64,
    ended: bool,
}

/// What was counted for one group.
#[derive(Debug)]
pub(super) struct Ledger {
    cpus: CpuSet,
    sums: HashMap<(u32, u64), Sum>,
    /// Of all that have ended and are worth no finding.
    told: Others,
    looks: u64,
    begun: Option<Nanos>,
    ended: Nanos,
}

impl Ledger {
    pub(super) fn new(cpus: CpuSet) -> Self {
        Self {
            cpus,
            sums: HashMap::new(),
            told: Others::default(),
            looks: 0,
            begun: None,
            ended: Nanos::ZERO,
        }
    }

    pub(super) fn look(&mut self, group: usize, seen: &OthersSeen, at: Nanos) {
        // A look takes a while, and each task is read at some moment of it: so the wall time is no shorter than anybody's.
        self.begun.get_or_insert(seen.begun);
        self.ended = seen.ended;
        if seen.first {
            return;
        }
        self.looks += 1;
        for ran in seen.ran.iter().filter(|ran| !ran.inside.contains(&group)) {
            let Some(time) = self.time_here(ran) else { continue };
            let key = (ran.task.tid, ran.task.started_ticks);
            if self.sums.len() >= MOST_TASKS && !self.sums.contains_key(&key) {
                self.told.uncounted = self.told.uncounted.saturating_add(time);
                continue;
            }
            let sum = self.sums.entry(key).or_insert_with(|| Sum {
                task: ran.task.clone(),
                kind: ran.kind,
                group: None,
                allowed: None,
                cpus: CpuSet::new(),
                time: Nanos::ZERO,
                first: at,
                last: at,
                times: 0,
                look: 0,
                ended: false,
            });
            sum.cpus.insert(ran.cpu);
            sum.time = sum.time.saturating_add(time);
            (sum.last, sum.look) = (at, self.looks);
            sum.times += 1;
            sum.ended = false;
            // A task may end before the rest can be read: what was known stays.
            sum.task = ran.task.clone();
            sum.group = ran.group.clone().or(sum.group.take());
            if ran.allowed.is_some() {
                (sum.allowed, sum.kind) = (ran.allowed.clone(), ran.kind);
            }
        }
        for key in &seen.left {
            if let Some(sum) = self.sums.get_mut(key) {
                sum.ended = true;
            }
        }
        // The time goes on and theirs does not: what is worth no finding now never will be.
        let wall = self.wall();
        self.sums.retain(|_, sum| {
            let kept = !sum.ended || sum.is_worth_telling(wall);
            if !kept {
                self.told.add(sum);
            }
            kept
        });
    }

    fn wall(&self) -> Nanos {
        self.begun.map(|begun| self.ended.saturating_sub(begun)).unwrap_or_default()
    }

    /// How many tasks are kept in mind.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.sums.len()
    }

    /// How much of what a task ran was here. `None`: it cannot be said that any was.
    fn time_here(&self, ran: &Ran) -> Option<Nanos> {
        let nowhere_else =
            ran.allowed.as_ref().is_some_and(|allowed| allowed.difference(&self.cpus).is_empty());
        if !self.cpus.contains(ran.cpu) {
            return None;
        }
        let stayed = ran.cpu_before.is_some_and(|before| self.cpus.contains(before));
        // It came here since, or began somewhere, so that it ran here, nobody knows how long.
        Some(if nowhere_else || stayed { ran.ran } else { Nanos::ZERO })
    }

    /// The sum, and those that are worth a finding.
    pub(super) fn found(self) -> (Others, Vec<Found>) {
        let wall = self.wall();
        let mut others = Others { wall, ..self.told };
        others.time = others.time.saturating_add(others.uncounted);
        let mut found = Vec::new();
        for sum in self.sums.into_values() {
            others.add(&sum);
            if !sum.is_worth_telling(wall) {
                continue;
            }
            found.push(Found {
                first_seen: sum.first,
                last_seen: sum.last,
                times: sum.times,
                looks: self.looks,
                still: sum.look == self.looks,
                finding: Finding::ForeignTask {
                    task: sum.task,
                    kind: sum.kind,
                    group: sum.group,
                    allowed: sum.allowed,
                    cpus: sum.cpus,
                    time: sum.time,
                    ms_per_s: sum.time.as_secs() * 1e3 / wall.as_secs(),
                },
            });
        }
        (others, found)
    }
}

impl Sum {
    fn is_worth_telling(&self, wall: Nanos) -> bool {
        let belongs = self.kind == Kind::KernelPerCpu;
        !belongs && wall > Nanos::ZERO && self.time.as_secs() / wall.as_secs() >= WORTH_STOLEN
    }
}

impl Others {
    fn add(&mut self, sum: &Sum) {
        let (tasks, time) = match sum.kind {
            Kind::KernelPerCpu => (&mut self.kernel_per_cpu_tasks, &mut self.kernel_per_cpu_time),
            _ => (&mut self.tasks, &mut self.time),
        };
        *tasks += 1;
        *time = time.saturating_add(sum.time);
    }
}
