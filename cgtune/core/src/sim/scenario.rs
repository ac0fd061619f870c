//! A load under a limit, over all the phases that nobody knows: where the periods begin, and where the ticks fall.
//!
//! One run is one answer among many: by its phase alone the same load gives 14 or 38 % throttled periods. So the answer is a
//! smallest, a median and a largest.

use super::{
    kernel::Kernel,
    latency::Latencies,
    load::{Job, SystemCalls},
    machine::Machine,
    pattern::Pattern,
    pool::Counters,
};
use crate::{Bandwidth, CpuSet, Nanos};

/// A load beside the one that is looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbour {
    /// What it does.
    pub pattern: Pattern,
    /// Its limit.
    pub bandwidth: Bandwidth,
    /// Its weight against the load's group.
    pub weight: u64,
    /// Where it may run; `None`: everywhere.
    pub cpus: Option<CpuSet>,
}

/// What is tried.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The kernel.
    pub kernel: Kernel,
    /// CPUs of the machine.
    pub cpus: u32,
    /// The load.
    pub pattern: Pattern,
    /// What part of its time is spent in the kernel; `None`: none of it.
    pub calls: Option<SystemCalls>,
    /// Its group's limit.
    pub bandwidth: Bandwidth,
    /// Limits of the groups above, innermost first.
    pub above: Vec<Bandwidth>,
    /// Its group's weight.
    pub weight: u64,
    /// Where it may run; `None`: everywhere.
    pub cpuset: Option<CpuSet>,
    /// Who else is there.
    pub neighbours: Vec<Neighbour>,
    /// What chance does.
    pub seed: u64,
    /// Time before anything is counted.
    pub warm_up: Nanos,
    /// Time that is counted.
    pub duration: Nanos,
}

/// Where in their cycles timers and ticks begin, as parts of them from 0 to below 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Phases {
    /// The group's period. Each further group is a golden section on, or at the same place where the kernel has one grid for all.
    pub period: f64,
    /// The tick.
    pub tick: f64,
}

impl Phases {
    /// So many period phases by so many tick phases, evenly spread.
    #[must_use]
    pub fn grid(periods: u32, ticks: u32) -> Vec<Self> {
        let part = |at: u32, of: u32| (f64::from(at) + 0.5) / f64::from(of.max(1));
        (0..periods)
            .flat_map(|p| (0..ticks).map(move |t| Self { period: part(p, periods), tick: part(t, ticks) }))
            .collect()
    }
}

/// What came out of one run.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The group's counters over the time that counts.
    pub counters: Counters,
    /// Time that counts.
    pub wall: Nanos,
    /// Latency of each job that was meant to start in that time and was done in it.
    pub latencies: Latencies,
    /// Jobs that were not done when it ended.
    pub undone: u64,
}

impl Outcome {
    /// Throttled periods of those in which the group was active; `None`: it never was.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "counts of periods")]
    pub fn throttled(&self) -> Option<f64> {
        let Counters { nr_periods, nr_throttled, .. } = self.counters;
        (nr_periods > 0).then(|| nr_throttled as f64 / nr_periods as f64)
    }

    /// Milliseconds of throttled time a second, summed over CPUs.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "shown")]
    pub fn stall_ms_per_s(&self) -> f64 {
        self.counters.throttled_ns as f64 / 1e6 / self.wall.as_secs().max(1e-9)
    }

    /// CPUs used on average.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "shown")]
    pub fn cpus_used(&self) -> f64 {
        self.counters.usage_ns as f64 / 1e9 / self.wall.as_secs().max(1e-9)
    }
}

/// Jobs that are kept for the next run rather than drawn again: a bound, so that memory doesn't grow with the time simulated.
const KEPT: usize = 1 << 16;

impl Scenario {
    /// A run for each of the phases; all with the same jobs.
    #[must_use]
    pub fn run(&self, phases: &[Phases]) -> Vec<Outcome> {
        let end = self.warm_up.get().saturating_add(self.duration.get());
        // And the one after the end, so that no run asks for more.
        let mut over = false;
        let drawn = self.pattern.jobs(self.seed).take(KEPT);
        let first: Vec<Job> =
            drawn.take_while(|job| !std::mem::replace(&mut over, job.intended.get() > end)).collect();
        phases.iter().map(|&phases| self.run_once(phases, &first)).collect()
    }

