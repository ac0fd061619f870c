//! The hog check: does this kernel throttle as documented? One busy thread on one CPU with a quota of half a period must
//! be throttled in every period and get half the CPU.

use std::time::Duration;

use cgtune_core::{
    Bandwidth, CpuControl as _, CpuSet, Interval, Micros, Nanos, Policy, Quota, control::apply,
};
use cgtune_sys::{Hierarchies, HostRoot, affinity, clock, lifecycle::Workshop};
use serde::Serialize;
use workloads::hog::Manner;

use crate::{
    backend::RunError,
    load::Load,
    plan::{Condition, PolicyKind},
};

/// Least part of the periods that must end throttled.
const THROTTLED_AT_LEAST: f64 = 0.98;
/// Most by which the CPU share may miss the quota.
const CPUS_WITHIN: f64 = 0.01;

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HogCheck {
    /// Active periods.
    pub nr_periods: u64,
    /// Of them throttled.
    pub nr_throttled: u64,
    /// CPUs used, against a quota of 0.5.
    pub cpus: Option<f64>,
    /// Throttled time over wall time, expected 0.5 as well.
    pub throttled_part: f64,
}

impl HogCheck {
    /// Whether the kernel does what it says.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a ratio")]
    pub fn passes(&self) -> bool {
        self.nr_periods > 0
            && self.nr_throttled as f64 >= self.nr_periods as f64 * THROTTLED_AT_LEAST
            && self.cpus.is_none_or(|cpus| (cpus - 0.5).abs() <= CPUS_WITHIN)
    }
}

/// Runs it for so long.
///
/// # Errors
/// No permission, no bandwidth control, a load that does not start.
pub fn check(duration: Duration) -> Result<HogCheck, RunError> {
    let workshop = Workshop::open(Hierarchies::detect(HostRoot::default())?)?;
    let mut group = workshop.group("hog")?;
    let bandwidth = Bandwidth::new(Quota::Limited(Micros::from_ms(50)), Micros::from_ms(100), Micros::ZERO)?;
    // Without a cpuset the thread may move, which costs up to a slice on each CPU: half a percent at most.
    let last: CpuSet = affinity::get(None)?.iter().last().into_iter().collect();
    let cpus = group.cgroup()?.capabilities().cpuset.map(|_| last);
    let policy = Policy { bandwidth: Some(bandwidth), cpus, ..Policy::default() };
    let condition = Condition { policy: PolicyKind::PinnedLimit, neighbour: false };
    apply(group.cgroup()?, &policy)
        .map_err(|cause| RunError::Policy { condition, cause: Box::new(cause) })?;
    let load = Load::hog(&mut group, 1, Manner::Greedy)?;
    // Past the first period, which the program's own start disturbs.
    std::thread::sleep(Duration::from_millis(300));
    let before = group.cgroup()?.sample()?;
    clock::sleep_until(
        before.at.saturating_add(Nanos::new(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))),
    );
    let interval = Interval::between(&before, &group.cgroup()?.sample()?)?;
    load.end()?;
    let delta = interval.bandwidth.ok_or(RunError::NotCounted)?;
    Ok(HogCheck {
        nr_periods: delta.nr_periods,
        nr_throttled: delta.nr_throttled,
        cpus: interval.cpus_used(),
        throttled_part: delta.throttled.as_secs() / interval.wall.as_secs(),
    })
}
