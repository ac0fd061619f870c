//! The median over blocks, with the interval that their order alone gives.

use serde::{Deserialize, Serialize};

use super::quantile::at_fraction;

/// Median of one number per block.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MedianInterval {
    /// The median.
    pub median: f64,
    /// A 95 % interval for it. `None` below six blocks: even the range of five covers the median in 93.75 % only.
    pub interval: Option<(f64, f64)>,
    /// How many blocks.
    pub blocks: u64,
}

/// The median of `values` and its distribution-free 95 % interval, from the k-th smallest to the k-th largest value
/// with the largest k that still covers (binomial with one half; Conover, Practical Nonparametric Statistics, 3.2).
///
/// `None` of nothing, or of anything that is no number.
#[must_use]
pub fn median_interval(values: &[f64]) -> Option<MedianInterval> {
    if values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let median = at_fraction(&sorted, 0.5)?;
    let interval = rank(sorted.len()).map(|k| (sorted[k - 1], sorted[sorted.len() - k]));
    Some(MedianInterval { median, interval, blocks: sorted.len() as u64 })
}

/// The largest k ≥ 1 with P(Bin(n, ½) < k) ≤ 2.5 %.
fn rank(n: usize) -> Option<usize> {
    let mut below = 0.0;
    // P(Bin(n, ½) = i), from i = 0; below n = 1000 it does not underflow, and nobody runs as many blocks.
    let mut term = 0.5_f64.powi(i32::try_from(n).ok()?);
    for k in 0..n {
        below += term;
        if below > 0.025 {
            return (k > 0).then_some(k);
        }
        term *= (n - k) as f64 / (k + 1) as f64;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_the_published_table() {
        // Ranks of the 95 % interval for a median, as in the usual tables: 6 → 1, 8 → 1, 9 → 2, 12 → 3, 20 → 6.
        for (n, expected) in
            [(1, None), (5, None), (6, Some(1)), (8, Some(1)), (9, Some(2)), (12, Some(3)), (20, Some(6))]
        {
            assert_eq!(rank(n), expected, "{n}");
        }
    }

    #[test]
    fn five_blocks_have_a_median_and_no_interval() {
        let found = median_interval(&[5.0, 1.0, 4.0, 2.0, 3.0]).unwrap();
        assert_eq!((found.median, found.interval, found.blocks), (3.0, None, 5));
    }

    #[test]
    fn eight_blocks_span_their_range() {
        let found = median_interval(&[8.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]).unwrap();
        assert_eq!((found.median, found.interval), (4.5, Some((1.0, 8.0))));
    }

    #[test]
    fn nothing_has_no_median() {
        assert_eq!(median_interval(&[]), None);
        assert_eq!(median_interval(&[1.0, f64::NAN]), None);
    }
}
