//! `cgtune simulate`: what a load does under limits, in the model of the kernel's controller. Nothing on the machine is touched.

mod interference;
mod load;
mod recorded;

use anyhow::anyhow;
use cgtune_core::{
    Bandwidth, Micros, Nanos, Quota,
    convert::{Burst, Version, kubelet},
    sim::{Kernel, Phases, Scenario},
};
use cgtune_sys::{HostRoot, facts};

use crate::{
    cli,
    exit::Exit,
    failure::Hinted,
    render::simulate::{self as render, Row},
    streams::Streams,
    typed,
};

const EXAMPLES: &str = "\
LOAD is one of, each with any of its settings:
  encoder:mean=12.8ms,fps=30,cv=0.2,lag1=0.55,ip=1.4,gop=60,slices=1,jitter=0.5
  service:rate=100,mean=5ms,fan-out=1,threads=4     requests a second, CPU each
  periodic:every=100ms,each=20ms,threads=1          all threads at once
  gc:every=2s,each=50ms,threads=4                   the same, as a collector's pause
  fork-join:every=50ms,each=5ms,threads=4           the same, as parallel steps
  hog:threads=1
  FILE.csv                 lines of: intended start, CPU time; such as 40ms,13ms
  FILE.json                a block that cgbench recorded: results/RUN/blocks/…

Limits, bursts and periods take lists, and every combination is tried.

Examples:
  cgtune simulate encoder --cpu-limit 420m --burst 0%,50%,100%
  cgtune simulate service:rate=50,mean=8ms --cpu-limit 400m,600m,800m --json
  cgtune simulate encoder:slices=4 --cpu-limit 1 --period 100ms,20ms,5ms
  cgtune simulate frames.csv --cpu-limit 1500m --kernel 6.1
  cgtune simulate interference     what bursts cost the neighbours";

/// How many ways to begin are tried at least: fewer say little about what is not known.
const LEAST_PHASES: u32 = 24;
/// Tick phases among them.
const TICK_PHASES: u32 = 4;
/// Simulated before anything counts.
const WARM_UP: Nanos = Nanos::new(2_000_000_000);
/// Longest time simulated.
const LONGEST: Micros = Micros::from_ms(24 * 3600 * 1000);
/// Most limits that are tried at once.
const MOST: usize = 1_000;

/// Show what a load would do under other limits, in a model of the kernel
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    other: Option<Other>,
    /// What wants CPU
    #[arg(value_name = "LOAD", required = true)]
    load: Option<String>,
    /// CPU limits; max for none
    #[arg(
        long,
        value_name = "QUANTITY,…",
        value_delimiter = ',',
        required = true,
        allow_hyphen_values = true
    )]
    cpu_limit: Vec<String>,
    /// Bursts: times, parts of the quota, or CPU; 0% unless given
    #[arg(long, value_name = "BURST,…", value_delimiter = ',', allow_hyphen_values = true)]
    burst: Vec<String>,
    /// Periods; 100ms unless given
    #[arg(long, value_name = "DURATION,…", value_delimiter = ',')]
    period: Vec<String>,
    /// A limit of the pod or slice above
    #[arg(long, value_name = "QUANTITY")]
    above: Option<String>,
    /// Loads in groups beside it, without a limit
    #[arg(long, value_name = "LOAD")]
    neighbour: Vec<String>,
    /// CPUs of the machine; those of this one unless given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    cpus: Option<u32>,
    /// Kernel whose ways are modelled; this one's unless given
    #[arg(long, value_name = "VERSION")]
    kernel: Option<String>,
    /// Ticks a second of that kernel (CONFIG_HZ)
    #[arg(long, value_name = "HZ", default_value_t = 250, value_parser = clap::value_parser!(u32).range(24..=1000))]
    hz: u32,
    /// Simulated time that counts, in each way to begin
    #[arg(long = "for", value_name = "DURATION", default_value = "60s")]
    duration: String,
    /// Ways to begin (phases of timer and tick) that are tried, at least 24
    #[arg(long, value_name = "N", default_value_t = LEAST_PHASES, value_parser = clap::value_parser!(u32).range(24..=10_000))]
    phases: u32,
    /// What chance does
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    #[command(flatten)]
    output: cli::Output,
}

