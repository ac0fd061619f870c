//! Where a series of runs over time took a step, if it did: Pettitt's rank statistic, and binary segmentation for
//! several steps.
//!
//! Pettitt 1979, "A non-parametric approach to the change-point problem". Ranks alone count, so one wild run moves
//! nothing; a step near either end is hard to see, and may be put a little nearer to the middle. Its own
//! approximation of p is poor for short series: here orders are counted or drawn.

use std::ops::Range;

use rand::{SeedableRng, seq::SliceRandom};
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};

use super::{
    Method,
    method::{DRAWS, of_draws},
    midrank::Midranks,
    shift::{Shift, hodges_lehmann},
};

/// Runs below which there is no answer: in seven distinct ones even the clearest step has a p of 10 %, in eight one
/// of 2.9 %.
pub const MIN_RUNS: usize = 8;

/// Runs up to which every order is counted: 9! = 362,880.
const EXACT_RUNS: usize = 9;

/// Confidence of the interval of a step.
const CONFIDENCE: f64 = 0.95;

/// The most likely step of a series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChangePoint {
    /// Index of the first run after the step.
    pub at: usize,
    /// Pettitt's K: the largest |U| over all splits, U being pairs across the split that rise less those that fall.
    pub k: u64,
    /// Probability of such a K or a larger one, anywhere in the series, when the order of runs has no meaning.
    pub p: f64,
    /// [`Method::Exact`] for eight and nine runs, else [`Method::MonteCarlo`].
    pub method: Method,
    /// By how much the runs after it lie above those before.
    pub shift: Shift,
}

/// The most likely step of `values`, which are in order of time: the earliest where several are equally likely.
///
/// There is always one; whether it is more than chance is for `p` to say. `None` below [`MIN_RUNS`] runs, where all
/// are equal, and where a value is not finite. `seed` matters only where orders are drawn.
///
/// ```
/// # use cgbench::stats::changepoint::change_point;
/// let found = change_point(&[1.0, 2.0, 3.0, 2.0, 12.0, 13.0, 12.0, 11.0], 1).unwrap();
/// assert_eq!((found.at, found.shift.shift), (4, 10.0));
/// assert!(found.p < 0.03);
/// ```
#[must_use]
pub fn change_point(values: &[f64], seed: u64) -> Option<ChangePoint> {
    if values.len() < MIN_RUNS || values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let ranks = Midranks::of(values).doubled;
    let (at, k) = pettitt(&ranks);
    if k == 0 {
        return None;
    }
    let (p, method) = if values.len() <= EXACT_RUNS {
        (counted(&ranks, k), Method::Exact)
    } else {
        (drawn(&ranks, k, seed), Method::MonteCarlo)
    };
    let shift = hodges_lehmann(&values[..at], &values[at..], CONFIDENCE)?;
    Some(ChangePoint { at, k, p, method, shift })
}

/// Up to `most` steps, in order of time, each with p ≤ `alpha` within the stretch of runs in which it was found; its
/// shift is between the steps to its left and to its right.
///
/// The series is split at its step, then each part at its own, that with the smallest p first. Parts are looked at
/// only after the whole has shown a step: without any, the chance of finding one is `alpha` at most. With one,
/// further ones are found by mistake somewhat more often.
#[must_use]
pub fn change_points(values: &[f64], alpha: f64, most: usize, seed: u64) -> Vec<ChangePoint> {
    let candidate = |range: Range<usize>| {
        let point = change_point(&values[range.clone()], seed).filter(|point| point.p <= alpha)?;
        Some((range.clone(), ChangePoint { at: range.start + point.at, ..point }))
    };
    let mut open: Vec<_> = candidate(0..values.len()).into_iter().collect();
    let mut found = Vec::new();
    while found.len() < most {
        let Some(best) = (0..open.len()).min_by(|&i, &j| open[i].1.p.total_cmp(&open[j].1.p)) else { break };
        let (range, point) = open.swap_remove(best);
        open.extend([range.start..point.at, point.at..range.end].into_iter().filter_map(candidate));
        found.push(point);
    }
    found.sort_by_key(|point| point.at);
    let ends: Vec<usize> =
        [0].into_iter().chain(found.iter().map(|point| point.at)).chain([values.len()]).collect();
    for (point, ends) in found.iter_mut().zip(ends.windows(3)) {
        let between = hodges_lehmann(&values[ends[0]..ends[1]], &values[ends[1]..ends[2]], CONFIDENCE);
        point.shift = between.unwrap_or(point.shift);
    }
    found
}

/// Where |U| is largest, and how large: after t runs U is t(N + 1) less twice the sum of their ranks.
fn pettitt(doubled: &[u32]) -> (usize, u64) {
    let step = doubled.len() as i64 + 1;
    let (mut u, mut best) = (0_i64, (0, 0));
    for (i, &rank) in doubled.iter().enumerate() {
        u += step - i64::from(rank);
        if u.unsigned_abs() > best.1 {
            best = (i + 1, u.unsigned_abs());
        }
    }
    best
}

/// p over all orders, by Heap's algorithm.
fn counted(ranks: &[u32], k: u64) -> f64 {
    let mut ranks = ranks.to_vec();
    let (mut all, mut as_extreme) = (1_u64, u64::from(pettitt(&ranks).1 >= k));
    let mut turns = vec![0; ranks.len()];
    let mut i = 1;
    while i < ranks.len() {
        if turns[i] < i {
            ranks.swap(if i % 2 == 0 { 0 } else { turns[i] }, i);
            all += 1;
            as_extreme += u64::from(pettitt(&ranks).1 >= k);
            turns[i] += 1;
            i = 1;
        } else {
            turns[i] = 0;
            i += 1;
        }
    }
    as_extreme as f64 / all as f64
}

