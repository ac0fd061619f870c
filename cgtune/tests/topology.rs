//! `cgtune topology` on machines that are folders: synthetic copies of a /sys in the kernel's formats, for shapes that no machine
//! at hand has. One is a copy of a real one. The last tests look at the machine they run on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

mod machines;
mod tool;

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tool::{fails, schema, succeeds};

/// A copy of a /sys, below `sys` of a folder that may have a `proc` as well.
struct Tree(TempDir);

impl Tree {
    fn new(online: &str) -> Self {
        let tree = Self(TempDir::new().unwrap());
        tree.cpu_file("online", online);
        tree
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn file(&self, path: &str, text: &str) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn cpu_file(&self, name: &str, text: &str) -> &Self {
        self.file(&format!("sys/devices/system/cpu/{name}"), &format!("{text}\n"))
    }

    fn cpu(&self, cpu: u32, core: &str, socket: &str) -> &Self {
        self.cpu_file(&format!("cpu{cpu}/topology/thread_siblings_list"), core);
        self.cpu_file(&format!("cpu{cpu}/topology/physical_package_id"), socket)
    }

    fn cache(&self, cpu: u32, index: u32, level: u32, kind: &str, shared: &str) -> &Self {
        let index = format!("cpu{cpu}/cache/index{index}");
        self.cpu_file(&format!("{index}/level"), &level.to_string());
        self.cpu_file(&format!("{index}/type"), kind);
        self.cpu_file(&format!("{index}/size"), "32768K");
        self.cpu_file(&format!("{index}/shared_cpu_list"), shared)
    }

    fn node(&self, node: u32, cpus: &str, kib: u64, distances: &str) -> &Self {
        let node_folder = format!("sys/devices/system/node/node{node}");
        self.file(&format!("{node_folder}/cpulist"), &format!("{cpus}\n"));
        self.file(&format!("{node_folder}/meminfo"), &format!("Node {node} MemTotal:       {kib} kB\n"));
        self.file(&format!("{node_folder}/distance"), &format!("{distances}\n"))
    }

    fn args<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        [&["topology", "--sysfs", self.0.path().to_str().unwrap()], more].concat()
    }

    fn text(&self) -> String {
        let (text, err) = succeeds(&self.args(&[]));
        assert_eq!(err, "");
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        text
    }

    /// As JSON, which the schema describes and the tool reads back to the same.
    fn json(&self) -> Value {
        let out = succeeds(&self.args(&["--json"])).0;
        let document: Value = serde_json::from_str(&out).unwrap();
        schema::assert_describes(published(), &document);
        let file = self.path("again.json");
        fs::write(&file, &out).unwrap();
        assert_eq!(succeeds(&["topology", "--from", file.to_str().unwrap(), "--json"]).0, out);
        document
    }

    fn error(&self) -> String {
        words(&fails(&self.args(&[])).1)
    }
}

fn published() -> Value {
    serde_json::from_str(include_str!("../schemas/topology-1.schema.json")).unwrap()
}

/// Paths are long and lines are wrapped: one line reads better in an assertion.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn column(document: &Value, field: &str) -> Vec<Value> {
    document["cpus"].as_array().unwrap().iter().map(|cpu| cpu[field].clone()).collect()
}

/// Two sockets of two nodes each, each node with a cache and two cores of two threads: 16 CPUs, the second threads from 8 on.
fn two_by_two() -> Tree {
    let tree = Tree::new("0-15");
    for core in 0..8 {
        let (socket, node) = (core / 4, core / 2);
        let threads = format!("{core},{}", core + 8);
        let (first, last) = (node * 2, node * 2 + 1);
        let shared = format!("{first}-{last},{}-{}", first + 8, last + 8);
        for cpu in [core, core + 8] {
            tree.cpu(cpu, &threads, &socket.to_string());
            tree.cache(cpu, 0, 1, "Data", &threads).cache(cpu, 1, 1, "Instruction", &threads);
            tree.cache(cpu, 2, 2, "Unified", &threads).cache(cpu, 3, 3, "Unified", &shared);
        }
        let distances = ["10 11 21 21", "11 10 21 21", "21 21 10 11", "21 21 11 10"];
        tree.node(node, &shared, 16 << 20, distances[node as usize]);
    }
    tree.file("sys/devices/system/node/online", "0-3\n").file("sys/devices/system/node/has_memory", "0-3\n");
    for (name, text) in [
        ("possible", "0-15"),
        ("present", "0-15"),
        ("isolated", "6-7,14-15"),
        ("nohz_full", "14-15"),
        ("smt/control", "on"),
    ] {
        tree.cpu_file(name, text);
    }
    let counts =
        |busy: usize| (0..16).map(|cpu| if cpu == busy { " 90000" } else { " 10" }).collect::<String>();
    let head: String = (0..16).map(|cpu| format!("   CPU{cpu}")).collect();
    tree.file(
        "proc/interrupts",
        &format!(
            "{head}\n 24:{}  PCI-MSI 1-edge nvme\n 25:{}  PCI-MSI 2-edge eth\nLOC:{}  Local\n",
            counts(3),
            counts(3),
            counts(9)
        ),
    );
    tree.file("proc/uptime", "1000.50 2000.00\n");
    tree
}

