//! `cgtune pin`: CPUs for a cgroup alone, and whether it has them.

mod apply;
pub(crate) mod verify;

use crate::{exit::Exit, streams::Streams};

const EXAMPLES: &str = "\
Examples:
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
    Apply(apply::Args),
    Verify(verify::Args),
}

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    match &args.what {
        What::Apply(args) => apply::run(args, streams),
        What::Verify(args) => verify::run(args, streams),
    }
}
