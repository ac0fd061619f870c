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
//! let to = Bandwidth::new(Quota::Limited(Micros::from_ms(50)), Micros::from_ms(100), Micros::ZERO)?.into();
//! // The parent allows half a CPU: 50 ms of 20 ms would be refused, so the period goes first.
//! let parent = Ratio::of(Micros::from_ms(50), Micros::from_ms(100));
//! let steps = plan::bandwidth(&from, to, Layout::V1, &Surroundings { parent: Some(parent), ..Surroundings::default() });
//! assert_eq!(steps[0].write, plan::Write::Period(Micros::from_ms(100)));
//! # Ok::<(), cgtune_core::PolicyError>(())
//! ```

mod error;
mod goal;
mod surroundings;
mod turns;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use error::{Flags, PlanError};
pub use goal::{Difference, Goal};
pub use surroundings::{CpusetSurroundings, ListSurroundings, Surroundings};
pub use turns::MAX_TURNS;

use crate::{
    Capabilities, CpuSet, Layout, Micros, Observed, ObservedBandwidth, ObservedShare, Quota, Share, Shares,
    Weight,
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
    /// Out of idle before a weight, which an idle group does not take.
    WakesFirst,
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
            Self::WakesFirst => "out of idle first: the kernel takes no weight for an idle group, and gives it the default",
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

/// Plans the writes from what is observed to what is wanted.
///
/// # Errors
/// [`PlanError`] for what this kernel or this hierarchy would refuse, before anything is written.
pub fn plan(
    from: &Observed,
    to: &Goal,
    capabilities: &Capabilities,
    surroundings: &Surroundings,
) -> Result<Vec<Step>, PlanError> {
    if surroundings.root && (to.share.is_some() || to.bandwidth.is_some() || to.idle.is_some()) {
        return Err(PlanError::Root);
    }
    let mut steps = cpuset(from, to, capabilities, surroundings)?;
    steps.extend(weight(from, to)?);
    if let Some(wanted) = to.bandwidth {
        let now = from.bandwidth.as_ref().filter(|_| capabilities.bandwidth).ok_or(PlanError::NoBandwidth)?;
        if wanted.burst.is_some_and(|burst| burst != Micros::ZERO) && !capabilities.burst {
            return Err(PlanError::NoBurst);
        }
        if capabilities.cpu.checks_hierarchy() && (now.quota, now.period) != (wanted.quota, wanted.period) {
            surroundings.check(wanted)?;
        }
        steps.extend(bandwidth(now, wanted, capabilities.cpu, surroundings));
    }
    Ok(steps)
}

/// Memory nodes, then CPUs.
fn cpuset(
    from: &Observed,
    to: &Goal,
    capabilities: &Capabilities,
    surroundings: &Surroundings,
) -> Result<Vec<Step>, PlanError> {
    let mut steps = Vec::new();
    let mut add = |file, now: &Option<CpuSet>, wanted: &Option<CpuSet>, make: fn(CpuSet) -> Write, why| {
        let Some(wanted) = wanted else { return Ok(()) };
        let (now, layout) =
            (now.as_ref().ok_or(PlanError::NoCpuset)?, capabilities.cpuset.ok_or(PlanError::NoCpuset)?);
        if now == wanted {
            return Ok(());
        }
        if let Some(place) = &surroundings.cpuset {
            let around = if file == "cpuset.mems" { &place.mems } else { &place.cpus };
            place.check(layout, file, wanted, around)?;
        }
        steps.push(Step { write: make(wanted.clone()), why });
        Ok(())
    };
    add("cpuset.mems", &from.mems, &to.mems, Write::Mems, Why::MemsBeforeCpus)?;
    add("cpuset.cpus", &from.cpus, &to.cpus, Write::Cpus, Why::Independent)?;
    Ok(steps)
}

/// `cpu.idle` and the relative weight, which an idle group does not have.
fn weight(from: &Observed, to: &Goal) -> Result<Vec<Step>, PlanError> {
    let mut steps = Vec::new();
    let idle_now = from.idle.unwrap_or(false);
    let mut share_now = from.share;
    if let Some(idle) = to.idle {
        from.idle.ok_or(PlanError::NoIdle)?;
        if idle != idle_now {
            let write = Write::Idle(idle);
            share_now = write.leaves(from).share;
            steps.push(Step { write, why: if idle { Why::Independent } else { Why::WakesFirst } });
        }
    }
    let Some(wanted) = to.share else { return Ok(steps) };
    let (same_file, name, lacking) = match wanted {
        ObservedShare::Shares(_) => (
            matches!(from.share, Some(ObservedShare::Shares(_))),
            "shares",
            "shares (cpu.shares is a file of cgroup v1)",
        ),
        ObservedShare::Weight(_) => (
            matches!(from.share, Some(ObservedShare::Weight(_))),
            "weight",
            "weight (cpu.weight is a file of cgroup v2)",
        ),
    };
    if !same_file {
        return Err(PlanError::NoShare(lacking));
    }
    if to.idle.unwrap_or(idle_now) {
        return Err(PlanError::IdleHasNoShare(name));
    }
    if share_now != Some(wanted) {
        let share = match wanted {
            ObservedShare::Shares(n) => Shares::new(n).map(Share::Shares),
            ObservedShare::Weight(n) => Weight::new(n).map(Share::Weight),
        };
        // Outside the range only an idle group shows one, and that is asked for above.
        let share = share.map_err(|_| PlanError::IdleHasNoShare(name))?;
        steps.push(Step { write: Write::Share(share), why: Why::Independent });
    }
    Ok(steps)
}

/// Plans quota, period and burst. The end state must be legal ([`Surroundings::check`]).
#[must_use]
pub fn bandwidth(
    from: &ObservedBandwidth,
    to: ObservedBandwidth,
    layout: Layout,
    surroundings: &Surroundings,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let step = |write, why| Step { write, why };
    let burst_now = from.burst.unwrap_or(Micros::ZERO);
    let burst = to.burst.unwrap_or(burst_now);
    if burst < burst_now {
        steps.push(step(Write::Burst(burst), Why::BurstFirst));
    }
    let (quota, period) = (to.quota, to.period);
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
    if burst > burst_now {
        steps.push(step(Write::Burst(burst), Why::BurstLast));
    }
    steps
}

impl Write {
    /// What a write leaves where the kernel takes it: the state that whoever was interrupted after it finds.
    #[must_use]
    pub fn leaves(&self, now: &Observed) -> Observed {
        let mut next = now.clone();
        match self {
            Self::Quota(quota) => change(&mut next, |bandwidth| bandwidth.quota = *quota),
            Self::Period(period) => change(&mut next, |bandwidth| bandwidth.period = *period),
            Self::Max { quota, period } => {
                change(&mut next, |bandwidth| (bandwidth.quota, bandwidth.period) = (*quota, *period));
            }
            Self::Burst(burst) => {
                change(&mut next, |bandwidth| bandwidth.burst = bandwidth.burst.and(Some(*burst)));
            }
            Self::Share(Share::Shares(shares)) => next.share = Some(ObservedShare::Shares(shares.get())),
            Self::Share(Share::Weight(weight)) => next.share = Some(ObservedShare::Weight(weight.get())),
            // Writing what is there changes nothing, the share included.
            Self::Idle(idle) if now.idle == Some(*idle) => {}
            Self::Idle(idle) => {
                next.idle = Some(*idle);
                // `sched_group_set_idle`, kernel/sched/fair.c, 6.12: WEIGHT_IDLEPRIO and NICE_0_LOAD.
                next.share = now.share.map(|share| match (share, idle) {
                    (ObservedShare::Shares(_), true) => ObservedShare::Shares(3),
                    (ObservedShare::Shares(_), false) => ObservedShare::Shares(1024),
                    (ObservedShare::Weight(_), true) => ObservedShare::Weight(0),
                    (ObservedShare::Weight(_), false) => ObservedShare::Weight(100),
                });
            }
            Self::Cpus(cpus) => next.cpus = Some(cpus.clone()),
            Self::Mems(mems) => next.mems = Some(mems.clone()),
        }
        next
    }
}

fn change(observed: &mut Observed, edit: impl FnOnce(&mut ObservedBandwidth)) {
    if let Some(bandwidth) = &mut observed.bandwidth {
        edit(bandwidth);
    }
}
