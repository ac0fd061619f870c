//! What is followed: one number a block, smaller is better.
//!
//! A number that the block cannot carry is `None`, never zero: a counter that the kernel lacks, a quantile without
//! its frames ([`Level::needed`]), a ratio without the block to divide by.

use serde::{Deserialize, Serialize};

use crate::{
    plan::PolicyKind,
    record::{Block, Records},
    stats::{Level, quantile},
    study::measured_frames,
};

/// One number of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// Throttled periods over active periods of the measured part (`nr_throttled` over `nr_periods`). `None` without a
    /// quota, without these counters, and of no active period.
    Throttled,
    /// Time throttled per second of the measured part, in milliseconds, summed over CPUs: 1,000 is a CPU that stands still.
    /// `None` without a quota and without the counter.
    Stall,
    /// p95 of latency over the p95 of the `shares` block of the same repetition, beside the same neighbour or none: how much
    /// of the tail is the policy's, on this machine on this day. `None` for `shares` itself, without that block, and where
    /// either has fewer than 200 frames.
    P95Ratio,
    /// The same of medians; 20 frames do.
    P50Ratio,
    /// CPU time of the measured frames over that of the same pictures in the block's pilot: what the policy (cold caches after
    /// a stall, a busy sibling) adds to the work. A load that has grown heavier all along is heavier in the pilot as well
    /// and does not show here. `None` without that pilot, or a pilot that is shorter than the block.
    Work,
    /// Median of latency, from the intended start of a frame to its end; `None` below 20 frames.
    P50,
    /// Latency that one frame in twenty exceeds; `None` below 200 frames.
    P95,
    /// Latency that one frame in a hundred exceeds; `None` below 1,000 frames, which few plans have in a block.
    P99,
    /// Part of the frames that take longer than the frame interval; `None` without frames or without a clock.
    Late,
    /// Mean CPU time of a frame; `None` without frames.
    FrameCpu,
}

/// What a metric compares with, and so what a machine that is faster or slower does to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// The kernel's counters: exact for the block that they counted.
    Counter,
    /// Against another block of the same run.
    Ratio,
    /// In units of the machine: only runs of one machine, on days that are alike, compare.
    Absolute,
}

/// In what a metric is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A part, 0 to 1.
    Part,
    /// Milliseconds per second.
    MsPerS,
    /// A ratio.
    Ratio,
    /// Microseconds.
    Us,
}

/// On which scale differences are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// As they are: a difference in the metric's unit.
    Linear,
    /// As logarithms: a difference is a factor.
    Log,
}

impl Metric {
    /// All, in the order of tables.
    pub const ALL: [Self; 10] = [
        Self::Throttled,
        Self::Stall,
        Self::P95Ratio,
        Self::P50Ratio,
        Self::Work,
        Self::P50,
        Self::P95,
        Self::P99,
        Self::Late,
        Self::FrameCpu,
    ];

    /// Those that stand without being asked for: what another day's clock frequency does not move.
    #[must_use]
    pub fn usual() -> Vec<Self> {
        Self::ALL.into_iter().filter(|metric| metric.family() != Family::Absolute).collect()
    }

    /// The name in tables, files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Stall => "stall",
            Self::P95Ratio => "p95-ratio",
            Self::P50Ratio => "p50-ratio",
            Self::Work => "work",
            Self::P50 => "p50",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::Late => "late",
            Self::FrameCpu => "frame-cpu",
        }
    }

    /// The metric of a name.
    ///
    /// # Errors
    /// A sentence with the names there are.
    pub fn parse(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|metric| metric.name() == name).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|metric| metric.name()).collect();
            format!("no metric \"{}\"; there are {}", super::escape::terminal(name), known.join(", "))
        })
    }

    /// What it compares with.
    #[must_use]
    pub const fn family(self) -> Family {
        match self {
            Self::Throttled | Self::Stall => Family::Counter,
            Self::P95Ratio | Self::P50Ratio | Self::Work => Family::Ratio,
            Self::P50 | Self::P95 | Self::P99 | Self::Late | Self::FrameCpu => Family::Absolute,
        }
    }

    /// In what it is counted.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::Throttled | Self::Late => Unit::Part,
            Self::Stall => Unit::MsPerS,
            Self::P95Ratio | Self::P50Ratio | Self::Work => Unit::Ratio,
            Self::P50 | Self::P95 | Self::P99 | Self::FrameCpu => Unit::Us,
        }
    }

    /// How two values of it differ: what cannot be zero by a factor, what may be zero by a difference.
    #[must_use]
    pub const fn scale(self) -> Scale {
        match self.unit() {
            Unit::Part | Unit::MsPerS => Scale::Linear,
            Unit::Ratio | Unit::Us => Scale::Log,
        }
    }

    /// A worsening below which nobody acts, in the metric's unit, or as a part where differences are factors. A smaller one
    /// is no regression however sure it is.
    ///
    /// - parts, 0.02: by the phase of the period timer alone one load is throttled in 30 to 42 % of its periods
    ///   (docs/simulation.md), and two periods in a hundred are one in five seconds;
    /// - stall, 2 ms/s: 0.2 % of a CPU, and half of a 250 Hz tick, to which the kernel enforces a quota;
    /// - factors, 2 %: on a quiet machine the same pictures took 14.2 to 14.7 ms of CPU time in the pilots of one run
    ///   (results/encoder-linux-6.18), which is 2 % to either side.
    #[must_use]
    pub const fn margin(self) -> f64 {
        match self.unit() {
            Unit::Part | Unit::Ratio | Unit::Us => 0.02,
            Unit::MsPerS => 2.0,
        }
    }

    /// The number of a block of these records.
    #[must_use]
    pub fn of(self, block: &Block, records: &Records) -> Option<f64> {
        let limited = block.condition.policy.limits();
        match self {
            Self::Throttled => block.interval.throttled_ratio().filter(|_| limited),
            Self::Stall => block.interval.stall_ms_per_s().filter(|_| limited),
            Self::P95Ratio => over_shares(block, records, Level::P95),
            Self::P50Ratio => over_shares(block, records, Level::P50),
            // A pilot of another load says nothing of this one's work.
            Self::Work if *records.plan.pilot_load() != records.plan.load => None,
            Self::Work => work(block, records.pilot_of(block)?),
            Self::P50 => latency_us(block, Level::P50),
            Self::P95 => latency_us(block, Level::P95),
            Self::P99 => latency_us(block, Level::P99),
            Self::Late => late(block, records.plan.load.deadline_ns()?),
            Self::FrameCpu => {
                let rows = measured_frames(block);
                let frames = rows.len();
                let sum: f64 = block.frames.cpu_ns[rows].iter().map(|&ns| ns as f64).sum();
                (frames > 0).then(|| sum / 1e3 / frames as f64)
            }
        }
        .filter(|value| value.is_finite())
    }
}

