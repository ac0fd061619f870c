//! What may be typed.

use clap::{Parser, Subcommand};

use crate::cmd;

/// Measures what a CPU policy does to the latency of an encode loop, in real cgroups.
#[derive(Debug, Parser)]
#[command(name = "cgbench", version, propagate_version = true, max_term_width = 100)]
#[command(
    after_help = "Exit codes: 0 done, 1 a check or gate that was asked for failed, 2 an error or wrong use, 130 interrupted\n\
    (what was measured is kept).\n\n\
    Examples:\n  \
    cgbench doctor                 is this machine fit for measuring?\n  \
    cgbench run --quick            under two minutes: what a limit does, alone and beside a neighbour\n  \
    cgbench run                    long enough for a p99\n  \
    cgbench list                   the other plans: sweeps over limit, burst, period, threads\n  \
    cgbench agree --quick          about a minute: does the model of the controller predict this kernel?\n  \
    cgbench gate BASE NEW          is NEW worse than BASE? exit code 1\n  \
    cgbench report results/DIR     table, charts and report again, from the raw records"
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the encode loop under each CPU policy and write records, table, charts and a report
    Run(cmd::run::Args),
    /// List the plans, or show one
    List(cmd::list::Args),
    /// Join runs of the same plan and machine into one
    Merge(cmd::merge::Args),
    /// Derive the summary again from the raw records of a run, and show its table
    Study(cmd::stage::Args),
    /// Draw the charts of a run again
    Chart(cmd::stage::Args),
    /// Write summary, charts and report of a run again
    Report(cmd::stage::Args),
    /// Play measured CPU times through the model, and compare what it says with what the kernel did: over a grid that is
    /// measured for this, or over runs
    Agree(cmd::agree::Args),
    /// Fail where a run is worse than another, than bounds, or than its history: a gate for CI
    Gate(cmd::gate::Args),
    /// Compare two runs: by how much each policy's numbers differ, and whether that is more than chance
    Compare(cmd::compare::Args),
    /// Check that this kernel throttles as documented: one hog, half a CPU
    Check(cmd::check::Args),
    /// Say whether this machine is fit for measuring latency, and what to do about it if not
    Doctor(cmd::doctor::Args),
    /// Print a completion script
    Completions {
        /// For which shell
        shell: clap_complete::Shell,
    },
    /// The load's end of a block; cgbench starts itself so inside a cgroup
    #[command(name = crate::load::SUBCOMMAND, hide = true)]
    Load,
}
