//! Does the model predict the kernel? The CPU times that were measured go through the model under the same limit; what comes out
//! is compared with the counters and latencies of the same block.
//!
//! Not a fit: nothing of the model is set by what is compared. What is not known (where periods and ticks began) is tried at many
//! phases, and the kernel's number should lie in the range that comes of them, give or take a [`Slack`].
//!
//! [`grid`] is what is measured for this; the comparison takes any run.

mod compared;
pub mod grid;
mod miss;
mod scenario;
mod verdict;

use cgtune_core::{
    Bandwidth,
    sim::{Kernel, Latencies, Outcome, Phases, Spread},
};
use serde::Serialize;

pub use compared::{Compared, Slack};
pub use miss::{Metric, Miss, Reason};
pub use verdict::{Tally, Verdict};

use crate::{
    plan::{Condition, EncodeLoad, Item, Load, Plan, ServiceLoad},
    record::{Block, Records},
    stats::{Level, quantile},
};
use miss::Circumstances;

/// What load under what limit a run is about.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Setting {
    /// What a latency is of.
    pub item: Item,
    /// Frames, or requests, a second.
    pub fps: f64,
    /// Part of the time between two that one's CPU time was calibrated to.
    pub share: f64,
    /// Threads that share a frame.
    pub threads: u32,
    /// The period.
    pub period_us: u64,
    /// Quota over what the load was measured to need.
    pub headroom: f64,
}

impl Setting {
    /// Of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let (fps, share) = match &plan.load {
            Load::Encode(EncodeLoad { share, clock, .. }) => {
                (f64::from(clock.fps_num) / f64::from(clock.fps_den.max(1)), *share)
            }
            Load::Service(ServiceLoad { service, .. }) => {
                let every = service.arrivals.every_ns() as f64;
                (1e9 / every, service.demand_ns as f64 / every)
            }
        };
        Self {
            item: plan.load.item(),
            fps,
            share,
            threads: plan.load.threads(),
            period_us: plan.limit.period_us.get(),
            headroom: plan.limit.tolerance(),
        }
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
    /// The kernel that it was run on, as `uname -r` has it.
    pub kernel: String,
    /// What was run.
    pub setting: Setting,
    /// Ways to begin that were tried.
    pub phases: usize,
    /// Blocks with a limit.
    pub blocks: Vec<BlockAgreement>,
    /// Cells with a limit.
    pub cells: Vec<CellAgreement>,
    /// What of these does not agree.
    pub misses: Vec<Miss>,
}

impl Agreement {
    /// The schema that this version writes.
    pub const SCHEMA: &'static str = "cgbench.agree/1";

    /// Plays a run's limited blocks through the model.
    #[must_use]
    pub fn of(records: &Records, kernel: Kernel, phases: &[Phases]) -> Self {
        let (mut blocks, mut misses) = (Vec::new(), Vec::new());
        let mut cells: Vec<Cell> = Vec::new();
        for block in records.blocks.iter().filter(|block| !block.partial) {
            let Some((bandwidth, scenario)) = scenario::of(records, block, kernel) else { continue };
            let outcomes = scenario.run(phases);
            let Some(compared) = compare(block, bandwidth, &outcomes) else { continue };
            let seen = Circumstances::of(records, block, &compared.throttled);
            misses.extend(compared.misses(&seen));
            blocks.push(compared);
            match cells.iter_mut().find(|cell| cell.condition == block.condition) {
                Some(cell) => cell.add(block, &outcomes, seen),
                None => cells.push(Cell::new(block, &outcomes, seen)),
            }
        }
        let cells: Vec<CellAgreement> = cells
            .into_iter()
            .map(|cell| {
                let seen = cell.seen;
                let agreement = cell.compare();
                misses.extend(agreement.miss(&seen));
                agreement
            })
            .collect();
        let setting = Setting::of(&records.plan);
        let kernel = records.machine.kernel.clone();
        Self { schema: Self::SCHEMA, kernel, setting, phases: phases.len(), blocks, cells, misses }
    }
}

