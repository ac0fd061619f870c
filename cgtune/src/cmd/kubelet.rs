//! `cgtune kubelet`: what the node's own configuration says about CPU, what it should say, and what would come of it.

mod check;
mod command_line;
mod drop_ins;
pub(crate) mod input;
mod recommend;
mod running;
pub(crate) mod simulate;

use clap::Subcommand;

use crate::{exit::Exit, streams::Streams};

/// Judge a kubelet's configuration, recommend one, try it on given pods
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Check(Box<check::Args>),
    Recommend(Box<recommend::Args>),
    Simulate(Box<simulate::Args>),
}

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    match &args.verb {
        Verb::Check(args) => check::run(args, streams),
        Verb::Recommend(args) => recommend::run(args, streams),
        Verb::Simulate(args) => simulate::run(args, streams),
    }
}
