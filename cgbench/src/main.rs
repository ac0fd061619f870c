//! The command line of cgbench.

use std::{io, process::ExitCode};

use clap::{CommandFactory as _, Parser as _};

use cgbench::{
    cli::{Cli, Command},
    cmd, failure, load,
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Run(args) => cmd::run::run(&args),
        Command::List(args) => cmd::list::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Merge(args) => cmd::merge::run(&args).map(|()| ExitCode::SUCCESS),
        Command::Study(args) => cmd::stage::study(&args).map(|()| ExitCode::SUCCESS),
        Command::Chart(args) => cmd::stage::chart(&args).map(|()| ExitCode::SUCCESS),
        Command::Report(args) => cmd::stage::report(&args).map(|()| ExitCode::SUCCESS),
        Command::Agree(args) => cmd::agree::run(&args),
        Command::Gate(args) => cmd::gate::run(&args),
        Command::Compare(args) => cmd::compare::run(&args),
        Command::Check(args) => cmd::check::run(&args),
        Command::Doctor(args) => cmd::doctor::run(&args),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "cgbench", &mut io::stdout());
            Ok(ExitCode::SUCCESS)
        }
        Command::Load => load::child::run().map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|error| ExitCode::from(failure::report(&error)))
}
