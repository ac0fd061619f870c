//! What `workloads service` takes.

use std::time::Duration;

use workloads::latency::ClockConfig;
use workloads::service::{Arrivals, ServiceConfig, Spread};

use super::values::{duration, nanoseconds, part};

const SERVICE_EXAMPLES: &str = "\
Examples:
  workloads service --threads 4 --fan-out 4 --demand 8ms --spread exponential --every 20ms --poisson
  workloads service --threads 3 --fan-out 3 --demand 80ms --every 100ms --jitter 0 --duration 20s
  workloads service --demand 15ms --spread exponential --demand-max 100ms --every 103ms --jitter 0
  workloads service --threads 16 --fan-out 16 --demand 3200us --every 10ms --duration 10s --json

Latency counts from the intended start of a request to the end of its last piece. A late request
waits its turn; none is dropped. A quantile that fewer than ten requests lie beyond is n/a.";

#[derive(Debug, clap::Args)]
#[command(after_help = SERVICE_EXAMPLES)]
pub(crate) struct ServiceArgs {
    /// Worker threads.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) threads: u32,
    /// Pieces of a request, of equal demand, each done by any free worker.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) fan_out: u32,
    /// Mean CPU time of a whole request, such as 8ms.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) demand: Duration,
    /// How the demand is spread: constant, exponential, or log-normal:CV such as log-normal:0.5.
    #[arg(long, value_name = "SPREAD", default_value = "constant", value_parser = spread)]
    pub(crate) spread: Spread,
    /// Draw a demand above this again.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) demand_max: Option<Duration>,
    /// From one request to the next on average, 1ms to 1h.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) every: Duration,
    /// Let requests come at random, without memory, instead of on a clock.
    #[arg(long, conflicts_with = "jitter")]
    pub(crate) poisson: bool,
    /// How far each intended start moves at random, as a part of that time either way: 0.25 or 25%.
    #[arg(long, value_name = "PART", default_value_t = ClockConfig::default().jitter, value_parser = part)]
    pub(crate) jitter: f64,
    /// Seed of arrivals and demands.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many requests to serve [default: 300].
    #[arg(long, value_name = "N", conflicts_with = "duration")]
    pub(crate) requests: Option<u32>,
    /// Serve what comes in so long instead, such as 10s; all of it, so that a service that falls behind takes longer.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) duration: Option<Duration>,
    /// JSON with all requests instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// End when standard input is closed, so that no load outlives who started it.
    #[arg(long)]
    pub(crate) until_stdin_closes: bool,
}

impl ServiceArgs {
    pub(crate) fn config(&self) -> ServiceConfig {
        let every_ns = nanoseconds(self.every);
        ServiceConfig {
            threads: self.threads,
            fan_out: self.fan_out,
            demand_ns: nanoseconds(self.demand),
            spread: self.spread,
            demand_max_ns: self.demand_max.map(nanoseconds),
            arrivals: if self.poisson {
                Arrivals::Poisson { every_ns }
            } else {
                Arrivals::Periodic { every_ns, jitter: self.jitter }
            },
            seed: self.seed,
        }
    }

    /// How many requests were asked for.
    pub(crate) fn request_count(&self, config: &ServiceConfig) -> Result<u32, workloads::Error> {
        let Some(duration) = self.duration.map(nanoseconds) else {
            return Ok(self.requests.unwrap_or(300));
        };
        let coming = config.requests()?.take_while(|request| request.intended_ns < duration);
        Ok(u32::try_from(coming.take(u32::MAX as usize).count()).unwrap_or(u32::MAX))
    }
}

fn spread(text: &str) -> Result<Spread, String> {
    match text {
        "constant" => Ok(Spread::Constant),
        "exponential" => Ok(Spread::Exponential),
        _ => text
            .strip_prefix("log-normal:")
            .and_then(|cv| part(cv).ok())
            .map(|cv| Spread::LogNormal { cv })
            .ok_or_else(|| "constant, exponential, or log-normal:CV such as log-normal:0.5".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_normal_spread_needs_its_coefficient_of_variation() {
        assert_eq!(spread("log-normal:0.5"), Ok(Spread::LogNormal { cv: 0.5 }));
        assert_eq!(spread("log-normal:20%"), Ok(Spread::LogNormal { cv: 0.2 }));
        assert_eq!(
            (spread("constant"), spread("exponential")),
            (Ok(Spread::Constant), Ok(Spread::Exponential))
        );
        for bad in ["", "normal", "log-normal", "log-normal:", "log-normal:wide", "constant:1"] {
            assert!(spread(bad).is_err(), "{bad}");
        }
    }
}
