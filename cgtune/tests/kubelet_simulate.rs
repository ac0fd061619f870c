//! `cgtune kubelet simulate` as a user runs it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod tool;

use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use tool::{fails, schema::assert_describes, succeeds};

const PODS: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: encoder, namespace: prod}
spec:
  initContainers:
  - name: warm
    resources: {requests: {cpu: 4, memory: 1Gi}, limits: {cpu: 4, memory: 1Gi}}
  containers:
  - name: h264
    resources: {requests: {cpu: 2, memory: 1Gi}, limits: {cpu: 2, memory: 1Gi}}
  - name: log
    resources: {requests: {cpu: 250m, memory: 1Gi}, limits: {cpu: 250m, memory: 1Gi}}
---
apiVersion: v1
kind: Pod
metadata: {name: odd, namespace: prod}
spec:
  containers:
  - name: app
    resources: {requests: {cpu: 3, memory: 1Gi}, limits: {cpu: 3, memory: 1Gi}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: prod}
spec:
  replicas: 3
  template:
    spec:
      containers:
      - name: nginx
        resources: {requests: {cpu: 1500m}}
";
const CONFIG: &str = "\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cpuManagerPolicy: static
cpuManagerPolicyOptions:
  full-pcpus-only: \"true\"
topologyManagerPolicy: best-effort
reservedSystemCPUs: \"0,6\"
";

