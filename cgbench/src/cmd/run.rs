//! `run`: from an experiment to a folder of records, then everything that is derived from them.

mod backend;
mod begin;

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::Ordering,
};

use anyhow::{Context as _, anyhow};
use cgtune_core::Micros;

use crate::{
    experiment::{Experiment, Setting, slug},
    failure::shown,
    interrupt,
    plan::PolicyKind,
    progress::Progress,
    report::{self, html::Run},
    runner,
    summary::Summary,
};

use backend::BackendChoice;

/// What may be asked.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Each policy runs in a fresh cgroup; blocks are interleaved in a seeded order. The quota is 1.08 × the CPU use that\n\
    a pilot measures before each repetition, unless the plan says otherwise. A block during which the machine did not\n\
    keep still is run again, with a new pilot. `cgbench list` has the plans; one that varies something (a sweep) leaves\n\
    a folder of runs, one a point.\n\n\
    Examples:\n  \
    sudo cgbench run --quick\n  \
    cgbench run burst-sweep --set load.threads=2\n  \
    cgbench run ./my-plan.toml --out results/mine\n  \
    cgbench run --policies limit,limit+burst --alone --repetitions 10\n  \
    cgbench run --resume results/20260101-120000-encoder     goes on where that stopped\n  \
    cgbench run --like results/base --out results/new        the same load and plan as there, to compare with it\n  \
    systemd-run --user --scope -p Delegate=yes cgbench run --quick      without root, on cgroup v2"
)]
pub struct Args {
    /// A plan's name, or a .toml file [default: encoder]
    #[arg(conflicts_with_all = ["quick", "resume", "like"])]
    plan: Option<String>,
    /// The plan `quick`: under two minutes on 2 CPUs, short blocks, which carry a p95 but no p99
    #[arg(long)]
    quick: bool,
    /// Where to write [default: results/TIME-PLAN]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with a run that was cut off
    #[arg(long, value_name = "DIR", conflicts_with_all = ["quick", "out", "like", "set", "seed"])]
    resume: Option<PathBuf>,
    /// Run the plan of an earlier run, with the picture size that it found
    #[arg(long, value_name = "DIR", conflicts_with_all = ["quick", "set"])]
    like: Option<PathBuf>,
    /// Set what a plan says, by its dotted name: limit.headroom=1.2, sweep.load.threads=1,2,4 (repeatable)
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<Setting>,
    #[command(flatten)]
    short: Short,
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

/// The usual settings, by shorter names.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "In place of what the plan says (short for --set)")]
struct Short {
    /// Seed of the order, of the clock's jitter and of the scene
    #[arg(long, conflicts_with = "resume")]
    seed: Option<u64>,
    /// Only these policies: shares, limit, limit+half-burst, limit+burst, shared-core, pinned, pinned+limit
    #[arg(long, value_delimiter = ',', value_name = "LIST", conflicts_with_all = ["resume", "like"])]
    policies: Vec<PolicyKind>,
    /// Only without the neighbour
    #[arg(long, conflicts_with_all = ["resume", "like"])]
    alone: bool,
    /// Blocks for each condition
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with = "resume")]
    repetitions: Option<u32>,
    /// Frames measured in a block
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), conflicts_with_all = ["resume", "like"])]
    frames: Option<u32>,
    /// Run at most so many blocks again because the machine did not keep still [default: half of all, quick 2]
    #[arg(long, value_name = "N", conflicts_with_all = ["resume", "like"])]
    reruns: Option<u32>,
    /// Part of the frame interval that a frame's CPU time is calibrated to
    #[arg(long, conflicts_with_all = ["resume", "like"])]
    share: Option<f64>,
    /// Quota over measured mean use
    #[arg(long, value_name = "FACTOR", conflicts_with_all = ["resume", "like"])]
    headroom: Option<f64>,
    /// Period of the quota
    #[arg(long, value_name = "TIME", value_parser = Micros::parse, conflicts_with_all = ["resume", "like"])]
    period: Option<Micros>,
    /// Slices, each encoded by a thread of its own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64), conflicts_with_all = ["resume", "like"])]
    threads: Option<u32>,
    /// Encode this YUV4MPEG2 file instead of the synthetic scene
    #[arg(long, value_name = "CLIP.y4m", conflicts_with_all = ["resume", "like"])]
    input: Option<PathBuf>,
}

impl Short {
    /// The same as settings of a plan.
    fn settings(&self) -> Vec<Setting> {
        let mut settings = Vec::new();
        let mut set =
            |name, value: Option<String>| settings.extend(value.map(|value| Setting::new(name, value)));
        set("seed", self.seed.map(|seed| seed.to_string()));
        let names: Vec<&str> = self.policies.iter().map(|policy| policy.name()).collect();
        set("policies", (!names.is_empty()).then(|| names.join(",")));
        set("neighbours", self.alone.then(|| "none".to_owned()));
        set("repetitions", self.repetitions.map(|n| n.to_string()));
        set("load.frames", self.frames.map(|n| n.to_string()));
        set("reruns", self.reruns.map(|n| n.to_string()));
        set("load.share", self.share.map(|share| share.to_string()));
        set("limit.headroom", self.headroom.map(|factor| factor.to_string()));
        set("limit.period", self.period.map(|period| format!("{}us", period.get())));
        set("load.threads", self.threads.map(|n| n.to_string()));
        set("load.input", self.input.as_ref().map(|path| path.display().to_string()));
        settings
    }
}

