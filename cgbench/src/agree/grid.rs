//! The grid: loads × quotas × threads × periods, each under the limit without burst, with half a quota of it and with a whole one.
//!
//! Each point is a run of its own, in the format of any other.

use cgtune_core::Micros;
use workloads::{h264::EncodeConfig, latency::ClockConfig, video::SceneConfig};

use crate::plan::{Condition, EncodeLoad, Instrument, LimitRule, Load, Plan, PolicyKind};

/// The seed of the grid, unless another is asked for.
pub const SEED: u64 = 1;

/// The bursts: none, half a quota, a quota.
pub const POLICIES: [PolicyKind; 3] = [PolicyKind::Limit, PolicyKind::LimitHalfBurst, PolicyKind::LimitBurst];

/// A load: what is calibrated. Points of the same load share that.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadShape {
    /// Frames a second, of which 1000/1001 are played, as television has it.
    pub fps: u32,
    /// Part of the frame interval that a frame costs, all threads together.
    pub share: f64,
    /// Threads that share a frame.
    pub threads: u32,
}

/// One load under one limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The load.
    pub load: LoadShape,
    /// The period.
    pub period_ms: u64,
    /// Quota over what the load was measured to need.
    pub headroom: f64,
    /// Frames measured: a thousand carry a p99.
    pub frames: u32,
}

/// The load of the signature chart: a live encoder whose frame clock doesn't divide the period.
const USUAL: LoadShape = LoadShape { fps: 60, share: 0.4, threads: 1 };
/// Frames of 13 ms that two threads share.
const SLICED: LoadShape = LoadShape { fps: 60, share: 0.8, threads: 2 };
/// A slow clock: few long frames a period.
const SLOW: LoadShape = LoadShape { fps: 30, share: 0.4, threads: 1 };
/// A fast clock: many short frames a period.
const FAST: LoadShape = LoadShape { fps: 120, share: 0.3, threads: 1 };
/// Both.
const FAST_SLICED: LoadShape = LoadShape { fps: 120, share: 0.6, threads: 2 };

/// Frames for a p99, and some for those that the model does not finish in the time of a block.
const ENOUGH: u32 = 1_040;

const fn point(load: LoadShape, period_ms: u64, headroom: f64, frames: u32) -> Point {
    Point { load, period_ms, headroom, frames }
}

/// The whole: a quarter of an hour. Six quotas for one load are the curve of the signature chart.
pub const FULL: [Point; 13] = [
    point(USUAL, 100, 1.02, ENOUGH),
    point(USUAL, 100, 1.05, ENOUGH),
    point(USUAL, 100, 1.1, ENOUGH),
    point(USUAL, 100, 1.15, ENOUGH),
    point(USUAL, 100, 1.3, ENOUGH),
    point(USUAL, 100, 1.6, ENOUGH),
    point(USUAL, 20, 1.08, ENOUGH),
    point(USUAL, 20, 1.3, ENOUGH),
    point(SLICED, 100, 1.08, ENOUGH),
    point(SLICED, 100, 1.25, ENOUGH),
    point(FAST_SLICED, 50, 1.15, ENOUGH),
    point(FAST, 100, 1.1, ENOUGH),
    // Too slow a clock for a p99 in reasonable time: counters only.
    point(SLOW, 100, 1.08, 300),
];

/// About a minute: counters only.
pub const QUICK: [Point; 4] = [
    point(USUAL, 100, 1.05, 150),
    point(USUAL, 100, 1.3, 150),
    point(USUAL, 20, 1.08, 150),
    point(SLICED, 50, 1.15, 150),
];

impl LoadShape {
    /// Its frame clock.
    #[must_use]
    pub fn clock(&self, seed: u64) -> ClockConfig {
        ClockConfig { fps_num: self.fps * 1000, fps_den: 1001, seed, ..ClockConfig::default() }
    }

    /// Its encode loop, at a size still to be calibrated.
    #[must_use]
    pub fn encode(&self, seed: u64) -> EncodeConfig {
        EncodeConfig {
            threads: self.threads,
            scene: SceneConfig { seed, ..SceneConfig::default() },
            ..EncodeConfig::default()
        }
    }
}

impl Point {
    /// Name of its folder: `60fps-s0.40-1t-100ms-q1.05`, for frames a second, share of the interval, threads, period, quota over
    /// need.
    #[must_use]
    pub fn name(&self) -> String {
        let LoadShape { fps, share, threads } = self.load;
        format!("{fps}fps-s{share:.2}-{threads}t-{}ms-q{:.2}", self.period_ms, self.headroom)
    }

    /// The same with at most so many frames, of a clock so many times as slow, for CPUs that are emulated.
    #[must_use]
    pub fn scaled(self, frames: u32, slow: u32) -> Self {
        let load = LoadShape { fps: (self.load.fps / slow.max(1)).max(1), ..self.load };
        Self { load, frames: self.frames.min(frames), ..self }
    }

    /// Its run.
    #[must_use]
    pub fn plan(&self, seed: u64, encode: EncodeConfig) -> Plan {
        Plan {
            schema: Plan::SCHEMA.to_owned(),
            name: "agree".to_owned(),
            point: Some(self.name()),
            seed,
            conditions: POLICIES.map(|policy| Condition { neighbour: false, policy }).to_vec(),
            repetitions: 1,
            merged: Vec::new(),
            frames: self.frames,
            // Half a second.
            warmup_frames: self.load.fps.div_ceil(2),
            // The model gets what was measured, drift and all; a block that was disturbed is named as such.
            reruns: 0,
            limit: LimitRule::of_need(self.headroom, Micros::from_ms(self.period_ms)),
            neighbour_threads: 1,
            cpus: None,
            instrument: Instrument::Full,
            pilot: None,
            load: Load::Encode(EncodeLoad { share: self.load.share, clock: self.load.clock(seed), encode }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::runner::forecast::{self, Left};

    #[test]
    fn the_grid_has_its_combinations_each_once() {
        let names: BTreeSet<String> = FULL.iter().map(Point::name).collect();
        assert_eq!(names.len(), FULL.len());
        assert!(FULL.len() * POLICIES.len() >= 27);
        assert_eq!(FULL[1].name(), "60fps-s0.40-1t-100ms-q1.05");
        let curve = FULL.iter().filter(|point| point.load == USUAL && point.period_ms == 100).count();
        assert!(curve >= 5, "a curve takes several quotas");
    }

    #[test]
    fn it_takes_a_quarter_of_an_hour_and_the_quick_one_a_minute() {
        let minutes = |points: &[Point]| {
            let plans: Vec<Plan> =
                points.iter().map(|point| point.plan(SEED, EncodeConfig::default())).collect();
            forecast::seconds(plans.iter().map(Left::from)) / 60.0
        };
        assert!((10.0..=15.0).contains(&minutes(&FULL)), "{}", minutes(&FULL));
        assert!(minutes(&QUICK) < 1.25, "{}", minutes(&QUICK));
    }

    #[test]
    fn a_slower_clock_keeps_share_and_period() {
        let slow = FULL[0].scaled(150, 4);
        assert_eq!((slow.load.fps, slow.frames, slow.period_ms), (15, 150, 100));
        assert_eq!(slow.plan(1, EncodeConfig::default()).warmup_frames, 8);
        assert_eq!(FULL[0].scaled(u32::MAX, 1), FULL[0]);
    }
}
