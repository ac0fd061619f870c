//! What happened between two readings of one cgroup: the only place where rates exist.

use serde::{Deserialize, Serialize};

use crate::{
    Nanos, Snapshot,
    parse::cpu_stat::EventCount,
    snapshot::{CgroupId, ThreadUsage, Usage},
};

/// Why two readings have nothing between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Discontinuity {
    /// The path now names another cgroup, or the machine was booted in between.
    #[error("the cgroup was removed and made again between the two readings")]
    Recreated {
        /// The earlier one.
        before: CgroupId,
        /// The later one.
        after: CgroupId,
    },
    /// A counter ran backwards, which the kernel's own never do.
    #[error("{counter} ran backwards, from {before} to {after}")]
    Backwards {
        /// The kernel's name of the counter.
        counter: &'static str,
        /// Earlier value.
        before: u64,
        /// Later value.
        after: u64,
    },
    /// The readings are not in order, or at the same instant.
    #[error("no time passed between the two readings")]
    NoTime,
}

/// Differences of the bandwidth counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BandwidthDelta {
    /// Active periods that ended.
    pub nr_periods: u64,
    /// Those that ended throttled.
    pub nr_throttled: u64,
    /// Time throttled, summed over CPUs.
    pub throttled: Nanos,
}

/// Differences of the burst counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BurstDelta {
    /// Periods that used more than the quota.
    pub nr_bursts: u64,
    /// How much more.
    pub burst: Nanos,
}

/// Differences of the pressure totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PressureDelta {
    /// Time in which some task waited.
    pub some: Nanos,
    /// Time in which all waited.
    pub full: Option<Nanos>,
}

/// What happened. A difference is `None` when either reading lacks the counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// Time between the readings. Never zero.
    pub wall: Nanos,
    /// Bandwidth control.
    pub bandwidth: Option<BandwidthDelta>,
    /// Burst.
    pub bursts: Option<BurstDelta>,
    /// Time throttled for whatever reason, ancestors included.
    pub local_throttled: Option<Nanos>,
    /// CPU time.
    pub usage: Option<Nanos>,
    /// Pressure.
    pub pressure: Option<PressureDelta>,
}

impl Interval {
    /// The differences between two readings.
    ///
    /// # Errors
    /// [`Discontinuity`] when they are not two readings of one cgroup in order.
    pub fn between(earlier: &Snapshot, later: &Snapshot) -> Result<Self, Discontinuity> {
        if earlier.id != later.id {
            return Err(Discontinuity::Recreated { before: earlier.id, after: later.id });
        }
        let wall = later
            .at
            .checked_sub(earlier.at)
            .filter(|&wall| wall != Nanos::ZERO)
            .ok_or(Discontinuity::NoTime)?;
        let bandwidth = both(earlier.stat.bandwidth, later.stat.bandwidth)
            .map(|(a, b)| {
                Ok(BandwidthDelta {
                    nr_periods: count("nr_periods", a.nr_periods, b.nr_periods)?,
                    nr_throttled: count("nr_throttled", a.nr_throttled, b.nr_throttled)?,
                    throttled: time("throttled_time", a.throttled, b.throttled)?,
                })
            })
            .transpose()?;
        let bursts = both(earlier.stat.bursts, later.stat.bursts)
            .map(|(a, b)| {
                Ok(BurstDelta {
                    nr_bursts: count("nr_bursts", a.nr_bursts, b.nr_bursts)?,
                    burst: time("burst_time", a.burst, b.burst)?,
                })
            })
            .transpose()?;
        let local_throttled = both(earlier.local_throttled, later.local_throttled)
            .map(|(a, b)| time("cpu.stat.local throttled_time", a, b))
            .transpose()?;
        let pressure = both(earlier.pressure, later.pressure)
            .map(|(a, b)| {
                let full = both(a.full, b.full)
                    .map(|(a, b)| time("cpu.pressure full", a.total, b.total))
                    .transpose()?;
                Ok(PressureDelta { some: time("cpu.pressure some", a.some.total, b.some.total)?, full })
            })
            .transpose()?;
        let usage = match (&earlier.usage, &later.usage) {
            (Some(Usage::Counter(a)), Some(Usage::Counter(b))) => Some(time("usage", *a, *b)?),
            (Some(Usage::Members { threads: a, at_ticks }), Some(Usage::Members { threads: b, .. })) => {
                Some(members(a, b, *at_ticks)?)
            }
            _ => None,
        };
        Ok(Self { wall, bandwidth, bursts, local_throttled, usage, pressure })
    }

    /// Part of the active periods that ended throttled; `None` without an active period.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a ratio for people")]
    pub fn throttled_ratio(&self) -> Option<f64> {
        let delta = self.bandwidth?;
        (delta.nr_periods > 0).then(|| delta.nr_throttled as f64 / delta.nr_periods as f64)
    }

