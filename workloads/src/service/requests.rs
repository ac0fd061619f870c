//! When requests come and how much each demands: a pure function of the configuration.

use rand::SeedableRng;
use rand_distr::{Distribution, Exp1, LogNormal};
use rand_pcg::Pcg64Mcg;

use super::config::{Arrivals, ServiceConfig, Spread};
use crate::Error;
use crate::latency::{ClockConfig, Schedule};

/// Makes the seed of the demands differ from that of the arrivals ("demand" in ASCII).
const DEMAND_STREAM: u64 = 0x6465_6d61_6e64;

/// What is asked of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// When it is meant to start, in nanoseconds from the run's origin.
    pub intended_ns: u64,
    /// CPU time that it takes, all pieces together, in nanoseconds.
    pub demand_ns: u64,
}

/// All requests, by rising intended starts, no two alike; without end.
#[derive(Clone, Debug)]
pub struct Requests {
    starts: Starts,
    demands: Demands,
}

#[derive(Clone, Debug)]
enum Starts {
    Periodic(Schedule),
    Poisson { every_ns: f64, last_ns: u64, random: Pcg64Mcg },
}

#[derive(Clone, Debug)]
struct Demands {
    shape: Shape,
    max_ns: Option<f64>,
    random: Pcg64Mcg,
}

#[derive(Clone, Debug)]
enum Shape {
    Constant(f64),
    Exponential(f64),
    LogNormal(LogNormal<f64>),
}

impl Requests {
    /// The requests of a configuration that was checked, but for the jitter.
    pub(super) fn new(config: &ServiceConfig) -> Result<Self, Error> {
        let starts = match config.arrivals {
            Arrivals::Periodic { every_ns, jitter } => {
                Starts::Periodic(Schedule::new(&ClockConfig::every(every_ns, jitter, config.seed)?)?)
            }
            Arrivals::Poisson { every_ns } => Starts::Poisson {
                every_ns: every_ns as f64,
                last_ns: 0,
                random: Pcg64Mcg::seed_from_u64(config.seed),
            },
        };
        let mean_ns = config.demand_ns as f64;
        let shape = match config.spread {
            Spread::Constant => Shape::Constant(mean_ns),
            Spread::Exponential => Shape::Exponential(mean_ns),
            Spread::LogNormal { cv } => {
                Shape::LogNormal(LogNormal::from_mean_cv(mean_ns, cv).map_err(|error| Error::Setting {
                    name: "spread",
                    value: format!("log-normal, {cv}"),
                    hint: match error {
                        rand_distr::NormalError::MeanTooSmall => "a mean demand above 0",
                        rand_distr::NormalError::BadVariance => "a coefficient of variation above 0",
                    },
                })?)
            }
        };
        let random = Pcg64Mcg::seed_from_u64(config.seed ^ DEMAND_STREAM);
        Ok(Self {
            starts,
            demands: Demands { shape, max_ns: config.demand_max_ns.map(|ns| ns as f64), random },
        })
    }
}

impl Iterator for Requests {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        Some(Request { intended_ns: self.starts.next_ns()?, demand_ns: self.demands.next_ns() })
    }
}

impl Starts {
    fn next_ns(&mut self) -> Option<u64> {
        match self {
            Self::Periodic(schedule) => schedule.next(),
            Self::Poisson { every_ns, last_ns, random } => {
                let gap: f64 = Exp1.sample(random);
                // At least one, so that no two are alike.
                *last_ns = last_ns.saturating_add(((gap * *every_ns).round() as u64).max(1));
                Some(*last_ns)
            }
        }
    }
}

