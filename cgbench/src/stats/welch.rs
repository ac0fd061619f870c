//! Welch's t of many columns at once, for any choice of the rows that are the first sample.

/// Columns beside one another, each moved and scaled so that sums lose nothing.
///
/// t does not depend on where a column's zero is nor on its unit.
#[derive(Debug)]
pub(super) struct Columns {
    width: usize,
    /// Row by row: value, its square, and 1 where there is a value; all 0 where there is none.
    cells: Vec<[f64; 3]>,
    totals: Vec<[f64; 3]>,
    sums: Vec<[f64; 3]>,
}

/// Below this part of a column's whole sum of squares a squared standard error is what rounding left of zero. A |t|
/// above some millions becomes infinite by it.
const ROUNDING: f64 = 1e-13;

impl Columns {
    /// Of rows of equal length.
    pub(super) fn new(rows: &[Vec<Option<f64>>], width: usize) -> Self {
        let mut cells = vec![[0.0; 3]; rows.len() * width];
        for column in 0..width {
            let present: Vec<(usize, f64)> =
                rows.iter().enumerate().filter_map(|(r, row)| Some((r, row[column]?))).collect();
            for ((row, _), value) in present.iter().zip(standardised(&present)) {
                cells[row * width + column] = [value, value * value, 1.0];
            }
        }
        let mut totals = vec![[0.0; 3]; width];
        for row in cells.chunks_exact(width.max(1)) {
            add(&mut totals, row);
        }
        Self { width, cells, totals, sums: vec![[0.0; 3]; width] }
    }

    /// t of (all other rows − these), column by column. Not a number where either side has fewer than two values.
    pub(super) fn statistics(&mut self, first: &[usize], t: &mut [f64]) {
        self.sums.fill([0.0; 3]);
        for row in first {
            add(&mut self.sums, &self.cells[row * self.width..(row + 1) * self.width]);
        }
        for ((t, sums), totals) in t.iter_mut().zip(&self.sums).zip(&self.totals) {
            let [sum, squares, n] = *sums;
            let rest = [totals[0] - sum, totals[1] - squares, totals[2] - n];
            *t = welch([sum, squares, n], rest);
        }
    }
}

fn add(sums: &mut [[f64; 3]], row: &[[f64; 3]]) {
    for (sums, cell) in sums.iter_mut().zip(row) {
        for (sum, value) in sums.iter_mut().zip(cell) {
            *sum += value;
        }
    }
}

/// With mean 0 and sum of squares 1; a column that does not vary becomes 0.
fn standardised(present: &[(usize, f64)]) -> Vec<f64> {
    let Some(&(_, origin)) = present.first() else { return Vec::new() };
    let magnitude = present.iter().fold(0.0_f64, |most, (_, value)| most.max(value.abs()));
    let mut moved: Vec<f64> = present.iter().map(|(_, value)| value - origin).collect();
    let widest = moved.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    // A margin taken from equal values leaves differences in their last bits.
    if widest <= 16.0 * f64::EPSILON * magnitude {
        return vec![0.0; present.len()];
    }
    moved.iter_mut().for_each(|value| *value /= widest);
    let mean = moved.iter().sum::<f64>() / moved.len() as f64;
    moved.iter_mut().for_each(|value| *value -= mean);
    let length = moved.iter().map(|value| value * value).sum::<f64>().sqrt();
    moved.iter_mut().for_each(|value| *value /= length);
    moved
}

/// (mean of b − mean of a) over its standard error, from sums, sums of squares and counts of standardised values.
fn welch(a: [f64; 3], b: [f64; 3]) -> f64 {
    if a[2] < 2.0 || b[2] < 2.0 {
        return f64::NAN;
    }
    let error = |[sum, squares, n]: [f64; 3]| ((squares - sum * sum / n) / (n - 1.0)).max(0.0) / n;
    let (difference, squared_error) = (b[0] / b[2] - a[0] / a[2], error(a) + error(b));
    if squared_error > ROUNDING {
        difference / squared_error.sqrt()
    } else if difference * difference > ROUNDING {
        f64::INFINITY.copysign(difference)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn t(base: &[Option<f64>], new: &[Option<f64>]) -> f64 {
        let rows: Vec<Vec<Option<f64>>> = base.iter().chain(new).map(|&cell| vec![cell]).collect();
        let mut t = [0.0];
        Columns::new(&rows, 1).statistics(&(0..base.len()).collect::<Vec<_>>(), &mut t);
        t[0]
    }

    fn some(values: &[f64]) -> Vec<Option<f64>> {
        values.iter().copied().map(Some).collect()
    }

    #[test]
    fn sides_without_spread_are_equal_or_infinitely_apart() {
        assert_eq!(t(&some(&[0.1; 3]), &some(&[0.1; 5])), 0.0);
        assert_eq!(t(&some(&[0.1; 3]), &some(&[0.1 + 0.2 - 0.2; 5])), 0.0, "the last bit is no difference");
        assert_eq!(t(&some(&[0.1; 3]), &some(&[0.3; 7])), f64::INFINITY);
        assert_eq!(t(&some(&[0.3; 3]), &some(&[0.1; 7])), f64::NEG_INFINITY);
    }

    #[test]
    fn one_value_is_too_few() {
        assert!(t(&some(&[1.0, 2.0]), &[Some(1.0), None]).is_nan());
        assert!(t(&[None; 3], &some(&[1.0, 2.0])).is_nan());
    }

    #[test]
    fn an_outlier_is_spread_and_not_rounding() {
        let found = t(&some(&[1.0, 2.0, 3.0]), &some(&[1.0, 2.0, 1e9]));
        assert!((found - 1.0).abs() < 1e-6, "{found}");
    }

    proptest! {
        #[test]
        fn t_is_that_of_the_textbook_over_the_values_that_are_there(
            base in prop::collection::vec(prop::option::weighted(0.8, -1e3..1e3f64), 3..12),
            new in prop::collection::vec(prop::option::weighted(0.8, -1e3..1e3f64), 3..12),
            far in -1e6..1e6f64,
        ) {
            let moved = |cells: &[Option<f64>]| cells.iter().map(|cell| cell.map(|x| x + far)).collect::<Vec<_>>();
            let moments = |cells: &[Option<f64>]| {
                let values: Vec<f64> = cells.iter().flatten().copied().collect();
                let n = values.len() as f64;
                let mean = values.iter().sum::<f64>() / n;
                (n, mean, values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0))
            };
            let ((n, a, variance_a), (m, b, variance_b)) = (moments(&base), moments(&new));
            prop_assume!(n >= 2.0 && m >= 2.0);
            let expected = (b - a) / (variance_a / n + variance_b / m).sqrt();
            let found = t(&moved(&base), &moved(&new));
            prop_assert!((found - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{} {}", found, expected);
        }
    }
}
