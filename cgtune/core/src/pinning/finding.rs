//! What may be wrong with a pinned group: as data, and as a sentence.

use std::fmt;

use serde::Serialize;

use super::{Culprit, Held, Kind, Name, seen::Task};
pub use crate::diagnose::Confidence;
use crate::{CpuSet, Nanos};

/// One thing that is not as it is meant to be.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "finding", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Finding {
    /// It has no cpuset: nothing confines it.
    NoCpuset {
        /// What is meant.
        intended: CpuSet,
    },
    /// `cpuset.cpus` is not what is meant.
    SetDiffers {
        /// What is meant.
        intended: CpuSet,
        /// What is there.
        set: CpuSet,
        /// Whether the kernel itself may have taken what is missing: v1 gives a set no CPU back that was offline once.
        #[serde(skip)]
        by_kernel: bool,
    },
    /// It asks for CPUs that it does not get.
    Narrowed {
        /// What is meant.
        intended: CpuSet,
        /// What is in force.
        effective: CpuSet,
        /// What it misses for this reason.
        missing: CpuSet,
        /// The reason.
        #[serde(flatten)]
        culprit: Culprit,
    },
    /// It was to be a partition (v2), and the kernel could not make it one.
    PartitionInvalid {
        /// `root` or `isolated`.
        partition: Name,
        /// The kernel's words.
        why: Name,
    },
    /// Another group has CPUs that are meant for this one alone.
    Overlap {
        /// The other group.
        other: Name,
        /// The CPUs that both have.
        shared: CpuSet,
    },
    /// A thread is in another cpuset, so that this one does not hold it (v1).
    ThreadAstray {
        /// Who.
        #[serde(flatten)]
        task: Task,
        /// Where it may run.
        cpus: CpuSet,
        /// The cpuset that holds it.
        cpuset: Name,
    },
    /// A thread may run on CPUs that its group does not have.
    ThreadOutside {
        /// Who.
        #[serde(flatten)]
        task: Task,
        /// What the group has.
        #[serde(rename = "group_cpus")]
        group: CpuSet,
        /// Where it may run.
        cpus: CpuSet,
    },
    /// A thread may run on fewer CPUs than its group: it called sched_setaffinity(2), or somebody did.
    ThreadNarrowed {
        /// Who.
        #[serde(flatten)]
        task: Task,
        /// What the group has.
        #[serde(rename = "group_cpus")]
        group: CpuSet,
        /// Where it may run.
        cpus: CpuSet,
    },
    /// A thread's CPUs changed while its group's did not.
    ThreadDrifted {
        /// Who.
        #[serde(flatten)]
        task: Task,
        /// What the group has.
        #[serde(rename = "group_cpus")]
        group: CpuSet,
        /// Where it may run, at the last look.
        cpus: CpuSet,
        /// Where it could, one after the other.
        held: Vec<Held>,
        /// How often that changed.
        changes: u64,
    },
    /// A task of somebody else ran on the CPUs.
    ForeignTask {
        /// Who.
        #[serde(flatten)]
        task: Task,
        /// What kind.
        kind: Kind,
        /// Its group in the cpu hierarchy. `None`: it ended before that could be read.
        group: Option<Name>,
        /// CPUs that it may run on. `None`: likewise.
        allowed: Option<CpuSet>,
        /// CPUs of the group that it was seen on.
        cpus: CpuSet,
        /// How long it ran there, at least.
        #[serde(rename = "time_ns")]
        time: Nanos,
        /// The same a second.
        ms_per_s: f64,
    },
    /// A device interrupts the CPU often.
    Interrupts {
        /// The CPU.
        cpu: u32,
        /// The interrupt's number.
        number: u32,
        /// Chip, line and devices.
        what: Name,
        /// How often it came.
        count: u64,
        /// The same a second.
        per_s: f64,
    },
    /// The hypervisor ran somebody else on the CPU.
    Steal {
        /// The CPU.
        cpu: u32,
        /// How long.
        #[serde(rename = "time_ns")]
        time: Nanos,
        /// The same a second.
        ms_per_s: f64,
    },
}

impl Finding {
    /// Its name, as JSON has it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NoCpuset { .. } => "no-cpuset",
            Self::SetDiffers { .. } => "set-differs",
            Self::Narrowed { .. } => "narrowed",
            Self::PartitionInvalid { .. } => "partition-invalid",
            Self::Overlap { .. } => "overlap",
            Self::ThreadAstray { .. } => "thread-astray",
            Self::ThreadOutside { .. } => "thread-outside",
            Self::ThreadNarrowed { .. } => "thread-narrowed",
            Self::ThreadDrifted { .. } => "thread-drifted",
            Self::ForeignTask { .. } => "foreign-task",
            Self::Interrupts { .. } => "interrupts",
            Self::Steal { .. } => "steal",
        }
    }

    /// The order in which findings are told: what concerns all threads, then single ones, then others.
    pub(super) const fn rank(&self) -> u8 {
        match self {
            Self::NoCpuset { .. } => 0,
            Self::SetDiffers { .. } => 1,
            Self::Narrowed { .. } => 2,
            Self::PartitionInvalid { .. } => 3,
            Self::Overlap { .. } => 4,
            Self::ThreadAstray { .. } => 5,
            Self::ThreadOutside { .. } => 6,
            Self::ThreadDrifted { .. } => 7,
            Self::ThreadNarrowed { .. } => 8,
            Self::ForeignTask { .. } => 9,
            Self::Interrupts { .. } => 10,
            Self::Steal { .. } => 11,
        }
    }

    /// What it costs, to compare findings of one kind.
    pub(super) fn cost(&self) -> f64 {
        match self {
            Self::ForeignTask { ms_per_s, .. } | Self::Steal { ms_per_s, .. } => *ms_per_s,
            Self::Interrupts { per_s, .. } => *per_s,
            _ => 0.0,
        }
    }

    /// How sure it is: what the kernel says outright is certain; where a task ran follows from two signals that agree.
    #[must_use]
    pub const fn confidence(&self) -> Confidence {
        match self {
            Self::Narrowed { culprit: Culprit::Unknown { .. }, .. } => Confidence::Medium,
            // It ended before it could be seen where else it might have run.
            Self::ForeignTask { allowed: None, .. } => Confidence::Medium,
            _ => Confidence::High,
        }
    }
}

