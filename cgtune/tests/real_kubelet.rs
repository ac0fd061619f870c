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
#[path = "tool/schema.rs"]
mod schema;

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use cgtune_core::{Controller, Layout, Policy, Share, Shares, Weight, control::apply};
use node::{Node, alone, bandwidth, binary, limited};
use serde_json::Value;

/// A Guaranteed pod: no level of its own between `kubepods` and it.
const POD: &str = "kubepods/pod6c1a4e95-6bb6-11e6-bc26-28d2444e470d";
/// A Burstable one.
const BURSTABLE: &str = "kubepods/burstable/pod7c1a4e95-6bb6-11e6-bc26-28d2444e470d";
/// Two loops that never end.
const TWO_CPUS: &str = "read go; while :; do :; done & while :; do :; done";
/// Some tens of ms of work, and a rest.
const BURSTS: &str = "read go; while :; do i=0; while [ $i -lt 30000 ]; do i=$((i+1)); done; sleep 0.5; done";

/// A container's group below ours, with a program in it.
struct Busy {
    directories: Vec<PathBuf>,
    program: Option<Child>,
}

impl Busy {
    /// A limit in thousandths of a CPU, which is the request as well, and what the program does.
    fn new(node: &mut Node, pod: &str, milli: u64, script: &str) -> Self {
        let top = node.group.cgroup().unwrap().cpu_dir().path().to_owned();
        let layout = node.layout();
        let mut busy = Self { directories: Vec::new(), program: None };
        // On v1 CPU time may be counted beside; a runtime makes the group there as well.
        let beside = node.path();
        let beside = node.workshop.hierarchies().of(Controller::Cpuacct).map(|there| there.open(&beside));
        let beside = beside.and_then(|opened| opened.unwrap()).map(|dir| dir.path().to_owned());
        let counting = beside.filter(|beside| *beside != top).map(|beside| busy.make(beside, pod, layout));
        let container = busy.make(top, pod, layout);
        match layout {
            Layout::V1 => {
                fs::write(container.join("cpu.shares"), (milli * 1024 / 1000).to_string()).unwrap();
                fs::write(container.join("cpu.cfs_quota_us"), (milli * 100).to_string()).unwrap();
            }
            Layout::V2 => fs::write(container.join("cpu.max"), format!("{} 100000", milli * 100)).unwrap(),
        }
        let groups: Vec<PathBuf> = [container].into_iter().chain(counting).collect();
        busy.program = Some(begin(script, &groups));
        busy
    }

    /// Makes the groups of a container below a folder; gives the container's own.
    fn make(&mut self, top: PathBuf, pod: &str, layout: Layout) -> PathBuf {
        let mut directory = top;
        for part in pod.split('/').chain(["a".repeat(64).as_str()]) {
            if layout == Layout::V2 {
                fs::write(directory.join("cgroup.subtree_control"), "+cpu").unwrap();
            }
            directory.push(part);
            fs::create_dir(&directory).unwrap();
            self.directories.insert(0, directory.clone());
        }
        directory
    }
}

/// A script in groups: the shell waits until it is in all of them.
fn begin(script: &str, groups: &[PathBuf]) -> Child {
    let mut child = Command::new("sh").args(["-c", script]).stdin(Stdio::piped()).spawn().unwrap();
    for group in groups {
        fs::write(group.join("cgroup.procs"), child.id().to_string()).unwrap();
    }
    // Closing the pipe lets `read` go on.
    drop(child.stdin.take());
    child
}

impl Drop for Busy {
    fn drop(&mut self) {
        if let Some(mut program) = self.program.take() {
            // What the shell began is found in the group alone.
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

/// Our own group must not limit what is below it, nor may whoever else runs here.
fn unlimited() -> Node {
    let mut node = Node::new("kubelet");
    let share = match node.layout() {
        Layout::V1 => Share::Shares(Shares::MAX),
        Layout::V2 => Share::Weight(Weight::new(10_000).unwrap()),
    };
    let policy = Policy { share: Some(share), ..bandwidth(limited(1000, 100, 0)) };
    apply(node.group.cgroup().unwrap(), &policy).unwrap();
    node
}

fn recommended(duration: &str) -> Value {
    let machine = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kubelet/machine.json");
    let args = ["kubelet", "recommend", "--topology", machine, "--running", "--for", duration, "--json"];
    let output = Command::new(binary()).args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let document = serde_json::from_slice(&output.stdout).unwrap();
    let published = include_str!("../schemas/kubelet-recommend-1.schema.json");
    schema::assert_describes(serde_json::from_str(published).unwrap(), &document);
    document
}

/// The only alternatives on the node are those of this container, unless somebody else's is throttled more often.
#[test]
fn what_another_period_would_do_to_a_throttled_container_is_modelled_on_what_was_seen() {
    let _one = alone();
    let mut node = unlimited();
    let _busy = Busy::new(&mut node, BURSTABLE, 200, BURSTS);
    let document = recommended("6s");
    let alternatives = document["alternatives"].as_array().unwrap();
    let of = |field: &str| alternatives.iter().find(|alternative| alternative["field"] == field);
    let none = of("cpuCFSQuota").unwrap();
    let evidence = none["evidence"].as_str().unwrap();
    assert!(evidence.contains("aaaaaaaaaaaa") && evidence.ends_with(" ms per second"), "{evidence}");
    let expected = none["expected"].as_str().unwrap();
    assert!(expected.contains(" is throttled for 0 ms per second in place of "), "{expected}");
    assert_eq!(none["stall"]["stall_ms_per_s"]["max"], 0.0);
    // What comes together is more than a fifth of a quota, so that a shorter period makes it worse; whether or not, it is said.
    let shorter = match of("cpuCFSQuotaPeriod") {
        Some(offered) => offered["expected"].to_string(),
        None => document["remarks"].to_string(),
    };
    assert!(shorter.contains(" throttled for ") && shorter.contains("modelled"), "{document:#}");
}

#[test]
fn a_throttled_container_that_could_be_pinned_is_seen_and_its_throttling_counted() {
    let _one = alone();
    let mut node = unlimited();
    let _busy = Busy::new(&mut node, POD, 1000, TWO_CPUS);
    let document = recommended("2s");
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
