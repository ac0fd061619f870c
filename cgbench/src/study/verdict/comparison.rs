//! The tail of one condition against the reference's.

use crate::{
    plan::PolicyKind,
    stats::{Band, Level},
    summary::Measured,
};

/// Below this ratio a difference is not called one, however sure: within a frame's usual variation nobody acts on it.
const WORTH_A_WORD: f64 = 1.1;

/// What a comparison shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Slower than the reference.
    Slower,
    /// Faster than the reference.
    Faster,
    /// No difference that these blocks can show.
    NoDifference,
    /// Too few blocks for a band, here or in the reference: the numbers stand, a claim does not.
    TooFewBlocks,
}

/// One quantile here and in the reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// The highest quantile that both have the frames for.
    pub level: Level,
    /// Here.
    pub value_us: f64,
    /// In the reference.
    pub reference_us: f64,
    /// Which policy the reference is: `shares`, or `pinned` where that is what a quota was added to.
    pub reference: PolicyKind,
    /// First over second.
    pub ratio: f64,
    /// What it shows.
    pub outcome: Outcome,
}

impl Comparison {
    /// Compares p99, or else p95; `None` when either lacks the frames for that.
    pub(super) fn between(measured: &Measured, reference: &Measured) -> Option<Self> {
        [Level::P99, Level::P95].into_iter().find_map(|level| {
            let (here, there) = (measured.latency.get(level), reference.latency.get(level));
            let (value_us, reference_us) = (here.pooled_us?, there.pooled_us.filter(|us| *us > 0.0)?);
            let ratio = value_us / reference_us;
            let outcome = outcome(here.band_us, there.band_us, ratio);
            Some(Self { level, value_us, reference_us, reference: reference.policy(), ratio, outcome })
        })
    }
}

fn outcome(here: Option<Band>, there: Option<Band>, ratio: f64) -> Outcome {
    match here.zip(there) {
        None => Outcome::TooFewBlocks,
        Some((here, there)) if here.is_above(&there) && ratio >= WORTH_A_WORD => Outcome::Slower,
        Some((here, there)) if there.is_above(&here) && ratio <= 1.0 / WORTH_A_WORD => Outcome::Faster,
        Some(_) => Outcome::NoDifference,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOW: Band = Band { low: 10.0, high: 12.0 };
    const HIGH: Band = Band { low: 13.0, high: 15.0 };

    #[test]
    fn a_claim_takes_bands_apart_and_a_ratio_worth_a_word() {
        assert_eq!(outcome(Some(HIGH), Some(LOW), 1.3), Outcome::Slower);
        assert_eq!(outcome(Some(LOW), Some(HIGH), 0.8), Outcome::Faster);
        assert_eq!(outcome(Some(HIGH), Some(LOW), 1.05), Outcome::NoDifference);
        assert_eq!(outcome(Some(LOW), Some(LOW), 1.3), Outcome::NoDifference);
        assert_eq!(outcome(None, Some(LOW), 5.0), Outcome::TooFewBlocks);
    }
}
