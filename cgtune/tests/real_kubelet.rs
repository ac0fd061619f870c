//! `kubelet recommend --running` on the kernel that runs the tests: a container in groups that are named as a kubelet names
//! them is really throttled, and the recommendation says so. Needs root.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "tests fail by panicking; each test program uses its part of the shared module"
)]

mod node;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use cgtune_core::{Layout, Policy, Share, Shares, Weight, control::apply};
use node::{Node, alone, bandwidth, binary, limited};
use serde_json::Value;

/// A Guaranteed pod: no level of its own between `kubepods` and it.
const POD: &str = "kubepods/pod6c1a4e95-6bb6-11e6-bc26-28d2444e470d";
/// One whole CPU.
const SHARES: &str = "1024";

/// A container's group below ours, with a program in it that wants two CPUs.
struct Busy {
    directories: Vec<PathBuf>,
    program: Option<Child>,
}

impl Busy {
    fn new(node: &mut Node) -> Self {
        let top = node.group.cgroup().unwrap().cpu_dir().path().to_owned();
        let layout = node.layout();
        let mut busy = Self { directories: Vec::new(), program: None };
        let container = top.join(POD).join("a".repeat(64));
        for directory in [top.join("kubepods"), top.join(POD), container.clone()] {
            if layout == Layout::V2 {
                fs::write(directory.parent().unwrap().join("cgroup.subtree_control"), "+cpu").unwrap();
            }
            fs::create_dir(&directory).unwrap();
            busy.directories.insert(0, directory);
        }
        match layout {
            Layout::V1 => {
                fs::write(container.join("cpu.shares"), SHARES).unwrap();
                fs::write(container.join("cpu.cfs_quota_us"), "100000").unwrap();
            }
            Layout::V2 => fs::write(container.join("cpu.max"), "100000 100000").unwrap(),
        }
        busy.program = Some(spin(&container.join("cgroup.procs")));
        busy
    }
}

/// Two loops in a group: the shell waits until it is in it.
fn spin(members: &Path) -> Child {
    let mut child = Command::new("sh")
        .args(["-c", "read go; while :; do :; done & while :; do :; done"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    fs::write(members, child.id().to_string()).unwrap();
    // Closing the pipe lets `read` go on.
    drop(child.stdin.take());
    child
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(mut program) = self.program.take() {
            // The second loop is found in the group alone.
            let members = fs::read_to_string(self.directories[0].join("cgroup.procs")).unwrap_or_default();
            for pid in members.lines().filter_map(|pid| pid.parse().ok()) {
                let _ = nix::sys::signal::kill(
                    nix::unistd::Pid::from_raw(pid),
                    nix::sys::signal::Signal::SIGKILL,
                );
            }
            let _ = program.wait();
        }
        for directory in &self.directories {
            // A member that was killed leaves its group a moment later.
            for _ in 0..100 {
                if fs::remove_dir(directory).is_ok() {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
        }
    }
}

#[test]
fn a_throttled_container_that_could_be_pinned_is_seen_and_its_throttling_counted() {
    let _one = alone();
    let mut node = Node::new("kubelet");
    // Our own group must not limit what is below it, nor may whoever else runs here.
    let share = match node.layout() {
        Layout::V1 => Share::Shares(Shares::MAX),
        Layout::V2 => Share::Weight(Weight::new(10_000).unwrap()),
    };
    let policy = Policy { share: Some(share), ..bandwidth(limited(1000, 100, 0)) };
    apply(node.group.cgroup().unwrap(), &policy).unwrap();
    let _busy = Busy::new(&mut node);
    let machine = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kubelet/machine.json");
    let args = ["kubelet", "recommend", "--topology", machine, "--running", "--for", "2s", "--json"];
    let output = Command::new(binary()).args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["pods"].as_u64().unwrap() >= 1, "{document:#}");
    let changes = document["changes"].as_array().unwrap();
    let policy = changes.iter().find(|change| change["field"] == "cpuManagerPolicy").unwrap();
    assert_eq!(policy["to"], "static");
    let evidence = policy["evidence"].to_string();
    assert!(evidence.contains("aaaaaaaaaaaa with 1"), "{evidence}");
    // On one CPU two loops do not reach a quota of one.
    if std::thread::available_parallelism().unwrap().get() > 1 {
        let expected = policy["expected"].as_str().unwrap_or_else(|| panic!("{document:#}"));
        assert!(expected.starts_with("modelled: 0 throttled periods in place of "), "{expected}");
    }
}
