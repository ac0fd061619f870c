//! Synthetic looks → findings.

mod bounds;
mod others;
mod places;
mod threads;

use super::{
    seen::{Holder, Level, OthersSeen, Partition, Ran, Task, ThreadSeen, Threads},
    *,
};

const MS: u64 = 1_000_000;

fn list(text: &str) -> CpuSet {
    text.parse().unwrap()
}

fn name(text: &str) -> Name {
    Name(text.as_bytes().to_vec())
}

fn pinned(path: &str, cpus: &str) -> Pinned {
    let intent = Intent { cpus: list(cpus), source: Source::Asked, exclusive: false };
    Pinned { path: name(path), intent }
}

fn task(tid: u32, what: &str) -> Task {
    Task { tid, pid: 4711, name: name(what), process: Some(name("server")), started_ticks: 1 }
}

fn placed(cpus: &str) -> Placed {
    Placed {
        set: Some(list(cpus)),
        effective: Some(list(cpus)),
        threads: Some(Threads::default()),
        ..Placed::default()
    }
}

/// A group with one thread that may run on these CPUs.
fn with_thread(set: &str, cpus: &str) -> Placed {
    let read = vec![ThreadSeen {
        task: task(4712, "worker"),
        cpus: list(cpus),
        of_group: Some(list(set)),
        astray: None,
    }];
    Placed { threads: Some(Threads { here: vec![4712], read }), ..placed(set) }
}

fn look(at_ms: u64, groups: Vec<Option<Placed>>) -> Look {
    Look { at: Nanos::new(at_ms * MS), groups, online: Some(list("0-3")), ..Look::default() }
}

fn watched(groups: Vec<Pinned>, looks: &[Look]) -> Reports {
    let mut watch = Watch::new(groups);
    looks.iter().for_each(|look| watch.look(look));
    watch.report()
}

/// Of the only group, the names of what was found.
fn found(reports: &Reports) -> Vec<&'static str> {
    reports.groups[0].findings.iter().map(|found| found.finding.name()).collect()
}

#[test]
fn a_group_as_it_is_meant_has_no_finding_and_what_was_looked_at_is_counted() {
    let looks: Vec<Look> =
        (0..5).map(|n| look(1000 + n * 100, vec![Some(with_thread("1-2", "1-2"))])).collect();
    let reports = watched(vec![pinned("/a", "1-2")], &looks);
    assert_eq!(found(&reports), [""; 0]);
    assert_eq!((reports.looks, reports.wall), (5, Nanos::new(400 * MS)));
    let group = &reports.groups[0];
    assert_eq!((group.threads, group.threads_looked_at, group.looks), (Some(1), 1, 5));
}

fn ran(tid: u32, ms: u64, cpu: u32, before: Option<u32>) -> Ran {
    Ran {
        task: task(tid, "hog"),
        kind: Kind::Process,
        group: Some(name("/other")),
        inside: Vec::new(),
        allowed: Some(list("0-3")),
        ran: Nanos::new(ms * MS),
        cpu,
        cpu_before: before,
    }
}

fn others(at_ms: u64, ran: Vec<Ran>) -> Look {
    let others = OthersSeen {
        begun: Nanos::new(at_ms * MS),
        ended: Nanos::new(at_ms * MS),
        first: at_ms == 0,
        tasks: 100,
        ran,
        ..OthersSeen::default()
    };
    Look { others: Some(others), ..look(at_ms, vec![Some(placed("1"))]) }
}

#[test]
fn a_group_that_goes_keeps_what_was_seen_of_it() {
    let looks = [look(0, vec![Some(placed("0"))]), look(100, vec![None]), look(200, vec![None])];
    let reports = watched(vec![pinned("/a", "1")], &looks);
    let group = &reports.groups[0];
    assert_eq!((group.gone.map(|at| at.get() / MS), group.looks), (Some(100), 1));
    assert_eq!(found(&reports), ["set-differs"]);
    assert!(!group.findings[0].still);
}

#[test]
fn a_name_holds_what_lies_in_it_and_not_what_begins_alike() {
    assert!(name("/a").holds(&name("/a/b")) && name("/").holds(&name("/a")) && name("/a").holds(&name("/a")));
    assert!(!name("/a").holds(&name("/ab")) && !name("/a/b").holds(&name("/a")));
}
