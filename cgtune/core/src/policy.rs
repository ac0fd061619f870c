//! What is wanted: a [`Policy`] that exists is one the kernel accepts.
//!
//! The rules are checked in the constructors, with the number that broke them in the error. What a kernel
//! *shows* may break them (a period it doubled, a vendor's burst above the quota, a stale burst under no
//! quota): that is an [`Observed`](crate::Observed), another type.
//!
//! Sources: `tg_set_cfs_bandwidth`, `tg_set_cfs_quota`, `tg_set_cfs_period` and `sched_group_set_shares` in
//! kernel/sched/core.c and fair.c, Linux 6.12.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{CpuSet, Micros};

/// Shortest period the kernel takes, and smallest quota (`min_cfs_quota_period`, `min_bw_quota_period_us`).
pub const MIN_PERIOD: Micros = Micros::from_ms(1);
/// Longest period the kernel takes (`max_cfs_quota_period`).
pub const MAX_PERIOD: Micros = Micros::from_ms(1000);
/// Smallest quota the kernel takes.
pub const MIN_QUOTA: Micros = Micros::from_ms(1);
/// Largest quota, and largest sum of quota and burst: `2^(64-20) - 1` µs (`max_bw_runtime_us`).
pub const MAX_RUNTIME: Micros = Micros::new((1 << 44) - 1);
/// The period that the kernel gives a new group, and the kubelet's default.
pub const DEFAULT_PERIOD: Micros = Micros::from_ms(100);

/// CPU time per period, or none set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quota {
    /// No quota: `-1` in `cpu.cfs_quota_us`, `max` in `cpu.max`.
    Unlimited,
    /// So much CPU time per period, summed over all CPUs.
    Limited(Micros),
}

impl Quota {
    /// The quota's amount, if there is one.
    #[must_use]
    pub const fn limited(self) -> Option<Micros> {
        match self {
            Self::Unlimited => None,
            Self::Limited(quota) => Some(quota),
        }
    }
}

impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.pad("max"),
            Self::Limited(quota) => quota.fmt(f),
        }
    }
}

/// Quota over period as the kernel compares them along a hierarchy: 20 fractional bits, truncated
/// (`to_ratio` and `BW_SHIFT`, kernel/sched/core.c and sched.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ratio(u64);

impl Ratio {
    /// The ratio of a finite quota to a period. A zero period has ratio zero, as in the kernel.
    #[must_use]
    pub fn of(quota: Micros, period: Micros) -> Self {
        // Quotas that the kernel accepts are below 2^44, so the shift loses nothing; others are held at the top.
        let shifted = u64::try_from(u128::from(quota.get()) << 20).unwrap_or(u64::MAX);
        Self(shifted.checked_div(period.get()).unwrap_or(0))
    }

    /// The largest quota whose ratio to `period` is not above this one.
    #[must_use]
    pub fn largest_quota(self, period: Micros) -> Micros {
        micros(((u128::from(self.0) + 1) * u128::from(period.get())).saturating_sub(1) >> 20)
    }

    /// The smallest quota whose ratio to `period` is not below this one.
    #[must_use]
    pub fn smallest_quota(self, period: Micros) -> Micros {
        micros((u128::from(self.0) * u128::from(period.get())).div_ceil(1 << 20))
    }

    /// The longest period in which a quota's ratio is not below this one.
    #[must_use]
    pub fn longest_period(self, quota: Micros) -> Micros {
        (u128::from(quota.get()) << 20).checked_div(u128::from(self.0)).map_or(Micros::new(u64::MAX), micros)
    }

    /// The shortest period in which a quota's ratio is not above this one.
    #[must_use]
    pub fn shortest_period(self, quota: Micros) -> Micros {
        micros((u128::from(quota.get()) << 20) / (u128::from(self.0) + 1) + 1)
    }

    /// In the kernel's own unit, 1/2^20 of a CPU.
    #[must_use]
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// As a number of CPUs.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "shown only")]
    pub fn cpus(self) -> f64 {
        self.0 as f64 / f64::from(1 << 20)
    }
}

/// Back from the wide arithmetic, held at the largest value.
fn micros(us: u128) -> Micros {
    Micros::new(u64::try_from(us).unwrap_or(u64::MAX))
}

/// Quota, period and burst that the kernel accepts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "BandwidthParts", into = "BandwidthParts")]
pub struct Bandwidth {
    quota: Quota,
    period: Micros,
    burst: Micros,
}

/// [`Bandwidth`] as it travels in a file: read back through its rules.
#[derive(Clone, Serialize, Deserialize)]
struct BandwidthParts {
    quota: Quota,
    period_us: Micros,
    burst_us: Micros,
}

impl TryFrom<BandwidthParts> for Bandwidth {
    type Error = PolicyError;

    fn try_from(parts: BandwidthParts) -> Result<Self, PolicyError> {
        Self::new(parts.quota, parts.period_us, parts.burst_us)
    }
}