impl BlockAgreement {
    fn misses(&self, seen: &Circumstances) -> impl Iterator<Item = Miss> {
        let all = [
            (Metric::Throttled, Some(self.throttled)),
            (Metric::Bursts, self.bursts),
            (Metric::BurstMs, self.burst_ms),
        ];
        all.into_iter().filter_map(move |(metric, compared)| {
            let compared = compared.filter(|compared| !compared.agrees)?;
            let (condition, block) = (self.condition, Some(self.index));
            Some(Miss { condition, block, metric, compared, reason: seen.reason(metric) })
        })
    }
}

impl CellAgreement {
    fn miss(&self, seen: &Circumstances) -> Option<Miss> {
        let compared = self.p99_ms.filter(|p99| !p99.agrees)?;
        let metric = Metric::P99Ms;
        let reason = seen.reason(metric);
        Some(Miss { condition: self.condition, block: None, metric, compared, reason })
    }
}

fn compare(block: &Block, bandwidth: Bandwidth, outcomes: &[Outcome]) -> Option<BlockAgreement> {
    let measured = block.interval.bandwidth?;
    let share = measured.nr_throttled as f64 / measured.nr_periods.max(1) as f64;
    let throttled = Spread::of(outcomes.iter().filter_map(Outcome::throttled))?;
    let bursts = block.interval.bursts.filter(|_| bandwidth.burst().get() > 0);
    let compared = |kernel: f64, slack, of: fn(&Outcome) -> f64| {
        Some(Compared::new(kernel, Spread::of(outcomes.iter().map(of))?, slack))
    };
    Some(BlockAgreement {
        index: block.index,
        condition: block.condition,
        use_of_limit: block.interval.cpus_used().unwrap_or(0.0) / bandwidth.cpus()?,
        throttled: Compared::new(share, throttled, Slack::THROTTLED),
        bursts: bursts.and_then(|bursts| {
            compared(bursts.nr_bursts as f64, Slack::BURSTS, |outcome| outcome.counters.nr_bursts as f64)
        }),
        burst_ms: bursts.and_then(|bursts| {
            compared(bursts.burst.get() as f64 / 1e6, Slack::BURST_MS, |outcome| {
                outcome.counters.burst_ns as f64 / 1e6
            })
        }),
    })
}

/// The latencies of a cell, block after block.
struct Cell {
    condition: Condition,
    /// Measured, in ms.
    kernel: Vec<f64>,
    /// Of the model, phase by phase.
    model: Vec<Latencies>,
    seen: Circumstances,
}

impl Cell {
    fn new(block: &Block, outcomes: &[Outcome], seen: Circumstances) -> Self {
        let model = vec![Latencies::default(); outcomes.len()];
        let mut cell = Self { condition: block.condition, kernel: Vec::new(), model, seen };
        cell.add(block, outcomes, seen);
        cell
    }

    fn add(&mut self, block: &Block, outcomes: &[Outcome], seen: Circumstances) {
        let ms = |ns: u64| ns as f64 / 1e6;
        self.kernel.extend(block.frames.latencies_ns().skip(block.warmup_frames as usize).map(ms));
        for (all, outcome) in self.model.iter_mut().zip(outcomes) {
            all.merge(&outcome.latencies);
        }
        self.seen = self.seen.and(seen);
    }

    fn compare(mut self) -> CellAgreement {
        self.kernel.sort_by(f64::total_cmp);
        let kernel = quantile::of_sorted(&self.kernel, Level::P99);
        let p99 = |latencies: &Latencies| Some(latencies.quantile(Level::P99.fraction())?.get() as f64 / 1e6);
        let model = Spread::of(self.model.iter().filter_map(p99));
        let p99_ms = kernel.zip(model).map(|(kernel, model)| Compared::new(kernel, model, Slack::LATENCY));
        CellAgreement { condition: self.condition, frames: self.kernel.len(), p99_ms }
    }
}
