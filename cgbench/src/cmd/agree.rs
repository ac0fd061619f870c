//! `agree`: the model against the kernel, over a grid that is measured for it or over the blocks of runs.

mod measure;
mod table;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::AtomicBool,
};

use anyhow::anyhow;
use cgtune_core::{
    Nanos,
    convert::Version,
    sim::{Kernel, Phases},
};

use crate::{
    agree::{
        Agreement, Verdict,
        grid::{self, Point},
    },
    backend, chart, interrupt,
    progress::Progress,
    record::{BackendKind, Records},
    store,
};
use measure::Measured;
use table::Compare;

/// What may be asked.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The CPU time of each frame goes through the model under its block's own limit, at many phases of the period timer \
    and the tick. Without DIR a grid is measured on this kernel first: loads × quotas × threads × periods, each without \
    burst, with half a quota of it and with a whole one, in a quarter of an hour.\n\n\
    With --check it passes (exit code 0) when of all blocks the throttled share lies in the model's range, give or take \
    3 points, in 90 %; nr_bursts (± 15 %, or 3) and the burst time (± 15 %, or 15 ms) in 80 % each; and p99 (± 15 %, from \
    1,000 frames on) in 80 % of the cells; else exit code 1. Whatever lies outside is listed with its reason.\n\n\
    Examples:\n  \
    sudo cgbench agree --check\n  \
    sudo cgbench agree --quick --out results/agree\n  \
    cgbench agree results/agree --check\n  \
    cgbench agree results/agree results/encoder-linux-6.18 --chart signature.svg"
)]
pub struct Args {
    /// Folders of runs, or of folders of runs, to compare instead of measuring
    #[arg(value_name = "DIR", conflicts_with_all = ["out", "quick", "seed", "frames", "slow", "quiet"])]
    folders: Vec<PathBuf>,
    /// Where to write what is measured, a folder a point [default: results/TIME-agree]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// A small grid, about a minute: counters but no p99
    #[arg(long)]
    quick: bool,
    /// Seed of the grid: order, clock's jitter, scene
    #[arg(long, default_value_t = grid::SEED)]
    seed: u64,
    /// Frames measured in a block, at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    frames: Option<u32>,
    /// Frame rates divided by N, for CPUs that are emulated
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=30))]
    slow: u32,
    /// Draw throttled share and p99 by how much of the limit is used, as SVG or PNG by its ending; a measured grid has both as
    /// OUT/signature.svg and .png
    #[arg(long, value_name = "FILE", value_parser = chart_file)]
    chart: Option<PathBuf>,
    /// Phases of timer and tick that are tried
    #[arg(long, value_name = "N", default_value_t = 48, value_parser = clap::value_parser!(u32).range(24..=10_000))]
    phases: u32,
    /// Ticks a second of the kernel that ran them (CONFIG_HZ)
    #[arg(long, value_name = "HZ", default_value_t = 250, value_parser = clap::value_parser!(u32).range(24..=1000))]
    hz: u32,
    /// Exit with 1 where the model does not agree
    #[arg(long)]
    check: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

fn chart_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let known =
        path.extension().is_some_and(|e| e.eq_ignore_ascii_case("svg") || e.eq_ignore_ascii_case("png"));
    if known { Ok(path) } else { Err("a name that ends in .svg or .png".to_owned()) }
}

/// Tick phases among all phases.
const TICK_PHASES: u32 = 6;

/// Runs it.
///
/// # Errors
/// No permission to make cgroups, a point that cannot be measured; records that cannot be read, are simulated, or have no limited
/// block.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if !args.folders.is_empty() {
        let all: Result<Vec<_>, _> = args.folders.iter().map(|folder| store::runs(folder)).collect();
        return compare(args, &all?.concat(), None).map(|agrees| code(args, agrees));
    }
    let stop = interrupt::flag()?;
    let out = args.out.clone().unwrap_or_else(|| super::run::default_folder("agree"));
    let Measured { folders, interrupted } = measured(args, &out, &stop)?;
    let whole = |folder: &PathBuf| {
        store::read(folder).is_ok_and(|records| records.blocks.iter().any(|block| !block.partial))
    };
    let folders: Vec<PathBuf> = folders.into_iter().filter(|folder| !interrupted || whole(folder)).collect();
    if folders.is_empty() {
        writeln!(anstream::stderr(), "interrupted before anything was measured")?;
        return Ok(super::run::exit_interrupted());
    }
    let agrees = compare(args, &folders, Some(&out))?;
    if interrupted {
        writeln!(anstream::stderr(), "interrupted: the blocks measured so far are kept and marked partial")?;
        return Ok(super::run::exit_interrupted());
    }
    Ok(code(args, agrees))
}

