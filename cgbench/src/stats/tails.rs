//! The two tails of a statistic's distribution, from which p values are made.

use statrs::distribution::{ContinuousCDF, Normal};

/// What lies on either side of an observed statistic, itself counted on both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tails {
    /// The probability of this or less.
    pub(super) at_most: f64,
    /// The probability of this or more.
    pub(super) at_least: f64,
}

impl Tails {
    /// In an exact distribution, given as counts by value.
    pub(super) fn counted(counts: &[f64], observed: usize) -> Self {
        let all: f64 = counts.iter().sum();
        let part = |counts: &[f64]| counts.iter().sum::<f64>() / all;
        Self { at_most: part(&counts[..=observed]), at_least: part(&counts[observed..]) }
    }

    /// In a normal distribution in the place of one with steps: `continuity` is half of a step. A statistic that cannot
    /// vary tells nothing: both tails are 1.
    pub(super) fn normal(observed: f64, mean: f64, variance: f64, continuity: f64) -> Self {
        if variance <= 0.0 {
            return Self { at_most: 1.0, at_least: 1.0 };
        }
        let (normal, sd) = (Normal::standard(), variance.sqrt());
        Self {
            at_most: normal.cdf((observed - mean + continuity) / sd),
            at_least: normal.sf((observed - mean - continuity) / sd),
        }
    }

    /// Of the opposite statistic.
    pub(super) fn mirrored(self) -> Self {
        Self { at_most: self.at_least, at_least: self.at_most }
    }

    /// Twice the smaller tail, at most 1: neither direction was expected.
    pub(super) fn two_sided(self) -> f64 {
        (2.0 * self.at_most.min(self.at_least)).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_observed_value_counts_on_both_sides() {
        let tails = Tails::counted(&[1.0, 2.0, 1.0], 1);
        assert_eq!(tails, Tails { at_most: 0.75, at_least: 0.75 });
        assert_eq!(tails.two_sided(), 1.0);
        assert_eq!(Tails::counted(&[1.0, 2.0, 1.0], 0), Tails { at_most: 0.25, at_least: 1.0 });
    }

    #[test]
    fn what_cannot_vary_is_no_evidence() {
        assert_eq!(Tails::normal(3.0, 3.0, 0.0, 0.5).two_sided(), 1.0);
    }
}
