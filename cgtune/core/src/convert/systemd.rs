//! The systemd cgroup driver: a limit goes to systemd as CPU time per second, and comes back rounded.
//!
//! Sources: `addCPUQuota` and `RangeToBits` in opencontainers/cgroups systemd/ at 30a2293 (runc, and the kubelet for pods);
//! `cgroup_cpu_adjust_period`, `cgroup_apply_unified_cpu_quota` and `cgroup_cpu_weight_to_shares` in systemd's src/core/cgroup.c,
//! 252.39.

use std::fmt;

use serde::Serialize;

use crate::{
    CpuSet, Micros, Quota, Shares, Weight,
    policy::{DEFAULT_PERIOD, MAX_PERIOD, MIN_PERIOD, MIN_QUOTA},
};

/// What the driver makes whole: 1 % of a CPU, as CPU time per second.
pub const STEP: Micros = Micros::from_ms(10);
/// A second, in which `CPUQuotaPerSecUSec` counts.
const SECOND: u128 = 1_000_000;

/// Which part of a node makes cgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CgroupDriver {
    /// Kubelet and runtime write the files themselves; the default of a KubeletConfiguration.
    #[default]
    Cgroupfs,
    /// They ask systemd; what kubeadm sets up.
    Systemd,
}

impl fmt::Display for CgroupDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Cgroupfs => "cgroupfs",
            Self::Systemd => "systemd",
        })
    }
}

/// What systemd is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerSecond {
    /// `CPUQuotaPerSecUSec`: CPU time per second; unlimited is infinity there (2^64 − 1).
    pub per_second: Quota,
    /// The quota that the driver writes into the file itself, changed where the time per second was rounded.
    pub quota: Quota,
}

/// A quota under the systemd driver of opencontainers/cgroups (`addCPUQuota`): rounded *up* to a whole percent of a
/// CPU. A period of zero stands for 100 ms.
///
/// ```
/// use cgtune_core::{Micros, Quota, convert::systemd};
///
/// let rounded = systemd::rounded(Quota::Limited(Micros::new(33_300)), Micros::from_ms(100));
/// assert_eq!(rounded.quota, Quota::Limited(Micros::from_ms(34)));
/// ```
#[must_use]
pub fn rounded(quota: Quota, period: Micros) -> PerSecond {
    let period = if period == Micros::ZERO { DEFAULT_PERIOD } else { period };
    let Quota::Limited(asked) = quota else {
        return PerSecond { per_second: Quota::Unlimited, quota };
    };
    let exact = u128::from(asked.get()) * SECOND / u128::from(period.get());
    let step = u128::from(STEP.get());
    let per_second = exact.div_ceil(step) * step;
    let quota =
        if per_second == exact { asked } else { held(per_second * u128::from(period.get()) / SECOND) };
    PerSecond { per_second: Quota::Limited(held(per_second)), quota: Quota::Limited(quota) }
}

/// The period with which systemd writes a time per second, raised until the quota is 1 ms or more
/// (`cgroup_cpu_adjust_period`).
#[must_use]
pub fn adjusted_period(period: Micros, per_second: Micros) -> Micros {
    let needed = (u128::from(MIN_QUOTA.get()) * SECOND)
        .checked_div(u128::from(per_second.get()))
        .map_or(MAX_PERIOD, held);
    period.max(MIN_PERIOD).max(needed).min(MAX_PERIOD)
}

/// What systemd itself writes into `cpu.max` (`cgroup_apply_unified_cpu_quota`).
#[must_use]
pub fn written(per_second: Quota, period: Micros) -> (Quota, Micros) {
    match per_second {
        Quota::Unlimited => (Quota::Unlimited, period),
        Quota::Limited(time) => {
            let period = adjusted_period(period, time);
            let quota = held(u128::from(time.get()) * u128::from(period.get()) / SECOND);
            (Quota::Limited(quota.max(MIN_QUOTA)), period)
        }
    }
}

/// systemd's own way from a weight to shares (`cgroup_cpu_weight_to_shares`); the way there is
/// [`WeightFormula::SystemdScale`](crate::convert::WeightFormula::SystemdScale).
#[must_use]
pub fn shares(weight: Weight) -> Shares {
    let shares = (weight.get() * 1024 / 100).clamp(Shares::MIN.get(), Shares::MAX.get());
    // Cannot fail: the number was held in the range just before.
    Shares::new(shares).unwrap_or(Shares::MAX)
}

/// `AllowedCPUs` as D-Bus takes it: bit n of byte n/8, up to the highest CPU. Empty for the empty set, which the
/// drivers refuse. Needs systemd 244.
#[must_use]
pub fn mask(cpus: &CpuSet) -> Vec<u8> {
    let mut bytes = Vec::new();
    for cpu in cpus.iter() {
        let at = (cpu / 8) as usize;
        if bytes.len() <= at {
            bytes.resize(at + 1, 0);
        }
        bytes[at] |= 1 << (cpu % 8);
    }
    bytes
}

/// What a v2 file of an OCI `unified` map is as a property of a unit (`unifiedResToSystemdProps`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightProperty {
    /// `CPUWeight=idle`, 0 on D-Bus; needs systemd 252.
    Idle,
    /// `CPUWeight=`.
    Weight(Weight),
}

/// `cpu.idle` and `cpu.weight` together make one property, of which idle wins.
#[must_use]
pub fn weight_property(idle: bool, weight: Option<Weight>) -> Option<WeightProperty> {
    if idle { Some(WeightProperty::Idle) } else { weight.map(WeightProperty::Weight) }
}

/// Back from the wide arithmetic, held at the largest value.
fn held(us: u128) -> Micros {
    Micros::new(u64::try_from(us).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rounding_never_takes_away_and_adds_less_than_a_percent_of_a_cpu(
            quota in 1_000_u64..100_000_000, period in 1_000_u64..=1_000_000
        ) {
            let (quota, period) = (Micros::new(quota), Micros::new(period));
            let got = rounded(Quota::Limited(quota), period).quota.limited().unwrap();
            prop_assert!(got >= quota || quota.get() - got.get() <= 1, "{} {}", got, quota);
            prop_assert!((got.get() as f64 - quota.get() as f64) / (period.get() as f64) < 0.010_001);
        }
    }
}