/// p over [`DRAWS`] shuffles.
fn drawn(ranks: &[u32], k: u64, seed: u64) -> f64 {
    let mut ranks = ranks.to_vec();
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let shuffles = (0..DRAWS).filter(|_| {
        ranks.shuffle(&mut random);
        pettitt(&ranks).1 >= k
    });
    of_draws(shuffles.count() as u64, DRAWS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::RngExt;

    use super::*;

    /// So many runs at each level, with a saw of ±1 on top.
    fn steps(levels: &[(usize, f64)]) -> Vec<f64> {
        let runs = levels.iter().flat_map(|&(runs, level)| std::iter::repeat_n(level, runs));
        runs.enumerate().map(|(i, level)| level + [0.0, 1.0, -1.0, 0.5, -0.5][i % 5]).collect()
    }

    #[test]
    fn the_shortest_series_is_the_first_in_which_a_step_can_be_seen() {
        let p = |runs: u32| {
            let ranks: Vec<u32> = (1..=runs).map(|rank| 2 * rank).collect();
            counted(&ranks, pettitt(&ranks).1)
        };
        assert_eq!(p(7), 0.1);
        // Four below four, in any order, rising or falling.
        assert_eq!(p(8), 2.0 * 24.0 * 24.0 / 40_320.0);
        assert_eq!(change_point(&[1.0, 1.0, 1.0, 9.0, 9.0, 9.0, 9.0], 1), None);
    }

    #[test]
    fn one_step_is_found_where_it_is() {
        for at in [6, 15, 24] {
            let found = change_point(&steps(&[(at, 10.0), (30 - at, 14.0)]), 1).unwrap();
            assert!(found.at.abs_diff(at) <= 1, "{found:?}");
            assert!(found.p < 0.01 && (found.shift.shift - 4.0).abs() < 0.51, "{found:?}");
            let (low, high) = found.shift.interval.unwrap();
            assert!(low > 0.0 && high < 8.0);
        }
    }

    #[test]
    fn a_wild_run_is_no_step() {
        let mut runs = steps(&[(20, 10.0)]);
        runs[12] = 1e6;
        assert!(change_point(&runs, 1).unwrap().p > 0.2);
        assert_eq!(change_points(&runs, 0.05, 5, 1), []);
    }

    #[test]
    fn several_steps_are_found_in_their_order_and_no_more_than_asked_for() {
        let runs = steps(&[(12, 10.0), (12, 20.0), (12, 5.0)]);
        let found = change_points(&runs, 0.05, 5, 1);
        assert_eq!(found.iter().map(|point| point.at).collect::<Vec<_>>(), [12, 24]);
        assert!((found[0].shift.shift - 10.0).abs() < 0.51 && (found[1].shift.shift + 15.0).abs() < 0.51);
        assert_eq!(change_points(&runs, 0.05, 1, 1).len(), 1);
        assert_eq!(change_points(&runs, 0.05, 0, 1), []);
        assert_eq!(change_points(&[], 0.05, 5, 1), []);
    }

    #[test]
    fn without_a_step_one_is_claimed_as_rarely_as_promised() {
        // 200 series of 8 independent, skewed runs at 10 %: the standard error is 2.1 points.
        let mut random = Pcg64Mcg::seed_from_u64(5);
        let claimed = (0..200).filter(|_| {
            let runs: Vec<f64> = (0..8).map(|_| -(1.0 - random.random::<f64>()).ln()).collect();
            !change_points(&runs, 0.1, 3, 0).is_empty()
        });
        let claimed = claimed.count();
        assert!((3..=32).contains(&claimed), "{claimed} of 200");
    }

    #[test]
    fn shuffling_says_what_counting_says() {
        let ranks = Midranks::of(&[3.0, 1.0, 2.0, 2.0, 6.0, 5.0, 9.0, 4.0, 7.0]).doubled;
        let (_, k) = pettitt(&ranks);
        let (exact, random) = (counted(&ranks, k), drawn(&ranks, k, 3));
        // Four standard errors of 20,000 draws.
        assert!(
            (exact - random).abs() < 4.0 * (exact * (1.0 - exact) / DRAWS as f64).sqrt(),
            "{exact} {random}"
        );
    }

    #[test]
    fn equal_runs_and_no_numbers_have_no_step() {
        assert_eq!(change_point(&[1.0; 20], 1), None);
        assert_eq!(change_point(&[[1.0; 9].as_slice(), &[f64::NAN]].concat(), 1), None);
    }

    proptest! {
        #[test]
        fn u_counts_pairs_across_the_split(values in prop::collection::vec(-9i8..9, 1..30)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let (at, k) = pettitt(&Midranks::of(&values).doubled);
            let u = |at: usize| -> i64 {
                let (before, after) = values.split_at(at);
                before.iter().flat_map(|x| after.iter().map(move |y| i64::from(y > x) - i64::from(y < x))).sum()
            };
            prop_assert_eq!((0..=values.len()).map(|at| u(at).unsigned_abs()).max(), Some(k));
            prop_assert_eq!(u(at).unsigned_abs(), k);
        }
    }
}
