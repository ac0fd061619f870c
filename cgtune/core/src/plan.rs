//! The order of writes is logic, so it is a pure function: what is, what is wanted, what lies above and below
//! → the writes, each with the reason for its place.
//!
//! Three rules shape it.
//! * The kernel refuses a quota below the present burst: a falling burst goes first, a rising one last.
//! * v1 refuses a ratio of quota to period above the parent's or below a child's *after each single write*
//!   (`tg_cfs_schedulable_down`, kernel/sched/core.c, 6.12), and quota and period are two writes there. If one rises
//!   and the other falls any order stays between the two ratios. If both move the same way, one order peaks and the
//!   other dips; between a limited parent and a limited child a change may have no legal order at all. Then the two
//!   climb in turns, each as far as its neighbours allow.
//! * Where turns would take more than [`MAX_TURNS`] writes, or cannot move, the plan hops through "no quota", which is
//!   always legal, and says so: for that moment the group runs unlimited.
//!
//! Only what differs is written: rewriting the same quota takes every runqueue's lock and refills the pool.
//!
//! ```
//! use cgtune_core::{plan, Bandwidth, Micros, ObservedBandwidth, Quota, Ratio, Surroundings, Layout};
//!
//! let from = ObservedBandwidth { quota: Quota::Limited(Micros::from_ms(10)), period: Micros::from_ms(20), burst: None };
//! let to = Bandwidth::new(Quota::Limited(Micros::from_ms(50)), Micros::from_ms(100), Micros::ZERO)?;
//! // The parent allows half a CPU: 50 ms of 20 ms would be refused, so the period goes first.
//! let parent = Ratio::of(Micros::from_ms(50), Micros::from_ms(100));
//! let steps = plan::bandwidth(&from, to, Layout::V1, &Surroundings { parent: Some(parent), children: None });
//! assert_eq!(steps[0].write, plan::Write::Period(Micros::from_ms(100)));
//! # Ok::<(), cgtune_core::PolicyError>(())
//! ```

mod turns;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use turns::MAX_TURNS;

use crate::{
    Bandwidth, Capabilities, CpuSet, Layout, Micros, Observed, ObservedBandwidth, ObservedShare, Policy,
    Quota, Share, policy::Ratio,
};

/// One value for one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// v1 quota.
    Quota(Quota),
    /// v1 period.
    Period(Micros),
    /// v2 quota and period, in one write.
    Max {
        /// CPU time per period.
        quota: Quota,
        /// The period.
        period: Micros,
    },
    /// Burst.
    Burst(Micros),
    /// Shares or weight.
    Share(Share),
    /// `cpu.idle`: whether the group runs only when nobody else would (5.15+).
    Idle(bool),
    /// CPUs.
    Cpus(CpuSet),
    /// Memory nodes.
    Mems(CpuSet),
}

/// Why a write stands where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// Needs no order.
    Independent,
    /// Memory nodes before CPUs: v1 refuses tasks in a cpuset that lacks either.
    MemsBeforeCpus,
    /// A falling burst.
    BurstFirst,
    /// A rising burst.
    BurstLast,
    /// The period does not matter while there is no quota.
    WhileUnlimited,
    /// The only one of the two that changes, or both in one write.
    Alone,
    /// First of quota and period.
    KeepsRatioLegal,
    /// One of several turns between the parent's and the children's ratio.
    InTurns,
    /// Out of the quota and back in: no legal order exists, or it is too long.
    Hop,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Independent => "needs no order",
            Self::MemsBeforeCpus => "memory nodes before CPUs, since a v1 cpuset without nodes takes no tasks",
            Self::BurstFirst => "burst falls, so it goes first: the kernel refuses a quota below the burst",
            Self::BurstLast => "burst rises, so it goes last: the kernel refuses a burst above the quota",
            Self::WhileUnlimited => "while there is no quota, the period is free",
            Self::Alone => "one write, legal on its own",
            Self::KeepsRatioLegal => "in this order quota/period stays between the parent's and the children's",
            Self::InTurns => "quota and period in turns, each as far as parent and children allow",
            Self::Hop => "through \"no quota\", since no short legal order exists: the group runs unlimited for a moment",
        })
    }
}

/// One planned write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What is written.
    pub write: Write,
    /// Why here.
    pub why: Why,
}

/// What the kernel compares a group with on v1: the nearest limited ancestor and the nearest limited groups below.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Ratio of the nearest ancestor that has a quota.
    pub parent: Option<Ratio>,
    /// Largest ratio among the nearest descendants that have a quota.
    pub children: Option<Ratio>,
}

/// Why there is no plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The cgroup has no bandwidth files.
    #[error(
        "this cgroup has no quota to set: it is a v2 root, its parent does not enable the cpu controller, or the kernel lacks CONFIG_CFS_BANDWIDTH"
    )]
    NoBandwidth,
    /// The kernel has no burst file.
    #[error("this kernel provides no burst (cpu.cfs_burst_us or cpu.max.burst, Linux 5.14)")]
    NoBurst,
    /// No cpuset controller.
    #[error("this cgroup has no cpuset files: the controller is not mounted, or not enabled by the parent")]
    NoCpuset,
    /// Shares on v2 or weight on v1, or neither file here.
    #[error("this cgroup takes no {0}")]
    NoShare(&'static str),
    /// Above the nearest limited ancestor (v1).
    #[error("{:.3} CPUs are above the {:.3} of the nearest limited ancestor, which cgroup v1 refuses", .wanted.cpus(), .parent.cpus())]
    AboveParent {
        /// The ratio asked for.
        wanted: Ratio,
        /// The ancestor's.
        parent: Ratio,
    },
    /// Below a limited descendant (v1).
    #[error("{:.3} CPUs are below the {:.3} of a group inside, which cgroup v1 refuses", .wanted.cpus(), .child.cpus())]
    BelowChild {
        /// The ratio asked for.
        wanted: Ratio,
        /// The descendant's.
        child: Ratio,
    },
}

