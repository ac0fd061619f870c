//! One plan on its way into its folder: what is done, what is left.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Instant,
};

use cgtune_core::{Bandwidth, Micros, MilliCpu, Quota};

use crate::{
    backend::{Backend, Entitlement, RunError},
    order::{Slot, interleaved},
    plan::{Condition, Plan, QuotaRule},
    record::{Block, Missed, Records, RunRecord, Session},
    runner::forecast::Left,
    store::{Folder, StoreError},
    study::Unsteady,
};

/// How often one block is tried at most, so that one stubborn cell does not use up what the others may need.
const TRIES: u32 = 3;

/// A block to come.
#[derive(Debug, Clone, Copy)]
pub(super) struct Try {
    /// Its cell.
    pub(super) slot: Slot,
    /// Which try of it, from 0.
    pub(super) attempt: u32,
}

/// A plan and what has become of it.
#[derive(Debug)]
pub struct Point {
    plan: Plan,
    folder: Folder,
    run: RunRecord,
    /// Of this session; `run` has the seconds of those before.
    began: Instant,
    queue: VecDeque<Try>,
    /// Pilots and blocks so far, each try for itself.
    pilots: u32,
    tries: u32,
    reruns_left: u32,
}

impl Point {
    /// Begins a run: writes plan, machine and run into the folder.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn begin(
        plan: Plan,
        folder: Folder,
        backend: &dyn Backend,
        command: Vec<String>,
    ) -> Result<Self, StoreError> {
        let refused =
            |condition| backend.provides(&plan, condition).err().map(|reason| Missed { condition, reason });
        let run = RunRecord {
            schema: RunRecord::SCHEMA.to_owned(),
            backend: backend.kind(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            command,
            started: now(),
            seconds: 0.0,
            partial: true,
            missed: plan.conditions.iter().copied().filter_map(refused).collect(),
            resumed: Vec::new(),
        };
        folder.write_plan(&plan)?;
        folder.write_machine(&backend.machine())?;
        folder.write_run(&run)?;
        let queue = slots(&plan, &run).map(|slot| Try { slot, attempt: 0 }).collect();
        let reruns_left = plan.reruns;
        Ok(Self { plan, folder, run, began: Instant::now(), queue, pilots: 0, tries: 0, reruns_left })
    }

    /// Goes on with a run that was cut off: whole blocks are kept, one that was interrupted is tried again.
    #[must_use]
    pub fn resume(records: &Records, folder: Folder, command: Vec<String>) -> Self {
        let Records { plan, run, pilots, blocks, set_aside, .. } = records;
        let tries = || blocks.iter().chain(set_aside);
        let session = Session { command, version: env!("CARGO_PKG_VERSION").to_owned(), started: now() };
        let mut run = run.clone();
        run.resumed.push(session);
        run.partial = true;
        // An interrupted try is none that the machine spoilt.
        let reruns = set_aside.iter().filter(|block| !block.partial).count();
        let after = |last: Option<u32>| last.map_or(0, |index| index.saturating_add(1));
        let mut point = Self {
            plan: plan.clone(),
            folder,
            began: Instant::now(),
            queue: VecDeque::new(),
            pilots: after(pilots.iter().map(|pilot| pilot.index).max()),
            tries: after(tries().map(|block| block.index).max()),
            reruns_left: plan.reruns.saturating_sub(u32::try_from(reruns).unwrap_or(u32::MAX)),
            run,
        };
        for slot in slots(plan, &point.run) {
            let of_slot =
                |block: &&Block| (block.condition, block.repetition) == (slot.condition, slot.repetition);
            let attempt = after(tries().filter(of_slot).map(|block| block.attempt).max());
            let again = match blocks.iter().find(|block| of_slot(block) && !block.partial) {
                None => true,
                // It may have been cut off just before the block was run again.
                Some(block) => point.reason_to_repeat(block, records.pilot_of(block)).is_some(),
            };
            if again {
                point.queue.push_back(Try { slot, attempt });
            }
        }
        point
    }

    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Where its records are.
    #[must_use]
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// What cannot be run here.
    pub fn missed(&self) -> impl Iterator<Item = &Missed> {
        self.run.missed.iter()
    }

    /// What is left to do.
    #[must_use]
    pub fn left(&self) -> Left<'_> {
        let repetitions: BTreeSet<u32> = self.queue.iter().map(|next| next.slot.repetition).collect();
        let counted = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Left { plan: &self.plan, blocks: counted(self.queue.len()), repetitions: counted(repetitions.len()) }
    }

    /// Whether blocks of that repetition are left.
    pub(super) fn has(&self, repetition: u32) -> bool {
        self.next(repetition).is_some()
    }

    /// The next block of that repetition.
    pub(super) fn next(&self, repetition: u32) -> Option<Try> {
        self.queue.front().copied().filter(|next| next.slot.repetition == repetition)
    }

    /// The index of the next block.
    pub(super) fn next_index(&self) -> u32 {
        self.tries
    }

    /// The index of the next pilot.
    pub(super) fn next_pilot(&self) -> u32 {
        self.pilots
    }

    /// Writes a pilot.
    pub(super) fn add_pilot(&mut self, pilot: &Block) -> Result<(), StoreError> {
        self.folder.write_pilot(pilot)?;
        self.pilots += 1;
        Ok(())
    }

    /// Writes the block that was next. The reason where it is to be run again: then it is next once more.
    pub(super) fn finish(
        &mut self,
        block: &Block,
        pilot: Option<&Block>,
    ) -> Result<Option<Unsteady>, StoreError> {
        self.folder.write_block(block)?;
        self.tries += 1;
        if block.partial {
            return Ok(None);
        }
        let reason = self.reason_to_repeat(block, pilot);
        if reason.is_none() {
            self.queue.pop_front();
        } else if let Some(next) = self.queue.front_mut() {
            next.attempt += 1;
        }
        Ok(reason)
    }

    /// Why a whole block is to be run again; each counts as one of the plan's reruns.
    fn reason_to_repeat(&mut self, block: &Block, pilot: Option<&Block>) -> Option<Unsteady> {
        let reason = Unsteady::of(block, pilot, &self.plan)
            .filter(|_| self.reruns_left > 0 && block.attempt + 1 < TRIES)?;
        self.reruns_left -= 1;
        Some(reason)
    }

    /// Writes how the run stands.
    pub(super) fn save(&self) -> Result<(), StoreError> {
        let seconds = self.run.seconds + self.began.elapsed().as_secs_f64();
        self.folder.write_run(&RunRecord { seconds, partial: !self.queue.is_empty(), ..self.run.clone() })
    }
}

