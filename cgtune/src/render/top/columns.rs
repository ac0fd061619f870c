//! The columns of the table, and which of them there is room for.

use ratatui::style::Style;

use super::{Theme, numbers};
use crate::cmd::top::{
    causes::Told,
    history::History,
    model::{Model, Row},
    order::Sort,
};

/// A column right of the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Cpu,
    Used,
    Throttled,
    Stall,
    Delay,
    Burst,
    Psi,
    Threads,
    Minute,
    Cause,
}

/// From left to right.
const PLACES: [Column; 10] = [
    Column::Cpu,
    Column::Used,
    Column::Throttled,
    Column::Stall,
    Column::Delay,
    Column::Burst,
    Column::Psi,
    Column::Threads,
    Column::Minute,
    Column::Cause,
];
/// Which go last when room is short, and which first.
const PRIORITIES: [Column; 10] = [
    Column::Stall,
    Column::Throttled,
    Column::Cpu,
    Column::Cause,
    Column::Minute,
    Column::Used,
    Column::Delay,
    Column::Burst,
    Column::Psi,
    Column::Threads,
];
/// How many of those come before a name of usual length.
const FIRST: usize = 5;
/// The least for a name.
const NAME: u16 = 16;
/// A usual length: what the further columns leave to a name that is so long.
const USUAL_NAME: u16 = 40;
/// The most, with the longest name that is shown.
const LONGEST_NAME: u16 = 72;
/// By how much the longest cause, pinned-and-limited, is longer than its column.
const LONGEST_CAUSE: u16 = 2;
/// The most for the last minute: a cell a second.
const MINUTE: u16 = 60;

impl Column {
    pub(super) const fn heading(self) -> &'static str {
        match self {
            Self::Cpu => "CPU/LIMIT",
            Self::Used => "USED",
            Self::Throttled => "THROTTLED",
            Self::Stall => "STALL/s",
            Self::Delay => "DELAY/s",
            Self::Burst => "BURST/s",
            Self::Psi => "PSI",
            Self::Threads => "THREADS",
            Self::Minute => "LAST MIN",
            Self::Cause => "CAUSE",
        }
    }

    /// The least.
    const fn width(self) -> u16 {
        match self {
            Self::Cpu => 9,
            Self::Throttled => 11,
            Self::Stall | Self::Delay | Self::Burst | Self::Threads => 7,
            Self::Minute => 8,
            Self::Used | Self::Psi => 5,
            Self::Cause => 16,
        }
    }

    /// The order that sorts by it.
    pub(super) const fn sort(self) -> Option<Sort> {
        Some(match self {
            Self::Cpu => Sort::Cpu,
            Self::Used => Sort::Used,
            Self::Throttled => Sort::Throttled,
            Self::Stall => Sort::Stall,
            Self::Delay => Sort::Delay,
            Self::Burst => Sort::Burst,
            Self::Psi => Sort::Psi,
            Self::Threads | Self::Minute | Self::Cause => return None,
        })
    }

    pub(super) const fn is_left(self) -> bool {
        matches!(self, Self::Minute | Self::Cause)
    }

    /// The text of a cell, and how it looks.
    pub(super) fn cell(self, model: &Model, row: &Row, width: u16, theme: &Theme) -> (String, Style) {
        let plain = Style::new();
        match self {
            Self::Cpu => (numbers::cpus_of(row.cpus(), row.limit.map(|(cpus, _)| cpus)), plain),
            Self::Used => (numbers::percent(row.used()), plain),
            Self::Throttled => (numbers::periods(row.periods()), theme.throttled(row.throttled())),
            Self::Stall => (numbers::ms(row.stall()), theme.stall(row.stall())),
            Self::Delay => (numbers::ms(row.delay()), theme.stall(row.delay())),
            Self::Burst => (numbers::ms(row.burst()), plain),
            Self::Psi => (numbers::percent(row.pressure()), plain),
            Self::Threads => (
                row.crew.as_ref().map_or_else(|| numbers::NONE.to_owned(), |crew| crew.count.to_string()),
                plain,
            ),
            Self::Minute => (minute(model.history(row), model, width), theme.chart),
            Self::Cause => (cause(row.told), plain),
        }
    }
}

/// The part of throttled periods in the last minute, a character a cell.
fn minute(history: Option<&History>, model: &Model, width: u16) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let ratios = history.map_or_else(Vec::new, |history| history.throttled(model.at, usize::from(width)));
    let cell = |ratio: Option<f64>| match ratio {
        // Not active, or not known.
        None => ' ',
        Some(ratio) if ratio <= 0.0 => '·',
        Some(ratio) => LEVELS[((ratio * 8.0).ceil() as usize).clamp(1, 8) - 1],
    };
    ratios.into_iter().map(cell).collect()
}

pub(super) fn cause(told: Told) -> String {
    match told {
        Told::Unwatched => numbers::NONE.to_owned(),
        Told::Watching => "…".to_owned(),
        Told::Cause(cause, _) => cause.name().to_owned(),
    }
}

/// Where the columns are.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) name: u16,
    pub(super) places: Vec<(Column, u16)>,
}

impl Columns {
    /// As many as there is room for, by priority; what is left goes to the names, then to the last minute.
    pub(super) fn fit(width: u16, longest_name: u16) -> Self {
        let mut left = width.saturating_sub(NAME);
        let mut chosen = Vec::new();
        for (place, column) in PRIORITIES.into_iter().enumerate() {
            let reserved = if place < FIRST { 0 } else { longest_name.clamp(NAME, USUAL_NAME) - NAME };
            let Some(rest) = left.checked_sub(column.width() + 1).filter(|&rest| rest >= reserved) else {
                break;
            };
            left = rest;
            chosen.push(column);
        }
        let for_name = longest_name.clamp(NAME, LONGEST_NAME) - NAME;
        let more_name = for_name.min(left);
        left -= more_name;
        let more_cause = if left >= LONGEST_CAUSE { LONGEST_CAUSE } else { 0 };
        left -= more_cause;
        let mut places: Vec<(Column, u16)> = Vec::new();
        for column in PLACES.into_iter().filter(|column| chosen.contains(column)) {
            let mut width = column.width();
            if column == Column::Minute {
                let more = (MINUTE - width).min(left);
                width += more;
                left -= more;
            }
            if column == Column::Cause {
                width += more_cause;
            }
            places.push((column, width));
        }
        Self { name: NAME + more_name, places }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_leave_by_priority_and_never_overflow() {
        for width in 36..=300 {
            for longest in [1, 20, 200] {
                let columns = Columns::fit(width, longest);
                let sum: u16 = columns.name + columns.places.iter().map(|(_, width)| width + 1).sum::<u16>();
                assert!(sum <= width, "{width}: {columns:?}");
            }
        }
        let shown = |width| Columns::fit(width, 30).places.into_iter().map(|(c, _)| c).collect::<Vec<_>>();
        assert_eq!(shown(36), [Column::Throttled, Column::Stall]);
        assert_eq!(shown(80), [Column::Cpu, Column::Throttled, Column::Stall, Column::Minute, Column::Cause]);
        assert_eq!(shown(200), PLACES);
    }
}
