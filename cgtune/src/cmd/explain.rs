//! `cgtune explain`: what a cause means, how to make sure of it, and what to do.
//!
//! The pages are the files of `pages/explain`, compiled in: who needs one has no network to look it up, perhaps.

mod page;

use cgtune_core::diagnose::Cause;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

pub(crate) use page::Page;

use crate::{cli, exit::Exit, render, streams::Streams};

const EXAMPLES: &str = "\
Without a CAUSE the list of them.

Examples:
  cgtune explain
  cgtune explain short-bursts
  cgtune explain starved --json";

/// Explain a cause: how to make sure of it, what to do, what that costs
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Cause, by the name that diagnose gives it
    #[arg(value_name = "CAUSE", value_parser = causes(), hide_possible_values = true)]
    cause: Option<Cause>,
    #[command(flatten)]
    output: cli::Output,
}

/// The names, so that clap tells the nearest of a mistyped one, and shells complete them.
fn causes() -> impl TypedValueParser<Value = Cause> {
    let names = Cause::ALL.map(|cause| PossibleValue::new(cause.name()).help(Page::of(cause).title));
    PossibleValuesParser::new(names).try_map(|name| name.parse::<Cause>())
}

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    match (args.cause, args.output.json) {
        (Some(cause), false) => render::markdown::write(Page::of(cause).markdown, streams.out)?,
        (Some(cause), true) => render::explain_json::page(&Page::of(cause), streams.out)?,
        (None, false) => render::explain::list(&Page::all(), streams.out)?,
        (None, true) => render::explain_json::list(&Page::all(), streams.out)?,
    }
    Ok(Exit::Done)
}
