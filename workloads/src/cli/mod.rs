//! What belongs to the command line: arguments, endings, output.

pub(crate) mod args;
mod ending;
mod h264;
mod hog;
mod jobs;
mod json;
mod output;
mod pulse;
mod service;
mod text;

use std::process::ExitCode;

use args::{Args, Load};
use ending::Ending;

/// Runs the load that was asked for.
pub(crate) fn run(args: &Args) -> anyhow::Result<Ending> {
    match &args.load {
        Load::H264(args) => h264::run(args),
        Load::Pulse(args) => pulse::run(args),
        Load::Service(args) => service::run(args),
        Load::Hog(args) => hog::run(args),
    }
}

/// Says what went wrong, why, and what to do about it.
pub(crate) fn report_error(error: &anyhow::Error) -> ExitCode {
    let hint = error.downcast_ref::<workloads::Error>().and_then(workloads::Error::hint);
    output::warn(&format!("error: {error:#}"));
    if let Some(hint) = hint {
        output::warn(&format!("hint: {hint}"));
    }
    ExitCode::from(2)
}
