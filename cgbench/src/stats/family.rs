//! Many metrics tested at once, so that the chance of *any* false alarm stays below a bound: Westfall and Young's
//! max-T with step-down.
//!
//! Westfall and Young 1993, Resampling-Based Multiple Testing, algorithm 4.1; in the words of Ge, Dudoit and Speed
//! 2003, "Resampling-based multiple testing for microarray data analysis". Blocks keep all their cells
//! together when labels are permuted, so metrics that move together cost less than they would with Bonferroni.
//!
//! What it stands on: without an effect, blocks of BASE and NEW are exchangeable. They are where both are interleaved
//! in one run, and are not where the machine drifts between two. Where a change moves only the spread, Welch's
//! statistic keeps the test near its level, not exactly at it (Janssen 1997).

use serde::{Deserialize, Serialize};

use super::{
    Method,
    choices::{Choices, choose},
    method::{DRAWS, of_draws},
    welch::Columns,
};

/// One block: a cell for each hypothesis, `None` where it was not measured or is not known.
pub type Row = Vec<Option<f64>>;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Alternative {
    /// NEW lies above BASE by more than the margin.
    Greater,
    /// NEW − BASE differs from the margin, in either direction.
    TwoSided,
}

/// The outcome for all columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Family {
    /// One a column; `None` where BASE or NEW has fewer than two cells: not testable.
    pub columns: Vec<Option<Tested>>,
    /// [`Method::Exact`] where all choices of labels were gone through, [`Method::MonteCarlo`] where they were drawn.
    pub method: Method,
    /// How many choices that were.
    pub choices: u64,
}

/// The outcome for one column.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tested {
    /// Mean of NEW less mean of BASE; the margin is not taken off.
    pub difference: f64,
    /// Welch's t of that less the margin. `None`: infinite, neither side varies and they are apart.
    pub t: Option<f64>,
    /// As if it were the only column.
    pub p: f64,
    /// The smallest bound on the chance of any false alarm in the whole family at which this column is found.
    pub p_adjusted: f64,
}

/// The smallest p that [`max_t`] can give one of so many columns from so many blocks. In one column the clearest arrangement of labels
/// is one of all. In several it is one of two: a column that holds one value on both sides (nothing is ever throttled) is most extreme
/// where the labels are exchanged, whatever the others do. Where arrangements are drawn, it is that of none in so many draws.
#[must_use]
pub fn smallest_p(base: u64, new: u64, columns: u64) -> f64 {
    let place = |blocks: u64| usize::try_from(blocks).unwrap_or(usize::MAX);
    let arrangements = choose(place(base).saturating_add(place(new)), place(base));
    let clearest = if columns > 1 { 2.0 } else { 1.0 };
    (clearest / arrangements as f64).max(1.0 / (DRAWS + 1) as f64)
}

/// Tests every column of NEW against BASE.
///
/// `margins`, one a column and additive, ask for more than any difference: NEW − margin is compared with BASE. For
/// ratios, hand over logarithms. `seed` matters only where choices are drawn.
///
/// `None` where rows and margins are not equally long, or a cell or margin is not finite.
///
/// ```
/// # use cgbench::stats::family::{Alternative, max_t};
/// let base: Vec<_> = [1.0, 2.0, 3.0, 4.0].map(|x| vec![Some(x), Some(x * x % 3.0)]).into();
/// let new: Vec<_> = [11.0, 12.0, 13.0, 14.0].map(|x| vec![Some(x), Some(x * x % 3.0)]).into();
/// let found = max_t(&base, &new, &[0.0, 0.0], Alternative::Greater, 1).unwrap();
/// assert_eq!((found.columns[0].unwrap().p, found.choices), (1.0 / 70.0, 70));
/// assert!(found.columns[1].unwrap().p > 0.05);
/// ```
#[must_use]
pub fn max_t(
    base: &[Row],
    new: &[Row],
    margins: &[f64],
    alternative: Alternative,
    seed: u64,
) -> Option<Family> {
    max_t_over(Choices::new(base.len() + new.len(), base.len()), base, new, margins, alternative, seed)
}

