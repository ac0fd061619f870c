//! `pin apply` and `pin verify` on the kernel that runs the tests, cgroup v1 or v2, with real groups and threads. They need root and
//! two CPUs, and fail with a message without.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "tests fail by panicking; each test program uses its part of the shared module"
)]

mod node;
#[path = "scenarios/programs.rs"]
mod programs;
#[path = "tool/schema.rs"]
mod schema;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child as Command_, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use cgtune_core::{CpuSet, Layout, Policy, Quota, control::apply};
use cgtune_sys::{affinity, lifecycle::OwnedCgroup, process::Child, spawn::Program};
use nix::{sys::signal::Signal, unistd::Pid};
use node::{Node, alone, text};
use serde_json::Value;

fn cpus(list: &str) -> CpuSet {
    list.parse().unwrap()
}

/// A group without a quota, on these CPUs.
fn pin(group: &mut OwnedCgroup, list: &str) {
    let policy = Policy { cpus: Some(cpus(list)), mems: Some(cpus("0")), ..Policy::default() };
    apply(group.cgroup().unwrap(), &policy).expect("this test needs cpusets and CPUs 0 and 1");
}

/// The usual group, pinned and without the quota that it begins with.
fn pinned(what: &str, list: &str) -> Node {
    let mut node = Node::new(what);
    node.expect(0, &["pin", "apply", "TARGET", "--cpus", list, "--drop-quota", "--yes"]);
    node
}

fn path(group: &mut OwnedCgroup) -> String {
    group.cgroup().unwrap().path().to_str().unwrap().to_owned()
}

