//! `agree`: the model against the kernel, over the blocks of runs.

use std::{io::Write as _, path::PathBuf, process::ExitCode};

use anyhow::anyhow;
use cgtune_core::{
    Nanos,
    convert::Version,
    sim::{Kernel, Phases},
};

use crate::{
    agree::{Agreement, Compared},
    record::Records,
    store,
};

/// What may be asked.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The CPU time of each frame goes through the model under its block's own limit, at many phases of the period timer\n\
    and the tick. With --check it passes (exit code 0) when in 90 % of the blocks the throttled share lies in the\n\
    model's range, give or take 3 points, and the other numbers in 80 %, give or take 15 %; else exit code 1.\n\n\
    Examples:\n  \
    cgbench agree results/encoder-linux-6.18\n  \
    cgbench agree results/* --check"
)]
pub struct Args {
    /// Folders of runs
    #[arg(value_name = "DIR", required = true)]
    folders: Vec<PathBuf>,
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
}

/// Tick phases among all phases.
const TICK_PHASES: u32 = 6;
/// Part of the blocks whose throttled share must agree.
const SHARES_NEEDED: f64 = 0.9;
/// Part of the other numbers that must.
const OTHERS_NEEDED: f64 = 0.8;

/// Runs it.
///
/// # Errors
/// Records that cannot be read, or without a limited block.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let phases = Phases::grid(args.phases.div_ceil(TICK_PHASES), TICK_PHASES);
    let mut agreements = Vec::new();
    for folder in &args.folders {
        let records = store::read(folder)?;
        let agreement = Agreement::of(&records, kernel(&records, args.hz)?, &phases);
        agreements.push((folder.display().to_string(), agreement));
    }
    if agreements.iter().all(|(_, agreement)| agreement.blocks.is_empty()) {
        return Err(anyhow!("no block there has a limit, so there is nothing to compare"));
    }
    let (enough, says) = verdict(&agreements);
    let mut out = anstream::stdout().lock();
    if args.json {
        let runs: Vec<_> = agreements
            .iter()
            .map(|(folder, agreement)| serde_json::json!({ "folder": folder, "agreement": agreement }))
            .collect();
        let value = serde_json::json!({ "schema": Agreement::SCHEMA, "runs": runs });
        serde_json::to_writer_pretty(&mut out, &value)?;
        writeln!(out)?;
    } else {
        for (folder, agreement) in &agreements {
            write(folder, agreement, &mut out)?;
        }
        writeln!(out, "\n{says}")?;
    }
    Ok(if args.check && !enough { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// The kernel that a run was measured on.
fn kernel(records: &Records, hz: u32) -> anyhow::Result<Kernel> {
    let release = &records.machine.kernel;
    let version: Version = release.parse().map_err(|error| anyhow!("the run's kernel: {error}"))?;
    Ok(Kernel { tick: Nanos::new(1_000_000_000 / u64::from(hz)), ..Kernel::of(version) })
}

fn write(folder: &str, agreement: &Agreement, out: &mut dyn std::io::Write) -> std::io::Result<()> {
    writeln!(out, "{folder}: {} phases", agreement.phases)?;
    writeln!(
        out,
        "{:>5}  {:<24} {:>6}  {:>7}  {:>16}  {:>14}",
        "block", "condition", "use", "kernel", "model", "bursts"
    )?;
    for block in &agreement.blocks {
        let throttled = block.throttled;
        let bursts = block.bursts.map_or_else(String::new, |bursts| {
            format!("{:.0} of {:.0}–{:.0}{}", bursts.kernel, bursts.model.min, bursts.model.max, mark(bursts))
        });
        let model = format!(
            "{:.1}–{:.1}–{:.1}",
            throttled.model.min * 100.0,
            throttled.model.median * 100.0,
            throttled.model.max * 100.0
        );
        let line = format!(
            "{:>5}  {:<24} {:>5.1}%  {:>6.1}%  {model:>16}{} {bursts:>14}",
            block.index,
            block.condition.to_string(),
            block.use_of_limit * 100.0,
            throttled.kernel * 100.0,
            mark(throttled)
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    for cell in &agreement.cells {
        if let Some(p99) = cell.p99_ms {
            writeln!(
                out,
                "  p99 of {} frames, {}: kernel {:.1} ms, model {:.1}–{:.1}–{:.1} ms{}",
                cell.frames,
                cell.condition,
                p99.kernel,
                p99.model.min,
                p99.model.median,
                p99.model.max,
                mark(p99)
            )?;
        }
    }
    Ok(())
}

/// What stands behind a number that does not agree.
const fn mark(compared: Compared) -> &'static str {
    if compared.agrees { " " } else { "!" }
}

/// Whether enough agrees, and a sentence.
fn verdict(agreements: &[(String, Agreement)]) -> (bool, String) {
    let all = || agreements.iter().map(|(_, agreement)| agreement);
    let part = |(agree, of): (usize, usize)| if of == 0 { 1.0 } else { agree as f64 / of as f64 };
    let blocks = || all().flat_map(|agreement| &agreement.blocks);
    let shares = Agreement::count(blocks().map(|block| &block.throttled));
    let bursts = Agreement::count(blocks().filter_map(|block| block.bursts.as_ref()));
    let latencies = Agreement::count(
        all().flat_map(|agreement| &agreement.cells).filter_map(|cell| cell.p99_ms.as_ref()),
    );
    let enough =
        part(shares) >= SHARES_NEEDED && part(bursts) >= OTHERS_NEEDED && part(latencies) >= OTHERS_NEEDED;
    let says = if enough {
        "the model agrees with this kernel"
    } else {
        "the model does NOT agree with this kernel"
    };
    let text = format!(
        "{says}: throttled share in {} of {} blocks, bursts in {} of {}, p99 in {} of {} cells",
        shares.0, shares.1, bursts.0, bursts.1, latencies.0, latencies.1
    );
    (enough, text)
}