/// All blocks of the plan that can be run here, in their order.
fn slots(plan: &Plan, run: &RunRecord) -> impl Iterator<Item = Slot> + use<> {
    let missed = |condition: &Condition| run.missed.iter().any(|missed| missed.condition == *condition);
    let conditions: Vec<Condition> =
        plan.conditions.iter().copied().filter(|condition| !missed(condition)).collect();
    interleaved(plan, &conditions).into_iter()
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}

/// Limit and request: the request equals the limit (a Guaranteed pod).
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a few CPUs, in µs"
)]
pub(super) fn entitle(plan: &Plan, pilot: Option<&Block>) -> Result<Entitlement, RunError> {
    let period = plan.limit.period_us;
    let quota = match plan.limit.quota {
        QuotaRule::Fixed { quota_us } => quota_us,
        QuotaRule::OfNeed { headroom } => {
            let cpus = pilot
                .and_then(|pilot| pilot.interval.cpus_used())
                .filter(|&cpus| cpus > 0.0)
                .ok_or(RunError::NoUse)?;
            Micros::new((cpus * headroom * period.get() as f64).round() as u64)
        }
    };
    let limit = Bandwidth::new(Quota::Limited(quota), period, Micros::ZERO)?;
    let request = MilliCpu::new((limit.cpus().unwrap_or(0.0) * 1e3).ceil() as u64);
    Ok(Entitlement { request, limit })
}