/// Files of one case: two sockets of three cores of two threads, pods, a configuration.
struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let cpu = |cpu: u32| json!({ "cpu": cpu, "core": cpu % 6, "socket": cpu % 2, "node": cpu % 2, "uncore": cpu % 2 });
        let machine = json!({ "cpus": (0..12).map(cpu).collect::<Vec<_>>() });
        for (name, text) in
            [("machine.json", machine.to_string().as_str()), ("pods.yaml", PODS), ("config.yaml", CONFIG)]
        {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Self { folder }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn with(&self, name: &str, text: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    fn args<'a>(&self, more: &[&'a str]) -> Vec<String> {
        let mut args: Vec<String> = ["kubelet", "simulate"].map(str::to_owned).into();
        for (flag, name) in [("-f", "pods.yaml"), ("--topology", "machine.json"), ("--config", "config.yaml")]
        {
            if !more.contains(&flag) {
                args.extend([flag.to_owned(), self.file(name)]);
            }
        }
        args.extend(more.iter().map(|&arg: &&'a str| arg.to_owned()));
        args
    }

    fn says(&self, more: &[&str]) -> String {
        let args = self.args(more);
        succeeds(&args.iter().map(String::as_str).collect::<Vec<_>>()).0
    }

    fn json(&self, more: &[&str]) -> Value {
        let document = serde_json::from_str(&self.says(&[more, &["--json"]].concat())).unwrap();
        let schema = serde_json::from_str(include_str!("../schemas/kubelet-simulate-1.schema.json")).unwrap();
        assert_describes(schema, &document);
        document
    }

    /// What is said of it, on one line.
    fn refuses(&self, more: &[&str]) -> String {
        let args = self.args(more);
        let said = fails(&args.iter().map(String::as_str).collect::<Vec<_>>()).1;
        said.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

#[test]
fn pods_are_put_where_the_kubelet_would_put_them() {
    let shown = Case::new().says(&["--replicas"]);
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    insta::assert_snapshot!(shown);
}

#[test]
fn programs_get_the_same() {
    let document = Case::new().json(&[]);
    let pods = document["pods"].as_array().unwrap();
    assert_eq!(
        pods[0]["containers"][0],
        json!({ "name": "warm", "init": true, "cpus": "2,4,8,10", "left_over": "4,10" })
    );
    assert_eq!(pods[0]["containers"][1]["cpus"], "2,8");
    assert_eq!(pods[0]["containers"][2]["cpus"], Value::Null);
    assert_eq!(
        (&pods[1]["admitted"], &pods[1]["refusal"]["reason"]),
        (&json!(false), &json!("SMTAlignmentError"))
    );
    assert_eq!((&document["shared_requested_milli"], &document["left_milli"]), (&json!(1750), &json!(4500)));
    assert_eq!((&document["reserved"], &document["free"]), (&json!("0,6"), &json!("1,3,5,7,9,11")));
}

#[test]
fn without_a_configuration_it_is_the_kubelets_default_that_gives_nothing_away() {
    let case = Case::new();
    let args =
        ["kubelet", "simulate", "-f", &case.file("pods.yaml"), "--topology", &case.file("machine.json")];
    let (shown, _) = succeeds(&args);
    assert!(shown.contains("policy      none") && !shown.contains("alone"), "{shown}");
}

#[test]
fn it_goes_on_from_what_a_kubelet_has_given_away() {
    let case = Case::new();
    let state =
        r#"{"policyName":"static","defaultCpuSet":"0-1,3-7,9-11","entries":{"u":{"c":"2,8"}},"checksum":1}"#;
    let state = case.with("state", state);
    let document = case.json(&["--state", &state]);
    assert_eq!(document["pods"][0]["containers"][1]["cpus"], "1,7", "what is left of node 0 is too small");
    let stale = case.with("stale", r#"{"policyName":"static","defaultCpuSet":"0-3","checksum":1}"#);
    let said = case.refuses(&["--state", &stale]);
    assert!(said.contains("not all reserved cpus: \"0,6\"") && said.contains("drained node"), "{said}");
    let garbage = case.with("garbage", "{");
    assert!(case.refuses(&["--state", &garbage]).contains("not what a kubelet writes"));
}

#[test]
fn who_was_there_before_is_not_put_twice_and_who_has_ended_not_at_all() {
    let case = Case::new();
    let state = r#"{"policyName":"static","defaultCpuSet":"0-1,3-7,9-11","entries":{"u-1":{"h264":"2,8"}},"checksum":1}"#;
    let state = case.with("state", state);
    let pod = |name: &str, uid: &str, phase: &str| {
        format!(
            "kind: Pod\nmetadata: {{name: {name}, uid: {uid}}}\nspec:\n  containers:\n  - name: h264\n    \
             resources: {{limits: {{cpu: 2, memory: 1Gi}}}}\nstatus: {{phase: {phase}}}\n---\n"
        )
    };
    let pods = [pod("old", "u-1", "Running"), pod("done", "u-2", "Succeeded"), pod("new", "u-3", "Pending")]
        .concat();
    let pods = case.with("running.yaml", &pods);
    let args = case.args(&["-f", &pods, "--state", &state]);
    let told = succeeds(&args.iter().map(String::as_str).collect::<Vec<_>>()).1;
    assert_eq!(told, "note: 1 pod has ended (Succeeded or Failed), and holds nothing any more\n");
    let document = case.json(&["-f", &pods, "--state", &state]);
    let found = document["pods"].as_array().unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0]["containers"][0]["cpus"], "2,8");
    assert_eq!(found[1]["containers"][0]["cpus"], "4,10");
    assert_eq!(document["left_milli"], 6000, "four of ten CPUs are requested");
}

#[test]
fn drop_ins_are_laid_over_the_configuration_and_their_mistakes_named() {
    let case = Case::new();
    let dir = case.file("conf.d");
    fs::create_dir(&dir).unwrap();
    let head = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";
    case.with(
        "conf.d/10-off.conf",
        &format!("{head}cpuManagerPolicy: none\ncpuManagerPolicyOptions: null\n"),
    );
    let document = case.json(&["--config-dir", &dir]);
    assert_eq!(document["pods"][0]["containers"][1]["cpus"], Value::Null, "{document}");
    let odd = case.with("conf.d/20-odd.conf", &format!("{head}cpuManagerPolicy: nobody\n"));
    let said = case.refuses(&["--config-dir", &dir]).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains(&format!("{odd}: line 3: ")), "{said}");
    let args = ["kubelet", "simulate", "-f", &case.file("pods.yaml"), "--config-dir", &dir];
    assert!(fails(&args).1.contains("name the kubelet's own file with --config"));
}

/// A pod with a container of its limits, which are its requests.
fn guaranteed(name: &str, cpus: u32, more: &str) -> String {
    format!(
        "kind: Pod\nmetadata: {{name: {name}}}\nspec:\n{more}  containers:\n  - name: main\n    \
         resources: {{limits: {{cpu: {cpus}, memory: 1Gi}}}}\n---\n"
    )
}

#[test]
fn what_an_init_container_leaves_over_is_nobody_elses_and_that_is_said() {
    let case = Case::new();
    let cpu = |cpu: u32| json!({ "cpu": cpu, "core": cpu % 4, "socket": 0, "node": 0 });
    let machine = json!({ "cpus": (0..8).map(cpu).collect::<Vec<_>>() }).to_string();
    let machine = case.with("eight.json", &machine);
    let config = CONFIG.replace("\"true\"", "\"false\"").replace("0,6", "0");
    let config = case.with("zero.yaml", &config);
    let init = "  initContainers:\n  - name: warm\n    resources: {limits: {cpu: 1, memory: 1Gi}}\n";
    let pods = ["a", "b", "c"].map(|name| guaranteed(name, 2, init)).concat() + &guaranteed("last", 1, "");
    let pods = case.with("four.yaml", &pods);
    let args = ["-f", pods.as_str(), "--config", config.as_str(), "--topology", machine.as_str()];
    let shown = case.says(&args);
    assert!(shown.contains("4 alone, kept until the pod is gone\n"), "{shown}");
    assert!(shown.contains("last: refused") && shown.contains("shared      0: 1 CPU"), "{shown}");
    assert!(shown.contains("note: 1 CPU stays with init containers that have ended"), "{shown}");
    assert!(shown.contains("these pods hold 1 CPU more"), "{shown}");
    let document = case.json(&args);
    let warm = |pod: usize| &document["pods"][pod]["containers"][0]["left_over"];
    assert_eq!((warm(0), warm(1)), (&json!("4"), &json!("")));
    assert_eq!(document["pods"][3]["refusal"]["reason"], "UnexpectedAdmissionError");
}

#[test]
fn what_a_pod_names_as_a_whole_counts_from_the_release_on_that_knows_it() {
    let case = Case::new();
    let whole = "  resources: {limits: {cpu: 2, memory: 1Gi}}\n";
    let pods = format!("kind: Pod\nmetadata: {{name: a}}\nspec:\n{whole}  containers: [{{name: main}}]\n");
    let pods = case.with("whole.yaml", &pods);
    let of = |release: &str, config: &str| {
        let config = case.with("release.yaml", &(CONFIG.to_owned() + config));
        let document = case.json(&["-f", &pods, "--config", &config, "--kubernetes", release]);
        let pod = &document["pods"][0];
        (pod["qos"].as_str().unwrap().to_owned(), pod["requested_milli"].as_u64().unwrap())
    };
    assert_eq!(of("1.34", ""), ("Guaranteed".to_owned(), 2000));
    assert_eq!(of("1.33", ""), ("BestEffort".to_owned(), 0));
    let open = "featureGates: {PodLevelResources: true}\n";
    assert_eq!(of("1.33", open), ("Guaranteed".to_owned(), 2000));
    let args = case.args(&["-f", &pods, "--kubernetes", "1.31"]);
    let said = succeeds(&args.iter().map(String::as_str).collect::<Vec<_>>()).1;
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("warning: a: PodLevelResources is on by default from Kubernetes 1.34"), "{said}");
}

