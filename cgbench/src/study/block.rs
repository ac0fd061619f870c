//! One block: its measured frames and what they say.

use std::ops::Range;

use crate::{
    record::{Block, FrameTable},
    stats::{Level, jitter, quantile},
    study::is_void,
    summary::{BlockSummary, Speed},
};

/// Which rows of the table are measured: all after the warm-up, as far as every column reaches.
pub(crate) fn measured_frames(block: &Block) -> Range<usize> {
    let len = block.frames.len();
    (block.warmup_frames as usize).min(len)..len
}

/// The measured part of a block, in microseconds.
pub(super) struct Measured<'a> {
    pub(super) block: &'a Block,
    /// Latencies in the order of frames.
    pub(super) latencies_us: Vec<f64>,
    /// CPU times in the order of frames.
    pub(super) cpu_us: Vec<f64>,
}

impl<'a> Measured<'a> {
    pub(super) fn of(block: &'a Block) -> Self {
        let rows = measured_frames(block);
        let FrameTable { intended_ns, end_ns, cpu_ns, .. } = &block.frames;
        let latencies_us =
            rows.clone().map(|i| end_ns[i].saturating_sub(intended_ns[i]) as f64 / 1e3).collect();
        let cpu_us = rows.map(|i| cpu_ns[i] as f64 / 1e3).collect();
        Self { block, latencies_us, cpu_us }
    }

    /// Jitter between the ends of its consecutive frames, pair by pair.
    pub(super) fn jitter_us(&self) -> Vec<f64> {
        let rows = measured_frames(self.block);
        let FrameTable { intended_ns, end_ns, .. } = &self.block.frames;
        jitter::pairs_us(&intended_ns[rows.clone()], &end_ns[rows])
    }

    /// How many frames are late, and the longest run of them.
    pub(super) fn late(&self, interval_us: f64) -> (u64, u64) {
        let (mut late, mut streak, mut longest) = (0, 0, 0);
        for latency in &self.latencies_us {
            streak = if *latency > interval_us { streak + 1 } else { 0 };
            late += u64::from(streak > 0);
            longest = longest.max(streak);
        }
        (late, longest)
    }

    pub(super) fn summary(&self, interval_us: Option<f64>, speed: Option<Speed>) -> BlockSummary {
        let mut sorted = self.latencies_us.clone();
        sorted.sort_by(f64::total_cmp);
        let bandwidth = self.block.interval.bandwidth;
        BlockSummary {
            index: self.block.index,
            repetition: self.block.repetition,
            frames: sorted.len() as u64,
            partial: self.block.partial,
            void: self.block.disturbance.as_ref().map(is_void),
            attempt: self.block.attempt,
            speed,
            nr_periods: bandwidth.map(|delta| delta.nr_periods),
            nr_throttled: bandwidth.map(|delta| delta.nr_throttled),
            p50_us: quantile::of_sorted(&sorted, Level::P50),
            p95_us: quantile::of_sorted(&sorted, Level::P95),
            p99_us: quantile::of_sorted(&sorted, Level::P99),
            max_us: sorted.last().copied(),
            late: interval_us.map(|interval| self.late(interval).0),
        }
    }
}
