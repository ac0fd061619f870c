//! One number of the kernel's against the model's range, and how far outside it may lie.
//!
//! The bounds were set before the grid was measured. The relative ones are the promise; the absolute ones are for small numbers, of
//! which a part is less than one event.

use cgtune_core::sim::Spread;
use serde::Serialize;

/// How far outside the model's range a number may lie: the wider of the two at each end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slack {
    /// In the number's own unit.
    pub absolute: f64,
    /// As a part of the range's end.
    pub relative: f64,
}

impl Slack {
    /// Of a throttled share: 3 points.
    pub const THROTTLED: Self = Self { absolute: 0.03, relative: 0.0 };
    /// Of `nr_bursts`: 15 %, or 3 bursts. Three is how far an implementation of the kernel's own rules was found to be off when
    /// fed with measured CPU.
    pub const BURSTS: Self = Self { absolute: 3.0, relative: 0.15 };
    /// Of the burst time in ms: 15 %, or as much as those 3 bursts off by a slice each, the grain (5 ms) in which a CPU takes
    /// from the pool.
    pub const BURST_MS: Self = Self { absolute: 15.0, relative: 0.15 };
    /// Of a latency: 15 %.
    pub const LATENCY: Self = Self { absolute: 0.0, relative: 0.15 };

    /// The range with the slack around it.
    fn around(self, range: Spread<f64>) -> std::ops::RangeInclusive<f64> {
        let slack = |end: f64| self.absolute.max(end * self.relative);
        range.min - slack(range.min)..=range.max + slack(range.max)
    }
}

/// A number of the kernel's against the model's range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Compared {
    /// What was measured.
    pub kernel: f64,
    /// What the model says, over all phases.
    pub model: Spread<f64>,
    /// Whether the one lies in the other, with the slack that is allowed.
    pub agrees: bool,
}

impl Compared {
    /// Compares.
    #[must_use]
    pub fn new(kernel: f64, model: Spread<f64>, slack: Slack) -> Self {
        Self { kernel, model, agrees: slack.around(model).contains(&kernel) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agrees(kernel: f64, min: f64, max: f64, slack: Slack) -> bool {
        Compared::new(kernel, Spread { min, median: min, max }, slack).agrees
    }

    #[test]
    fn a_share_may_lie_three_points_outside_however_small_it_is() {
        assert!(agrees(0.03, 0.0, 0.0, Slack::THROTTLED) && !agrees(0.031, 0.0, 0.0, Slack::THROTTLED));
        assert!(agrees(0.271, 0.3, 0.4, Slack::THROTTLED) && !agrees(0.26, 0.3, 0.4, Slack::THROTTLED));
    }

    #[test]
    fn few_bursts_may_be_three_off_and_many_a_part() {
        assert!(agrees(3.0, 0.0, 0.0, Slack::BURSTS) && !agrees(4.0, 0.0, 0.0, Slack::BURSTS));
        assert!(agrees(7.0, 10.0, 12.0, Slack::BURSTS) && !agrees(6.0, 10.0, 12.0, Slack::BURSTS));
        assert!(agrees(85.0, 100.0, 100.0, Slack::BURSTS) && agrees(115.0, 100.0, 100.0, Slack::BURSTS));
        assert!(!agrees(84.0, 100.0, 100.0, Slack::BURSTS) && !agrees(116.0, 100.0, 100.0, Slack::BURSTS));
    }

    #[test]
    fn a_little_burst_time_may_be_three_slices_off_and_much_a_part() {
        assert!(agrees(15.0, 0.0, 0.0, Slack::BURST_MS) && !agrees(15.1, 0.0, 0.0, Slack::BURST_MS));
        assert!(agrees(850.0, 1000.0, 1000.0, Slack::BURST_MS));
        assert!(!agrees(849.0, 1000.0, 1000.0, Slack::BURST_MS));
    }

    #[test]
    fn a_latency_may_be_a_part_off_and_nothing_else() {
        assert!(agrees(8.6, 10.0, 20.0, Slack::LATENCY) && !agrees(8.4, 10.0, 20.0, Slack::LATENCY));
        assert!(agrees(22.9, 10.0, 20.0, Slack::LATENCY) && !agrees(23.1, 10.0, 20.0, Slack::LATENCY));
    }
}
