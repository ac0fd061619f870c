//! What stands in a cell.

use crate::{
    plan::Item,
    stats::Level,
    summary::{
        Measured, Row,
        figures::{count, ms, percent},
    },
};

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Policy,
    Throttled,
    P50,
    P95,
    P99,
    P999,
    Max,
    Late,
    Cpus,
    Stall,
    Blocks,
}

impl Column {
    /// What fits 80 columns.
    pub(super) const TERMINAL: [Self; 8] =
        [Self::Policy, Self::Throttled, Self::P50, Self::P95, Self::P99, Self::Max, Self::Late, Self::Cpus];

    /// Everything.
    pub(super) const MARKDOWN: [Self; 11] = [
        Self::Policy,
        Self::Throttled,
        Self::Stall,
        Self::P50,
        Self::P95,
        Self::P99,
        Self::P999,
        Self::Max,
        Self::Late,
        Self::Cpus,
        Self::Blocks,
    ];

    pub(super) fn heading(self, item: Item) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Throttled => "throttled",
            Self::P50 => "p50 ms",
            Self::P95 => "p95 ms",
            Self::P99 => "p99 ms",
            Self::P999 => "p99.9 ms",
            Self::Max => "max ms",
            Self::Late => item.late(),
            Self::Cpus => "CPUs",
            Self::Stall => "stall ms/s",
            Self::Blocks => "blocks",
        }
    }

    /// Text is aligned to the left, numbers to the right.
    pub(super) fn is_text(self) -> bool {
        self == Self::Policy
    }

    pub(super) fn cell(self, measured: &Measured) -> String {
        let quantile = |level| quantile(measured, level);
        match self {
            Self::Policy => measured.policy().name().to_owned(),
            Self::Throttled => throttled(measured),
            Self::P50 => quantile(Level::P50),
            Self::P95 => quantile(Level::P95),
            Self::P99 => quantile(Level::P99),
            Self::P999 => quantile(Level::P999),
            Self::Max => measured.latency.max_us.map_or_else(|| "n/a".into(), ms),
            Self::Late => late(measured),
            Self::Cpus => measured.cpus_used.map_or_else(unknown, |cpus| format!("{cpus:.2}")),
            Self::Stall => match measured.throttling.filter(|_| measured.policy().limits()) {
                Some(throttling) => {
                    throttling.stall_ms_per_s.map_or_else(unknown, |stall| format!("{stall:.1}"))
                }
                None => unknown(),
            },
            Self::Blocks => match measured.void_blocks {
                0 => count(measured.blocks.len() as u64),
                void => format!("{} ({void} disturbed)", count(measured.blocks.len() as u64)),
            },
        }
    }
}

/// Rows that are not numbers.
pub(super) struct Cells;

impl Cells {
    /// A row without blocks, as a sentence.
    pub(super) fn absent(row: &Row) -> String {
        format!("{:<12}  {}", row.condition().policy.name(), why(row))
    }

    /// The same over so many cells.
    pub(super) fn absent_row(row: &Row, columns: usize) -> Vec<String> {
        let mut cells =
            vec![row.condition().policy.name().to_owned(), why(row).replace('|', "\\|").replace('\n', " ")];
        cells.resize(columns, String::new());
        cells
    }
}

/// Why a row has no numbers.
pub(super) fn why(row: &Row) -> String {
    match row {
        Row::NotProvided { reason, .. } => format!("not provided by this kernel: {reason}"),
        Row::NotRun { .. } => "not run".into(),
        Row::Measured(_) => String::new(),
    }
}

/// Whether the throttling deserves the eye: one period in a hundred.
pub(super) fn alarm(measured: &Measured) -> bool {
    measured.throttling.and_then(|throttling| throttling.share).is_some_and(|share| share >= 0.01)
}

fn throttled(measured: &Measured) -> String {
    match measured.throttling {
        _ if !measured.policy().limits() => "no quota".into(),
        None => unknown(),
        Some(throttling) => {
            let share = throttling.share.map_or_else(unknown, percent);
            format!("{share} of {}", count(throttling.nr_periods))
        }
    }
}

fn late(measured: &Measured) -> String {
    let Some((misses, share)) = measured.misses.and_then(|misses| Some((misses, misses.share()?))) else {
        return unknown();
    };
    format!("{} of {}", percent(share), count(misses.frames))
}

fn quantile(measured: &Measured, level: Level) -> String {
    measured.latency.get(level).pooled_us.map_or_else(|| "n/a".into(), ms)
}

fn unknown() -> String {
    "–".into()
}
