//! The real cgroup on the kernel that runs the tests: policies, counters, processes born inside, groups that vanish.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "tests"
)]

mod support;

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    time::Duration,
};

use cgtune_core::{
    Bandwidth, Controller, CpuControl as _, CpuSet, Discontinuity, Interval, Layout, Micros, Nanos, Policy,
    Quota,
    control::{ApplyError, apply},
    plan::{PlanError, Write},
};
use cgtune_sys::{Cgroup, Error, clock, spawn::Program};
use support::workshop;

/// A shell command.
fn shell(script: &str) -> Program {
    Program { path: PathBuf::from("/bin/sh"), args: ["-c", script].map(Into::into).to_vec() }
}

fn bandwidth(quota_ms: u64, period_ms: u64, burst_ms: u64) -> Policy {
    let quota = Quota::Limited(Micros::from_ms(quota_ms));
    let bandwidth = Bandwidth::new(quota, Micros::from_ms(period_ms), Micros::from_ms(burst_ms)).unwrap();
    Policy { bandwidth: Some(bandwidth), ..Policy::default() }
}

#[test]
fn a_policy_is_applied_read_back_and_not_written_twice() {
    let workshop = workshop();
    let mut group = workshop.group("policy").unwrap();
    let wanted = bandwidth(30, 60, 15);
    let applied = apply(group.cgroup().unwrap(), &wanted).unwrap();
    assert_eq!(applied.after.bandwidth.unwrap().to_bandwidth().ok(), wanted.bandwidth);
    assert!(apply(group.cgroup().unwrap(), &wanted).unwrap().steps.is_empty(), "nothing differs");
    group.remove().unwrap();
}

#[test]
fn what_the_kernel_refuses_is_an_error_with_file_and_value() {
    let workshop = workshop();
    let mut group = workshop.group("refused").unwrap();
    apply(group.cgroup().unwrap(), &bandwidth(30, 60, 0)).unwrap();
    // Around our own rules, straight at the kernel: a burst above the quota.
    let error = group.cgroup().unwrap().write(&Write::Burst(Micros::from_ms(31))).unwrap_err();
    assert!(error.to_string().contains("cannot write \"31000\" to"), "{error}");
    assert!(error.hint().is_some());
}

#[test]
fn a_child_above_its_parent_is_refused_before_v1_is_asked_and_accepted_by_v2() {
    let workshop = workshop();
    let mut parent = workshop.group("parent").unwrap();
    let mut child = workshop.group_in(&parent, "child").unwrap();
    apply(parent.cgroup().unwrap(), &bandwidth(50, 100, 0)).unwrap();
    let result = apply(child.cgroup().unwrap(), &bandwidth(60, 100, 0));
    match workshop.hierarchies().cpu().layout {
        Layout::V1 => {
            assert!(matches!(result, Err(ApplyError::Plan(PlanError::AboveParent { .. }))), "{result:?}");
        }
        Layout::V2 => assert!(result.is_ok(), "{result:?}"),
    }
    child.remove().unwrap();
}

#[test]
fn a_child_is_born_inside_every_controllers_group() {
    let workshop = workshop();
    let mut group = workshop.group("born").unwrap();
    let path = group.cgroup().unwrap().path().to_owned();
    let mut child = group.spawn(&shell("cat /proc/self/cgroup; exit 3")).unwrap();
    let mut printed = String::new();
    child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    assert_eq!(child.wait().unwrap().to_string(), "exit code 3");
    for controller in Controller::ALL {
        let Some(hierarchy) = workshop.hierarchies().of(controller) else { continue };
        let line = printed.lines().find(|line| match hierarchy.layout {
            Layout::V1 => line.split(':').nth(1).unwrap().split(',').any(|name| name == controller.name()),
            Layout::V2 => line.starts_with("0::"),
        });
        assert!(line.unwrap().ends_with(path.to_str().unwrap()), "{controller}: {printed}");
    }
}

#[test]
fn a_program_that_does_not_exist_is_an_error_and_leaves_nobody() {
    let workshop = workshop();
    let mut group = workshop.group("nobody").unwrap();
    let mut program = shell("");
    program.path = "/nonexistent/program".into();
    let error = group.spawn(&program).unwrap_err();
    assert!(error.to_string().contains("cannot start /nonexistent/program"), "{error}");
    group.remove().unwrap();
}