#[test]
fn two_sockets_of_two_nodes_with_two_threads_a_core() {
    let tree = two_by_two();
    insta::assert_snapshot!("two_by_two", tree.text());
    let document = tree.json();
    let cpu = &document["cpus"][11];
    assert_eq!(
        [&cpu["cpu"], &cpu["core"], &cpu["socket"], &cpu["node"], &cpu["uncore"], &cpu["interrupts"]],
        [&json!(11), &json!(3), &json!(0), &json!(1), &json!(2), &json!(20)]
    );
    assert_eq!(document["nodes"][2]["distances"], json!([21, 21, 10, 11]));
    assert_eq!(document["caches"][1], json!({ "uncore": 2, "level": 3, "size_bytes": 32 << 20 }));
    assert_eq!((&document["interrupts_ms"], &document["cpusets"]), (&json!(1_000_500), &Value::Null));
}

#[test]
fn the_copy_may_be_the_sys_itself() {
    let tree = two_by_two();
    let sys = tree.path("sys");
    let (out, _) = succeeds(&["topology", "--json", "--sysfs", sys.to_str().unwrap()]);
    let (inner, mut outer): (Value, Value) = (serde_json::from_str(&out).unwrap(), tree.json());
    // There is no /proc in a /sys.
    outer["interrupts_ms"] = Value::Null;
    outer["cpus"].as_array_mut().unwrap().iter_mut().for_each(|cpu| cpu["interrupts"] = Value::Null);
    assert_eq!(inner, outer);
}

#[test]
fn big_and_little_cores_have_their_clocks() {
    let tree = Tree::new("0-7");
    for cpu in 0..8 {
        tree.cpu(cpu, &cpu.to_string(), "0");
        let shared = if cpu < 4 { "0-3" } else { "4-7" };
        tree.cache(cpu, 2, 2, "Unified", shared);
        let (capacity, khz) = match cpu {
            0..4 => ("446", "1800000"),
            4..7 => ("871", "2400000"),
            _ => ("1024", "2800000"),
        };
        tree.cpu_file(&format!("cpu{cpu}/cpu_capacity"), capacity);
        tree.cpu_file(&format!("cpu{cpu}/cpufreq/cpuinfo_min_freq"), "300000");
        tree.cpu_file(&format!("cpu{cpu}/cpufreq/cpuinfo_max_freq"), khz);
        tree.cpu_file(&format!("cpu{cpu}/cpufreq/scaling_min_freq"), "300000");
        tree.cpu_file(&format!("cpu{cpu}/cpufreq/scaling_max_freq"), if cpu == 7 { "2000000" } else { khz });
    }
    insta::assert_snapshot!("big_little", tree.text());
    let kinds = column(&tree.json(), "kind");
    assert_eq!((&kinds[0], &kinds[5], &kinds[7]), (&json!("little"), &json!("middle"), &json!("big")));
}

#[test]
fn a_hybrid_is_told_by_its_lists_and_odd_threads_do_not_disturb() {
    let tree = Tree::new("0-7");
    for cpu in 0..8 {
        let core = if cpu < 4 { format!("{}-{}", cpu / 2 * 2, cpu / 2 * 2 + 1) } else { cpu.to_string() };
        tree.cpu(cpu, &core, "0").cache(cpu, 3, 3, "Unified", "0-7");
    }
    tree.file("sys/devices/cpu_core/cpus", "0-3\n").file("sys/devices/cpu_atom/cpus", "4-7\n");
    let text = words(&tree.text());
    assert!(text.contains("2 big cores of 2 threads: 0-1 2-3 4 little cores: 4-7"), "{text}");
}

