//! What `workloads hog` takes.

use std::time::Duration;

use super::values::duration;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  workloads hog --threads 2 --duration 10s\n  workloads hog --until-stdin-closes"
)]
pub(crate) struct HogArgs {
    /// How many threads burn.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) threads: u32,
    /// End after this time, such as 10s; without it, when interrupted.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) duration: Option<Duration>,
    /// End when standard input is closed, so that no load outlives who started it.
    #[arg(long)]
    pub(crate) until_stdin_closes: bool,
}
