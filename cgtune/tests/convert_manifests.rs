//! `cgtune convert -f` as its users meet it. The manifests are synthetic and lie beside this file.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod tool;

use serde_json::Value;
use tool::tool;

/// Exit code, stdout and stderr of a run among the manifests.
fn convert(args: &[&str], stdin: &str) -> (i32, String, String) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/manifests");
    let output = tool().current_dir(folder).arg("convert").args(args).write_stdin(stdin).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// All three, one under the other.
fn shown(args: &[&str]) -> String {
    let (code, out, err) = convert(args, "");
    // A path is one word and may be longer than a line.
    for line in out.lines().chain(err.lines()).filter(|line| !line.starts_with("  /")) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    format!("{out}--- stderr\n{err}--- exit code {code}\n")
}

fn document(args: &[&str], stdin: &str) -> (i32, Value) {
    let (code, out, _) = convert(&[args, &["--json"]].concat(), stdin);
    (code, serde_json::from_str(&out).unwrap())
}

/// The pods of a document by name.
fn names(document: &Value) -> Vec<&str> {
    document["pods"].as_array().unwrap().iter().map(|pod| pod["name"].as_str().unwrap_or("-")).collect()
}

#[test]
fn every_kind_as_text() {
    insta::assert_snapshot!(shown(&["-f", "kinds.yaml"]));
}

#[test]
fn limit_ranges_give_defaults_and_bounds_to_their_namespace() {
    insta::assert_snapshot!(shown(&["-f", "limited.yaml", "--limit-range", "limits.yaml"]));
}

#[test]
fn one_bad_object_does_not_cost_the_others() {
    insta::assert_snapshot!(shown(&["-f", "broken.yaml"]));
    let (code, document) = document(&["-f", "broken.yaml"], "");
    assert_eq!((code, names(&document)), (2, vec!["first", "typo", "last"]));
    assert!(document["errors"].as_array().unwrap().iter().all(|error| error["line"].is_u64()), "{document}");
}

#[test]
fn numbers_are_explained_for_the_pod_and_each_container() {
    let pod = "kind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: a\n    resources: {limits: {cpu: 333m}}\n  \
               - name: b\n    resources: {limits: {cpu: 0.1}}\n";
    let (code, out, _) = convert(&["-f", "-", "--explain", "--driver", "systemd"], pod);
    assert_eq!(code, 0);
    insta::assert_snapshot!(out);
}

#[test]
fn folders_files_and_standard_input_are_read_in_order() {
    let (code, found) =
        document(&["-f", "folder", "-", "-f", "limited.yaml"], "kind: Pod\nspec: {containers: []}\n");
    assert_eq!((code, names(&found)), (2, vec!["one", "three", "b", "-", "bare", "greedy", "elsewhere"]));
    assert_eq!(found["errors"][0]["path"], "spec.containers[0].resources.limits.cpu");
    assert_eq!((&found["errors"][0]["item"], &found["errors"][0]["line"]), (&1.into(), &37.into()));
    let (_, found) = document(&["-f", "folder", "-R"], "");
    assert_eq!(names(&found), ["one", "three", "b", "below"]);
}