#[test]
fn cpus_that_whole_cores_alone_are_not_made_of_are_not_to_be_had() {
    let case = Case::new();
    let config = case.with("one.yaml", &CONFIG.replace("0,6", "0"));
    let document = case.json(&["--config", &config]);
    assert_eq!((&document["reserved"], &document["free"]), (&json!("0"), &json!("1,3,5,7,9,11")));
    let pods = case.with("all.yaml", &guaranteed("all", 10, ""));
    let shown = case.says(&["--config", &config, "-f", &pods]);
    assert!(shown.contains("alone       none: 0 CPUs can still be had alone"), "{shown}");
}

#[test]
fn more_nodes_than_are_looked_at_are_an_error_and_no_refusal() {
    let case = Case::new();
    let cpu = |cpu: u32| json!({ "cpu": cpu, "core": cpu, "socket": 0, "node": cpu });
    let machine =
        case.with("many.json", &json!({ "cpus": (0..17).map(cpu).collect::<Vec<_>>() }).to_string());
    let config = CONFIG.replace("\"0,6\"", "\"0\"")
        + "topologyManagerPolicyOptions: {max-allowable-numa-nodes: \"64\"}\n";
    let config = case.with("many.yaml", &config);
    let said = case.refuses(&["--config", &config, "--topology", &machine]);
    assert!(said.contains("combinations of 17 NUMA nodes") && said.contains("of 16 nodes at most"), "{said}");
    let config = case.with("none.yaml", &CONFIG.replace("best-effort", "none").replace("0,6", "0"));
    assert!(case.says(&["--config", &config, "--topology", &machine]).contains("17 CPUs"));
}

