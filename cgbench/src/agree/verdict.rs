//! Whether enough agrees.

use std::fmt;

use serde::Serialize;

use super::{Agreement, Compared};

/// Part of the blocks whose throttled share must agree.
const THROTTLED_NEEDED: f64 = 0.9;
/// Part of the other numbers that must.
const OTHERS_NEEDED: f64 = 0.8;

/// How many of one number agree.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tally {
    /// So many.
    pub agree: usize,
    /// Of so many.
    pub of: usize,
    /// The part that must.
    pub needed: f64,
}

impl Tally {
    fn new<'c>(needed: f64, all: impl Iterator<Item = &'c Compared>) -> Self {
        let start = Self { agree: 0, of: 0, needed };
        all.fold(start, |tally, one| Self {
            agree: tally.agree + usize::from(one.agrees),
            of: tally.of + 1,
            ..tally
        })
    }

    /// Whether enough do; of none there is nothing to miss.
    #[must_use]
    pub fn enough(&self) -> bool {
        self.agree as f64 >= self.of as f64 * self.needed
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.agree, self.of)
    }
}

/// Over all runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Verdict {
    /// Whether enough of each agrees.
    pub agrees: bool,
    /// Throttled shares of blocks.
    pub throttled: Tally,
    /// `nr_bursts` of blocks with burst.
    pub bursts: Tally,
    /// Their burst time.
    pub burst_ms: Tally,
    /// p99 of cells with the frames for it.
    pub p99_ms: Tally,
}

impl Verdict {
    /// Counts.
    pub fn of<'a>(all: impl Iterator<Item = &'a Agreement> + Clone) -> Self {
        let blocks = || all.clone().flat_map(|agreement| &agreement.blocks);
        let cells = || all.clone().flat_map(|agreement| &agreement.cells);
        let throttled = Tally::new(THROTTLED_NEEDED, blocks().map(|block| &block.throttled));
        let bursts = Tally::new(OTHERS_NEEDED, blocks().filter_map(|block| block.bursts.as_ref()));
        let burst_ms = Tally::new(OTHERS_NEEDED, blocks().filter_map(|block| block.burst_ms.as_ref()));
        let p99_ms = Tally::new(OTHERS_NEEDED, cells().filter_map(|cell| cell.p99_ms.as_ref()));
        let agrees = [throttled, bursts, burst_ms, p99_ms].iter().all(Tally::enough);
        Self { agrees, throttled, bursts, burst_ms, p99_ms }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let says = if self.agrees { "agrees" } else { "does NOT agree" };
        let all = [
            ("throttled share", self.throttled, "blocks"),
            ("bursts", self.bursts, "blocks"),
            ("burst time", self.burst_ms, "blocks"),
            ("p99", self.p99_ms, "cells"),
        ];
        // What was not compared is not counted as having agreed.
        let compared = all.into_iter().filter(|(_, tally, _)| tally.of > 0);
        let parts: Vec<String> =
            compared.map(|(name, tally, of)| format!("{name} in {tally} {of}")).collect();
        write!(f, "the model {says} with this kernel: {}", parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use cgtune_core::sim::Spread;

    use super::*;

    fn tally(agree: usize, of: usize, needed: f64) -> Tally {
        let compared =
            |agrees| Compared { kernel: 0.0, model: Spread { min: 0.0, median: 0.0, max: 0.0 }, agrees };
        let all: Vec<Compared> = (0..of).map(|at| compared(at < agree)).collect();
        Tally::new(needed, all.iter())
    }

    #[test]
    fn nine_of_ten_shares_are_enough_and_eight_of_ten_of_the_rest() {
        assert!(tally(27, 30, THROTTLED_NEEDED).enough() && !tally(26, 30, THROTTLED_NEEDED).enough());
        assert!(tally(8, 10, OTHERS_NEEDED).enough() && !tally(7, 10, OTHERS_NEEDED).enough());
    }

    #[test]
    fn of_none_nothing_is_missed_and_nothing_is_claimed() {
        let none = tally(0, 0, OTHERS_NEEDED);
        assert!(none.enough());
        let all = Verdict {
            agrees: true,
            throttled: tally(9, 10, 0.9),
            bursts: none,
            burst_ms: none,
            p99_ms: none,
        };
        assert_eq!(all.to_string(), "the model agrees with this kernel: throttled share in 9 of 10 blocks");
    }

    #[test]
    fn no_run_has_nothing_that_fails() {
        assert!(Verdict::of(std::iter::empty()).agrees);
    }
}
