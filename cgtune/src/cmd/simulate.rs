//! `cgtune simulate`: what a load does under limits, in the model of the kernel's controller. Nothing on the machine is touched.

mod interference;
mod load;
mod picture;
mod recorded;
mod sweep;

use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use anyhow::anyhow;
use cgtune_core::{
    Bandwidth, Micros, Nanos,
    convert::{Version, kubelet},
    sim::{Kernel, Outcome, Phases, Scenario},
};
use cgtune_sys::{HostRoot, facts};

use crate::{
    cli,
    exit::Exit,
    failure::Hinted,
    progress::Computation,
    render::simulate::{self as render, Row},
    streams::Streams,
};
use sweep::Sweep;

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

Limits, bursts, periods and threads take lists, and every combination is tried.

Examples:
  cgtune simulate encoder --cpu-limit 420m --burst 0%,50%,100%
  cgtune simulate service:rate=50,mean=8ms --cpu-limit 400m,600m,800m --json
  cgtune simulate encoder:slices=4 --cpu-limit 1 --period 100ms,20ms,5ms
  cgtune simulate encoder --threads 1,2,4 --cpu-limit 500m,1 --svg threads.svg
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
    /// Threads of the load, in place of its own slices or threads
    #[arg(long, value_name = "N,…", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=1024))]
    threads: Vec<u32>,
    /// How the load's CPU time is spent: so much in each system call, and so much in user mode between two, as in
    /// 500us/2ms; from 6.18 on a throttled task finishes its call first. In user mode alone unless given
    #[arg(long, value_name = "CALL/USER")]
    system_calls: Option<String>,
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
    /// Also draw what came out, and write it to this file; one that is there is replaced
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// The same as PNG
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
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
    let sweep = Sweep::of(args, load, pattern.crew().threads)?;
    let duration = Micros::parse(&args.duration).map_err(|error| anyhow!("--for: {error}"))?;
    if duration < Micros::from_ms(1000) || duration > LONGEST {
        let error = anyhow!("--for: {duration} is not between 1s and 24h");
        return Err(Hinted::new(error, "a minute tells most; longer runs have finer percentiles").into());
    }
    let above = args
        .above
        .as_deref()
        .map(|text| sweep::bandwidth("--above", text, None, kubelet::QUOTA_PERIOD))
        .transpose()?;
    let neighbours =
        args.neighbour.iter().map(|text| load::neighbour(text)).collect::<anyhow::Result<Vec<_>>>()?;
    let calls = args.system_calls.as_deref().map(load::system_calls).transpose()?;
    let files = picture::Files::of(args, &sweep)?;
    let phases = Phases::grid(args.phases.div_ceil(TICK_PHASES), TICK_PHASES);
    let mut progress =
        Computation::new((sweep.rows().len() * phases.len()) as u64, "simulating {bar:24} {prefix} left");
    let mut rows = Vec::new();
    for &threads in sweep.threads() {
        let mut scenario = Scenario {
            kernel,
            cpus,
            pattern: load::on_threads(&pattern, threads),
            calls,
            bandwidth: Bandwidth::unlimited(),
            above: above.into_iter().collect(),
            weight: 100,
            cpuset: None,
            neighbours: neighbours.clone(),
            seed: args.seed,
            warm_up: WARM_UP,
            duration: duration.to_nanos(),
        };
        for tried in sweep.rows().iter().filter(|tried| tried.threads == threads) {
            scenario.bandwidth = tried.bandwidth;
            let before = rows.len() * phases.len();
            let outcomes = outcomes(&scenario, &phases, |done| progress.at((before + done) as u64));
            rows.push(Row::of(tried.bandwidth, threads, &outcomes));
        }
    }
    drop(progress);
    let answer = render::Answer {
        load,
        threads: sweep.threads().to_vec(),
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
    // Last: a picture that cannot be written costs no answer.
    files.write(args, &sweep, &answer, streams)?;
    Ok(Exit::Done)
}

/// Phases that are simulated in one go, with the same jobs, before another CPU may take the next ones.
const AT_ONCE: usize = 4;

/// One outcome for each of the phases, in their order, on all CPUs. How many are done is told now and then, on this thread.
fn outcomes(scenario: &Scenario, phases: &[Phases], mut tell: impl FnMut(usize)) -> Vec<Outcome> {
    let parts: Vec<&[Phases]> = phases.chunks(AT_ONCE).collect();
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(parts.len()));
    // One of those that are left: how many are done then, or `None` where none was left.
    let one = || -> Option<usize> {
        let place = next.fetch_add(1, Ordering::Relaxed);
        let outcomes = scenario.run(parts.get(place)?);
        let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
        done.push((place, outcomes));
        Some((done.len() * AT_ONCE).min(phases.len()))
    };
    let cpus = thread::available_parallelism().map_or(1, usize::from).min(parts.len());
    thread::scope(|scope| {
        for _ in 1..cpus {
            scope.spawn(|| while one().is_some() {});
        }
        while let Some(done) = one() {
            tell(done);
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(place, _)| *place);
    done.into_iter().flat_map(|(_, outcomes)| outcomes).collect()
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
