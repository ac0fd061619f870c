//! `cgtune pin`: CPUs for a cgroup alone, and whether it has them.

mod apply;
pub(crate) mod plan;
pub(crate) mod verify;

use crate::{exit::Exit, streams::Streams};

const EXAMPLES: &str = "\
Examples:
  cgtune pin plan --cpus 2
  cgtune pin apply 3b2e --cpus 2-3 --drop-quota --for 10m
  cgtune pin verify 3b2e --watch";

/// Pin cgroups to CPUs, and see whether that holds
#[derive(Debug, clap::Args)]
#[command(disable_help_subcommand = true, after_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

/// What to do with it.
#[derive(Debug, clap::Subcommand)]
enum What {
    Plan(Box<plan::Args>),
    Apply(Box<apply::Args>),
    Verify(Box<verify::Args>),
}

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    match &args.what {
        What::Plan(args) => plan::run(args, streams),
        What::Apply(args) => apply::run(args, streams),
        What::Verify(args) => verify::run(args, streams),
    }
}
