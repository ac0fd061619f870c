//! A load in a process of its own, started inside a cgroup: cgbench executes itself again, so that one binary is
//! enough. This file is what both ends speak; each end has its own.
//!
//! The parent writes a [`LoadConfig`] as a line of JSON; the child prepares and answers [`Answer::Ready`]; the parent
//! writes a [`Start`]; the child answers with an [`Answer::Frame`] for each frame, many at a time, and then [`Answer::Done`]. When its standard input
//! closes the child ends: a parent that dies takes its loads along.

pub mod child;
mod parent;

use serde::{Deserialize, Serialize};
use workloads::{
    hog::Manner,
    latency::{FrameRecord, JobRecord, MonotonicNs},
};

pub use parent::Load;

use crate::plan::{self, Instrument};

/// The hidden subcommand that is the child's end.
pub const SUBCOMMAND: &str = "__load";

/// What to run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LoadConfig {
    /// A plan's load; it waits for its [`Start`].
    Planned {
        /// Which, with its seeds.
        load: Box<plan::Load>,
        /// When it reports.
        instrument: Instrument,
    },
    /// Busy threads, from the first moment to the last.
    Hog {
        /// How many.
        threads: u32,
        /// What they do with the CPU.
        manner: Manner,
    },
}

/// When to begin, and how much there is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Start {
    /// Intended start of the clock.
    pub origin: MonotonicNs,
    /// How many frames, or requests.
    pub count: u32,
}

/// What the child says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Prepared (or, for a hog, running).
    Ready,
    /// A frame was encoded.
    Frame(FrameRecord),
    /// A request was served.
    Request(JobRecord),
    /// All is done.
    Done,
}
