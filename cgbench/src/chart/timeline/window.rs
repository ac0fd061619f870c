//! Which second is shown.

use crate::{record::Block, study::measured_frames};

/// Length of the window.
const LENGTH_NS: u64 = 1_000_000_000;
/// How much of it lies before the slowest frame's intended start.
const BEFORE_NS: u64 = 400_000_000;

/// A stretch of a block's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from_ns: u64,
    pub(super) to_ns: u64,
    /// Latency of the slowest frame.
    pub(super) latency_ns: u64,
}

impl Window {
    /// The window around the slowest measured frame, moved so that it does not reach before the first or, if it can,
    /// beyond the last; `None` without a frame.
    pub(super) fn around_slowest(block: &Block) -> Option<Self> {
        let (rows, frames) = (measured_frames(block), &block.frames);
        let latency = |i: usize| frames.end_ns[i].saturating_sub(frames.intended_ns[i]);
        let slowest = rows.clone().max_by_key(|&i| latency(i))?;
        let first = frames.intended_ns[rows.start];
        let end = rows.map(|i| frames.end_ns[i]).max()?;
        let from = frames.intended_ns[slowest].saturating_sub(BEFORE_NS);
        let from_ns = from.min(end.saturating_sub(LENGTH_NS)).max(first);
        Some(Self { from_ns, to_ns: from_ns.saturating_add(LENGTH_NS), latency_ns: latency(slowest) })
    }

    /// Whether any part of `from`..`to` lies within.
    pub(super) fn meets(&self, from: u64, to: u64) -> bool {
        from < self.to_ns && to > self.from_ns
    }
}
