//! Runs plans on a backend: pilots, from which limits follow, and the blocks in their order; those during which the machine did
//! not keep still again. Each block is on disk before the next begins, and a run that was cut off goes on where it stopped.
//!
//! Several plans (the points of an experiment) run side by side: a repetition of each, then the next repetition of each, so that
//! a drift of the machine meets all of them alike.

pub mod forecast;
mod point;

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use cgtune_core::Bandwidth;

use crate::{
    backend::{Backend, BlockOrder, RunError},
    order::{self, Slot},
    plan::{Condition, Plan, PolicyKind},
    record::{Block, Missed},
    study::Unsteady,
};

pub use point::Point;

/// What a run tells while it runs.
pub trait Watcher {
    /// The run begins: so many blocks, so many seconds if none has to be run again.
    fn begin(&mut self, blocks: u32, seconds: f64);
    /// What cannot be run here.
    fn missed(&mut self, missed: &Missed);
    /// The blocks to come are of this point; of a run that has only one nothing is said.
    fn point(&mut self, name: &str);
    /// A pilot begins.
    fn pilot(&mut self);
    /// What follows from it.
    fn limit(&mut self, limit: Bandwidth);
    /// A block begins; so many are done.
    fn block(&mut self, done: u32, condition: Condition);
    /// The block is to be run again, with another pilot before it where there are pilots, which takes so many seconds more.
    fn again(&mut self, condition: Condition, reason: &Unsteady, seconds: f64);
    /// So many seconds into the pilot or block.
    fn tick(&mut self, seconds: f64);
}

/// For so long a pilot of one point serves the others that would run the same. A machine's speed may move within a minute; where
/// it did, the block is found unsteady.
const PILOT_LASTS: Duration = Duration::from_secs(60);

/// Runs what is left of the points. Whether it came to its end, or was stopped before.
///
/// # Errors
/// What kept the run from going on. Blocks measured before are on disk, and the run is marked partial there.
pub fn run(
    points: &mut [Point],
    backend: &mut dyn Backend,
    stop: &AtomicBool,
    watcher: &mut dyn Watcher,
) -> Result<(), RunError> {
    for missed in points.iter().flat_map(Point::missed) {
        watcher.missed(missed);
    }
    let left = || points.iter().map(Point::left);
    watcher.begin(left().map(|left| left.blocks).sum(), forecast::seconds(left()));
    let several = points.len() > 1;
    let mut running = Running { backend, stop, watcher, pilots: Vec::new(), done: 0 };
    let seed = points.first().map_or(0, |point| point.plan().seed);
    for (repetition, order) in (0..).zip(order::rounds(seed, points.len(), repetitions(points))) {
        running.pilots.clear();
        for place in order {
            let point = &mut points[place];
            if several && point.has(repetition) {
                running.watcher.point(point.plan().point.as_deref().unwrap_or_default());
            }
            running.repetition(point, repetition)?;
            if stop.load(Ordering::Relaxed) {
                return points.iter_mut().try_for_each(|point| Ok(point.save()?));
            }
        }
    }
    points.iter_mut().try_for_each(|point| Ok(point.save()?))
}

fn repetitions(points: &[Point]) -> u32 {
    points.iter().map(|point| point.plan().repetitions).max().unwrap_or(0)
}

/// A pilot that others may use.
struct Shared {
    block: Block,
    at: Instant,
    /// Of the point that it was run for.
    plan: Plan,
}

impl Shared {
    fn serves(&self, plan: &Plan) -> bool {
        self.plan.shares_pilots_with(plan) && self.at.elapsed() < PILOT_LASTS
    }
}

/// A run under way.
struct Running<'a> {
    backend: &'a mut dyn Backend,
    stop: &'a AtomicBool,
    watcher: &'a mut dyn Watcher,
    /// Of this repetition.
    pilots: Vec<Shared>,
    /// Blocks that are done, of all points.
    done: u32,
}

impl Running<'_> {
    /// All blocks that a point has left of a repetition, until done or stopped.
    fn repetition(&mut self, point: &mut Point, repetition: u32) -> Result<(), RunError> {
        let mut pilot: Option<Block> = None;
        while let Some(next) = point.next(repetition) {
            let plan = point.plan().clone();
            if plan.has_pilots() && pilot.is_none() {
                pilot = self.pilot(point, repetition)?;
                if pilot.is_none() {
                    break;
                }
            }
            point.save()?;
            self.watcher.block(self.done, next.slot.condition);
            let order = BlockOrder {
                plan: &plan,
                load: &plan.load,
                index: point.next_index(),
                slot: next.slot,
                attempt: next.attempt,
                pilot: pilot.as_ref().map(|pilot| pilot.index),
                entitlement: Some(point::entitle(&plan, pilot.as_ref())?),
            };
            let block = self.backend.run(&order, self.stop, &mut |seconds| self.watcher.tick(seconds))?;
            let Some(block) = block else { break };
            let reason = point.finish(&block, pilot.as_ref())?;
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            if let Some(reason) = reason {
                let seconds = plan.block_seconds() * if pilot.is_some() { 2.0 } else { 1.0 };
                self.watcher.again(next.slot.condition, &reason, seconds);
                pilot = None;
                self.pilots.retain(|shared| !shared.serves(&plan));
            } else {
                self.done += 1;
            }
        }
        Ok(())
    }

    /// A block without any policy, over the pictures of the blocks to come: what the load needs on this machine now. One of
    /// another point's serves as well, if it is fresh.
    fn pilot(&mut self, point: &mut Point, repetition: u32) -> Result<Option<Block>, RunError> {
        let plan = point.plan().clone();
        let index = point.next_pilot();
        let shared = self.pilots.iter().find(|shared| shared.serves(&plan));
        let pilot = match shared {
            Some(shared) => Block { index, pilot: Some(index), ..shared.block.clone() },
            None => {
                self.watcher.pilot();
                let slot = Slot {
                    condition: Condition { policy: PolicyKind::Shares, neighbour: false },
                    repetition,
                };
                let order = BlockOrder {
                    plan: &plan,
                    load: plan.pilot_load(),
                    index,
                    slot,
                    attempt: 0,
                    pilot: Some(index),
                    entitlement: None,
                };
                let block = self.backend.run(&order, self.stop, &mut |seconds| self.watcher.tick(seconds))?;
                let Some(pilot) = block.filter(|block| !block.partial) else { return Ok(None) };
                self.pilots.push(Shared { block: pilot.clone(), at: Instant::now(), plan: plan.clone() });
                pilot
            }
        };
        point.add_pilot(&pilot)?;
        self.watcher.limit(point::entitle(&plan, Some(&pilot))?.limit);
        Ok(Some(pilot))
    }
}
