//! Which blocks are run again, how often, and which of their tries count. The blocks are the toy's; the machine that
//! slows down is a script.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a toy's nanoseconds"
)]

mod toy;

use std::sync::atomic::AtomicBool;

use cgbench::{
    backend::{Backend, BlockOrder, RunError},
    plan::{Condition, Plan, PolicyKind},
    record::{BackendKind, Block, Machine, Missed, Records},
    runner::{self, Point, Watcher},
    store, study,
};
use cgtune_core::Bandwidth;

/// Runs toy blocks on a machine whose speed follows a script: pilots and blocks alike, in the order in which they run.
struct Scripted<'a> {
    /// CPU time over that of a quiet machine; quiet when the script has ended.
    speeds: std::slice::Iter<'a, f64>,
}

impl Backend for Scripted<'_> {
    fn kind(&self) -> BackendKind {
        BackendKind::Kernel
    }

    fn machine(&self) -> Machine {
        toy::machine()
    }

    fn provides(&self, _: &Plan, _: Condition) -> Result<(), String> {
        Ok(())
    }

    fn run(
        &mut self,
        order: &BlockOrder<'_>,
        _: &AtomicBool,
        _: &mut dyn FnMut(f64),
    ) -> Result<Option<Block>, RunError> {
        let mut block = toy::block(order.plan, order.index, order.slot.condition, order.slot.repetition);
        let speed = self.speeds.next().copied().unwrap_or(1.0);
        block.frames.cpu_ns.iter_mut().for_each(|ns| *ns = (*ns as f64 * speed) as u64);
        (block.attempt, block.pilot) = (order.attempt, order.pilot);
        Ok(Some(block))
    }
}

#[derive(Default)]
struct Heard {
    pilots: u32,
    again: Vec<String>,
}

impl Watcher for Heard {
    fn begin(&mut self, _: u32, _: f64) {}
    fn missed(&mut self, _: &Missed) {}
    fn point(&mut self, _: &str) {}
    fn pilot(&mut self) {
        self.pilots += 1;
    }
    fn limit(&mut self, _: Bandwidth) {}
    fn block(&mut self, _: u32, _: Condition) {}
    fn again(&mut self, condition: Condition, reason: &study::Unsteady, _: f64) {
        self.again.push(format!("{condition}: {reason}"));
    }
    fn tick(&mut self, _: f64) {}
}

/// Runs two repetitions of one condition under the script; what was heard, and what lies in the folder.
fn run(speeds: &[f64], reruns: u32) -> (Heard, Records) {
    let mut plan = toy::records(1, 60).plan;
    plan.conditions = vec![Condition { neighbour: false, policy: PolicyKind::Limit }];
    (plan.repetitions, plan.reruns) = (2, reruns);
    let dir = tempfile::tempdir().unwrap();
    let folder = store::Folder::create(dir.path()).unwrap();
    let mut heard = Heard::default();
    let mut backend = Scripted { speeds: speeds.iter() };
    let stop = AtomicBool::new(false);
    let point = Point::begin(plan, folder, &backend, vec!["toy".into()]).unwrap();
    runner::run(&mut [point], &mut backend, &stop, &mut heard).unwrap();
    (heard, store::read(dir.path()).unwrap())
}

fn attempts(blocks: &[Block]) -> Vec<(u32, u32, u32)> {
    blocks.iter().map(|block| (block.repetition, block.attempt, block.pilot.unwrap())).collect()
}

#[test]
fn on_a_steady_machine_nothing_is_run_again() {
    let (heard, records) = run(&[], 10);
    assert_eq!((heard.pilots, heard.again.len()), (2, 0));
    assert_eq!(attempts(&records.blocks), [(0, 0, 0), (1, 0, 1)]);
    assert_eq!(records.set_aside, []);
}

#[test]
fn a_block_on_a_slower_machine_is_run_again_after_a_new_pilot_and_its_last_try_counts() {
    let (heard, records) = run(&[1.0, 1.2], 10);
    assert_eq!(heard.pilots, 3);
    assert!(heard.again[0].starts_with("limit: the same pictures took 1.20 ×"), "{:?}", heard.again);
    assert_eq!(attempts(&records.blocks), [(0, 1, 1), (1, 0, 2)]);
    assert_eq!(attempts(&records.set_aside), [(0, 0, 0)]);
    let summary = study::summarise(&records);
    let limit = summary.all_measured().next().unwrap();
    let aside = limit.set_aside.unwrap();
    assert_eq!((aside.tries, limit.moved_blocks, limit.frames), (1, 0, 120));
    assert!(aside.nr_periods > 0);
    assert!(!summary.partial);
}

#[test]
fn a_pilot_in_a_slow_moment_is_found_by_the_block_after_it() {
    let (heard, records) = run(&[1.3], 10);
    assert_eq!(heard.again.len(), 1);
    assert_eq!(attempts(&records.blocks), [(0, 1, 1), (1, 0, 2)]);
}

#[test]
fn the_bounds_hold_and_what_stays_unsteady_is_counted_and_marked() {
    // Each block is slower than the pilot before it, for ever.
    let worse: Vec<f64> = (0..40).map(|i| if i % 2 == 0 { 1.0 } else { 1.5 }).collect();
    let (heard, records) = run(&worse, 10);
    assert_eq!(heard.again.len(), 4, "three tries for each of two blocks");
    assert_eq!(attempts(&records.blocks).iter().map(|a| a.1).collect::<Vec<_>>(), [2, 2]);
    assert_eq!(study::summarise(&records).all_measured().next().unwrap().moved_blocks, 2);
    let (heard, records) = run(&worse, 1);
    assert_eq!(heard.again.len(), 1, "one for the whole run");
    assert_eq!(records.blocks.len(), 2);
    let (heard, _) = run(&worse, 0);
    assert_eq!(heard.again.len(), 0);
}

#[test]
fn an_interrupted_try_does_not_take_the_place_of_a_whole_one() {
    let (_, records) = run(&[1.0, 1.2], 10);
    let mut tries: Vec<Block> = records.blocks.iter().chain(&records.set_aside).cloned().collect();
    tries.iter_mut().filter(|block| block.attempt == 1).for_each(|block| block.partial = true);
    let again = Records::new(records.plan, records.machine, records.run, records.pilots, tries);
    assert_eq!(attempts(&again.blocks), [(0, 0, 0), (1, 0, 2)]);
}
