//! The table of a run: for a terminal, and as Markdown for the report. Both from the same cells.
//!
//! Numbers that the samples cannot carry are `n/a`, what a kernel does not count is `–`, what it does not provide is
//! a line that says so. What a reader must know beside the numbers stands below as notes.

mod cells;
mod notes;

use anstyle::{AnsiColor, Style};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use cells::{Cells, Column};
pub use notes::{SIMULATED, WHAT_THAT_IS, notes, partial};

use crate::{
    plan::Condition,
    record::BackendKind,
    summary::{Row, Summary},
};

/// Columns that go first when the terminal is narrow.
const DISPENSABLE: [Column; 4] = [Column::P50, Column::Cpus, Column::P95, Column::Max];

const HEADING: Style = Style::new().bold();
const QUIET: Style = Style::new().dimmed();
const ALARM: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default();

/// The two groups, with their headings.
const GROUPS: [(bool, &str); 2] = [(false, "alone"), (true, "with a noisy neighbour")];

/// The table for a terminal `width` columns wide, with its notes. Where it does not fit, columns are left out and a
/// note says which; below about 50 columns lines will wrap.
#[must_use]
pub fn terminal(summary: &Summary, colour: bool, width: usize) -> String {
    let mut columns: Vec<Column> = Column::TERMINAL.to_vec();
    let mut left_out = Vec::new();
    let mut lines = grid(summary, &columns);
    for column in DISPENSABLE {
        if lines.iter().all(|line| line.chars().count() <= width) {
            break;
        }
        columns.retain(|kept| *kept != column);
        left_out.push(column.heading(summary.item));
        lines = grid(summary, &columns);
    }
    let paint =
        |style: Style, text: &str| if colour { format!("{style}{text}{style:#}") } else { text.to_owned() };
    let mut lines = lines.into_iter();
    let mut out = String::new();
    if summary.backend == BackendKind::Simulated {
        out.push_str(&paint(WARNING, SIMULATED));
        out.push_str("\n\n");
    }
    if summary.partial {
        out.push_str(&paint(WARNING, &notes::partial(summary)));
        out.push_str("\n\n");
    }
    if let Some(heading) = lines.next() {
        out.push_str(&paint(HEADING, &heading));
        out.push('\n');
    }
    for (neighbour, heading) in GROUPS {
        let rows: Vec<&Row> = summary.group(neighbour).collect();
        if rows.is_empty() {
            continue;
        }
        out.push_str(&paint(QUIET, heading));
        out.push('\n');
        for row in rows {
            out.push_str(&match row.measured() {
                Some(measured) => {
                    let throttled = Column::Throttled.cell(measured);
                    let line = lines.next().unwrap_or_default();
                    match cells::alarm(measured) {
                        true => line.replacen(&throttled, &paint(ALARM, &throttled), 1),
                        false => line,
                    }
                }
                None => wrapped(&Cells::absent(row), width)
                    .iter()
                    .map(|line| paint(QUIET, line))
                    .collect::<Vec<_>>()
                    .join("\n"),
            });
            out.push('\n');
        }
    }
    let mut below = notes(summary);
    if !left_out.is_empty() {
        below.push(format!("left out for want of width: {}", left_out.join(", ")));
    }
    if !below.is_empty() {
        out.push('\n');
    }
    for line in below.iter().flat_map(|note| wrapped(note, width)) {
        out.push_str(&paint(QUIET, &line));
        out.push('\n');
    }
    out
}

/// The table as Markdown, without its notes.
#[must_use]
pub fn markdown(summary: &Summary) -> String {
    let columns = Column::MARKDOWN;
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut out = line(columns.iter().map(|column| column.heading(summary.item).to_owned()).collect());
    out.push_str(&line(
        columns.iter().map(|column| if column.is_text() { "---" } else { "---:" }.to_owned()).collect(),
    ));
    for (neighbour, heading) in GROUPS {
        let mut rows = summary.group(neighbour).peekable();
        if rows.peek().is_some() {
            out.push_str(&line(
                std::iter::once(format!("*{heading}*"))
                    .chain(columns.iter().skip(1).map(|_| String::new()))
                    .collect(),
            ));
        }
        for row in rows {
            out.push_str(&match row.measured() {
                Some(measured) => line(columns.iter().map(|column| column.cell(measured)).collect()),
                None => line(Cells::absent_row(row, columns.len())),
            });
        }
    }
    out
}

/// The table as cells, for whoever lays it out.
pub(crate) struct Grid {
    /// Names of the columns, and whether they are text.
    pub(crate) columns: Vec<(&'static str, bool)>,
    /// The groups that there are.
    pub(crate) groups: Vec<GridGroup>,
}

/// Conditions with or without a neighbour.
pub(crate) struct GridGroup {
    /// Its name.
    pub(crate) heading: &'static str,
    /// Its rows.
    pub(crate) rows: Vec<GridRow>,
}

/// A condition.
pub(crate) struct GridRow {
    /// Which.
    pub(crate) condition: Condition,
    /// A cell a column, or why there are none.
    pub(crate) cells: Result<Vec<String>, String>,
    /// Whether the throttling deserves the eye.
    pub(crate) alarm: bool,
}

/// All columns of all rows.
pub(crate) fn whole(summary: &Summary) -> Grid {
    let columns = Column::MARKDOWN;
    let row = |row: &Row| GridRow {
        condition: row.condition(),
        cells: match row.measured() {
            Some(measured) => Ok(columns.iter().map(|column| column.cell(measured)).collect()),
            None => Err(cells::why(row)),
        },
        alarm: row.measured().is_some_and(cells::alarm),
    };
    let group =
        |(neighbour, heading)| GridGroup { heading, rows: summary.group(neighbour).map(row).collect() };
    Grid {
        columns: columns.iter().map(|column| (column.heading(summary.item), column.is_text())).collect(),
        groups: GROUPS.into_iter().map(group).filter(|group| !group.rows.is_empty()).collect(),
    }
}

/// Heading and measured rows as aligned lines.
fn grid(summary: &Summary, columns: &[Column]) -> Vec<String> {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.add_row(columns.iter().map(|column| column.heading(summary.item)));
    for measured in
        GROUPS.iter().flat_map(|(neighbour, _)| summary.group(*neighbour)).filter_map(Row::measured)
    {
        table.add_row(columns.iter().map(|column| column.cell(measured)));
    }
    for (place, column) in columns.iter().enumerate() {
        if let Some(shape) = table.column_mut(place) {
            shape.set_padding((u16::from(place > 0), u16::from(place + 1 < columns.len())));
            shape.set_cell_alignment(if column.is_text() {
                CellAlignment::Left
            } else {
                CellAlignment::Right
            });
        }
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// Breaks at spaces; later lines are indented. A longer word stays whole.
pub(crate) fn wrapped(text: &str, width: usize) -> Vec<String> {
    filled(text.split(' '), width)
}

/// The same of words that may have spaces in them.
pub(crate) fn filled<'a>(words: impl IntoIterator<Item = &'a str>, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words {
        let Some(line) = lines.last_mut() else { break };
        if !line.trim().is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(format!("  {word}"));
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_breaks_at_spaces_and_keeps_every_word() {
        assert_eq!(wrapped("one two three", 8), ["one two", "  three"]);
        assert_eq!(wrapped("unbreakable", 4), ["unbreakable"]);
        assert_eq!(wrapped("", 4), [""]);
    }
}
