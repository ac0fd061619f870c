//! `diagnose` on the kernel that runs the tests, cgroup v1 or v2: how it answers, ends and gives up. Whether it names the right
//! cause is `real_scenarios`' business.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "tests fail by panicking; each test program uses its part of the shared module"
)]

mod node;
#[path = "tool/schema.rs"]
mod schema;

use std::{
    fs,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use cgtune_core::{Layout, Policy, control::apply};
use cgtune_sys::{process::Child, spawn::Program};
use nix::{sys::signal::Signal, unistd::Pid};
use node::{Node, alone, bandwidth, binary, limited, text};
use serde_json::Value;

fn program(path: &str, args: &[&str]) -> Program {
    Program { path: path.into(), args: args.iter().map(Into::into).collect() }
}

/// A shell in the group that never rests, until it is dropped.
fn hog(node: &mut Node) -> Child {
    node.group.spawn(&program("/bin/sh", &["-c", "while :; do :; done"])).unwrap()
}

fn published() -> Value {
    serde_json::from_str(include_str!("../schemas/diagnose-1.schema.json")).unwrap()
}

/// The answer as JSON, checked against its schema.
fn answer(node: &mut Node, code: i32, args: &[&str]) -> Value {
    let output = diagnose(node, args).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{}", text(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    schema::assert_describes(published(), &document);
    document
}

fn diagnose(node: &mut Node, args: &[&str]) -> Command {
    let path = node.path();
    let mut command = Command::new(binary());
    command.env("NO_COLOR", "1").stdin(Stdio::null()).arg("diagnose");
    command.args(args.iter().map(|arg| if *arg == "TARGET" { path.as_os_str() } else { arg.as_ref() }));
    command
}

/// The first finding, but for what a machine with other things to do adds.
fn cause(group: &Value) -> &str {
    let mut causes =
        group["findings"].as_array().unwrap().iter().map(|finding| finding["cause"].as_str().unwrap());
    causes.find(|cause| *cause != "starved").unwrap_or("starved")
}

/// The group of that node in an answer.
fn of<'a>(node: &mut Node, document: &'a Value) -> &'a Value {
    let path = node.path();
    let groups = document["cgroups"].as_array().unwrap();
    groups.iter().find(|group| group["path"] == path.to_str().unwrap()).expect("our group is among them")
}

#[test]
fn a_hog_under_a_limit_is_named_by_target_and_among_all_and_the_gate_shuts() {
    let _one = alone();
    let mut node = Node::new("diagnosed");
    apply(node.group.cgroup().unwrap(), &bandwidth(limited(10, 100, 0))).unwrap();
    let _load = hog(&mut node);
    let before = node.observed();
    for args in [&["TARGET", "--json", "--for", "2s"][..], &["--all", "--json", "--for", "3s"]] {
        let document = answer(&mut node, 0, args);
        let group = of(&mut node, &document);
        assert_eq!(cause(group), "sustained-demand", "{group:#}");
    }
    // 900 ms of each second.
    answer(&mut node, 1, &["TARGET", "--json", "--for", "1s", "--check"]);
    answer(&mut node, 0, &["TARGET", "--json", "--for", "1s", "--check", "--max-stall-ms-per-s", "1900"]);
    let shown = text(&diagnose(&mut node, &["TARGET", "--for", "1s"]).output().unwrap());
    assert!(shown.contains("sustained-demand") && shown.contains("cgtune apply /cgtune"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80 || line.contains("cgtune apply")), "{shown}");
    assert_eq!(node.observed(), before, "it only reads");
}

/// No kernel that Debian offers takes it away, so that is tried on an old one (`testbed/run --expiry`).
#[test]
fn this_kernel_is_tried_when_asked_and_nothing_is_left_of_it() {
    let _one = alone();
    let mut node = Node::new("probed");
    let document = answer(&mut node, 0, &["TARGET", "--json", "--for", "300ms", "--probe-kernel"]);
    assert_eq!(document["watch"]["kernel_expiry"], "kept", "{document:#}");
    let document = answer(&mut node, 0, &["TARGET", "--json", "--for", "300ms"]);
    assert!(document["watch"]["kernel_expiry"].is_null(), "nobody asked: {document:#}");
    let mut interrupted = diagnose(&mut node, &["TARGET", "--probe-kernel"]).spawn().unwrap();
    thread::sleep(Duration::from_millis(1500));
    nix::sys::signal::kill(Pid::from_raw(interrupted.id().cast_signed()), Signal::SIGINT).unwrap();
    assert_eq!(interrupted.wait().unwrap().code(), Some(130));
    let hierarchies = cgtune_sys::Hierarchies::detect(cgtune_sys::HostRoot::default()).unwrap();
    let top = &hierarchies.cpu().mount_point;
    let left = fs::read_dir(top).unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap());
    assert_eq!(left.filter(|name| name.contains("probe-")).collect::<Vec<_>>(), [""; 0]);
}

