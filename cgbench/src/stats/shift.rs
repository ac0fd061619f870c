//! By how much one sample lies above another: the Hodges–Lehmann shift.
//!
//! Hodges and Lehmann 1963; the interval is that of Moses, as in Hollander, Wolfe and Chicken, Nonparametric
//! Statistical Methods, 4.3: the shifts that a two-sided Mann–Whitney test would not reject.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use super::{null::inversions_of_two, quantile::at_fraction, rank::EXACT_VALUES};

/// The shift of `b` against `a`, in the unit of the values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// The median of all differences between a value of `b` and one of `a`.
    pub shift: f64,
    /// Covers the true shift with at least the confidence asked for, whatever the distribution, if `b` is `a` moved
    /// along. `None` where the samples are too small: even all differences together cover it less often.
    pub interval: Option<(f64, f64)>,
    /// The confidence asked for, such as 0.95.
    pub confidence: f64,
}

/// Estimates the shift of `b` against `a`.
///
/// `None` where one of them is empty or holds anything that is not finite, or where `confidence` does not lie between 0
/// and 1. With ties it covers at least as often.
///
/// ```
/// # use cgbench::stats::shift::hodges_lehmann;
/// let found = hodges_lehmann(&[1.0, 2.0, 3.0, 4.0], &[11.0, 12.0, 13.0, 14.0], 0.95).unwrap();
/// assert_eq!((found.shift, found.interval), (10.0, Some((7.0, 13.0))));
/// ```
#[must_use]
pub fn hodges_lehmann(a: &[f64], b: &[f64], confidence: f64) -> Option<Shift> {
    if !(confidence > 0.0 && confidence < 1.0) || a.iter().chain(b).any(|value| !value.is_finite()) {
        return None;
    }
    let mut differences: Vec<f64> = b.iter().flat_map(|b| a.iter().map(move |a| b - a)).collect();
    differences.sort_by(f64::total_cmp);
    let shift = at_fraction(&differences, 0.5)?;
    let interval =
        rank(a.len(), b.len(), confidence).map(|k| (differences[k - 1], differences[differences.len() - k]));
    Some(Shift { shift, interval, confidence })
}

/// The largest k ≥ 1 with P(U < k) ≤ (1 − confidence) / 2: the interval goes from the k-th smallest to the k-th largest
/// difference.
fn rank(n: usize, m: usize, confidence: f64) -> Option<usize> {
    // One part in 10¹² of slack, so that a probability that is exactly (1 − 0.95) / 2 does not fail by its last bit.
    let tail = (1.0 - confidence) / 2.0 * (1.0 + 1e-12);
    if n + m > EXACT_VALUES {
        let (pairs, all) = ((n * m) as f64, (n + m) as f64);
        let z = Normal::standard().inverse_cdf(tail);
        // P(U < k) = P(U ≤ k − 1), and half a step for continuity.
        let k = (pairs / 2.0 + z * (pairs * (all + 1.0) / 12.0).sqrt() + 0.5).floor();
        return (k >= 1.0).then_some(k as usize);
    }
    let counts = inversions_of_two(n, m);
    let all: f64 = counts.iter().sum();
    let mut below = 0.0;
    let k = counts.iter().take_while(|&count| {
        below += count;
        below / all <= tail
    });
    Some(k.count()).filter(|&k| k > 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_pcg::Pcg64Mcg;

    use super::*;

    #[test]
    fn ranks_are_those_of_the_published_table() {
        // Lower critical value of a two-sided 5 % test plus one: 3+4 none, 4+4 → 0, 5+5 → 2, 8+8 → 13, 10+10 → 23
        // (any table of U).
        for (n, m, expected) in
            [(3, 4, None), (4, 4, Some(1)), (5, 5, Some(3)), (8, 8, Some(14)), (10, 10, Some(24))]
        {
            assert_eq!(rank(n, m, 0.95), expected, "{n} + {m}");
        }
    }

    #[test]
    fn three_against_three_have_a_shift_and_no_interval() {
        let found = hodges_lehmann(&[1.0, 2.0, 3.0], &[3.0, 4.0, 5.0], 0.95).unwrap();
        assert_eq!((found.shift, found.interval), (2.0, None));
        assert_eq!(
            hodges_lehmann(&[1.0, 2.0, 3.0], &[3.0, 4.0, 5.0], 0.9).unwrap().interval,
            Some((0.0, 4.0))
        );
    }

    #[test]
    fn what_is_no_sample_or_no_confidence_has_no_answer() {
        assert_eq!(hodges_lehmann(&[], &[1.0], 0.95), None);
        assert_eq!(hodges_lehmann(&[1.0], &[f64::INFINITY], 0.95), None);
        assert_eq!(hodges_lehmann(&[1.0], &[1.0], 1.0), None);
        assert_eq!(hodges_lehmann(&[1.0], &[1.0], f64::NAN), None);
    }

    #[test]
    fn an_interval_covers_as_often_as_it_says() {
        // Skewed values (an exponential's cube), 7 against 6, moved by 2. Exact coverage is that of k, 96.5 %; 4,000
        // draws have a standard error of 0.3 points.
        let mut random = Pcg64Mcg::seed_from_u64(11);
        let mut draw = |n: usize| -> Vec<f64> {
            (0..n).map(|_| (-(1.0 - random.random::<f64>()).ln()).powi(3)).collect()
        };
        let covered = (0..4000).filter(|_| {
            let (a, b) = (draw(7), draw(6).iter().map(|value| value + 2.0).collect::<Vec<_>>());
            let (low, high) = hodges_lehmann(&a, &b, 0.95).unwrap().interval.unwrap();
            low <= 2.0 && 2.0 <= high
        });
        let covered = covered.count() as f64 / 4000.0;
        let k = rank(7, 6, 0.95).unwrap();
        let exact = 1.0 - 2.0 * inversions_of_two(7, 6)[..k].iter().sum::<f64>() / 1716.0;
        assert!(exact >= 0.95 && (covered - exact).abs() < 0.012, "{covered} of {exact}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn the_shift_follows_the_sample_and_lies_in_its_interval(
            a in prop::collection::vec(-9i32..9, 1..40), b in prop::collection::vec(-9i32..9, 1..40), by in -100i32..100,
        ) {
            let [a, b] = [a, b].map(|values| values.into_iter().map(f64::from).collect::<Vec<_>>());
            let moved: Vec<f64> = b.iter().map(|value| value + f64::from(by)).collect();
            let (here, there) =
                (hodges_lehmann(&a, &b, 0.95).unwrap(), hodges_lehmann(&a, &moved, 0.95).unwrap());
            prop_assert_eq!(here.shift + f64::from(by), there.shift);
            if let Some((low, high)) = here.interval {
                prop_assert!(low <= here.shift && here.shift <= high);
            }
        }
    }
}