impl From<Bandwidth> for BandwidthParts {
    fn from(bandwidth: Bandwidth) -> Self {
        Self { quota: bandwidth.quota, period_us: bandwidth.period, burst_us: bandwidth.burst }
    }
}

impl Bandwidth {
    /// Checks the kernel's rules: 1 ms ≤ period ≤ 1 s, quota ≥ 1 ms, burst ≤ quota, burst + quota below 2^44 µs.
    ///
    /// With no quota the kernel keeps any burst, and later refuses a quota below it. Such a stale burst is a trap,
    /// so a policy without quota has no burst.
    ///
    /// # Errors
    /// The rule that was broken, with the value.
    pub fn new(quota: Quota, period: Micros, burst: Micros) -> Result<Self, PolicyError> {
        if !(MIN_PERIOD..=MAX_PERIOD).contains(&period) {
            return Err(PolicyError::Period(period));
        }
        match quota {
            Quota::Unlimited if burst != Micros::ZERO => return Err(PolicyError::BurstWithoutQuota(burst)),
            Quota::Unlimited => {}
            Quota::Limited(quota) => {
                if quota < MIN_QUOTA {
                    return Err(PolicyError::QuotaTooSmall(quota));
                }
                if burst > quota {
                    return Err(PolicyError::BurstAboveQuota { burst, quota });
                }
                if quota.saturating_add(burst) > MAX_RUNTIME {
                    return Err(PolicyError::TooLarge { burst, quota });
                }
            }
        }
        Ok(Self { quota, period, burst })
    }

    /// No quota, at the kernel's default period.
    #[must_use]
    pub const fn unlimited() -> Self {
        Self { quota: Quota::Unlimited, period: DEFAULT_PERIOD, burst: Micros::ZERO }
    }

    /// CPU time per period.
    #[must_use]
    pub const fn quota(self) -> Quota {
        self.quota
    }

    /// The period.
    #[must_use]
    pub const fn period(self) -> Micros {
        self.period
    }

    /// Unused CPU time that may be carried over into later periods.
    #[must_use]
    pub const fn burst(self) -> Micros {
        self.burst
    }

    /// Quota over period, where there is a quota.
    #[must_use]
    pub fn ratio(self) -> Option<Ratio> {
        self.quota.limited().map(|quota| Ratio::of(quota, self.period))
    }

    /// The limit as a number of CPUs, where there is one.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "shown only; values are below 2^44")]
    pub fn cpus(self) -> Option<f64> {
        self.quota.limited().map(|quota| quota.get() as f64 / self.period.get() as f64)
    }
}

/// `cpu.shares`, the relative weight on cgroup v1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Shares(u64);

impl Shares {
    /// `MIN_SHARES` (kernel/sched/sched.h).
    pub const MIN: Self = Self(2);
    /// `MAX_SHARES` (kernel/sched/sched.h): 2^18.
    pub const MAX: Self = Self(262_144);

    /// Checks the range in which the kernel keeps a value as it is; beyond it clamps in silence.
    ///
    /// # Errors
    /// [`PolicyError::Shares`] outside 2..=262144.
    pub fn new(shares: u64) -> Result<Self, PolicyError> {
        if (Self::MIN.0..=Self::MAX.0).contains(&shares) {
            Ok(Self(shares))
        } else {
            Err(PolicyError::Shares(shares))
        }
    }

    /// The bare number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for Shares {
    type Error = PolicyError;

    fn try_from(shares: u64) -> Result<Self, PolicyError> {
        Self::new(shares)
    }
}

impl From<Shares> for u64 {
    fn from(shares: Shares) -> Self {
        shares.0
    }
}

/// `cpu.weight`, the relative weight on cgroup v2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Weight(u64);

impl Weight {
    /// `CGROUP_WEIGHT_MIN` (include/linux/cgroup.h).
    pub const MIN: Self = Self(1);
    /// `CGROUP_WEIGHT_MAX` (include/linux/cgroup.h).
    pub const MAX: Self = Self(10_000);

    /// Checks the kernel's range; outside it a write fails with ERANGE.
    ///
    /// # Errors
    /// [`PolicyError::Weight`] outside 1..=10000.
    pub fn new(weight: u64) -> Result<Self, PolicyError> {
        if (Self::MIN.0..=Self::MAX.0).contains(&weight) {
            Ok(Self(weight))
        } else {
            Err(PolicyError::Weight(weight))
        }
    }

    /// The bare number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for Weight {
    type Error = PolicyError;

    fn try_from(weight: u64) -> Result<Self, PolicyError> {
        Self::new(weight)
    }
}

impl From<Weight> for u64 {
    fn from(weight: Weight) -> Self {
        weight.0
    }
}

/// The relative weight in the terms of one layout. The two are never converted in silence: which formula
/// applies is a question of who converts ([`convert`](crate::convert)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    /// cgroup v1.
    Shares(Shares),
    /// cgroup v2.
    Weight(Weight),
}

