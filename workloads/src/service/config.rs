//! Who works, what comes and how much it demands, as data.

use serde::{Deserialize, Serialize};

use super::requests::Requests;
use crate::Error;
use crate::latency::check_every;

/// So many threads or pieces are a service; more are a mistake.
const MANY: std::ops::RangeInclusive<u32> = 1..=1024;

/// An hour of CPU time: no request takes longer.
const DEMAND_MAX_NS: u64 = 3_600_000_000_000;

/// Reading the clock twice takes a part of a microsecond, so a smaller piece would be mostly that.
const PIECE_MIN_NS: u64 = 1_000;

/// A service and the load on it. The same configuration gives the same requests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceConfig {
    /// Worker threads.
    pub threads: u32,
    /// Pieces of a request, of equal demand.
    pub fan_out: u32,
    /// Mean CPU time of a whole request, in nanoseconds, before `demand_max_ns` cuts off what lies above.
    pub demand_ns: u64,
    /// How the demand is spread around its mean.
    pub spread: Spread,
    /// No request demands more: draws above are drawn again, which lowers the mean. Not below `demand_ns`.
    pub demand_max_ns: Option<u64>,
    /// When requests come.
    pub arrivals: Arrivals,
    /// The seed of arrivals and demands. Each has a stream of its own, so that the one stays as it is when the other is
    /// configured anew.
    pub seed: u64,
}

/// The distribution of the CPU time that a request demands.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// All demand the same.
    Constant,
    /// Exponential.
    Exponential,
    /// Log-normal.
    LogNormal {
        /// Standard deviation over mean, above 0 and up to 10.
        cv: f64,
    },
}

/// When requests come.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrivals {
    /// On a clock.
    Periodic {
        /// From one request to the next, in nanoseconds: 1 ms to 1 h. In whole microseconds; the rest is dropped.
        every_ns: u64,
        /// Each start moves by a uniform random part of `every_ns` in −`jitter`..`jitter`; 0 to below 0.5.
        jitter: f64,
    },
    /// A Poisson process: exponential times from one request to the next, and to the first.
    Poisson {
        /// Their mean, in nanoseconds: 1 ms to 1 h.
        every_ns: u64,
    },
}

impl Arrivals {
    /// From one request to the next, on average.
    #[must_use]
    pub const fn every_ns(&self) -> u64 {
        match self {
            Self::Periodic { every_ns, .. } | Self::Poisson { every_ns } => *every_ns,
        }
    }
}

impl Default for ServiceConfig {
    /// Four workers and requests of 8 ms, spread exponentially over four pieces, every 20 ms at random: 0.4 CPU.
    fn default() -> Self {
        Self {
            threads: 4,
            fan_out: 4,
            demand_ns: 8_000_000,
            spread: Spread::Exponential,
            demand_max_ns: None,
            arrivals: Arrivals::Poisson { every_ns: 20_000_000 },
            seed: 1,
        }
    }
}

impl ServiceConfig {
    /// The requests, without end.
    ///
    /// # Errors
    /// When the configuration cannot be used.
    pub fn requests(&self) -> Result<Requests, Error> {
        self.check()?;
        Requests::new(self)
    }

    /// CPU time of each piece of a request, rounded up to a nanosecond.
    pub(super) const fn piece_ns(&self, demand_ns: u64) -> u64 {
        demand_ns.div_ceil(self.fan_out as u64)
    }

    /// Checks what no service can work with; the jitter is checked by the clock.
    fn check(&self) -> Result<(), Error> {
        let refuse = |name, value: String, hint| Err(Error::Setting { name, value, hint });
        for (name, value) in [("number of threads", self.threads), ("fan-out", self.fan_out)] {
            if !MANY.contains(&value) {
                return refuse(name, value.to_string(), "1 to 1024");
            }
        }
        if self.piece_ns(self.demand_ns) < PIECE_MIN_NS || self.demand_ns > DEMAND_MAX_NS {
            return refuse("demand", format!("{} ns", self.demand_ns), "1 µs for each piece, up to 1 h");
        }
        if let Some(max) = self.demand_max_ns.filter(|max| !(self.demand_ns..=DEMAND_MAX_NS).contains(max)) {
            return refuse("largest demand", format!("{max} ns"), "the mean demand or more, up to 1 h");
        }
        match self.spread {
            Spread::LogNormal { cv } if !(cv > 0.0 && cv <= 10.0) => {
                refuse("coefficient of variation", cv.to_string(), "above 0 and up to 10")
            }
            _ => check_every(self.arrivals.every_ns()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_fine() {
        ServiceConfig::default().requests().unwrap();
    }

    #[test]
    fn impossible_settings_are_refused_with_a_hint() {
        let good = ServiceConfig::default();
        let periodic = |every_ns, jitter| Arrivals::Periodic { every_ns, jitter };
        for bad in [
            ServiceConfig { threads: 0, ..good.clone() },
            ServiceConfig { threads: 1025, ..good.clone() },
            ServiceConfig { fan_out: 0, ..good.clone() },
            ServiceConfig { demand_ns: 0, ..good.clone() },
            ServiceConfig { demand_ns: 3_996, ..good.clone() },
            ServiceConfig { demand_ns: u64::MAX, ..good.clone() },
            ServiceConfig { demand_max_ns: Some(good.demand_ns - 1), ..good.clone() },
            ServiceConfig { demand_max_ns: Some(u64::MAX), ..good.clone() },
            ServiceConfig { spread: Spread::LogNormal { cv: 0.0 }, ..good.clone() },
            ServiceConfig { spread: Spread::LogNormal { cv: f64::NAN }, ..good.clone() },
            ServiceConfig { spread: Spread::LogNormal { cv: 11.0 }, ..good.clone() },
            ServiceConfig { arrivals: Arrivals::Poisson { every_ns: 999_999 }, ..good.clone() },
            ServiceConfig { arrivals: Arrivals::Poisson { every_ns: u64::MAX }, ..good.clone() },
            ServiceConfig { arrivals: periodic(0, 0.0), ..good.clone() },
            ServiceConfig { arrivals: periodic(10_000_000, 0.5), ..good.clone() },
            ServiceConfig { arrivals: periodic(10_000_000, f64::NAN), ..good },
        ] {
            let error = bad.requests().unwrap_err();
            assert!(error.hint().is_some(), "{bad:?}: {error}");
        }
    }

    #[test]
    fn pieces_share_the_whole_demand() {
        let config = ServiceConfig { fan_out: 3, ..ServiceConfig::default() };
        assert_eq!([3_000, 3_001, 3_003, 1].map(|demand| config.piece_ns(demand)), [1_000, 1_001, 1_001, 1]);
    }

    #[test]
    fn it_travels_as_json() {
        for (spread, arrivals, expected) in [
            (Spread::Constant, Arrivals::Periodic { every_ns: 5_000_000, jitter: 0.1 }, r#""constant""#),
            (
                Spread::LogNormal { cv: 0.5 },
                Arrivals::Poisson { every_ns: 5_000_000 },
                r#"{"log_normal":{"cv":0.5}}"#,
            ),
        ] {
            let config = ServiceConfig {
                spread,
                arrivals,
                demand_max_ns: Some(1_000_000_000),
                ..ServiceConfig::default()
            };
            let json = serde_json::to_string(&config).unwrap();
            assert!(json.contains(expected), "{json}");
            assert_eq!(serde_json::from_str::<ServiceConfig>(&json).unwrap(), config);
        }
    }
}
