//! What a group did in the last minute, point by point, and the same in as many cells as there is room for.

use std::collections::VecDeque;

use cgtune_core::{Interval, Nanos};

/// How far back.
pub(crate) const SPAN: Nanos = Nanos::new(60_000_000_000);

/// What happened between two looks.
#[derive(Debug, Clone, Copy)]
struct Point {
    at: Nanos,
    wall: Nanos,
    cpus: Option<f32>,
    stall: Option<f32>,
    /// Throttled periods and active ones.
    periods: Option<(u32, u32)>,
}

/// A minute of points, the newest last.
#[derive(Debug, Default)]
pub(crate) struct History(VecDeque<Point>);

impl History {
    /// Adds what happened until `at`, and forgets what is older than [`SPAN`].
    #[allow(clippy::cast_possible_truncation, reason = "for a chart")]
    pub(crate) fn push(&mut self, at: Nanos, interval: &Interval) {
        let count = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        self.0.push_back(Point {
            at,
            wall: interval.wall,
            cpus: interval.cpus_used().map(|cpus| cpus as f32),
            stall: interval.stall_ms_per_s().map(|stall| stall as f32),
            periods: interval.bandwidth.map(|b| (count(b.nr_throttled), count(b.nr_periods))),
        });
        while self.0.front().is_some_and(|first| first.at.saturating_add(SPAN) < at) {
            self.0.pop_front();
        }
    }

    /// CPUs used in the minute before `now`, in so many cells. `None`: not known.
    pub(crate) fn cpus(&self, now: Nanos, cells: usize) -> Vec<Option<f64>> {
        self.in_cells(now, cells, |points| mean(points, |point| point.cpus))
    }

    /// Milliseconds stalled a second, likewise.
    pub(crate) fn stall(&self, now: Nanos, cells: usize) -> Vec<Option<f64>> {
        self.in_cells(now, cells, |points| mean(points, |point| point.stall))
    }

    /// Part of the active periods that ended throttled, likewise; `None` without an active period.
    pub(crate) fn throttled(&self, now: Nanos, cells: usize) -> Vec<Option<f64>> {
        self.in_cells(now, cells, |points| {
            let (throttled, all) = points
                .iter()
                .filter_map(|point| point.periods)
                .fold((0.0, 0.0), |(a, b), (throttled, all)| (a + f64::from(throttled), b + f64::from(all)));
            (all > 0.0).then(|| throttled / all)
        })
    }

    fn in_cells(&self, now: Nanos, cells: usize, of: impl Fn(&[&Point]) -> Option<f64>) -> Vec<Option<f64>> {
        let ages: Vec<(f64, &Point)> =
            self.0.iter().filter_map(|point| Some((now.checked_sub(point.at)?.as_secs(), point))).collect();
        let width = SPAN.as_secs() / cells.max(1) as f64;
        let cell = |i: usize| {
            // Counted from the right, which is now.
            let newest = (cells - 1 - i) as f64 * width;
            let inside: Vec<&Point> = ages
                .iter()
                .filter(|(age, _)| (newest..newest + width).contains(age))
                .map(|&(_, point)| point)
                .collect();
            if !inside.is_empty() {
                return of(&inside);
            }
            // Finer than the points are apart: the one whose time covers the middle of the cell.
            let middle = newest + width / 2.0;
            let covers =
                |&&(age, point): &&(f64, &Point)| (age..age + point.wall.as_secs()).contains(&middle);
            ages.iter().find(covers).and_then(|&(_, point)| of(&[point]))
        };
        (0..cells).map(cell).collect()
    }
}

fn mean(points: &[&Point], of: impl Fn(&Point) -> Option<f32>) -> Option<f64> {
    let (mut sum, mut wall) = (0.0, 0.0);
    for (value, point) in points.iter().filter_map(|point| Some((of(point)?, point))) {
        sum += f64::from(value) * point.wall.as_secs();
        wall += point.wall.as_secs();
    }
    (wall > 0.0).then(|| sum / wall)
}

#[cfg(test)]
mod tests {
    use cgtune_core::interval::BandwidthDelta;

    use super::*;

    fn second(nr_throttled: u64, nr_periods: u64) -> Interval {
        Interval {
            wall: Nanos::new(1_000_000_000),
            bandwidth: Some(BandwidthDelta { nr_periods, nr_throttled, throttled: Nanos::new(50_000_000) }),
            bursts: None,
            local_throttled: None,
            usage: Some(Nanos::new(500_000_000)),
            pressure: None,
        }
    }

    fn at(second: u64) -> Nanos {
        Nanos::new(second * 1_000_000_000)
    }

    #[test]
    fn a_minute_fits_any_number_of_cells_and_the_newest_is_at_the_right() {
        let mut history = History::default();
        for s in 1..=90 {
            history.push(at(s), &second(u64::from(s > 80) * 10, 10));
        }
        assert_eq!(history.0.len(), 61, "a minute and its beginning");
        assert_eq!(
            history.throttled(at(90), 6),
            [Some(0.0), Some(0.0), Some(0.0), Some(0.0), Some(0.0), Some(1.0)]
        );
        assert!(history.throttled(at(90), 120).iter().all(Option::is_some), "finer than the points");
        assert_eq!(history.cpus(at(90), 1), [Some(0.5)]);
        assert_eq!(history.stall(at(90), 1), [Some(50.0)]);
        assert_eq!(history.cpus(at(90), 0), []);
    }

    #[test]
    fn what_is_not_known_is_no_zero() {
        let mut history = History::default();
        history.push(at(100), &second(0, 0));
        assert_eq!(history.throttled(at(100), 2), [None, None], "no active period, no ratio");
        assert_eq!(history.stall(at(100), 2), [None, Some(50.0)]);
    }
}
