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
    /// Whether repetition is held against repetition.
    paired: bool,
}

/// One cell of the answer.
#[derive(Debug, Serialize)]
struct Rate {
    point: String,
    /// Repetitions of BASE and NEW.
    blocks: usize,
    method: String,
    /// Draws that it could judge: none where the blocks are too few for it.
    draws: u32,
    alarms: u32,
    rate: Option<f64>,
    /// 95 % by Wilson, of the draws alone.
    interval: Option<(f64, f64)>,
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
    let asked = Layer { alpha: Some(args.alpha), missing: Some(Missing::Ignore), ..Layer::default() };
    let settings = Settings::of(asked, file);
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
        command: typed(),
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

/// As it is typed: where cargo puts the program is nobody's business.
fn typed() -> Vec<String> {
    let program = "cargo run --release -p cgbench --example detection --".split(' ').map(str::to_owned);
    program.chain(std::env::args().skip(1)).collect()
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
        paired: false,
    };
    let both = |second: Method| Way {
        name: format!("baseline and {}", second.name()),
        methods: vec![Method::Baseline, second],
        combine: Combine::All,
        paired: false,
    };
    let paired = Way { name: "baseline, paired".to_owned(), paired: true, ..alone(&Method::Baseline) };
    let several = [paired, both(Method::Percentage), both(Method::Deviation)];
    single.iter().map(alone).chain(several).collect()
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
    let apart = Settings { methods, ..settings.clone() };
    let in_pairs = Settings { methods: vec![Method::Baseline], paired: true, ..settings.clone() };
    let threads = thread::available_parallelism().map_or(1, |cpus| u32::try_from(cpus.get()).unwrap_or(1));
    // The columns that each way alarms at; `None` where it cannot judge.
    let judge = |draw: u32| -> Vec<Option<Vec<Key>>> {
        let seed = args.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (u64::from(draw) << 16) ^ blocks as u64;
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let mut drawn_of_base: Vec<usize> = (0..base.repetitions().len()).collect();
        drawn_of_base.shuffle(&mut random);
        let old = base.rows(&drawn_of_base[..blocks]);
        let new = if itself {
            base.rows(&drawn_of_base[blocks..2 * blocks])
        } else {
            let mut rows: Vec<usize> = (0..point.repetitions().len()).collect();
            rows.shuffle(&mut random);
            point.rows(&rows[..blocks])
        };
        let unpaired = opinions(Some(&old), &new, &apart);
        // The same repetitions of the point. No run has pairs with itself.
        let paired = if itself {
            BTreeMap::new()
        } else {
            opinions(Some(&old), &point.rows(&drawn_of_base[..blocks]), &in_pairs)
        };
        let alarmed = |way: &Way| {
            let found = if way.paired { &paired } else { &unpaired };
            let outcomes: Vec<(Key, Outcome)> = found
                .iter()
                .map(|(key, opinions)| {
                    let of_way: Vec<_> =
                        opinions.iter().filter(|one| way.methods.contains(&one.method)).cloned().collect();
                    (*key, together(&of_way, way.combine))
                })
                .collect();
            let judged = outcomes.iter().any(|(_, outcome)| *outcome != Outcome::Unknown);
            let worse = outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Worse);
            judged.then(|| worse.map(|(key, _)| *key).collect())
        };
        ways.iter().map(alarmed).collect()
    };
    let judge = &judge;
    let draws: Vec<Vec<Option<Vec<Key>>>> = thread::scope(|scope| {
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
            let judged: Vec<&Vec<Key>> = draws.iter().filter_map(|draw| draw[place].as_ref()).collect();
            let alarms = judged.iter().filter(|worse| !worse.is_empty()).count() as u32;
            let judgements = judged.len() as u32;
            let mut counts: BTreeMap<Key, u32> = BTreeMap::new();
            judged.into_iter().flatten().for_each(|key| *counts.entry(*key).or_default() += 1);
            let mut most: Vec<(String, u32)> =
                counts.into_iter().map(|(key, count)| (key.to_string(), count)).collect();
            most.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            most.truncate(3);
            Rate {
                point: name.to_owned(),
                blocks,
                method: way.name.clone(),
                draws: judgements,
                alarms,
                rate: (judgements > 0).then(|| f64::from(alarms) / f64::from(judgements)),
                interval: (judgements > 0).then(|| wilson(alarms, judgements)),
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
         in both). –: too few blocks for it, or no pairs. *most often*: the column at which the first method alarms most.\n",
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
                out.push_str(&match rate.rate.zip(rate.interval) {
                    None => " – |".to_owned(),
                    Some((rate, (low, high))) => {
                        format!(" {:.1} ({:.1}–{:.1}) |", rate * 100.0, low * 100.0, high * 100.0)
                    }
                });
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