impl Args {
    /// The experiment that is asked for.
    fn experiment(&self) -> anyhow::Result<Experiment> {
        let name = match &self.plan {
            Some(name) => name,
            None if self.quick => "quick",
            None => "encoder",
        };
        let settings: Vec<Setting> =
            self.short.settings().into_iter().chain(self.set.iter().cloned()).collect();
        Ok(Experiment::find(name, &settings)?)
    }
}

/// Runs it.
///
/// # Errors
/// A plan that cannot be read, no permission to make cgroups, a folder that is in use, a load that fails.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let stop = interrupt::flag()?;
    let mut progress = Progress::new(args.quiet);
    let begun = begin::begin(args, &stop, &mut progress);
    let begin::Begun { mut backend, mut points, path, _locks } = match begun {
        Ok(begun) => begun,
        Err(error) => {
            progress.finish();
            return Err(error);
        }
    };
    let outcome = runner::run(&mut points, backend.as_mut(), &stop, &mut progress);
    drop(backend);
    if let Err(error) = outcome {
        progress.finish();
        let kept = format!(
            "what was measured is kept in {}, and `cgbench run --resume` goes on with it",
            path.display()
        );
        return Err(anyhow::Error::new(error).context(kept));
    }
    let stopped = stop.load(Ordering::Relaxed);
    let measured = |point: &&runner::Point| has_blocks(point.folder().path());
    let folders: Vec<PathBuf> =
        points.iter().filter(measured).map(|point| point.folder().path().to_owned()).collect();
    if folders.is_empty() {
        progress.finish();
        if stopped {
            writeln!(anstream::stderr(), "interrupted before anything was measured")?;
            return Ok(exit_interrupted());
        }
        return Err(anyhow!("none of the plan's policies can be run here; {} says why", path.display()));
    }
    progress.step("charts and report");
    let derived = derive(&path, &folders).context("the records are whole; only what is made of them failed");
    progress.finish();
    shown(show(args, &derived?))?;
    if stopped {
        let resume = format!("cgbench run --resume {}", path.display());
        writeln!(
            anstream::stderr(),
            "interrupted: the blocks measured so far are kept and marked partial; `{resume}` goes on"
        )?;
        return Ok(exit_interrupted());
    }
    Ok(ExitCode::SUCCESS)
}

/// What was made of the records.
struct Derived {
    /// Of each run the summary and the files.
    runs: Vec<(Summary, Vec<PathBuf>)>,
    /// The page over several runs.
    page: Option<PathBuf>,
}

fn derive(path: &Path, folders: &[PathBuf]) -> anyhow::Result<Derived> {
    let derived = folders.iter().map(|folder| super::derive(folder)).collect::<Result<Vec<_>, _>>()?;
    let (runs, files): (Vec<Run>, Vec<Vec<PathBuf>>) = derived.into_iter().unzip();
    let page = (runs.len() > 1).then(|| report::html::write_several(&runs, path)).transpose()?;
    Ok(Derived { runs: runs.into_iter().map(|run| run.summary).zip(files).collect(), page })
}

fn show(args: &Args, derived: &Derived) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    if args.json {
        let summaries: Vec<Summary> = derived.runs.iter().map(|(summary, _)| summary.clone()).collect();
        return super::write_json(&summaries, &mut out);
    }
    for (summary, written) in &derived.runs {
        writeln!(out, "{}", super::named(summary, super::show(summary)))?;
        for file in written.iter().filter(|file| file.extension().is_none_or(|e| e != "svg")) {
            let what = if file.extension().is_some_and(|e| e == "png") { "chart: " } else { "report:" };
            writeln!(out, "{what} {}", file.display())?;
        }
    }
    if let Some(page) = &derived.page {
        writeln!(out, "\nall points: {}", page.display())?;
    }
    Ok(())
}

pub(super) fn exit_interrupted() -> ExitCode {
    ExitCode::from(u8::try_from(interrupt::EXIT).unwrap_or(2))
}

fn has_blocks(folder: &Path) -> bool {
    std::fs::read_dir(folder.join(crate::store::BLOCKS)).is_ok_and(|mut entries| entries.next().is_some())
}

/// Where nobody said where. A name is somebody's text, and no path.
pub(super) fn default_folder(name: &str) -> PathBuf {
    let time = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S");
    Path::new("results").join(format!("{time}-{}", slug(name)))
}
