//! One file a subcommand.

pub mod agree;
pub mod check;
pub mod compare;
pub mod doctor;
pub mod gate;
pub mod list;
pub mod merge;
pub mod run;
mod sizes;
pub mod stage;

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use crate::{
    chart,
    report::{self, html::Run},
    store::{self, Folder},
    study,
    summary::Summary,
    table,
};

/// The command line, for the record: to be typed elsewhere, so without the place where this machine keeps the program.
fn command() -> Vec<String> {
    let mut words: Vec<String> = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
    if let Some(program) = words.first_mut() {
        *program = program.rsplit('/').next().unwrap_or_default().to_owned();
    }
    words
}

/// What somebody else wrote, as a terminal may see it.
fn escaped(text: &str) -> cgtune_core::text::Escaped<'_> {
    cgtune_core::text::Escaped(text.as_bytes())
}

/// Width that tables are made for where there is no terminal to ask.
const DEFAULT_WIDTH: usize = 80;

/// The records of a folder, and what follows from them.
fn studied(folder: &Path) -> anyhow::Result<Run> {
    let records = store::read(folder)?;
    let summary = study::summarise(&records);
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Run { name, records, summary })
}

/// Everything after the records: summary, charts, report. What was written.
fn derive(folder: &Path) -> anyhow::Result<(Run, Vec<PathBuf>)> {
    let run = studied(folder)?;
    let Run { records, summary, .. } = &run;
    Folder::open(folder).write_summary(summary)?;
    let mut written = chart::draw_all(records, summary, folder)?;
    written.push(report::write(records, summary, folder)?);
    written.push(report::html::write(records, summary, folder)?);
    Ok((run, written))
}

/// What is said of a run, below the name of its point where it has one.
fn named(summary: &Summary, text: String) -> String {
    match &summary.point {
        Some(point) => format!("{}\n\n{text}", escaped(point)),
        None => text,
    }
}

/// A summary as JSON, or a list of several.
fn write_json(summaries: &[Summary], out: &mut impl Write) -> anyhow::Result<()> {
    match summaries {
        [summary] => serde_json::to_writer_pretty(&mut *out, summary)?,
        several => serde_json::to_writer_pretty(&mut *out, several)?,
    }
    Ok(writeln!(out)?)
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
    table::wrapped(sentence, width).join("\n") + "\n"
}
