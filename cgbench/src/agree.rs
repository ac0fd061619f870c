//! Does the model predict the kernel? The CPU times that were measured go through the model under the same limit; what comes out
//! is compared with the counters and latencies of the same block.
//!
//! Not a fit: nothing of the model is set by what is compared. What is not known (where periods and ticks began) is tried at many
//! phases, and the kernel's number should lie in the range that comes of them.

use cgtune_core::{
    Bandwidth, CpuSet, Nanos, ObservedShare,
    sim::{Kernel, Outcome, Pattern, Phases, Scenario, Spread, pattern::Recorded, scenario},
};
use serde::Serialize;

use crate::{
    plan::Condition,
    record::{Block, Records},
    stats::quantile,
};

/// How far outside the model's range a throttled share may lie, as a part of all periods.
pub const SHARE_SLACK: f64 = 0.03;
/// How far outside the model's range other numbers may lie, relatively.
pub const SLACK: f64 = 0.15;
/// The part of a frame of several slices that is serial: between the 16 and 33 % that encoders show.
const SERIAL: f64 = 0.25;

/// A number of the kernel's against the model's range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Compared {
    /// What was measured.
    pub kernel: f64,
    /// What the model says, over all phases.
    pub model: Spread<f64>,
    /// Whether the one lies in the other, with the slack that is allowed.
    pub agrees: bool,
}

impl Compared {
    fn share(kernel: f64, model: Spread<f64>) -> Self {
        let agrees = (model.min - SHARE_SLACK..=model.max + SHARE_SLACK).contains(&kernel);
        Self { kernel, model, agrees }
    }

    fn relative(kernel: f64, model: Spread<f64>) -> Self {
        let agrees = (model.min * (1.0 - SLACK)..=model.max * (1.0 + SLACK)).contains(&kernel);
        Self { kernel, model, agrees }
    }
}

/// One block.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BlockAgreement {
    /// Its place in the run.
    pub index: u32,
    /// The cell.
    pub condition: Condition,
    /// CPU used over the limit.
    pub use_of_limit: f64,
    /// Throttled periods of those in which the group was active.
    pub throttled: Compared,
    /// Periods in which more than the quota was taken; `None` where the kernel counts none or there is no burst.
    pub bursts: Option<Compared>,
    /// How much more, in ms.
    pub burst_ms: Option<Compared>,
}

/// One cell, over its blocks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CellAgreement {
    /// The cell.
    pub condition: Condition,
    /// Frames.
    pub frames: usize,
    /// 99th percentile of the latency, in ms; `None` below a thousand frames.
    pub p99_ms: Option<Compared>,
}

/// A whole run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// `cgbench.agree/1`.
    pub schema: &'static str,
    /// Ways to begin that were tried.
    pub phases: usize,
    /// Blocks with a limit.
    pub blocks: Vec<BlockAgreement>,
    /// Cells with a limit.
    pub cells: Vec<CellAgreement>,
}

impl Agreement {
    /// The schema that this version writes.
    pub const SCHEMA: &'static str = "cgbench.agree/1";

    /// How many of all agree.
    #[must_use]
    pub fn count<'c>(all: impl Iterator<Item = &'c Compared>) -> (usize, usize) {
        all.fold((0, 0), |(agree, of), one| (agree + usize::from(one.agrees), of + 1))
    }

    /// Plays a run's limited blocks through the model.
    #[must_use]
    pub fn of(records: &Records, kernel: Kernel, phases: &[Phases]) -> Self {
        let mut blocks = Vec::new();
        let mut cells: Vec<(Condition, Vec<f64>, Vec<Vec<u64>>)> = Vec::new();
        for block in records.blocks.iter().filter(|block| !block.partial) {
            let Some(scenario) = scenario_of(records, block, kernel) else { continue };
            let outcomes = scenario.run(phases);
            blocks.extend(compare(block, scenario.bandwidth, &outcomes));
            let skip = block.warmup_frames as usize;
            let measured = block.frames.latencies_ns().skip(skip).map(|ns| ns as f64 / 1e6);
            let at = match cells.iter().position(|(condition, ..)| *condition == block.condition) {
                Some(at) => at,
                None => {
                    cells.push((block.condition, Vec::new(), vec![Vec::new(); phases.len()]));
                    cells.len() - 1
                }
            };
            cells[at].1.extend(measured);
            for (all, outcome) in cells[at].2.iter_mut().zip(&outcomes) {
                all.extend(&outcome.latencies);
            }
        }
        let cells =
            cells.into_iter().map(|(condition, measured, modelled)| cell(condition, measured, modelled));
        Self { schema: Self::SCHEMA, phases: phases.len(), cells: cells.collect(), blocks }
    }
}

