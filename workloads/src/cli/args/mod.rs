//! What can be typed, and what it means. One file a load; what several share is in `values`.

mod h264;
mod hog;
mod pulse;
mod service;
mod values;

use clap::{Parser, Subcommand};

pub(crate) use h264::H264Args;
pub(crate) use hog::HogArgs;
pub(crate) use pulse::PulseArgs;
pub(crate) use service::ServiceArgs;

/// Loads that burn CPU the way real programs do, and tell how long each piece of work took.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) load: Load,
}

const EXIT_CODES: &str =
    "Exit codes: 0 done, 2 an error or wrong use, 130 interrupted (what was done is shown).";

#[derive(Debug, Subcommand)]
pub(crate) enum Load {
    /// Encode H.264 against a frame clock, and tell the latency and CPU time of each frame.
    H264(H264Args),
    /// Wake some threads together now and then, each to burn so much CPU time, and tell the latency of each pulse.
    Pulse(PulseArgs),
    /// Serve requests that come at their own times with some worker threads, and tell the latency of each.
    Service(ServiceArgs),
    /// Burn CPU with some threads until stopped.
    Hog(HogArgs),
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Args::command().debug_assert();
    }
}
