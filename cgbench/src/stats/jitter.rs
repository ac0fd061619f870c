//! How unevenly items come out that were to go in evenly: jitter between completions of an open-loop series.
//!
//! Of two consecutive items, how much further apart (or nearer) their ends are than their intended starts were: |D|
//! of RFC 3550 section 6.4.1, the variation of delay of RFC 3393. A constant delay has none, however long; for
//! whoever plays the items at their pace it is what a buffer must hold. The interval of the clock, jittered itself or
//! not, is taken out.

use serde::{Deserialize, Serialize};

use super::{Level, quantile::of_sorted};

/// Jitter over the consecutive pairs of a series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Jitter {
    /// How many pairs: one less than items.
    pub pairs: u64,
    /// Their mean.
    pub mean_us: f64,
    /// The median; each quantile is `None` with fewer than [`Level::needed`] pairs.
    pub p50_us: Option<f64>,
    /// One pair in twenty has more.
    pub p95_us: Option<f64>,
    /// One pair in a hundred has more.
    pub p99_us: Option<f64>,
    /// One pair in a thousand has more.
    #[serde(rename = "p99_9_us")]
    pub p999_us: Option<f64>,
}

/// The jitter of each pair of consecutive items, in their order: items are in that of their intended starts, and the
/// shorter slice decides how many there are. Pairs of two blocks do not belong together.
///
/// ```
/// # use cgbench::stats::jitter::pairs_us;
/// // Every 10 µs, late by 3, 5 and 1 µs.
/// assert_eq!(pairs_us(&[0, 10_000, 20_000], &[3_000, 15_000, 21_000]), [2.0, 4.0]);
/// ```
#[must_use]
pub fn pairs_us(intended_ns: &[u64], end_ns: &[u64]) -> Vec<f64> {
    let delays: Vec<i128> = intended_ns
        .iter()
        .zip(end_ns)
        .map(|(&intended, &end)| i128::from(end) - i128::from(intended))
        .collect();
    delays.windows(2).map(|pair| pair[0].abs_diff(pair[1]) as f64 / 1000.0).collect()
}

impl Jitter {
    /// Of the pairs of one block, or of several, in any order. `None` without a pair.
    #[must_use]
    pub fn of(mut pairs_us: Vec<f64>) -> Option<Self> {
        if pairs_us.is_empty() {
            return None;
        }
        pairs_us.sort_by(f64::total_cmp);
        let [p50_us, p95_us, p99_us, p999_us] = Level::REPORTED.map(|level| of_sorted(&pairs_us, level));
        let mean_us = pairs_us.iter().sum::<f64>() / pairs_us.len() as f64;
        Some(Self { pairs: pairs_us.len() as u64, mean_us, p50_us, p95_us, p99_us, p999_us })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_constant_delay_has_no_jitter() {
        let intended: Vec<u64> = (0..300).map(|i| i * 33_333 + i % 7 * 100).collect();
        let end: Vec<u64> = intended.iter().map(|start| start + 5_000_000).collect();
        let found = Jitter::of(pairs_us(&intended, &end)).unwrap();
        assert_eq!(
            (found.pairs, found.mean_us, found.p50_us, found.p95_us),
            (299, 0.0, Some(0.0), Some(0.0))
        );
    }

    #[test]
    fn too_few_pairs_have_a_mean_and_no_quantile() {
        let found = Jitter::of(pairs_us(&[0, 1000, 2000], &[500, 2500, 2500])).unwrap();
        assert_eq!((found.pairs, found.mean_us, found.p50_us), (2, 1.0, None));
        let found = Jitter::of(vec![1.0; 999]).unwrap();
        assert_eq!((found.p95_us, found.p99_us, found.p999_us), (Some(1.0), None, None));
    }

    #[test]
    fn one_item_has_no_jitter() {
        assert_eq!(Jitter::of(pairs_us(&[5], &[6])), None);
        assert_eq!(Jitter::of(pairs_us(&[], &[])), None);
    }

    proptest! {
        #[test]
        fn jitter_is_what_the_gaps_of_the_ends_have_more_or_less_than_those_of_the_starts(
            items in prop::collection::vec((0u64..1 << 40, 0u64..1 << 40), 0..40),
        ) {
            let (intended, end): (Vec<u64>, Vec<u64>) = items.iter().copied().unzip();
            let gap = |times: &[u64], i: usize| times[i + 1] as f64 - times[i] as f64;
            let found = pairs_us(&intended, &end);
            prop_assert_eq!(found.len(), items.len().saturating_sub(1));
            for (i, jitter) in found.into_iter().enumerate() {
                prop_assert_eq!(jitter, (gap(&end, i) - gap(&intended, i)).abs() / 1000.0);
            }
        }
    }
}
