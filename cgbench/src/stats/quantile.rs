//! One quantile of one sample.

use super::Level;

/// The quantile of sorted values: type 7 of Hyndman and Fan (1996), linear between the order statistics around
/// `(n − 1) · q`, the default of R and NumPy.
///
/// `None` when there are fewer than [`Level::needed`] values.
#[must_use]
pub fn of_sorted(sorted: &[f64], level: Level) -> Option<f64> {
    (sorted.len() as u64 >= level.needed()).then(|| at_fraction(sorted, level.fraction())).flatten()
}

/// The same at any fraction from 0 to 1 and without asking how many samples there are: for medians over few blocks
/// and for curves that are cut by their caller. `None` of nothing.
#[must_use]
pub fn at_fraction(sorted: &[f64], fraction: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = last as f64 * fraction.clamp(0.0, 1.0);
    let below = (place.floor() as usize).min(last);
    let above = (below + 1).min(last);
    let part = place - below as f64;
    Some(sorted[below] + (sorted[above] - sorted[below]) * part)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_values_of_type_7() {
        // R: quantile(c(1, 2, 4, 8), c(0, .25, .5, .9, 1)) is 1.00 1.75 3.00 6.80 8.00.
        let values = [1.0, 2.0, 4.0, 8.0];
        for (fraction, expected) in [(0.0, 1.0), (0.25, 1.75), (0.5, 3.0), (0.9, 6.8), (1.0, 8.0)] {
            let found = at_fraction(&values, fraction).unwrap();
            assert!((found - expected).abs() < 1e-12, "{fraction}: {found}");
        }
    }

    #[test]
    fn too_few_samples_give_no_number() {
        let values: Vec<f64> = (0..999).map(f64::from).collect();
        assert_eq!(of_sorted(&values, Level::P99), None);
        assert!(of_sorted(&values, Level::P95).is_some());
        let values: Vec<f64> = (0..1000).map(f64::from).collect();
        assert!((of_sorted(&values, Level::P99).unwrap() - 989.01).abs() < 1e-9);
        assert_eq!(at_fraction(&[], 0.5), None);
    }

    proptest! {
        #[test]
        fn a_quantile_lies_within_the_sample_and_grows_with_its_level(
            mut values in prop::collection::vec(0.0..1e9f64, 1..300), a in 0.0..1.0f64, b in 0.0..1.0f64,
        ) {
            values.sort_by(f64::total_cmp);
            let (low, high) = (at_fraction(&values, a.min(b)).unwrap(), at_fraction(&values, a.max(b)).unwrap());
            prop_assert!(low <= high + 1e-6);
            prop_assert!(low >= values[0] - 1e-6 && high <= values[values.len() - 1] + 1e-6);
        }
    }
}