#[test]
fn yaml_and_json_of_the_same_list_say_the_same() {
    let json = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/manifests/folder/a.json"))
        .unwrap();
    // JSON is YAML, but for a comment in front, which makes it that.
    let answers = [json.clone(), format!("# YAML\n{json}")].map(|text| {
        let (_, mut found) = document(&["-f", "-"], &text);
        found["pods"].as_array_mut().unwrap().iter_mut().for_each(|pod| pod["source"] = Value::Null);
        (found["pods"].clone(), found["errors"].as_array().unwrap().len())
    });
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn the_node_that_is_meant_decides() {
    let of = |args: &[&str]| document(&[&["-f", "kinds.yaml"], args].concat(), "").1;
    let pod = |found: &Value, name: &str| {
        found["pods"].as_array().unwrap().iter().find(|pod| pod["name"] == name).unwrap().clone()
    };
    let newest = of(&[]);
    let agent = pod(&newest, "agent");
    assert_eq!((&agent["pod"]["quota_us"], &agent["containers"][0]["weight"]), (&1000.into(), &4.into()));
    let old = of(&["--runtime", "crun@1.8.1", "--kubernetes", "1.31"]);
    assert_eq!(pod(&old, "agent")["containers"][0]["weight"], 1);
    // Pod-level resources are unknown there: one container is without a limit, and so is the pod.
    assert_eq!(pod(&old, "db")["pod"]["quota_us"], Value::Null);
    assert_eq!(pod(&newest, "db")["pod"]["quota_us"], 200_000);
    assert_eq!(pod(&newest, "db")["containers"][1]["quota_us"], 200_000);
    assert_eq!(pod(&old, "db")["warnings"][0]["kind"], "needs_feature");
    let kind = of(&["--cgroup-root", "/kubelet"]);
    assert_eq!(
        pod(&kind, "running")["pod"]["cgroup"]["systemd"],
        "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/\
         kubelet-kubepods-burstable-pod6c1a4e95_6bb6_11e6_bc26_28d2444e470d.slice"
    );
    assert!(
        pod(&newest, "etcd-node1")["pod"]["cgroup"]["cgroupfs"]
            .as_str()
            .unwrap()
            .ends_with("podd41d8cd98f00b204e9800998ecf8427e")
    );
    let off = of(&["--cpu-cfs-quota=false"]);
    assert_eq!(pod(&off, "web")["containers"][0]["quota_us"], Value::Null);
    // Guaranteed, with whole CPUs.
    let whole = "kind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, resources: {limits: {cpu: 2, memory: 1Gi}}}]}\n";
    let (_, pinned) = document(&["-f", "-", "--cpu-manager-policy", "static"], whole);
    let pinned = &pinned["pods"][0];
    assert_eq!((&pinned["qos"], &pinned["pod"]["quota_us"]), (&"Guaranteed".into(), &Value::Null));
    assert_eq!(pinned["containers"][0]["exclusive_cpus"], true);
    assert_eq!(pinned["containers"][0]["quota_us"], Value::Null);
    let (_, before) = document(&["-f", "-", "--cpu-manager-policy", "static", "--kubernetes", "1.32"], whole);
    assert_eq!(before["pods"][0]["pod"]["quota_us"], 200_000);
}

#[test]
fn a_burst_is_for_every_container_with_a_quota() {
    let (_, found) = document(&["-f", "limited.yaml", "--burst", "50%"], "");
    let containers = &found["pods"][1]["containers"];
    assert_eq!((&containers[0]["burst_us"], &containers[1]["burst_us"]), (&75_000.into(), &50_000.into()));
    assert_eq!(found["pods"][0]["containers"][0]["burst_us"], Value::Null);
}

#[test]
fn objects_without_a_namespace_are_in_the_one_that_is_named() {
    let pod = "kind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a}]}\n";
    let args = ["-f", "-", "--limit-range", "limits.yaml"];
    let limit = |args: &[&str]| document(args, pod).1["pods"][0]["containers"][0]["limit_milli"].clone();
    assert_eq!(limit(&args), Value::Null);
    assert_eq!(limit(&[&args, ["-n", "prod"].as_slice()].concat()), 500);
}

#[test]
fn what_cannot_be_read_is_told_with_what_to_do() {
    let mut told = String::new();
    for (args, stdin) in [
        (vec!["-f", "missing.yaml"], ""),
        (vec!["-f", "folder/below", "folder/notes.txt"], ""),
        (vec!["-f", "-"], ""),
        (vec!["-f", "-"], "kind: Service\n"),
        (vec!["-f", "limited.yaml", "--limit-range", "broken.yaml"], ""),
        (vec!["-f", "limited.yaml", "--limit-range", "limited.yaml"], ""),
        (vec!["-f", "limited.yaml", "--cpu-limit", "1"], ""),
        (vec!["-f", "-"], "{\"kind\": \"Pod\", \"spec\": {\"containers\": [{\"name\": 1}]}} x"),
    ] {
        let (code, out, err) = convert(&args, stdin);
        told += &format!(
            "$ cgtune convert {}\n{err}{} lines, exit code {code}\n\n",
            args.join(" "),
            out.lines().count()
        );
    }
    insta::assert_snapshot!(told);
}

#[test]
fn the_readme_shows_what_is_printed() {
    let readme = include_str!("../../README.md");
    for args in [
        ["-f", "../../examples/encoder.yaml"].as_slice(),
        &["--cpu-request", "500m", "--cpu-limit", "2"],
        &["--from-weight", "39"],
    ] {
        let (code, out, _) = convert(args, "");
        assert_eq!(code, 0);
        assert!(readme.contains(out.trim_end()), "{args:?}: {out}");
    }
}
