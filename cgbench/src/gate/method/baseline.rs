//! `baseline`: NEW's blocks against BASE's, with one bound on all false alarms together.
//!
//! Unpaired: labels of whole repetitions are permuted, Welch's t with Westfall and Young's max-T over all columns
//! ([`max_t`]). Paired: repetition i of NEW less repetition i of BASE, which have the same pictures and the same jitter; Wilcoxon's
//! signed ranks a column, then Holm over the columns. In both NEW must lie above BASE by more than the margin.

use super::{Basis, Key, Matrix, Method, Opinion, Outcome, Settings, placed, shared};
use crate::stats::{
    family::{Alternative, Row, max_t, smallest_p},
    paired::signed_rank,
};

/// Chances of such numbers, if nothing were worse, or better, by more than the margin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chances {
    /// Of a worsening anywhere in the family.
    pub worse_adjusted: f64,
    /// Of an improvement anywhere.
    pub better_adjusted: f64,
    /// Of a worsening in this column.
    pub worse: f64,
}

/// The opinion on each column that both have.
pub(super) fn opinions(base: &Matrix, new: &Matrix, settings: &Settings) -> Vec<(Key, Opinion)> {
    let tested = tested(base, new, settings);
    let columns = tested.len() as u64;
    tested
        .into_iter()
        .map(|(key, chances)| {
            let alpha = settings.alpha;
            let count = |matrix: &Matrix| matrix.values(key).len() as u64;
            let pairs = differences(base, new, key).count() as u64;
            let (base, new) = (count(base), count(new));
            let (enough, needed) = if settings.paired {
                let needed = pairs_needed(alpha, columns);
                (pairs >= needed, needed)
            } else {
                (smallest_p(base, new, columns) <= alpha, blocks_needed(alpha, columns))
            };
            let (outcome, basis) = match chances.filter(|_| enough) {
                None => (Outcome::Unknown, Basis::TooFew { base: Some(base), new, needed }),
                Some(Chances { worse_adjusted, better_adjusted, worse }) => {
                    let outcome = if worse_adjusted <= alpha {
                        Outcome::Worse
                    } else if better_adjusted <= alpha {
                        Outcome::Better
                    } else {
                        Outcome::Same
                    };
                    let basis = Basis::Test {
                        p_worse_adjusted: worse_adjusted,
                        p_better_adjusted: better_adjusted,
                        p_worse: worse,
                        alpha,
                    };
                    (outcome, basis)
                }
            };
            (key, Opinion { method: Method::Baseline, outcome, basis })
        })
        .collect()
}

/// The chances of each column that both have; `None` where nothing can be tested.
#[must_use]
pub fn tested(base: &Matrix, new: &Matrix, settings: &Settings) -> Vec<(Key, Option<Chances>)> {
    let keys: Vec<Key> = shared(base, new, settings).collect();
    let margins: Vec<f64> =
        keys.iter().map(|key| key.metric.scale().unsaid(settings.margin(key.metric))).collect();
    let chances = if settings.paired {
        paired(base, new, &keys, &margins)
    } else {
        unpaired(base, new, &keys, &margins, settings.seed)
    };
    keys.into_iter().zip(chances).collect()
}

fn unpaired(base: &Matrix, new: &Matrix, keys: &[Key], margins: &[f64], seed: u64) -> Vec<Option<Chances>> {
    let rows = |matrix: &Matrix| -> Vec<Row> {
        let columns: Vec<Vec<Option<f64>>> = keys.iter().map(|key| placed(matrix, *key)).collect();
        (0..matrix.repetitions().len())
            .map(|row| columns.iter().map(|column| column.get(row).copied().flatten()).collect())
            .collect()
    };
    let (base, new) = (rows(base), rows(new));
    let worse = max_t(&base, &new, margins, Alternative::Greater, seed);
    // Better is worse with the sides exchanged.
    let better = max_t(&new, &base, margins, Alternative::Greater, seed);
    let of = |column: usize| {
        let worse = (*worse.as_ref()?.columns.get(column)?)?;
        let better = (*better.as_ref()?.columns.get(column)?)?;
        Some(Chances { worse_adjusted: worse.p_adjusted, better_adjusted: better.p_adjusted, worse: worse.p })
    };
    (0..keys.len()).map(of).collect()
}

