//! `cgtune kubelet recommend` as its users meet it. What it reads is synthetic and lies in kubelet/.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod tool;

use std::fmt::Write as _;

use serde_json::Value;
use tool::{schema, tool};

/// Exit code, stdout and stderr of a run beside the files.
fn kubelet(args: &[&str], stdin: &str) -> (i32, String, String) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kubelet");
    let output = tool().current_dir(folder).arg("kubelet").args(args).write_stdin(stdin).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// Of a run that must succeed; its lines fit a narrow terminal.
fn shown(args: &[&str]) -> String {
    let (code, out, err) = kubelet(&[&["recommend", "--topology", "machine.json"], args].concat(), "");
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    for line in out.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    out
}

fn document(args: &[&str]) -> Value {
    let (code, out, _) =
        kubelet(&[&["recommend", "--topology", "machine.json", "--json"], args].concat(), "");
    assert_eq!(code, 0);
    serde_json::from_str(&out).unwrap()
}

fn published() -> Value {
    serde_json::from_str(include_str!("../schemas/kubelet-recommend-1.schema.json")).unwrap()
}

#[test]
fn a_file_and_pods_as_a_report() {
    insta::assert_snapshot!(shown(&["--config", "kubeadm.yaml", "-f", "pods.yaml", "--kubernetes", "1.33"]));
}

#[test]
fn every_form() {
    insta::assert_snapshot!(shown(&["--config", "kubeadm.yaml", "-o", "all"]));
}

#[test]
fn where_nothing_changes_there_is_no_diff_and_no_patch() {
    let one = "{\"cpus\": [{\"cpu\": 0, \"core\": 0, \"socket\": 0, \"node\": 0}]}";
    for form in ["diff", "kubeadm"] {
        let (code, out, err) = kubelet(&["recommend", "--topology", "-", "-o", form], one);
        assert_eq!((code, out.as_str(), err.as_str()), (0, "", "note: nothing to change\n"));
    }
    let (_, out, _) = kubelet(&["recommend", "--topology", "-", "-o", "all"], one);
    assert!(out.contains("(-o diff)\n\nNothing to change.\n") && out.contains(", 1 CPU, "), "{out}");
    let (_, out, _) = kubelet(&["recommend", "--topology", "-", "--json"], one);
    let document: Value = serde_json::from_str(&out).unwrap();
    schema::assert_describes(published(), &document);
    assert_eq!(document["diff"], "");
}

/// From 1.34 on no container of a pod that names its resources as a whole is pinned; before, nobody hears of them.
#[test]
fn what_a_pod_names_as_a_whole_counts_from_the_release_on_that_knows_it() {
    let resources = "resources: {limits: {cpu: 2, memory: 1Gi}}";
    let pod = format!(
        "kind: Pod\nmetadata: {{name: a}}\nspec:\n  {resources}\n  containers: [{{name: main, {resources}}}]\n"
    );
    let pins = |release: &str| {
        let args = ["recommend", "--topology", "machine.json", "-f", "-", "--kubernetes", release];
        let (code, out, err) = kubelet(&args, &pod);
        assert_eq!(code, 0, "{err}");
        (out.contains("cpuManagerPolicy: static"), err.contains("warning: a: PodLevelResources"))
    };
    assert_eq!((pins("1.33"), pins("1.34")), ((true, true), (false, false)));
}

#[test]
fn of_a_key_that_stands_twice_its_author_decides() {
    let twice =
        "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmaxPods: 1\nmaxPods: 2\n";
    let (code, out, err) = kubelet(&["recommend", "--topology", "machine.json", "--config", "-"], twice);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("line 4: maxPods: this key stands on line 3"), "{err}");
}

