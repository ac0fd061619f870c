//! What the kernel shows, also what no constructor of ours would allow.

use serde::{Deserialize, Serialize};

use crate::{Bandwidth, CpuSet, Micros, PolicyError, Quota, policy::Ratio};

/// Quota, period and burst as read. The kernel may have doubled them together when its period timer could not
/// keep up (`sched_cfs_period_timer`), a stale burst may stand under no quota, a vendor may allow more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedBandwidth {
    /// CPU time per period.
    pub quota: Quota,
    /// The period.
    pub period: Micros,
    /// The burst; `None` where the kernel has no burst file.
    pub burst: Option<Micros>,
}

impl ObservedBandwidth {
    /// Quota over period, where there is a quota.
    #[must_use]
    pub fn ratio(&self) -> Option<Ratio> {
        self.quota.limited().map(|quota| Ratio::of(quota, self.period))
    }

    /// The limit as a number of CPUs, where there is one.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "shown only")]
    pub fn cpus(&self) -> Option<f64> {
        let quota = self.quota.limited()?;
        (self.period != Micros::ZERO).then(|| quota.get() as f64 / self.period.get() as f64)
    }

    /// The same as a wanted bandwidth, if it is one that could be written.
    ///
    /// # Errors
    /// The rule that what was observed breaks.
    pub fn to_bandwidth(&self) -> Result<Bandwidth, PolicyError> {
        Bandwidth::new(self.quota, self.period, self.burst.unwrap_or(Micros::ZERO))
    }
}

impl From<Bandwidth> for ObservedBandwidth {
    fn from(bandwidth: Bandwidth) -> Self {
        Self { quota: bandwidth.quota(), period: bandwidth.period(), burst: Some(bandwidth.burst()) }
    }
}

/// The relative weight as read. `cpu.weight` shows 0 for an idle group, `cpu.shares` shows 3, so neither is held
/// to the range of what may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObservedShare {
    /// `cpu.shares`.
    Shares(u64),
    /// `cpu.weight`.
    Weight(u64),
}

/// Everything about one cgroup's CPU policy that could be read. `None` is "not provided here", never zero.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observed {
    /// Relative weight; absent on a v2 root.
    pub share: Option<ObservedShare>,
    /// Quota, period and burst; absent on a v2 root and without CONFIG_CFS_BANDWIDTH.
    pub bandwidth: Option<ObservedBandwidth>,
    /// `cpu.idle` (5.15+).
    pub idle: Option<bool>,
    /// CPUs asked for; on v2 empty means "as the parent".
    pub cpus: Option<CpuSet>,
    /// Memory nodes asked for.
    pub mems: Option<CpuSet>,
    /// CPUs in force.
    pub effective_cpus: Option<CpuSet>,
}
