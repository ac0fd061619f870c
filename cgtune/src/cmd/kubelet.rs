//! `cgtune kubelet`: what the node's own configuration says about CPU, and what it should say.

mod check;
mod input;
mod pods;
mod recommend;
mod running;

use clap::Subcommand;

use crate::{exit::Exit, streams::Streams};

/// Judge a kubelet's configuration, and say what it should be
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Check(check::Args),
    Recommend(recommend::Args),
}

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    match &args.verb {
        Verb::Check(args) => check::run(args, streams),
        Verb::Recommend(args) => recommend::run(args, streams),
    }
}