impl std::fmt::Display for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl Scale {
    /// A value on this scale; `None` where it has no place there.
    #[must_use]
    pub fn place(self, value: f64) -> Option<f64> {
        match self {
            Self::Linear => Some(value),
            Self::Log => (value > 0.0).then(|| value.ln()),
        }
    }

    /// A difference on this scale as it is said: itself, or the factor less one.
    #[must_use]
    pub fn said(self, difference: f64) -> f64 {
        match self {
            Self::Linear => difference,
            Self::Log => difference.exp_m1(),
        }
    }

    /// The way back from [`Self::said`].
    #[must_use]
    pub fn unsaid(self, said: f64) -> f64 {
        match self {
            Self::Linear => said,
            Self::Log => said.ln_1p(),
        }
    }
}

fn latency_us(block: &Block, level: Level) -> Option<f64> {
    let rows = measured_frames(block);
    let mut latencies: Vec<f64> =
        block.frames.latencies_ns().skip(rows.start).take(rows.len()).map(|ns| ns as f64 / 1e3).collect();
    latencies.sort_by(f64::total_cmp);
    quantile::of_sorted(&latencies, level)
}

fn over_shares(block: &Block, records: &Records, level: Level) -> Option<f64> {
    if block.condition.policy == PolicyKind::Shares {
        return None;
    }
    let shares = records.blocks.iter().find(|other| {
        !other.partial
            && other.repetition == block.repetition
            && other.condition.policy == PolicyKind::Shares
            && other.condition.neighbour == block.condition.neighbour
    })?;
    let usual = latency_us(shares, level).filter(|&us| us > 0.0)?;
    Some(latency_us(block, level)? / usual)
}

/// Of the same places in the clip, so that the pictures are the same.
fn work(block: &Block, pilot: &Block) -> Option<f64> {
    let rows = measured_frames(block);
    let sum = |cpu_ns: &[u64]| cpu_ns.iter().map(|&ns| ns as f64).sum::<f64>();
    let usual = sum(pilot.frames.cpu_ns.get(rows.clone())?);
    (usual > 0.0).then(|| sum(&block.frames.cpu_ns[rows]) / usual)
}

fn late(block: &Block, interval_ns: u64) -> Option<f64> {
    let rows = measured_frames(block);
    let frames = rows.len();
    let late =
        block.frames.latencies_ns().skip(rows.start).take(frames).filter(|&ns| ns > interval_ns).count();
    (frames > 0).then(|| late as f64 / frames as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_read_back() {
        for metric in Metric::ALL {
            assert_eq!(Metric::parse(metric.name()), Ok(metric));
        }
        assert!(Metric::parse("p42").unwrap_err().contains("p95-ratio"));
    }

    #[test]
    fn a_factor_is_said_as_its_part_and_read_back() {
        assert!((Scale::Log.said(1.05_f64.ln()) - 0.05).abs() < 1e-12);
        assert!((Scale::Log.unsaid(0.05) - 1.05_f64.ln()).abs() < 1e-12);
        assert_eq!((Scale::Linear.said(0.3), Scale::Linear.unsaid(0.3)), (0.3, 0.3));
        assert_eq!(Scale::Log.place(0.0), None);
    }

    #[test]
    fn absolute_times_are_asked_for() {
        assert!(Metric::usual().iter().all(|metric| metric.family() != Family::Absolute));
        assert_eq!(Metric::usual().len(), 5);
    }
}
