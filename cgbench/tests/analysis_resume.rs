//! A run that was cut off anywhere goes on where it stopped, and several points run side by side. The blocks are the toy's.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a toy's nanoseconds"
)]

mod toy;

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
};

use cgbench::{
    backend::{Backend, BlockOrder, RunError},
    merge,
    plan::{Condition, Plan, PolicyKind},
    record::{BackendKind, Block, Machine, Missed, Records},
    runner::{self, Point, Watcher},
    store::{self, Folder, StoreError},
    study,
};
use cgtune_core::Bandwidth;

/// Runs toy blocks, and cuts the last of them short.
struct Toy {
    /// So many blocks and pilots are left before the run is stopped in the middle of the next.
    left: usize,
    ran: Vec<Option<String>>,
}

impl Backend for Toy {
    fn kind(&self) -> BackendKind {
        BackendKind::Kernel
    }

    fn machine(&self) -> Machine {
        toy::machine()
    }

    fn provides(&self, _: &Plan, condition: Condition) -> Result<(), String> {
        if condition.policy == PolicyKind::Pinned { Err("a toy has no CPUs".to_owned()) } else { Ok(()) }
    }

    fn run(
        &mut self,
        order: &BlockOrder<'_>,
        stop: &AtomicBool,
        _: &mut dyn FnMut(f64),
    ) -> Result<Option<Block>, RunError> {
        let mut block = toy::block(order.plan, order.index, order.slot.condition, order.slot.repetition);
        (block.attempt, block.pilot) = (order.attempt, order.pilot);
        if self.left == 0 {
            stop.store(true, Ordering::Relaxed);
            block.partial = true;
        }
        self.left = self.left.saturating_sub(1);
        if order.entitlement.is_some() {
            self.ran.push(order.plan.point.clone());
        }
        Ok(Some(block))
    }
}

struct Deaf;

impl Watcher for Deaf {
    fn begin(&mut self, _: u32, _: f64) {}
    fn missed(&mut self, _: &Missed) {}
    fn point(&mut self, _: &str) {}
    fn pilot(&mut self) {}
    fn limit(&mut self, _: Bandwidth) {}
    fn block(&mut self, _: u32, _: Condition) {}
    fn again(&mut self, _: Condition, _: &study::Unsteady, _: f64) {}
    fn tick(&mut self, _: f64) {}
}

fn plan(point: Option<&str>) -> Plan {
    let mut plan = toy::records(1, 40).plan;
    plan.point = point.map(str::to_owned);
    plan.conditions = [PolicyKind::Shares, PolicyKind::Limit, PolicyKind::Pinned]
        .map(|policy| Condition { neighbour: false, policy })
        .to_vec();
    plan.repetitions = 3;
    plan
}

fn begin(plan: Plan, path: &Path) -> Point {
    let toy = Toy { left: 0, ran: Vec::new() };
    Point::begin(plan, Folder::create(path).unwrap(), &toy, vec!["toy".into()]).unwrap()
}

/// Runs so many blocks and pilots, and one more in part. Whether it came to its end, and which points ran in which order.
fn run(points: &mut [Point], left: usize) -> (bool, Vec<Option<String>>) {
    let stop = AtomicBool::new(false);
    let mut backend = Toy { left, ran: Vec::new() };
    runner::run(points, &mut backend, &stop, &mut Deaf).unwrap();
    (!stop.load(Ordering::Relaxed), backend.ran)
}

fn resumed(path: &Path) -> Point {
    let folder = Folder::open(path);
    folder.clear().unwrap();
    Point::resume(&store::read(path).unwrap(), folder, vec!["toy".into(), "--resume".into()])
}

fn cells(records: &Records) -> BTreeSet<(Condition, u32)> {
    records.blocks.iter().map(|block| (block.condition, block.repetition)).collect()
}

#[test]
fn a_run_that_is_stopped_anywhere_goes_on_to_the_same_blocks() {
    // Three repetitions of a pilot and two blocks; the third policy is not provided.
    for stopped_after in 0..9 {
        let dir = tempfile::tempdir().unwrap();
        let mut point = begin(plan(None), dir.path());
        assert_eq!(run(std::slice::from_mut(&mut point), stopped_after), (false, run_of(stopped_after)));
        let before = store::read(dir.path()).unwrap();
        assert!(before.run.partial);
        let mut point = resumed(dir.path());
        assert!(run(std::slice::from_mut(&mut point), usize::MAX).0);
        let records = store::read(dir.path()).unwrap();
        assert_eq!(cells(&records).len(), 6, "stopped after {stopped_after}");
        assert!(records.blocks.iter().all(|block| !block.partial) && !records.run.partial);
        assert_eq!(records.run.missed.len(), 1);
        assert_eq!(records.run.resumed.len(), 1);
        for block in before.blocks.iter().filter(|block| !block.partial) {
            assert!(records.blocks.contains(block), "a finished block is kept as it was");
        }
        // There is nothing left to do, and doing it again changes nothing.
        let mut point = resumed(dir.path());
        assert_eq!(point.left().blocks, 0);
        assert!(run(std::slice::from_mut(&mut point), usize::MAX).0);
        assert_eq!(cells(&store::read(dir.path()).unwrap()), cells(&records));
    }
}

