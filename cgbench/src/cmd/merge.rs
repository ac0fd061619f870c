//! `merge`: several runs of one plan as one.

use std::{io::Write as _, path::PathBuf};

use anyhow::Context as _;

use crate::{
    merge::merge,
    record::RunRecord,
    report::html::Run,
    store::{self, Folder},
};

/// What may be asked.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The runs must be of the same plan, on the same machine and kernel; seeds may differ. Records are copied, the\n\
    runs stay as they are.\n\n\
    Example:\n  \
    cgbench run encoder --seed 1 --out results/monday\n  \
    cgbench run --like results/monday --seed 2 --out results/tuesday\n  \
    cgbench merge results/both results/monday results/tuesday"
)]
pub struct Args {
    /// The folder to make
    out: PathBuf,
    /// The runs
    #[arg(required = true, num_args = 2..)]
    runs: Vec<PathBuf>,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
}

/// Merges them.
///
/// # Errors
/// Runs that cannot be read or do not belong together, a folder that holds a run already.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let records: Vec<_> = args.runs.iter().map(|run| store::read(run)).collect::<Result<_, _>>()?;
    let named = || args.runs.iter().map(|run| run.display().to_string()).collect::<Vec<_>>().join(", ");
    let merged =
        merge(records, crate::cmd::command()).with_context(|| format!("cannot merge {}", named()))?;
    let _lock = Folder::open(&args.out).lock()?;
    let folder = Folder::create(&args.out)?;
    folder.write_plan(&merged.plan)?;
    folder.write_machine(&merged.machine)?;
    // Whole only when all of it is there.
    folder.write_run(&RunRecord { partial: true, ..merged.run.clone() })?;
    // Of the first run: the others' are beside their own records.
    merged.doctor.as_ref().map_or(Ok(()), |doctor| folder.write_doctor(doctor))?;
    merged.pilots.iter().try_for_each(|pilot| folder.write_pilot(pilot))?;
    for block in merged.blocks.iter().chain(&merged.set_aside) {
        folder.write_block(block)?;
    }
    folder.write_run(&merged.run)?;
    let (Run { summary, .. }, written) = super::derive(&args.out)?;
    let mut out = anstream::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &summary)?;
        return Ok(writeln!(out)?);
    }
    write!(out, "{}", super::show(&summary))?;
    for path in written {
        writeln!(out, "{}", path.display())?;
    }
    Ok(())
}
