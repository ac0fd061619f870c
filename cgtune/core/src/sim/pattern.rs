//! Loads as seeded streams of jobs: an encoder, a service, a periodic pause, fork and join, and whatever was recorded.
//!
//! The same pattern and seed give the same jobs, under every limit that they are tried with.

use rand::{RngExt as _, SeedableRng as _};
use rand_distr::{Distribution as _, Exp1, StandardNormal};
use rand_pcg::Pcg64Mcg;

use super::load::{Crew, Demand, Job};
use crate::Nanos;

/// A load.
#[derive(Debug, Clone, PartialEq)]
pub enum Pattern {
    /// One frame after the other.
    Encoder(Encoder),
    /// Requests of many, at random.
    Service(Service),
    /// Threads that never rest.
    Hog {
        /// How many.
        threads: u32,
    },
    /// Work of the same kind again and again: a collector's pause, fork and join.
    Periodic(Periodic),
    /// What was recorded.
    Recorded(Recorded),
}

/// An encoder on a clock of frames (see the bands in `workloads`).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Encoder {
    /// Time between frames.
    pub interval: Nanos,
    /// By how much a frame's start may lie off the clock, as a part of the interval, so that it locks to no period.
    pub jitter: f64,
    /// Mean CPU time of a P frame.
    pub mean: Nanos,
    /// Standard deviation over mean.
    pub cv: f64,
    /// Correlation of neighbours.
    pub lag1: f64,
    /// CPU time of an I frame over that of a P frame.
    pub i_over_p: f64,
    /// Frames from one I frame to the next.
    pub gop: u32,
    /// Slices of a frame, each on a thread of its own.
    pub slices: u32,
    /// The part of a frame that is serial, half before the slices and half after; of no meaning with one slice.
    pub serial: f64,
}

impl Default for Encoder {
    /// 720p at 30 frames a second as measured of x264 veryfast zerolatency: 12.8 ms a frame, one scene.
    fn default() -> Self {
        Self {
            interval: Nanos::new(33_333_333),
            jitter: 0.5,
            mean: Nanos::new(12_800_000),
            cv: 0.2,
            lag1: 0.55,
            i_over_p: 1.4,
            gop: 60,
            slices: 1,
            serial: 0.2,
        }
    }
}

/// A service: Poisson arrivals, exponential demands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Service {
    /// Mean time between requests.
    pub between: Nanos,
    /// Mean CPU time of a request, over all its parts.
    pub mean: Nanos,
    /// Parts that run side by side.
    pub fan_out: u32,
    /// Threads that work at requests.
    pub threads: u32,
}

/// The same work again and again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Periodic {
    /// Time between two.
    pub every: Nanos,
    /// CPU time of each thread.
    pub each: Nanos,
    /// Threads that work side by side.
    pub threads: u32,
}

/// Jobs as they came.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// When each was meant to start, in order, and its CPU time.
    pub jobs: Vec<(Nanos, Nanos)>,
    /// Whether they come again from the start when they end.
    pub again: bool,
    /// Threads that share each job.
    pub threads: u32,
    /// The part of a job that is serial, half before the parts and half after; of no meaning with one thread.
    pub serial: f64,
}

impl Recorded {
    /// Of one thread, once.
    #[must_use]
    pub const fn new(jobs: Vec<(Nanos, Nanos)>) -> Self {
        Self { jobs, again: false, threads: 1, serial: 0.0 }
    }
}

impl Pattern {
    /// Who works at it.
    #[must_use]
    pub fn crew(&self) -> Crew {
        let (threads, at_once) = match self {
            Self::Encoder(encoder) => (encoder.slices, 1),
            Self::Service(service) => (service.threads, usize::MAX),
            Self::Hog { threads } => (*threads, 1),
            Self::Periodic(periodic) => (periodic.threads, 1),
            Self::Recorded(recorded) => (recorded.threads, 1),
        };
        Crew { at_once, ..Crew::of(threads.max(1)) }
    }

