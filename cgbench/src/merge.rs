//! Joining runs of the same plan on the same machine: more blocks of the same.

use crate::{
    differences::{Differing, between_machines, of_plans},
    plan::Plan,
    record::{Block, Records, RunRecord},
};

/// Why runs cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// None.
    #[error("there is no run to merge")]
    Nothing,
    /// Another machine, plan or backend.
    #[error("run {place} is of another {what}: {}", differences.join("; "))]
    Differs {
        /// Which run, from 1.
        place: usize,
        /// `machine`, `plan` or `backend`.
        what: &'static str,
        /// What differs, with both values.
        differences: Vec<String>,
    },
}

/// All their pilots and blocks in one run, the later ones' repetitions after those of the earlier.
///
/// The seed may differ: it says which pictures and starts come when. Whose repetitions are where is kept in the plan.
///
/// # Errors
/// [`MergeError`]
pub fn merge(runs: Vec<Records>, command: Vec<String>) -> Result<Records, MergeError> {
    let mut runs = runs.into_iter();
    let mut merged = runs.next().ok_or(MergeError::Nothing)?;
    merged.plan.merged = merged.plan.parts();
    let mut tries: Vec<Block> = merged.blocks.drain(..).chain(merged.set_aside.drain(..)).collect();
    for (place, run) in (2..).zip(runs) {
        comparable(place, &merged, &run)?;
        let after = |last: Option<u32>| last.map_or(0, |last| last.saturating_add(1));
        let index = after(tries.iter().map(|block| block.index).max());
        let pilot = after(merged.pilots.iter().map(|pilot| pilot.index).max());
        let repetition = merged.plan.repetitions;
        let moved = |block: Block, first: u32| Block {
            index: block.index.saturating_add(first),
            pilot: block.pilot.map(|index| index.saturating_add(pilot)),
            repetition: block.repetition.saturating_add(repetition),
            ..block
        };
        tries.extend(run.blocks.into_iter().chain(run.set_aside).map(|block| moved(block, index)));
        merged.pilots.extend(run.pilots.into_iter().map(|block| moved(block, pilot)));
        merged.plan.merged.extend(run.plan.parts());
        merged.plan.repetitions = merged.plan.repetitions.saturating_add(run.plan.repetitions);
        merged.plan.reruns = merged.plan.reruns.saturating_add(run.plan.reruns);
        merged.run.seconds += run.run.seconds;
        merged.run.partial |= run.run.partial;
        merged.run.started = merged.run.started.min(run.run.started);
    }
    let Records { plan, machine, run, pilots, doctor, .. } = merged;
    Ok(Records { doctor, ..Records::new(plan, machine, RunRecord { command, ..run }, pilots, tries) })
}

fn comparable(place: usize, one: &Records, other: &Records) -> Result<(), MergeError> {
    let differs = |what, differences: Vec<String>| {
        if differences.is_empty() { Ok(()) } else { Err(MergeError::Differs { place, what, differences }) }
    };
    let backends = (one.run.backend, other.run.backend);
    let named = (backends.0 != backends.1).then(|| format!("{:?} and {:?}", backends.0, backends.1));
    differs("backend", named.into_iter().collect())?;
    differs("machine", between_machines(&one.machine, &other.machine))?;
    differs("plan", plan_differences(&one.plan, &other.plan))?;
    differs("machine", missed_differences(one, other))
}

/// What tells two plans apart but for seeds, repetitions and reruns.
fn plan_differences(one: &Plan, other: &Plan) -> Vec<String> {
    let matters = |differing: &&Differing| {
        differing.last() != "seed" && !["repetitions", "reruns", "merged"].contains(&differing.first())
    };
    of_plans(one, other).iter().filter(matters).map(ToString::to_string).collect()
}

fn missed_differences(one: &Records, other: &Records) -> Vec<String> {
    let missed = |records: &Records| {
        records.run.missed.iter().map(|missed| missed.condition.to_string()).collect::<Vec<_>>().join(", ")
    };
    let (a, b) = (missed(one), missed(other));
    if a == b { Vec::new() } else { vec![format!("not provided: \"{a}\" and \"{b}\"")] }
}
