//! One file a subcommand.

pub mod agree;
pub mod check;
pub mod compare;
pub mod gate;
pub mod run;
pub mod stage;

use std::path::{Path, PathBuf};

use crate::{
    chart, report,
    store::{self, Folder},
    study,
    summary::Summary,
    table,
};

/// Width that tables are made for where there is no terminal to ask.
const DEFAULT_WIDTH: usize = 80;

/// Everything after the records: summary, charts, report. What was written.
fn derive(folder: &Path) -> anyhow::Result<(Summary, Vec<PathBuf>)> {
    let records = store::read(folder)?;
    let summary = study::summarise(&records);
    Folder::open(folder).write_summary(&summary)?;
    let mut written = chart::draw_all(&records, &summary, folder)?;
    written.push(report::write(&records, &summary, folder)?);
    Ok((summary, written))
}

/// The table and the verdicts, for a terminal.
fn show(summary: &Summary) -> String {
    let width = console_width();
    let mut text = table::terminal(summary, coloured(), width);
    text.push('\n');
    for verdict in summary.verdicts() {
        text.push_str(&wrapped(&verdict.to_string(), width));
    }
    text
}

/// Whether what goes to stdout is coloured.
fn coloured() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}

fn console_width() -> usize {
    columns().unwrap_or(DEFAULT_WIDTH).clamp(60, 120)
}

/// Columns of the terminal on stdout; `None` where it is none.
fn columns() -> Option<usize> {
    use std::io::IsTerminal as _;
    let asked = || std::env::var("COLUMNS").ok()?.parse().ok();
    std::io::stdout().is_terminal().then(asked).flatten()
}

/// A sentence in lines of a width, the later ones indented.
fn wrapped(sentence: &str, width: usize) -> String {
    let mut lines = vec![String::new()];
    for word in sentence.split(' ') {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if line.chars().count() + 1 + word.chars().count() > width && !line.is_empty() {
            lines.push(format!("  {word}"));
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n") + "\n"
}