    /// Its jobs from the start of time on.
    #[must_use]
    pub fn jobs(&self, seed: u64) -> Box<dyn Iterator<Item = Job> + '_> {
        match self {
            Self::Encoder(encoder) => Box::new(encoder.jobs(seed)),
            Self::Service(service) => Box::new(service.jobs(seed)),
            Self::Hog { threads } => {
                // 292 years.
                let forever = side_by_side(Nanos::new(i64::MAX.unsigned_abs()), *threads);
                Box::new(std::iter::once(Job { intended: Nanos::ZERO, demand: forever }))
            }
            Self::Periodic(periodic) => Box::new(periodic.jobs()),
            Self::Recorded(recorded) => Box::new(recorded.jobs()),
        }
    }
}

fn nanos(ns: f64) -> Nanos {
    // Below zero and beyond the largest are held by the conversion.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held")]
    Nanos::new(ns.round() as u64)
}

impl Encoder {
    fn jobs(self, seed: u64) -> impl Iterator<Item = Job> {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        // Log-normal, with correlated normals beneath: AR(1).
        let sigma = (1.0 + self.cv * self.cv).ln().sqrt();
        let carried = self.lag1.clamp(0.0, 0.999);
        let mut state: f64 = StandardNormal.sample(&mut random);
        (0_u64..).map(move |frame| {
            let fresh: f64 = StandardNormal.sample(&mut random);
            state = carried * state + (1.0 - carried * carried).sqrt() * fresh;
            let kind = if frame.is_multiple_of(u64::from(self.gop.max(1))) { self.i_over_p } else { 1.0 };
            let cpu = self.mean.get() as f64 * kind * (sigma * state - sigma * sigma / 2.0).exp();
            let interval = self.interval.get() as f64;
            let offset = self.jitter.clamp(0.0, 1.0) * interval * random.random::<f64>();
            Job { intended: nanos(frame as f64 * interval + offset), demand: self.demand(cpu, &mut random) }
        })
    }

    fn demand(&self, cpu: f64, random: &mut Pcg64Mcg) -> Demand {
        if self.slices < 2 {
            return Demand::Serial(nanos(cpu));
        }
        // Slices differ by a fifth, as pictures do from place to place.
        let weights: Vec<f64> = (0..self.slices)
            .map(|_| {
                let normal: f64 = StandardNormal.sample(random);
                (0.2 * normal).exp()
            })
            .collect();
        sliced(cpu, self.serial, &weights)
    }
}

/// A serial head, parts side by side by their weights, a serial tail; one part alone has neither.
fn sliced(cpu: f64, serial: f64, weights: &[f64]) -> Demand {
    if weights.len() < 2 {
        return Demand::Serial(nanos(cpu));
    }
    let serial = cpu * serial.clamp(0.0, 1.0) / 2.0;
    let all: f64 = weights.iter().sum();
    let parts = weights.iter().map(|weight| nanos((cpu - 2.0 * serial) * weight / all)).collect();
    Demand::Staged(vec![vec![nanos(serial)], parts, vec![nanos(serial)]])
}

/// The same on each of so many threads.
fn side_by_side(each: Nanos, threads: u32) -> Demand {
    if threads < 2 { Demand::Serial(each) } else { Demand::Staged(vec![vec![each; threads as usize]]) }
}

impl Service {
    fn jobs(self, seed: u64) -> impl Iterator<Item = Job> {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let mut at = 0.0;
        let parts = self.fan_out.max(1);
        std::iter::from_fn(move || {
            let gap: f64 = Exp1.sample(&mut random);
            at += gap * self.between.get() as f64;
            let part = self.mean.get() as f64 / f64::from(parts);
            let stage = (0..parts)
                .map(|_| {
                    let demand: f64 = Exp1.sample(&mut random);
                    nanos(part * demand)
                })
                .collect();
            Some(Job { intended: nanos(at), demand: Demand::Staged(vec![stage]) })
        })
    }
}