/// `worker (thread 4712 of process 4711, server)`.
struct Who<'a>(&'a Task);

impl fmt::Display for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let task = self.0;
        if task.tid == task.pid {
            return write!(f, "{} (process {})", task.name, task.pid);
        }
        write!(f, "{} (thread {} of process {}", task.name, task.tid, task.pid)?;
        match &task.process {
            Some(process) => write!(f, ", {process})"),
            None => f.write_str(")"),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCpuset { intended } => {
                write!(
                    f,
                    "it is meant to run on CPU {intended} and has no cpuset, so that nothing confines it"
                )
            }
            Self::SetDiffers { intended, set, .. } if set.is_empty() => {
                write!(f, "it is meant to run on CPU {intended}, and cpuset.cpus is empty")
            }
            Self::SetDiffers { intended, set, by_kernel } => {
                let missing = intended.difference(set);
                write!(
                    f,
                    "it is meant to run on CPU {intended}, and cpuset.cpus is {set}: somebody else wrote it"
                )?;
                match by_kernel {
                    true => write!(f, ", or {missing} was offline once, and v1 gives no CPU back"),
                    false => Ok(()),
                }
            }
            Self::Narrowed { effective, missing, culprit, .. } => {
                match effective.is_empty() {
                    true => f.write_str("no CPU is in force: ")?,
                    false => write!(f, "in force is CPU {effective}, without {missing}: ")?,
                }
                match culprit {
                    Culprit::Offline => write!(f, "{missing} is offline"),
                    Culprit::Above { path, set } => write!(f, "{path} above has only {set}"),
                    Culprit::Partition { path, partition } => {
                        write!(f, "the partition {path} ({partition}) has taken it for itself")
                    }
                    Culprit::Unknown { at: Some(path) } => {
                        write!(f, "{path} above does not get it, and nobody is seen to have it")
                    }
                    Culprit::Unknown { at: None } => f.write_str("nobody is seen to have it"),
                }
            }
            Self::PartitionInvalid { partition, why } => {
                write!(f, "cpuset.cpus.partition is {partition}, and not in force: {why}")
            }
            Self::Overlap { other, shared } => {
                write!(f, "CPU {shared} is meant for it alone, and {other} has it, too")
            }
            Self::ThreadAstray { task, cpus, cpuset } => {
                write!(f, "{} is in the cpuset {cpuset} instead, and may run on CPU {cpus}", Who(task))
            }
            Self::ThreadOutside { task, group, cpus } => {
                write!(f, "{} may run on CPU {cpus}, where its group has {group}", Who(task))
            }
            Self::ThreadNarrowed { task, group, cpus } => {
                write!(f, "{} may run on CPU {cpus} alone, where its group has {group}", Who(task))
            }
            Self::ThreadDrifted { task, group, held, changes, .. } => {
                let way: Vec<String> = held.iter().map(|held| held.cpus.to_string()).collect();
                let way = match way.as_slice() {
                    [first, .., last] if way.len() > 6 => format!("{first}, …, {last}"),
                    way => way.join(", then "),
                };
                let times = if *changes == 1 { "once".to_owned() } else { format!("{changes} times") };
                write!(f, "{} changed where it may run {times}: CPU {way}; its group has {group}", Who(task))
            }
            Self::ForeignTask { task, kind, group, allowed, cpus, time, ms_per_s } => {
                match (kind, group) {
                    (Kind::Process, Some(group)) => write!(f, "{} of {group}", Who(task))?,
                    (Kind::Process, None) => write!(f, "{}, which has ended,", Who(task))?,
                    (_, _) => write!(f, "the kernel's {} (thread {})", task.name, task.tid)?,
                }
                write!(
                    f,
                    " ran on CPU {cpus} for at least {:.1} ms, {ms_per_s:.1} ms a second",
                    time.as_secs() * 1e3
                )?;
                match allowed {
                    Some(allowed) => write!(f, "; it may run on {allowed}"),
                    None => Ok(()),
                }
            }
            Self::Interrupts { cpu, number, what, count, per_s } => {
                write!(f, "interrupt {number} ({what}) came to CPU {cpu} {count} times, {per_s:.0} a second")
            }
            Self::Steal { cpu, time, ms_per_s } => write!(
                f,
                "the hypervisor withheld CPU {cpu} for {:.0} ms, {ms_per_s:.1} ms a second",
                time.as_secs() * 1e3
            ),
        }
    }
}