/// [`max_t`] over these choices of the rows that are BASE.
pub(super) fn max_t_over(
    choices: Choices,
    base: &[Row],
    new: &[Row],
    margins: &[f64],
    alternative: Alternative,
    seed: u64,
) -> Option<Family> {
    let width = margins.len();
    let sound = |row: &Row| row.len() == width && row.iter().flatten().all(|cell| cell.is_finite());
    if !margins.iter().all(|margin| margin.is_finite()) || !base.iter().chain(new).all(sound) {
        return None;
    }
    let without_margin =
        |row: &Row| row.iter().zip(margins).map(|(cell, margin)| cell.map(|cell| cell - margin)).collect();
    let rows: Vec<Row> = base.iter().cloned().chain(new.iter().map(without_margin)).collect();
    let mut columns = Columns::new(&rows, width);
    // What the alternative calls extreme; a column without enough cells is never extreme, also under other labels.
    let towards = |t: f64| match alternative {
        _ if t.is_nan() => f64::NEG_INFINITY,
        Alternative::Greater => t,
        Alternative::TwoSided => t.abs(),
    };

    let mut t = vec![0.0; width];
    columns.statistics(&(0..base.len()).collect::<Vec<_>>(), &mut t);
    let observed = t.clone();
    // From the most extreme column to the least.
    let mut order: Vec<usize> = (0..width).filter(|&column| !observed[column].is_nan()).collect();
    order.sort_by(|&i, &j| towards(observed[j]).total_cmp(&towards(observed[i])));
    let bounds: Vec<f64> = order.iter().map(|&column| reached(towards(observed[column]))).collect();

    let (mut alone, mut among) = (vec![0_u64; order.len()], vec![0_u64; order.len()]);
    let seen = choices.for_each(seed, |labels| {
        columns.statistics(labels, &mut t);
        // The highest statistic of this column and of all that are less extreme: step-down.
        let mut highest = f64::NEG_INFINITY;
        for (place, &column) in order.iter().enumerate().rev() {
            let statistic = towards(t[column]);
            highest = highest.max(statistic);
            alone[place] += u64::from(statistic >= bounds[place]);
            among[place] += u64::from(highest >= bounds[place]);
        }
    });

    let method = choices.method();
    let p = |as_extreme: u64| match method {
        Method::Exact => as_extreme as f64 / seen as f64,
        _ => of_draws(as_extreme, seen),
    };
    let mut tested = vec![None; width];
    let mut p_adjusted = 0.0_f64;
    for (place, &column) in order.iter().enumerate() {
        // No column is found before one that is more extreme.
        p_adjusted = p_adjusted.max(p(among[place]));
        tested[column] = Some(Tested {
            difference: mean(new, column)? - mean(base, column)?,
            t: Some(observed[column]).filter(|t| t.is_finite()),
            p: p(alone[place]),
            p_adjusted,
        });
    }
    Some(Family { columns: tested, method, choices: seen })
}

/// What counts as no less extreme: statistics that differ by rounding only, as with equal values in other places, are
/// one.
fn reached(statistic: f64) -> f64 {
    if statistic.is_finite() { statistic - 1e-9 * statistic.abs().max(1.0) } else { statistic }
}