/// What else can be simulated.
#[derive(Debug, clap::Subcommand)]
enum Other {
    Interference(interference::Args),
}

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    if let Some(Other::Interference(args)) = &args.other {
        return interference::run(args, streams);
    }
    let load = args.load.as_deref().unwrap_or_default();
    let pattern = load::read(load)?;
    let (kernel, version) = kernel(args)?;
    let cpus = args.cpus.map_or_else(online, Ok)?;
    let policies = policies(args)?;
    let duration = Micros::parse(&args.duration).map_err(|error| anyhow!("--for: {error}"))?;
    if duration < Micros::from_ms(1000) || duration > LONGEST {
        let error = anyhow!("--for: {duration} is not between 1s and 24h");
        return Err(Hinted::new(error, "a minute tells most; longer runs have finer percentiles").into());
    }
    let above = args
        .above
        .as_deref()
        .map(|text| bandwidth("--above", text, None, kubelet::QUOTA_PERIOD))
        .transpose()?;
    let neighbours =
        args.neighbour.iter().map(|text| load::neighbour(text)).collect::<anyhow::Result<Vec<_>>>()?;
    let phases = Phases::grid(args.phases.div_ceil(TICK_PHASES), TICK_PHASES);
    let mut rows = Vec::new();
    for bandwidth in policies {
        let scenario = Scenario {
            kernel,
            cpus,
            pattern: pattern.clone(),
            calls: None,
            bandwidth,
            above: above.into_iter().collect(),
            weight: 100,
            cpuset: None,
            neighbours: neighbours.clone(),
            seed: args.seed,
            warm_up: WARM_UP,
            duration: duration.to_nanos(),
        };
        rows.push(Row::of(bandwidth, &scenario.run(&phases)));
    }
    let answer = render::Answer {
        load,
        threads: pattern.crew().threads,
        kernel: version,
        hz: args.hz,
        cpus,
        phases: phases.len(),
        duration,
        rows,
    };
    if args.output.json {
        render::json(&answer, streams.out)?;
    } else {
        render::text(&answer, streams.out)?;
    }
    Ok(Exit::Done)
}

fn online() -> anyhow::Result<u32> {
    let cpus = facts::online_cpus(&HostRoot::default()).map(|cpus| cpus.len());
    cpus.and_then(|cpus| u32::try_from(cpus).ok()).ok_or_else(|| {
        Hinted::new(anyhow!("how many CPUs this machine has cannot be read"), "give --cpus").into()
    })
}

fn kernel(args: &Args) -> anyhow::Result<(Kernel, Version)> {
    let version: Version = match &args.kernel {
        Some(text) => text.parse().map_err(|error| anyhow!("--kernel: {error}"))?,
        None => facts::kernel_release().and_then(|release| release.parse().ok()).ok_or_else(|| {
            Hinted::new(
                anyhow!("this kernel's version cannot be read"),
                "give --kernel, such as --kernel 6.12",
            )
        })?,
    };
    let tick = Nanos::new(1_000_000_000 / u64::from(args.hz));
    Ok((Kernel { tick, ..Kernel::of(version) }, version))
}

/// Every combination of limits, bursts and periods.
fn policies(args: &Args) -> anyhow::Result<Vec<Bandwidth>> {
    let periods = match args.period.as_slice() {
        [] => vec![kubelet::QUOTA_PERIOD],
        texts => texts
            .iter()
            .map(|text| Micros::parse(text).map_err(|error| anyhow!("--period: {error}")))
            .collect::<Result<_, _>>()?,
    };
    let bursts = match args.burst.as_slice() {
        [] => vec![None],
        texts => texts.iter().map(|text| typed::burst(text).map(Some)).collect::<Result<_, _>>()?,
    };
    let mut policies = Vec::new();
    for limit in &args.cpu_limit {
        for &period in &periods {
            for &burst in &bursts {
                // No limit is the same with any burst.
                let policy = bandwidth("--cpu-limit", limit, burst, period)?;
                if !policies.contains(&policy) {
                    policies.push(policy);
                }
            }
        }
    }
    if policies.len() > MOST {
        let error = anyhow!("{} combinations of limits, bursts and periods", policies.len());
        return Err(Hinted::new(error, format!("at most {MOST} are tried at once")).into());
    }
    Ok(policies)
}

fn bandwidth(flag: &str, limit: &str, burst: Option<Burst>, period: Micros) -> anyhow::Result<Bandwidth> {
    let quota = match limit {
        "max" => Quota::Unlimited,
        text => kubelet::quota(typed::quantity(flag, text)?.milli(), period),
    };
    let burst = match quota {
        // A list of bursts beside a limit of none: there is nothing to save.
        Quota::Unlimited => Micros::ZERO,
        Quota::Limited(_) => burst.and_then(|burst| burst.amount(quota, period)).unwrap_or(Micros::ZERO),
    };
    // What the kernel would refuse is refused in the kernel's words.
    Bandwidth::new(quota, period, burst).map_err(|error| anyhow!("{flag} {limit}: {error}"))
}
