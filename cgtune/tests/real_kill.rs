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

/// At which stops of a run the group is seen to change, and how many there are.
fn watched(node: &mut Node, args: &[&str]) -> (Vec<u32>, u32) {
    let line = node.args(args);
    let (mut changes, mut last) = (Vec::new(), node.observed());
    let run = traced(&line, None, |stop| {
        let now = node.observed();
        if now != last {
            changes.push(stop);
            last = now;
        }
    });
    assert!(!run.killed);
    (changes, run.stops)
}

/// The stops at which to kill.
fn moments(changes: &[u32], stops: u32) -> Vec<u32> {
    let mut seeded = Seeded(SEED);
    // From the system call before the first write to the one after the last.
    let (from, to) = (changes[0].saturating_sub(6), changes[changes.len() - 1] + 6);
    let among = (0..AMONG_WRITES).map(|i| from + i % (to - from));
    (0..ANYWHERE).map(|_| seeded.below(stops)).chain(among).collect()
}

/// How many of the watched changes a state is behind.
fn boundary(states: &[Observed], now: &Observed) -> usize {
    states.iter().rposition(|state| state == now).expect("a state that the whole run goes through")
}

/// The states of a run, the first included.
fn states(node: &mut Node, args: &[&str]) -> Vec<Observed> {
    let line = node.args(args);
    let mut seen = vec![node.observed()];
    traced(&line, None, |_| {
        let now = node.observed();
        if seen.last() != Some(&now) {
            seen.push(now);
        }
    });
    seen
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
    let way = states(&mut node, &args);
    node.reset();
    let (changes, stops) = watched(&mut node, &args);
    node.reset();
    let mut histogram = BTreeMap::new();
    let (mut kills, mut repaired) = (0, 0);
    for moment in moments(&changes, stops) {
        node.journal = tempfile::tempdir().unwrap();
        let line = node.args(&args);
        if traced(&line, Some(moment), |_| {}).killed {
            kills += 1;
        }
        let left = node.observed();
        *histogram.entry(boundary(&way, &left)).or_insert(0) += 1;
        if left != before {
            assert!(!entries(node.journal.path()).is_empty(), "written before it was written down");
        }
        let said = node.expect(0, &["history"]);
        let undone = node.expect(0, &["undo"]);
        assert_eq!(node.observed(), before, "killed at stop {moment} of {stops}:\n{said}{undone}");
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
    let way = states(&mut node, &["undo"]);
    assert_eq!(node.observed(), before);
    node.expect(0, &args);
    let (changes, stops) = watched(&mut node, &["undo"]);
    let mut histogram = BTreeMap::new();
    let mut kills = 0;
    for moment in moments(&changes, stops) {
        node.journal = tempfile::tempdir().unwrap();
        node.expect(0, &args);
        let line = node.args(&["undo"]);
        if traced(&line, Some(moment), |_| {}).killed {
            kills += 1;
        }
        let left = node.observed();
        *histogram.entry(boundary(&way, &left)).or_insert(0) += 1;
        node.expect(0, &["undo"]);
        assert_eq!(node.observed(), before, "killed at stop {moment} of {stops}");
    }
    println!("undo, {} writes, {stops} stops at system calls; {kills} kills", way.len() - 1);
    println!("{}", shown(&histogram));
    check(&histogram, way.len(), kills);
}