    /// One run. `first` are the first of its jobs.
    fn run_once(&self, phases: Phases, first: &[Job]) -> Outcome {
        let part = |part: f64, of: Nanos| {
            #[allow(
                clippy::cast_precision_loss,
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a part of it"
            )]
            Nanos::new((part.rem_euclid(1.0) * of.get() as f64) as u64)
        };
        let mut machine = Machine::new(self.kernel, self.cpus as usize, part(phases.tick, self.kernel.tick));
        // A golden section apart no two phases coincide.
        let apart = if self.kernel.random_phase { 0.618_033_988_749_895 } else { 0.0 };
        let mut turned = phases.period;
        let mut phase = |bandwidth: Bandwidth| {
            let phase = part(turned, bandwidth.period().to_nanos());
            turned += apart;
            phase
        };
        let own = phase(self.bandwidth);
        let mut parent = None;
        for &above in self.above.iter().rev() {
            parent = Some(machine.group(parent, above, self.weight, phase(above)));
        }
        let group = machine.group(parent, self.bandwidth, self.weight, own);
        let mut crew = self.pattern.crew();
        crew.cpus.clone_from(&self.cpuset);
        crew.calls = self.calls;
        let later = self.pattern.jobs(self.seed).skip(first.len());
        let load = machine.crew(group, &crew, first.iter().cloned().chain(later));
        for (number, neighbour) in self.neighbours.iter().enumerate() {
            let group =
                machine.group(None, neighbour.bandwidth, neighbour.weight, phase(neighbour.bandwidth));
            let mut crew = neighbour.pattern.crew();
            crew.cpus.clone_from(&neighbour.cpus);
            machine.crew(group, &crew, neighbour.pattern.jobs(self.seed ^ (number as u64 + 1)));
        }
        machine.run_until(self.warm_up, |_| {});
        let before = machine.counters(group);
        let begin = self.warm_up.get();
        let end = Nanos::new(begin.saturating_add(self.duration.get()));
        let mut latencies = Latencies::default();
        machine.run_until(end, |done| {
            if done.crew == load && done.intended.get() >= begin {
                latencies.record(Nanos::new(done.at.get() - done.intended.get()));
            }
        });
        Outcome {
            counters: machine.counters(group) - before,
            wall: self.duration,
            latencies,
            undone: machine.undone(load),
        }
    }
}

/// The smallest, the middle and the largest of what the phases gave.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Spread<T> {
    /// The smallest.
    pub min: T,
    /// The middle one; of an even number the lower of the two.
    pub median: T,
    /// The largest.
    pub max: T,
}

impl<T: Copy + PartialOrd> Spread<T> {
    /// Of values that can be compared; `None` of none.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = T>) -> Option<Self> {
        let mut values: Vec<T> = values.into_iter().collect();
        values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
        let median = *values.get(values.len().checked_sub(1)? / 2)?;
        Some(Self { min: *values.first()?, median, max: *values.last()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Micros, Quota, convert::Version, sim::pattern::Encoder};

    fn scenario(quota: u64, burst: u64) -> Scenario {
        let bandwidth = Bandwidth::new(
            Quota::Limited(Micros::from_ms(quota)),
            Micros::from_ms(100),
            Micros::from_ms(burst),
        )
        .unwrap();
        Scenario {
            kernel: Kernel::of(Version::new(6, 18, 0)),
            cpus: 2,
            pattern: Pattern::Encoder(Encoder {
                mean: Nanos::new(13_000_000),
                interval: Nanos::new(33_366_667),
                ..Encoder::default()
            }),
            calls: None,
            bandwidth,
            above: Vec::new(),
            weight: 100,
            cpuset: None,
            neighbours: Vec::new(),
            seed: 5,
            warm_up: Nanos::new(1_000_000_000),
            duration: Nanos::new(30_000_000_000),
        }
    }

    /// A5 of the facts: 13 ms of log-normal demand at 29.97 fps under 42 ms, 900 frames.
    #[test]
    fn an_encoder_near_its_limit_is_throttled_and_a_burst_takes_that_away() {
        let all = |burst| {
            let scenario = scenario(42, burst);
            let outcomes = scenario.run(&Phases::grid(6, 4));
            let throttled = Spread::of(outcomes.iter().filter_map(Outcome::throttled)).unwrap();
            let p99 = Spread::of(outcomes.iter().filter_map(|o| o.latencies.quantile(0.98)).map(Nanos::get))
                .unwrap();
            (throttled, p99)
        };
        let (limit, slow) = all(0);
        let (burst, fast) = all(42);
        assert!(limit.median > 0.15 && limit.median < 0.6, "{limit:?}");
        assert!(burst.median < limit.median / 10.0, "{burst:?}");
        assert!((fast.median as f64) < slow.median as f64 * 0.6, "{slow:?} {fast:?}");
    }
}
