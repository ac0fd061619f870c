//! When periods end, finer than the samples tell.
//!
//! A step of `nr_periods` between two samples says that a period ended in between. The kernel's period timer keeps to
//! one grid (`hrtimer_forward_now` in `sched_cfs_period_timer`, kernel/sched/fair.c), so all steps of a block speak of
//! the same phase, and each narrows it down further.

use crate::record::SampleTable;

/// Samples further apart do not tell when a period ended.
const FINE_ENOUGH_NS: u64 = 25_000_000;
/// The timer fires a little late at times; steps that disagree by less with the grid so far are still of it.
const LATE_NS: i64 = 1_000_000;

/// Where periods end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Periods {
    ends: Vec<u64>,
}

impl Periods {
    /// From the steps of `nr_periods`. Where the steps do not agree on one grid, each end is put halfway between its
    /// two samples.
    pub(super) fn of(samples: &SampleTable, period_ns: u64) -> Self {
        let steps: Vec<(u64, u64)> = samples
            .at_ns
            .windows(2)
            .zip(samples.nr_periods.windows(2))
            .filter(|(at, periods)| {
                periods[1] > periods[0] && at[0] < at[1] && at[1] - at[0] <= FINE_ENOUGH_NS
            })
            .map(|(at, _)| (at[0], at[1]))
            .collect();
        let phase = phase(&steps, period_ns);
        let ends = steps
            .iter()
            .map(|&(from, to)| {
                let middle = from + (to - from) / 2;
                phase.map_or(middle, |phase| nearest(middle, phase, period_ns).clamp(from, to))
            })
            .collect();
        Self { ends }
    }

    /// All ends, in order.
    pub(super) fn ends(&self) -> &[u64] {
        &self.ends
    }

    /// The end within `from`..=`to`, if one is known.
    pub(super) fn end_within(&self, from: u64, to: u64) -> Option<u64> {
        let next = self.ends.partition_point(|end| *end < from);
        self.ends.get(next).copied().filter(|end| *end <= to)
    }
}

/// The middle of what all steps leave possible, as an instant within the first step; `None` when they leave nothing.
fn phase(steps: &[(u64, u64)], period_ns: u64) -> Option<u64> {
    let &(first, until) = steps.first()?;
    let period = i64::try_from(period_ns).ok().filter(|period| *period > 0)?;
    let (mut low, mut high) = (0_i64, i64::try_from(until - first).ok()?);
    for &(from, to) in steps {
        // Both ends relative to the first step, moved by whole periods to where they are nearest.
        let start = i64::try_from(from.checked_sub(first)? % period_ns).ok()?;
        let start = if start > period / 2 { start - period } else { start };
        let end = start.saturating_add(i64::try_from(to - from).ok()?);
        if start > high.saturating_add(LATE_NS) || end < low.saturating_sub(LATE_NS) {
            return None;
        }
        (low, high) = (low.max(start.min(high)), high.min(end.max(low)));
    }
    first.checked_add_signed(low + (high - low) / 2)
}

/// The point of the grid that is nearest to `at`.
fn nearest(at: u64, phase: u64, period_ns: u64) -> u64 {
    let ahead =
        (u128::from(at) + u128::from(period_ns) * 2 - u128::from(phase % period_ns)) % u128::from(period_ns);
    let ahead = u64::try_from(ahead).unwrap_or(0);
    if ahead <= period_ns / 2 { at.saturating_sub(ahead) } else { at.saturating_add(period_ns - ahead) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn samples(at: &[u64], phase: u64, period: u64) -> SampleTable {
        let nr_periods = at.iter().map(|at| (at + period - phase) / period).collect();
        SampleTable { at_ns: at.to_vec(), nr_periods, ..SampleTable::default() }
    }

    #[test]
    fn samples_that_drift_against_the_period_find_its_end() {
        let (period, phase) = (100_000_000, 43_000_000);
        let at: Vec<u64> = (0..300).map(|i| i * 10_700_000).collect();
        for end in Periods::of(&samples(&at, phase, period), period).ends() {
            assert!((end % period).abs_diff(phase) < 400_000, "{end}");
        }
    }

    #[test]
    fn samples_in_step_with_the_period_are_off_by_half_their_distance_at_most() {
        let (period, phase) = (100_000_000, 43_000_000);
        let at: Vec<u64> = (0..100).map(|i| i * 10_000_000).collect();
        assert_eq!(Periods::of(&samples(&at, phase, period), period).ends()[..2], [45_000_000, 145_000_000]);
    }

    #[test]
    fn a_grid_that_moves_falls_back_to_the_samples() {
        let mut table =
            samples(&(0..100).map(|i| i * 10_000_000).collect::<Vec<_>>(), 43_000_000, 100_000_000);
        table.nr_periods[59..].iter_mut().for_each(|periods| *periods += 1);
        assert_eq!(Periods::of(&table, 100_000_000).end_within(570_000_000, 590_000_000), Some(585_000_000));
    }

    #[test]
    fn without_the_counter_nothing_is_known() {
        let table = SampleTable { at_ns: vec![0, 10, 20], ..SampleTable::default() };
        assert_eq!(Periods::of(&table, 100), Periods::default());
    }

    proptest! {
        #[test]
        fn ends_stay_between_their_samples(
            at in prop::collection::vec(any::<u64>(), 0..30), periods in prop::collection::vec(0..9_u64, 0..30), period: u64,
        ) {
            let table = SampleTable { at_ns: at, nr_periods: periods, ..SampleTable::default() };
            let found = Periods::of(&table, period);
            let steps = table.at_ns.windows(2);
            for end in found.ends() {
                prop_assert!(steps.clone().any(|at| at[0] <= *end && *end <= at[1]));
            }
        }
    }
}
