//! How often each method of the gate sees a change, and how often it alarms at none, from real runs by resampling.
//!
//! ```text
//! cargo run --release -p cgbench --example detection -- results/points --config cgbench/examples/detection.toml --out results/detection
//! ```
//!
//! The folder holds runs, one a *point* (`base`, `work+5`, …, named by folder), of the same policies, with many blocks each. Draws of so many
//! repetitions of `base` and of a point are judged as a run each; base against base has no repetition in both. Draws of one
//! run share its blocks, so the rates are those *of these runs*: a day that differs from the next is not in a point, unless it is measured
//! again as a point of its own (`base-again`), whose rate then is one of false alarms as well.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its answer, and how far it is")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    thread,
};

use anyhow::{Context as _, ensure};
use cgbench::{
    gate::{
        Settings,
        matrix::{Key, Matrix},
        method::{Method, Outcome, opinions, together},
        settings::{Combine, Layer, Missing},
    },
    store,
};
use clap::Parser;
use rand::{SeedableRng, seq::SliceRandom};
use rand_pcg::Pcg64Mcg;
use serde::Serialize;

/// Detection and false-alarm rates of the gate's methods, by resampling real runs
#[derive(Debug, Parser)]
struct Args {
    /// The folder of the points
    folder: PathBuf,
    /// The point that the others are held against
    #[arg(long, default_value = "base")]
    base: String,
    /// Repetitions of a drawn run
    #[arg(long, value_delimiter = ',', default_values_t = [5, 8, 16])]
    blocks: Vec<usize>,
    /// Draws of each point and number of repetitions
    #[arg(long, default_value_t = 1000)]
    draws: u32,
    /// Chance of a false alarm that baseline takes
    #[arg(long, default_value_t = 0.01)]
    alpha: f64,
    /// Settings as for cgbench gate (bounds, margins, metrics, …); its methods are not looked at
    #[arg(long)]
    config: Option<PathBuf>,
    /// Seed of the draws
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write detection.md and detection.json there
    #[arg(long)]
    out: Option<PathBuf>,
}

/// What is tried: a method alone, or several together.
#[derive(Debug, Clone, PartialEq)]
struct Way {
    name: String,
    methods: Vec<Method>,
    combine: Combine,
}

/// One cell of the answer.
#[derive(Debug, Serialize)]
struct Rate {
    point: String,
    /// Repetitions of BASE and NEW.
    blocks: usize,
    method: String,
    draws: u32,
    alarms: u32,
    rate: f64,
    /// 95 % by Wilson, of the draws alone.
    interval: (f64, f64),
    /// The columns that alarmed, with how often, most first; at most three.
    most: Vec<(String, u32)>,
}

#[derive(Debug, Serialize)]
struct Answer {
    schema: &'static str,
    command: Vec<String>,
    base: String,
    kernel: String,
    simulated: bool,
    repetitions: BTreeMap<String, usize>,
    columns: usize,
    settings: Settings,
    rates: Vec<Rate>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let file = match &args.config {
        None => Layer::default(),
        Some(path) => Layer::from_toml(path, &fs::read_to_string(path).context("cannot read the settings")?)?,
    };
    let typed = Layer { alpha: Some(args.alpha), missing: Some(Missing::Ignore), ..Layer::default() };
    let settings = Settings::of(typed, file);
    let mut points = BTreeMap::new();
    let (mut kernel, mut simulated) = (String::new(), false);
    for folder in store::runs(&args.folder)? {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let records = store::read(&folder)?;
        if name == args.base {
            kernel.clone_from(&records.machine.kernel);
        }
        simulated |= records.run.backend == cgbench::record::BackendKind::Simulated;
        points.insert(name, Matrix::of(&records, &settings.metrics));
    }
    let base = points.get(&args.base).with_context(|| format!("no point \"{}\" there", args.base))?;
    let ways = ways(&settings);
    let mut rates = Vec::new();
    for &blocks in &args.blocks {
        for (name, point) in &points {
            let itself = *name == args.base;
            let needed = if itself { 2 * blocks } else { blocks };
            for (of, matrix) in [(&args.base, base), (name, point)] {
                let there = matrix.repetitions().len();
                ensure!(there >= needed.max(blocks), "{of} has {there} repetitions, {needed} are needed");
            }
            eprint!("\r{blocks} repetitions, {name}            ");
            rates.extend(rates_of(base, (name, point), itself, blocks, &ways, &args, &settings));
        }
    }
    eprintln!();
    let answer = Answer {
        schema: "cgbench.detection/1",
        command: std::env::args().collect(),
        base: args.base.clone(),
        kernel,
        simulated,
        repetitions: points.iter().map(|(name, matrix)| (name.clone(), matrix.repetitions().len())).collect(),
        columns: base.keys().filter(|key| settings.asks_for(key.condition)).count(),
        settings,
        rates,
    };
    let page = markdown(&answer, &args, &ways);
    match &args.out {
        None => println!("{page}"),
        Some(folder) => write(folder, &page, &answer)?,
    }
    Ok(())
}

fn write(folder: &Path, page: &str, answer: &Answer) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("detection.md"), page)?;
    fs::write(folder.join("detection.json"), serde_json::to_string_pretty(answer)? + "\n")?;
    println!("{}", folder.join("detection.md").display());
    Ok(())
}

