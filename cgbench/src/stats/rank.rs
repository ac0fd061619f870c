//! Whether the values of one sample tend to lie above those of another: Mann and Whitney's U.
//!
//! Mann and Whitney 1947, "On a test of whether one of two random variables is stochastically larger than the other".
//! It asks for nothing but independent blocks; what it says is about order, not about how far apart
//! ([`shift`](super::shift)) or how clearly ([`effect`](super::effect)).

use serde::{Deserialize, Serialize};

use super::{Method, midrank::Midranks, null::sums_of_choices, tails::Tails};

/// Values in both samples together up to which arrangements are counted. Above, for samples of like size, the normal
/// approximation is within 1 % of a p of 5 % and a fifth too high at 0.1 % (a test says so); with a tiny sample it is
/// worse.
pub const EXACT_VALUES: usize = 64;

/// The outcome of a test of `b` against `a`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MannWhitney {
    /// Pairs of a value of `a` and one of `b` in which that of `b` is greater; an equal pair counts half.
    pub u: f64,
    /// Probability of a U at least so far off in either direction (twice the smaller tail) when order has no cause.
    pub p_two_sided: f64,
    /// Probability of such a U or a greater one.
    pub p_b_greater: f64,
    /// [`Method::Exact`] up to [`EXACT_VALUES`], with or without ties; else [`Method::Normal`] with corrections for
    /// ties and continuity.
    pub method: Method,
}

/// Tests `b` against `a`. `None` where one of them is empty or holds a NaN; infinite values have a rank like others.
///
/// ```
/// # use cgbench::stats::rank::mann_whitney;
/// // Four above four: one arrangement of 70.
/// let found = mann_whitney(&[1.0, 2.0, 3.0, 4.0], &[5.0, 6.0, 7.0, 8.0]).unwrap();
/// assert_eq!((found.u, found.p_b_greater), (16.0, 1.0 / 70.0));
/// ```
#[must_use]
pub fn mann_whitney(a: &[f64], b: &[f64]) -> Option<MannWhitney> {
    if a.is_empty() || b.is_empty() || a.iter().chain(b).any(|value| value.is_nan()) {
        return None;
    }
    let (n, m) = (a.len(), b.len());
    let ranks = Midranks::of(&[a, b].concat());
    let (of_a, of_b) = ranks.doubled.split_at(n);
    let sum = |ranks: &[u32]| ranks.iter().map(|&rank| rank as usize).sum::<usize>();
    let u = (sum(of_b) - m * (m + 1)) as f64 / 2.0;
    let (tails, method) = if n + m <= EXACT_VALUES {
        // The smaller sample has fewer sums to count; what is high for one is low for the other.
        let tails = if m <= n {
            Tails::counted(&sums_of_choices(&ranks.doubled, m), sum(of_b))
        } else {
            Tails::counted(&sums_of_choices(&ranks.doubled, n), sum(of_a)).mirrored()
        };
        (tails, Method::Exact)
    } else {
        let (pairs, all) = ((n * m) as f64, (n + m) as f64);
        let variance = pairs / 12.0 * ((all + 1.0) - ranks.tie_term() / (all * (all - 1.0)));
        (Tails::normal(u, pairs / 2.0, variance, 0.5), Method::Normal)
    };
    Some(MannWhitney { u, p_two_sided: tails.two_sided(), p_b_greater: tails.at_least, method })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::null::inversions_of_two, *};

    #[test]
    fn ties_are_counted_exactly() {
        // Ranks 1, 2.5, 2.5, 4: the sum of b's two is 6.5 in two choices of six, never more.
        let found = mann_whitney(&[1.0, 2.0], &[2.0, 3.0]).unwrap();
        assert_eq!((found.u, found.p_b_greater, found.method), (3.5, 2.0 / 6.0, Method::Exact));
    }

    #[test]
    fn samples_that_are_all_alike_are_no_evidence() {
        for n in [3, 60] {
            let found = mann_whitney(&vec![1.0; n], &vec![1.0; n]).unwrap();
            assert_eq!((found.p_two_sided, found.p_b_greater), (1.0, 1.0));
        }
    }

    #[test]
    fn three_blocks_against_three_never_reach_five_percent_in_both_directions() {
        let found = mann_whitney(&[1.0, 2.0, 3.0], &[1e9, 2e9, f64::INFINITY]).unwrap();
        assert_eq!((found.p_two_sided, found.p_b_greater), (0.1, 0.05));
    }

    #[test]
    fn where_the_normal_approximation_takes_over_it_is_close_and_on_the_safe_side_far_out() {
        let (n, m) = (33, 32);
        let counts = inversions_of_two(n, m);
        let compare = |level: f64| {
            // The first U whose exact tail is at most the level.
            let u = (0..counts.len()).find(|&u| Tails::counted(&counts, u).at_least <= level).unwrap();
            let variance = (n * m * (n + m + 1)) as f64 / 12.0;
            let normal = Tails::normal(u as f64, (n * m) as f64 / 2.0, variance, 0.5);
            normal.at_least / Tails::counted(&counts, u).at_least
        };
        assert!((compare(0.05) - 1.0).abs() < 0.01);
        assert!((1.0..1.2).contains(&compare(0.001)));
    }

    #[test]
    fn nothing_and_no_number_have_no_answer() {
        assert_eq!(mann_whitney(&[], &[1.0]), None);
        assert_eq!(mann_whitney(&[1.0], &[]), None);
        assert_eq!(mann_whitney(&[1.0], &[f64::NAN]), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn exchanged_samples_give_the_mirrored_answer(
            a in prop::collection::vec(-5i8..5, 1..45), b in prop::collection::vec(-5i8..5, 1..45),
        ) {
            let [a, b] = [a, b].map(|values| values.into_iter().map(f64::from).collect::<Vec<_>>());
            let (there, back) = (mann_whitney(&a, &b).unwrap(), mann_whitney(&b, &a).unwrap());
            prop_assert_eq!(there.u + back.u, (a.len() * b.len()) as f64);
            prop_assert!((there.p_two_sided - back.p_two_sided).abs() < 1e-12);
            prop_assert!(there.p_b_greater + back.p_b_greater >= 1.0 - 1e-12, "the observed U counts on both sides");
        }

        #[test]
        fn only_order_matters(
            a in prop::collection::vec(-9.0..9.0f64, 1..12), b in prop::collection::vec(-9.0..9.0f64, 1..12),
        ) {
            let stretched = |values: &[f64]| values.iter().map(|value| value.exp()).collect::<Vec<_>>();
            prop_assert_eq!(mann_whitney(&a, &b), mann_whitney(&stretched(&a), &stretched(&b)));
        }
    }
}
