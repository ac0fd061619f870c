//! `check`: does this kernel throttle as documented?

use std::{io::Write as _, process::ExitCode, time::Duration};

use cgtune_core::Micros;

use crate::hog;

/// What may be asked.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A busy thread pinned to one CPU gets 50 ms of every 100 ms. It passes (exit code 0) when at least\n\
    98 % of its periods end throttled and it used 50 % ± 1 % of a CPU; else exit code 1."
)]
pub struct Args {
    /// How long to watch
    #[arg(long = "for", value_name = "TIME", default_value = "5s", value_parser = Micros::parse)]
    duration: Micros,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs it.
///
/// # Errors
/// No permission, no bandwidth control.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let seen = hog::check(Duration::from_micros(args.duration.get()))?;
    let mut out = anstream::stdout().lock();
    if args.json {
        let value = serde_json::json!({ "schema": "cgbench.check/1", "passes": seen.passes(), "hog": seen });
        writeln!(out, "{value}")?;
    } else {
        let verdict = if seen.passes() { "as documented" } else { "NOT as documented" };
        let cpus = seen.cpus.map_or_else(|| "n/a".to_owned(), |cpus| format!("{:.2} %", cpus * 100.0));
        writeln!(
            out,
            "one hog, 50 ms of every 100 ms: throttled in {} of {} periods, {cpus} of a CPU, {:.2} % of the time throttled: {verdict}",
            seen.nr_throttled,
            seen.nr_periods,
            seen.throttled_part * 100.0
        )?;
    }
    Ok(if seen.passes() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