/// The synthetic machine, where devices interrupt one core and a CPU besides.
#[test]
fn where_devices_interrupt_is_seen_and_said() {
    let mut machine: Value = serde_json::from_str(include_str!("kubelet/machine.json")).unwrap();
    machine["interrupts_ms"] = 60_000.into();
    for cpu in machine["cpus"].as_array_mut().unwrap() {
        cpu["interrupts"] = match cpu["cpu"].as_u64().unwrap() {
            3 => 90_000,
            6 => 30_000,
            _ => 100,
        }
        .into();
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), machine.to_string()).unwrap();
    let args = ["recommend", "--topology", file.path().to_str().unwrap(), "--config", "kubeadm.yaml"];
    let (_, report, _) = kubelet(&[&args[..], &["-f", "pods.yaml"]].concat(), "");
    let joined = report.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(joined.contains("reservedSystemCPUs: 3,11 (now not given)"), "{report}");
    assert!(
        joined.contains("measured: 3,11 take 74 % of the 121400 interrupts of devices, in 60 s"),
        "{report}"
    );
    assert!(joined.contains("devices interrupt 6, which may be pinned, with 25 %"), "{report}");
    let (_, steps, _) = kubelet(&[&args[..], &["-o", "runbook"]].concat(), "");
    for line in steps.lines().filter(|line| !line.starts_with("      ")) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(steps.contains("      echo IRQBALANCE_BANNED_CPULIST=0-2,4-10,12-15 >> "), "{steps}");
    assert!(steps.contains("do echo 3,11 > $irq/smp_affinity_list; done\n"), "{steps}");
}

/// A file of the changes alone would lose what the node's own says besides.
#[test]
fn without_the_nodes_file_nothing_is_put_in_its_place() {
    let found = shown(&["-f", "pods.yaml", "-o", "runbook"]);
    assert!(!found.contains("cp ") && !found.contains("systemctl"), "{found}");
    assert!(found.contains("recommend --config /var/lib/kubelet/config.yaml …\n"), "{found}");
    assert!(found.contains("-o kubeadm\n"), "{found}");
}

#[test]
fn the_file_that_is_replaced_is_the_one_that_the_kubelet_reads() {
    let copy = shown(&["--config", "kubeadm.yaml", "-o", "runbook"]);
    assert!(copy.contains("cp new.yaml /var/lib/kubelet/config.yaml\n"), "{copy}");
    assert!(copy.contains("kubeadm.yaml is taken for a copy"), "{copy}");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kubelet/kubeadm.yaml");
    let args = ["recommend", "--topology", "machine.json", "--config", path, "-o", "runbook"];
    let (_, own, _) = kubelet(&args, "");
    assert!(own.contains(&format!("cp new.yaml {path}\n")) && !own.contains("copy"), "{own}");
}

#[test]
fn a_sound_file_needs_little() {
    insta::assert_snapshot!(shown(&["--config", "sound.yaml", "-f", "pods.yaml"]));
}

#[test]
fn what_is_recommended_passes_the_check() {
    for config in [&["--config", "kubeadm.yaml"][..], &["--config", "sound.yaml"], &[]] {
        for minor in ["1.30", "1.31", "1.32", "1.33", "1.34", "1.35", "1.36"] {
            let args = [
                "recommend",
                "--topology",
                "machine.json",
                "-f",
                "pods.yaml",
                "-o",
                "yaml",
                "--kubernetes",
                minor,
            ];
            let (code, yaml, _) = kubelet(&[&args, config].concat(), "");
            assert_eq!(code, 0);
            let check = ["check", "-", "--kubernetes", minor, "--topology", "machine.json"];
            let (code, out, _) = kubelet(&check, &yaml);
            // Where the runtime does not tell the driver it has to be in the file, which there is none of.
            let expected = i32::from(config.is_empty() && minor == "1.30");
            assert_eq!(code, expected, "{config:?} {minor}\n{yaml}\n{out}");
        }
    }
}

#[test]
fn json_is_what_the_schema_describes_and_nothing_else() {
    assert!(jsonschema::meta::is_valid(&published()));
    for args in [
        [].as_slice(),
        &["--config", "kubeadm.yaml", "-f", "pods.yaml", "--kubernetes", "1.32"],
        &["--config", "sound.yaml", "--kubernetes", "1.30"],
    ] {
        schema::assert_describes(published(), &document(args));
    }
    let found = document(&["--config", "kubeadm.yaml", "-f", "pods.yaml"]);
    assert_eq!((&found["pods"], &found["cpus"]), (&2.into(), &16.into()));
    assert_eq!(found["lines_kept"], true);
    assert!(found["diff"].as_str().unwrap().contains("\n-  cpu: 300m\n"));
    let mut bad = found;
    bad["changes"][0]["expected"] = "it will be fine".into();
    assert!(!jsonschema::validator_for(&published()).unwrap().is_valid(&bad));
}