/// By how much MORE lies above LESS, in each repetition that both have.
fn differences(less: &Matrix, more: &Matrix, key: Key) -> impl Iterator<Item = f64> {
    let (less_cells, more_cells) = (placed(less, key), placed(more, key));
    less.repetitions().iter().zip(less_cells).filter_map(move |(repetition, cell)| {
        let row = more.repetitions().iter().position(|other| other == repetition)?;
        Some(more_cells.get(row).copied()?? - cell?)
    })
}

fn paired(base: &Matrix, new: &Matrix, keys: &[Key], margins: &[f64]) -> Vec<Option<Chances>> {
    let one_sided = |key: Key, less: &Matrix, more: &Matrix, margin: f64| {
        let beyond: Vec<f64> = differences(less, more, key).map(|difference| difference - margin).collect();
        signed_rank(&beyond).map(|found| found.p_positive)
    };
    let worse: Vec<Option<f64>> =
        keys.iter().zip(margins).map(|(&key, &margin)| one_sided(key, base, new, margin)).collect();
    let better: Vec<Option<f64>> =
        keys.iter().zip(margins).map(|(&key, &margin)| one_sided(key, new, base, margin)).collect();
    let (worse_adjusted, better_adjusted) = (holm(&worse), holm(&better));
    (0..keys.len())
        .map(|column| {
            Some(Chances {
                worse_adjusted: worse_adjusted[column]?,
                better_adjusted: better_adjusted[column]?,
                worse: worse[column]?,
            })
        })
        .collect()
}

/// Holm's step-down adjustment (1979): the smallest bound on the chance of any false alarm at which a test would be found. What was not
/// tested takes no part.
#[must_use]
pub fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> = p.iter().enumerate().filter_map(|(i, p)| Some((i, (*p)?))).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut adjusted = vec![None; p.len()];
    let (count, mut highest) = (order.len(), 0.0_f64);
    for (place, (column, p)) in order.into_iter().enumerate() {
        highest = highest.max((p * (count - place) as f64).min(1.0));
        adjusted[column] = Some(highest);
    }
    adjusted
}

/// Blocks a side that it takes for a p of alpha in one of so many columns.
///
/// ```
/// # use cgbench::gate::method::baseline::blocks_needed;
/// assert_eq!([0.05, 0.01, 0.001].map(|alpha| blocks_needed(alpha, 9)), [4, 5, 7]);
/// assert_eq!(blocks_needed(0.05, 1), 3);
/// ```
#[must_use]
pub fn blocks_needed(alpha: f64, columns: u64) -> u64 {
    (1..64).find(|&blocks| smallest_p(blocks, blocks, columns) <= alpha).unwrap_or(64)
}

/// Pairs that it takes for a p of alpha in one of so many columns: the smallest p of n pairs is 2⁻ⁿ, and Holm multiplies it by the
/// number of columns.
///
/// ```
/// # use cgbench::gate::method::baseline::pairs_needed;
/// assert_eq!((pairs_needed(0.01, 1), pairs_needed(0.01, 20)), (7, 11));
/// ```
#[must_use]
pub fn pairs_needed(alpha: f64, columns: u64) -> u64 {
    (1..128)
        .find(|&pairs| 0.5_f64.powi(pairs) * columns as f64 <= alpha)
        .map_or(128, i64::from)
        .unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holm_as_in_the_published_example() {
        // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") is 0.03 0.06 0.06 0.02.
        let found = holm(&[Some(0.01), Some(0.04), None, Some(0.03), Some(0.005)]);
        let expected = [Some(0.03), Some(0.06), None, Some(0.06), Some(0.02)];
        for (found, expected) in found.into_iter().zip(expected) {
            assert_eq!(found.is_some(), expected.is_some());
            assert!((found.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-12);
        }
    }

    #[test]
    fn arrangements_are_binomial_coefficients() {
        let arrangements = |base, new| 1.0 / smallest_p(base, new, 1);
        assert_eq!([arrangements(5, 5), arrangements(3, 5), arrangements(0, 4)], [252.0, 56.0, 1.0]);
    }
}