/// What ran when it was stopped after so many: each third is a pilot.
fn run_of(stopped_after: usize) -> Vec<Option<String>> {
    vec![None; (0..=stopped_after).filter(|ran| ran % 3 != 0).count()]
}

#[test]
fn whatever_file_a_killed_writer_was_at_the_folder_can_be_gone_on_with() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    run(&mut [begin(plan(None), &whole)], usize::MAX);
    let sums = fs::read_to_string(whole.join("SHA256SUMS")).unwrap();
    let last = "blocks/005-";
    let name =
        fs::read_dir(whole.join("blocks")).unwrap().map(|entry| entry.unwrap().file_name()).max().unwrap();
    let without: String =
        sums.lines().filter(|line| !line.contains(last)).map(|line| format!("{line}\n")).collect();
    assert_ne!(sums, without);
    // Killed after the record, before its sum; and while it wrote the next.
    fs::write(whole.join("SHA256SUMS"), &without).unwrap();
    fs::write(whole.join("blocks/.writing-x1y2z3"), "{\"schema\": \"cgb").unwrap();
    let point = resumed(&whole);
    assert_eq!(point.left().blocks, 0);
    assert_eq!(fs::read_to_string(whole.join("SHA256SUMS")).unwrap(), sums, "listed again");
    assert!(!whole.join("blocks/.writing-x1y2z3").exists());
    // Killed before the record.
    fs::write(whole.join("SHA256SUMS"), &without).unwrap();
    fs::remove_file(whole.join("blocks").join(name)).unwrap();
    assert_eq!(resumed(&whole).left().blocks, 1);
}

#[test]
fn a_flipped_bit_and_a_lost_record_are_found() {
    let dir = tempfile::tempdir().unwrap();
    run(&mut [begin(plan(None), dir.path())], usize::MAX);
    let path = dir.path().join("plan.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"frames\": 40", "\"frames\": 41", 1)).unwrap();
    let error = store::read(dir.path()).unwrap_err();
    assert!(matches!(&error, StoreError::Altered { path: found, .. } if *found == path), "{error}");
    assert!(error.hint().is_some());
    fs::write(&path, text).unwrap();
    store::read(dir.path()).unwrap();
    let pilot = dir.path().join("pilots/001.json");
    fs::remove_file(&pilot).unwrap();
    let error = store::read(dir.path()).unwrap_err();
    assert!(matches!(&error, StoreError::Lost { path } if *path == pilot), "{error}");
}

#[test]
fn points_take_turns_and_share_their_pilots() {
    let dir = tempfile::tempdir().unwrap();
    let labels = ["a", "b", "c"];
    let mut points: Vec<Point> =
        labels.iter().map(|label| begin(plan(Some(label)), &dir.path().join(label))).collect();
    let (done, ran) = run(&mut points, usize::MAX);
    assert!(done);
    let rounds: Vec<Vec<&str>> = ran
        .chunks(6)
        .map(|round| round.chunks(2).map(|pair| pair[0].as_deref().unwrap()).collect())
        .collect();
    assert_eq!(rounds.len(), 3);
    for round in &rounds {
        assert_eq!(round.iter().collect::<BTreeSet<_>>().len(), 3, "{rounds:?}");
    }
    assert!(rounds[0].iter().eq(rounds[1].iter().rev()), "there and back: {rounds:?}");
    for label in labels {
        let records = store::read(&dir.path().join(label)).unwrap();
        assert_eq!((records.blocks.len(), records.pilots.len()), (6, 3));
        assert!(records.blocks.iter().all(|block| records.pilot_of(block).is_some()));
    }
    // Each runs the same load: one pilot a repetition serves all.
    let first = |label| store::read(&dir.path().join(label)).unwrap().pilots[0].frames.clone();
    assert_eq!(first("a"), first("b"));
}

#[test]
fn runs_of_one_plan_merge_and_others_do_not() {
    let (one, two) = (toy::records(2, 40), toy::records(3, 40));
    let merged = merge::merge(vec![one.clone(), two.clone()], vec!["merge".into()]).unwrap();
    assert_eq!(merged.plan.repetitions, 5);
    assert_eq!(merged.blocks.len(), one.blocks.len() + two.blocks.len());
    assert_eq!(cells(&merged).len(), merged.blocks.len(), "each has a cell of its own");
    assert!(merged.blocks.iter().all(|block| merged.pilot_of(block).is_some()));
    let both = study::summarise(&merged);
    assert_eq!(both.blocks_planned, both.blocks);

    let mut other = two.clone();
    other.machine.kernel = "synthetic (another)".into();
    let error = merge::merge(vec![one.clone(), other], Vec::new()).unwrap_err().to_string();
    assert!(error.contains("run 2 is of another machine: kernel:"), "{error}");
    let mut other = two.clone();
    other.plan.frames = 41;
    let error = merge::merge(vec![one.clone(), other], Vec::new()).unwrap_err().to_string();
    assert_eq!(error, "run 2 is of another plan: frames: 40 and 41");
    let mut other = two;
    other.plan.seed = 99;
    merge::merge(vec![one, other], Vec::new()).unwrap();
}