/// Over the cells that are there.
fn mean(rows: &[Row], column: usize) -> Option<f64> {
    let cells: Vec<f64> = rows.iter().filter_map(|row| row[column]).collect();
    (!cells.is_empty()).then(|| cells.iter().sum::<f64>() / cells.len() as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_distr::{Distribution, StandardNormal, StudentT};
    use rand_pcg::Pcg64Mcg;

    use super::*;

    /// Blocks whose columns share half of their variation, all of it heavy-tailed (Student's t with two degrees of
    /// freedom: no variance), every second column turned over, some cells missing.
    fn blocks(random: &mut Pcg64Mcg, count: usize, width: usize) -> Vec<Row> {
        let heavy = StudentT::new(2.0).unwrap();
        (0..count)
            .map(|_| {
                let shared: f64 = heavy.sample(random);
                (0..width)
                    .map(|column| {
                        let own: f64 = heavy.sample(random);
                        let sign = if column % 2 == 0 { 1.0 } else { -1.0 };
                        let missing: f64 = StandardNormal.sample(random);
                        (missing < 1.6).then_some(sign * shared + own)
                    })
                    .collect()
            })
            .collect()
    }

    #[test]
    fn false_alarms_of_a_whole_family_are_as_rare_as_promised() {
        // 1,000 families of 12 columns without an effect, 5 blocks against 5. At 10 % the standard error is 0.95
        // points.
        let mut random = Pcg64Mcg::seed_from_u64(20);
        for alternative in [Alternative::Greater, Alternative::TwoSided] {
            let (mut any, mut any_raw) = (0, 0);
            for _ in 0..1000 {
                let (base, new) = (blocks(&mut random, 5, 12), blocks(&mut random, 5, 12));
                let found = max_t(&base, &new, &[0.0; 12], alternative, 0).unwrap();
                any += usize::from(found.columns.iter().flatten().any(|column| column.p_adjusted <= 0.1));
                any_raw += usize::from(found.columns.iter().flatten().any(|column| column.p <= 0.1));
            }
            assert!(any <= 128, "{alternative:?}: {any} of 1000, three standard errors above 10 %");
            assert!(any >= 60, "{alternative:?}: {any} of 1000: a test that never alarms is of no use");
            assert!(any_raw > 400, "{alternative:?}: without adjustment it would be {any_raw}");
        }
    }

    #[test]
    fn a_real_shift_is_found_and_its_neighbours_are_not() {
        let mut random = Pcg64Mcg::seed_from_u64(21);
        let (mut found, mut false_alarms) = (0, 0);
        for _ in 0..200 {
            let (base, mut new) = (blocks(&mut random, 6, 10), blocks(&mut random, 6, 10));
            for row in &mut new {
                row[3] = row[3].map(|cell| cell + 15.0);
            }
            let family = max_t(&base, &new, &[0.0; 10], Alternative::Greater, 0).unwrap();
            found += usize::from(family.columns[3].unwrap().p_adjusted <= 0.05);
            let others = family.columns.iter().enumerate().filter(|(column, _)| *column != 3);
            false_alarms +=
                usize::from(others.filter_map(|(_, tested)| *tested).any(|tested| tested.p_adjusted <= 0.05));
        }
        assert!(found >= 150, "{found} of 200");
        assert!(false_alarms <= 20, "{false_alarms} of 200, three standard errors above 5 %");
    }

    #[test]
    fn a_margin_asks_for_more_than_any_difference() {
        let rows = |by: f64| (0..6).map(|i| vec![Some(f64::from(i % 3) * 0.1 + by)]).collect::<Vec<Row>>();
        let p = |margin: f64| {
            max_t(&rows(0.0), &rows(1.0), &[margin], Alternative::Greater, 0).unwrap().columns[0].unwrap()
        };
        assert!(p(0.0).p_adjusted < 0.01 && p(0.5).p_adjusted < 0.01);
        assert!(p(1.0).p_adjusted > 0.4 && p(1.5).p_adjusted > 0.99);
        assert!((p(1.5).difference - 1.0).abs() < 1e-12, "the difference is what was measured");
    }

    #[test]
    fn a_column_with_too_few_cells_is_not_testable_and_disturbs_no_other() {
        let full: Vec<Row> = (0..5).map(|i| vec![Some(f64::from(i)), Some(1.0)]).collect();
        let mut holes = full.clone();
        holes[1..].iter_mut().for_each(|row| row[1] = None);
        let found = max_t(&full, &holes, &[0.0; 2], Alternative::Greater, 0).unwrap();
        assert_eq!(found.columns[1], None);
        let alone: Vec<Row> = full.iter().map(|row| row[..1].to_vec()).collect();
        assert_eq!(
            found.columns[0],
            max_t(&alone, &alone, &[0.0], Alternative::Greater, 0).unwrap().columns[0]
        );
    }

    #[test]
    fn what_never_varies_is_equal_or_as_far_apart_as_labels_can_tell() {
        let rows = |value: f64| vec![vec![Some(value)]; 4];
        let equal =
            max_t(&rows(0.3), &rows(0.3), &[0.0], Alternative::Greater, 0).unwrap().columns[0].unwrap();
        assert_eq!((equal.t, equal.p), (Some(0.0), 1.0));
        let apart =
            max_t(&rows(0.3), &rows(0.4), &[0.0], Alternative::Greater, 0).unwrap().columns[0].unwrap();
        assert_eq!((apart.t, apart.p), (None, 1.0 / 70.0));
        let margin =
            max_t(&rows(0.3), &rows(0.4), &[0.1], Alternative::Greater, 0).unwrap().columns[0].unwrap();
        assert_eq!((margin.t, margin.p), (Some(0.0), 1.0), "the margin exactly is not above it");
    }

    #[test]
    fn uneven_rows_and_no_numbers_have_no_answer() {
        let rows = vec![vec![Some(1.0)]; 3];
        for (base, new, margins) in [
            (rows.clone(), vec![vec![]; 3], vec![0.0]),
            (rows.clone(), rows.clone(), vec![0.0; 2]),
            (rows.clone(), rows.clone(), vec![f64::NAN]),
            (rows.clone(), vec![vec![Some(f64::INFINITY)]; 3], vec![0.0]),
        ] {
            assert_eq!(max_t(&base, &new, &margins, Alternative::Greater, 0), None);
        }
        let none = max_t(&[], &rows, &[0.0], Alternative::Greater, 0).unwrap();
        assert_eq!(none.columns, [None], "no blocks are too few cells");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn adjusting_only_raises_and_one_column_needs_none(
            seed: u64, width in 1usize..6, n in 2usize..5, m in 2usize..5,
        ) {
            let mut random = Pcg64Mcg::seed_from_u64(seed);
            let (base, new) = (blocks(&mut random, n, width), blocks(&mut random, m, width));
            let found = max_t(&base, &new, &vec![0.0; width], Alternative::TwoSided, seed).unwrap();
            for column in found.columns.iter().flatten() {
                prop_assert!(column.p > 0.0 && column.p <= column.p_adjusted && column.p_adjusted <= 1.0);
                prop_assert!(width > 1 || column.p == column.p_adjusted);
            }
            let exchanged = max_t(&new, &base, &vec![0.0; width], Alternative::TwoSided, seed).unwrap();
            let p = |family: &Family| {
                family.columns.iter().map(|column| column.map(|column| column.p_adjusted)).collect::<Vec<_>>()
            };
            prop_assert_eq!(p(&found), p(&exchanged));
        }

        #[test]
        fn the_order_of_blocks_does_not_matter(seed: u64) {
            let mut random = Pcg64Mcg::seed_from_u64(seed);
            let (base, new) = (blocks(&mut random, 4, 3), blocks(&mut random, 5, 3));
            let here = max_t(&base, &new, &[0.1; 3], Alternative::Greater, 0).unwrap();
            let turned: Vec<Row> = base.iter().rev().cloned().collect();
            let there = max_t(&turned, &new, &[0.1; 3], Alternative::Greater, 0).unwrap();
            for (here, there) in here.columns.iter().zip(&there.columns) {
                prop_assert_eq!(here.map(|c| (c.p, c.p_adjusted)), there.map(|c| (c.p, c.p_adjusted)));
            }
        }
    }
}
