//! Counting frames into cells.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    plan::Condition,
    record::{Block, Records},
    study::measured_frames,
};

const SECOND_NS: u64 = 1_000_000_000;
/// A few frames are due in the shortest stretch.
const SHORTEST_COLUMN_NS: u64 = 200_000_000;
/// Latencies below are drawn at the lower edge: nothing is encoded in so short a time.
const SHORTEST_US: f64 = 1.0;
/// Longer ones at the upper edge: a year.
const LONGEST_US: f64 = 3.2e13;

/// What all panels have in common.
pub(super) struct Field {
    /// From the shortest to the longest latency of any frame, with a little room.
    pub(super) latency_us: (f64, f64),
    /// Stretches of time.
    pub(super) columns: u64,
    /// How long each is.
    pub(super) column_ns: u64,
    /// Ranges of latency.
    pub(super) rows: usize,
}

/// The frames of one condition.
pub(super) struct Cells {
    pub(super) condition: Condition,
    counts: BTreeMap<(u64, usize), u64>,
    /// Seconds of all its blocks in which a frame was due.
    pub(super) seconds: u64,
    /// Those of them with a late one; `None` without a frame interval to be late against.
    pub(super) late_seconds: Option<u64>,
}

/// The measured frames: when in the measured part each was due, in nanoseconds, and its latency.
fn frames(block: &Block) -> impl Iterator<Item = (u64, f64)> {
    let frames = &block.frames;
    let rows = measured_frames(block);
    let begin = rows.clone().map(|i| frames.intended_ns[i]).min().unwrap_or(0);
    rows.map(move |i| {
        let latency_us = frames.end_ns[i].saturating_sub(frames.intended_ns[i]) as f64 / 1e3;
        (frames.intended_ns[i] - begin, latency_us.clamp(SHORTEST_US, LONGEST_US))
    })
}

impl Field {
    /// Room for every frame in at most so many columns, and exactly so many rows; `None` without a frame.
    pub(super) fn of(records: &Records, most_columns: u64, rows: usize) -> Option<Self> {
        let start = (0, f64::INFINITY, 0.0_f64);
        let (last, low, high) = records
            .blocks
            .iter()
            .flat_map(frames)
            .fold(start, |(last, low, high), (at, us)| (last.max(at), low.min(us), high.max(us)));
        if high < low {
            return None;
        }
        // The shortest round stretch that makes few enough columns.
        let round = (0..u32::MAX).map_while(|step| {
            let factor = [1, 2, 5][step as usize % 3];
            10_u64.checked_pow(step / 3)?.checked_mul(factor)?.checked_mul(SHORTEST_COLUMN_NS)
        });
        let column_ns =
            round.into_iter().find(|column| last / column < most_columns.max(1)).unwrap_or(u64::MAX);
        let columns = last / column_ns + 1;
        Some(Self { latency_us: (low / 1.1, high * 1.1), columns, column_ns, rows: rows.max(1) })
    }

    fn row(&self, latency_us: f64) -> usize {
        let (low, high) = self.latency_us;
        let part = (latency_us / low).ln() / (high / low).ln();
        ((part * self.rows as f64) as usize).min(self.rows - 1)
    }
}

impl Cells {
    pub(super) fn of(records: &Records, condition: Condition, field: &Field) -> Self {
        let interval_us = records.plan.load.deadline_ns().map(|ns| ns as f64 / 1e3);
        let (mut counts, mut seconds, mut late) = (BTreeMap::new(), 0, 0);
        for block in records.blocks.iter().filter(|block| block.condition == condition) {
            let (mut due, mut late_in) = (BTreeSet::new(), BTreeSet::new());
            for (at, latency_us) in frames(block) {
                let second = at / SECOND_NS;
                *counts.entry((at / field.column_ns, field.row(latency_us))).or_insert(0) += 1;
                due.insert(second);
                if interval_us.is_some_and(|interval| latency_us > interval) {
                    late_in.insert(second);
                }
            }
            seconds += due.len() as u64;
            late += late_in.len() as u64;
        }
        Self { condition, counts, seconds, late_seconds: interval_us.map(|_| late) }
    }

    /// The most frames of any cell.
    pub(super) fn most(&self) -> u64 {
        self.counts.values().copied().max().unwrap_or(0)
    }

    /// Column, row (from below) and how many frames, of each cell that has one.
    pub(super) fn counted(&self) -> impl Iterator<Item = (u64, usize, u64)> {
        self.counts.iter().map(|((column, row), count)| (*column, *row, *count))
    }
}
