//! `cgtune`: says why a container is throttled, and what its CPU request and limit become.

mod capture;
mod cli;
mod cmd;
mod diagnosis;
mod drawn;
mod exit;
mod failure;
mod interrupt;
mod machine;
mod manifests;
mod named;
mod progress;
mod reading;
mod render;
mod streams;
mod target;
mod typed;

use std::{io::BufWriter, process::ExitCode};

use clap::Parser as _;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    // Both take colours out unless they go to a terminal that wants them (NO_COLOR, TERM, CLICOLOR).
    let mut out = BufWriter::new(anstream::stdout().lock());
    let mut err = anstream::stderr().lock();
    let mut streams = streams::Streams { out: &mut out, err: &mut err };
    let outcome =
        cmd::run(&cli.verb, &mut streams).and_then(|exit| Ok(streams.out.flush().map(|()| exit)?));
    outcome.unwrap_or_else(|error| failure::report(&error, streams.err)).into()
}