fn scenario_of(records: &Records, block: &Block, kernel: Kernel) -> Option<Scenario> {
    let bandwidth = block.observed.bandwidth?.to_bandwidth().ok()?;
    bandwidth.quota().limited()?;
    let times = block.frames.intended_ns.iter().zip(&block.frames.cpu_ns);
    let jobs = times.map(|(&at, &cpu)| (Nanos::new(at), Nanos::new(cpu))).collect();
    let threads = records.plan.encode.threads;
    let load = Recorded { threads, serial: if threads > 1 { SERIAL } else { 0.0 }, ..Recorded::new(jobs) };
    let weight = |share: Option<ObservedShare>| match share {
        Some(ObservedShare::Shares(weight) | ObservedShare::Weight(weight)) => weight,
        None => 100,
    };
    let cpus = |set: &Option<CpuSet>| set.clone().filter(|set| !set.is_empty());
    let neighbours = block.neighbour.iter().map(|neighbour| scenario::Neighbour {
        pattern: Pattern::Hog { threads: neighbour.threads },
        bandwidth: Bandwidth::unlimited(),
        weight: weight(neighbour.observed.share),
        cpus: cpus(&neighbour.observed.cpus),
    });
    let scenario = Scenario {
        kernel,
        cpus: u32::try_from(records.machine.online_cpus.len()).unwrap_or(1),
        pattern: Pattern::Recorded(load),
        calls: None,
        bandwidth,
        above: Vec::new(),
        weight: weight(block.observed.share),
        cpuset: cpus(&block.observed.cpus),
        neighbours: neighbours.collect(),
        seed: 1,
        warm_up: Nanos::new(block.measured_from_ns),
        duration: block.interval.wall,
    };
    Some(scenario)
}

fn compare(block: &Block, bandwidth: Bandwidth, outcomes: &[Outcome]) -> Option<BlockAgreement> {
    let measured = block.interval.bandwidth?;
    let periods = measured.nr_periods;
    let spread = |of: &dyn Fn(&Outcome) -> Option<f64>| Spread::of(outcomes.iter().filter_map(of));
    let throttled = spread(&Outcome::throttled)?;
    let has_burst = bandwidth.burst().get() > 0;
    let bursts = block.interval.bursts.filter(|_| has_burst);
    let compared = |kernel: f64, of: &dyn Fn(&Outcome) -> f64| {
        Some(Compared::relative(kernel, spread(&|outcome| Some(of(outcome)))?))
    };
    Some(BlockAgreement {
        index: block.index,
        condition: block.condition,
        use_of_limit: block.interval.cpus_used().unwrap_or(0.0) / bandwidth.cpus()?,
        throttled: Compared::share(measured.nr_throttled as f64 / (periods as f64).max(1.0), throttled),
        bursts: bursts.and_then(|bursts| compared(bursts.nr_bursts as f64, &|o| o.counters.nr_bursts as f64)),
        burst_ms: bursts.and_then(|bursts| {
            compared(bursts.burst.get() as f64 / 1e6, &|outcome| outcome.counters.burst_ns as f64 / 1e6)
        }),
    })
}

fn cell(condition: Condition, mut measured: Vec<f64>, modelled: Vec<Vec<u64>>) -> CellAgreement {
    const NEEDED: usize = 1_000;
    measured.sort_by(f64::total_cmp);
    let p99 =
        |sorted: &[f64]| (sorted.len() >= NEEDED).then(|| quantile::at_fraction(sorted, 0.99)).flatten();
    let modelled = modelled.into_iter().filter_map(|ns| {
        let mut ms: Vec<f64> = ns.into_iter().map(|ns| ns as f64 / 1e6).collect();
        ms.sort_by(f64::total_cmp);
        p99(&ms)
    });
    let model = Spread::of(modelled);
    let p99_ms = p99(&measured).zip(model).map(|(kernel, model)| Compared::relative(kernel, model));
    CellAgreement { condition, frames: measured.len(), p99_ms }
}
