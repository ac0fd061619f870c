//! Who owns a group on a node that is a folder: synthetic, with what each owner leaves to be seen.

#![allow(clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::{fs, path::Path};

use cgtune_core::{Micros, Quota};
use cgtune_node::owner::{self, Ownership, Presence, Role, Touched, Wanted};
use cgtune_sys::HostRoot;
use proptest::prelude::*;

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const ALL: Touched = Touched { share: true, quota: true, burst: true, idle: true, cpuset: true };

struct Node(tempfile::TempDir);

impl Node {
    /// With one process, so that /proc is one.
    fn new() -> Self {
        let node = Self(tempfile::tempdir().expect("a folder"));
        node.folder("/run").process(1, b"init\n");
        node
    }

    fn folder(&self, path: &str) -> &Self {
        fs::create_dir_all(self.host().join(path)).expect("a folder");
        self
    }

    fn file(&self, path: &str, bytes: &[u8]) -> &Self {
        let path = self.host().join(path);
        fs::create_dir_all(path.parent().expect("a folder above")).expect("a folder");
        fs::write(path, bytes).expect("a file");
        self
    }

    fn process(&self, pid: u32, comm: &[u8]) -> &Self {
        self.file(&format!("/proc/{pid}/comm"), comm)
    }

    fn host(&self) -> HostRoot {
        HostRoot::new(self.0.path())
    }

    fn owns(&self, path: &str) -> Ownership {
        owner::of(Path::new(&path.replace("ID", ID)), &self.host())
    }
}

fn names(ownership: &Ownership) -> Vec<&str> {
    ownership.owners.iter().map(|owner| owner.name.as_str()).collect()
}

const POD: &str = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podx_y.slice";

