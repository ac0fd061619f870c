//! When the quota ran out, and what came together then: readings become periods, and runs of throttled periods become
//! [`Episode`]s.
//!
//! The counters tell at which reading a period ended and whether it ended throttled; usage in between tells how much of
//! the quota it took. A group that is throttled uses nothing until its next refill, so what it used before a throttled
//! end is exact, and only unthrottled ends are uncertain by one reading.

use super::watched::{Runnable, Series};
use crate::{Nanos, ObservedBandwidth};

/// Periods that ended between two readings, most often one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    /// When the one before ended.
    pub(super) from: Nanos,
    /// When the reading was that showed its end.
    pub(super) to: Nanos,
    pub(super) periods: u64,
    pub(super) throttled: u64,
    /// CPU time used, in ns.
    pub(super) usage: u64,
    /// Throttled time that was counted, in ns.
    pub(super) stall: u64,
}

/// The periods of a series. `None`: it has no bandwidth counters or no usage, or one ran backwards.
pub(super) fn cells(series: &Series) -> Option<Vec<Cell>> {
    let mut cells = Vec::new();
    let (mut usage, mut stall, mut from) = (0, 0, series.readings.first()?.at);
    for pair in series.readings.windows(2) {
        let [a, b] = pair else { continue };
        let (before, after) = (a.bandwidth?, b.bandwidth?);
        let used = b.usage?.checked_sub(a.usage?)?.get();
        let periods = after.nr_periods.since(before.nr_periods)?;
        let throttled = after.nr_throttled.since(before.nr_throttled)?;
        stall += after.throttled.checked_sub(before.throttled)?.get();
        if periods == 0 {
            usage += used;
            continue;
        }
        // What was used in this slice before the period's end.
        let ended = match (periods, throttled) {
            (1, 0) => used / 2,
            (1, _) => 0,
            _ => used,
        };
        cells.push(Cell { from, to: b.at, periods, throttled, usage: usage + ended, stall });
        (usage, stall, from) = (used - ended, 0, b.at);
    }
    Some(cells)
}

/// A run of periods that ended throttled, with what was left over for the period after.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Episode {
    /// Periods that ended throttled.
    pub(super) periods: u64,
    /// CPU time used in them, over what their quotas were.
    pub(super) of_quota: f64,
    /// Throttled time, in ns.
    pub(super) stall: u64,
    /// CPU time that came together: what was used in the run, and what was left for the period after, in ns.
    pub(super) together: u64,
    /// What had been left unused of the quotas before, at most one quota's worth, in ns.
    pub(super) saved: u64,
    /// Threads that could run, when they were counted; the most.
    pub(super) wanting: Option<u32>,
}

/// The runs of throttled periods.
pub(super) fn episodes(cells: &[Cell], limit: &ObservedBandwidth, runnable: &[Runnable]) -> Vec<Episode> {
    let Some(quota) = limit.quota.limited().map(|quota| quota.to_nanos().get()) else { return Vec::new() };
    let period = limit.period.to_nanos().get().max(1);
    let mut episodes = Vec::new();
    let mut saved = quota;
    let mut rest = cells;
    while let Some(first) = rest.first() {
        if first.throttled == 0 {
            // Refills go by time: a group that idles has its quota full.
            let refills = first.to.get().saturating_sub(first.from.get()).div_ceil(period).max(first.periods);
            saved =
                saved.saturating_add(refills.saturating_mul(quota)).saturating_sub(first.usage).min(quota);
            rest = &rest[1..];
            continue;
        }
        let length = rest.iter().take_while(|cell| cell.throttled > 0).count();
        let (run, after) = rest.split_at(length);
        let sum = |of: fn(&Cell) -> u64| run.iter().map(of).fold(0_u64, u64::saturating_add);
        let used = sum(|cell| cell.usage);
        let left = after.first().map_or(0, |cell| cell.usage.min(quota));
        let (from, to) = (first.from, run.last().map_or(first.to, |cell| cell.to));
        let counted = runnable.iter().filter(|count| count.at >= from && count.at <= to);
        episodes.push(Episode {
            periods: sum(|cell| cell.throttled),
            of_quota: used as f64 / (sum(|cell| cell.periods).saturating_mul(quota)).max(1) as f64,
            stall: sum(|cell| cell.stall),
            together: used.saturating_add(left),
            saved,
            wanting: counted.map(|count| count.threads).max().filter(|&threads| threads > 0),
        });
        saved = 0;
        rest = after;
    }
    episodes
}

impl Episode {
    /// Whether it would have passed without a stall had there been a burst of one quota, or a period of up to a second at
    /// the same limit. `at_once`: CPUs that it can use at a time.
    pub(super) fn fits(&self, limit: &ObservedBandwidth, at_once: u64) -> bool {
        let (Some(quota), period) = (limit.quota.limited(), limit.period.to_nanos().get().max(1)) else {
            return true;
        };
        let quota = quota.to_nanos().get();
        // While it works unhindered, further quotas come in.
        let lasting = self.together / at_once.max(1);
        let with_burst = quota + self.saved.min(quota) + (lasting / period).saturating_mul(quota);
        let longest = crate::policy::MAX_PERIOD.to_nanos().get();
        let of_longest = u128::from(quota) * u128::from(longest) / u128::from(period);
        let with_period = of_longest * u128::from(1 + lasting / longest);
        self.together <= with_burst || u128::from(self.together) <= with_period
    }
}
