//! What one look saw, as data.

use std::fmt;

use serde::Serialize;

use super::{Kind, Name};
use crate::{
    CpuSet, Nanos,
    parse::{ParseError, interrupts::Interrupt},
};

/// A moment's look.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Look {
    /// When (CLOCK_MONOTONIC).
    pub at: Nanos,
    /// The watched groups, in their order. `None`: it is gone.
    pub groups: Vec<Option<Placed>>,
    /// CPUs online. `None`: not known.
    pub online: Option<CpuSet>,
    /// Other groups with a set of their own and tasks in them. `None`: not looked for this time.
    pub beside: Option<Vec<Holder>>,
    /// What ran elsewhere than in the groups. `None`: not looked at this time.
    pub others: Option<OthersSeen>,
}

/// Where a group stands among the cpusets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placed {
    /// `cpuset.cpus`. `None`: it has no cpuset here.
    pub set: Option<CpuSet>,
    /// What is in force (v1 `cpuset.effective_cpus`, v2 `cpuset.cpus.effective`). `None`: not shown here.
    pub effective: Option<CpuSet>,
    /// `cpuset.cpus.partition` (v2). `None`: not provided here.
    pub partition: Option<Partition>,
    /// `cpuset.cpu_exclusive` (v1).
    pub exclusive: Option<bool>,
    /// The groups above, from the top down.
    pub above: Vec<Level>,
    /// Partitions that hold CPUs that this group misses.
    pub partitions: Vec<Holder>,
    /// Its threads. `None`: they cannot be read, as from another pid namespace.
    pub threads: Option<Threads>,
}

impl Placed {
    /// Whether the kernel itself is told that nobody beside may have these CPUs.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.exclusive == Some(true)
            || self.partition.as_ref().is_some_and(|partition| !partition.is_member())
    }

    /// The CPUs that its tasks may use at most.
    #[must_use]
    pub fn in_force(&self) -> Option<&CpuSet> {
        self.effective.as_ref().or(self.set.as_ref())
    }

    /// Of the intended CPUs that it asks for, or inherits, those that are not in force.
    #[must_use]
    pub fn missing(&self, intended: &CpuSet) -> CpuSet {
        let asked = match &self.set {
            Some(set) if !set.is_empty() => intended.intersection(set),
            _ => intended.clone(),
        };
        self.effective.as_ref().map(|effective| asked.difference(effective)).unwrap_or_default()
    }
}

/// A v2 partition as `cpuset.cpus.partition` shows it: `member`, `root`, `isolated`, or one of the latter with why it is invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// `member`, `root` or `isolated`.
    pub kind: Name,
    /// Why it is not in force.
    pub invalid: Option<Name>,
}

impl Partition {
    /// Reads the file (`sched_partition_show`, kernel/cgroup/cpuset.c, 6.12): `root invalid (Parent is not a partition root)`. A first
    /// word that is none of the three is taken as it is: a later kernel may have more.
    ///
    /// # Errors
    /// No word, or something else behind it than `invalid` and why.
    pub fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        let text = bytes.trim_ascii();
        let at = text.iter().position(|&b| b == b' ').unwrap_or(text.len());
        let (kind, rest) = (&text[..at], text[at..].trim_ascii());
        let why = rest.strip_prefix(b"invalid").map(<[u8]>::trim_ascii);
        if kind.is_empty() || !kind.is_ascii() || (!rest.is_empty() && why.is_none()) {
            return Err(ParseError::new("member, root or isolated, or why it is not", bytes));
        }
        let why = why.map(|why| why.strip_prefix(b"(").and_then(|why| why.strip_suffix(b")")).unwrap_or(why));
        Ok(Self { kind: Name(kind.to_vec()), invalid: why.map(|why| Name(why.to_vec())) })
    }

    /// Whether it is none.
    #[must_use]
    pub fn is_member(&self) -> bool {
        self.kind.0 == b"member"
    }

    /// Whether it takes its CPUs out of the groups around it.
    #[must_use]
    pub fn takes(&self) -> bool {
        self.invalid.is_none() && matches!(self.kind.0.as_slice(), b"root" | b"isolated")
    }
}

impl fmt::Display for Partition {
    /// As the kernel shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.invalid {
            None => write!(f, "{}", self.kind),
            Some(why) if why.0.is_empty() => write!(f, "{} invalid", self.kind),
            Some(why) => write!(f, "{} invalid ({why})", self.kind),
        }
    }
}

/// A group above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Level {
    /// Its path in the cpuset hierarchy.
    pub path: Name,
    /// `cpuset.cpus`; empty on v2: as the group above. `None`: not shown here, as at a v2 root.
    pub set: Option<CpuSet>,
    /// What is in force.
    pub effective: Option<CpuSet>,
}

/// Another group that has CPUs of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its path.
    pub path: Name,
    /// Its CPUs.
    pub cpus: CpuSet,
    /// What it is on v2.
    pub partition: Option<Partition>,
}

/// A group's threads, those of the groups in it included.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Threads {
    /// The ids of all that are there.
    pub here: Vec<u32>,
    /// Those that were looked at this time.
    pub read: Vec<ThreadSeen>,
}

/// A thread of a watched group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadSeen {
    /// Who.
    pub task: Task,
    /// The CPUs that it may run on.
    pub cpus: CpuSet,
    /// What its own group has in force, which may lie below the watched one. `None`: no cpuset of the group holds it.
    pub of_group: Option<CpuSet>,
    /// The cpuset in which it is instead.
    pub astray: Option<Name>,
}

/// Who a thread is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Task {
    /// Its id.
    pub tid: u32,
    /// Its process.
    pub pid: u32,
    /// Its name, which it may have chosen itself.
    pub name: Name,
    /// Its process's name. `None`: it could not be read.
    pub process: Option<Name>,
    /// When it began, in clock ticks since boot: ids are used again.
    #[serde(skip)]
    pub started_ticks: u64,
}

/// What ran elsewhere between two looks.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OthersSeen {
    /// When the first of them was read.
    pub begun: Nanos,
    /// When the last of them was read, and the counters of the machine.
    pub ended: Nanos,
    /// Whether this is the first look, which only tells where everybody stands.
    pub first: bool,
    /// How many tasks there are.
    pub tasks: u64,
    /// Whether there are more, which were not looked at.
    pub bounded: bool,
    /// Whether tasks of others are not shown: by a /proc with `hidepid`, or of a pid namespace of its own.
    pub hidden: bool,
    /// Those that ran, and that were last on a CPU of a watched group.
    pub ran: Vec<Ran>,
    /// Those that were there at the look before and are no more, or in a watched group now: id and start.
    pub left: Vec<(u32, u64)>,
    /// Interrupts of devices since boot. `None`: not readable.
    pub interrupts: Option<Vec<Interrupt>>,
    /// What the hypervisor withheld of each CPU since boot. Empty: not known.
    pub steal: Vec<(u32, Nanos)>,
}

/// A task that ran between two looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// Who.
    pub task: Task,
    /// What kind.
    pub kind: Kind,
    /// Its group in the cpu hierarchy. `None`: it ended before that could be read.
    pub group: Option<Name>,
    /// The watched groups that hold it, by their places in the order.
    pub inside: Vec<usize>,
    /// CPUs that it may run on. `None`: it ended before that could be read.
    pub allowed: Option<CpuSet>,
    /// How long it ran between the two looks.
    pub ran: Nanos,
    /// The CPU that it last ran on.
    pub cpu: u32,
    /// The same at the look before. `None`: it began since.
    pub cpu_before: Option<u32>,
}
