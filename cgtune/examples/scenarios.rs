//! Sets up situations with a known cause on this machine's kernel, and counts how often `cgtune diagnose` names it.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for us; what it prints is its purpose"
)]

#[path = "../tests/scenarios/mod.rs"]
mod scenarios;

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use anyhow::{Context as _, bail};
use clap::{Parser, Subcommand};
use serde_json::Value;

use scenarios::{
    Cause, Scenario, interrupt,
    programs::Programs,
    remedies::{self, Tried},
    remedies_report,
    report::{self, Setting},
    run::{self, Judge, Outcome},
    stage::{Place, Stage},
    variants,
};

/// Situations with a known cause, on this machine's kernel, for `cgtune diagnose` to name. Needs root, and two CPUs with little
/// else to do.
#[derive(Debug, Parser)]
#[command(
    after_help = "Names are CAUSE/VARIANT; seeds 1 to 99 are for tuning, 1000 and more for judging.\n\n\
    Examples:\n  scenarios hold short-bursts/a --seed 3 --for 60s\n  scenarios verify --seeds 1-2\n  \
    scenarios matrix --seeds 1000-1002 --out results/scenarios-v1\n  scenarios remedies --seeds 1000 --only short-bursts"
)]
struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// The scenarios there are.
    List,
    /// Set one up, print the path of the group to look at, and keep it for a time.
    Hold {
        /// Its name, such as short-bursts/a.
        name: String,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        #[arg(long = "for", default_value = "30s", value_parser = duration)]
        time: Duration,
    },
    /// Set up many, one after the other, and read the kernel's counters: do they come about?
    Verify(Many),
    /// The same, and have cgtune diagnose judge each. Exit code 1: not right in 95 of 100, or a healthy one called ill, or an ill
    /// one healthy.
    Matrix(Many),
    /// Set up those that are ill, have cgtune diagnose say what would help, do each of it, and read the kernel's counters again.
    /// Exit code 1: not as expected in 9 of 10.
    Remedies(Many),
}

#[derive(Debug, clap::Args)]
struct Many {
    /// Only those whose names begin so; several times for several.
    #[arg(long)]
    only: Vec<String>,
    /// Seeds: 7 or 1-3.
    #[arg(long, default_value = "1")]
    seeds: String,
    /// How long each is watched.
    #[arg(long = "for", default_value = "10s", value_parser = duration)]
    time: Duration,
    /// How long to wait, before each, until nobody else uses the machine.
    #[arg(long, default_value = "20s", value_parser = duration)]
    patience: Duration,
    /// Leave what came of it in this folder, as scenarios.md and scenarios.json.
    #[arg(long)]
    out: Option<PathBuf>,
}

impl Many {
    fn chosen(&self) -> anyhow::Result<Vec<Scenario>> {
        let seeds = scenarios::seeds(&self.seeds)?;
        let wanted = |variant: &&variants::Variant| {
            self.only.is_empty() || self.only.iter().any(|only| variant.to_string().starts_with(only))
        };
        let variants: Vec<_> = variants::ALL.iter().filter(wanted).collect();
        if variants.is_empty() {
            bail!("no scenario's name begins with {}; `scenarios list` has them", self.only.join(" or "));
        }
        let of = |seed| variants.iter().map(move |&variant| Scenario { variant, seed });
        Ok(seeds.into_iter().flat_map(of).collect())
    }
}

