//! `workloads`: loads that burn CPU the way an encoder does, for a terminal.
//!
//! Only the story: parse, run, show, exit. The loads are in the library, what belongs to a command
//! line in `cli`.

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let args = cli::args::Args::parse();
    match cli::run(&args) {
        Ok(ending) => ending.exit_code(),
        Err(error) => cli::report_error(&error),
    }
}
