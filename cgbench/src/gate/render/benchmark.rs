//! For github-action-benchmark (tool `customSmallerIsBetter`): an array of name, unit, value, range and extra. It draws a line a name over
//! the commits.

use serde::Serialize;

use super::phrase;
use crate::gate::{
    metric::Unit,
    report::{Line, Report},
};

/// One entry.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    name: String,
    unit: &'static str,
    value: f64,
    /// The 95 % interval of the median, or how far from the median the blocks lie.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    extra: String,
}

/// NEW's medians over blocks.
#[must_use]
pub fn benchmark(report: &Report) -> Vec<Entry> {
    report.lines.iter().map(entry).collect()
}

fn entry(line: &Line) -> Entry {
    let (unit, scale) = match line.unit {
        Unit::Part => ("%", 100.0),
        Unit::MsPerS => ("ms/s", 1.0),
        Unit::Ratio => ("ratio", 1.0),
        Unit::Us => ("ms", 0.001),
    };
    let rounded = |value: f64| (value * scale * 1e6).round() / 1e6;
    let range = line.new.interval.map(|(low, high)| format!("{} to {}", rounded(low), rounded(high)));
    let extra = format!("{} blocks; {}", line.new.blocks, phrase::change(line));
    Entry { name: phrase::name(line), unit, value: rounded(line.new.median), range, extra }
}
