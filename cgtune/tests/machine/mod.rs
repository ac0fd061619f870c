//! Machines that are folders: copies of a /sys in the kernel's formats, synthetic but for the one from QEMU.

#![allow(dead_code, reason = "each test program uses the part it needs")]

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::tool::{fails, schema, succeeds};

/// A copy of a /sys, below `sys` of a folder that may have a `proc` as well.
pub(crate) struct Tree(pub(crate) TempDir);

impl Tree {
    pub(crate) fn new(online: &str) -> Self {
        let tree = Self(TempDir::new().unwrap());
        tree.cpu_file("online", online);
        tree
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn file(&self, path: &str, text: &str) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    pub(crate) fn cpu_file(&self, name: &str, text: &str) -> &Self {
        self.file(&format!("sys/devices/system/cpu/{name}"), &format!("{text}\n"))
    }

    pub(crate) fn cpu(&self, cpu: u32, core: &str, socket: &str) -> &Self {
        self.cpu_file(&format!("cpu{cpu}/topology/thread_siblings_list"), core);
        self.cpu_file(&format!("cpu{cpu}/topology/physical_package_id"), socket)
    }

    pub(crate) fn cache(&self, cpu: u32, index: u32, level: u32, kind: &str, shared: &str) -> &Self {
        let index = format!("cpu{cpu}/cache/index{index}");
        self.cpu_file(&format!("{index}/level"), &level.to_string());
        self.cpu_file(&format!("{index}/type"), kind);
        self.cpu_file(&format!("{index}/size"), "32768K");
        self.cpu_file(&format!("{index}/shared_cpu_list"), shared)
    }

    pub(crate) fn node(&self, node: u32, cpus: &str, kib: u64, distances: &str) -> &Self {
        let node_folder = format!("sys/devices/system/node/node{node}");
        self.file(&format!("{node_folder}/cpulist"), &format!("{cpus}\n"));
        self.file(&format!("{node_folder}/meminfo"), &format!("Node {node} MemTotal:       {kib} kB\n"));
        self.file(&format!("{node_folder}/distance"), &format!("{distances}\n"))
    }

    pub(crate) fn args<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        [&["topology", "--sysfs", self.0.path().to_str().unwrap()], more].concat()
    }

    pub(crate) fn text(&self) -> String {
        let (text, err) = succeeds(&self.args(&[]));
        assert_eq!(err, "");
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        text
    }

    /// As JSON, which the schema describes and the tool reads back to the same.
    pub(crate) fn json(&self) -> Value {
        let out = succeeds(&self.args(&["--json"])).0;
        let document: Value = serde_json::from_str(&out).unwrap();
        schema::assert_describes(published(), &document);
        let file = self.path("again.json");
        fs::write(&file, &out).unwrap();
        assert_eq!(succeeds(&["topology", "--from", file.to_str().unwrap(), "--json"]).0, out);
        document
    }

    pub(crate) fn error(&self) -> String {
        words(&fails(&self.args(&[])).1)
    }
}

pub(crate) fn published() -> Value {
    serde_json::from_str(include_str!("../../schemas/topology-1.schema.json")).unwrap()
}

/// Paths are long and lines are wrapped: one line reads better in an assertion.
pub(crate) fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn column(document: &Value, field: &str) -> Vec<Value> {
    document["cpus"].as_array().unwrap().iter().map(|cpu| cpu[field].clone()).collect()
}

/// Two sockets of two nodes each, each node with a cache and two cores of two threads: 16 CPUs, the second threads from 8 on.
pub(crate) fn two_by_two() -> Tree {
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

/// Two sockets with two nodes each and a core of two threads on each node, CPU 7 switched off: captured in QEMU, see the file's head.
pub(crate) fn qemu() -> Tree {
    let tree = Tree(TempDir::new().unwrap());
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    let captured = include_str!("../machines/qemu-2-sockets-4-nodes-6.1.0-48");
    for line in captured.lines().filter(|line| !line.starts_with('#')) {
        let (path, text) = line.split_once(':').unwrap();
        let file = files.entry(path).or_default();
        *file += text;
        file.push('\n');
    }
    for (path, text) in &files {
        tree.file(path, text);
    }
    tree
}
