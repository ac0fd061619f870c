//! `cgtune stat --all` for people: a line a cgroup, worst first.

use std::io::{self, Write};

use cgtune_core::Interval;
use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

use super::{paragraph, resident::title, stat::name};
use crate::reading::Reading;

/// Room for a name or a path in 80 columns; longer ones keep their end, which tells containers apart.
const PATH: usize = 37;

pub(crate) fn write(readings: &[Reading], out: &mut dyn Write) -> io::Result<()> {
    let Some(first) = readings.first() else {
        return writeln!(out, "no cgroup here has a quota");
    };
    let seconds = first.interval.as_ref().map_or(0.0, |interval| interval.wall.as_secs());
    writeln!(out, "{} cgroups with a quota, watched for {seconds:.1} s, worst first", readings.len())?;
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(paragraph::WIDTH).unwrap_or(80));
    let headings = ["CGROUP", "CPUS", "OF", "THROTTLED", "STALL MS/S"];
    table.set_header(headings.iter().enumerate().map(|(i, heading)| aligned(i, (*heading).to_owned())));
    for reading in readings {
        let cells = row(reading);
        table.add_row(cells.into_iter().enumerate().map(|(i, cell)| aligned(i, cell)));
    }
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn aligned(column: usize, text: String) -> Cell {
    Cell::new(text).set_alignment(if column == 0 { CellAlignment::Left } else { CellAlignment::Right })
}

fn row(reading: &Reading) -> Vec<String> {
    let absent = || "n/a".to_owned();
    let interval = reading.interval.as_ref();
    let throttled =
        interval.and_then(|i| i.bandwidth).map(|b| format!("{} of {}", b.nr_throttled, b.nr_periods));
    vec![
        end_of(&title(&reading.resident, &reading.path).unwrap_or_else(|| name(&reading.path).to_string())),
        interval.and_then(Interval::cpus_used).map_or_else(absent, |cpus| format!("{cpus:.2}")),
        reading.limit().map_or_else(absent, |(limit, _)| format!("{:.2}", limit.cpus)),
        throttled.unwrap_or_else(absent),
        interval.and_then(Interval::stall_ms_per_s).map_or_else(absent, |stall| format!("{stall:.0}")),
    ]
}

pub(crate) fn end_of(path: &str) -> String {
    let length = path.chars().count();
    if length <= PATH {
        path.to_owned()
    } else {
        format!("…{}", path.chars().skip(length - PATH + 1).collect::<String>())
    }
}
