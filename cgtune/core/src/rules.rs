//! The kernel's own rules for a write, as a model: what it refuses, and what state a write leaves.
//!
//! Two uses: the property tests run every prefix of a plan through it, and a verb that writes asks it first, so
//! that an illegal change is refused before the kernel sees it. Sources: `tg_set_cfs_bandwidth` and
//! `tg_cfs_schedulable_down` in kernel/sched/core.c, Linux 6.12; v1 confirmed live on 6.18.

use crate::{
    Capabilities, CpuControl, Layout, Micros, Nanos, Observed, ObservedBandwidth, ObservedShare, Quota,
    Snapshot, Surroundings,
    plan::Write,
    policy::{MAX_PERIOD, MAX_RUNTIME, MIN_PERIOD, MIN_QUOTA, Ratio},
    snapshot::CgroupId,
};

/// Why the kernel would answer a write with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// EINVAL: the period is outside 1 ms..1 s.
    #[error("EINVAL: period {0} outside 1ms..1s")]
    Period(Micros),
    /// EINVAL: the quota is below 1 ms.
    #[error("EINVAL: quota {0} below 1ms")]
    QuotaTooSmall(Micros),
    /// EINVAL: quota, or quota plus burst, too large.
    #[error("EINVAL: quota and burst together at or above 2^44us")]
    TooLarge,
    /// EINVAL: the burst would be above the quota, whichever of the two is written.
    #[error("EINVAL: burst {burst} above quota {quota}")]
    BurstAboveQuota {
        /// The burst.
        burst: Micros,
        /// The quota.
        quota: Micros,
    },
    /// EINVAL on v1: above the nearest limited ancestor.
    #[error("EINVAL: ratio above the parent's")]
    AboveParent,
    /// EINVAL on v1: below a limited descendant.
    #[error("EINVAL: ratio below a child's")]
    BelowChild,
    /// EINVAL: a weight for an idle group.
    #[error("EINVAL: an idle group takes no weight")]
    Idle,
    /// ENOENT: no such file in this layout or kernel.
    #[error("ENOENT: no such file here")]
    NoFile,
}

/// What one write does to a bandwidth.
///
/// # Errors
/// The kernel's refusal.
pub fn write_bandwidth(
    layout: Layout,
    now: ObservedBandwidth,
    write: &Write,
    surroundings: &Surroundings,
) -> Result<ObservedBandwidth, Refusal> {
    if layout.encode(write).is_none() {
        return Err(Refusal::NoFile);
    }
    let mut next = now;
    match write {
        Write::Quota(quota) => next.quota = *quota,
        Write::Period(period) => next.period = *period,
        Write::Max { quota, period } => (next.quota, next.period) = (*quota, *period),
        Write::Burst(burst) => next.burst = Some(now.burst.map(|_| *burst).ok_or(Refusal::NoFile)?),
        Write::Share(_) | Write::Idle(_) | Write::Cpus(_) | Write::Mems(_) => return Ok(next),
    }
    if !(MIN_PERIOD..=MAX_PERIOD).contains(&next.period) {
        return Err(Refusal::Period(next.period));
    }
    if let Quota::Limited(quota) = next.quota {
        let burst = next.burst.unwrap_or(Micros::ZERO);
        if quota < MIN_QUOTA {
            return Err(Refusal::QuotaTooSmall(quota));
        }
        if burst > quota {
            return Err(Refusal::BurstAboveQuota { burst, quota });
        }
        if quota.saturating_add(burst) > MAX_RUNTIME {
            return Err(Refusal::TooLarge);
        }
        if layout.checks_hierarchy() {
            let ratio = Ratio::of(quota, next.period);
            if surroundings.parent.is_some_and(|parent| ratio > parent) {
                return Err(Refusal::AboveParent);
            }
            if surroundings.children.is_some_and(|child| ratio < child) {
                return Err(Refusal::BelowChild);
            }
        }
    }
    Ok(next)
}

/// A cgroup that exists only as these rules: the third implementation of [`CpuControl`], for tests of whatever
/// writes through that trait.
#[derive(Debug, Clone)]
pub struct RuleModel {
    /// What the group offers.
    pub capabilities: Capabilities,
    /// What is set.
    pub observed: Observed,
    /// What lies above and below.
    pub surroundings: Surroundings,
    /// Every write that was asked for, refused ones included.
    pub writes: Vec<Write>,
}

impl RuleModel {
    /// A fresh group with a kernel's defaults and every feature of its layout.
    #[must_use]
    pub fn new(layout: Layout, surroundings: Surroundings) -> Self {
        let share = match layout {
            Layout::V1 => ObservedShare::Shares(1024),
            Layout::V2 => ObservedShare::Weight(100),
        };
        let bandwidth = ObservedBandwidth {
            quota: Quota::Unlimited,
            period: Micros::from_ms(100),
            burst: Some(Micros::ZERO),
        };
        Self {
            capabilities: Capabilities {
                cpu: layout,
                cpuset: None,
                bandwidth: true,
                burst: true,
                burst_counters: true,
                pressure: false,
                stat_local: false,
            },
            observed: Observed {
                share: Some(share),
                bandwidth: Some(bandwidth),
                idle: Some(false),
                ..Observed::default()
            },
            surroundings,
            writes: Vec::new(),
        }
    }
}

impl CpuControl for RuleModel {
    type Error = Refusal;

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn surroundings(&mut self) -> Result<Surroundings, Refusal> {
        Ok(self.surroundings.clone())
    }

    fn observe(&mut self) -> Result<Observed, Refusal> {
        Ok(self.observed.clone())
    }

    fn write(&mut self, write: &Write) -> Result<(), Refusal> {
        self.writes.push(write.clone());
        let layout = self.capabilities.cpu;
        match write {
            Write::Share(_) => {
                layout.encode(write).ok_or(Refusal::NoFile)?;
                if self.observed.idle == Some(true) {
                    return Err(Refusal::Idle);
                }
                self.observed = write.leaves(&self.observed);
            }
            Write::Idle(_) => self.observed = write.leaves(&self.observed),
            Write::Cpus(_) | Write::Mems(_) => return Err(Refusal::NoFile),
            Write::Quota(_) | Write::Period(_) | Write::Max { .. } | Write::Burst(_) => {
                let now = self.observed.bandwidth.ok_or(Refusal::NoFile)?;
                self.observed.bandwidth = Some(write_bandwidth(layout, now, write, &self.surroundings)?);
            }
        }
        Ok(())
    }

    fn sample(&mut self) -> Result<Snapshot, Refusal> {
        Ok(Snapshot::empty(Nanos::ZERO, CgroupId { inode: 1, boot: [0; 16] }))
    }
}
