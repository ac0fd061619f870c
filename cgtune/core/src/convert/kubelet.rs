//! The kubelet's own arithmetic: thousandths of a CPU → shares and quota, and back.
//!
//! Source: pkg/kubelet/cm/helpers_linux.go at 9283b256 (1.37 development tree), and
//! `getCPUWeight` in cgroup_v2_manager_linux.go for the weights of the kubelet's own groups.

use crate::{
    Micros, MilliCpu, Quota, Shares, Weight,
    convert::WeightFormula,
    policy::{DEFAULT_PERIOD, MIN_QUOTA},
};

/// Shares that stand for one CPU (`SharesPerCPU`).
pub const SHARES_PER_CPU: u64 = 1024;
/// Thousandths in one CPU (`MilliCPUToCPU`).
pub const MILLI_PER_CPU: u64 = 1000;
/// The period, unless the node's `cpuCFSQuotaPeriod` says otherwise (`QuotaPeriod`).
pub const QUOTA_PERIOD: Micros = DEFAULT_PERIOD;
/// Smallest quota it asks for (`MinQuotaPeriod`), the kernel's own smallest.
pub const SMALLEST_QUOTA: Micros = MIN_QUOTA;
/// The limit that [`SMALLEST_QUOTA`] amounts to at the usual period (`MinMilliCPULimit`).
pub const SMALLEST_LIMIT: MilliCpu = MilliCpu::new(10);
/// `a * b / c` without the product overflowing; held at the largest value. A zero divisor gives `None`.
fn scaled(a: u64, b: u64, c: u64) -> Option<u64> {
    (u128::from(a) * u128::from(b))
        .checked_div(u128::from(c))
        .map(|value| u64::try_from(value).unwrap_or(u64::MAX))
}

/// Shares of a request (`MilliCPUToShares`): truncated, held between 2 and 262144; a request of zero gets 2.
#[must_use]
pub fn shares(request: MilliCpu) -> Shares {
    let shares = scaled(request.get(), SHARES_PER_CPU, MILLI_PER_CPU).unwrap_or(0);
    // Cannot fail: the number was held in the range just before.
    Shares::new(shares.clamp(Shares::MIN.get(), Shares::MAX.get())).unwrap_or(Shares::MIN)
}

/// Quota of a limit (`MilliCPUToQuota`): truncated, at least [`SMALLEST_QUOTA`]; a limit of zero is no quota.
///
/// A limit beyond 2^64 µs per period is held there, which [`Bandwidth::new`](crate::Bandwidth::new) then refuses.
#[must_use]
pub fn quota(limit: MilliCpu, period: Micros) -> Quota {
    if limit == MilliCpu::ZERO {
        return Quota::Unlimited;
    }
    Quota::Limited(of_period(limit, period).max(SMALLEST_QUOTA))
}

/// So many thousandths of a period's time, truncated: [`quota`] without its floor.
#[must_use]
pub fn of_period(cpu: MilliCpu, period: Micros) -> Micros {
    Micros::new(scaled(cpu.get(), period.get(), MILLI_PER_CPU).unwrap_or(0))
}

/// The smallest limit whose quota is not raised to [`SMALLEST_QUOTA`]: [`SMALLEST_LIMIT`] at the usual period.
/// `None` for a period of zero.
#[must_use]
pub fn smallest_limit(period: Micros) -> Option<MilliCpu> {
    let needed = SMALLEST_QUOTA.get() * MILLI_PER_CPU;
    (period != Micros::ZERO).then(|| MilliCpu::new(needed.div_ceil(period.get())))
}

/// The request that shares stand for (`SharesToMilliCPU`), rounded up. It undoes [`shares`] for 2m to 256 CPUs;
/// 0 and 1m come back as 2m.
#[must_use]
pub fn request_of(shares: Shares) -> MilliCpu {
    MilliCpu::new((shares.get() * MILLI_PER_CPU).div_ceil(SHARES_PER_CPU))
}

/// The limit that a quota stands for (`QuotaToMilliCPU`), truncated. `None`: no quota, or a period of zero.
#[must_use]
pub fn limit_of(quota: Quota, period: Micros) -> Option<MilliCpu> {
    quota.limited().and_then(|quota| scaled(quota.get(), MILLI_PER_CPU, period.get())).map(MilliCpu::new)
}

/// The weight that the kubelet gives its own groups on v2: `kubepods`, the QoS groups and pods. Containers get
/// theirs from the runtime, by [another formula](WeightFormula::Logarithmic) since 2025.
#[must_use]
pub fn weight(shares: Shares) -> Weight {
    WeightFormula::Linear.weight(shares)
}

/// The shares that the kubelet takes a weight of its own groups for when it reads one back. Not the inverse:
/// a request of 50m is 51 shares, weight 2, and 28 shares when read back.
#[must_use]
pub fn shares_read_back(weight: Weight) -> Shares {
    let shares = Shares::MIN.get() + (weight.get() - 1) * (Shares::MAX.get() - Shares::MIN.get()) / 9999;
    // Cannot fail: weights 1..=10000 span 2..=262144.
    Shares::new(shares).unwrap_or(Shares::MAX)
}