#[test]
fn what_cannot_be_used_is_told_with_what_to_do() {
    let mut told = String::new();
    for (args, stdin) in [
        (vec!["--topology", "machine.json", "--config", "missing.yaml"], ""),
        (vec!["--topology", "machine.json", "--config", "broken.yaml"], ""),
        (vec!["--topology", "machine.json", "--config", "pods.yaml"], ""),
        (vec!["--topology", "machine.json", "--config", "-"], "kind: [\n"),
        (vec!["--topology", "kubeadm.yaml"], ""),
        (vec!["--topology", "machine.json", "-f", "missing.yaml"], ""),
        (
            vec!["--topology", "machine.json", "-f", "-"],
            "kind: Pod\nspec: {containers: [{name: a, resources: {limits: {cpu: x}}}]}\n",
        ),
        (vec!["--topology", "machine.json", "--json", "-o", "yaml"], ""),
    ] {
        let (code, out, err) = kubelet(&[&["recommend"][..], &args].concat(), stdin);
        assert_eq!(out, "", "{args:?}");
        writeln!(told, "$ cgtune kubelet recommend {}\n{err}exit code {code}\n", args.join(" ")).unwrap();
    }
    insta::assert_snapshot!(told);
}

#[test]
fn what_is_still_wrong_afterwards_is_said() {
    let config = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nmaxpods: 3\n";
    let args = ["recommend", "--topology", "machine.json", "--config", "-", "-o", "yaml"];
    let (code, out, err) = kubelet(&args, config);
    assert_eq!(code, 0);
    assert!(out.contains("maxpods: 3\n") && err.starts_with("warning: still wrong: line "), "{out}{err}");
    let json = "{\"kind\": \"KubeletConfiguration\", \"apiVersion\": \"kubelet.config.k8s.io/v1beta1\"}";
    let (_, out, err) = kubelet(&args, json);
    assert!(out.starts_with("kind: KubeletConfiguration\n") && err.contains("written anew"), "{out}{err}");
}

