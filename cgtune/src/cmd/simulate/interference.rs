//! `cgtune simulate interference`: what bursts cost the neighbours.

use anyhow::anyhow;
use cgtune_core::sim::{Interference, Missed};
use serde::Serialize;

use crate::{
    cli,
    exit::Exit,
    streams::{HEADING, Streams},
};

const EXAMPLES: &str = "\
Groups share CPU time, each with a quota of its part, and demand exponentially
distributed amounts. A deadline is missed where all that they are entitled to,
quota and saved burst, is more than there is. Without burst that never happens.

Examples:
  cgtune simulate interference
  cgtune simulate interference --groups 20 --use 50,70,90 --burst 100,200,max";

/// Show how often bursts make neighbours miss their deadlines (a published Monte-Carlo)
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Groups that share the CPU time
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    groups: u32,
    /// Mean demands, in percent of the quota
    #[arg(long = "use", value_name = "PERCENT,…", value_delimiter = ',', default_value = "50,70,90")]
    mean_use: Vec<f64>,
    /// What may be saved up, in percent of the quota; max for everything
    #[arg(long, value_name = "PERCENT,…", value_delimiter = ',', default_value = "0,100,200,max")]
    burst: Vec<String>,
    /// Periods that are played
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    periods: u64,
    /// What chance does
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    output: cli::Output,
}

#[derive(Serialize)]
struct Row {
    use_percent: f64,
    /// `null`: everything.
    burst_percent: Option<f64>,
    #[serde(flatten)]
    missed: Missed,
}

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    let percent = |flag: &str, value: f64, most: f64| {
        let legal = (0.0..=most).contains(&value);
        if legal {
            Ok(value / 100.0)
        } else {
            Err(anyhow!("{flag}: {value} is not between 0 and {most} percent"))
        }
    };
    let mut rows = Vec::new();
    for &use_percent in &args.mean_use {
        for text in &args.burst {
            let burst_percent = match text.as_str() {
                "max" => None,
                text => Some(text.trim_end_matches('%').parse().map_err(|_| {
                    anyhow!("--burst: \"{text}\" is not a percentage such as 100, and not max")
                })?),
            };
            let burst = burst_percent.map_or(Ok(f64::INFINITY), |burst| percent("--burst", burst, 1e6))?;
            let missed = Interference {
                groups: args.groups,
                mean_use: percent("--use", use_percent, 1e4)?,
                burst,
                periods: args.periods,
                seed: args.seed,
            }
            .run();
            rows.push(Row { use_percent, burst_percent, missed });
        }
    }
    if args.output.json {
        let document = serde_json::json!({
            "schema": "cgtune.interference/1", "simulated": true, "groups": args.groups, "periods": args.periods, "rows": rows,
        });
        serde_json::to_writer_pretty(&mut *streams.out, &document)?;
        writeln!(streams.out)?;
        return Ok(Exit::Done);
    }
    let out = &mut *streams.out;
    writeln!(out, "SIMULATED: {} groups, {} periods", args.groups, args.periods)?;
    writeln!(
        out,
        "\n{HEADING}{:>8} {:>9} {:>22} {:>28}{HEADING:#}",
        "use", "burst", "periods with a miss", "periods until one is met"
    )?;
    for row in &rows {
        let burst = row.burst_percent.map_or_else(|| "max".to_owned(), |burst| format!("{burst} %"));
        writeln!(
            out,
            "{:>6} % {burst:>9} {:>20.2} % {:>28.4}",
            row.use_percent,
            row.missed.probability * 100.0,
            row.missed.expected_periods
        )?;
    }
    Ok(Exit::Done)
}
