//! `study`, `chart`, `report`: the stages after the records, each re-runnable from the files of the one before.

use std::{io::Write as _, path::PathBuf};

use crate::{
    chart,
    report::html::{self, Run},
    store::{self, Folder},
    summary::Summary,
};

/// A results folder.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of a run, as in results/NAME, or one that holds several
    folder: PathBuf,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// `study`, of each run where the folder holds several.
///
/// # Errors
/// Records that cannot be read, a summary that cannot be written.
pub fn study(args: &Args) -> anyhow::Result<()> {
    let mut studied = Vec::new();
    for run in store::runs(&args.folder)? {
        let Run { summary, .. } = super::studied(&run)?;
        Folder::open(&run).write_summary(&summary)?;
        studied.push(summary);
    }
    let shown: Vec<String> =
        studied.iter().map(|summary| super::named(summary, super::show(summary))).collect();
    print(args, &studied, shown.join("\n"))
}

/// `chart`, of each run where the folder holds several.
///
/// # Errors
/// As `study`; a chart that cannot be drawn.
pub fn chart(args: &Args) -> anyhow::Result<()> {
    let (mut studied, mut lines) = (Vec::new(), String::new());
    for run in store::runs(&args.folder)? {
        let Run { records, summary, .. } = super::studied(&run)?;
        for path in chart::draw_all(&records, &summary, &run)? {
            lines.push_str(&format!("{}\n", path.display()));
        }
        studied.push(summary);
    }
    print(args, &studied, lines)
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
    let (Run { summary, .. }, written) = super::derive(&args.folder)?;
    let lines: String = written.iter().map(|path| format!("{}\n", path.display())).collect();
    let text = format!("{}\n{lines}", super::show(&summary));
    print(args, &[summary], text)
}

/// One page over the runs beneath a folder.
fn report_several(args: &Args, folders: &[PathBuf]) -> anyhow::Result<()> {
    let runs: Vec<Run> = folders.iter().map(|folder| super::studied(folder)).collect::<Result<_, _>>()?;
    let path = html::write_several(&runs, &args.folder)?;
    let summaries: Vec<Summary> = runs.into_iter().map(|run| run.summary).collect();
    print(args, &summaries, format!("{}\n", path.display()))
}

/// The text; or as JSON the summary, or a list of them.
fn print(args: &Args, summaries: &[Summary], text: String) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    if args.json {
        super::write_json(summaries, &mut out)?;
    } else {
        out.write_all(text.as_bytes())?;
    }
    Ok(())
}
