//! From records to their summary: pure, and the same for the same records.
//!
//! Warm-up frames are left out, and tries that were run again; what those counted is said beside. Blocks that were
//! disturbed even so are counted in and marked, since leaving out what looks bad is how a benchmark comes to say what
//! it was meant to say.

mod block;
mod condition;
mod reserve;
pub(crate) mod speed;
pub mod verdict;

use std::collections::BTreeSet;

use crate::{
    plan::Condition,
    record::{Disturbance, Records},
    summary::{Pilots, Row, Summary},
};

pub(crate) use block::measured_frames;
pub use reserve::reserved_cpus;
pub use speed::Unsteady;

/// Steal above which a block is void: the hypervisor took that part of the machine's CPU time. The project's rule
/// for measuring, a convention rather than a measured bound.
pub const VOID_STEAL: f64 = 0.01;

/// CPU use by others above which a block is void. Of the same rule.
pub const VOID_FOREIGN: f64 = 0.05;

/// Whether a block was too much disturbed to stand for its condition.
#[must_use]
pub fn is_void(disturbance: &Disturbance) -> bool {
    disturbance.steal > VOID_STEAL || disturbance.foreign > VOID_FOREIGN
}

/// Summarises a run, a partial one as well.
#[must_use]
pub fn summarise(records: &Records) -> Summary {
    let plan = &records.plan;
    let conditions: BTreeSet<Condition> =
        plan.conditions.iter().copied().chain(records.blocks.iter().map(|block| block.condition)).collect();
    let missed = |condition| records.run.missed.iter().find(|missed| missed.condition == condition);
    let rows: Vec<Row> = conditions
        .into_iter()
        .map(|condition| match (condition::measured(records, condition), missed(condition)) {
            (Some(measured), _) => Row::Measured(Box::new(measured)),
            (None, Some(missed)) => Row::NotProvided { condition, reason: missed.reason.clone() },
            (None, None) => Row::NotRun { condition },
        })
        .collect();
    let provided = plan.conditions.iter().filter(|condition| missed(**condition).is_none()).count() as u64;
    let blocks_planned = provided * u64::from(plan.repetitions);
    let blocks = records.blocks.len() as u64;
    let cut = records.blocks.iter().any(|block| block.partial);
    Summary {
        schema: Summary::SCHEMA.to_owned(),
        plan: plan.name.clone(),
        point: plan.point.clone(),
        item: plan.load.item(),
        seed: plan.seed,
        backend: records.run.backend,
        kernel: records.machine.kernel.clone(),
        partial: records.run.partial || cut || blocks < blocks_planned,
        blocks_planned,
        blocks,
        pilots: pilots(records),
        frame_interval_us: plan.load.deadline_ns().map(|ns| ns as f64 / 1e3),
        period_us: plan.limit.period_us.get(),
        tolerance: plan.limit.tolerance(),
        rows,
    }
}

fn pilots(records: &Records) -> Option<Pilots> {
    let used = || records.pilots.iter().filter_map(|pilot| pilot.interval.cpus_used());
    Some(Pilots {
        count: records.pilots.len() as u64,
        lowest_cpus: used().reduce(f64::min)?,
        highest_cpus: used().reduce(f64::max)?,
    })
}