impl Demands {
    /// The limit is no lower than the mean, and half of all draws at least are no higher: this ends soon.
    fn next_ns(&mut self) -> u64 {
        loop {
            let demand_ns = match &self.shape {
                Shape::Constant(mean_ns) => *mean_ns,
                Shape::Exponential(mean_ns) => {
                    let part: f64 = Exp1.sample(&mut self.random);
                    part * mean_ns
                }
                Shape::LogNormal(distribution) => distribution.sample(&mut self.random),
            };
            if self.max_ns.is_none_or(|max_ns| demand_ns <= max_ns) {
                return (demand_ns.round() as u64).max(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: u64 = 1_000_000;

    fn first(config: &ServiceConfig, count: usize) -> Vec<Request> {
        config.requests().unwrap().take(count).collect()
    }

    fn mean_and_cv(values: &[f64]) -> (f64, f64) {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (mean, crate::demand::variation(values).unwrap())
    }

    fn demands(config: &ServiceConfig, count: usize) -> Vec<f64> {
        first(config, count).iter().map(|request| request.demand_ns as f64).collect()
    }

    #[test]
    fn demands_have_the_mean_and_the_spread_that_were_asked_for() {
        for (spread, wanted_cv) in [
            (Spread::Exponential, 1.0),
            (Spread::LogNormal { cv: 0.5 }, 0.5),
            (Spread::LogNormal { cv: 0.1 }, 0.1),
        ] {
            let (mean, cv) =
                mean_and_cv(&demands(&ServiceConfig { spread, ..ServiceConfig::default() }, 100_000));
            assert!((mean / 8e6 - 1.0).abs() < 0.01, "{spread:?}: mean {mean}");
            assert!((cv / wanted_cv - 1.0).abs() < 0.02, "{spread:?}: CV {cv}");
        }
    }

    #[test]
    fn poisson_arrivals_have_exponential_gaps_without_memory() {
        let requests = first(&ServiceConfig::default(), 100_001);
        let gaps: Vec<f64> =
            requests.windows(2).map(|pair| (pair[1].intended_ns - pair[0].intended_ns) as f64).collect();
        let (mean, cv) = mean_and_cv(&gaps);
        assert!((mean / 20e6 - 1.0).abs() < 0.01 && (cv - 1.0).abs() < 0.01, "mean {mean}, CV {cv}");
        assert!(crate::demand::lag1(&gaps).unwrap().abs() < 0.01);
    }

    #[test]
    fn the_spread_does_not_move_the_arrivals() {
        let starts = |config: &ServiceConfig| -> Vec<u64> {
            first(config, 100).iter().map(|request| request.intended_ns).collect()
        };
        let config = ServiceConfig::default();
        let capped = ServiceConfig { demand_max_ns: Some(9 * MS), ..config.clone() };
        let constant = ServiceConfig { spread: Spread::Constant, ..config.clone() };
        assert_eq!(starts(&config), starts(&capped));
        assert_eq!(starts(&config), starts(&constant));
    }

    #[test]
    fn arrivals_and_demands_do_not_go_together() {
        let requests = first(&ServiceConfig::default(), 20_000);
        let gaps: Vec<f64> =
            requests.windows(2).map(|pair| (pair[1].intended_ns - pair[0].intended_ns) as f64).collect();
        let (mean_gap, cv_gap) = mean_and_cv(&gaps);
        let demands: Vec<f64> = requests[1..].iter().map(|request| request.demand_ns as f64).collect();
        let (mean, cv) = mean_and_cv(&demands);
        let products: f64 =
            gaps.iter().zip(&demands).map(|(gap, demand)| (gap - mean_gap) * (demand - mean)).sum();
        let correlation = products / gaps.len() as f64 / (mean_gap * cv_gap * mean * cv);
        assert!(correlation.abs() < 0.03, "{correlation}");
    }

    proptest! {
        #[test]
        fn starts_increase_and_demands_stay_below_their_limit(
            poisson: bool, shape in 0..3, above in 1.0..3.0f64, seed: u64,
        ) {
            let every_ns = MS;
            let config = ServiceConfig {
                spread: [Spread::Constant, Spread::Exponential, Spread::LogNormal { cv: 2.0 }][shape as usize],
                demand_max_ns: Some((8e6 * above) as u64),
                arrivals: if poisson {
                    Arrivals::Poisson { every_ns }
                } else {
                    Arrivals::Periodic { every_ns, jitter: 0.49 }
                },
                seed,
                ..ServiceConfig::default()
            };
            let requests = first(&config, 300);
            prop_assert!(requests.is_sorted_by(|a, b| a.intended_ns < b.intended_ns));
            prop_assert!(requests.iter().all(|request| (1..=config.demand_max_ns.unwrap()).contains(&request.demand_ns)));
            prop_assert_eq!(&requests, &first(&config, 300));
            let other = first(&ServiceConfig { seed: seed ^ 1, ..config }, 300);
            prop_assert_ne!(&requests, &other);
        }
    }
}
