//! The same as bars, for the eye: throttled periods, and the tail.

use std::io::{self, Write};

use cgtune_core::sim::Spread;

use super::{Answer, figures, paragraph};
use crate::{render::paragraph::WIDTH, streams::HEADING};

/// Longest bar.
const LONGEST: usize = 30;
/// Between columns.
const GAP: usize = 3;
/// A scale is logarithmic where the largest value is more than so many times the smallest.
const SPREAD: f64 = 20.0;

/// From values to parts of a bar.
enum Scale {
    Linear { to: f64 },
    Log { from: f64, to: f64 },
}

impl Scale {
    /// From zero to the largest; or, of values far apart, from a power of ten below the smallest.
    fn of(spreads: &[Option<Spread<f64>>]) -> Self {
        let all = spreads.iter().flatten();
        let (low, high) = all.fold((f64::INFINITY, 0.0_f64), |(low, high), spread| {
            (low.min(spread.min), high.max(spread.max))
        });
        if low > 0.0 && high > low * SPREAD {
            Self::Log { from: 10_f64.powf((low * 0.999).log10().floor()), to: high }
        } else {
            Self::Linear { to: high }
        }
    }

    fn part(&self, value: f64) -> f64 {
        match self {
            Self::Linear { to } if *to > 0.0 => value / to,
            Self::Linear { .. } => 0.0,
            Self::Log { from, to } => (value / from).ln() / (to / from).ln(),
        }
    }
}

struct Column {
    head: String,
    scale: Scale,
    values: Vec<Option<Spread<f64>>>,
    /// What stands where there is no value.
    missing: &'static str,
}

/// Writes a line of bars for each row; of a single row the numbers say it all.
pub(super) fn write(answer: &Answer<'_>, names: &[String], out: &mut dyn Write) -> io::Result<()> {
    let columns: Vec<Column> = [throttled(answer), tail(answer)]
        .into_iter()
        .filter(|column| column.values.iter().any(Option::is_some))
        .collect();
    if answer.rows.len() < 2 || columns.is_empty() {
        return Ok(());
    }
    let left = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let length = (WIDTH.saturating_sub(left) / columns.len()).saturating_sub(GAP).min(LONGEST);
    writeln!(out)?;
    let mut head = " ".repeat(left);
    for column in &columns {
        head += &format!("{:GAP$}{:<length$}", "", column.head);
    }
    writeln!(out, "{HEADING}{}{HEADING:#}", head.trim_end())?;
    for (place, name) in names.iter().enumerate() {
        let mut line = format!("{name:<left$}");
        for column in &columns {
            let bar = match column.values.get(place).copied().flatten() {
                Some(spread) => bar(spread, &column.scale, length),
                None => column.missing.to_owned(),
            };
            line += &format!("{:GAP$}{bar:<length$}", "");
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    paragraph("█ up to the smallest, ▓ up to the middle, ░ up to the largest", out)
}

fn throttled(answer: &Answer<'_>) -> Column {
    Column {
        head: "throttled, 0 to 100 %".into(),
        scale: Scale::Linear { to: 1.0 },
        values: answer.rows.iter().map(|row| row.throttled_ratio).collect(),
        missing: "-",
    }
}

fn tail(answer: &Answer<'_>) -> Column {
    let values: Vec<_> = answer.rows.iter().map(|row| row.latency_us.p99).collect();
    let scale = Scale::of(&values);
    let head = match scale {
        Scale::Linear { to } => format!("p99, 0 to {} ms", end(to)),
        Scale::Log { from, to } => format!("p99, log {} to {} ms", end(from), end(to)),
    };
    Column { head, scale, values, missing: "n/a" }
}

/// An end of a scale.
fn end(us: f64) -> String {
    let text = figures::ms(us);
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// `███▓▓░░`: full up to the smallest, then what may be, with a change at the middle.
fn bar(spread: Spread<f64>, scale: &Scale, length: usize) -> String {
    let at = |value: f64| (scale.part(value).clamp(0.0, 1.0) * length as f64).round() as usize;
    let (min, median, max) = (at(spread.min), at(spread.median), at(spread.max));
    (0..max)
        .map(|cell| match cell {
            _ if cell < min => '█',
            _ if cell < median => '▓',
            _ => '░',
        })
        .collect()
}