#[test]
fn nothing_of_a_manifest_steers_the_terminal() {
    let pod = "kind: Pod\nmetadata: {name: \"\\e[2J\", namespace: \"\\u202e\"}\nspec:\n  containers:\n  - name: \"\\a\"\n    \
               resources: {limits: {cpu: 3, memory: 1Gi}}\n";
    let (code, out, err) = kubelet(&["recommend", "--topology", "machine.json", "-f", "-"], pod);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(!out.chars().any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')), "{out:?}");
    assert!(out.contains("\\x1b[2J"), "{out}");
}

/// A synthetic v2 node: a Guaranteed container with a limit of 3 CPUs, a Burstable one, and a service that is no pod.
fn node() -> tempfile::TempDir {
    let node = tempfile::tempdir().unwrap();
    let file = |path: &str, text: &str| {
        let full = node.path().join(path);
        std::fs::create_dir_all(full.parent().unwrap()).unwrap();
        std::fs::write(full, text).unwrap();
    };
    file("proc/1/mountinfo", "25 22 0:22 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw\n");
    file("proc/sys/kernel/random/boot_id", "00112233-4455-6677-8899-aabbccddeeff\n");
    file("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
    let pod = "kubepods.slice/kubepods-pod6c1a4e95_6bb6_11e6_bc26_28d2444e470d.slice";
    let burstable = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod7c1a4e95_6bb6_11e6_bc26_28d2444e470d.slice";
    for (group, max) in [
        (format!("{pod}/cri-containerd-{}.scope", "a1".repeat(32)), "300000 100000"),
        (format!("{burstable}/cri-containerd-{}.scope", "b2".repeat(32)), "50000 100000"),
        ("system.slice/nginx.service".to_owned(), "max 100000"),
    ] {
        let mut above = std::path::PathBuf::from("sys/fs/cgroup");
        for part in std::iter::once("").chain(group.split('/')) {
            above.push(part);
            file(&format!("{}/cgroup.procs", above.display()), "");
            file(&format!("{}/cpu.stat", above.display()), "usage_usec 10\nuser_usec 6\nsystem_usec 4\n");
        }
        file(&format!("sys/fs/cgroup/{group}/cpu.max"), &format!("{max}\n"));
        file(&format!("sys/fs/cgroup/{group}/cpu.weight"), "100\n");
        let stat =
            "usage_usec 10\nuser_usec 6\nsystem_usec 4\nnr_periods 9\nnr_throttled 4\nthrottled_usec 7\n";
        file(&format!("sys/fs/cgroup/{group}/cpu.stat"), stat);
    }
    node
}

/// What is recommended for the pods that run there, on one line.
fn of_running(node: &std::path::Path) -> String {
    let root = node.to_str().unwrap();
    let args =
        ["recommend", "--topology", "machine.json", "--running", "--for", "300ms", "--host-root", root];
    let (code, out, err) = kubelet(&args, "");
    assert_eq!(code, 0, "{out}{err}");
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn running_pods_are_found_by_their_groups() {
    let node = node();
    let line = of_running(node.path());
    assert!(line.contains("16 CPUs, 2 pods: 4 changes"), "{line}");
    assert!(
        line.contains(
            "pod 6c1a4e95-6bb6-11e6-bc26-28d2444e470d/a1a1a1a1a1a1 asks for 3 CPUs, no multiple of 2"
        ),
        "{line}"
    );
    // What was watched did not move, so that nothing was measured.
    assert!(!line.contains("periods"), "{line}");
    let (code, out, err) =
        kubelet(&["recommend", "--topology", "machine.json", "--running", "--for", "5"], "");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("--for"), "{err}");
}

/// A container that is pinned already has no quota; its CPUs say how many it asks for.
#[test]
fn a_running_container_with_cpus_of_its_own_is_known_by_them() {
    let node = node();
    let group = "sys/fs/cgroup/kubepods.slice/kubepods-pod8c1a4e95_6bb6_11e6_bc26_28d2444e470d.slice";
    let scope = format!("{group}/cri-containerd-{}.scope", "c3".repeat(32));
    for folder in [group, &scope] {
        let folder = node.path().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in [
            ("cgroup.procs", ""),
            ("cpu.stat", "usage_usec 10\nuser_usec 6\nsystem_usec 4\n"),
            ("cpu.max", "max 100000\n"),
            ("cpu.weight", "174\n"),
            ("cpuset.cpus", "2-5\n"),
            ("cpuset.mems", "\n"),
        ] {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    let line = of_running(node.path());
    assert!(line.contains("3 pods"), "{line}");
    assert!(
        line.contains("the largest pod 8c1a4e95-6bb6-11e6-bc26-28d2444e470d/c3c3c3c3c3c3 with 4"),
        "{line}"
    );
}

#[test]
fn a_planned_pod_that_runs_counts_once() {
    let node = node();
    let logs = "var/log/pods/shop_encoder_6c1a4e95-6bb6-11e6-bc26-28d2444e470d";
    std::fs::create_dir_all(node.path().join(logs)).unwrap();
    let root = node.path().to_str().unwrap();
    let args =
        ["recommend", "--topology", "machine.json", "--running", "--for", "300ms", "--host-root", root];
    let pod = |name: &str| {
        format!(
            "kind: Pod\nmetadata: {{name: {name}, namespace: shop}}\nspec:\n  containers:\n  - name: main\n    \
             resources: {{limits: {{cpu: 3, memory: 1Gi}}}}\n"
        )
    };
    for (name, count) in [("encoder", "2 pods"), ("other", "3 pods")] {
        let (code, out, err) = kubelet(&[&args[..], &["-f", "-"]].concat(), &pod(name));
        assert_eq!(code, 0, "{out}{err}");
        assert!(out.contains(&format!("16 CPUs, {count}: ")), "{name}\n{out}{err}");
    }
}

#[test]
fn the_page_about_it_shows_what_is_printed() {
    let page = include_str!("../../docs/kubelet.md");
    let mut shown = 0;
    for line in page.lines() {
        let Some(command) = line.strip_prefix("`$ cgtune kubelet ").and_then(|rest| rest.strip_suffix('`'))
        else {
            continue;
        };
        let args: Vec<&str> = command.split(' ').collect();
        let (_, out, err) = kubelet(&args, "");
        assert!(!out.is_empty() && err.is_empty() && page.contains(out.trim_end()), "{command}\n{out}{err}");
        shown += 1;
    }
    assert_eq!(shown, 5);
}