fn main() -> ExitCode {
    match answer() {
        Ok(code) => code,
        Err(_) if interrupt::check().is_err() => {
            eprintln!("interrupted; what was set up is taken down");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn answer() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    interrupt::listen()?;
    match args.what {
        What::List => {
            for variant in variants::ALL {
                println!("{variant:<22} {}", variant.what);
            }
        }
        What::Hold { name, seed, time } => hold(Scenario::named(&name, seed)?, time)?,
        What::Verify(many) => {
            let outcomes = all(&many, Judge::Nobody)?;
            let made = outcomes.iter().filter(|outcome| outcome.amiss.is_empty()).count();
            println!("{made} of {} came about", outcomes.len());
            return Ok(ExitCode::from(u8::from(made < outcomes.len())));
        }
        What::Matrix(many) => {
            let matrix = report::matrix(&all(&many, Judge::Diagnose)?);
            println!("\n{}", report::text(&matrix));
            return Ok(ExitCode::from(u8::from(!matrix.passes())));
        }
        What::Remedies(many) => {
            let tried = remedied(&many)?;
            println!("\n{}", remedies_report::sums(&tried));
            return Ok(ExitCode::from(u8::from(!remedies::pass(&tried))));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn hold(scenario: Scenario, time: Duration) -> anyhow::Result<()> {
    let place = Place::find()?;
    let situation = scenario.situation(place.machine);
    eprintln!("{scenario}: {}\n{situation}", scenario.variant.what);
    let mut stage = Stage::set(&place, &Programs::find()?, &situation)?;
    let (measured, ()) = run::watched(&mut stage, |path| {
        println!("{}", path.display());
        interrupt::sleep(time)
    })?;
    let amiss = scenarios::came_about::amiss(scenario, &measured);
    let outcome = Outcome { scenario, situation, measured, amiss, diagnosis: None, tries: 1 };
    eprintln!("{}\n{}", report::heading(), report::line(&outcome));
    Ok(())
}

fn all(many: &Many, judge: Judge) -> anyhow::Result<Vec<Outcome>> {
    let (place, programs, chosen) = (Place::find()?, Programs::find()?, many.chosen()?);
    let setting = Setting::here(place.machine, many.time);
    println!("{}\n\n{}", setting.line(), report::heading());
    let mut outcomes = Vec::new();
    for scenario in chosen {
        let outcome = run::run(&place, &programs, scenario, judge, many.time, many.patience)
            .with_context(|| format!("scenario {scenario}"))?;
        println!("{}", report::line(&outcome));
        outcomes.push(outcome);
        if let Some(folder) = &many.out {
            let (text, json) = (report::markdown(&setting, &outcomes), report::json(&setting, &outcomes));
            keep(folder, "scenarios", text, &json)?;
        }
    }
    Ok(outcomes)
}

fn remedied(many: &Many) -> anyhow::Result<Vec<Tried>> {
    let (place, programs, chosen) = (Place::find()?, Programs::find()?, many.chosen()?);
    let setting = Setting::here(place.machine, many.time);
    println!("{}\n\n{}", setting.line(), remedies_report::heading());
    let mut tried = Vec::new();
    for scenario in chosen.into_iter().filter(|scenario| scenario.cause() != Cause::Healthy) {
        let more = remedies::run(&place, &programs, scenario, many.time, many.patience)
            .with_context(|| format!("scenario {scenario}"))?;
        more.iter().for_each(|one| println!("{}", remedies_report::line(one)));
        tried.extend(more);
        if let Some(folder) = &many.out {
            let text = remedies_report::markdown(&setting, &tried);
            keep(folder, "remedies", text, &remedies_report::json(&setting, &tried))?;
        }
    }
    Ok(tried)
}

/// Writes what came of those so far: an hour of them is not lost to the last one.
fn keep(folder: &Path, name: &str, text: String, json: &Value) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let json = serde_json::to_string_pretty(json)? + "\n";
    for (name, text) in [(format!("{name}.md"), text), (format!("{name}.json"), json)] {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// A duration with a unit.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1e-3),
        None => (text.strip_suffix('s').ok_or("a duration needs a unit: 10s, 500ms")?, 1.0),
    };
    let number: f64 = number.parse().map_err(|_| "not a duration, such as 10s or 500ms".to_owned())?;
    Duration::try_from_secs_f64(number * unit).map_err(|error| error.to_string())
}
