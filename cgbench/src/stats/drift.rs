//! Whether values drift while blocks go by: Mann and Kendall's test, and the slope of Theil and Sen.
//!
//! Mann 1945, "Nonparametric tests against trend"; Kendall 1975, Rank Correlation Methods; Sen 1968. Any monotone
//! drift counts, straight or not, and one wild block moves little. Blocks whose neighbours resemble them look like a
//! drift.

use serde::{Deserialize, Serialize};

use super::{Method, midrank::Midranks, null::inversions, quantile::at_fraction, tails::Tails};

/// Blocks up to which orders are counted.
pub const EXACT_BLOCKS: usize = 50;

/// A drift over the order of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Kendall's S: pairs of blocks of which the later has the greater value, less those of which it has the smaller.
    pub s: i64,
    /// Probability of an S at least so far off in either direction (twice the smaller tail) when order has no meaning.
    pub p_two_sided: f64,
    /// Probability of such an S or a greater one.
    pub p_rising: f64,
    /// [`Method::Exact`] up to [`EXACT_BLOCKS`], with or without ties; else [`Method::Normal`] with corrections for
    /// ties and continuity.
    pub method: Method,
    /// The median slope over all pairs of blocks, in the unit of the values per place.
    pub slope: f64,
}

/// Looks for a drift in (place, value): places are those in the order of the run, or times, and rise from pair to pair.
///
/// `None` for fewer than two pairs, where a place does not lie above the one before, and where anything is not
/// finite. How few are too few is for p to say: it is 1/3 at best for three, 1/12 for four, 1/60 for five.
///
/// ```
/// # use cgbench::stats::drift::drift;
/// // Third, fifth, … block of a run: half a unit a place.
/// let found = drift(&[(2.0, 1.0), (4.0, 2.0), (7.0, 3.5), (8.0, 4.0)]).unwrap();
/// assert_eq!((found.s, found.slope, found.p_rising), (6, 0.5, 1.0 / 24.0));
/// ```
#[must_use]
pub fn drift(series: &[(f64, f64)]) -> Option<Drift> {
    if series.iter().any(|(place, value)| !place.is_finite() || !value.is_finite())
        || !series.windows(2).all(|pair| pair[0].0 < pair[1].0)
    {
        return None;
    }
    let pairs = || {
        series
            .iter()
            .enumerate()
            .flat_map(|(i, &later)| series[..i].iter().map(move |&sooner| (sooner, later)))
    };
    let mut slopes: Vec<f64> =
        pairs().map(|((x, y), (later_x, later_y))| (later_y - y) / (later_x - x)).collect();
    slopes.sort_by(f64::total_cmp);
    let slope = at_fraction(&slopes, 0.5)?;
    let s: i64 = pairs().map(|((_, y), (_, later))| i64::from(later > y) - i64::from(later < y)).sum();

    let values: Vec<f64> = series.iter().map(|(_, value)| *value).collect();
    let ranks = Midranks::of(&values);
    let (tails, method) = if series.len() <= EXACT_BLOCKS {
        let falling = pairs().filter(|((_, y), (_, later))| later < y).count();
        // Few falling pairs are much drift upwards.
        (Tails::counted(&inversions(&ranks.groups), falling).mirrored(), Method::Exact)
    } else {
        let of = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
        let tied: f64 = ranks.groups.iter().map(|&group| of(group as f64)).sum();
        let variance = (of(series.len() as f64) - tied) / 18.0;
        (Tails::normal(s as f64, 0.0, variance, 1.0), Method::Normal)
    };
    Some(Drift { s, p_two_sided: tails.two_sided(), p_rising: tails.at_least, method, slope })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn series(values: impl IntoIterator<Item = f64>) -> Vec<(f64, f64)> {
        values.into_iter().enumerate().map(|(i, value)| (i as f64, value)).collect()
    }

    /// Every order of these values, by brute force: S of each.
    fn orders(values: &[f64]) -> Vec<i64> {
        if values.len() < 2 {
            return vec![0];
        }
        (0..values.len())
            .flat_map(|first| {
                let mut rest = values.to_vec();
                let value = rest.remove(first);
                let s: i64 =
                    rest.iter().map(|&later| i64::from(later > value) - i64::from(later < value)).sum();
                orders(&rest).into_iter().map(move |more| s + more)
            })
            .collect()
    }

    #[test]
    fn a_wild_block_moves_the_slope_little() {
        let mut blocks = series((0..12).map(|i| 100.0 + 2.0 * f64::from(i)));
        blocks[4].1 = 1e6;
        let found = drift(&blocks).unwrap();
        assert_eq!(found.slope, 2.0);
        assert!(found.p_rising < 0.001);
    }

    #[test]
    fn level_values_do_not_drift() {
        for n in [4, 60] {
            let found = drift(&series(vec![3.0; n])).unwrap();
            assert_eq!((found.s, found.slope, found.p_two_sided), (0, 0.0, 1.0));
        }
    }

    #[test]
    fn what_has_no_order_has_no_drift() {
        assert_eq!(drift(&[(0.0, 1.0)]), None);
        assert_eq!(drift(&[(0.0, 1.0), (0.0, 2.0)]), None);
        assert_eq!(drift(&[(1.0, 1.0), (0.0, 2.0)]), None);
        assert_eq!(drift(&[(0.0, 1.0), (1.0, f64::NAN)]), None);
    }

    proptest! {
        #[test]
        fn p_is_that_of_all_orders_with_or_without_ties(values in prop::collection::vec(-3i8..3, 2..7)) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let found = drift(&series(values.clone())).unwrap();
            let all = orders(&values);
            let part = |keep: &dyn Fn(i64) -> bool| all.iter().filter(|&&s| keep(s)).count() as f64 / all.len() as f64;
            let (rising, falling) = (part(&|s| s >= found.s), part(&|s| s <= found.s));
            prop_assert!((found.p_rising - rising).abs() < 1e-12);
            prop_assert!((found.p_two_sided - (2.0 * rising.min(falling)).min(1.0)).abs() < 1e-12);
        }

        #[test]
        fn backwards_it_falls(values in prop::collection::vec(-20i8..20, 2..70)) {
            let there = drift(&series(values.iter().map(|&value| f64::from(value)))).unwrap();
            let back = drift(&series(values.iter().rev().map(|&value| f64::from(value)))).unwrap();
            prop_assert_eq!(there.s, -back.s);
            prop_assert!((there.slope + back.slope).abs() < 1e-12);
            prop_assert!((there.p_two_sided - back.p_two_sided).abs() < 1e-12);
        }
    }
}
