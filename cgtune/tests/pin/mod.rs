//! What the tests of `cgtune pin` share: pinned groups, loads in them, and answers that their schema describes.

use std::{
    fs,
    process::{Child as Running, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use cgtune_core::{CpuSet, Policy, control::apply};
use cgtune_sys::{lifecycle::OwnedCgroup, process::Child, spawn::Program};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::{
    node::{Node, binary, text},
    programs, schema,
};

pub(crate) fn cpus(list: &str) -> CpuSet {
    list.parse().unwrap()
}

/// A group without a quota, on these CPUs.
pub(crate) fn pin(group: &mut OwnedCgroup, list: &str) {
    let policy = Policy { cpus: Some(cpus(list)), mems: Some(cpus("0")), ..Policy::default() };
    apply(group.cgroup().unwrap(), &policy).expect("this test needs cpusets and CPUs 0 and 1");
}

/// What `pin plan --json` answers on this machine.
pub(crate) fn planned(args: &[&str]) -> String {
    let output = Command::new(binary()).args(["pin", "plan", "--json"]).args(args).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The usual group, pinned and without the quota that it begins with.
pub(crate) fn pinned(what: &str, list: &str) -> Node {
    let mut node = Node::new(what);
    node.expect(0, &["pin", "apply", "TARGET", "--cpus", list, "--drop-quota", "--yes"]);
    node
}

pub(crate) fn path(group: &mut OwnedCgroup) -> String {
    group.cgroup().unwrap().path().to_str().unwrap().to_owned()
}

/// The loads in a group, until this is dropped.
pub(crate) fn load(group: &mut OwnedCgroup, args: &[&str], threads: usize) -> Child {
    let workloads = programs::program("WORKLOADS_BIN", "workloads").unwrap();
    let args = args.iter().chain(&["--until-stdin-closes"]).map(Into::into).collect();
    let child = group.spawn(&Program { path: workloads, args }).unwrap();
    let begun = Instant::now();
    while tids(&child).len() < threads {
        assert!(begun.elapsed() < Duration::from_secs(60), "{threads} threads do not start");
        thread::sleep(Duration::from_millis(10));
    }
    child
}

pub(crate) fn hog(group: &mut OwnedCgroup, threads: usize) -> Child {
    load(group, &["hog", "--threads", &threads.to_string()], threads + 1)
}

/// Threads that sleep: an emulated CPU has better things to do.
pub(crate) fn sleepers(group: &mut OwnedCgroup, threads: usize) -> Child {
    let count = threads.to_string();
    let args = ["pulse", "--threads", &count, "--work", "1ms", "--every", "1h", "--after", "1h"];
    load(group, &args, threads + 1)
}

pub(crate) fn tids(child: &Child) -> Vec<u32> {
    let entries = fs::read_dir(format!("/proc/{}/task", child.id())).unwrap().flatten();
    let mut tids: Vec<u32> =
        entries.map(|entry| entry.file_name().to_str().unwrap().parse().unwrap()).collect();
    tids.sort_unstable();
    tids
}

/// Begins to verify; with --watch it is watching when this returns.
pub(crate) fn begin(node: &mut Node, args: &[&str]) -> Running {
    let watches = args.contains(&"--watch");
    let args = [&["pin", "verify"], args].concat();
    let child = node.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while watches && !heeds_ctrl_c(child.id()) && begun.elapsed() < Duration::from_secs(20) {
        thread::sleep(Duration::from_millis(5));
    }
    child
}

/// Whether a process has a handler for SIGINT, which is the last that the tool does before it looks. On an emulated CPU that takes
/// a second.
fn heeds_ctrl_c(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    caught.is_some_and(|mask| mask & (1 << (Signal::SIGINT as u32 - 1)) != 0)
}

/// The answer, checked against its schema.
pub(crate) fn answer(output: &Output, code: i32) -> Value {
    assert_eq!(output.status.code(), Some(code), "{}", text(output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let published = include_str!("../../schemas/pin-verify-1.schema.json");
    schema::assert_describes(serde_json::from_str(published).unwrap(), &document);
    document
}

pub(crate) fn verify(node: &mut Node, code: i32, args: &[&str]) -> Value {
    let output = begin(node, &[args, &["--json"]].concat()).wait_with_output().unwrap();
    answer(&output, code)
}

/// The findings of one kind about a group.
pub(crate) fn found<'a>(document: &'a Value, group: &str, kind: &str) -> Vec<&'a Value> {
    let groups = document["cgroups"].as_array().unwrap();
    let group = groups.iter().find(|entry| entry["path"] == group);
    let findings = group.unwrap_or_else(|| panic!("{document:#}"))["findings"].as_array().unwrap();
    findings.iter().filter(|finding| finding["finding"] == kind).collect()
}

/// Whatever else this machine does may be seen on the CPUs; of the group itself nothing else may be.
pub(crate) const OWN: [&str; 9] = [
    "no-cpuset",
    "set-differs",
    "narrowed",
    "partition-invalid",
    "overlap",
    "thread-astray",
    "thread-outside",
    "thread-narrowed",
    "thread-drifted",
];