#[test]
fn what_no_api_server_takes_is_told() {
    let case = Case::new();
    let pods = "kind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: x\n    \
                resources: {requests: {cpu: 3}, limits: {cpu: 2}}\n";
    let args = case.args(&["-f", &case.with("above.yaml", pods)]);
    let said = succeeds(&args.iter().map(String::as_str).collect::<Vec<_>>()).1;
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("container x: the request of 3 is above the limit of 2, and the API server refuses"),
        "{said}"
    );
}

#[test]
fn standard_input_is_one_thing_and_names_are_shown_as_they_are() {
    let case = Case::new();
    for two in [["-f", "--config"], ["-f", "--state"], ["--config", "--state"], ["--topology", "-f"]] {
        let said = case.refuses(&[two[0], "-", two[1], "-"]);
        assert!(
            said.contains(&format!("{} and {}", two[0], two[1]))
                || said.contains(&format!("{} and {}", two[1], two[0])),
            "{said}"
        );
        assert!(said.contains("standard input") && said.contains("read once"), "{said}");
    }
    use std::os::unix::ffi::OsStrExt as _;
    let odd = case.folder.path().join(std::ffi::OsStr::from_bytes(b"odd\xff.yaml"));
    fs::write(&odd, CONFIG.replace("static", "nobody")).unwrap();
    let run = |flag: &str| {
        let mut tool = tool::tool();
        let pods =
            ["kubelet", "simulate", "-f", &case.file("pods.yaml"), "--topology", &case.file("machine.json")];
        let output = tool.args(pods).arg(flag).arg(&odd).output().unwrap();
        String::from_utf8(output.stderr).unwrap().split_whitespace().collect::<String>()
    };
    assert!(run("--config").contains(r"odd\xff.yaml:line3:"), "{}", run("--config"));
    let list = case.with("list", "[]");
    let said = case.refuses(&["--state", &list]);
    assert!(said.contains("expected an object with policyName") && !said.contains("struct"), "{said}");
}

#[test]
fn a_closed_gate_keeps_the_quota() {
    let case = Case::new();
    let config = CONFIG.to_owned() + "featureGates: {DisableCPUQuotaWithExclusiveCPUs: false}\n";
    let shown = case.says(&["--config", &case.with("closed.yaml", &config)]);
    assert!(shown.contains("keep their quota"), "{shown}");
}

#[test]
fn what_cannot_be_simulated_is_told() {
    let case = Case::new();
    let none = case.with(
        "none.yaml",
        "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\ncpuManagerPolicy: static\n",
    );
    let said = case.refuses(&["--config", &none]);
    assert!(said.contains("line 3") && said.contains("cgtune kubelet check"), "{said}");
    let broken = case.with("broken.yaml", "kind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - name: x\n    resources: {requests: {cpu: fast}}\n");
    let said = case.refuses(&["-f", &broken]);
    assert!(
        said.contains("broken.yaml") && said.contains("line 6") && said.contains("1 mistake above"),
        "{said}"
    );
    let twice = "kind: Pod\nmetadata: {name: a}\nspec:\n  containers: [{name: x}, {name: x}]\n";
    assert!(
        case.refuses(&["-f", &case.with("twice.yaml", twice)]).contains("two of its containers are named x")
    );
    let empty = case.with("empty.yaml", "kind: ConfigMap\n");
    assert!(case.refuses(&["-f", &empty]).contains("no pod in what -f names"));
    assert!(fails(&["kubelet", "simulate"]).1.contains("no pods are named"));
}
