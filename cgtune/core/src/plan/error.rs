//! Why there is no plan: the rule that the end state breaks, and the nearest value that keeps it.

use crate::{CpuSet, Micros, policy::Ratio};

/// What the kernel would refuse, found before it is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The group at the top of a hierarchy takes no policy (v1: EINVAL; v2: no such files).
    #[error("this is the root of its hierarchy, whose CPU policy the kernel does not let anybody set")]
    Root,
    /// The cgroup has no bandwidth files.
    #[error(
        "this cgroup has no quota to set: it is a v2 root, its parent does not enable the cpu controller, or the kernel lacks CONFIG_CFS_BANDWIDTH"
    )]
    NoBandwidth,
    /// The kernel has no burst file.
    #[error("this kernel provides no burst (cpu.cfs_burst_us or cpu.max.burst, Linux 5.14)")]
    NoBurst,
    /// The kernel has no `cpu.idle`.
    #[error("this kernel provides no cpu.idle (Linux 5.15)")]
    NoIdle,
    /// No cpuset controller.
    #[error("this cgroup has no cpuset files: the controller is not mounted, or not enabled by the parent")]
    NoCpuset,
    /// Shares on v2 or weight on v1, or neither file here.
    #[error("this cgroup takes no {0}")]
    NoShare(&'static str),
    /// `sched_group_set_shares` (kernel/sched/fair.c, 6.12): EINVAL for an idle group.
    #[error("this group is idle (cpu.idle is 1), and the kernel takes no {0} for an idle group")]
    IdleHasNoShare(&'static str),
    /// Above the nearest limited ancestor (v1, `tg_cfs_schedulable_down`).
    #[error("{:.3} CPUs are above the {:.3} of the nearest limited ancestor, which cgroup v1 refuses", .wanted.cpus(), .parent.cpus())]
    AboveParent {
        /// The ratio asked for.
        wanted: Ratio,
        /// The ancestor's.
        parent: Ratio,
        /// The largest quota that it allows at the period asked for.
        nearest: Micros,
    },
    /// Below a limited descendant (v1, `tg_cfs_schedulable_down`).
    #[error("{:.3} CPUs are below the {:.3} of a group inside, which cgroup v1 refuses", .wanted.cpus(), .child.cpus())]
    BelowChild {
        /// The ratio asked for.
        wanted: Ratio,
        /// The descendant's.
        child: Ratio,
        /// The smallest quota that it allows at the period asked for.
        nearest: Micros,
    },
    /// A CPU or node that this machine cannot have (`cpulist_parse`: ERANGE; `update_cpumask`, kernel/cgroup/cpuset.c:
    /// EINVAL).
    #[error("{file} {wanted}: this machine has only {possible}")]
    NotThere {
        /// `cpuset.cpus` or `cpuset.mems`.
        file: &'static str,
        /// The list asked for.
        wanted: CpuSet,
        /// What the machine can have.
        possible: CpuSet,
    },
    /// v1 `validate_change`: EACCES.
    #[error("{file} {wanted} is not inside the parent's {parent}, which cgroup v1 refuses")]
    OutsideParent {
        /// `cpuset.cpus` or `cpuset.mems`.
        file: &'static str,
        /// The list asked for.
        wanted: CpuSet,
        /// The parent's.
        parent: CpuSet,
    },
    /// v1 `validate_change`: EBUSY.
    #[error("{file} {wanted} does not hold {children}, which groups inside have; cgroup v1 refuses that")]
    InsideChild {
        /// `cpuset.cpus` or `cpuset.mems`.
        file: &'static str,
        /// The list asked for.
        wanted: CpuSet,
        /// All that groups inside have.
        children: CpuSet,
    },
    /// v1 `validate_change`: ENOSPC.
    #[error("{file} cannot be emptied while there are tasks in the group (cgroup v1)")]
    EmptyWithTasks {
        /// `cpuset.cpus` or `cpuset.mems`.
        file: &'static str,
    },
    /// v1 `validate_change`: EINVAL.
    #[error(
        "{file} {wanted} overlaps {exclusive}, which is exclusive to another group or asked for beside an exclusive one"
    )]
    NotExclusive {
        /// `cpuset.cpus` or `cpuset.mems`.
        file: &'static str,
        /// The list asked for.
        wanted: CpuSet,
        /// What it may not overlap.
        exclusive: CpuSet,
    },
}

/// The flags by which a change was asked for, so that advice names those and no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags {
    /// What sets `cpuset.cpus`.
    cpus: &'static str,
    /// What sets `cpuset.mems`.
    mems: &'static str,
    /// Whether there is one for `cpu.idle`.
    idle: bool,
}

impl Flags {
    /// Those of `cgtune apply`.
    pub const APPLY: Self = Self { cpus: "--cpuset-cpus", mems: "--cpuset-mems", idle: true };
    /// Those of `cgtune pin apply`.
    pub const PIN: Self = Self { cpus: "--cpus", mems: "--mems", idle: false };
}

impl PlanError {
    /// The nearest that the kernel takes, as a sentence.
    #[must_use]
    pub fn nearest(&self, flags: Flags) -> Option<String> {
        let list = |file: &str, list: &CpuSet| {
            let flag = if file == "cpuset.mems" { flags.mems } else { flags.cpus };
            if list.is_empty() {
                None
            } else {
                Some(format!("the nearest that the kernel takes is {flag} {list}"))
            }
        };
        match self {
            Self::AboveParent { nearest, .. } => Some(format!(
                "the nearest that the kernel takes is --quota {nearest}; more needs the ancestor's limit raised first \
                 (--with-pod does both)"
            )),
            Self::BelowChild { nearest, .. } => Some(format!(
                "the nearest that the kernel takes is --quota {nearest}; less needs the limit inside lowered first"
            )),
            Self::NotThere { file, wanted, possible } => list(file, &wanted.intersection(possible)),
            Self::OutsideParent { file, wanted, parent } => list(file, &wanted.intersection(parent)),
            Self::InsideChild { file, wanted, children } => {
                list(file, &wanted.iter().chain(children.iter()).collect())
            }
            Self::NotExclusive { file, wanted, exclusive } => list(file, &wanted.difference(exclusive)),
            Self::IdleHasNoShare(_) if flags.idle => {
                Some("add --idle false to make it an ordinary group again".to_owned())
            }
            Self::IdleHasNoShare(_) => {
                Some("cgtune apply TARGET --idle false makes it an ordinary group again".to_owned())
            }
            Self::Root
            | Self::NoBandwidth
            | Self::NoBurst
            | Self::NoIdle
            | Self::NoCpuset
            | Self::NoShare(_)
            | Self::EmptyWithTasks { .. } => None,
        }
    }
}
