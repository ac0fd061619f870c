//! `list`: the plans that there are, or what one of them says.

use std::io::Write as _;

use crate::{
    experiment::{Experiment, SHIPPED, Setting},
    runner::forecast::{self, Left},
    table,
};

/// What may be asked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    cgbench list                        the plans, and how long each takes\n  \
    cgbench list burst-sweep            its points and its text\n  \
    cgbench list gate > mine.toml       a plan to change\n  \
    cgbench list encoder --set repetitions=20")]
pub struct Args {
    /// A plan's name, or a .toml file
    plan: Option<String>,
    /// Set what it says, as for `run`
    #[arg(long, value_name = "NAME=VALUE", requires = "plan")]
    set: Vec<Setting>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Lists them.
///
/// # Errors
/// A plan that cannot be read.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let mut out = anstream::stdout().lock();
    let experiments: Vec<Experiment> = match &args.plan {
        Some(name) => vec![Experiment::find(name, &args.set)?],
        None => {
            SHIPPED.iter().map(|shipped| Experiment::find(shipped.name, &[])).collect::<Result<_, _>>()?
        }
    };
    if args.json {
        let plans: Vec<_> = experiments.iter().map(json).collect();
        writeln!(out, "{:#}", serde_json::json!({ "schema": "cgbench.list/1", "plans": plans }))?;
        return Ok(());
    }
    // Of one plan the text follows, so that all of it is a plan again.
    let comment = if args.plan.is_some() { "# " } else { "" };
    let width = super::console_width().saturating_sub(2 + comment.len());
    for experiment in &experiments {
        let (blocks, minutes) = size(experiment);
        let points = match experiment.points.len() {
            1 => String::new(),
            n => format!("{n} points, "),
        };
        let needs = match experiment.requires.as_slice() {
            [] => String::new(),
            needs => format!("; needs {}", needs.join(", ")),
        };
        writeln!(out, "{comment}{}", super::escaped(&experiment.name))?;
        let about = super::escaped(&experiment.about).to_string();
        for line in table::wrapped(&about, width) {
            writeln!(out, "{comment}  {}", line.trim_start())?;
        }
        writeln!(out, "{comment}  {points}{blocks} blocks, {}{}", duration(minutes), super::escaped(&needs))?;
    }
    if args.plan.is_some() {
        for experiment in &experiments {
            for label in experiment.points.iter().filter_map(|point| point.plan.point.as_ref()) {
                writeln!(out, "{comment}  · {}", super::escaped(label))?;
            }
            writeln!(out, "\n{}", experiment.text.trim_end())?;
        }
    }
    Ok(())
}

/// Blocks, and the minutes that they take with their pilots if none is run again.
fn size(experiment: &Experiment) -> (u32, f64) {
    let plans = || experiment.points.iter().map(|point| &point.plan);
    let blocks = plans().map(crate::plan::Plan::blocks).sum();
    (blocks, forecast::seconds(plans().map(Left::from)) / 60.0)
}

fn duration(minutes: f64) -> String {
    if minutes < 2.0 { format!("{:.0} seconds", minutes * 60.0) } else { format!("{minutes:.0} minutes") }
}

fn json(experiment: &Experiment) -> serde_json::Value {
    let (blocks, minutes) = size(experiment);
    let points: Vec<_> = experiment.points.iter().map(|point| &point.plan.point).collect();
    serde_json::json!({
        "name": experiment.name,
        "about": experiment.about,
        "requires": experiment.requires,
        "blocks": blocks,
        "seconds": (minutes * 60.0).round(),
        "points": points,
        "toml": experiment.text,
    })
}
