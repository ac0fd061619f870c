//! What `workloads pulse` takes.

use std::time::Duration;

use workloads::pulse::PulseConfig;

use super::values::{duration, nanoseconds, part};

const PULSE_EXAMPLES: &str = "\
Examples:
  workloads pulse --work 20ms --every 250ms
  workloads pulse --work 300ms --every 1h --jitter 0 --after 5s --duration 10s
  workloads pulse --threads 8 --work 5ms --every 200ms --jitter 30% --seed 7 --duration 30s --json

Latency counts from the intended start of a pulse to the end of its last thread. A thread that is late
starts at once. A quantile that fewer than ten pulses lie beyond is n/a.";

#[derive(Debug, clap::Args)]
#[command(after_help = PULSE_EXAMPLES)]
pub(crate) struct PulseArgs {
    /// How many threads wake together.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) threads: u32,
    /// CPU time that each thread burns in a pulse, such as 20ms.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) work: Duration,
    /// From one pulse to the next, 1ms to 1h.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) every: Duration,
    /// How far each intended start moves at random, as a part of that time either way: 0.25 or 25%.
    #[arg(long, value_name = "PART", default_value_t = PulseConfig::default().jitter, value_parser = part)]
    pub(crate) jitter: f64,
    /// Seed of the jitter.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Sleep so long before the first pulse.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub(crate) after: Duration,
    /// End after this time, such as 10s; without it, when interrupted.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) duration: Option<Duration>,
    /// JSON with all pulses instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// End when standard input is closed, so that no load outlives who started it.
    #[arg(long)]
    pub(crate) until_stdin_closes: bool,
}

impl PulseArgs {
    pub(crate) fn config(&self) -> PulseConfig {
        PulseConfig {
            threads: self.threads,
            work_ns: nanoseconds(self.work),
            every_ns: nanoseconds(self.every),
            jitter: self.jitter,
            seed: self.seed,
        }
    }

    /// From the start of the load to the origin of its pulses.
    pub(crate) fn after_ns(&self) -> u64 {
        nanoseconds(self.after)
    }
}
