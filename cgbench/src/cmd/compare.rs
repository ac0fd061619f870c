//! `compare`: what `gate` would say, without its exit code.

use std::{path::PathBuf, process::ExitCode};

use super::gate::{judged, options::Options, outputs::Outputs};
use crate::{
    failure::shown,
    gate::{report::Obstacle, settings::Missing},
};

/// What may be asked.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "As cgbench gate, which see for methods, blocks and margins, but a regression is told and not failed. Exit codes: 0 compared,\n\
    2 runs that do not compare, or another error.\n\n\
    Example:\n  \
    cgbench compare results/before results/after --absolute"
)]
pub struct Args {
    /// The run to compare with
    base: PathBuf,
    /// The run that is looked at
    new: PathBuf,
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    outputs: Outputs,
}

/// Runs it.
///
/// # Errors
/// As `gate`.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    args.outputs.check(false)?;
    let settings = args.options.settings(true, Missing::Ignore)?;
    let report = judged(Some(&args.base), &args.new, &settings)?;
    shown(args.outputs.write(&report))?;
    let refused =
        |obstacle: &Obstacle| matches!(obstacle, Obstacle::Incomparable { .. } | Obstacle::NotPaired);
    let compared = !report.obstacles.iter().any(refused);
    Ok(if compared { ExitCode::SUCCESS } else { ExitCode::from(2) })
}
