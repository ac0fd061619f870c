//! What a run says once it is counted: numbers only, in base units, each with what it stands on.
//!
//! Derived from the records by [`study`](crate::study) and by nothing else; may be thrown away and made again.
//! Conclusions are [`Verdict`](crate::study::verdict::Verdict)s, made from this.

pub mod figures;

use serde::{Deserialize, Serialize};

use crate::{
    plan::{Condition, Item, PolicyKind},
    record::BackendKind,
    stats::{Band, Level, MedianInterval, drift::Drift, jitter::Jitter},
};

/// The summary of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// `cgbench.summary/1`.
    pub schema: String,
    /// Name of the plan.
    pub plan: String,
    /// Which point of it, where it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<String>,
    /// What its latencies are of.
    #[serde(default, skip_serializing_if = "Item::is_frame")]
    pub item: Item,
    /// Its seed, also of the bands.
    pub seed: u64,
    /// Who measured: the kernel, or a model of it.
    pub backend: BackendKind,
    /// `uname -r` of the machine.
    pub kernel: String,
    /// Whether blocks are missing that the plan asks for and the machine provides.
    pub partial: bool,
    /// Blocks that the plan asks for, without those the machine does not provide.
    pub blocks_planned: u64,
    /// Blocks that there are, of which each counts once however often it was tried.
    pub blocks: u64,
    /// What the load needed when nothing limited it, pilot by pilot; the lowest and the highest.
    pub pilots: Option<Pilots>,
    /// Time between frames, or a service's deadline; what takes longer from its intended start is late. `None`: there is none.
    pub frame_interval_us: Option<f64>,
    /// Period of the bandwidth control, as planned.
    pub period_us: u64,
    /// How much slower than in its pilot a second of a steady block may be, as planned: the limit's headroom over the need.
    #[serde(rename = "headroom")]
    pub tolerance: f64,
    /// One row a condition: first alone, then with a neighbour, policies in the order of [`PolicyKind::ALL`].
    pub rows: Vec<Row>,
}

/// A condition of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Row {
    /// There are blocks of it.
    Measured(Box<Measured>),
    /// This kernel or machine does not provide it.
    NotProvided {
        /// The cell.
        condition: Condition,
        /// What stands in the way.
        reason: String,
    },
    /// The run ended before its first block.
    NotRun {
        /// The cell.
        condition: Condition,
    },
}

/// What was measured under one condition, over its blocks and without their warm-up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The cell.
    pub condition: Condition,
    /// Frames measured.
    pub frames: u64,
    /// The limit as read back, in CPUs, averaged over the blocks; `None` without quota.
    pub limit_cpus: Option<f64>,
    /// Bandwidth control; `None` where the kernel does not count it.
    pub throttling: Option<Throttling>,
    /// Latency of a frame, from its intended start to its end.
    pub latency: Latency,
    /// Late frames; `None` when there is no frame interval to be late against.
    pub misses: Option<Misses>,
    /// Jitter between the ends of consecutive frames; `None` without two of them in a block.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<Jitter>,
    /// Whether the median latency of its blocks rose or fell over the run; `None` with too few blocks to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// CPUs used on average; `None` where the kernel does not count it.
    pub cpus_used: Option<f64>,
    /// CPU time of a frame; `None` without frames.
    pub frame_cpu: Option<FrameCpu>,
    /// Bursts; `None` where the kernel does not count them.
    pub bursts: Option<Bursts>,
    /// Blocks whose disturbance is above the bounds. They are counted in, and marked.
    pub void_blocks: u64,
    /// Blocks whose disturbance is not known.
    pub unwatched_blocks: u64,
    /// The worst disturbance of any block; `None` where it was never known.
    pub worst: Option<Worst>,
    /// Blocks during which the machine's speed moved ([`Speed`]). They are counted in, and marked.
    pub moved_blocks: u64,
    /// Tries that were run again, and what they counted; `None` where no block was tried twice.
    pub set_aside: Option<SetAside>,
    /// The blocks.
    pub blocks: Vec<BlockSummary>,
}

/// Bandwidth control over all blocks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Throttling {
    /// Active periods that ended: the denominator.
    pub nr_periods: u64,
    /// Those that ended throttled.
    pub nr_throttled: u64,
    /// Second over first; `None` without an active period, as without a quota.
    pub share: Option<f64>,
    /// Time throttled per second, summed over CPUs.
    pub stall_ms_per_s: Option<f64>,
    /// The share, block by block.
    pub share_over_blocks: Option<MedianInterval>,
}

/// Quantiles of latency.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// The median.
    pub p50: Quantile,
    /// One frame in twenty takes longer.
    pub p95: Quantile,
    /// One frame in a hundred takes longer.
    pub p99: Quantile,
    /// One frame in a thousand takes longer.
    #[serde(rename = "p99_9")]
    pub p999: Quantile,
    /// The slowest frame; `None` without frames.
    pub max_us: Option<f64>,
}

/// One quantile.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quantile {
    /// Over the frames of all blocks; `None` when there are fewer than `needed_frames`.
    pub pooled_us: Option<f64>,
    /// 95 % band of the above, resampled over blocks; `None` with too few blocks, or without the above.
    pub band_us: Option<Band>,
    /// The same quantile of each block that has enough frames for it.
    pub over_blocks_us: Option<MedianInterval>,
    /// How many frames it takes.
    pub needed_frames: u64,
}