/// Plans the writes from what is observed to what is wanted.
///
/// # Errors
/// [`PlanError`] for what this kernel or this hierarchy would refuse, before anything is written.
pub fn plan(
    from: &Observed,
    to: &Policy,
    capabilities: &Capabilities,
    surroundings: &Surroundings,
) -> Result<Vec<Step>, PlanError> {
    let mut steps = Vec::new();
    if let Some(mems) = &to.mems {
        let now = from.mems.as_ref().ok_or(PlanError::NoCpuset)?;
        push_if_new(&mut steps, now, mems, Write::Mems, Why::MemsBeforeCpus);
    }
    if let Some(cpus) = &to.cpus {
        let now = from.cpus.as_ref().ok_or(PlanError::NoCpuset)?;
        push_if_new(&mut steps, now, cpus, Write::Cpus, Why::Independent);
    }
    if let Some(share) = to.share {
        let now = match (share, from.share) {
            (Share::Shares(wanted), Some(ObservedShare::Shares(now))) => now == wanted.get(),
            (Share::Weight(wanted), Some(ObservedShare::Weight(now))) => now == wanted.get(),
            (Share::Shares(_), _) => {
                return Err(PlanError::NoShare("shares (cpu.shares is a file of cgroup v1)"));
            }
            (Share::Weight(_), _) => {
                return Err(PlanError::NoShare("weight (cpu.weight is a file of cgroup v2)"));
            }
        };
        if !now {
            steps.push(Step { write: Write::Share(share), why: Why::Independent });
        }
    }
    if let Some(wanted) = to.bandwidth {
        let now = from.bandwidth.as_ref().filter(|_| capabilities.bandwidth).ok_or(PlanError::NoBandwidth)?;
        if wanted.burst() != Micros::ZERO && !capabilities.burst {
            return Err(PlanError::NoBurst);
        }
        if capabilities.cpu.checks_hierarchy() && (now.quota, now.period) != (wanted.quota(), wanted.period())
        {
            surroundings.check(wanted)?;
        }
        steps.extend(bandwidth(now, wanted, capabilities.cpu, surroundings));
    }
    Ok(steps)
}

impl Surroundings {
    /// Whether a bandwidth, once in force, is one that v1 accepts here.
    ///
    /// # Errors
    /// [`PlanError::AboveParent`], [`PlanError::BelowChild`].
    pub fn check(&self, wanted: Bandwidth) -> Result<(), PlanError> {
        let Some(wanted) = wanted.ratio() else { return Ok(()) };
        match (self.parent, self.children) {
            (Some(parent), _) if wanted > parent => Err(PlanError::AboveParent { wanted, parent }),
            (_, Some(child)) if wanted < child => Err(PlanError::BelowChild { wanted, child }),
            _ => Ok(()),
        }
    }
}

/// Plans quota, period and burst. The end state must be legal ([`Surroundings::check`]).
#[must_use]
pub fn bandwidth(
    from: &ObservedBandwidth,
    to: Bandwidth,
    layout: Layout,
    surroundings: &Surroundings,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let step = |write, why| Step { write, why };
    let burst_now = from.burst.unwrap_or(Micros::ZERO);
    if to.burst() < burst_now {
        steps.push(step(Write::Burst(to.burst()), Why::BurstFirst));
    }
    let (quota, period) = (to.quota(), to.period());
    if layout.joint_quota_and_period() {
        if (from.quota, from.period) != (quota, period) {
            steps.push(step(Write::Max { quota, period }, Why::Alone));
        }
    } else {
        match (from.quota, quota) {
            _ if from.quota == quota && from.period == period => {}
            (now, _) if now == quota => steps.push(step(Write::Period(period), Why::Alone)),
            _ if from.period == period => steps.push(step(Write::Quota(quota), Why::Alone)),
            (Quota::Unlimited, _) => {
                steps.push(step(Write::Period(period), Why::WhileUnlimited));
                steps.push(step(Write::Quota(quota), Why::Alone));
            }
            (_, Quota::Unlimited) => {
                steps.push(step(Write::Quota(quota), Why::Alone));
                steps.push(step(Write::Period(period), Why::WhileUnlimited));
            }
            (Quota::Limited(now), Quota::Limited(wanted)) => {
                steps.extend(turns::climb((now, from.period), (wanted, period), surroundings));
            }
        }
    }
    if to.burst() > burst_now {
        steps.push(step(Write::Burst(to.burst()), Why::BurstLast));
    }
    steps
}

fn push_if_new(steps: &mut Vec<Step>, now: &CpuSet, wanted: &CpuSet, write: fn(CpuSet) -> Write, why: Why) {
    if now != wanted {
        steps.push(Step { write: write(wanted.clone()), why });
    }
}