fn ways(settings: &Settings) -> Vec<Way> {
    let mut single = vec![Method::Baseline, Method::Percentage, Method::Deviation];
    if !settings.bounds.is_empty() {
        single.push(Method::Fixed);
    }
    let alone = |method: &Method| Way {
        name: method.name().to_owned(),
        methods: vec![*method],
        combine: Combine::Any,
    };
    let both = |second: Method| Way {
        name: format!("baseline and {}", second.name()),
        methods: vec![Method::Baseline, second],
        combine: Combine::All,
    };
    single.iter().map(alone).chain([both(Method::Percentage), both(Method::Deviation)]).collect()
}

/// All ways over the same draws, shared out over the CPUs; a draw's seed is its number, so that the answer does not depend on how.
fn rates_of(
    base: &Matrix,
    (name, point): (&str, &Matrix),
    itself: bool,
    blocks: usize,
    ways: &[Way],
    args: &Args,
    settings: &Settings,
) -> Vec<Rate> {
    let mut methods: Vec<Method> = ways.iter().flat_map(|way| way.methods.clone()).collect();
    methods.sort_unstable();
    methods.dedup();
    let settings = Settings { methods, ..settings.clone() };
    let threads = thread::available_parallelism().map_or(1, |cpus| u32::try_from(cpus.get()).unwrap_or(1));
    let judge = |draw: u32| -> Vec<Vec<Key>> {
        let seed = args.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (u64::from(draw) << 16) ^ blocks as u64;
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let mut rows: Vec<usize> = (0..base.repetitions().len()).collect();
        rows.shuffle(&mut random);
        let old = base.rows(&rows[..blocks]);
        let new = if itself {
            base.rows(&rows[blocks..2 * blocks])
        } else {
            let mut rows: Vec<usize> = (0..point.repetitions().len()).collect();
            rows.shuffle(&mut random);
            point.rows(&rows[..blocks])
        };
        let found = opinions(Some(&old), &new, &settings);
        let alarmed = |way: &Way| {
            found
                .iter()
                .filter(|(_, opinions)| {
                    let of_way: Vec<_> =
                        opinions.iter().filter(|one| way.methods.contains(&one.method)).cloned().collect();
                    together(&of_way, way.combine) == Outcome::Worse
                })
                .map(|(key, _)| *key)
                .collect()
        };
        ways.iter().map(alarmed).collect()
    };
    let judge = &judge;
    let draws: Vec<Vec<Vec<Key>>> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|first| {
                scope.spawn(move || {
                    (first..args.draws).step_by(threads as usize).map(judge).collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    });
    ways.iter()
        .enumerate()
        .map(|(place, way)| {
            let alarms = draws.iter().filter(|draw| !draw[place].is_empty()).count() as u32;
            let mut counts: BTreeMap<Key, u32> = BTreeMap::new();
            draws.iter().flat_map(|draw| &draw[place]).for_each(|key| *counts.entry(*key).or_default() += 1);
            let mut most: Vec<(String, u32)> =
                counts.into_iter().map(|(key, count)| (key.to_string(), count)).collect();
            most.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            most.truncate(3);
            Rate {
                point: name.to_owned(),
                blocks,
                method: way.name.clone(),
                draws: args.draws,
                alarms,
                rate: f64::from(alarms) / f64::from(args.draws.max(1)),
                interval: wilson(alarms, args.draws),
                most,
            }
        })
        .collect()
}

/// Wilson's 95 % interval for a rate (1927).
fn wilson(hits: u32, of: u32) -> (f64, f64) {
    let (n, p, z) = (f64::from(of.max(1)), f64::from(hits) / f64::from(of.max(1)), 1.959_964);
    let middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

fn markdown(answer: &Answer, args: &Args, ways: &[Way]) -> String {
    let mut out = String::from("# How often the gate sees a change\n\n");
    if answer.simulated {
        out.push_str("**SIMULATED**: a model of the controller ran some of this, not a kernel.\n\n");
    }
    out.push_str(&format!(
        "Kernel {}; `{}`. {} draws a cell, alpha {}, {} columns. Rates in percent of draws; the row `{}` is the false alarms (no repetition \
         in both).\n",
        answer.kernel,
        answer.command.join(" "),
        args.draws,
        answer.settings.alpha,
        answer.columns,
        answer.base,
    ));
    for &blocks in &args.blocks {
        out.push_str(&format!("\n## {blocks} repetitions\n\n| point |"));
        ways.iter().for_each(|way| out.push_str(&format!(" {} |", way.name)));
        out.push_str(" most often |\n|---|");
        out.push_str(&"---:|".repeat(ways.len()));
        out.push_str("---|\n");
        for name in answer.repetitions.keys() {
            out.push_str(&format!("| {name} |"));
            let of = |way: &Way| {
                answer
                    .rates
                    .iter()
                    .find(|rate| rate.point == *name && rate.blocks == blocks && rate.method == way.name)
            };
            for rate in ways.iter().filter_map(of) {
                let (low, high) = rate.interval;
                out.push_str(&format!(
                    " {:.1} ({:.1}–{:.1}) |",
                    rate.rate * 100.0,
                    low * 100.0,
                    high * 100.0
                ));
            }
            let most = ways.first().and_then(of).and_then(|rate| rate.most.first());
            out.push_str(&match most {
                Some((column, count)) => format!(" {column} ({count}) |\n"),
                None => " – |\n".to_owned(),
            });
        }
    }
    out
}
