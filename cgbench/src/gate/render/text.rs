//! For a terminal of 80 columns, or of 60 with less in the table.

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::phrase;
use crate::{
    gate::{
        escape::terminal,
        method::Outcome,
        quantity::{shown, shown_difference},
        report::{Line, Report, Verdict},
    },
    table::{SIMULATED, WHAT_THAT_IS, filled},
};

pub(super) const HEADING: Style = Style::new().bold();
pub(super) const QUIET: Style = Style::new().dimmed();
pub(super) const WORSE: Style = AnsiColor::Red.on_default().bold();
pub(super) const BETTER: Style = AnsiColor::Green.on_default();
pub(super) const WARNING: Style = AnsiColor::Yellow.on_default();

/// Paints, or not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint(pub(super) bool);

impl Paint {
    pub(super) fn on(self, style: Style, text: &str) -> String {
        if self.0 { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// A paragraph in lines of a width.
    pub(super) fn paragraph(self, style: Style, text: &str, width: usize) -> String {
        wrapped(&terminal(text), width).iter().map(|line| self.on(style, line) + "\n").collect()
    }
}

/// The report for a terminal.
#[must_use]
pub fn text(report: &Report, colour: bool, width: usize) -> String {
    let paint = Paint(colour);
    let mut out = String::new();
    if report.is_simulated() {
        out.push_str(&paint.paragraph(WARNING, &format!("{SIMULATED}: {WHAT_THAT_IS}"), width));
        out.push('\n');
    }
    let style = match report.verdict {
        Verdict::Pass => HEADING,
        Verdict::Regression => WORSE,
        Verdict::Undecided => WARNING,
    };
    out.push_str(&paint.paragraph(style, &phrase::verdict(report), width));
    for obstacle in &report.obstacles {
        out.push_str(&paint.paragraph(WARNING, &format!("- {obstacle}"), width));
    }
    for difference in &report.differences {
        let meant = if difference.accepted { " (accepted)" } else { "" };
        out.push_str(&paint.paragraph(WARNING, &format!("- {difference}{meant}"), width));
    }
    for lack in &report.missing {
        out.push_str(&paint.paragraph(WARNING, &format!("- {lack}"), width));
    }
    for line in report.with(Outcome::Worse) {
        let text = format!("- {}: {}", phrase::name(line), phrase::change(line));
        out.push_str(&paint.paragraph(WORSE, &text, width));
    }
    for line in report.with(Outcome::Better) {
        let text = format!("- better: {}: {}", phrase::name(line), phrase::change(line));
        out.push_str(&paint.paragraph(BETTER, &text, width));
    }
    if !report.lines.is_empty() {
        out.push('\n');
        out.push_str(&table(report, paint, width));
    }
    out.push('\n');
    if let Some(base) = &report.base {
        out.push_str(&paint.paragraph(QUIET, &format!("BASE: {}", phrase::run(base)), width));
    }
    out.push_str(&paint.paragraph(QUIET, &format!("NEW:  {}", phrase::run(&report.new)), width));
    if !report.lines.is_empty() {
        for said in phrase::method(&report.settings, report.lines.len()) {
            out.push_str(&paint.paragraph(QUIET, &said, width));
        }
        if report.base.is_some() {
            out.push_str(&paint.paragraph(QUIET, phrase::COLUMNS, width));
        }
    }
    out
}

const HEADINGS: [&str; 7] = ["", "base", "new", "change", "95 % interval", "p", "sees"];
/// What goes when the terminal is narrow: the interval, then BASE's median.
const DISPENSABLE: [usize; 2] = [4, 1];

fn table(report: &Report, paint: Paint, width: usize) -> String {
    let mut keep: Vec<usize> = match report.base {
        Some(_) => (0..HEADINGS.len()).collect(),
        None => vec![0, 2],
    };
    let mut lines = grid(report, &keep);
    for place in DISPENSABLE {
        if lines.iter().all(|line| line.chars().count() <= width) {
            break;
        }
        keep.retain(|kept| *kept != place);
        lines = grid(report, &keep);
    }
    let mut lines = lines.into_iter();
    let mut out = paint.on(HEADING, &lines.next().unwrap_or_default()) + "\n";
    let mut condition = None;
    for (line, shown) in report.lines.iter().zip(lines) {
        if condition != Some(line.condition) {
            condition = Some(line.condition);
            out.push_str(&paint.on(QUIET, &line.condition.to_string()));
            out.push('\n');
        }
        out.push_str(&match line.outcome {
            Outcome::Worse => paint.on(WORSE, &shown),
            Outcome::Better => paint.on(BETTER, &shown),
            Outcome::Same | Outcome::Unknown => shown,
        });
        out.push('\n');
    }
    out
}

fn cells(line: &Line) -> [String; 7] {
    let metric = line.metric;
    let mark = match line.outcome {
        Outcome::Worse => "!",
        Outcome::Better => "+",
        Outcome::Unknown => "?",
        Outcome::Same => " ",
    };
    let change = line.shift.map_or_else(|| "–".into(), |change| shown_difference(metric, change.shift));
    let interval = phrase::interval(metric, line.shift.and_then(|change| change.interval));
    [
        format!("{mark} {metric}"),
        phrase::value(metric, line.base.map(|sample| sample.median)),
        shown(metric, line.new.median),
        change,
        interval.unwrap_or_else(|| "n/a".into()),
        line.p_adjusted.map_or_else(|| "n/a".into(), phrase::probability),
        phrase::detectable(line),
    ]
}

/// Heading and rows as aligned lines.
fn grid(report: &Report, keep: &[usize]) -> Vec<String> {
    let rows = report.lines.iter().map(|line| {
        let cells = cells(line);
        keep.iter().map(|&place| cells[place].clone()).collect::<Vec<_>>()
    });
    let headings = keep.iter().map(|&place| HEADINGS[place].to_owned()).collect();
    aligned(std::iter::once(headings).chain(rows), keep.len())
}

/// Rows as lines: the first column to the left, the others to the right.
pub(super) fn aligned(rows: impl Iterator<Item = Vec<String>>, columns: usize) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    for row in rows {
        table.add_row(row);
    }
    for place in 0..columns {
        if let Some(shape) = table.column_mut(place) {
            shape.set_padding((u16::from(place > 0), u16::from(place + 1 < columns)));
            shape.set_cell_alignment(if place == 0 { CellAlignment::Left } else { CellAlignment::Right });
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// Breaks at spaces, but not between a number and its unit; later lines are indented. A longer word stays whole.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        let unit = ["%", "pt", "ms"].iter().any(|unit| word.starts_with(unit));
        match words.last_mut().filter(|last| unit && last.ends_with(|c: char| c.is_ascii_digit())) {
            Some(last) => last.extend([" ", word]),
            None => words.push(word.to_owned()),
        }
    }
    filled(words.iter().map(String::as_str), width)
}
