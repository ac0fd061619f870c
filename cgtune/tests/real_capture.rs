//! `capture` on the kernel that runs the tests, cgroup v1 or v2, and what `stat` and `diagnose` make of it.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "tests fail by panicking; each test program uses its part of the shared module"
)]

mod node;
mod tool;

use std::{
    fs,
    os::unix::{
        fs::{FileTypeExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::Path,
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use cgtune_core::{CpuControl as _, control::apply};
use cgtune_sys::{process::Child, spawn::Program};
use nix::{sys::signal::Signal, unistd::Pid};
use node::{Node, alone, bandwidth, binary, limited, text};
use serde_json::Value;

/// A group of ours with a load that wants more than its 5 ms of every 100 ms.
struct Busy {
    node: Node,
    load: Option<Child>,
    folder: tempfile::TempDir,
    path: String,
}

impl Busy {
    fn new(what: &str) -> Self {
        let mut node = Node::new(what);
        // Little enough that it is throttled also where the machine is busy with others.
        apply(node.group.cgroup().unwrap(), &bandwidth(limited(5, 100, 0))).unwrap();
        let args = ["-c", "while :; do :; done", "--password=hunter2"].map(Into::into).to_vec();
        let load = node.group.spawn(&Program { path: "/bin/sh".into(), args }).unwrap();
        let path = node.path().into_os_string().into_string().unwrap();
        Self { node, load: Some(load), folder: tempfile::tempdir().unwrap(), path }
    }

    fn tar(&self) -> String {
        self.folder.path().join("node.tar").to_str().unwrap().to_owned()
    }

    /// The files in the folder of the tar.
    fn left(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(mut load) = self.load.take() {
            load.end(Duration::ZERO).unwrap();
        }
    }
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.env("NO_COLOR", "1").stdin(Stdio::null()).args(args);
    command
}

fn run(code: i32, args: &[&str]) -> Output {
    let output = command(args).output().unwrap();
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}", text(&output));
    output
}

/// What was said, on one line: it is wrapped for a terminal.
fn said(code: i32, args: &[&str]) -> String {
    text(&run(code, args)).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A file of a tar, as the system's own tar finds it.
fn inside(tar: &str, file: &str) -> Vec<u8> {
    let output = Command::new("tar").args(["-xOf", tar, file]).output().expect("this test needs tar");
    assert!(output.status.success(), "{tar} {file}: {}", text(&output));
    output.stdout
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// What the first group's lack of quota costs, if that was found: others may be more in its way.
fn demand(diagnosis: &Value) -> Option<f64> {
    let findings = diagnosis["cgroups"][0]["findings"].as_array()?;
    let found = findings.iter().find(|finding| finding["cause"] == "sustained-demand")?;
    found["stall_ms_per_s"].as_f64()
}

/// Every byte; the first lines that differ otherwise.
fn assert_same(replayed: &[u8], captured: &[u8]) {
    let lines = |bytes: &[u8]| {
        String::from_utf8(bytes.to_vec()).unwrap().lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let (replayed, captured) = (lines(replayed), lines(captured));
    let differ = replayed.iter().zip(&captured).position(|(a, b)| a != b);
    if let Some(at) = differ {
        let around = at.saturating_sub(25)..(at + 5);
        panic!(
            "line {at}: replayed\n{}\ncaptured\n{}",
            replayed.get(around.clone()).unwrap_or(&replayed[at..]).join("\n"),
            captured.get(around).unwrap_or(&captured[at..]).join("\n")
        );
    }
    assert_eq!(replayed.len(), captured.len());
}

#[test]
fn a_replay_says_what_was_said_when_it_was_captured() {
    let _one = alone();
    let mut busy = Busy::new("capture");
    let tar = busy.tar();
    let before = busy.node.group.cgroup().unwrap().sample().unwrap().stat.bandwidth.unwrap();
    let manifest = run(0, &["capture", &busy.path, "-o", &tar, "--for", "2s", "--json"]).stdout;
    let after = busy.node.group.cgroup().unwrap().sample().unwrap().stat.bandwidth.unwrap();
    assert_eq!(busy.left(), ["node.tar"]);
    assert_eq!(manifest, inside(&tar, "capture.json"));
    let manifest = json(&manifest);
    tool::schema::assert_describes(json(include_bytes!("../schemas/capture-1.schema.json")), &manifest);
    assert_eq!(manifest["cgroups"], serde_json::json!([busy.path]));

    // Not the words alone: every number, of findings, evidence, expected effects and costs.
    let replayed = run(0, &["diagnose", "--from", &tar, "--json"]).stdout;
    assert_same(&replayed, &inside(&tar, "findings.json"));
    let stat = run(0, &["stat", "--from", &tar, "--json"]).stdout;
    assert_same(&stat, &inside(&tar, "stat.json"));
    tool::schema::assert_describes(json(include_bytes!("../schemas/stat-1.schema.json")), &json(&stat));

    // And it is about what happened: the counters lie between those that the kernel showed us around it.
    let counters = &json(&stat)["cgroups"][0]["counters"];
    let throttled = counters["nr_throttled"].as_u64().unwrap();
    let (low, high) = (before.nr_throttled.get(), after.nr_throttled.get());
    assert!(low < throttled && throttled <= high, "{low} {throttled} {high}");
    let rates = &json(&stat)["cgroups"][0]["rates"];
    assert!(rates["interval_ns"].as_u64().unwrap() >= 2_000_000_000, "{rates}");
    let findings = json(&inside(&tar, "findings.json"));
    let stall = demand(&findings).expect("it wants more than it gets");
    assert!(stall > 100.0, "{findings:#}");

    // It is the group's state then, not now.
    drop(busy.load.take().map(|mut load| load.end(Duration::ZERO)));
    let text = said(0, &["diagnose", "--from", &tar, &busy.path]);
    assert!(text.starts_with("captured at ") && text.contains("sustained-demand"), "{text}");
    let pid = said(2, &["diagnose", "--from", &tar, "/no/such/group"]);
    assert!(pid.contains("cannot replay") && pid.contains("/no/such/group"), "{pid}");
}

/// Ends a storm when it goes.
struct Calm<'a>(&'a AtomicBool);

impl Drop for Calm<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Makes groups and removes them again. How many it made.
fn storm(parent: &Path, stop: &AtomicBool) -> u64 {
    let mut made = 0;
    for n in (0..40).cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        // Made in one round, removed in the next.
        let child = parent.join(format!("s{n}"));
        if fs::remove_dir(&child).is_err() {
            made += u64::from(fs::create_dir(&child).is_ok());
        }
        std::thread::sleep(Duration::from_micros(300));
    }
    for n in 0..40 {
        let _ = fs::remove_dir(parent.join(format!("s{n}")));
    }
    made
}

#[test]
fn all_groups_are_replayed_alike_while_others_come_and_go() {
    let _one = alone();
    let mut busy = Busy::new("all");
    let tar = busy.tar();
    let parent = busy.node.group.cgroup().unwrap().cpu_dir().path().to_owned();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let storm = scope.spawn(|| storm(&parent, &stop));
        // Also when an assertion fails: the scope waits for the storm.
        let _calm = Calm(&stop);
        for _ in 0..3 {
            run(0, &["capture", "--all", "-o", &tar, "--for", "1s", "--force"]);
            let replayed = run(0, &["diagnose", "--all", "--from", &tar, "--json"]).stdout;
            assert_same(&replayed, &inside(&tar, "findings.json"));
            assert_same(&run(0, &["stat", "--from", &tar, "--json"]).stdout, &inside(&tar, "stat.json"));
        }
        stop.store(true, Ordering::Relaxed);
        assert!(storm.join().unwrap() > 500, "it was no storm");
    });
    let one = json(&run(0, &["diagnose", "--from", &tar, &busy.path, "--json"]).stdout);
    let all = json(&inside(&tar, "findings.json"));
    let same = all["cgroups"].as_array().unwrap().iter().find(|group| group["path"] == busy.path);
    assert_eq!(Some(&one["cgroups"][0]), same, "one of all is told as among all");
    let listed = said(0, &["stat", "--all", "--from", &tar]);
    assert!(listed.contains(&busy.path), "{listed}");
}

#[test]
fn a_process_names_its_group_in_a_capture_too() {
    let _one = alone();
    let busy = Busy::new("pid");
    let tar = busy.tar();
    let pid = busy.load.as_ref().unwrap().id().to_string();
    run(0, &["capture", &pid, "-o", &tar, "--for", "300ms"]);
    let by_pid = run(0, &["diagnose", "--from", &tar, &pid, "--json"]).stdout;
    assert_same(&by_pid, &inside(&tar, "findings.json"));
    assert_eq!(json(&by_pid)["cgroups"][0]["path"], busy.path);
    assert!(said(2, &["diagnose", "--from", &tar, "4194303"]).contains("no process 4194303"));
}

#[test]
fn neither_arguments_nor_environments_are_in_it() {
    let _one = alone();
    let mut busy = Busy::new("secret");
    // A process with a secret in its environment as well.
    let args = ["-c", "TOKEN=opensesame exec sleep 60"].map(Into::into).to_vec();
    let mut sleeper = busy.node.group.spawn(&Program { path: "/bin/sh".into(), args }).unwrap();
    let holds = |bytes: &[u8], word: &str| bytes.windows(word.len()).any(|part| part == word.as_bytes());
    let environment = || fs::read(format!("/proc/{}/environ", sleeper.id())).unwrap();
    // The shell becomes `sleep` when it gets a CPU.
    let begun = Instant::now();
    while !holds(&environment(), "opensesame") {
        assert!(begun.elapsed() < Duration::from_secs(30), "the secret is not in the environment");
        std::thread::sleep(Duration::from_millis(10));
    }
    let tar = busy.tar();
    let told = said(0, &["capture", "--all", "-o", &tar, "--for", "300ms"]);
    assert!(told.contains("In it: names") && told.contains("Not in it: command lines"), "{told}");
    let bytes = fs::read(&tar).unwrap();
    assert!(holds(&bytes, "sleep"), "names of processes are in it");
    for secret in ["hunter2", "opensesame", "TOKEN"] {
        assert!(!holds(&bytes, secret), "{secret}");
    }
    // Nor any mount that has nothing to do with cgroups.
    let mounts = String::from_utf8(inside(&tar, "node/proc/1/mountinfo")).unwrap();
    assert!(!mounts.is_empty() && mounts.lines().all(|line| line.contains(" - cgroup")), "{mounts}");
    sleeper.end(Duration::ZERO).unwrap();
}

#[test]
fn unpacked_it_is_a_node_as_a_folder() {
    let _one = alone();
    let busy = Busy::new("folder");
    let tar = busy.tar();
    run(0, &["capture", &busy.path, "-o", &tar, "--for", "300ms"]);
    let folder = tempfile::tempdir().unwrap();
    let unpacked = Command::new("tar").arg("-xf").arg(&tar).arg("-C").arg(folder.path()).status().unwrap();
    assert!(unpacked.success());
    let root = folder.path().join("node");
    let stat = run(0, &["stat", "--host-root", root.to_str().unwrap(), &busy.path, "--json"]).stdout;
    assert_eq!(json(&stat)["cgroups"][0]["policy"]["quota_us"], 5_000);
    for file in ["sys/devices/system/cpu/online", "sys/devices/system/cpu/cpu0/topology/core_id", "proc/stat"]
    {
        assert!(!fs::read(root.join(file)).unwrap().is_empty(), "{file}");
    }
}

#[test]
fn it_goes_through_a_pipe() {
    let _one = alone();
    let busy = Busy::new("pipe");
    let captured = run(0, &["capture", &busy.path, "-o", "-", "--for", "300ms"]);
    assert!(String::from_utf8(captured.stderr).unwrap().contains("In it:"));
    let tar = busy.tar();
    fs::write(&tar, &captured.stdout).unwrap();
    let mut replay = command(&["diagnose", "--from", "-", "--json"]);
    let output = replay.stdin(fs::File::open(&tar).unwrap()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert_same(&output.stdout, &inside(&tar, "findings.json"));
    let both = said(2, &["capture", &busy.path, "-o", "-", "--json", "--for", "300ms"]);
    assert!(both.contains("both want stdout"), "{both}");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let failed =
        command(&["capture", &busy.path, "-o", "-", "--for", "300ms"]).stdout(full).output().unwrap();
    assert_eq!(failed.status.code(), Some(2), "{}", text(&failed));
    assert!(text(&failed).contains("No space left"), "{}", text(&failed));
}

#[test]
fn nothing_is_replaced_unless_asked_and_nothing_is_watched_in_vain() {
    let _one = alone();
    let busy = Busy::new("there");
    let tar = busy.tar();
    fs::write(&tar, "mine").unwrap();
    let begun = Instant::now();
    let refused = said(2, &["capture", &busy.path, "-o", &tar, "--for", "1m"]);
    assert!(refused.contains("is there already") && refused.contains("--force"), "{refused}");
    let nowhere = busy.folder.path().join("no/such/x.tar");
    let refused = said(2, &["capture", &busy.path, "-o", nowhere.to_str().unwrap(), "--for", "1m"]);
    assert!(refused.contains("there is no folder"), "{refused}");
    let folder = busy.folder.path().to_str().unwrap();
    assert!(said(2, &["capture", "-o", folder, "--force", "--for", "1m"]).contains("it is a folder"));
    assert!(said(2, &["capture", "nonsense", "-o", "x.tar", "--for", "1m"]).contains("no cgroup path"));
    assert!(begun.elapsed() < Duration::from_secs(20), "it watched first");
    assert_eq!(fs::read(&tar).unwrap(), b"mine");
    run(0, &["capture", &busy.path, "-o", &tar, "--for", "300ms", "--force"]);
    assert!(fs::metadata(&tar).unwrap().len() > 10_000);
    assert_eq!(busy.left(), ["node.tar"]);
}

#[test]
fn what_is_no_file_is_written_and_stays() {
    let _one = alone();
    let busy = Busy::new("device");
    // Of our own: as /dev/null and /dev/full (drivers/char/mem.c, 6.12).
    for (minor, code) in [("3", 0), ("7", 2)] {
        let device = busy.folder.path().join(minor);
        let path = device.to_str().unwrap();
        assert!(Command::new("mknod").args([path, "c", "1", minor]).status().unwrap().success());
        run(code, &["capture", &busy.path, "-o", path, "--for", "300ms", "--force"]);
        assert!(fs::symlink_metadata(&device).unwrap().file_type().is_char_device(), "{minor}");
    }
    let mut left = busy.left();
    left.sort();
    assert_eq!(left, ["3", "7"]);
}

#[test]
fn an_interrupt_leaves_nothing_behind() {
    let _one = alone();
    let busy = Busy::new("ctrlc");
    let tar = busy.tar();
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let child = command(&["capture", &busy.path, "-o", &tar, "--for", "1m"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(700));
        nix::sys::signal::kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{}", text(&output));
        assert!(text(&output).contains("nothing was written"), "{}", text(&output));
        assert!(busy.left().is_empty());
    }
}

#[test]
fn a_full_disk_leaves_nothing_behind() {
    let _one = alone();
    let busy = Busy::new("full");
    // A small file system of our own, in a mount namespace of its own.
    let script = "mount -t tmpfs -o size=64k none \"$1\" || exit 99
        \"$2\" capture \"$3\" -o \"$1/x.tar\" --for 300ms; code=$?
        ls -A \"$1\"; exit $code";
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(busy.folder.path())
        .arg(binary())
        .arg(&busy.path)
        .env("NO_COLOR", "1")
        .output()
        .expect("this test needs unshare");
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert_eq!(output.stdout, b"", "{}", text(&output));
    let said = text(&output);
    assert!(said.contains("cannot write") && said.contains("No space left on device"), "{said}");
}

#[test]
fn without_root_it_takes_what_it_can_read() {
    let _one = alone();
    let busy = Busy::new("nobody");
    fs::set_permissions(busy.folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    // Where the tool was built nobody else may look.
    let tool = busy.folder.path().join("cgtune");
    fs::copy(binary(), &tool).unwrap();
    let tar = busy.tar();
    let output = Command::new(&tool)
        .args(["capture", &busy.path, "-o", &tar, "--for", "500ms", "--json"])
        .uid(65_534)
        .gid(65_534)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert_eq!(json(&output.stdout)["as_root"], false);
    let replayed = json(&run(0, &["diagnose", "--from", &tar, "--json"]).stdout);
    assert!(demand(&replayed).is_some(), "{replayed:#}");
}

#[test]
fn a_capture_is_no_node_and_is_as_long_as_it_is() {
    for verb in ["stat", "diagnose"] {
        for other in [["--host-root", "/host"], ["--for", "3s"]] {
            let refused = said(2, &[verb, "--from", "x.tar", other[0], other[1]]);
            assert!(refused.contains("cannot be used with") && refused.contains(other[0]), "{refused}");
        }
        let missing = said(2, &[verb, "--from", "/no/such.tar"]);
        assert!(
            missing.contains("cannot replay /no/such.tar") && missing.contains("No such file"),
            "{missing}"
        );
        let folder = tempfile::tempdir().unwrap();
        let damaged = folder.path().join("x.tar");
        for bytes in [&b""[..], b"not a tar at all", &[0; 4096], &[0xff; 4096]] {
            fs::write(&damaged, bytes).unwrap();
            let refused = said(2, &[verb, "--from", path(&damaged)]);
            assert!(refused.starts_with("error: cannot replay") && refused.contains("hint:"), "{refused}");
        }
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
