//! What can be concluded about each condition: data, with the sentence as its Display.
//!
//! Every comparison is with `shares` beside the same neighbour, or none; a quota on pinned CPUs that is not slower
//! than that is compared with `pinned` as well, since beside a neighbour the pinning hides what the quota costs. A difference of latency is claimed only when
//! the bands over blocks lie apart *and* the ratio is worth a word; throttling needs no such test, for the kernel's
//! counters are exact for the run that they counted.

mod comparison;
mod sentence;

pub use comparison::{Comparison, Outcome};

use crate::{
    plan::{Condition, Item, PolicyKind},
    stats::{Level, level::SAMPLES_BEYOND},
    summary::{Measured, Misses, Row, Summary},
};

/// A burst that takes away this part of the throttling absorbs it. Of the measurements that this project repeats
/// (Linux commit f4183717b370, and an encoder at 93 % of its limit), each took away more.
const ABSORBED: f64 = 0.9;

/// Periods, and how many of them were throttled. The denominator is always said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Throttled {
    /// Throttled periods.
    pub throttled: u64,
    /// Active periods; never zero.
    pub periods: u64,
}

impl Throttled {
    /// Part of the periods.
    #[must_use]
    pub fn share(self) -> f64 {
        self.throttled as f64 / self.periods.max(1) as f64
    }
}

/// The latency of the reference itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tail {
    /// Which quantile.
    pub level: Level,
    /// Its value.
    pub value_us: f64,
}

/// What was found about one condition.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// It is what the others are compared with.
    Reference {
        /// Its tail; `None` with too few frames.
        tail: Option<Tail>,
        /// Its late frames.
        misses: Option<Misses>,
    },
    /// Too few frames for even p95, here or in the reference.
    TooFewFrames {
        /// Frames there are.
        frames: u64,
        /// Frames it takes.
        needed: u64,
        /// What the counters say all the same.
        throttled: Option<Throttled>,
    },
    /// There is no reference to compare with.
    NoReference {
        /// Its own tail; `None` with too few frames.
        tail: Option<Tail>,
        /// What the counters say.
        throttled: Option<Throttled>,
    },
    /// Throttled, and frames are slower for it.
    Stalls {
        /// How often.
        throttled: Throttled,
        /// How much slower.
        comparison: Comparison,
        /// Average use over the limit.
        use_of_limit: Option<f64>,
    },
    /// Throttled, without a difference in latency that these blocks could show.
    Throttled {
        /// How often.
        throttled: Throttled,
        /// What they show.
        comparison: Comparison,
    },
    /// A burst takes (almost) all of the throttling away that the same limit has without it.
    Absorbs {
        /// What is left.
        throttled: Throttled,
        /// Under the limit alone.
        without_burst: Throttled,
        /// Against no limit.
        comparison: Comparison,
    },
    /// A burst takes some of it away.
    Eases {
        /// What is left.
        throttled: Throttled,
        /// Under the limit alone.
        without_burst: Throttled,
        /// Against no limit.
        comparison: Comparison,
    },
    /// Limited, and not throttled once.
    NeverThrottled {
        /// In so many periods.
        periods: u64,
        /// Against no limit.
        comparison: Comparison,
    },
    /// Nothing to throttle, or nothing that counts it: latency alone.
    Latency {
        /// Against the reference.
        comparison: Comparison,
    },
    /// This kernel or machine does not provide it.
    NotProvided {
        /// What stands in the way.
        reason: String,
    },
    /// The run ended before its first block.
    NotRun,
}

/// A condition and what was found about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The cell.
    pub condition: Condition,
    /// What its latencies are of.
    pub item: Item,
    /// How many blocks it stands on.
    pub blocks: u64,
    /// How many of them were disturbed.
    pub void_blocks: u64,
    /// What was found.
    pub finding: Finding,
}

impl Summary {
    /// A verdict for each row, in the same order.
    #[must_use]
    pub fn verdicts(&self) -> Vec<Verdict> {
        self.rows.iter().map(|row| self.verdict(row)).collect()
    }

    fn verdict(&self, row: &Row) -> Verdict {
        let condition = row.condition();
        let (blocks, void_blocks, finding) = match row {
            Row::NotProvided { reason, .. } => (0, 0, Finding::NotProvided { reason: reason.clone() }),
            Row::NotRun { .. } => (0, 0, Finding::NotRun),
            Row::Measured(measured) => {
                (measured.blocks.len() as u64, measured.void_blocks, self.finding(measured))
            }
        };
        Verdict { condition, item: self.item, blocks, void_blocks, finding }
    }

    fn finding(&self, measured: &Measured) -> Finding {
        let throttled = throttled(measured);
        if measured.policy() == PolicyKind::Shares {
            return Finding::Reference { tail: tail(measured), misses: measured.misses };
        }
        let sibling = |policy| self.measured(Condition { policy, ..measured.condition });
        let Some(reference) = sibling(PolicyKind::Shares) else {
            return Finding::NoReference { tail: tail(measured), throttled };
        };
        let Some(comparison) = Comparison::between(measured, reference) else {
            let frames = measured.frames.min(reference.frames);
            return Finding::TooFewFrames { frames, needed: Level::P95.needed(), throttled };
        };
        let Some(throttled) = throttled.filter(|_| measured.policy().limits()) else {
            return Finding::Latency { comparison };
        };
        if let Some(without_burst) = self.without_burst(measured) {
            let taken = 1.0 - throttled.share() / without_burst.share();
            if taken >= ABSORBED {
                return Finding::Absorbs { throttled, without_burst, comparison };
            } else if throttled.throttled > 0 && taken > 0.1 {
                return Finding::Eases { throttled, without_burst, comparison };
            }
        }
        let against_pinned = (measured.policy() == PolicyKind::PinnedLimit)
            .then(|| Comparison::between(measured, sibling(PolicyKind::Pinned)?))
            .flatten()
            .filter(|pinned| pinned.outcome == Outcome::Slower && comparison.outcome != Outcome::Slower);
        let comparison = against_pinned.unwrap_or(comparison);
        if throttled.throttled == 0 {
            Finding::NeverThrottled { periods: throttled.periods, comparison }
        } else if comparison.outcome == Outcome::Slower {
            Finding::Stalls { throttled, comparison, use_of_limit: measured.use_of_limit() }
        } else {
            Finding::Throttled { throttled, comparison }
        }
    }

    /// For a policy with burst: the throttling of the same limit without, if there was enough to take away.
    fn without_burst(&self, measured: &Measured) -> Option<Throttled> {
        if !measured.policy().bursts() {
            return None;
        }
        let limit = self.measured(Condition { policy: PolicyKind::Limit, ..measured.condition })?;
        throttled(limit).filter(|throttled| throttled.throttled >= SAMPLES_BEYOND)
    }
}

fn throttled(measured: &Measured) -> Option<Throttled> {
    let counted = measured.throttling.filter(|throttling| throttling.nr_periods > 0)?;
    Some(Throttled { throttled: counted.nr_throttled, periods: counted.nr_periods })
}

fn tail(measured: &Measured) -> Option<Tail> {
    [Level::P99, Level::P95]
        .into_iter()
        .find_map(|level| Some(Tail { level, value_us: measured.latency.get(level).pooled_us? }))
}
