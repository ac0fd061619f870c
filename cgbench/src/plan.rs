//! What an experiment is, as data: policies × neighbour × repetitions, the load, the seed. Nothing here runs.

use cgtune_core::Micros;
use serde::{Deserialize, Serialize};
use workloads::{h264::EncodeConfig, latency::ClockConfig};

/// A CPU policy under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PolicyKind {
    /// No quota: the CPU request alone.
    #[serde(rename = "shares")]
    Shares,
    /// A quota per period: the CPU limit as the kubelet writes it.
    #[serde(rename = "limit")]
    Limit,
    /// The same quota, and up to half a quota saved from idle periods.
    #[serde(rename = "limit+half-burst")]
    LimitHalfBurst,
    /// The same quota, and up to one quota saved from idle periods.
    #[serde(rename = "limit+burst")]
    LimitBurst,
    /// CPUs of its own, no quota.
    #[serde(rename = "pinned")]
    Pinned,
    /// CPUs of its own and the quota as well.
    #[serde(rename = "pinned+limit")]
    PinnedLimit,
}

impl PolicyKind {
    /// All of them, in the order of tables and legends.
    pub const ALL: [Self; 6] =
        [Self::Shares, Self::Limit, Self::LimitHalfBurst, Self::LimitBurst, Self::Pinned, Self::PinnedLimit];

    /// Those of a plan that names none. Half a burst is for the model's comparison with the kernel.
    pub const DEFAULT: [Self; 5] =
        [Self::Shares, Self::Limit, Self::LimitBurst, Self::Pinned, Self::PinnedLimit];

    /// The name in tables, files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shares => "shares",
            Self::Limit => "limit",
            Self::LimitHalfBurst => "limit+half-burst",
            Self::LimitBurst => "limit+burst",
            Self::Pinned => "pinned",
            Self::PinnedLimit => "pinned+limit",
        }
    }

    /// Whether there is a quota.
    #[must_use]
    pub const fn limits(self) -> bool {
        matches!(self, Self::Limit | Self::LimitHalfBurst | Self::LimitBurst | Self::PinnedLimit)
    }

    /// Whether the load has CPUs of its own.
    #[must_use]
    pub const fn pins(self) -> bool {
        matches!(self, Self::Pinned | Self::PinnedLimit)
    }

    /// Whether unused quota may be saved.
    #[must_use]
    pub const fn bursts(self) -> bool {
        matches!(self, Self::LimitHalfBurst | Self::LimitBurst)
    }

    /// How much may be saved of a quota.
    #[must_use]
    pub const fn burst(self, quota: Micros) -> Micros {
        match self {
            Self::Shares | Self::Limit | Self::Pinned | Self::PinnedLimit => Micros::ZERO,
            Self::LimitHalfBurst => Micros::new(quota.get() / 2),
            Self::LimitBurst => quota,
        }
    }
}

/// One cell of the experiment: a policy, alone or with a noisy neighbour (a CPU hog in a sibling cgroup).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Condition {
    /// Whether a neighbour competes for the CPUs.
    pub neighbour: bool,
    /// The policy of the load.
    pub policy: PolicyKind,
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let suffix = if self.neighbour { ", neighbour" } else { "" };
        f.pad(&format!("{}{suffix}", self.policy.name()))
    }
}

impl Condition {
    /// A name for files: `limit-burst`, `limit-burst-neighbour`.
    #[must_use]
    pub fn slug(self) -> String {
        let policy = self.policy.name().replace('+', "-");
        if self.neighbour { format!("{policy}-neighbour") } else { policy }
    }
}

/// Quota, period and burst of the limited policies, derived from what the load was measured to need.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LimitRule {
    /// Quota over measured mean CPU use: 1.08 leaves 8 % that an average would call free.
    pub headroom: f64,
    /// The period.
    pub period_us: Micros,
}

/// An experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// `cgbench.plan/1`.
    pub schema: String,
    /// Its name: `encoder`, `quick`.
    pub name: String,
    /// Seeds the order of blocks, the jitter of the frame clock and the scene.
    pub seed: u64,
    /// The cells.
    pub conditions: Vec<Condition>,
    /// Blocks for each cell.
    pub repetitions: u32,
    /// Frames measured in each block.
    pub frames: u32,
    /// Frames before them, run and recorded but not counted.
    pub warmup_frames: u32,
    /// At most so many blocks are run again because the machine did not keep still during them.
    pub reruns: u32,
    /// Part of the frame interval that one frame's CPU time is calibrated to.
    pub share: f64,
    /// How the quota follows from the measured use.
    pub limit: LimitRule,
    /// Threads of the neighbour.
    pub neighbour_threads: u32,
    /// The frame clock.
    pub clock: ClockConfig,
    /// The encode loop, at its calibrated size.
    pub encode: EncodeConfig,
}

impl Plan {
    /// The schema that this version writes.
    pub const SCHEMA: &'static str = "cgbench.plan/1";

    /// Blocks in all.
    #[must_use]
    pub fn blocks(&self) -> u32 {
        u32::try_from(self.conditions.len()).unwrap_or(u32::MAX).saturating_mul(self.repetitions)
    }

    /// About how many seconds a block takes, its setting up included.
    #[must_use]
    pub fn block_seconds(&self) -> f64 {
        const SETTING_UP: f64 = 0.6;
        #[allow(clippy::cast_precision_loss, reason = "an estimate")]
        let interval = self.clock.interval_ns().unwrap_or(0) as f64 / 1e9;
        f64::from(self.warmup_frames + self.frames) * interval + SETTING_UP
    }
}
