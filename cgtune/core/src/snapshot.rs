//! One reading of one cgroup's counters. No rate lives here: a rate exists only in an [`Interval`](crate::Interval).

use serde::{Deserialize, Serialize};

use crate::{
    Nanos,
    parse::{cpu_stat::CpuStat, pressure::Pressure},
};

/// Which cgroup it was. A path does not say: a group may be removed and made again. The inode does, until the next
/// boot (on 64-bit kernels it is kernfs's never-reused node id).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CgroupId {
    /// Inode of the directory.
    pub inode: u64,
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot: [u8; 16],
}

/// CPU time of one thread, for groups without a usage counter of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadUsage {
    /// Thread id; it may be used again, hence `started`.
    pub tid: u32,
    /// When the thread began, in clock ticks since boot (`/proc/<tid>/stat`, field 22).
    pub started_ticks: u64,
    /// Time on a CPU (`/proc/<tid>/schedstat`, first number).
    pub cpu: Nanos,
}

/// CPU time consumed, by what counted it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Usage {
    /// `usage_usec` of `cpu.stat`, or `cpuacct.usage`: the group and its descendants, since it was made.
    Counter(Nanos),
    /// The threads that are in the group now. Time of those that have ended is not in it.
    Members {
        /// The threads, ordered by id.
        threads: Vec<ThreadUsage>,
        /// Clock ticks since boot at the reading, to tell which threads are younger.
        at_ticks: u64,
    },
}

/// One reading. What this kernel does not provide is `None`, never zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// When, on CLOCK_MONOTONIC.
    pub at: Nanos,
    /// Of which group.
    pub id: CgroupId,
    /// `cpu.stat`.
    pub stat: CpuStat,
    /// `cpu.stat.local`: time throttled for whatever reason, an ancestor's quota included (6.6+).
    pub local_throttled: Option<Nanos>,
    /// CPU time.
    pub usage: Option<Usage>,
    /// `cpu.pressure`.
    pub pressure: Option<Pressure>,
}

impl Snapshot {
    /// A reading that found nothing.
    #[must_use]
    pub fn empty(at: Nanos, id: CgroupId) -> Self {
        Self { at, id, stat: CpuStat::default(), local_throttled: None, usage: None, pressure: None }
    }

    /// CPU time since the group was made, where something counts that.
    #[must_use]
    pub fn usage_total(&self) -> Option<Nanos> {
        match self.usage {
            Some(Usage::Counter(usage)) => Some(usage),
            Some(Usage::Members { .. }) | None => None,
        }
    }
}