#[test]
fn holes_offline_cpus_and_nodes_without_memory_or_cpus() {
    let tree = Tree::new("1,4-5,9");
    for (cpu, core, socket) in [(1, "1,9", "7"), (9, "1,9", "7"), (4, "4-5", "2"), (5, "4-5", "2")] {
        tree.cpu(cpu, core, socket);
    }
    // A CPU that is switched off keeps its folder, without what is in it.
    fs::create_dir_all(tree.path("sys/devices/system/cpu/cpu3")).unwrap();
    tree.cpu_file("possible", "0-63").cpu_file("present", "1,3-5,9").cpu_file("offline", "0,2-3,6-8,10-63");
    tree.node(0, "4-5", 0, "10 20 40").node(3, "1,9", 1 << 20, "20 10 40").node(8, "", 4 << 20, "40 40 10");
    tree.file("sys/devices/system/node/online", "0,3,8\n")
        .file("sys/devices/system/node/has_memory", "3,8\n");
    insta::assert_snapshot!("holes", tree.text());
    let document = tree.json();
    assert_eq!(column(&document, "cpu"), [1, 4, 5, 9]);
    assert_eq!(column(&document, "node"), [3, 0, 0, 3]);
    assert_eq!((&document["offline"], &document["possible"]), (&json!("3"), &json!("0-63")));
    let memory: Vec<_> = (0..3).map(|node| document["nodes"][node]["memory_bytes"].clone()).collect();
    assert_eq!(memory, [json!(0), json!(1 << 30), json!(4_u64 << 30)]);
}

#[test]
fn a_machine_that_says_little_is_shown_with_what_was_assumed() {
    let tree = Tree::new("0-3");
    let text = words(&tree.text());
    assert!(text.contains("4 cores, 1 socket, 1 memory node"), "{text}");
    assert!(text.contains("does not show /sys/devices/system/cpu/cpuN/topology; CPUs are those of /sys/devices/system/cpu/online, and each is shown as a core of its own"), "{text}");
    let processor = |n: u32, socket: u32, core: u32| {
        format!("processor\t: {n}\nphysical id\t: {socket}\ncore id\t\t: {core}\n\n")
    };
    tree.file(
        "proc/cpuinfo",
        &[processor(0, 0, 0), processor(1, 1, 0), processor(2, 0, 0), processor(3, 1, 0)].concat(),
    );
    let document = tree.json();
    assert_eq!(
        (column(&document, "core"), column(&document, "socket")),
        (vec![json!(0), json!(1), json!(0), json!(1)], vec![json!(0), json!(1), json!(0), json!(1)])
    );
    assert!(
        document["notes"][0].as_str().unwrap().contains("cores and sockets those of /proc/cpuinfo"),
        "{document:#}"
    );
}

#[test]
fn where_nothing_is_shown_it_says_what_was_looked_for() {
    let empty = TempDir::new().unwrap();
    let root = empty.path().to_str().unwrap();
    let error = words(&fails(&["topology", "--sysfs", root]).1);
    assert!(
        error.contains(&format!(
            "there is neither {root}/devices/system/cpu nor {root}/sys/devices/system/cpu"
        )),
        "{error}"
    );
    let error = words(&fails(&["topology", "--host-root", root]).1);
    let looked = format!(
        "looked for {root}/sys/devices/system/cpu/online, {root}/sys/devices/system/cpu/cpuN/topology, {root}/proc/cpuinfo"
    );
    assert!(error.contains(&looked), "{error}");
    fs::create_dir_all(empty.path().join("sys/devices/system/cpu")).unwrap();
    fs::create_dir_all(empty.path().join("proc")).unwrap();
    fs::write(empty.path().join("proc/cpuinfo"), b"processor\t: 4294967296\n\n:::\n\xff\x00").unwrap();
    assert!(
        words(&fails(&["topology", "--host-root", root]).1)
            .contains("nothing here says which CPUs there are")
    );
}

