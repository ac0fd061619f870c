//! `study`, `chart`, `report`: the stages after the records, each re-runnable from the files of the one before.

use std::{io::Write as _, path::PathBuf};

use crate::{chart, store, store::Folder, study};

/// A results folder.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of a run, as in results/NAME
    folder: PathBuf,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// `study`.
///
/// # Errors
/// Records that cannot be read, a summary that cannot be written.
pub fn study(args: &Args) -> anyhow::Result<()> {
    let summary = study::summarise(&store::read(&args.folder)?);
    Folder::open(&args.folder).write_summary(&summary)?;
    print(args, &summary, super::show(&summary))
}

/// `chart`.
///
/// # Errors
/// As `study`; a chart that cannot be drawn.
pub fn chart(args: &Args) -> anyhow::Result<()> {
    let records = store::read(&args.folder)?;
    let summary = study::summarise(&records);
    let written = chart::draw_all(&records, &summary, &args.folder)?;
    let lines: String = written.iter().map(|path| format!("{}\n", path.display())).collect();
    print(args, &summary, lines)
}

/// `report`; of a folder that holds several runs, one page over all of them.
///
/// # Errors
/// As `chart`; a report that cannot be written.
pub fn report(args: &Args) -> anyhow::Result<()> {
    let folders = store::runs(&args.folder)?;
    if folders != [args.folder.clone()] {
        return report_several(args, &folders);
    }
    let (summary, written) = super::derive(&args.folder)?;
    let lines: String = written.iter().map(|path| format!("{}\n", path.display())).collect();
    print(args, &summary, format!("{}\n{lines}", super::show(&summary)))
}

/// One page over the runs beneath a folder.
fn report_several(args: &Args, folders: &[PathBuf]) -> anyhow::Result<()> {
    let (summaries, path) = super::derive_several(&args.folder, folders)?;
    let mut out = anstream::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &summaries)?;
        writeln!(out)?;
    } else {
        writeln!(out, "{}", path.display())?;
    }
    Ok(())
}

fn print(args: &Args, summary: &crate::summary::Summary, text: String) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, summary)?;
        writeln!(out)?;
    } else {
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}
