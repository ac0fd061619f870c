//! `gate`: exit code 1 where a run is worse than another, than its bounds, or than its history.

pub(super) mod options;
pub(super) mod outputs;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use jiff::Timestamp;

use crate::{
    failure::shown,
    gate::{Run, history, judge, settings::Missing},
    record::Records,
    store,
};
use options::Options;
use outputs::Outputs;

/// What may be asked.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 no regression, 1 a regression, 2 not judged: runs that do not compare, too few blocks, conditions that one\n\
    side lacks, or another error. Improvements are told and never fail.\n\n\
    Blocks: baseline needs 5 repetitions on each side for an --alpha of 0.01 (4 for 0.05), deviation 5, percentage 3. --paired needs n\n\
    pairs so that columns / 2^n is at most alpha: 11 for 20 policies x metrics at 0.01, 7 for one. What so many blocks can see is in\n\
    the last column of the table. cgbench run makes 8.\n\n\
    By default only what another day's clock frequency does not move is judged: throttled periods, stall, and ratios within a run.\n\
    A change within its margin is none, whatever the method says.\n\n\
    Examples:\n  \
    cgbench gate results/base results/new\n  \
    cgbench gate results/base results/new --method baseline,percentage --combine all\n  \
    cgbench gate results/new --bound 'limit+burst throttled<=1%' --bound '* p95-ratio<=2'\n  \
    cgbench gate base new --markdown \"$GITHUB_STEP_SUMMARY\" --append --annotations github\n  \
    cgbench gate --history results/nightly\n  \
    cgbench gate --history results/nightly --markdown \"$GITHUB_STEP_SUMMARY\" --append"
)]
pub struct Args {
    /// BASE and NEW, folders of runs; NEW alone with bounds, or with --history
    #[arg(value_name = "DIR", num_args = 0..=2)]
    folders: Vec<PathBuf>,
    /// Follow each metric over the runs in this folder, by the time at which they began, NEW among them or named beside
    #[arg(long, value_name = "DIR")]
    history: Option<PathBuf>,
    /// Of the history only runs that began then or later: 2026-11-01, 2026-11-01T12:00:00Z
    #[arg(long, value_name = "TIME", requires = "history", value_parser = time)]
    since: Option<Timestamp>,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    outputs: Outputs,
}

fn time(text: &str) -> Result<Timestamp, String> {
    let midnight = || format!("{text}T00:00:00Z").parse();
    text.parse()
        .or_else(|_| midnight())
        .map_err(|_| "a time such as 2026-11-01 or 2026-11-01T12:00:00Z".to_owned())
}

/// Runs it.
///
/// # Errors
/// Records or settings that cannot be read, files that cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    args.outputs.check(args.history.is_some())?;
    if let Some(folder) = &args.history {
        return follow(args, folder);
    }
    let (base, new) = match args.folders.as_slice() {
        [base, new] => (Some(base), new),
        [new] => (None, new),
        _ => anyhow::bail!("which runs? cgbench gate BASE NEW, or NEW alone with --bound"),
    };
    let settings = args.options.settings(base.is_some(), Missing::Fail)?;
    let report = judged(base.map(PathBuf::as_path), new, &settings)?;
    shown(args.outputs.write(&report))?;
    Ok(ExitCode::from(report.verdict.exit_code()))
}

/// Reads the runs and judges.
pub(super) fn judged(
    base: Option<&Path>,
    new: &Path,
    settings: &crate::gate::Settings,
) -> anyhow::Result<crate::gate::Report> {
    let base =
        base.map(|folder| Ok::<_, store::StoreError>((name(folder), store::read(folder)?))).transpose()?;
    let base = base.as_ref().map(|(name, records)| Run { name, records });
    let new = (name(new), store::read(new)?);
    Ok(judge(base, Run { name: &new.0, records: &new.1 }, settings))
}

fn name(folder: &Path) -> String {
    folder.display().to_string()
}

fn follow(args: &Args, folder: &Path) -> anyhow::Result<ExitCode> {
    if args.folders.len() > 1 {
        anyhow::bail!("--history DIR takes one more run at most, the newest");
    }
    args.options.none_for_two_runs()?;
    // Of a file's settings a history uses alpha, margins, metrics and the like.
    let settings = args.options.settings(true, Missing::Fail)?;
    let mut folders = store::runs(folder)?;
    let canonical = |path: &PathBuf| fs::canonicalize(path).ok();
    for new in &args.folders {
        if !folders.iter().any(|known| canonical(known) == canonical(new)) {
            folders.push(new.clone());
        }
    }
    let mut runs: Vec<(Timestamp, String, Records)> = Vec::new();
    for folder in &folders {
        let records = store::read(folder)?;
        let began: Timestamp =
            records.run.started.parse().map_err(|_| {
                anyhow::anyhow!("{}: \"started\" is no time", folder.join(store::RUN).display())
            })?;
        if args.since.is_none_or(|since| began >= since) {
            runs.push((began, name(folder), records));
        }
    }
    runs.sort_by_key(|(began, ..)| *began);
    let runs: Vec<Run<'_>> = runs.iter().map(|(_, name, records)| Run { name, records }).collect();
    let found = history::follow(&runs, &settings);
    shown(args.outputs.write_history(&found))?;
    Ok(ExitCode::from(found.verdict.exit_code()))
}