#[test]
fn what_cannot_be_is_refused_with_path_and_value() {
    let broken = |name: &str, text: &str, expected: &[&str]| {
        let tree = two_by_two();
        tree.file(&format!("sys/devices/system/{name}"), text);
        let error = tree.error();
        for part in expected {
            assert!(error.contains(part), "{name}: {error}");
        }
    };
    broken("cpu/online", "garbage\n", &["cpu/online", "found \"garbage\""]);
    broken("cpu/online", "-1\n", &["cpu/online", "found \"-1\""]);
    broken("cpu/online", "0-99999\n", &["cpu/online", "found \"0-99999\""]);
    broken("cpu/isolated", "1-\n", &["cpu/isolated", "found \"1-\""]);
    broken(
        "cpu/online",
        "0-16\n",
        &["CPU 16 is online, but there is no", "cpu16/topology/thread_siblings_list"],
    );
    broken(
        "cpu/cpu3/topology/thread_siblings_list",
        "\n",
        &["cpu3/topology/thread_siblings_list", "a list that holds the CPU itself"],
    );
    broken(
        "cpu/cpu3/topology/thread_siblings_list",
        "3\n",
        &["cpu3/topology/thread_siblings_list says \"3\"", "says \"3,11\"", "a CPU is in both"],
    );
    broken(
        "cpu/cpu11/topology/physical_package_id",
        "1\n",
        &[
            "cpu3/topology/physical_package_id says \"0\"",
            "cpu11/topology/physical_package_id says \"1\"",
            "both are of one core",
        ],
    );
    broken(
        "cpu/cpu4/topology/physical_package_id",
        "4294967296\n",
        &["cpu4/topology/physical_package_id", "found \"4294967296\""],
    );
    broken("cpu/cpu4/topology/physical_package_id", "two\x1b[2J\n", &["found \"two\\x1b[2J\""]);
    broken("cpu/cpu5/cache/index3/level", "-3\n", &["cpu5/cache/index3/level", "found \"-3\""]);
    broken("node/node1/cpulist", "0-\n", &["node1/cpulist", "found \"0-\""]);
    broken(
        "node/node1/cpulist",
        "2-3,10\n",
        &["sys/devices/system/cpu", "CPUs 3 and 11 are one core (3), but on NUMA nodes 1 and 0"],
    );
}

#[test]
fn what_only_adds_to_the_picture_is_passed_over_with_a_note() {
    let tree = two_by_two();
    tree.cpu_file("cpu4/cpufreq/scaling_max_freq", "<unknown>").cpu_file("cpu4/cpu_capacity", "99999999999");
    tree.cpu_file("cpu12/topology/physical_package_id", "-1")
        .cpu_file("cpu4/topology/physical_package_id", "-1");
    tree.cpu_file("cpu6/cache/index3/shared_cpu_list", "6").file("proc/interrupts", "no table\n");
    tree.file("sys/devices/system/node/node1/distance", "10 20\n");
    let notes = words(&tree.json()["notes"].to_string());
    for note in [
        "the sockets of CPUs 4,12 are not known",
        "its last-level caches are left out",
        "cpu4/cpu_capacity holds something else than its format: expected a capacity such as 1024, found",
        "and 1 more",
        "the distances of nodes 1 are left out",
        "interrupts are left out",
    ] {
        assert!(notes.contains(note), "{note}: {notes}");
    }
}

#[test]
fn links_that_lead_nowhere_or_in_a_circle_and_pipes_are_named() {
    let tree = two_by_two();
    let replace = |name: &str, to: &str| {
        let path = tree.path(&format!("sys/devices/system/cpu/{name}"));
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        symlink(to, &path).unwrap();
        tree.error()
    };
    let error = replace("cpu7/topology/physical_package_id", "nowhere");
    assert!(error.contains("cpu7/topology/physical_package_id is a link that leads nowhere"), "{error}");
    let error = replace("cpu5/topology", "../cpu5/topology");
    assert!(error.contains("cpu5/topology"), "{error}");
    let error = replace("cpu2", "../../../gone");
    assert!(error.contains("sys/devices/system/cpu/cpu2 is a link that leads nowhere"), "{error}");
    let path = tree.path("sys/devices/system/cpu/online");
    fs::remove_file(&path).unwrap();
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(tree.error().contains("cannot read"), "a pipe is not waited for");
    let circle = TempDir::new().unwrap();
    fs::create_dir_all(circle.path().join("devices/system")).unwrap();
    symlink("../system/cpu", circle.path().join("devices/system/cpu")).unwrap();
    let error = words(&fails(&["topology", "--sysfs", circle.path().to_str().unwrap()]).1);
    assert!(error.contains("holds no captured /sys"), "{error}");
}