#[test]
fn a_pods_container_has_three_owners_the_most_specific_first() {
    let node = Node::new();
    node.folder("/run/systemd/system").process(812, b"kubelet\n");
    node.file("/var/lib/kubelet/cpu_manager_state", br#"{"policyName":"static","defaultCpuSet":"0-3"}"#);
    node.file(&format!("/run/containerd/runc/k8s.io/{ID}/state.json"), b"{}");
    let ownership = node.owns(&format!("{POD}/cri-containerd-ID.scope"));
    assert_eq!(names(&ownership), ["containerd", "kubelet", "systemd"]);
    let Role::Kubelet(kubelet) = &ownership.owners[1].role else { panic!("{ownership:?}") };
    assert_eq!((kubelet.running, kubelet.static_cpus), (Presence::Seen, Some(true)));
    assert!(ownership.owners[0].evidence.ends_with("runc keeps its state in /run/containerd/runc/k8s.io"));

    let goal = Wanted { touched: ALL, burst: Some(Micros::new(7000)), weight: Some(59), ..Wanted::default() };
    let commands: Vec<_> =
        ownership.lasting(&goal).into_iter().filter_map(|lasting| lasting.command).collect();
    assert!(commands[0].starts_with("runc --root /run/containerd/runc/k8s.io update "), "{commands:?}");
    assert!(commands[0].ends_with(&format!("--cpu-burst 7000 {ID}")), "{commands:?}");
    assert!(commands[1].starts_with("kubectl patch pod '<pod>'"), "{commands:?}");
    assert!(commands[2].ends_with(".scope CPUWeight=59"), "{commands:?}");
}

#[test]
fn with_nerdctl_the_namespace_is_the_states_and_runc_is_named_for_the_burst() {
    let node = Node::new();
    node.file("/usr/local/bin/nerdctl", b"").file(&format!("/run/containerd/runc/default/{ID}/status"), b"");
    let goal = Wanted {
        touched: Touched { quota: true, burst: true, ..Touched::default() },
        quota: Some(Quota::Limited(Micros::new(10_000))),
        burst: Some(Micros::new(7000)),
        ..Wanted::default()
    };
    let lasting = node.owns("/default/ID").lasting(&goal);
    let commands: Vec<_> = lasting.iter().map(|lasting| lasting.command.as_deref().unwrap_or("")).collect();
    assert_eq!(commands[0], format!("nerdctl --namespace default update --cpu-quota 10000 {ID}"));
    // The state is crun's, which has no option for the burst.
    assert_eq!(
        commands[1],
        format!("crun --root /run/containerd/runc/default update --cpu-quota 10000 {ID}")
    );
    assert!(lasting[1].cannot[0].starts_with("burst:"));
}

#[test]
fn what_is_not_running_is_said_and_overwrites_nothing() {
    let node = Node::new();
    let ownership = node.owns("/system.slice/nginx.service");
    assert_eq!(names(&ownership), ["systemd"]);
    assert_eq!(
        ownership.owners[0].evidence,
        "by its name a systemd service, but systemd is not running here"
    );
    assert_eq!(ownership.overwrites(&ALL), []);
    node.folder("/run/systemd/system");
    let found = node.owns("/system.slice/nginx.service").overwrites(&ALL);
    assert_eq!(found[0].what, ["quota", "weight", "idle"]);
    assert!(found.iter().all(|found| !found.what.contains(&"burst")), "{found:?}");
}

#[test]
fn a_kubelet_that_is_not_visible_is_a_condition_not_a_fact() {
    let found = Node::new().owns("/kubepods/burstable").overwrites(&ALL);
    assert_eq!(found[0].who, "kubelet, if one runs (none is visible from here)");
}

#[test]
fn agents_are_found_by_their_processes_and_reach_pods() {
    let node = Node::new();
    node.process(42, b"koordlet\n").process(43, b"koordlet\n").process(44, b"\xff\x1b[2J\n");
    node.folder("/proc/45").folder("/proc/self").file("/proc/46/stat", b"");
    let ownership = node.owns("/kubepods/podx");
    assert_eq!(ownership.agents.len(), 1);
    let found = ownership.overwrites(&Touched { quota: true, burst: true, ..Touched::default() });
    assert_eq!(
        found.last().expect("koordlet").when,
        "a process named koordlet is running (pid 42); it may rewrite quota and burst at any reconcile"
    );
    let elsewhere = node.owns("/system.slice/nginx.service");
    assert_eq!((elsewhere.agents.len(), elsewhere.overwrites(&ALL)), (1, vec![]));
}

#[test]
fn nri_is_a_door_that_containers_go_through() {
    let node = Node::new();
    node.file("/run/nri/nri.sock", b"").process(9, b"nri-\x1b]0;\n");
    let ownership = node.owns("/kubepods/podx/ID");
    assert_eq!(
        ownership.agents[0].evidence,
        r"a process named nri-\x1b]0; is running (pid 9); the runtime takes NRI plugins (/run/nri/nri.sock)"
    );
    let who = |path: &str| -> Vec<String> {
        node.owns(path).overwrites(&ALL).into_iter().map(|found| found.who).collect()
    };
    assert!(who("/kubepods/podx/ID").contains(&"NRI plugins".to_owned()));
    assert!(!who("/docker/ID").contains(&"NRI plugins".to_owned()));
}

#[test]
fn nobodys_group_has_no_owner() {
    let ownership = Node::new().owns("/mine/own");
    assert_eq!(ownership, Ownership { owners: vec![], agents: vec![] });
    assert_eq!(ownership.lasting(&Wanted { touched: ALL, ..Wanted::default() }), []);
}

#[test]
fn it_is_json_with_the_kind_in_it() {
    let ownership = Node::new().owns("/docker/ID");
    let json = serde_json::to_value(&ownership).expect("JSON");
    assert_eq!(json["owners"][0]["role"]["kind"], "container");
    assert_eq!(json["owners"][0]["role"]["runtime"], "docker");
}

proptest! {
    /// Names of groups are anybody's; what is said of them is safe to show, and commands are whole.
    #[test]
    fn any_path_is_judged_without_panic_and_shown_safely(
        bytes in proptest::collection::vec(proptest::sample::select(PARTS.to_vec()), 0..8),
        quota in 0_u64..=u64::MAX,
        period in 0_u64..=u64::MAX,
        weight in 0_u64..20_000,
    ) {
        use std::os::unix::ffi::OsStrExt as _;
        let path = bytes.concat();
        let ownership = owner::of(Path::new(std::ffi::OsStr::from_bytes(&path)), &HostRoot::new("/nonexistent"));
        let goal = Wanted {
            touched: ALL,
            weight: Some(weight),
            quota: Some(Quota::Limited(Micros::new(quota))),
            period: Some(Micros::new(period)),
            idle: Some(false),
            ..Wanted::default()
        };
        let mut shown: String = ownership.owners.iter().map(|owner| owner.evidence.as_str()).collect();
        for found in ownership.overwrites(&ALL) {
            shown += &(found.who + &found.when);
        }
        for found in ownership.lasting(&goal) {
            shown += &(found.owner + &found.command.unwrap_or_default() + &found.cannot.concat());
        }
        prop_assert!(!shown.chars().any(char::is_control), "{shown:?}");
    }
}

const PARTS: [&[u8]; 16] = [
    b"/kubepods",
    b"/kubepods.slice",
    b"/burstable",
    b"/kubepods-besteffort.slice",
    b"/pod",
    b"/kubepods-pod\x1b.slice",
    b"/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    b"/docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope",
    b"/a:b:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    b"/user@1.service",
    b"/\xff\x1b[2J\n",
    b"\xc3\xa4",
    b"/x'; reboot #.service",
    b"/-.slice",
    b"/container",
    b".scope",
];
