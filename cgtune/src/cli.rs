//! The command line as a whole. What a verb takes stands in that verb's file under `cmd`.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::{cmd, exit::Exit};

/// Says why a container is throttled, and what its CPU request and limit become.
#[derive(Debug, Parser)]
#[command(name = "cgtune", version, max_term_width = 80, disable_help_subcommand = true, after_help = Exit::help())]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    Stat(cmd::stat::Args),
    Convert(cmd::convert::Args),
    Completions(cmd::completions::Args),
    #[command(hide = true)]
    Man(cmd::man::Args),
}

/// How the answer is given, for every verb that gives one.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Output {
    /// Answer as JSON, for programs
    #[arg(long)]
    pub(crate) json: bool,
}

/// Where the node is, for every verb that reads one.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Node {
    /// Read the node's /proc and /sys below this folder, as in a debug pod
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub(crate) host_root: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
