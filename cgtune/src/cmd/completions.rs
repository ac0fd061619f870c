//! `cgtune completions`: what a shell needs to complete our command line.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{cli::Cli, exit::Exit, streams::Streams};

const EXAMPLES: &str = "\
Examples:
  cgtune completions bash > ~/.local/share/bash-completion/completions/cgtune
  cgtune completions zsh > ~/.zfunc/_cgtune";

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(args: &Args, streams: &mut Streams<'_>) -> anyhow::Result<Exit> {
    // The generator panics when its writer fails, and a pipe may: so not into the pipe.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "cgtune", &mut script);
    streams.out.write_all(&script)?;
    Ok(Exit::Done)
}
