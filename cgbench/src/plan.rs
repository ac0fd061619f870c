//! What an experiment is, as data: policies × neighbour × repetitions, the load, the seed. Nothing here runs.

mod item;
mod limit;
mod load;
mod policy;

use serde::{Deserialize, Serialize};

pub use item::Item;
pub use limit::{LimitRule, QuotaRule};
pub use load::{EncodeLoad, Load, ServiceLoad};
pub use policy::PolicyKind;

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

/// How much is written down while a block runs: what the instrument costs is measured by leaving it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Instrument {
    /// Counters are sampled, and frames are reported once a second.
    #[default]
    Full,
    /// No counters are sampled; frames are kept and reported at the end.
    Bare,
}

impl Instrument {
    /// Whether nothing is left out.
    #[must_use]
    // By reference, as serde asks for it.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
    pub fn is_full(&self) -> bool {
        *self == Self::Full
    }
}

/// One load under one rule of limits: all that a results folder's blocks have in common. An experiment that varies something
/// has one of them a [point](crate::experiment).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// `cgbench.plan/1`.
    pub schema: String,
    /// Name of the experiment: `encoder`, `quick`.
    pub name: String,
    /// Which point of it, where it has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<String>,
    /// Seeds the order of blocks, the jitter of the frame clock and the scene.
    pub seed: u64,
    /// The cells.
    pub conditions: Vec<Condition>,
    /// Blocks for each cell.
    pub repetitions: u32,
    /// Of runs that were merged, whose repetitions these are, in order; `seed` is that of the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<Part>,
    /// Frames (of a service: requests) measured in each block.
    pub frames: u32,
    /// Frames before them, run and recorded but not counted.
    pub warmup_frames: u32,
    /// At most so many blocks are run again because the machine did not keep still during them.
    pub reruns: u32,
    /// How the limit comes about.
    pub limit: LimitRule,
    /// Threads of the neighbour.
    pub neighbour_threads: u32,
    /// Where the load may run under the policies that do not say so: on so many CPUs. `None`: on all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<u32>,
    /// How much of what happens is written down while it happens.
    #[serde(default, skip_serializing_if = "Instrument::is_full")]
    pub instrument: Instrument,
    /// What the pilots run, where the limit follows from another load's need than this one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pilot: Option<Load>,
    /// What runs.
    #[serde(flatten)]
    pub load: Load,
}

/// A run that is part of a merged one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its seed.
    pub seed: u64,
    /// Its repetitions.
    pub repetitions: u32,
}

impl Plan {
    /// The schema that this version writes.
    pub const SCHEMA: &'static str = "cgbench.plan/1";

    /// Frames of a block, or requests, with those that warm up.
    #[must_use]
    pub fn items(&self) -> u32 {
        self.warmup_frames.saturating_add(self.frames)
    }

    /// The runs whose repetitions these are: one, unless runs were merged.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        if self.merged.is_empty() {
            vec![Part { seed: self.seed, repetitions: self.repetitions }]
        } else {
            self.merged.clone()
        }
    }

    /// Blocks in all.
    #[must_use]
    pub fn blocks(&self) -> u32 {
        u32::try_from(self.conditions.len()).unwrap_or(u32::MAX).saturating_mul(self.repetitions)
    }

    /// What the pilots run.
    #[must_use]
    pub fn pilot_load(&self) -> &Load {
        self.pilot.as_ref().unwrap_or(&self.load)
    }

    /// Whether there are pilots: where the limit follows from a need, or where the load's cost may move with the machine's speed.
    #[must_use]
    pub fn has_pilots(&self) -> bool {
        self.limit.headroom().is_some() || self.load.moves_with_speed()
    }

    /// CPUs that a pinned load has for itself: one a thread.
    #[must_use]
    pub fn own_cpus(&self) -> u32 {
        self.load.threads()
    }

    /// Whether a pilot of this plan says of the other what one of its own would say.
    #[must_use]
    pub fn shares_pilots_with(&self, other: &Self) -> bool {
        self.pilot_load() == other.pilot_load() && (self.seed, self.items()) == (other.seed, other.items())
    }

    /// About how many seconds a block takes, its setting up included.
    #[must_use]
    pub fn block_seconds(&self) -> f64 {
        const SETTING_UP: f64 = 0.6;
        #[allow(clippy::cast_precision_loss, reason = "an estimate")]
        let interval = self.load.interval_ns().unwrap_or(0) as f64 / 1e9;
        f64::from(self.items()) * interval + SETTING_UP
    }
}
