//! The numbers, a line a limit.

use std::io::{self, Write};

use cgtune_core::Micros;

use super::{Answer, Row, figures};
use crate::{render::paragraph::WIDTH, streams::HEADING};

/// Writes the table, and gives what stands at the left of each line: as many columns wide as the widest.
pub(super) fn write(answer: &Answer<'_>, out: &mut dyn Write) -> io::Result<Vec<String>> {
    let threads = answer.threads.len() > 1;
    let limits = aligned(
        std::iter::once("quota/period".to_owned()).chain(std::iter::once("+burst ms".into())),
        answer.rows.iter().map(limit),
        false,
    );
    let mut columns = Vec::new();
    if threads {
        columns.push(column(["", "threads"], answer, |row| row.threads.to_string()));
    }
    columns.push(column(["throttled", "%"], answer, |row| {
        row.throttled_ratio.map_or_else(|| "-".into(), |ratio| figures::range(ratio, figures::percent))
    }));
    columns.push(column(["stall", "ms/s"], answer, |row| match (row.quota_us, row.stall_ms_per_s) {
        (Some(_), Some(stall)) => figures::range(stall, figures::stall),
        _ => "-".into(),
    }));
    columns.push(column(["p50", "ms"], answer, |row| {
        row.latency_us.p50.map_or_else(|| "n/a".into(), |p50| figures::ms(p50.median))
    }));
    columns.push(column(["p99", "ms"], answer, |row| {
        row.latency_us.p99.map_or_else(|| "n/a".into(), |p99| figures::range(p99, figures::ms))
    }));
    let width = |gap: usize| -> usize {
        let widths = std::iter::once(&limits).chain(&columns).filter_map(|column| column.first());
        widths.map(|cell| cell.chars().count() + gap).sum::<usize>() - gap
    };
    let gap = (1..=3).rev().find(|gap| width(*gap) <= WIDTH).unwrap_or(1);
    for line in 0..limits.len() {
        let cells: Vec<&str> = std::iter::once(&limits)
            .chain(&columns)
            .filter_map(|column| Some(column.get(line)?.as_str()))
            .collect();
        let text = cells.join(&" ".repeat(gap));
        match line {
            0 | 1 => writeln!(out, "{HEADING}{}{HEADING:#}", text.trim_end())?,
            _ => writeln!(out, "{}", text.trim_end())?,
        }
    }
    let of_row = |(place, row): (usize, &Row)| {
        let limit = limits.get(place + 2).cloned().unwrap_or_default();
        if threads { format!("{limit} ×{:<4}", row.threads) } else { limit }
    };
    Ok(answer.rows.iter().enumerate().map(of_row).collect())
}

fn column(head: [&str; 2], answer: &Answer<'_>, cell: impl Fn(&Row) -> String) -> Vec<String> {
    aligned(head.into_iter().map(str::to_owned), answer.rows.iter().map(cell), true)
}

/// All equally wide.
fn aligned(
    head: impl Iterator<Item = String>,
    cells: impl Iterator<Item = String>,
    right: bool,
) -> Vec<String> {
    let cells: Vec<String> = head.chain(cells).collect();
    let width = cells.iter().map(|cell| cell.chars().count()).max().unwrap_or(0);
    cells
        .into_iter()
        .map(|cell| if right { format!("{cell:>width$}") } else { format!("{cell:<width$}") })
        .collect()
}

/// `42/100+21`, in milliseconds.
fn limit(row: &Row) -> String {
    let ms = |us: Micros| format!("{}", us.get() as f64 / 1e3);
    match row.quota_us {
        None => "no limit".to_owned(),
        Some(quota) if row.burst_us == Micros::ZERO => format!("{}/{}", ms(quota), ms(row.period_us)),
        Some(quota) => format!("{}/{}+{}", ms(quota), ms(row.period_us), ms(row.burst_us)),
    }
}