    /// Milliseconds throttled per second of wall time, summed over CPUs: may exceed 1000.
    #[must_use]
    pub fn stall_ms_per_s(&self) -> Option<f64> {
        Some(self.bandwidth?.throttled.as_secs() * 1e3 / self.wall.as_secs())
    }

    /// CPUs used on average.
    #[must_use]
    pub fn cpus_used(&self) -> Option<f64> {
        Some(self.usage?.as_secs() / self.wall.as_secs())
    }
}

fn both<T>(a: Option<T>, b: Option<T>) -> Option<(T, T)> {
    a.zip(b)
}

fn count(counter: &'static str, before: EventCount, after: EventCount) -> Result<u64, Discontinuity> {
    after.since(before).ok_or(Discontinuity::Backwards { counter, before: before.get(), after: after.get() })
}

fn time(counter: &'static str, before: Nanos, after: Nanos) -> Result<Nanos, Discontinuity> {
    after.checked_sub(before).ok_or(Discontinuity::Backwards {
        counter,
        before: before.get(),
        after: after.get(),
    })
}

/// What the threads that are there now have used since: their difference if they were there before, all of it if
/// they began since. A thread that moved in with a past counts from now on; one that ended takes its last part along.
fn members(before: &[ThreadUsage], after: &[ThreadUsage], at_ticks: u64) -> Result<Nanos, Discontinuity> {
    let mut sum = Nanos::ZERO;
    for thread in after {
        let earlier = before
            .binary_search_by_key(&thread.tid, |t| t.tid)
            .ok()
            .map(|i| before[i])
            .filter(|t| t.started_ticks == thread.started_ticks);
        let part = match earlier {
            Some(earlier) => time("schedstat", earlier.cpu, thread.cpu)?,
            None if thread.started_ticks >= at_ticks => thread.cpu,
            None => Nanos::ZERO,
        };
        sum = sum.saturating_add(part);
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::cpu_stat;

    fn snapshot(at_s: u64, stat: &str) -> Snapshot {
        let id = CgroupId { inode: 7, boot: [1; 16] };
        Snapshot {
            stat: cpu_stat::parse(stat.as_bytes()).unwrap(),
            ..Snapshot::empty(Nanos::new(at_s * 1_000_000_000), id)
        }
    }

    const A: &str = "nr_periods 100\nnr_throttled 10\nthrottled_time 1000000000\n";
    const B: &str = "nr_periods 150\nnr_throttled 30\nthrottled_time 3500000000\n";

    #[test]
    fn rates_come_with_their_denominator() {
        let interval = Interval::between(&snapshot(1, A), &snapshot(6, B)).unwrap();
        assert_eq!(interval.bandwidth.unwrap().nr_periods, 50);
        assert_eq!(interval.throttled_ratio(), Some(0.4));
        assert_eq!(interval.stall_ms_per_s(), Some(500.0));
        assert_eq!((interval.usage, interval.bursts), (None, None), "absent is not zero");
    }

    #[test]
    fn an_idle_group_has_no_ratio() {
        assert_eq!(Interval::between(&snapshot(1, A), &snapshot(2, A)).unwrap().throttled_ratio(), None);
    }

    #[test]
    fn a_recreated_group_is_no_interval() {
        let mut later = snapshot(2, B);
        later.id.inode = 8;
        assert!(matches!(Interval::between(&snapshot(1, A), &later), Err(Discontinuity::Recreated { .. })));
    }

    #[test]
    fn a_counter_that_ran_backwards_is_named() {
        let error = Interval::between(&snapshot(1, B), &snapshot(2, A)).unwrap_err();
        assert_eq!(error, Discontinuity::Backwards { counter: "nr_periods", before: 150, after: 100 });
    }

    #[test]
    fn readings_out_of_order_are_no_interval() {
        assert_eq!(Interval::between(&snapshot(2, A), &snapshot(2, B)), Err(Discontinuity::NoTime));
        assert_eq!(Interval::between(&snapshot(3, A), &snapshot(2, B)), Err(Discontinuity::NoTime));
    }

    #[test]
    fn members_usage_counts_young_threads_whole_and_old_ones_by_difference() {
        let thread = |tid, started_ticks, cpu| ThreadUsage { tid, started_ticks, cpu: Nanos::new(cpu) };
        let before = [thread(1, 5, 100), thread(2, 5, 900)];
        let after = [thread(1, 5, 130), thread(2, 50, 40), thread(3, 7, 5000)];
        // 1 went on, 2 is a young thread under a used id, 3 moved in with a past.
        assert_eq!(members(&before, &after, 40), Ok(Nanos::new(30 + 40)));
    }
}
