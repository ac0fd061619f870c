//! `run`: from a plan to a folder of records, then everything that is derived from them.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::Ordering,
};

use cgtune_core::Micros;
use workloads::{calibrate::calibrate, h264::EncodeConfig, latency::ClockConfig, video::SceneConfig};

use crate::{
    backend::{Backend, kernel::Kernel, model::Model},
    interrupt,
    plan::{Condition, LimitRule, Plan, PolicyKind},
    progress::Progress,
    record::BackendKind,
    runner,
    store::{Folder, REPORT_PAGE},
};

/// What may be asked.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Each policy runs in a fresh cgroup, alone and beside a busy neighbour; blocks are interleaved in a seeded\n\
    order. The quota is 1.08 × the CPU use that a pilot measures before each repetition. A block during which the\n\
    machine did not keep still is run again, with a new pilot.\n\n\
    Examples:\n  \
    sudo cgbench run --quick\n  \
    cgbench run --policies limit,limit+burst --alone --repetitions 10\n  \
    systemd-run --user --scope -p Delegate=yes cgbench run --quick      without root, on cgroup v2"
)]
pub struct Args {
    /// Under two minutes on 2 CPUs: short blocks, which carry a p95 but no p99
    #[arg(long)]
    quick: bool,
    /// Where to write [default: results/TIME-PLAN]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Seed of the order, of the clock's jitter and of the scene
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only these policies: shares, limit, limit+half-burst, limit+burst, pinned, pinned+limit [default: all but the half]
    #[arg(long, value_delimiter = ',', value_name = "LIST", value_parser = policy)]
    policies: Option<Vec<PolicyKind>>,
    /// Only without the neighbour
    #[arg(long)]
    alone: bool,
    /// Blocks for each condition [default: 8, quick 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    repetitions: Option<u32>,
    /// Frames measured in a block [default: 300, quick 68]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    frames: Option<u32>,
    /// Run at most so many blocks again because the machine did not keep still [default: half of all, quick 2]
    #[arg(long, value_name = "N")]
    reruns: Option<u32>,
    /// Part of the frame interval that a frame's CPU time is calibrated to
    #[arg(long, default_value_t = 0.4)]
    share: f64,
    /// Quota over measured mean use
    #[arg(long, value_name = "FACTOR", default_value_t = 1.08, value_parser = headroom)]
    headroom: f64,
    /// Period of the quota
    #[arg(long, value_name = "TIME", default_value = "100ms", value_parser = Micros::parse)]
    period: Micros,
    /// Slices, each encoded by a thread of its own
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    threads: u32,
    /// Encode this YUV4MPEG2 file instead of the synthetic scene
    #[arg(long, value_name = "CLIP.y4m")]
    input: Option<PathBuf>,
    /// Who runs it; unless given the kernel, or for a person the model where no cgroup can be written
    #[arg(long, value_enum)]
    backend: Option<BackendChoice>,
    /// Let idle CPUs sleep; otherwise an idle-class busy thread on each keeps them awake, since what a host does with a
    /// virtual CPU that sleeps between frames is charged to the load
    #[arg(long)]
    let_sleep: bool,
    /// Print the summary as JSON
    #[arg(long)]
    json: bool,
    /// Show no progress
    #[arg(long)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum BackendChoice {
    /// Real cgroups on this kernel
    Kernel,
    /// A model of its controller, in seconds; everything it gives is labelled SIMULATED
    Sim,
}

fn policy(name: &str) -> Result<PolicyKind, String> {
    PolicyKind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
        let known: Vec<_> = PolicyKind::ALL.iter().map(|kind| kind.name()).collect();
        format!("known policies: {}", known.join(", "))
    })
}

fn headroom(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|factor| (0.05..=100.0).contains(factor))
        .ok_or_else(|| "a factor such as 1.08".to_owned())
}

