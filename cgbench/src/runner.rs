//! Runs a plan on a backend: pilots, from which the quota follows, and the blocks in their order; those during which
//! the machine did not keep still again. Each block is on disk before the next begins.

use std::{
    collections::VecDeque,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

use cgtune_core::{Bandwidth, Micros, MilliCpu, Quota};

use crate::{
    backend::{Backend, BlockOrder, Entitlement, RunError},
    order::{Slot, interleaved},
    plan::{Condition, Plan, PolicyKind},
    record::{Block, Missed, RunRecord},
    store::Folder,
    study::Unsteady,
};

/// What a run tells while it runs.
pub trait Watcher {
    /// The run begins: so many seconds if no block has to be run again, and what cannot be run here.
    fn begin(&mut self, blocks: u32, seconds: f64, missed: &[Missed]);
    /// A pilot begins.
    fn pilot(&mut self);
    /// What follows from it.
    fn limit(&mut self, limit: Bandwidth);
    /// A block begins; so many are done.
    fn block(&mut self, done: u32, condition: Condition);
    /// The block is to be run again, with another pilot before it, which takes so many seconds more.
    fn again(&mut self, condition: Condition, reason: &Unsteady, seconds: f64);
    /// So many seconds into the pilot or block.
    fn tick(&mut self, seconds: f64);
}

/// How often one block is tried at most, so that one stubborn cell does not use up what the others may need.
const TRIES: u32 = 3;

/// Runs the plan and writes plan, machine, run, pilots and blocks into the folder.
///
/// # Errors
/// What kept the run from going on. Blocks measured before are on disk, and the run is marked partial there.
pub fn run(
    plan: &Plan,
    backend: &mut dyn Backend,
    folder: &Folder,
    command: Vec<String>,
    stop: &AtomicBool,
    watcher: &mut dyn Watcher,
) -> Result<RunRecord, RunError> {
    let began = Instant::now();
    let started = jiff::Timestamp::now().to_string();
    let mut missed = Vec::new();
    let mut conditions = Vec::new();
    for &condition in &plan.conditions {
        match backend.provides(plan, condition) {
            Ok(()) => conditions.push(condition),
            Err(reason) => missed.push(Missed { condition, reason }),
        }
    }
    folder.write_plan(plan)?;
    folder.write_machine(&backend.machine())?;
    let mut record = RunRecord {
        schema: RunRecord::SCHEMA.to_owned(),
        backend: backend.kind(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        command,
        started,
        seconds: 0.0,
        partial: true,
        missed,
    };
    folder.write_run(&record)?;

    let slots = interleaved(plan, &conditions);
    let count = u32::try_from(slots.len()).unwrap_or(u32::MAX);
    let pilots = if slots.is_empty() { 0 } else { plan.repetitions };
    watcher.begin(count, f64::from(count.saturating_add(pilots)) * plan.block_seconds(), &record.missed);
    Running { plan, backend, folder, stop, watcher, pilots: 0, tries: 0, reruns_left: plan.reruns }
        .run(slots, &mut || {
            folder.write_run(&RunRecord { seconds: began.elapsed().as_secs_f64(), ..record.clone() })
        })?;
    record.partial = stop.load(Ordering::Relaxed);
    record.seconds = began.elapsed().as_secs_f64();
    folder.write_run(&record)?;
    Ok(record)
}

/// A block to come.
struct Try {
    slot: Slot,
    attempt: u32,
}

/// A run under way.
struct Running<'a> {
    plan: &'a Plan,
    backend: &'a mut dyn Backend,
    folder: &'a Folder,
    stop: &'a AtomicBool,
    watcher: &'a mut dyn Watcher,
    /// Pilots so far.
    pilots: u32,
    /// Blocks so far, each try for itself.
    tries: u32,
    reruns_left: u32,
}

impl Running<'_> {
    /// All slots, until done or stopped. `save` is called before each block.
    fn run(
        &mut self,
        slots: Vec<Slot>,
        save: &mut dyn FnMut() -> Result<(), crate::store::StoreError>,
    ) -> Result<(), RunError> {
        let mut queue: VecDeque<Try> = slots.into_iter().map(|slot| Try { slot, attempt: 0 }).collect();
        let mut pilot: Option<Block> = None;
        let mut done = 0;
        while let Some(Try { slot, attempt }) = queue.pop_front() {
            let current = match pilot.take().filter(|pilot| pilot.repetition == slot.repetition) {
                Some(pilot) => pilot,
                None => match self.pilot(slot.repetition)? {
                    Some(pilot) => pilot,
                    None => break,
                },
            };
            save()?;
            self.watcher.block(done, slot.condition);
            let Some(block) = self.block(slot, attempt, &current)? else { break };
            self.folder.write_block(&block)?;
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            let reason = Unsteady::of(&block, &current, self.plan)
                .filter(|_| self.reruns_left > 0 && attempt + 1 < TRIES);
            if let Some(reason) = reason {
                self.reruns_left -= 1;
                self.watcher.again(slot.condition, &reason, 2.0 * self.plan.block_seconds());
                queue.push_front(Try { slot, attempt: attempt + 1 });
            } else {
                done += 1;
                pilot = Some(current);
            }
        }
        Ok(())
    }

    /// A block without any policy, over the pictures of the blocks to come: what the load needs on this machine now.
    fn pilot(&mut self, repetition: u32) -> Result<Option<Block>, RunError> {
        self.watcher.pilot();
        let slot = Slot { condition: Condition { policy: PolicyKind::Shares, neighbour: false }, repetition };
        let (index, attempt) = (self.pilots, 0);
        let order = BlockOrder { plan: self.plan, index, slot, attempt, pilot: index, entitlement: None };
        let block = self.backend.run(&order, self.stop, &mut |seconds| self.watcher.tick(seconds))?;
        let Some(pilot) = block.filter(|block| !block.partial) else { return Ok(None) };
        self.folder.write_pilot(&pilot)?;
        self.pilots += 1;
        self.watcher.limit(entitle(&pilot, self.plan)?.limit);
        Ok(Some(pilot))
    }

    fn block(&mut self, slot: Slot, attempt: u32, pilot: &Block) -> Result<Option<Block>, RunError> {
        let entitlement = Some(entitle(pilot, self.plan)?);
        let order =
            BlockOrder { plan: self.plan, index: self.tries, slot, attempt, pilot: pilot.index, entitlement };
        self.tries += 1;
        self.backend.run(&order, self.stop, &mut |seconds| self.watcher.tick(seconds))
    }
}

/// Quota and request from the measured use: the limit is `headroom` × use, and the request equals it (a Guaranteed pod).
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a few CPUs, in µs"
)]
fn entitle(pilot: &Block, plan: &Plan) -> Result<Entitlement, RunError> {
    let cpus = pilot.interval.cpus_used().filter(|&cpus| cpus > 0.0).ok_or(RunError::NoUse)?;
    let limit = cpus * plan.limit.headroom;
    let quota = Micros::new((limit * plan.limit.period_us.get() as f64).round() as u64);
    Ok(Entitlement {
        request: MilliCpu::new((limit * 1e3).ceil() as u64),
        limit: Bandwidth::new(Quota::Limited(quota), plan.limit.period_us, Micros::ZERO)?,
    })
}