fn code(args: &Args, agrees: bool) -> ExitCode {
    if args.check && !agrees { ExitCode::from(1) } else { ExitCode::SUCCESS }
}

/// Measures the grid on this kernel. The model is no substitute here: it would be compared with itself.
fn measured(args: &Args, out: &Path, stop: &AtomicBool) -> anyhow::Result<Measured> {
    let mut kernel = backend::kernel::Kernel::open(true)?.without_samples();
    let grid: &[Point] = if args.quick { &grid::QUICK } else { &grid::FULL };
    let scaled = |point: &Point| point.scaled(args.frames.unwrap_or(u32::MAX), args.slow);
    let points: Vec<Point> = grid.iter().map(scaled).collect();
    let mut progress = Progress::new(args.quiet);
    let measured = measure::measure(&points, args.seed, &mut kernel, out, stop, &mut progress);
    progress.finish();
    measured
}

/// Compares runs, shows it and draws the chart, where there is a folder for it or one was asked for. Whether enough agrees.
fn compare(args: &Args, folders: &[PathBuf], out_folder: Option<&Path>) -> anyhow::Result<bool> {
    let phases = Phases::grid(args.phases.div_ceil(TICK_PHASES), TICK_PHASES);
    let mut all = Vec::new();
    for folder in folders {
        let records = store::read(folder)?;
        let agreement = Agreement::of(&records, kernel(folder, &records, args.hz)?, &phases);
        all.push(Compare { folder: folder.display().to_string(), agreement });
    }
    if all.iter().all(|one| one.agreement.blocks.is_empty()) {
        return Err(anyhow!("no block there has a limit, so there is nothing to compare"));
    }
    let drawn = draw(args, &all, out_folder)?;
    let verdict = Verdict::of(all.iter().map(|one| &one.agreement));
    let mut out = anstream::stdout().lock();
    if args.json {
        let runs: Vec<_> = all
            .iter()
            .map(|one| serde_json::json!({ "folder": one.folder, "agreement": one.agreement }))
            .collect();
        let value = serde_json::json!({ "schema": Agreement::SCHEMA, "runs": runs, "verdict": verdict });
        serde_json::to_writer_pretty(&mut out, &value)?;
        writeln!(out)?;
    } else {
        table::write(&all, &verdict, &mut out)?;
        for path in drawn {
            writeln!(out, "chart: {}", path.display())?;
        }
    }
    Ok(verdict.agrees)
}

/// The files of the signature chart. A grid without a curve has none; one that was asked for by name is an error then.
fn draw(args: &Args, all: &[Compare], out: Option<&Path>) -> anyhow::Result<Vec<PathBuf>> {
    let agreements: Vec<&Agreement> = all.iter().map(|one| &one.agreement).collect();
    let Some(scene) = chart::signature(&agreements) else {
        return match args.chart {
            Some(_) => {
                Err(anyhow!("no load there was measured under three limits, so there is no curve to draw"))
            }
            None => Ok(Vec::new()),
        };
    };
    let mut drawn = Vec::new();
    if let Some(folder) = out {
        drawn.extend(chart::write("signature", &scene, folder)?);
    }
    if let Some(path) = &args.chart {
        chart::write_one(&scene, path)?;
        drawn.push(path.clone());
    }
    Ok(drawn)
}

/// The kernel that a run was measured on.
fn kernel(folder: &Path, records: &Records, hz: u32) -> anyhow::Result<Kernel> {
    if records.run.backend == BackendKind::Simulated {
        return Err(anyhow!(
            "{}: these are SIMULATED records, and the model cannot be compared with itself",
            folder.display()
        ));
    }
    let release = &records.machine.kernel;
    let version: Version = release.parse().map_err(|error| anyhow!("the run's kernel: {error}"))?;
    Ok(Kernel { tick: Nanos::new(1_000_000_000 / u64::from(hz)), ..Kernel::of(version) })
}
