//! `kill -9` at any moment of `apply` and of `undo`: afterwards `undo` restores exactly what was there before.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "tests fail by panicking; each test program uses its part of the shared module"
)]

mod node;

use std::collections::BTreeMap;

use cgtune_core::{Layout, Observed};
use node::{Node, Seeded, alone, entries, traced};

/// Kills at a random moment of the whole run, and kills in turn at each moment between the first write to the cgroup and
/// the last.
const ANYWHERE: u32 = 60;
const AMONG_WRITES: u32 = 160;
/// Each boundary between two writes is met at least so often.
const EACH_BOUNDARY: u32 = 10;
const SEED: u64 = 20_261_122;

/// Values that differ in everything.
fn change(layout: Layout) -> Vec<&'static str> {
    let mut args = vec![
        "apply",
        "TARGET",
        "--quota",
        "5ms",
        "--period",
        "20ms",
        "--burst",
        "2ms",
        "--cpuset-cpus",
        "0",
        "--yes",
    ];
    args.extend(match layout {
        Layout::V1 => ["--shares", "512"],
        Layout::V2 => ["--weight", "50"],
    });
    args
}

/// When to kill.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// At this stop of the run.
    Stop(u32),
    /// So many stops after the writes were written down: how many come before depends on what else runs on the machine.
    AfterNote(u32),
}

/// Whether the journal says that writes are about to come: on the way there, or on the way back.
fn noted(node: &Node, back: bool) -> bool {
    let word = if back { "\"undoing\"" } else { "\"begun\"" };
    entries(node.journal.path())
        .last()
        .is_some_and(|path| std::fs::read_to_string(path).is_ok_and(|text| text.contains(word)))
}

/// The states that a run goes through, the first included; at which stops after the note it changes from one to the
/// next; how many stops there are in all.
fn watched(node: &mut Node, args: &[&str], back: bool) -> (Vec<Observed>, Vec<u32>, u32) {
    let line = node.args(args);
    let (mut changes, mut states, mut note) = (Vec::new(), vec![node.observed()], None);
    let run = traced(&line, |stop| {
        note = note.or_else(|| noted(node, back).then_some(stop));
        let now = node.observed();
        if states.last() != Some(&now) {
            changes.push(stop - note.expect("written down before the first write"));
            states.push(now);
        }
        false
    });
    assert!(!run.killed);
    (states, changes, run.stops)
}

/// Runs the tool and kills it at a moment; whether it lived so long.
fn killed(node: &Node, line: &[std::ffi::OsString], back: bool, moment: Moment) -> bool {
    let mut note = None;
    traced(line, |stop| match moment {
        Moment::Stop(at) => stop == at,
        Moment::AfterNote(after) => {
            note = note.or_else(|| noted(node, back).then_some(stop));
            note.is_some_and(|note| stop == note + after)
        }
    })
    .killed
}

fn moments(changes: &[u32], stops: u32) -> Vec<Moment> {
    let mut seeded = Seeded(SEED);
    // From the system call before the first write to the one after the last.
    let (from, to) = (changes[0].saturating_sub(6), changes[changes.len() - 1] + 6);
    let among = (0..AMONG_WRITES).map(|i| Moment::AfterNote(from + i % (to - from)));
    (0..ANYWHERE).map(|_| Moment::Stop(seeded.below(stops))).chain(among).collect()
}

/// How many of the watched changes a state is behind.
fn boundary(states: &[Observed], now: &Observed) -> usize {
    states.iter().rposition(|state| state == now).expect("a state that the whole run goes through")
}

fn shown(histogram: &BTreeMap<usize, u32>) -> String {
    histogram
        .iter()
        .map(|(done, kills)| format!("{done} writes done: {kills} kills"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn check(histogram: &BTreeMap<usize, u32>, boundaries: usize, kills: u32) {
    assert!(kills >= 200, "{kills}");
    for boundary in 0..boundaries {
        let met = histogram.get(&boundary).copied().unwrap_or(0);
        assert!(met >= EACH_BOUNDARY, "boundary {boundary} was met {met} times: {}", shown(histogram));
    }
}

#[test]
fn after_a_kill_during_apply_undo_restores_the_state_before() {
    let _one = alone();
    let mut node = Node::new("kill");
    let before = node.observed();
    let layout = node.layout();
    let args = change(layout);
    let (way, changes, stops) = watched(&mut node, &args, false);
    node.reset();
    let mut histogram = BTreeMap::new();
    let (mut kills, mut repaired) = (0, 0);
    for moment in moments(&changes, stops) {
        node.journal = tempfile::tempdir().unwrap();
        let line = node.args(&args);
        kills += u32::from(killed(&node, &line, false, moment));
        let left = node.observed();
        *histogram.entry(boundary(&way, &left)).or_insert(0) += 1;
        if left != before {
            assert!(!entries(node.journal.path()).is_empty(), "written before it was written down");
        }
        let said = node.expect(0, &["history"]);
        let undone = node.expect(0, &["undo"]);
        assert_eq!(node.observed(), before, "killed at {moment:?} of {stops}:\n{said}{undone}");
        repaired += u32::from(left != before);
    }
    println!(
        "apply, {} writes, {stops} stops at system calls; {kills} kills, {repaired} of them left something to undo",
        way.len() - 1
    );
    println!("{}", shown(&histogram));
    check(&histogram, way.len(), kills);
}

#[test]
fn after_a_kill_during_undo_another_undo_restores_the_state_before() {
    let _one = alone();
    let mut node = Node::new("killundo");
    let before = node.observed();
    let layout = node.layout();
    let args = change(layout);
    node.expect(0, &args);
    let (way, changes, stops) = watched(&mut node, &["undo"], true);
    let mut histogram = BTreeMap::new();
    let mut kills = 0;
    for moment in moments(&changes, stops) {
        node.journal = tempfile::tempdir().unwrap();
        node.expect(0, &args);
        let line = node.args(&["undo"]);
        kills += u32::from(killed(&node, &line, true, moment));
        let left = node.observed();
        *histogram.entry(boundary(&way, &left)).or_insert(0) += 1;
        node.expect(0, &["undo"]);
        assert_eq!(node.observed(), before, "killed at {moment:?} of {stops}");
    }
    println!("undo, {} writes, {stops} stops at system calls; {kills} kills", way.len() - 1);
    println!("{}", shown(&histogram));
    check(&histogram, way.len(), kills);
}