#[test]
fn dropping_a_group_ends_its_processes_and_removes_it() {
    let workshop = workshop();
    let mut group = workshop.group("dropped").unwrap();
    let path = group.cgroup().unwrap().path().to_owned();
    let mut child = group.spawn(&shell("sleep 1000 & sleep 1000")).unwrap();
    drop(group);
    assert_eq!(child.wait().unwrap().to_string(), "signal 9");
    for controller in Controller::ALL {
        if let Some(hierarchy) = workshop.hierarchies().of(controller) {
            assert!(hierarchy.open(&path).unwrap().is_none(), "{controller}");
        }
    }
}

#[test]
fn what_a_killed_run_left_is_removed_with_all_below_it() {
    let maker = workshop();
    let mut group = maker.group("tree").unwrap();
    let ours = group.cgroup().unwrap().path().to_owned();
    // The same name, but of a process that is gone: no pid is that large (PID_MAX_LIMIT, include/linux/threads.h).
    let pid = format!(".{}.", std::process::id());
    let stale = PathBuf::from(ours.to_str().unwrap().replacen(&pid, ".4194305.", 1));
    assert_ne!(stale, ours);
    let mut roots = Vec::new();
    for controller in Controller::ALL {
        if let Some(hierarchy) = maker.hierarchies().of(controller) {
            let base = hierarchy.open(ours.parent().unwrap()).unwrap().unwrap().path().to_owned();
            roots.push(base.join(stale.file_name().unwrap()));
        }
    }
    roots.dedup();
    for root in &roots {
        std::fs::create_dir_all(root.join("pod/container")).unwrap();
    }
    let mut child = std::process::Command::new("/bin/sleep").arg("1000").spawn().unwrap();
    std::fs::write(roots[0].join("pod/container/cgroup.procs"), child.id().to_string()).unwrap();

    let next = workshop();
    for root in &roots {
        assert!(!root.exists(), "{}", root.display());
    }
    assert!(!child.wait().unwrap().success(), "what ran in it was ended");
    drop(next);
    assert!(group.cgroup().unwrap().sample().is_ok(), "those of a run that lives stay");
}

#[test]
fn a_vanished_group_is_gone_and_a_recreated_one_is_another() {
    let workshop = workshop();
    let mut group = workshop.group("again").unwrap();
    let mut first = Cgroup::open(workshop.hierarchies(), group.cgroup().unwrap().path()).unwrap();
    let before = first.sample().unwrap();
    group.remove().unwrap();
    assert!(matches!(first.sample(), Err(Error::Gone(_))), "a kept descriptor notices");
    assert!(matches!(first.observe(), Err(Error::Gone(_))), "so does the directory");

    let mut group = workshop.group("again").unwrap();
    assert!(matches!(first.sample(), Err(Error::Gone(_))), "the old one stays gone");
    let after = group.cgroup().unwrap().sample().unwrap();
    assert!(matches!(Interval::between(&before, &after), Err(Discontinuity::Recreated { .. })));
}

#[test]
fn paths_that_lead_out_of_the_hierarchy_are_refused() {
    let workshop = workshop();
    let open = |path| Cgroup::open(workshop.hierarchies(), Path::new(path));
    assert!(matches!(open("/../../etc"), Err(Error::OutsideView { .. })));
    assert!(matches!(open("/a/../../etc"), Err(Error::BadPath(_))));
    assert!(matches!(open("relative"), Err(Error::BadPath(_))));
    assert!(matches!(open("/no-such-cgroup-here"), Err(Error::NoSuchCgroup { .. })));
}

#[test]
fn one_hog_at_half_a_cpu_is_throttled_in_every_period_and_gets_half() {
    let workshop = workshop();
    let mut group = workshop.group("hog").unwrap();
    apply(group.cgroup().unwrap(), &bandwidth(50, 100, 0)).unwrap();
    if group.cgroup().unwrap().capabilities().cpuset.is_some() {
        let last: CpuSet = cgtune_sys::affinity::get(None).unwrap().iter().last().into_iter().collect();
        apply(group.cgroup().unwrap(), &Policy { cpus: Some(last), ..Policy::default() }).unwrap();
    }
    let _hog = group.spawn(&shell("while :; do :; done")).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let cgroup = group.cgroup().unwrap();
    let before = cgroup.sample().unwrap();
    clock::sleep_until(before.at.saturating_add(Nanos::new(5_000_000_000)));
    let interval = Interval::between(&before, &cgroup.sample().unwrap()).unwrap();
    let (ratio, cpus) = (interval.throttled_ratio().unwrap(), interval.cpus_used().unwrap());
    println!(
        "throttled {:.1} % of {} periods, {cpus:.4} CPUs",
        ratio * 100.0,
        interval.bandwidth.unwrap().nr_periods
    );
    assert!(ratio >= 0.98, "throttled in {ratio} of its periods");
    assert!((0.49..=0.51).contains(&cpus), "got {cpus} of a CPU");
}