/// Runs it.
///
/// # Errors
/// No permission to make cgroups, a folder that is in use, a load that fails.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let stop = interrupt::flag()?;
    // Permission first: nobody wants to wait for the calibration to be told.
    let mut backend = backend(args)?;
    let name = if args.quick { "quick" } else { "encoder" };
    let path = args.out.clone().unwrap_or_else(|| default_folder(name));
    let folder = Folder::create(&path)?;
    let mut progress = Progress::new(args.quiet);
    let plan = plan(args, name, backend.kind(), &progress)?;
    let command = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let outcome = runner::run(&plan, backend.as_mut(), &folder, command, &stop, &mut progress);
    drop(backend);
    let record = match outcome {
        Ok(record) => record,
        Err(error) => {
            progress.finish();
            return Err(
                anyhow::Error::new(error).context(format!("what was measured is kept in {}", path.display()))
            );
        }
    };
    if stop.load(Ordering::Relaxed) && !has_blocks(&path) {
        progress.finish();
        writeln!(anstream::stderr(), "interrupted before anything was measured")?;
        return Ok(exit_interrupted());
    }
    progress.step("charts and report");
    let (summary, written) = super::derive(&path)?;
    progress.finish();

    let mut out = anstream::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &summary)?;
        writeln!(out)?;
    } else {
        write!(out, "{}", super::show(&summary))?;
        writeln!(out, "\nreport: {}", path.join(REPORT_PAGE).display())?;
        let charts: Vec<_> =
            written.iter().filter(|path| path.extension().is_some_and(|e| e == "png")).collect();
        for chart in charts {
            writeln!(out, "chart:  {}", chart.display())?;
        }
    }
    if record.partial {
        writeln!(anstream::stderr(), "interrupted: the blocks measured so far are kept and marked partial")?;
        return Ok(exit_interrupted());
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn exit_interrupted() -> ExitCode {
    ExitCode::from(u8::try_from(interrupt::EXIT).unwrap_or(2))
}

fn has_blocks(folder: &Path) -> bool {
    std::fs::read_dir(folder.join("blocks")).is_ok_and(|mut entries| entries.next().is_some())
}

pub(super) fn default_folder(name: &str) -> PathBuf {
    let time = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S");
    Path::new("results").join(format!("{time}-{name}"))
}

/// What two minutes leave room for.
const QUICK_RERUNS: u32 = 2;

/// Who runs it. That a person meets the model in place of the kernel is said; a pipeline gets an error, since it would compare
/// the one with the other.
fn backend(args: &Args) -> anyhow::Result<Box<dyn Backend>> {
    let kernel = || Kernel::open(!args.let_sleep);
    match args.backend {
        Some(BackendChoice::Kernel) => Ok(Box::new(kernel()?)),
        Some(BackendChoice::Sim) => Ok(Box::new(Model::of_this_machine())),
        None => match kernel() {
            Ok(kernel) => Ok(Box::new(kernel)),
            Err(error) if std::env::var_os("CI").is_none_or(|ci| ci.is_empty()) => {
                let cause = anyhow::Error::new(error);
                writeln!(
                    anstream::stderr(),
                    "note: no cgroup can be written here ({cause:#}), so this is SIMULATED; --backend kernel insists"
                )?;
                Ok(Box::new(Model::of_this_machine()))
            }
            Err(error) => Err(error.into()),
        },
    }
}

fn plan(args: &Args, name: &str, kind: BackendKind, progress: &Progress) -> anyhow::Result<Plan> {
    let (repetitions, frames, clip_frames) = if args.quick { (3, 68, 80) } else { (8, 300, 150) };
    let clock = ClockConfig { seed: args.seed, ..ClockConfig::default() };
    let base = EncodeConfig {
        threads: args.threads,
        clip_frames,
        scene: SceneConfig { seed: args.seed, ..SceneConfig::default() },
        ..EncodeConfig::default()
    };
    let encode = match &args.input {
        Some(clip) => base.with_input(clip)?,
        // The model draws its frames.
        None if kind == BackendKind::Simulated => base,
        None => calibrate(args.share, &clock, &base, &mut |text| progress.step(text))?.config,
    };
    let policies = args.policies.clone().unwrap_or_else(|| PolicyKind::DEFAULT.to_vec());
    let repetitions = args.repetitions.unwrap_or(repetitions);
    let neighbours: &[bool] = if args.alone { &[false] } else { &[false, true] };
    let conditions: Vec<Condition> = neighbours
        .iter()
        .flat_map(|&neighbour| policies.iter().map(move |&policy| Condition { neighbour, policy }))
        .collect();
    let blocks = u32::try_from(conditions.len()).unwrap_or(u32::MAX).saturating_mul(repetitions);
    let reruns = args.reruns.unwrap_or(if args.quick { QUICK_RERUNS } else { blocks / 2 });
    Ok(Plan {
        schema: Plan::SCHEMA.to_owned(),
        name: name.to_owned(),
        seed: args.seed,
        conditions,
        repetitions,
        frames: args.frames.unwrap_or(frames),
        warmup_frames: 15,
        reruns,
        share: args.share,
        limit: LimitRule { headroom: args.headroom, period_us: args.period },
        neighbour_threads: u32::try_from(std::thread::available_parallelism()?.get()).unwrap_or(1),
        clock,
        encode,
    })
}