/// What a cgroup is meant to be. A field that is `None` is left as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Relative weight against active siblings.
    pub share: Option<Share>,
    /// Quota, period and burst.
    pub bandwidth: Option<Bandwidth>,
    /// Whether it runs only when nobody else wants to (`cpu.idle`). An idle group has no share.
    pub idle: Option<bool>,
    /// CPUs to run on (`cpuset.cpus`).
    pub cpus: Option<CpuSet>,
    /// Memory nodes to allocate from (`cpuset.mems`).
    pub mems: Option<CpuSet>,
}

/// A rule of the kernel that a wanted policy breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Period outside 1 ms..1 s.
    #[error("a period of {0} is outside what the kernel takes: 1ms to 1s")]
    Period(Micros),
    /// Quota below 1 ms.
    #[error(
        "a quota of {0} is below the kernel's smallest, 1ms; for a smaller share of a CPU use a longer period"
    )]
    QuotaTooSmall(Micros),
    /// Burst above the quota.
    #[error("a burst of {burst} is above the quota of {quota}; the kernel takes at most one quota ({quota})")]
    BurstAboveQuota {
        /// The burst asked for.
        burst: Micros,
        /// The quota it goes with.
        quota: Micros,
    },
    /// Burst where there is no quota.
    #[error(
        "a burst of {0} without a quota has no effect, and makes the kernel refuse a later quota below it"
    )]
    BurstWithoutQuota(Micros),
    /// Quota plus burst at or above 2^44 µs.
    #[error(
        "a quota of {quota} with a burst of {burst} is above the kernel's largest, 17592186044415us together"
    )]
    TooLarge {
        /// The burst asked for.
        burst: Micros,
        /// The quota asked for.
        quota: Micros,
    },
    /// Shares outside the range.
    #[error("{0} shares are outside 2..262144; the kernel would clamp them in silence")]
    Shares(u64),
    /// Weight outside the range.
    #[error("a weight of {0} is outside 1..10000")]
    Weight(u64),
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limited(us: u64) -> Quota {
        Quota::Limited(Micros::new(us))
    }

    #[test]
    fn the_edges_are_the_kernels() {
        let new = |quota, period, burst| Bandwidth::new(quota, Micros::new(period), Micros::new(burst));
        assert!(new(limited(1000), 1000, 1000).is_ok());
        assert!(new(limited(1000), 1_000_000, 0).is_ok());
        assert_eq!(new(limited(999), 100_000, 0), Err(PolicyError::QuotaTooSmall(Micros::new(999))));
        assert_eq!(new(limited(1000), 999, 0), Err(PolicyError::Period(Micros::new(999))));
        assert_eq!(new(limited(1000), 1_000_001, 0), Err(PolicyError::Period(Micros::new(1_000_001))));
        assert!(new(limited(MAX_RUNTIME.get()), 100_000, 0).is_ok());
        assert!(new(limited(MAX_RUNTIME.get()), 100_000, 1).is_err());
        assert!(new(limited(MAX_RUNTIME.get() + 1), 100_000, 0).is_err());
        assert!(new(Quota::Unlimited, 100_000, 1).is_err());
    }

    #[test]
    fn a_bandwidth_from_a_file_passes_its_rules() {
        let good = r#"{"quota":{"limited":50000},"period_us":100000,"burst_us":50000}"#;
        let bandwidth: Bandwidth = serde_json::from_str(good).unwrap();
        assert_eq!(serde_json::to_string(&bandwidth).unwrap(), good);
        let bad = r#"{"quota":{"limited":50000},"period_us":100000,"burst_us":50001}"#;
        assert!(serde_json::from_str::<Bandwidth>(bad).unwrap_err().to_string().contains("above the quota"));
    }

    proptest! {
        #[test]
        fn the_nearest_quotas_are_legal_and_their_neighbours_are_not(
            quota in 1_000_u64..10_000_000, period in 1_000_u64..=1_000_000, at in 1_000_u64..=1_000_000
        ) {
            let (ratio, at) = (Ratio::of(Micros::new(quota), Micros::new(period)), Micros::new(at));
            let (high, low) = (ratio.largest_quota(at), ratio.smallest_quota(at));
            prop_assert!(Ratio::of(high, at) <= ratio && Ratio::of(Micros::new(high.get() + 1), at) > ratio);
            prop_assert!(Ratio::of(low, at) >= ratio);
            prop_assert!(low.get() == 0 || Ratio::of(Micros::new(low.get() - 1), at) < ratio);
        }
    }

    #[test]
    fn ratios_are_truncated_to_twenty_bits() {
        assert_eq!(Ratio::of(Micros::new(1), Micros::new(3)), Ratio(349_525));
        assert!(Ratio::of(Micros::new(u64::MAX), Micros::new(1)) >= Ratio::of(MAX_RUNTIME, MIN_PERIOD));
    }
}
