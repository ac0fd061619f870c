//! Whether differences within pairs lean to one side: Wilcoxon's signed-rank test.
//!
//! For blocks that belong together, such as those of one repetition. Wilcoxon 1945; zeros as Pratt 1959 has them: they
//! are ranked with the others and then left out. Dropped before, as Wilcoxon did, a zero more can turn a difference
//! that is not significant into one that is.

use serde::{Deserialize, Serialize};

use super::{Method, midrank::Midranks, null::sums_of_signs, tails::Tails};

/// Differences other than zero up to which signs are counted out.
pub const EXACT_DIFFERENCES: usize = 50;

/// The outcome of a test of differences against zero.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SignedRank {
    /// The sum of the ranks of the positive differences, ranked by size among all, zeros included.
    pub w_plus: f64,
    /// Differences that are not zero: each of them could have had either sign.
    pub nonzero: u64,
    /// Probability of a sum at least so far off in either direction (twice the smaller tail) when signs are tossed.
    pub p_two_sided: f64,
    /// Probability of such a sum or a greater one.
    pub p_positive: f64,
    /// [`Method::Exact`] up to [`EXACT_DIFFERENCES`], with or without ties; else [`Method::Normal`] with corrections
    /// for ties, zeros and continuity.
    pub method: Method,
}

/// Tests whether differences (new − base of each pair) lie on one side of zero. `None` of nothing, or of a NaN.
///
/// ```
/// # use cgbench::stats::paired::signed_rank;
/// // All of six positive: one choice of signs in 64.
/// assert_eq!(signed_rank(&[0.1, 0.4, 0.2, 0.3, 0.9, 0.5]).unwrap().p_positive, 1.0 / 64.0);
/// ```
#[must_use]
pub fn signed_rank(differences: &[f64]) -> Option<SignedRank> {
    if differences.is_empty() || differences.iter().any(|difference| difference.is_nan()) {
        return None;
    }
    let sizes: Vec<f64> = differences.iter().map(|difference| difference.abs()).collect();
    let doubled = Midranks::of(&sizes).doubled;
    let of_those = |keep: fn(f64) -> bool| -> Vec<u32> {
        doubled
            .iter()
            .zip(differences)
            .filter(|(_, difference)| keep(**difference))
            .map(|(&rank, _)| rank)
            .collect()
    };
    let ranks = of_those(|difference| difference != 0.0);
    let sum: u64 = of_those(|difference| difference > 0.0).into_iter().map(u64::from).sum();
    let w_plus = sum as f64 / 2.0;
    let (tails, method) = if ranks.len() <= EXACT_DIFFERENCES {
        (Tails::counted(&sums_of_signs(&ranks), sum as usize), Method::Exact)
    } else {
        let ranks = ranks.iter().map(|&rank| f64::from(rank) / 2.0);
        // Each rank is there or not, independently: mean ½ Σ r, variance ¼ Σ r². Ties and zeros are in the ranks.
        let (mean, variance) =
            ranks.fold((0.0, 0.0), |(mean, variance), r| (mean + r / 2.0, variance + r * r / 4.0));
        (Tails::normal(w_plus, mean, variance, 0.5), Method::Normal)
    };
    Some(SignedRank {
        w_plus,
        nonzero: ranks.len() as u64,
        p_two_sided: tails.two_sided(),
        p_positive: tails.at_least,
        method,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn zeros_keep_their_ranks_and_have_no_sign() {
        // Sizes 0, 0, 1, 2, 3: ranks 3, 4 and 5 remain; the sum of the positive ones is 4 + 5.
        let found = signed_rank(&[0.0, -0.0, -1.0, 2.0, 3.0]).unwrap();
        assert_eq!((found.w_plus, found.nonzero, found.p_positive), (9.0, 3, 2.0 / 8.0));
    }

    #[test]
    fn five_pairs_never_reach_five_percent_in_both_directions() {
        assert_eq!(signed_rank(&[1.0, 2.0, 3.0, 4.0, 5.0]).unwrap().p_two_sided, 0.0625);
    }

    #[test]
    fn no_difference_anywhere_is_no_evidence() {
        for n in [1, 60] {
            let found = signed_rank(&vec![0.0; n]).unwrap();
            assert_eq!((found.nonzero, found.p_two_sided, found.p_positive), (0, 1.0, 1.0));
        }
        assert_eq!(signed_rank(&[]), None);
        assert_eq!(signed_rank(&[1.0, f64::NAN]), None);
    }

    proptest! {
        #[test]
        fn opposite_differences_give_the_mirrored_answer(differences in prop::collection::vec(-6i8..6, 1..70)) {
            let differences: Vec<f64> = differences.into_iter().map(f64::from).collect();
            let negated: Vec<f64> = differences.iter().map(|difference| -difference).collect();
            let (there, back) = (signed_rank(&differences).unwrap(), signed_rank(&negated).unwrap());
            prop_assert!((there.p_two_sided - back.p_two_sided).abs() < 1e-12);
            prop_assert!(there.p_positive + back.p_positive >= 1.0 - 1e-12);
        }
    }
}
