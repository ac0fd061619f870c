//! `convert` there and back on the kernel that runs the tests: what it says is written into real groups that are named as a
//! kubelet names them, and `--from-cgroup` has to find requests and limits again, and on cgroup v2 the formula.
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
    process::Command,
};

use cgtune_core::Layout;
use node::{Node, Seeded, alone, binary};
use serde_json::Value;

const POD: &str = "kubepods/burstable/pod6c1a4e95-6bb6-11e6-bc26-28d2444e470d";

/// A pod with containers below our group; their directories, innermost first.
struct Pod {
    layout: Layout,
    /// The pod's path in the hierarchy.
    path: PathBuf,
    /// Where the pod's files are.
    folder: PathBuf,
    directories: Vec<PathBuf>,
    containers: Vec<String>,
}

impl Pod {
    fn new(node: &mut Node, containers: usize) -> Self {
        let top = node.group.cgroup().unwrap().cpu_dir().path().to_owned();
        let mut pod = Self {
            layout: node.layout(),
            path: node.path().join(POD),
            folder: top.join(POD),
            directories: Vec::new(),
            containers: (0..containers).map(|index| format!("{index:064x}")).collect(),
        };
        for below in ["kubepods", "kubepods/burstable", POD] {
            pod.make(&top.join(below));
        }
        for container in pod.containers.clone() {
            pod.make(&top.join(POD).join(container));
        }
        pod
    }

    fn make(&mut self, directory: &Path) {
        if self.layout == Layout::V2 {
            fs::write(directory.parent().unwrap().join("cgroup.subtree_control"), "+cpu").unwrap();
        }
        fs::create_dir(directory).unwrap();
        self.directories.insert(0, directory.to_owned());
    }

    /// Writes files as convert named them.
    fn write(&self, container: &str, document: &Value) {
        let files = match self.layout {
            Layout::V1 => &document["targets"]["v1"],
            Layout::V2 => &document["targets"]["v2"],
        };
        for (file, text) in files.as_object().unwrap() {
            fs::write(self.folder.join(container).join(file), text.as_str().unwrap()).unwrap();
        }
    }

    /// The pod's own share, from the document of a container that asks for as much as all of them.
    fn weigh(&self, document: &Value) {
        let (file, text) = match self.layout {
            Layout::V1 => ("cpu.shares", &document["pod"]["shares"]),
            Layout::V2 => ("cpu.weight", &document["pod"]["weight"]),
        };
        fs::write(self.folder.join(file), text.to_string()).unwrap();
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        for directory in &self.directories {
            let _ = fs::remove_dir(directory);
        }
    }
}

fn convert(args: &[&str]) -> Value {
    let output = Command::new(binary()).args(["convert", "--json"]).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn holds(range: &Value, milli: u64) -> bool {
    range["min_milli"].as_u64().unwrap() <= milli
        && range["max_milli"].as_u64().is_none_or(|max| milli <= max)
}

#[test]
fn what_was_converted_and_written_is_found_again() {
    const PODS: u32 = 8;
    let _one = alone();
    let mut node = Node::new("convert");
    // Our own group must not limit what is below it.
    cgtune_core::control::apply(
        node.group.cgroup().unwrap(),
        &node::bandwidth(cgtune_core::Bandwidth::unlimited()),
    )
    .unwrap();
    let mut seeded = Seeded(11);
    for at in 0..PODS {
        let (runtime, formula) =
            if at % 2 == 0 { ("runc@1.3.2", "logarithmic") } else { ("crun@1.8.1", "linear") };
        let pod = Pod::new(&mut node, 2);
        let mut all = 0;
        let mut asked = Vec::new();
        for container in &pod.containers {
            // Below 100m the linear formula gives a handful of weights, and nothing can be told from those.
            let request = u64::from(100 + seeded.below(4000));
            let limit = request + u64::from(seeded.below(2000));
            let (request_text, limit_text) = (format!("{request}m"), format!("{limit}m"));
            let burst = ["0us", "50%", "100%"][seeded.below(3) as usize];
            let args = [
                "--cpu-request",
                &request_text,
                "--cpu-limit",
                &limit_text,
                "--burst",
                burst,
                "--runtime",
                runtime,
            ];
            pod.write(container, &convert(&args));
            all += request;
            asked.push((container, request, limit));
        }
        pod.weigh(&convert(&["--cpu-request", &format!("{all}m")]));
        for (container, request, limit) in asked {
            let path = pod.path.join(container);
            let found = convert(&["--from-cgroup", path.to_str().unwrap()]);
            assert_eq!(found["inverse"]["level"], "container", "{found}");
            assert_eq!(found["limit"]["limit_milli"], limit, "{found}");
            assert!(holds(&found["limit"]["ranges"][0]["limit"], limit), "{found}");
            let ways = found["candidates"].as_array().unwrap();
            match pod.layout {
                Layout::V1 => {
                    assert!(ways.len() == 1 && holds(&ways[0]["request"], request), "{request}: {found}");
                }
                Layout::V2 => {
                    let way = ways.iter().find(|way| way["formula"] == formula).unwrap();
                    assert!(holds(&way["request"], request), "{request}: {found}");
                    assert_eq!(found["judgement"]["formula"], formula, "{found}");
                }
            }
        }
        let found = convert(&["--from-cgroup", pod.path.to_str().unwrap()]);
        assert_eq!(found["inverse"]["level"], "pod", "{found}");
        assert!(holds(&found["candidates"][0]["request"], all), "{all}: {found}");
    }
}

#[test]
fn a_request_that_is_known_tells_the_formula_alone() {
    let _one = alone();
    let mut node = Node::new("known");
    let pod = Pod::new(&mut node, 1);
    pod.write(&pod.containers[0], &convert(&["--cpu-request", "1", "--runtime", "runc@1.1.5"]));
    let path = pod.path.join(&pod.containers[0]);
    let found = convert(&["--from-cgroup", path.to_str().unwrap(), "--cpu-request", "1"]);
    match pod.layout {
        Layout::V1 => assert_eq!(found["inverse"]["shares"], 1024, "{found}"),
        Layout::V2 => assert_eq!(found["judgement"]["formula"], "linear", "{found}"),
    }
}

#[test]
fn a_group_that_is_not_there_is_an_error() {
    let output =
        Command::new(binary()).args(["convert", "--from-cgroup", "/cgtune-not-there"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no cgroup"), "{output:?}");
}