/// Groups as Docker's cgroupfs driver makes them, really throttled; Docker's own note of the name is synthetic, as its
/// `config.v2.json` has it.
#[test]
fn a_container_of_dockers_is_called_by_its_name() {
    const ID: &str = "3b2e7f9d0c1a4b5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6";
    let _one = alone();
    let mut node = Node::new("dockers");
    let above = node.workshop.group_in(&node.group, "docker").unwrap();
    let mut container = node.workshop.group_in(&above, ID).unwrap();
    apply(container.cgroup().unwrap(), &bandwidth(limited(10, 100, 0))).unwrap();
    let path = container.cgroup().unwrap().path().to_owned();
    let _load = container.spawn(&program("/bin/sh", &["-c", "while :; do :; done"])).unwrap();
    let root = tempfile::tempdir().unwrap();
    for name in ["proc", "sys"] {
        std::os::unix::fs::symlink(Path::new("/").join(name), root.path().join(name)).unwrap();
    }
    let state = root.path().join("var/lib/docker/containers").join(ID);
    fs::create_dir_all(&state).unwrap();
    fs::write(state.join("config.v2.json"), format!(r#"{{"ID":"{ID}","Name":"/quirky_name"}}"#)).unwrap();

    let host = root.path().to_str().unwrap();
    for target in [&["--all"][..], &["--container", "quirky_name"], &["--container", &ID[..12]]] {
        let args = [&["--json", "--for", "3s", "--host-root", host][..], target].concat();
        let document = answer(&mut node, 0, &args);
        let groups = document["cgroups"].as_array().unwrap();
        let group = groups.iter().find(|group| group["path"] == path.to_str().unwrap());
        let group = group.unwrap_or_else(|| panic!("{target:?}: {document:#}"));
        assert_eq!(group["container_name"], "quirky_name", "{group:#}");
        assert_eq!(cause(group), "sustained-demand", "{group:#}");
        let remedies = group["findings"][0]["remedies"].as_array().unwrap();
        assert!(remedies.iter().any(|remedy| remedy["owner"] == "docker"), "{remedies:#?}");
    }
}

/// The command that is shown is one that works: it is taken word for word.
#[test]
fn what_is_shown_to_be_typed_can_be_typed_and_helps() {
    let _one = alone();
    let mut node = Node::new("mended");
    apply(node.group.cgroup().unwrap(), &bandwidth(limited(10, 100, 0))).unwrap();
    let _load = hog(&mut node);
    let document = answer(&mut node, 0, &["TARGET", "--json", "--for", "1s"]);
    let remedies = of(&mut node, &document)["findings"][0]["remedies"].as_array().unwrap().clone();
    let own = remedies.iter().filter(|remedy| remedy["owner"] == "cgtune");
    let commands: Vec<&str> = own.map(|remedy| remedy["command"].as_str().unwrap()).collect();
    assert!(commands.len() >= 2, "{remedies:#?}");
    for command in commands {
        node.reset();
        let mut words = command.split(' ').skip(1).map(str::to_owned).collect::<Vec<_>>();
        words.extend(["--yes".to_owned()]);
        node.expect(0, &words.iter().map(String::as_str).collect::<Vec<_>>());
        let after = answer(&mut node, 0, &["TARGET", "--json", "--for", "1s"]);
        assert_eq!(cause(of(&mut node, &after)), "healthy", "after {command}: {after:#}");
    }
}

#[test]
fn several_targets_are_watched_together() {
    let _one = alone();
    let mut one = Node::new("first");
    let two = one.workshop.group("second").unwrap();
    let mut two = two;
    let path = two.cgroup().unwrap().path().to_str().unwrap().to_owned();
    let begun = Instant::now();
    let document = answer(&mut one, 0, &["TARGET", &path, "--json", "--for", "1s"]);
    assert!(begun.elapsed() < Duration::from_secs(5), "one after the other?");
    assert_eq!(document["cgroups"].as_array().unwrap().len(), 2);
}

#[test]
fn ctrl_c_ends_the_watch_and_what_was_seen_is_said() {
    let _one = alone();
    let mut node = Node::new("stopped");
    apply(node.group.cgroup().unwrap(), &bandwidth(limited(10, 100, 0))).unwrap();
    let _load = hog(&mut node);
    for args in [&["TARGET", "--json", "--for", "60s"][..], &["--all", "--json", "--for", "60s"]] {
        let child = diagnose(&mut node, args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        thread::sleep(Duration::from_millis(1500));
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
        nix::sys::signal::kill(pid, Signal::SIGINT).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", text(&output));
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(cause(of(&mut node, &document)), "sustained-demand");
    }
}

#[test]
fn a_group_that_vanishes_while_it_is_watched_is_an_error_that_says_so() {
    let _one = alone();
    let mut node = Node::new("kept");
    let mut gone = node.workshop.group("gone").unwrap();
    let path = gone.cgroup().unwrap().path().to_str().unwrap().to_owned();
    let command =
        diagnose(&mut node, &[&path, "--for", "5s"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = command.unwrap();
    thread::sleep(Duration::from_millis(1000));
    gone.remove().unwrap();
    let begun = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains(&path), "{}", text(&output));
    assert!(begun.elapsed() < Duration::from_secs(3), "nobody is left to wait for");
}

/// Reading needs no right but to read.
#[test]
fn nobody_in_particular_can_diagnose() {
    let _one = alone();
    let mut node = Node::new("others");
    apply(node.group.cgroup().unwrap(), &bandwidth(limited(10, 100, 0))).unwrap();
    let _load = hog(&mut node);
    let (_public, tool) = node::for_anybody();
    let path = node.path();
    let mut command = Command::new(&tool);
    command.args(["diagnose", "--json", "--for", "1s"]).arg(&path).uid(65534).gid(65534).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(cause(of(&mut node, &document)), "sustained-demand");
}

/// Of ten thousand threads two thousand are looked at, and the answer says how many there are.
#[test]
fn ten_thousand_threads_take_a_bounded_time() {
    let _one = alone();
    let mut node = Node::new("crowd");
    apply(node.group.cgroup().unwrap(), &Policy::default()).unwrap();
    let mut crowd = node.group.spawn(&program("/usr/bin/env", &["python3", "-c", CROWD])).unwrap();
    let dir = node.group.cgroup().unwrap().cpu_dir().path().to_owned();
    let tasks = dir.join(match node.layout() {
        Layout::V1 => "tasks",
        Layout::V2 => "cgroup.threads",
    });
    let begun = Instant::now();
    while fs::read_to_string(&tasks).unwrap().lines().count() < 10_000 {
        assert!(begun.elapsed() < Duration::from_secs(60), "ten thousand threads do not start");
        assert_eq!(crowd.try_wait().unwrap(), None, "python3 with threads is needed");
        thread::sleep(Duration::from_millis(100));
    }
    let begun = Instant::now();
    let document = answer(&mut node, 0, &["TARGET", "--json", "--for", "2s"]);
    println!("ten thousand threads: {:?} for a watch of 2 s: {}", begun.elapsed(), document["watch"]);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(cause(of(&mut node, &document)), "healthy", "{document:#}");
}

/// Threads that sleep until standard input closes.
const CROWD: &str = "
import sys, threading
threading.stack_size(65536)
done = threading.Event()
for _ in range(10000):
    threading.Thread(target=done.wait, daemon=True).start()
sys.stdin.read()
";

#[test]
fn wrong_use_is_told_with_what_is_right() {
    let _one = alone();
    let mut node = Node::new("wrong");
    for (args, hint) in [
        (&["--for", "10"][..], "10s"),
        (&["--for", "100ms"], "300ms"),
        (&["--for", "1h"], "10m"),
        (&["--all", "TARGET"], "--all"),
        (&["/cgtune-nowhere"], "/cgtune-nowhere"),
        (&["TARGET", "--max-stall-ms-per-s", "5"], "--check"),
        (&["TARGET", "--check", "--max-stall-ms-per-s", "-1"], "0 or more"),
        (&["--container", "xyz"], "no cgroup here belongs to a container named"),
    ] {
        let output = diagnose(&mut node, args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", text(&output));
        assert!(text(&output).contains(hint), "{args:?}: {}", text(&output));
    }
}