/// Frames whose latency exceeds the frame interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Misses {
    /// How many.
    pub late: u64,
    /// Of how many.
    pub frames: u64,
    /// The longest run of them within a block.
    pub longest_streak: u64,
}

/// CPU time of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FrameCpu {
    /// The mean.
    pub mean_us: f64,
    /// Standard deviation over mean.
    pub cv: Option<f64>,
}

/// Periods that used more than the quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bursts {
    /// How many.
    pub nr_bursts: u64,
    /// How much more, in all.
    pub burst_us: u64,
}

/// Counts over the tries that were run again because the machine did not keep still. No other figure has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// How many tries.
    pub tries: u64,
    /// Active periods.
    pub nr_periods: u64,
    /// Throttled periods.
    pub nr_throttled: u64,
}

/// The pilots of a run.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pilots {
    /// How many.
    pub count: u64,
    /// Lowest mean use, in CPUs.
    pub lowest_cpus: f64,
    /// Highest.
    pub highest_cpus: f64,
}

/// CPU time of a block's frames over that of the same pictures in its pilot: what the machine did, since the work is
/// the same.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// In the slowest second, the warm-up included: what a second of it takes comes out of a saved burst, too.
    pub slowest_second: f64,
    /// Over the whole block.
    pub mean: f64,
}

/// The worst disturbance of any block, as parts of the machine's CPU time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Worst {
    /// Taken by the hypervisor.
    pub steal: f64,
    /// Used by others.
    pub foreign: f64,
}

/// One block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockSummary {
    /// Place in the run's order, from 0.
    pub index: u32,
    /// Which repetition, from 0.
    pub repetition: u32,
    /// Frames measured.
    pub frames: u64,
    /// Whether it was interrupted.
    pub partial: bool,
    /// Whether its disturbance is above the bounds; `None` when not known.
    pub void: Option<bool>,
    /// Which try this is, from 0.
    pub attempt: u32,
    /// How fast the machine was; `None` with nothing to compare with.
    pub speed: Option<Speed>,
    /// Active periods.
    pub nr_periods: Option<u64>,
    /// Throttled periods.
    pub nr_throttled: Option<u64>,
    /// Median latency.
    pub p50_us: Option<f64>,
    /// Latency exceeded by one frame in twenty.
    pub p95_us: Option<f64>,
    /// Latency exceeded by one frame in a hundred.
    pub p99_us: Option<f64>,
    /// The slowest frame.
    pub max_us: Option<f64>,
    /// Late frames.
    pub late: Option<u64>,
}

impl Summary {
    /// The schema that this version writes.
    pub const SCHEMA: &'static str = "cgbench.summary/1";

    /// What was measured under one condition, if it was.
    #[must_use]
    pub fn measured(&self, condition: Condition) -> Option<&Measured> {
        self.all_measured().find(|measured| measured.condition == condition)
    }

    /// What was measured, in the order of the rows.
    pub fn all_measured(&self) -> impl Iterator<Item = &Measured> {
        self.rows.iter().filter_map(Row::measured)
    }

    /// The same policies' rows alone or beside a neighbour.
    pub fn group(&self, neighbour: bool) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.condition().neighbour == neighbour)
    }

    /// The highest of p99 and p95 that at least one condition has the frames for.
    #[must_use]
    pub fn tail_level(&self) -> Level {
        let has = |level| self.all_measured().any(|m| m.latency.get(level).pooled_us.is_some());
        if has(Level::P99) { Level::P99 } else { Level::P95 }
    }
}

impl Row {
    /// Which cell.
    #[must_use]
    pub fn condition(&self) -> Condition {
        match self {
            Self::Measured(measured) => measured.condition,
            Self::NotProvided { condition, .. } | Self::NotRun { condition } => *condition,
        }
    }

    /// What was measured, if it was.
    #[must_use]
    pub fn measured(&self) -> Option<&Measured> {
        match self {
            Self::Measured(measured) => Some(measured),
            Self::NotProvided { .. } | Self::NotRun { .. } => None,
        }
    }
}

impl Measured {
    /// The policy.
    #[must_use]
    pub fn policy(&self) -> PolicyKind {
        self.condition.policy
    }

    /// Average use over the limit; `None` without a limit or a counter.
    #[must_use]
    pub fn use_of_limit(&self) -> Option<f64> {
        Some(self.cpus_used? / self.limit_cpus.filter(|limit| *limit > 0.0)?)
    }
}

impl Latency {
    /// One of the reported quantiles; any other level gives the nearest reported one above it.
    #[must_use]
    pub fn get(&self, level: Level) -> &Quantile {
        match level {
            level if level <= Level::P50 => &self.p50,
            level if level <= Level::P95 => &self.p95,
            level if level <= Level::P99 => &self.p99,
            _ => &self.p999,
        }
    }
}

impl Misses {
    /// Part of the frames that are late; `None` of no frames.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        (self.frames > 0).then(|| self.late as f64 / self.frames as f64)
    }
}
