//! The sentences.

use std::fmt;

use super::{Comparison, Finding, Outcome, Tail, Throttled, Verdict};
use crate::{
    plan::{Item, PolicyKind},
    stats::bootstrap::MIN_BLOCKS,
    summary::{
        Misses,
        figures::{count, counted, ms, percent},
    },
};

impl fmt::Display for Throttled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.throttled {
            0 => write!(f, "not throttled in {}", counted(self.periods, "period")),
            _ => write!(f, "throttled in {} of {}", percent(self.share()), counted(self.periods, "period")),
        }
    }
}

impl fmt::Display for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ms", self.level, ms(self.value_us))
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { level, value_us, reference_us, reference, ratio, .. } = self;
        let ratio = if *ratio < 9.95 { format!("{ratio:.1}") } else { count(ratio.round() as u64) };
        let (here, there) = (ms(*value_us), ms(*reference_us));
        write!(f, "{level} {here} ms against {there} ms under {} ({ratio}×)", reference.name())
    }
}

/// What may be said of a comparison in which nothing else stands out.
fn plainly(outcome: Outcome) -> String {
    match outcome {
        Outcome::Slower => "slower".into(),
        Outcome::Faster => "faster".into(),
        Outcome::NoDifference => "no difference that these blocks can show".into(),
        Outcome::TooFewBlocks => format!("no claim from fewer than {MIN_BLOCKS} blocks"),
    }
}

fn late(misses: Option<Misses>, item: Item) -> String {
    match misses.map(|misses| (misses.share(), misses.frames)) {
        Some((Some(share), frames)) => {
            format!(", {} of {} late", percent(share), counted(frames, item.name()))
        }
        Some((None, _)) | None => String::new(),
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.condition)?;
        match &self.finding {
            Finding::Reference { tail: Some(tail), misses } => {
                write!(f, "{tail}{}; the others are compared with it", late(*misses, self.item))
            }
            Finding::Reference { tail: None, misses } => {
                write!(f, "too few {}s for p95{}", self.item.name(), late(*misses, self.item))
            }
            Finding::TooFewFrames { frames, needed, throttled } => {
                if let Some(throttled) = throttled {
                    write!(f, "{throttled}; ")?;
                }
                write!(
                    f,
                    "no claim about latency from {}, p95 takes {}",
                    counted(*frames, self.item.name()),
                    count(*needed)
                )
            }
            Finding::NoReference { tail, throttled } => {
                if let Some(throttled) = throttled {
                    write!(f, "{throttled}; ")?;
                }
                match tail {
                    Some(tail) => {
                        write!(f, "{tail}; without blocks under shares there is nothing to compare with")
                    }
                    None => write!(
                        f,
                        "too few {}s for p95, and no blocks under shares to compare with",
                        self.item.name()
                    ),
                }
            }
            Finding::Stalls { throttled, comparison, use_of_limit } => {
                write!(f, "{throttled}; {comparison}: ")?;
                match (self.condition.policy, use_of_limit) {
                    (PolicyKind::PinnedLimit, _) => {
                        write!(f, "it still stalls, for a quota throttles on CPUs of one's own as well")
                    }
                    (_, Some(part)) => {
                        write!(f, "it stalls, although average use is {} of the limit", percent(*part))
                    }
                    (_, None) => write!(f, "it stalls"),
                }
            }
            Finding::Throttled { throttled, comparison } => {
                write!(f, "{throttled}; {comparison}: {}", plainly(comparison.outcome))
            }
            Finding::Absorbs { throttled, without_burst, comparison } => {
                write!(f, "{throttled}, {} without burst; {comparison}: ", percent(without_burst.share()))?;
                match comparison.outcome {
                    Outcome::Slower => {
                        write!(f, "the burst absorbs the throttling, yet {}s are slower", self.item.name())
                    }
                    Outcome::Faster | Outcome::NoDifference => write!(f, "the burst absorbs it"),
                    Outcome::TooFewBlocks => {
                        write!(f, "the burst absorbs the throttling; {}", plainly(comparison.outcome))
                    }
                }
            }
            Finding::Eases { throttled, without_burst, comparison } => write!(
                f,
                "{throttled}, {} without burst; {comparison}: the burst takes some of it away, not all",
                percent(without_burst.share()),
            ),
            Finding::NeverThrottled { periods, comparison } => write!(
                f,
                "not throttled in {}; {comparison}: {}",
                counted(*periods, "period"),
                plainly(comparison.outcome)
            ),
            Finding::Latency { comparison } => write!(f, "{comparison}: {}", plainly(comparison.outcome)),
            Finding::NotProvided { reason } => write!(f, "not provided by this kernel: {reason}"),
            Finding::NotRun => write!(f, "not run: the run ended before its first block"),
        }?;
        if self.void_blocks > 0 {
            write!(f, " ({} of {} disturbed)", self.void_blocks, counted(self.blocks, "block"))?;
        }
        Ok(())
    }
}