/// The loads in a group, until this is dropped.
fn load(group: &mut OwnedCgroup, args: &[&str], threads: usize) -> Child {
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

fn hog(group: &mut OwnedCgroup, threads: usize) -> Child {
    load(group, &["hog", "--threads", &threads.to_string()], threads + 1)
}

fn tids(child: &Child) -> Vec<u32> {
    let entries = fs::read_dir(format!("/proc/{}/task", child.id())).unwrap().flatten();
    let mut tids: Vec<u32> =
        entries.map(|entry| entry.file_name().to_str().unwrap().parse().unwrap()).collect();
    tids.sort_unstable();
    tids
}

fn begin(node: &mut Node, args: &[&str]) -> Command_ {
    let args = [&["pin", "verify"], args].concat();
    node.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The answer, checked against its schema.
fn answer(output: &Output, code: i32) -> Value {
    assert_eq!(output.status.code(), Some(code), "{}", text(output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let published = include_str!("../schemas/pin-verify-1.schema.json");
    schema::assert_describes(serde_json::from_str(published).unwrap(), &document);
    document
}

fn verify(node: &mut Node, code: i32, args: &[&str]) -> Value {
    let output = begin(node, &[args, &["--json"]].concat()).wait_with_output().unwrap();
    answer(&output, code)
}

/// The findings of one kind about a group.
fn found<'a>(document: &'a Value, group: &str, kind: &str) -> Vec<&'a Value> {
    let groups = document["cgroups"].as_array().unwrap();
    let group = groups.iter().find(|entry| entry["path"] == group);
    let findings = group.unwrap_or_else(|| panic!("{document:#}"))["findings"].as_array().unwrap();
    findings.iter().filter(|finding| finding["finding"] == kind).collect()
}

/// Whatever else this machine does may be seen on the CPUs; of the group itself nothing else may be.
const OWN: [&str; 9] = [
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

#[test]
fn a_pinning_is_planned_made_and_taken_back() {
    let _one = alone();
    let mut node = Node::new("pinned");
    let before = node.observed();
    let dry = node.expect(0, &["pin", "apply", "TARGET", "--cpus", "1", "--dry-run"]);
    assert!(
        dry.contains("0-1 → 1") && dry.contains("--drop-quota") && dry.contains("nothing was written"),
        "{dry}"
    );
    assert_eq!(node.observed(), before);
    node.expect(0, &["pin", "apply", "TARGET", "--cpus", "1", "--drop-quota", "--yes"]);
    let now = node.observed();
    assert_eq!((now.cpus, now.bandwidth.unwrap().quota), (Some(cpus("1")), Quota::Unlimited));
    node.expect(0, &["undo"]);
    assert_eq!(node.observed(), before);

    // What `pin plan --json` prints; synthetic.
    let plan = node.journal.path().join("plan");
    fs::write(&plan, r#"{"schema":"cgtune.pin/1","cpus":"0-1","mems":"0","shares":205}"#).unwrap();
    let done = node.expect(0, &["pin", "apply", "TARGET", "--plan", plan.to_str().unwrap(), "--yes"]);
    let share = match node.layout() {
        Layout::V1 => "1024 → 205",
        Layout::V2 => "by the logarithmic formula",
    };
    assert!(done.contains(share) && done.contains("stays"), "{done}");
    node.expect(0, &["pin", "apply", "TARGET", "--cpus", "1", "--for", "100ms", "--yes"]);
    assert_eq!(node.observed().cpus, Some(cpus("0-1")));
    node.expect(0, &["undo", "--all"]);
    assert_eq!(node.observed(), before);

    for (args, hint) in [
        (&["--cpus", ""][..], "cgtune undo"),
        (&["--cpus", "0,4000"], "--cpuset-cpus 0"),
        (&["--plan", "/nowhere/at/all"], "/nowhere/at/all"),
        (&["--plan", "/proc/self/stat"], "pin plan --json"),
        (&[], "--cpus"),
        (&["--cpus", "1", "--with-pod"], "--drop-quota"),
    ] {
        let said = node.expect(2, &[&["pin", "apply", "TARGET", "--yes"], args].concat());
        assert!(said.contains(hint), "{args:?}: {said}");
    }
    assert_eq!(node.observed(), before);
    let output = node.run(&["pin", "apply", "TARGET", "--cpus", "1", "--dry-run", "--json"]);
    let published = serde_json::from_str(include_str!("../schemas/apply-1.schema.json")).unwrap();
    schema::assert_describes(published, &serde_json::from_slice(&output.stdout).unwrap());
}

#[test]
fn a_group_that_has_its_cpus_is_said_to_and_what_was_looked_at() {
    let _one = alone();
    let mut node = pinned("clean", "1");
    let _load = hog(&mut node.group, 2);
    let own = path(&mut node.group);
    let before = node.observed();
    // Without a target ours is among all that are pinned, since our journal says so.
    for target in [&["TARGET"][..], &[]] {
        let document = verify(&mut node, 0, &[target, &["--watch", "--for", "1s"]].concat());
        for kind in OWN {
            assert_eq!(found(&document, &own, kind), [&Value::Null; 0], "{document:#}");
        }
        let groups = document["cgroups"].as_array().unwrap();
        let group = groups.iter().find(|group| group["path"] == *own).unwrap();
        assert_eq!(
            (&group["intended"]["source"], &group["intended"]["cpus"]),
            (&"journal".into(), &"1".into())
        );
        assert_eq!((&group["threads"], &group["threads_looked_at"]), (&3.into(), &3.into()));
        assert!(document["watch"]["looks"].as_u64().unwrap() >= 3, "{document:#}");
        assert!(document["watch"]["tasks"].as_u64().unwrap() > 3);
        // Its own threads are no strangers.
        assert!(
            found(&document, &own, "foreign-task").iter().all(|task| task["group"] != *own),
            "{document:#}"
        );
    }
    let shown = text(&begin(&mut node, &["TARGET"]).wait_with_output().unwrap());
    assert!(shown.contains("meant     CPU 1, by change 1") && shown.contains("in force  CPU 1"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    assert_eq!(node.observed(), before, "it only reads");
}

#[test]
fn a_thread_that_is_narrowed_and_reset_is_named() {
    let _one = alone();
    let mut node = pinned("narrowed", "0-1");
    let load = hog(&mut node.group, 2);
    let own = path(&mut node.group);
    let tid = *tids(&load).last().unwrap();
    let name = fs::read_to_string(format!("/proc/{tid}/comm")).unwrap().trim().to_owned();

    let watch = begin(&mut node, &["TARGET", "--watch", "--for", "3s", "--json"]);
    thread::sleep(Duration::from_millis(1000));
    affinity::set(Some(tid), &cpus("1")).unwrap();
    thread::sleep(Duration::from_millis(1000));
    affinity::set(Some(tid), &cpus("0-1")).unwrap();
    let document = answer(&watch.wait_with_output().unwrap(), 0);
    let drifted = found(&document, &own, "thread-drifted");
    let [thread] = drifted[..] else { panic!("{document:#}") };
    assert_eq!(
        (&thread["tid"], &thread["name"], &thread["pid"]),
        (&tid.into(), &name.into(), &load.id().into())
    );
    let way: Vec<&str> =
        thread["held"].as_array().unwrap().iter().map(|held| held["cpus"].as_str().unwrap()).collect();
    assert_eq!(way, ["0-1", "1", "0-1"], "{document:#}");
    assert_eq!((&thread["changes"], &thread["still"]), (&2.into(), &false.into()));

    affinity::set(Some(tid), &cpus("1")).unwrap();
    let document = verify(&mut node, 1, &["TARGET", "--check"]);
    let narrowed = found(&document, &own, "thread-narrowed");
    assert_eq!((narrowed.len(), &narrowed[0]["tid"]), (1, &tid.into()), "{document:#}");
    assert_eq!(narrowed[0]["confidence"], "high");
    drop(load);
}

#[test]
fn a_stranger_on_a_pinned_cpu_is_named_with_its_group_and_its_time() {
    let _one = alone();
    let mut node = pinned("home", "1");
    let own = path(&mut node.group);
    let mut stranger = node.workshop.group("stranger").unwrap();
    pin(&mut stranger, "0-1");
    let mut load = hog(&mut stranger, 1);
    for tid in tids(&load) {
        affinity::set(Some(tid), &cpus("1")).unwrap();
    }
    let document = verify(&mut node, 0, &["TARGET", "--watch", "--for", "2s"]);
    let strangers = found(&document, &own, "foreign-task");
    let task =
        strangers.iter().find(|task| task["pid"] == load.id()).unwrap_or_else(|| panic!("{document:#}"));
    assert_eq!((&task["group"], &task["cpus"]), (&path(&mut stranger).into(), &"1".into()));
    assert_eq!((&task["kind"], &task["confidence"]), (&"process".into(), &"high".into()));
    // Beside whatever else this machine does; never more than there is.
    let ms_per_s = task["ms_per_s"].as_f64().unwrap();
    assert!((50.0..=1010.0).contains(&ms_per_s), "{task:#}");
    assert!(task["remedy"].as_str().unwrap().contains(&path(&mut stranger)), "{task:#}");
    load.end(Duration::from_secs(5)).unwrap();
}

#[test]
fn groups_that_are_to_be_alone_and_share_are_named_both() {
    let _one = alone();
    let mut node = pinned("alone", "1");
    let mut second = node.workshop.group("second").unwrap();
    pin(&mut second, "0-1");
    let (own, other) = (path(&mut node.group), path(&mut second));
    let document = verify(&mut node, 1, &["TARGET", &other, "--exclusive", "--check"]);
    let overlaps = found(&document, &own, "overlap");
    assert_eq!(overlaps.len(), 1, "{document:#}");
    assert_eq!((&overlaps[0]["other"], &overlaps[0]["shared"]), (&other.clone().into(), &"1".into()));
    let document = verify(&mut node, 0, &["TARGET", &other]);
    assert!(found(&document, &own, "overlap").is_empty(), "nobody said that they are to be alone");
}

#[test]
fn a_set_that_somebody_else_wrote_is_found_and_when_it_was_so() {
    let _one = alone();
    let mut node = pinned("rewritten", "1");
    let own = path(&mut node.group);
    let file = node.group.cgroup().unwrap().cpuset_dir().unwrap().path().join("cpuset.cpus");
    let watch = begin(&mut node, &["TARGET", "--watch", "--for", "3s", "--json"]);
    thread::sleep(Duration::from_millis(1000));
    fs::write(&file, "0-1").unwrap();
    thread::sleep(Duration::from_millis(1000));
    fs::write(&file, "1").unwrap();
    let document = answer(&watch.wait_with_output().unwrap(), 0);
    let differs = found(&document, &own, "set-differs");
    let [differs] = differs[..] else { panic!("{document:#}") };
    assert_eq!(
        (&differs["intended"], &differs["set"], &differs["still"]),
        (&"1".into(), &"0-1".into(), &false.into())
    );
    let seen = |key: &str| differs[key].as_u64().unwrap() / 1_000_000;
    assert!((300..2500).contains(&seen("first_seen_ns")) && seen("last_seen_ns") < 3000, "{differs:#}");
    fs::write(&file, "0").unwrap();
    let document = verify(&mut node, 1, &["TARGET", "--check"]);
    assert_eq!(found(&document, &own, "set-differs")[0]["still"], true);
    // What is asked goes before what the journal says.
    let document = verify(&mut node, 0, &["TARGET", "--cpus", "0"]);
    assert!(found(&document, &own, "set-differs").is_empty(), "{document:#}");
}

/// v2: a partition elsewhere in the tree takes a CPU out of all groups around it (beside each other the kernel refuses both).
/// v1 has nobody who could: it refuses to take a CPU from a group whose child has it.
#[test]
fn who_takes_a_cpu_away_is_named() {
    let _one = alone();
    let mut node = Node::new("robbed");
    let mut outer = node.workshop.group("outer").unwrap();
    if node.layout() == Layout::V1 {
        pin(&mut outer, "0-1");
    }
    let mut inner = node.workshop.group_in(&outer, "inner").unwrap();
    pin(&mut inner, "1");
    let own = path(&mut inner);
    if node.layout() == Layout::V1 {
        let file = outer.cgroup().unwrap().cpuset_dir().unwrap().path().join("cpuset.cpus");
        assert!(fs::write(file, "0").is_err(), "v1 takes no CPU from a child");
        let document = verify(&mut node, 0, &[&own, "--cpus", "1"]);
        assert!(found(&document, &own, "narrowed").is_empty(), "{document:#}");
        return;
    }
    // The usual group has both CPUs, and partitions may not share with those beside them.
    let beside = node.group.cgroup().unwrap().cpuset_dir().unwrap().path().join("cpuset.cpus");
    fs::write(beside, "0").unwrap();
    let mut taker = node.workshop.group("taker").unwrap();
    pin(&mut taker, "1");
    let directory = taker.cgroup().unwrap().cpuset_dir().unwrap().path().to_owned();
    let watch = begin(&mut node, &[&own, "--cpus", "1", "--watch", "--for", "2s", "--json"]);
    thread::sleep(Duration::from_millis(700));
    fs::write(directory.join("cpuset.cpus.partition"), "root").unwrap();
    let state = fs::read_to_string(directory.join("cpuset.cpus.partition")).unwrap();
    assert_eq!(state.trim(), "root", "this kernel makes no partition of it");
    let document = answer(&watch.wait_with_output().unwrap(), 0);
    let narrowed = found(&document, &own, "narrowed");
    let [narrowed] = narrowed[..] else { panic!("{document:#}") };
    assert_eq!((&narrowed["culprit"], &narrowed["path"]), (&"partition".into(), &path(&mut taker).into()));
    assert_eq!(
        (&narrowed["missing"], &narrowed["partition"], &narrowed["still"]),
        (&"1".into(), &"root".into(), &true.into())
    );
    let said = narrowed["says"].as_str().unwrap();
    assert!(said.contains(&path(&mut taker)), "{said}");
    fs::write(directory.join("cpuset.cpus.partition"), "member").unwrap();
    let document = verify(&mut node, 0, &[&own, "--cpus", "1"]);
    assert!(found(&document, &own, "narrowed").is_empty(), "{document:#}");

    // A group above that has fewer.
    fs::write(outer.cgroup().unwrap().cpuset_dir().unwrap().path().join("cpuset.cpus"), "0").unwrap();
    let document = verify(&mut node, 0, &[&own, "--cpus", "1"]);
    let narrowed = found(&document, &own, "narrowed");
    assert_eq!((&narrowed[0]["culprit"], &narrowed[0]["path"]), (&"above".into(), &path(&mut outer).into()));
}

/// v1 has a hierarchy of cpusets of its own, so that a thread can be in a group and not in its cpuset. v2 refuses to part them.
#[test]
fn a_thread_that_its_cpuset_does_not_hold_is_named() {
    let _one = alone();
    let mut node = pinned("astray", "1");
    let load = hog(&mut node.group, 1);
    let tid = *tids(&load).last().unwrap();
    let own = path(&mut node.group);
    let above = node.group.cgroup().unwrap().cpuset_dir().unwrap().path().parent().unwrap().to_owned();
    if node.layout() == Layout::V2 {
        assert!(fs::write(above.join("cgroup.threads"), tid.to_string()).is_err());
        return;
    }
    fs::write(above.join("tasks"), tid.to_string()).unwrap();
    let document = verify(&mut node, 0, &["TARGET"]);
    let astray = found(&document, &own, "thread-astray");
    assert_eq!(
        (astray.len(), &astray[0]["tid"], &astray[0]["cpuset"]),
        (1, &tid.into(), &"/".into()),
        "{document:#}"
    );
}

#[test]
fn ctrl_c_ends_the_watch_and_what_was_seen_is_said() {
    let _one = alone();
    let mut node = pinned("stopped", "1");
    let own = path(&mut node.group);
    let child = begin(&mut node, &["TARGET", "--cpus", "0", "--watch", "--json"]);
    thread::sleep(Duration::from_millis(1500));
    nix::sys::signal::kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT).unwrap();
    let document = answer(&child.wait_with_output().unwrap(), 130);
    assert_eq!(document["watch"]["interrupted"], true);
    assert_eq!(found(&document, &own, "set-differs").len(), 1, "{document:#}");
}

#[test]
fn a_group_that_vanishes_is_said_to_with_what_was_seen_until_then() {
    let _one = alone();
    let mut node = pinned("kept", "0-1");
    let mut gone = node.workshop.group("gone").unwrap();
    pin(&mut gone, "1");
    let path = path(&mut gone);
    let child = begin(&mut node, &[&path, "--watch", "--for", "20s", "--json"]);
    thread::sleep(Duration::from_millis(1000));
    gone.remove().unwrap();
    let begun = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "nobody is left to wait for");
    let document = answer(&output, 2);
    assert!(
        document["cgroups"][0]["gone_ns"].is_u64() && document["cgroups"][0]["effective"] == "1",
        "{document:#}"
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains(&path), "{}", text(&output));
}

/// A group as the kubelet's cgroupfs driver makes it; its state file and the runtime's links to logs are synthetic.
#[test]
fn what_the_kubelet_gave_away_is_what_is_meant() {
    const UID: &str = "6c1a2b3c-0d4e-4f50-8a61-9b72c3d4e5f6";
    const ID: &str = "3b2e7f9d0c1a4b5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6";
    let _one = alone();
    let mut node = Node::new("kubelet");
    let mut groups = vec![node.workshop.group("node").unwrap()];
    for name in ["kubepods", &format!("pod{UID}"), ID] {
        let next = node.workshop.group_in(groups.last().unwrap(), name).unwrap();
        groups.push(next);
    }
    for group in &mut groups {
        pin(group, "0-1");
    }
    let container = path(groups.last_mut().unwrap());
    let root = tempfile::tempdir().unwrap();
    for name in ["proc", "sys"] {
        std::os::unix::fs::symlink(Path::new("/").join(name), root.path().join(name)).unwrap();
    }
    let file = |name: &str, text: &str| {
        let file: PathBuf = root.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    file(&format!("var/log/pods/prod_web_{UID}/app/0.log"), "");
    file(&format!("var/log/containers/web_prod_app-{ID}.log"), "");
    let state = format!(
        r#"{{"policyName":"static","defaultCpuSet":"0","entries":{{"{UID}":{{"app":"1"}}}},"checksum":7}}"#
    );
    file("var/lib/kubelet/cpu_manager_state", &state);
    let host = root.path().to_str().unwrap();
    for target in [&[container.as_str()][..], &[]] {
        let document = verify(&mut node, 0, &[target, &["--host-root", host]].concat());
        let group = document["cgroups"].as_array().unwrap().iter().find(|group| group["path"] == *container);
        let group = group.unwrap_or_else(|| panic!("{document:#}"));
        assert_eq!(group["intended"]["source"], "kubelet", "{group:#}");
        assert_eq!(
            (&group["intended"]["container"], &group["container_name"]),
            (&"app".into(), &"app".into())
        );
        assert_eq!(found(&document, &container, "set-differs")[0]["intended"], "1");
    }
    file("var/lib/kubelet/cpu_manager_state", "{\"policyName\":");
    let output = begin(&mut node, &[&container, "--host-root", host]).wait_with_output().unwrap();
    assert!(output.status.success() && text(&output).contains("cpu_manager_state"), "{}", text(&output));
    while groups.pop().is_some() {}
}

/// Of more than a thousand threads a thousand are looked at in turn.
#[test]
fn many_threads_take_turns_and_a_bounded_time() {
    const THREADS: usize = 1500;
    let _one = alone();
    let mut node = pinned("crowd", "0-1");
    let threads = THREADS.to_string();
    let args = ["pulse", "--threads", &threads, "--work", "1ms", "--every", "1h", "--after", "1h"];
    let load = load(&mut node.group, &args, THREADS);
    let begun = Instant::now();
    let document = verify(&mut node, 0, &["TARGET", "--watch", "--for", "2s"]);
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    let group = &document["cgroups"][0];
    let (all, seen) = (group["threads"].as_u64().unwrap(), group["threads_looked_at"].as_u64().unwrap());
    assert!(all >= THREADS as u64 && seen >= THREADS as u64, "{document:#}");
    let cpu = document["watch"]["cpu_ns"].as_f64().unwrap() / document["watch"]["wall_ns"].as_f64().unwrap();
    println!("{all} threads: {} looks in 2 s, {cpu:.3} CPUs", document["watch"]["looks"]);
    drop(load);
}

#[test]
fn wrong_use_is_told_with_what_is_right() {
    let _one = alone();
    let mut node = Node::new("wrong");
    for (args, hint) in [
        (&["--cpus", "1"][..], "TARGET"),
        (&["TARGET", "--cpus", "x"], "0-3,7"),
        (&["TARGET", "--for", "10"], "10s"),
        (&["TARGET", "--for", "1ms"], "200ms"),
        (&["/cgtune-nowhere"], "/cgtune-nowhere"),
    ] {
        let output = begin(&mut node, args).wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", text(&output));
        assert!(text(&output).contains(hint), "{args:?}: {}", text(&output));
    }
}