#[test]
fn a_whole_copy_with_circles_in_it_is_read_all_the_same() {
    // As /sys itself has them: from a CPU to its node and back.
    let tree = two_by_two();
    symlink("../../node/node0", tree.path("sys/devices/system/cpu/cpu0/node0")).unwrap();
    symlink("../../cpu/cpu0", tree.path("sys/devices/system/node/node0/cpu0")).unwrap();
    symlink(".", tree.path("sys/devices/system/cpu/subsystem")).unwrap();
    assert_eq!(tree.text(), two_by_two().text());
}

#[test]
fn thousands_of_cpus_are_read_quickly_and_fit_a_screen_or_two() {
    const CPUS: u32 = 8192;
    let tree = Tree::new(&format!("0-{}", CPUS - 1));
    for cpu in 0..CPUS {
        let core = cpu % (CPUS / 2);
        let first = core / 8 * 8;
        let shared = format!("{first}-{},{}-{}", first + 7, first + CPUS / 2, first + 7 + CPUS / 2);
        tree.cpu(cpu, &format!("{core},{}", core + CPUS / 2), &(core / 512).to_string());
        tree.cache(cpu, 3, 3, "Unified", &shared);
    }
    for node in 0..8 {
        let first = node * 512;
        let cpus = format!("{first}-{},{}-{}", first + 511, first + CPUS / 2, first + 511 + CPUS / 2);
        tree.node(node, &cpus, 1 << 30, "10 20 20 20 20 20 20 20");
    }
    let begun = Instant::now();
    let text = tree.text();
    // Under a second where nothing else runs; the bound is for a machine that is busy.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(text.starts_with("8,192 CPUs online: 4,096 cores, 512 last-level caches, 8 sockets"), "{text}");
    assert!(text.lines().count() < 300, "{}", text.lines().count());
    assert_eq!(tree.json()["cpus"].as_array().unwrap().len(), CPUS as usize);
}

fn described(text: &str) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("machine.json");
    fs::write(&file, text).unwrap();
    (folder, file.to_str().unwrap().to_owned())
}

#[test]
fn a_list_of_cpus_is_description_enough() {
    let (_folder, file) = described(
        r#"{"cpus":[{"cpu":2,"core":0,"socket":0,"node":0,"uncore":null},{"cpu":0,"core":0,"socket":0,"node":0}]}"#,
    );
    let text = succeeds(&["topology", "--topology", &file]).0;
    assert!(text.starts_with("2 CPUs online: 1 core, 1 socket, 1 memory node\n"), "{text}");
}