impl Periodic {
    fn jobs(self) -> impl Iterator<Item = Job> {
        let demand = side_by_side(self.each, self.threads);
        (0_u64..).map(move |at| Job {
            intended: Nanos::new(at.saturating_mul(self.every.get())),
            demand: demand.clone(),
        })
    }
}

impl Recorded {
    fn jobs(&self) -> impl Iterator<Item = Job> {
        // The next round begins one mean gap after the last job.
        let last = self.jobs.last().map_or(0, |(at, _)| at.get());
        let gap = last.checked_div(self.jobs.len().saturating_sub(1) as u64).unwrap_or(0).max(1);
        let rounds = if self.again { u64::MAX } else { 1 };
        (0..rounds).flat_map(move |round| {
            let equal = vec![1.0; self.threads.max(1) as usize];
            self.jobs.iter().map(move |&(at, cpu)| Job {
                intended: Nanos::new(at.get().saturating_add(round.saturating_mul(last + gap))),
                demand: sliced(cpu.get() as f64, self.serial, &equal),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demands(pattern: &Pattern, count: usize) -> Vec<f64> {
        pattern.jobs(7).take(count).map(|job| job.demand.total().get() as f64).collect()
    }

    #[test]
    fn an_encoder_is_what_it_says() {
        let encoder = Encoder { i_over_p: 1.0, ..Encoder::default() };
        let demands = demands(&Pattern::Encoder(encoder), 20_000);
        let mean = demands.iter().sum::<f64>() / demands.len() as f64;
        assert!((mean / 12.8e6 - 1.0).abs() < 0.02, "{mean}");
        let variance = demands.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / demands.len() as f64;
        assert!((variance.sqrt() / mean - 0.2).abs() < 0.02);
        let products = demands.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum::<f64>();
        let lag1 = products / demands.len() as f64 / variance;
        assert!((lag1 - 0.55).abs() < 0.04, "{lag1}");
    }

    #[test]
    fn slices_share_what_is_not_serial() {
        let encoder = Encoder { slices: 4, serial: 0.3, ..Encoder::default() };
        for job in Pattern::Encoder(encoder).jobs(1).take(50) {
            let all = job.demand.total().get() as f64;
            let Demand::Staged(stages) = job.demand else { panic!("{job:?}") };
            assert_eq!([0, 1, 2].map(|stage| stages[stage].len()), [1, 4, 1]);
            let serial = stages[0][0].get() + stages[2][0].get();
            assert!((serial as f64 / all - 0.3).abs() < 1e-3);
        }
    }

    #[test]
    fn jobs_come_in_order_and_the_same_each_time() {
        let service =
            Service { between: Nanos::new(10_000_000), mean: Nanos::new(3_000_000), fan_out: 3, threads: 4 };
        let jobs = vec![(Nanos::ZERO, Nanos::new(5)), (Nanos::new(10), Nanos::new(6))];
        let recorded = Recorded { again: true, ..Recorded::new(jobs) };
        let periodic = Periodic { every: Nanos::new(100), each: Nanos::new(7), threads: 2 };
        for pattern in [
            Pattern::Encoder(Encoder::default()),
            Pattern::Service(service),
            Pattern::Periodic(periodic),
            Pattern::Recorded(recorded),
        ] {
            let jobs: Vec<Job> = pattern.jobs(3).take(500).collect();
            assert_eq!(jobs, pattern.jobs(3).take(500).collect::<Vec<_>>());
            assert!(jobs.is_sorted_by_key(|job| job.intended), "{pattern:?}");
            assert_eq!(jobs.len(), 500);
        }
        let mean = demands(&Pattern::Service(service), 20_000).iter().sum::<f64>() / 20_000.0;
        assert!((mean / 3e6 - 1.0).abs() < 0.03, "{mean}");
    }
}
