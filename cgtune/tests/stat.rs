//! `cgtune stat` on nodes that are folders: synthetic trees in the kernel's formats, so that every layout and every
//! kind of broken file is met without root. The last tests look at the machine they run on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod tool;

use std::{ffi::OsStr, fs, os::unix::ffi::OsStrExt as _, path::Path};

use serde_json::Value;
use tempfile::TempDir;
use tool::{fails, schema, succeeds, tool};

/// A node as a folder.
struct Node(TempDir);

impl Node {
    fn new(mountinfo: &str) -> Self {
        let node = Self(TempDir::new().unwrap());
        node.file("/proc/1/mountinfo", mountinfo);
        node.file("/proc/sys/kernel/random/boot_id", "00112233-4455-6677-8899-aabbccddeeff\n");
        node
    }

    /// v1 with the cpu controller alone: no cpuacct, no cpuset.
    fn v1() -> Self {
        let node = Self::new("32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n");
        node.file("/sys/fs/cgroup/cpu/cgroup.sane_behavior", "0\n");
        node
    }

    fn v2() -> Self {
        let node = Self::new("25 22 0:22 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw\n");
        node.file("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
        node.file("/sys/fs/cgroup/cpu.stat", "usage_usec 10\nuser_usec 6\nsystem_usec 4\n");
        node
    }

    fn file(&self, path: &str, text: &str) {
        let full = self.0.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        // Every cgroup has this file, those on the way as well.
        let on_the_way = Path::new(path).ancestors().skip(1).filter(|dir| dir.starts_with("/sys/fs/cgroup"));
        for dir in on_the_way {
            let procs = self.0.path().join(dir.strip_prefix("/").unwrap()).join("cgroup.procs");
            fs::OpenOptions::new().create(true).append(true).open(procs).unwrap();
        }
        fs::write(full, text).unwrap();
    }

    /// A v1 group with a quota of 50 ms in 100 ms.
    fn v1_group(&self, path: &str, stat: &str) {
        let dir = format!("/sys/fs/cgroup/cpu{path}");
        for (file, text) in [
            ("tasks", ""),
            ("cpu.shares", "512\n"),
            ("cpu.cfs_quota_us", "50000\n"),
            ("cpu.cfs_period_us", "100000\n"),
            ("cpu.stat", stat),
        ] {
            self.file(&format!("{dir}/{file}"), text);
        }
    }

    fn v2_group(&self, path: &str, max: &str) {
        let dir = format!("/sys/fs/cgroup{path}");
        for (file, text) in [
            ("cgroup.type", "domain\n"),
            ("cpu.weight", "59\n"),
            ("cpu.max", max),
            ("cpu.max.burst", "0\n"),
            (
                "cpu.stat",
                "usage_usec 10\nuser_usec 6\nsystem_usec 4\nnr_periods 9\nnr_throttled 4\nthrottled_usec 7\nnr_bursts 0\nburst_usec 0\n",
            ),
            ("cpuset.cpus", "\n"),
            ("cpuset.cpus.effective", "0-3\n"),
            ("cpu.pressure", "some avg10=1.50 avg60=0.00 avg300=0.12 total=12345\n"),
        ] {
            self.file(&format!("{dir}/{file}"), text);
        }
    }

    fn root(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    fn stat(&self, target: &str) -> (String, String) {
        succeeds(&["stat", "--host-root", self.root(), target])
    }

    fn json(&self, target: &str) -> Value {
        let (out, _) = succeeds(&["stat", "--json", "--host-root", self.root(), target]);
        let document = serde_json::from_str(&out).unwrap();
        schema::assert_describes(published(), &document);
        document
    }

    fn error(&self, target: &str) -> String {
        // Paths are long and lines are wrapped: one line reads better in an assertion.
        fails(&["stat", "--host-root", self.root(), target])
            .1
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    }
}

fn published() -> Value {
    serde_json::from_str(include_str!("../schemas/stat-1.schema.json")).unwrap()
}

const STAT: &str = "nr_periods 10\nnr_throttled 4\nthrottled_time 1500000\n";

#[test]
fn what_an_old_kernel_does_not_provide_is_null_not_zero() {
    let node = Node::v1();
    node.v1_group("/app", STAT);
    let group = &node.json("/app")["cgroups"][0];
    assert_eq!(group["policy"]["shares"], 512);
    assert_eq!(group["counters"]["nr_throttled"], 4);
    for absent in [
        "/policy/weight",
        "/policy/burst_us",
        "/policy/cpus",
        "/counters/nr_bursts",
        "/counters/usage_ns",
        "/rates",
    ] {
        assert_eq!(group.pointer(absent), Some(&Value::Null), "{absent}");
    }
    let text = node.stat("/app").0.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        text.contains("burst not provided by this kernel") && text.contains("4 of 10 periods (40.0 %)"),
        "{text}"
    );
}

#[test]
fn on_v2_an_ancestor_with_a_smaller_limit_is_named() {
    let node = Node::v2();
    node.v2_group("/pod", "20000 100000\n");
    node.v2_group("/pod/app", "max 100000\n");
    let group = &node.json("/pod/app")["cgroups"][0];
    assert_eq!(group["policy"]["quota_us"], "max");
    assert_eq!(group["policy"]["weight"], 59);
    assert_eq!(group["effective_limit"]["set_by"], "/pod");
    assert_eq!(group["effective_limit"]["cpus"], 0.2);
    assert!(node.stat("/pod/app").0.contains("0.200 CPUs, set by the ancestor /pod"));
}

#[test]
fn a_v2_root_has_no_bandwidth_and_says_so() {
    let group = Node::v2().json("/")["cgroups"][0].clone();
    assert_eq!(
        (&group["policy"]["quota_us"], &group["counters"]["nr_periods"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        (&group["counters"]["usage_ns"], &group["view"]),
        (&Value::from(10_000), &Value::from("whole"))
    );
}

#[test]
fn the_root_of_a_namespace_is_a_limited_view() {
    let node = Node::v2();
    node.file("/sys/fs/cgroup/cgroup.type", "domain\n");
    assert_eq!(node.json("/")["cgroups"][0]["view"], "limited");
    assert!(node.stat("/").0.contains("a container's view"));
}

#[test]
fn on_a_hybrid_host_each_controller_is_found_where_it_is() {
    let node = Node::new(
        "33 25 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
         34 25 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n\
         35 25 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n",
    );
    node.file("/sys/fs/cgroup/unified/cgroup.controllers", "hugetlb\n");
    for (file, text) in
        [("cgroup.procs", ""), ("cpu.stat", STAT), ("cpu.shares", "2\n"), ("cpuacct.usage", "77\n")]
    {
        node.file(&format!("/sys/fs/cgroup/cpu,cpuacct/app/{file}"), text);
    }
    node.file("/sys/fs/cgroup/cpuset/app/cpuset.cpus", "0-1,3\n");
    let group = &node.json("/app")["cgroups"][0];
    assert_eq!(
        (&group["counters"]["usage_ns"], &group["policy"]["cpus"]),
        (&Value::from(77), &Value::from("0-1,3"))
    );
}

#[test]
fn a_node_without_the_controller_is_an_error_that_says_what_to_do() {
    let error = Node::new("25 22 0:22 / /proc rw - proc proc rw\n").error("/");
    assert!(error.starts_with("error: the cpu controller is not available"), "{error}");
    assert!(error.contains("hint:"), "{error}");
}

#[test]
fn garbage_in_a_kernel_file_names_the_file_and_shows_the_text() {
    let node = Node::v1();
    for (file, text) in [
        ("cpu.stat", "nr_periods many\n"),
        ("cpu.stat", "nr_periods 1\n"),
        ("cpu.stat", "\0\u{1b}[2J\n"),
        ("cpu.cfs_quota_us", "lots\n"),
        ("cpu.cfs_period_us", ""),
        ("cpu.shares", "-5\n"),
    ] {
        node.v1_group("/app", STAT);
        node.file(&format!("/sys/fs/cgroup/cpu/app/{file}"), text);
        let error = node.error("/app");
        assert!(
            error.contains(&format!("app/{file} holds something else than its format")),
            "{file}: {error}"
        );
        assert!(!error.contains('\u{1b}'), "{error}");
    }
    let node = Node::new("33 25 - cgroup\n");
    assert!(node.error("/").contains("mountinfo holds something else"), "{}", node.error("/"));
}

#[test]
fn a_name_cannot_steer_the_terminal_or_leave_the_hierarchy() {
    let node = Node::v1();
    node.v1_group("/app", STAT);
    let wild = OsStr::from_bytes(b"a\x1b[2J\n\xff");
    let dir = node.0.path().join("sys/fs/cgroup/cpu");
    fs::rename(dir.join("app"), dir.join(wild)).unwrap();
    let target = Path::new("/").join(wild);
    for json in [None, Some("--json")] {
        let output =
            tool().args(["stat", "--host-root", node.root()]).args(json).arg(&target).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(text.contains(r"x1b[2J") && !text.contains('\u{1b}') && text.contains("xff"), "{text}");
    }
    std::os::unix::fs::symlink("/etc", dir.join("link")).unwrap();
    assert!(node.error("/link").contains("cannot open"), "{}", node.error("/link"));
    assert!(node.error("/../../../etc").contains("outside"), "{}", node.error("/../../../etc"));
    assert!(node.error("/a/../..").contains("no cgroup path"));
}

const ID: [&str; 2] = [
    "3b2e7f9d0c1a4b5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6",
    "3b2e000000000000000000000000000000000000000000000000000000000000",
];

#[test]
fn a_container_is_found_by_a_unique_prefix_and_two_are_told() {
    let node = Node::v2();
    node.v2_group(&format!("/kubepods/burstable/podx/{}", ID[0]), "50000 100000\n");
    node.v2_group(&format!("/system.slice/docker-{}.scope", ID[1]), "max 100000\n");
    assert_eq!(node.json("3b2e7")["cgroups"][0]["container"], ID[0]);
    let error = node.error("3b2e");
    assert!(error.contains("2 containers have ids that begin with \"3b2e\""), "{error}");
    assert!(node.error("feed").contains("no cgroup here belongs to a container"));
    assert_eq!(node.json(&format!("unit:docker-{}.scope", ID[1]))["cgroups"][0]["container"], ID[1]);
}

/// A pod with its log folders, as a kubelet leaves them; its sandbox is known by containerd's state alone.
fn pod(node: &Node, uid: &str, apps: &[(&str, &str)]) {
    let group = format!("/kubepods.slice/kubepods-pod{}.slice", uid.replace('-', "_"));
    node.v2_group(&group, "max 100000\n");
    node.file(&format!("/var/log/pods/prod_web_{uid}/{}/0.log", apps[0].0), "");
    let pause = "9".repeat(64);
    node.v2_group(&format!("{group}/cri-containerd-{pause}.scope"), "max 100000\n");
    let state = "/run/containerd/io.containerd.runtime.v2.task/k8s.io";
    let sandbox = r#"{"annotations":{"io.kubernetes.cri.container-type":"sandbox"}}"#;
    node.file(&format!("{state}/{pause}/config.json"), sandbox);
    for (name, id) in apps {
        node.v2_group(&format!("{group}/cri-containerd-{id}.scope"), "50000 100000\n");
        node.file(&format!("/var/log/containers/web_prod_{name}-{id}.log"), "");
    }
}

#[test]
fn a_pods_one_container_is_found_by_the_pods_name_and_shown_by_its_own() {
    let node = Node::v2();
    pod(&node, "6c1a4e95-6bb6", &[("app", ID[0])]);
    for target in ["pod:prod/web", "pod:web", "pod:prod/web/app", "container:app", ID[0]] {
        let group = &node.json(target)["cgroups"][0];
        assert_eq!(group["container"], ID[0], "{target}");
        let names = ["namespace", "pod", "container_name"].map(|name| &group[name]);
        assert_eq!(names, ["prod", "web", "app"], "{target}");
    }
    assert!(node.stat("pod:prod/web").0.contains("name        prod/web/app"));
    let (out, _) = succeeds(&["stat", "--all", "--for", "20ms", "--host-root", node.root()]);
    assert!(out.contains(" prod/web/app ") && !out.contains("kubepods"), "{out}");
    // Its own group has the pod's name, and nobody's container has one where none is told.
    let group = &node.json("/kubepods.slice/kubepods-pod6c1a4e95_6bb6.slice")["cgroups"][0];
    assert_eq!((&group["pod"], &group["container_name"]), (&Value::from("web"), &Value::Null));
}

#[test]
fn a_pod_that_is_not_one_container_is_told_with_what_to_write() {
    let node = Node::v2();
    pod(&node, "6c1a4e95-6bb6", &[("app", ID[0]), ("log", ID[1])]);
    let error = node.error("pod:prod/web");
    assert!(error.contains("the pod prod/web has 2 containers here, and this takes one cgroup"), "{error}");
    assert!(error.contains("write one of: pod:prod/web/app, pod:prod/web/log, /kubepods.slice"), "{error}");
    assert_eq!(node.json("pod:prod/web/log")["cgroups"][0]["container"], ID[1]);
    assert!(node.error("pod:prod/web/db").contains("the pod prod/web has no container named db here"));
    assert!(node.error("pod:test/web").contains("no cgroup here belongs to a pod named test/web"));
    assert!(node.error("container:redis").contains("no cgroup here belongs to a container named \"redis\""));

    pod(&node, "7d2b5fa6-7cc7", &[("app", &"a".repeat(64))]);
    let error = node.error("pod:web");
    assert!(
        error.contains("2 pods are named web: prod/web (UID 6c1a4e95-6bb6), prod/web (UID 7d2b5fa6-7cc7)"),
        "{error}"
    );
    let error = node.error("container:app");
    assert!(error.contains("2 containers are named \"app\": container:3b2e7f9d0c1a"), "{error}");
}

#[cfg(feature = "cri")]
#[test]
fn who_could_not_be_asked_is_a_warning_and_costs_only_the_name() {
    let node = Node::v2();
    let path = format!("/kubepods/burstable/pod6c1a/{}", ID[0]);
    node.v2_group(&path, "50000 100000\n");
    let (out, err) =
        succeeds(&["stat", "--host-root", node.root(), "--cri-socket", "unix:///nonexistent/a.sock", &path]);
    assert!(out.starts_with(&path), "{out}");
    let err = err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(err.contains("warning: names may be missing: cannot ask the CRI socket (/nonexistent/a.sock): cannot connect: No such file"), "{err}");
    let (out, err) = succeeds(&["stat", "--host-root", node.root(), "--cri-socket", "", &path]);
    assert!(out.starts_with(&path) && err.is_empty(), "{err}");
}

#[test]
fn watching_all_lists_those_with_a_quota_and_skips_the_others() {
    let node = Node::v2();
    node.v2_group("/limited", "50000 100000\n");
    node.v2_group("/free", "max 100000\n");
    let (out, _) = succeeds(&["stat", "--all", "--for", "20ms", "--host-root", node.root()]);
    assert!(out.contains("/limited") && !out.contains("/free"), "{out}");
    assert!(out.contains("0 of 0"), "counters of a folder stand still: {out}");
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
}

#[test]
fn wrong_use_is_exit_code_2_with_the_likely_form() {
    for (args, says) in [
        (&["stat", "--for", "5"][..], "5us, 5ms or 5s"),
        (&["stat", "--for", "0s"], "cannot watch for 0us"),
        (&["stat", "--for", "48h"], "cannot watch for"),
        (&["stat", "nginx"], "no cgroup path, pid or container id"),
        (&["stat", "--all", "/x"], "cannot be used with"),
        (&["stat", "--pod", "prod/web", "/x"], "cannot be used with"),
        (&["stat", "pod:Prod/web"], "did you mean pod:prod/web?"),
        (&["stat", "--pod", "prod/"], "the name of the pod is empty"),
        (&["stat", "--cri-socket", "tcp://10.0.0.1:1"], "write its path, as"),
        (&["stat", "4294967294"], "no process 4294967294"),
    ] {
        let (_, error) = fails(args);
        assert!(error.contains(says), "{args:?}: {error}");
    }
}

/// Needs a mounted cpu controller, as every Linux machine has.
#[test]
fn our_own_cgroup_is_shown_with_what_the_kernel_of_this_machine_provides() {
    let (out, _) = succeeds(&["stat", "--json", "--for", "50ms"]);
    let document: Value = serde_json::from_str(&out).unwrap();
    schema::assert_describes(published(), &document);
    let group = &document["cgroups"][0];
    assert!(group["rates"]["interval_ns"].as_u64().unwrap() >= 50_000_000, "{group:#}");
    let of_pid = succeeds(&["stat", "--json", &std::process::id().to_string()]).0;
    let of_pid: Value = serde_json::from_str(&of_pid).unwrap();
    assert_eq!(of_pid["cgroups"][0]["path"], group["path"]);
}
