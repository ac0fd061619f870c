//! Does this kernel take unused quota away? Version numbers do not tell: distributions carry the fix in old ones. So a probe runs a
//! load that stays below its quota, and is throttled only where the rest of each slice is lost.
//!
//! From 512ac999d275 (4.18) until de53fd7aedb1 (5.4, stable 5.3.9), what a CPU had left of its slice was void in the next period. A CPU that
//! goes idle gives all but 1 ms back (`min_cfs_rq_runtime`, kernel/sched/fair.c), so that much is lost on each CPU that was
//! used. The probe has a thread on each CPU, one of which at a time works for [`VISIT`]. That is more than a CPU keeps: where it is kept, each
//! visit uses it up, takes a new slice and keeps as much again, so that every period costs the same.

use serde::Serialize;

use crate::{Bandwidth, Interval, Micros, Nanos, Quota};

/// CPU time on each CPU in each period.
pub const VISIT: Micros = Micros::new(1200);
/// The probe's period, the usual one.
pub const PERIOD: Micros = Micros::from_ms(100);
/// The quota lies this much above what is used, for each CPU but the last: half of what is lost there.
const HALF_OF_LOSS: Micros = Micros::new(500);
/// More CPUs make it no surer, and their visits would no longer fit into a period.
const MOST_CPUS: usize = 16;
/// From this part of its periods on it was throttled by what it lost; up to the other one by chance.
const EXPIRES: f64 = 0.5;
const KEPT: f64 = 0.1;
/// What it must use of its quota where nothing limits it: less, and it hardly ran; more, and it is throttled with good reason.
const USED: std::ops::RangeInclusive<f64> = 0.5..=0.95;
/// Periods that tell.
const PERIODS: u64 = 10;

/// What a probe found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Expiry {
    /// Unused quota is taken away.
    Expires,
    /// It is not.
    Kept,
    /// The probe did not run as meant, on a busy machine for one.
    Unclear,
}

/// A probe for a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    cpus: usize,
    bandwidth: Bandwidth,
}

impl Probe {
    /// For so many CPUs. `None`: on a single one nothing is lost, and so nothing can be seen.
    #[must_use]
    pub fn on(cpus: usize) -> Option<Self> {
        let cpus = cpus.min(MOST_CPUS);
        let others = (cpus as u64).saturating_sub(1);
        let quota = Micros::new(VISIT.get() * cpus as u64 + HALF_OF_LOSS.get() * others);
        let bandwidth = Bandwidth::new(Quota::Limited(quota), PERIOD, Micros::ZERO).ok()?;
        (cpus >= 2).then_some(Self { cpus, bandwidth })
    }

    /// How many CPUs it visits.
    #[must_use]
    pub const fn cpus(self) -> usize {
        self.cpus
    }

    /// From one visit to the next; the last is followed by a rest until the period is over.
    #[must_use]
    pub fn step(self) -> Nanos {
        Nanos::new(PERIOD.to_nanos().get() / (self.cpus as u64 + 1))
    }

    /// The limit under which it runs.
    #[must_use]
    pub const fn bandwidth(self) -> Bandwidth {
        self.bandwidth
    }

    /// What its counters say: without a limit, and under it.
    #[must_use]
    pub fn judge(self, free: &Interval, limited: &Interval) -> Expiry {
        let used = free.cpus_used().zip(self.bandwidth.cpus()).map(|(used, limit)| used / limit);
        let Some((bandwidth, used)) = limited.bandwidth.zip(used) else { return Expiry::Unclear };
        if bandwidth.nr_periods < PERIODS || !USED.contains(&used) {
            return Expiry::Unclear;
        }
        match bandwidth.nr_throttled as f64 / bandwidth.nr_periods as f64 {
            ratio if ratio >= EXPIRES => Expiry::Expires,
            ratio if ratio <= KEPT => Expiry::Kept,
            _ => Expiry::Unclear,
        }
    }
}