#[test]
fn a_description_that_is_none_is_refused_with_its_place() {
    for (text, expected) in [
        ("", "EOF while parsing a value at line 1 column 0"),
        ("cpus: []", "at line 1 column 1"),
        ("{}", "missing field `cpus`"),
        ("[1]", "at line 1 column"),
        (r#"{"cpus":[]}"#, "it has no CPU"),
        (
            "{\"cpus\":[\n {\"cpu\":0,\"core\":0,\"socket\":-1,\"node\":0}]}",
            "in cpus[0].socket invalid value: integer `-1`, expected u32 at line 2",
        ),
        (
            "{\"cpus\":[\n{\"cpu\":0,\"core\":0,\"socket\":0,\"node\":0},\n {\"cpu\":\"1\"}]}",
            "in cpus[1].cpu invalid type: string \"1\", expected u32 at line 3",
        ),
        (r#"{"cpus":[{"cpu":0,"core":0,"socket":0,"node":0}],"offline":"1-"}"#, "in offline"),
        (
            r#"{"cpus":[{"cpu":0,"core":0,"socket":0,"node":0},{"cpu":0,"core":0,"socket":0,"node":0}]}"#,
            "CPU 0 is listed twice",
        ),
        (
            r#"{"cpus":[{"cpu":0,"core":0,"socket":0,"node":0},{"cpu":1,"core":0,"socket":1,"node":0}]}"#,
            "CPUs 0 and 1 are one core (0), but on sockets 0 and 1",
        ),
        (r#"{"cpus":[{"cpu":70000,"core":0,"socket":0,"node":0}]}"#, "CPU 70000 is above 65535"),
        (r#"{"schema":"cgtune.stat/1","cgroups":[]}"#, "is \"cgtune.stat/1\", not \"cgtune.topology/1\""),
        (r#"{"cpus":[{"cpu":0,"core":0,"socket":0,"node":0}]} {}"#, "trailing characters at line 1"),
    ] {
        let (_folder, file) = described(text);
        let error = words(&fails(&["topology", "--from", &file]).1);
        assert!(error.contains(&file) && error.contains(expected), "{text}: {error}");
        assert!(error.contains("hint: it should be what cgtune topology --json prints"), "{error}");
    }
    let error = words(&fails(&["topology", "--from", "/nowhere"]).1);
    assert!(error.starts_with("error: cannot read /nowhere: No such file"), "{error}");
}

#[test]
fn one_machine_is_meant() {
    for args in [["--sysfs", "/sys", "--from", "x"], ["--sysfs", "/sys", "--host-root", "/host"]] {
        fails(&[&["topology"], &args[..]].concat());
    }
}

#[test]
fn this_machine_is_shown_as_the_kernel_lists_it() {
    let (out, _) = succeeds(&["topology", "--json"]);
    let document: Value = serde_json::from_str(&out).unwrap();
    schema::assert_describes(published(), &document);
    let online: cgtune_core::CpuSet =
        fs::read_to_string("/sys/devices/system/cpu/online").unwrap().parse().unwrap();
    assert_eq!(column(&document, "cpu"), online.iter().map(Value::from).collect::<Vec<_>>());
    for cpu in document["cpus"].as_array().unwrap() {
        let list = format!("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu["cpu"]);
        let siblings: cgtune_core::CpuSet = fs::read_to_string(list).unwrap().parse().unwrap();
        assert_eq!(cpu["core"], siblings.iter().next().unwrap());
        assert!(cpu["interrupts"].is_u64(), "{cpu}");
    }
    assert!(Path::new("/proc/interrupts").exists() && document["interrupts_ms"].as_u64() > Some(0));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let unified = fs::read_to_string("/sys/fs/cgroup/cgroup.controllers").unwrap_or_default();
    let has_cpusets = mounts.contains("cpuset") || unified.contains("cpuset");
    assert_eq!(document["cpusets"].is_array(), has_cpusets, "{document:#}");
    assert!(succeeds(&["topology"]).0.starts_with(&format!("{} CPU", online.len())));
}

#[test]
fn the_picture_names_every_cpu_and_is_light_and_dark() {
    let tree = two_by_two();
    let file = tree.path("node.svg");
    succeeds(&tree.args(&["--svg", file.to_str().unwrap()]));
    let svg = fs::read_to_string(&file).unwrap();
    for text in (0..16)
        .map(|cpu| cpu.to_string())
        .chain(["socket 1", "node 3, 16 GiB", "L3 32 MiB", "isolated"].map(str::to_owned))
    {
        assert!(svg.contains(&format!(">{text}</text>")), "{text}: {svg}");
    }
    assert!(svg.contains("prefers-color-scheme:dark"));
    let (out, err) = fails(&tree.args(&["--svg", "/nowhere/at/all.svg"]));
    assert!(out.starts_with("16 CPUs online"), "what was asked is answered all the same: {out}");
    assert!(err.starts_with("error: cannot write /nowhere/at/all.svg: "), "{err}");
}

#[test]
fn interrupts_of_a_while_are_fewer_than_since_boot() {
    let json = |args: &[&str]| -> Value {
        serde_json::from_str(&succeeds(&[&["topology", "--json"], args].concat()).0).unwrap()
    };
    let (watched, all) = (json(&["--for", "300ms"]), json(&[]));
    let sum =
        |document: &Value| column(document, "interrupts").iter().map(|n| n.as_u64().unwrap()).sum::<u64>();
    assert!((300..5000).contains(&watched["interrupts_ms"].as_u64().unwrap()), "{watched}");
    assert!(sum(&watched) < sum(&all), "{watched} {all}");
    assert!(fails(&["topology", "--for", "300"]).1.contains("--for"));
}

/// A node with cgroup v2: a partition, a container with CPUs of its own, one inside with the same, and one without.
fn with_cpusets() -> Tree {
    let tree = Tree::new("0-3");
    for cpu in 0..4 {
        tree.cpu(cpu, &cpu.to_string(), "0");
    }
    tree.file("proc/1/mountinfo", "25 22 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    let root = "sys/fs/cgroup";
    tree.file(&format!("{root}/cgroup.controllers"), "cpuset cpu\n");
    tree.file(&format!("{root}/cgroup.procs"), "1\n").file(&format!("{root}/cpuset.cpus.effective"), "0-2\n");
    let id = "3b2e7f9d0c1a4b5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6";
    let pod = "kubepods/pod6c1a4e95-0000-4000-8000-000000000000";
    for (path, cpus, effective, partition, procs) in [
        ("quiet", "3", "3", "isolated", "7\n"),
        ("kubepods", "", "0-2", "member", ""),
        (pod, "", "0-2", "member", ""),
        (&format!("{pod}/{id}"), "1-3", "1-2", "member", "8\n9\n"),
        (&format!("{pod}/{id}/inner"), "", "1-2", "member", "10\n"),
        ("odd\x1b[2J", "2", "2", "root invalid (Cpu list in cpuset.cpus not exclusive)", ""),
    ] {
        for (file, text) in [
            ("cgroup.type", "domain"),
            ("cpuset.cpus", cpus),
            ("cpuset.cpus.effective", effective),
            ("cpuset.cpus.partition", partition),
        ] {
            tree.file(&format!("{root}/{path}/{file}"), &format!("{text}\n"));
        }
        tree.file(&format!("{root}/{path}/cgroup.procs"), procs);
    }
    tree
}

#[test]
fn cgroups_with_cpus_of_their_own_are_listed_with_names_and_partitions() {
    let tree = with_cpusets();
    let args = ["topology", "--host-root", tree.0.path().to_str().unwrap()];
    let document: Value = serde_json::from_str(&succeeds(&[&args[..], &["--json"]].concat()).0).unwrap();
    schema::assert_describes(published(), &document);
    let cpusets = document["cpusets"].as_array().unwrap();
    let of = |field: &str| cpusets.iter().map(|cpuset| cpuset[field].clone()).collect::<Vec<_>>();
    assert_eq!(of("effective_cpus"), ["1-2", "2", "3"]);
    assert_eq!(of("cpus"), ["1-3", "2", "3"]);
    assert_eq!(of("processes"), [2, 0, 1]);
    assert_eq!(cpusets[1]["path"], "/odd\\x1b[2J");
    assert_eq!(cpusets[2]["partition"], "isolated");
    assert!(cpusets[0]["container"].as_str().unwrap().starts_with("3b2e7f9d0c1a"));
    let text = succeeds(&args).0;
    assert!(text.contains("CPUs 1-2 of 1-3 that it asks for, 2 processes"), "{text}");
    assert!(
        words(&text).contains("CPU 2, partition: root invalid (Cpu list in cpuset.cpus not exclusive)"),
        "{text}"
    );
}

#[test]
fn of_many_cgroups_the_first_are_shown_and_the_others_counted() {
    let tree = with_cpusets();
    for number in 0..30 {
        for (file, text) in [("cgroup.procs", ""), ("cpuset.cpus", "0"), ("cpuset.cpus.effective", "0")] {
            tree.file(&format!("sys/fs/cgroup/g{number}/{file}"), &format!("{text}\n").replace("\n\n", ""));
        }
    }
    let args = ["topology", "--host-root", tree.0.path().to_str().unwrap()];
    let text = succeeds(&args).0;
    assert!(text.contains("and 13 more: --json lists all"), "{text}");
    let document: Value = serde_json::from_str(&succeeds(&[&args[..], &["--json"]].concat()).0).unwrap();
    assert_eq!(document["cpusets"].as_array().unwrap().len(), 33);
}

#[test]
fn a_real_machine_of_two_sockets_and_four_nodes_in_qemu() {
    let tree = Tree(TempDir::new().unwrap());
    machines::unpack_qemu(tree.0.path());
    insta::assert_snapshot!("qemu", tree.text());
    let document = tree.json();
    // What the same tool said in the guest.
    assert_eq!(column(&document, "cpu"), [0, 1, 2, 3, 4, 5, 6]);
    assert_eq!(column(&document, "core"), [0, 0, 2, 2, 4, 4, 6]);
    assert_eq!(column(&document, "socket"), [0, 0, 0, 0, 1, 1, 1]);
    assert_eq!(column(&document, "node"), [0, 0, 1, 1, 2, 2, 3]);
    assert_eq!(column(&document, "uncore"), [0, 0, 0, 0, 4, 4, 4]);
    assert_eq!(
        (&document["offline"], &document["isolated"], &document["nohz_full"]),
        (&json!("7"), &json!("5"), &json!(""))
    );
    assert_eq!(document["interrupts_ms"], 10_650);
}
