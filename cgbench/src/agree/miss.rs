//! What does not agree, and why, where the records can tell.

use std::fmt;

use serde::Serialize;

use super::{Compared, Slack};
use crate::{
    plan::Condition,
    record::{Block, Disturbance, Records},
    study::{Unsteady, is_void, speed},
    summary::Speed,
};

/// Which number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Throttled periods of those in which the group was active.
    Throttled,
    /// Periods in which more than the quota was taken.
    Bursts,
    /// How much more.
    BurstMs,
    /// 99th percentile of the latency.
    P99Ms,
}

/// Why a number may not agree.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Reason {
    /// The hypervisor or other programs took more of the machine than a block may lose.
    Disturbed {
        /// Part of the machine taken by the hypervisor.
        steal: f64,
        /// Part used by others.
        foreign: f64,
    },
    /// Neither throttles, so the latency is the machine's and not the controller's.
    NotThrottled,
    /// One period more or less is further than the slack.
    FewPeriods {
        /// Active periods.
        periods: u64,
    },
    /// The machine's speed was not the pilot's, so what was measured is of two machines.
    Moved(Speed),
    /// The records tell nothing.
    Unexplained,
}

/// How much slower a second of frames, or faster a whole block, may be than in the pilot before that is a reason.
const MOVED: f64 = 1.1;

/// A number that does not agree.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Miss {
    /// The cell.
    pub condition: Condition,
    /// The block's place in the run; `None`: over all blocks of the cell.
    pub block: Option<u32>,
    /// Which number.
    pub metric: Metric,
    /// The number, and the model's.
    pub compared: Compared,
    /// Why.
    pub reason: Reason,
}

/// What the records know of a block, or of the worst of several.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Circumstances {
    disturbance: Option<Disturbance>,
    speed: Option<Speed>,
    periods: u64,
    /// Whether the kernel or the model throttled, at any phase.
    throttled: bool,
}

impl Circumstances {
    pub(super) fn of(records: &Records, block: &Block, throttled: &Compared) -> Self {
        Self {
            disturbance: block.disturbance.filter(is_void),
            speed: records
                .pilot_of(block)
                .and_then(|pilot| speed::speed(block, pilot, &records.plan))
                .filter(|speed| speed::moved(speed, MOVED)),
            periods: block.interval.bandwidth.map_or(0, |delta| delta.nr_periods),
            throttled: throttled.kernel > 0.0 || throttled.model.max > 0.0,
        }
    }

    /// Of two blocks of a cell: what is amiss with either.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            disturbance: self.disturbance.or(other.disturbance),
            speed: self.speed.or(other.speed),
            periods: self.periods + other.periods,
            throttled: self.throttled || other.throttled,
        }
    }

    pub(super) fn reason(&self, metric: Metric) -> Reason {
        if let Some(Disturbance { steal, foreign }) = self.disturbance {
            Reason::Disturbed { steal, foreign }
        } else if metric == Metric::P99Ms && !self.throttled {
            Reason::NotThrottled
        } else if metric == Metric::Throttled && self.periods as f64 * Slack::THROTTLED.absolute < 1.0 {
            Reason::FewPeriods { periods: self.periods }
        } else if let Some(speed) = self.speed {
            Reason::Moved(speed)
        } else {
            Reason::Unexplained
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disturbed { steal, foreign } => {
                let (steal, foreign) = (*steal, *foreign);
                write!(f, "disturbed: {}", Unsteady::Disturbed { steal, foreign })
            }
            Self::NotThrottled => {
                f.write_str("neither throttles: the latency is the machine's, not the controller's")
            }
            Self::FewPeriods { periods } => {
                write!(f, "too few periods: one of {periods} is further than the slack")
            }
            Self::Moved(speed) => write!(f, "the machine's speed moved: {}", Unsteady::Moved(*speed)),
            Self::Unexplained => f.write_str("unexplained"),
        }
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Compared { kernel, model, .. } = self.compared;
        let (name, scale, digits, unit) = match self.metric {
            Metric::Throttled => ("throttled", 100.0, 1, " %"),
            Metric::Bursts => ("bursts", 1.0, 0, ""),
            Metric::BurstMs => ("burst time", 1.0, 0, " ms"),
            Metric::P99Ms => ("p99", 1.0, 1, " ms"),
        };
        write!(
            f,
            "{}: {name} {:.digits$}{unit}, model {:.digits$}–{:.digits$}{unit}: {}",
            self.condition,
            kernel * scale,
            model.min * scale,
            model.max * scale,
            self.reason
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALM: Circumstances =
        Circumstances { disturbance: None, speed: None, periods: 100, throttled: true };

    #[test]
    fn a_disturbed_block_is_that_whatever_the_number() {
        let steal = Some(Disturbance { steal: 0.02, foreign: 0.0 });
        let seen = Circumstances { disturbance: steal, throttled: false, ..CALM };
        for metric in [Metric::Throttled, Metric::Bursts, Metric::BurstMs, Metric::P99Ms] {
            assert!(matches!(seen.reason(metric), Reason::Disturbed { .. }), "{metric:?}");
        }
    }

    #[test]
    fn latency_without_throttling_is_the_machines() {
        let seen = Circumstances { throttled: false, ..CALM };
        assert_eq!(seen.reason(Metric::P99Ms), Reason::NotThrottled);
        assert_eq!(seen.reason(Metric::Throttled), Reason::Unexplained);
    }

    #[test]
    fn one_of_33_periods_is_more_than_three_points_and_one_of_34_is_not() {
        let seen = |periods| Circumstances { periods, ..CALM }.reason(Metric::Throttled);
        assert_eq!((seen(33), seen(34)), (Reason::FewPeriods { periods: 33 }, Reason::Unexplained));
        assert_eq!(Circumstances { periods: 3, ..CALM }.reason(Metric::Bursts), Reason::Unexplained);
    }

    #[test]
    fn a_machine_that_moved_is_the_last_reason_and_none_is_said_to_be_none() {
        let speed = Some(Speed { slowest_second: 1.3, mean: 1.1 });
        assert!(matches!(Circumstances { speed, ..CALM }.reason(Metric::Bursts), Reason::Moved(_)));
        assert_eq!(CALM.reason(Metric::BurstMs), Reason::Unexplained);
        // Of a cell whatever is amiss with one block.
        assert!(matches!(CALM.and(Circumstances { speed, ..CALM }).reason(Metric::P99Ms), Reason::Moved(_)));
    }
}
