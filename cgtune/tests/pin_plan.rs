//! `cgtune pin plan` as a user runs it, on the machines of the kubelet's own tests.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod machine;
mod tool;

use std::{fs, path::PathBuf};

use serde_json::{Value, json};
use tool::{fails, schema::assert_describes, succeeds};

fn vectors(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The machines of upstream's tests, as files that `cgtune topology --json` could have printed.
struct Machines {
    folder: tempfile::TempDir,
}

impl Machines {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let machines = vectors(include_str!("../core/tests/vectors/cpumanager_topologies.json"));
        for (name, machine) in machines["topologies"].as_object().unwrap() {
            let cpus: Vec<Value> = machine["cpus"].as_array().unwrap().iter().map(described).collect();
            fs::write(folder.path().join(name), json!({ "cpus": cpus }).to_string()).unwrap();
        }
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Exit code, stdout and stderr of a plan.
    fn plan(&self, machine: &str, args: &[String]) -> (i32, String, String) {
        let output = tool::tool()
            .args(["pin", "plan", "--topology"])
            .arg(self.file(machine))
            .args(args)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// The CPUs, or the error on one line.
    fn cpus(&self, machine: &str, args: &[String]) -> Result<String, String> {
        let json = ["--json".to_owned()];
        let (code, out, err) = self.plan(machine, &[args, &json].concat());
        match code {
            0 => Ok(vectors(&out)["cpus"].as_str().unwrap().to_owned()),
            2 => {
                let error = err.split("\nhint: ").next().unwrap().trim_start_matches("error: ");
                Err(error.split_whitespace().collect::<Vec<_>>().join(" "))
            }
            other => panic!("{other}: {err}"),
        }
    }
}

fn described(cpu: &Value) -> Value {
    json!({ "cpu": cpu["cpu"], "core": cpu["core"], "socket": cpu["socket"], "node": cpu["numa"], "uncore": cpu["uncore"] })
}

fn arguments(pairs: &[(&str, &str)]) -> Vec<String> {
    pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(flag, value)| format!("{flag}={value}"))
        .collect()
}

#[test]
fn it_chooses_as_upstreams_allocator_does() {
    let machines = Machines::new();
    let rows = vectors(include_str!("../core/tests/vectors/cpumanager_take_by_topology.json"));
    let mut nothing = 0;
    for row in rows["cases"].as_array().unwrap() {
        let text = |field: &str| row[field].as_str().unwrap_or_default();
        let cpus = row["num_cpus"].to_string();
        // No CPU at all is nothing that a person asks for.
        nothing += usize::from(cpus == "0");
        if cpus == "0" {
            continue;
        }
        let strategy = if text("fn") == "distributed" { "distributed" } else { text("strategy") };
        let whole_cores = if row["cpu_group_size"] == 2 { "full-pcpus-only" } else { "" };
        let aligned =
            if row["prefer_align_uncore"] == true { "prefer-align-cpus-by-uncorecache" } else { "" };
        let args = arguments(&[
            ("--cpus", &cpus),
            ("--available", text("available")),
            ("--strategy", strategy),
            ("--option", whole_cores),
            ("--option", aligned),
        ]);
        let expected = match text("error") {
            "" => Ok(listed(text("result"))),
            error => Err(error.to_owned()),
        };
        assert_eq!(machines.cpus(text("topology"), &args), expected, "{row}");
    }
    assert_eq!(nothing, 2);
}

/// A list as the kernel writes it.
fn listed(text: &str) -> String {
    text.parse::<cgtune_core::CpuSet>().unwrap().to_string()
}

#[test]
fn it_chooses_as_the_static_policy_does() {
    let machines = Machines::new();
    let rows = vectors(include_str!("../core/tests/vectors/cpumanager_static_policy.json"));
    let mut shared = 0;
    for row in rows["allocate"].as_array().unwrap() {
        let text = |field: &str| row[field].as_str().unwrap_or_default();
        // A container that shares is not pinned.
        shared += usize::from(row["result"].is_null() && text("error").is_empty());
        if row["result"].is_null() && text("error").is_empty() {
            continue;
        }
        let options = row["options"].as_object().unwrap().iter();
        let options: Vec<String> =
            options.map(|(name, value)| format!("{name}={}", value.as_str().unwrap())).collect();
        let nodes = row["numa_hint"]
            .as_array()
            .map(|nodes| nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
        let reserve =
            if text("reserved_cpus").is_empty() { row["num_reserved"].to_string() } else { String::new() };
        let args = arguments(&[
            ("--cpus", &(row["request_milli"].as_u64().unwrap() / 1000).to_string()),
            ("--available", text("default_cpuset")),
            ("--reserved", text("reserved_cpus")),
            ("--reserve", &reserve),
            ("--option", &options.join(",")),
            ("--numa-node", &nodes.unwrap_or_default()),
        ]);
        let expected = match row["result"].as_str() {
            Some(cpus) => Ok(listed(cpus)),
            None => Err(text("error").to_owned()),
        };
        assert_eq!(machines.cpus(text("topology"), &args), expected, "{row}");
    }
    assert_eq!(shared, 2);
}

#[test]
fn a_number_that_is_no_multiple_of_a_core_is_refused_unless_distributed() {
    let machines = Machines::new();
    let with = |strategy: &str| {
        machines.cpus(
            "DualSocketHT",
            &arguments(&[("--cpus", "3"), ("--option", "full-pcpus-only"), ("--strategy", strategy)]),
        )
    };
    let refused = "SMT Alignment Error: requested 3 cpus not multiple cpus per core = 2";
    assert_eq!(with("packed"), Err(refused.to_owned()));
    assert_eq!(with("spread"), Err(refused.to_owned()));
    assert_eq!(with("distributed"), Ok("0,2,6".to_owned()));
}

#[test]
fn odd_numbers_stay_under_one_cache_since_1_34() {
    let machines = Machines::new();
    let with = |version: &str| {
        let args = [("--cpus", "3"), ("--available", "2-7,10-15"), ("--kubernetes", version)];
        let option = [("--option", "prefer-align-cpus-by-uncorecache")];
        machines.cpus("UncoreSingleSocketSMT", &arguments(&[&args[..], &option[..]].concat())).unwrap()
    };
    assert_eq!(with("1.34"), "2-3,10");
    let without =
        [("--cpus", "3"), ("--available", "2-7,10-15"), ("--option", "prefer-align-cpus-by-uncorecache")];
    let without = machines.cpus("UncoreSingleSocketSMT", &arguments(&without)).unwrap();
    assert_eq!(with("1.33"), without, "the published cases are asked without a release");
}

#[test]
fn what_the_named_release_does_not_have_is_refused_as_its_kubelet_would() {
    let machines = Machines::new();
    let plan = |args: &[&str]| {
        let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
        let (code, out, err) =
            machines.plan("UncoreSingleSocketSMT", &[&["--cpus=2".to_owned()], &args[..]].concat());
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        (code, words(&out), words(&err))
    };
    for version in ["1.29", "1.99", "0.0", "2.30"] {
        let (code, _, err) = plan(&["--kubernetes", version]);
        assert!(code == 2 && err.contains("is not known here, only those of 1.30 to 1.36"), "{err}");
    }
    let aligned = "prefer-align-cpus-by-uncorecache";
    let off = &format!("{aligned}=false");
    for (args, since, release) in [
        (["--kubernetes", "1.31.4", "--option", aligned], "1.32", "1.31"),
        (["--kubernetes", "1.30", "--option", off], "1.32", "1.30"),
        (["--kubernetes", "1.30", "--strategy", "spread"], "1.31", "1.30"),
    ] {
        let (code, _, err) = plan(&args);
        let said = format!(
            "this option came with Kubernetes {since}: the kubelet of {release} does not start with it"
        );
        assert!(
            code == 2 && err.contains(&said) && err.contains(&format!("--kubernetes {since} or later")),
            "{err}"
        );
    }
    let (code, out, _) = plan(&["--kubernetes", "1.36", "--option", aligned]);
    assert!(code == 0 && out.contains("(as Kubernetes 1.36)"), "{out}");
    let (_, out, _) = plan(&["--option", aligned]);
    assert!(out.contains("(as Kubernetes 1.32; --kubernetes says"), "{out}");
    assert_eq!(plan(&["--strategy", "spread"]).0, 0);
}

#[test]
fn the_command_is_one_however_it_is_pasted() {
    let machines = Machines::new();
    // Spread over odd CPUs its list is longer than a line.
    let odd = (0..80).filter(|cpu| cpu % 2 == 1).map(|cpu| cpu.to_string()).collect::<Vec<_>>().join(",");
    let args = arguments(&[("--cpus", "40"), ("--available", &odd)]);
    let (code, out, _) = machines.plan("DualSocketMultiNumaPerSocketHT", &args);
    assert_eq!(code, 0);
    let pasted = out.split_once("cgroup)\n").unwrap().1;
    let script = format!("cgtune() {{ printf '%s\\n' \"$*\"; }}\n{pasted}");
    let ran = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
    let expected = format!("pin apply TARGET --cpus {odd} --mems 0-3 --drop-quota\n");
    assert_eq!(String::from_utf8(ran.stdout).unwrap(), expected, "{pasted}");
}

#[test]
fn amounts_and_nodes_are_spoken_of_as_they_are() {
    let machines = Machines::new();
    let first = |cpus: &str| {
        let (code, out, _) = machines.plan("DualSocketHT", &[format!("--cpus={cpus}")]);
        assert_eq!(code, 0);
        out
    };
    assert!(first("1m").starts_with("1m of a CPU: 0\n"), "{}", first("1m"));
    assert!(first("1").starts_with("1 CPU: 0\n"), "{}", first("1"));
    assert!(first("12").contains("memory      NUMA nodes 0-1\n"), "{}", first("12"));
}

#[test]
fn a_machine_as_large_as_may_be_is_planned_in_seconds() {
    let cpu = |cpu: u32| json!({ "cpu": cpu, "core": cpu / 2 * 2, "socket": cpu >> 14, "node": cpu >> 13, "uncore": cpu / 16 * 16 });
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), json!({ "cpus": (0..65_536).map(cpu).collect::<Vec<_>>() }).to_string()).unwrap();
    for args in [
        ["--cpus=30001", "--option=prefer-align-cpus-by-uncorecache"],
        ["--cpus=30001", "--strategy=distributed"],
        ["--cpus=30000", "--option=full-pcpus-only"],
    ] {
        // Of CPU time, whatever else the machine does: about one second each, unoptimised. It took seventeen.
        let mut limited = std::process::Command::new("sh");
        limited.args(["-c", "ulimit -t 8; exec \"$@\"", "sh"]).arg(assert_cmd::cargo::cargo_bin!("cgtune"));
        limited.args(["pin", "plan", "--reserved", "1", "--from"]).arg(file.path()).args(args);
        let output = limited.output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        assert!(String::from_utf8(output.stdout).unwrap().contains("whole cores"), "{args:?}");
    }
}

#[test]
fn a_fraction_is_a_share_of_one_cpu_without_a_quota() {
    let machines = Machines::new();
    let args = ["--cpus=1.2", "--shared=3=500m,5=900m", "--json"].map(str::to_owned);
    let (code, out, err) = machines.plan("SingleSocketHT", &args);
    assert_eq!((code, err.as_str()), (0, ""));
    let plan = vectors(&out);
    assert_describes(vectors(include_str!("../schemas/pin-1.schema.json")), &plan);
    assert_eq!((&plan["alone"], &plan["shared"]), (&json!("1"), &json!(3)), "5 is too full for 200m more");
    assert_eq!((&plan["shares"], &plan["quota_us"]), (&json!(205), &json!("max")));
    assert_eq!(plan["command"], "cgtune pin apply TARGET --cpus 1,3 --mems 0 --shares 205 --drop-quota");
}

#[test]
fn a_plan_is_shown_for_people() {
    let machines = Machines::new();
    let shown = |machine: &str, args: &[(&str, &str)]| {
        let (code, out, err) = machines.plan(machine, &arguments(args));
        assert_eq!((code, err.as_str()), (0, ""));
        assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
        out
    };
    insta::assert_snapshot!(shown("SingleSocketHT", &[("--cpus", "2.5"), ("--reserved", "0")]));
    insta::assert_snapshot!(shown(
        "DualSocketMultiNumaPerSocketHT",
        &[("--cpus", "27"), ("--strategy", "distributed")]
    ));
}

#[test]
fn what_cannot_be_is_told_with_what_could() {
    let machines = Machines::new();
    let file = machines.file("DualSocketHT");
    let file = file.to_str().unwrap();
    let told = |args: &[&str]| fails(&[&["pin", "plan", "--topology", file], args].concat()).1;
    for (args, error, hint) in [
        (&["--cpus", "0"][..], "no CPU is asked for", "such as 2, or 1.2"),
        (&["--cpus", "-1"], "--cpus", "-1"),
        (&["--cpus", "x"], "--cpus", "x"),
        (&["--cpus", "13"], "requested=13, available=12", "ask for fewer"),
        (&["--cpus", "1", "--available", "11-12"], "no CPU 12 that is online", "its CPUs are 0-11"),
        (&["--cpus", "1", "--reserved", "99"], "--reserved: the machine has no CPU 99", "0-11"),
        (&["--cpus", "1", "--reserve", "13"], "--reserve 13: the machine has 12 CPUs", "fewer"),
        (&["--cpus", "1", "--numa-node", "2"], "--numa-node: the machine has no node 2", "0-1"),
        (&["--cpus", "1", "--option", "whole"], "\"whole\" is no option", "full-pcpus-only"),
        (&["--cpus", "1", "--option", "full-pcpus-only=maybe"], "neither true nor false", "full-pcpus-only"),
        (
            &["--cpus", "1", "--option", "distribute-cpus-across-numa", "--strategy", "packed"],
            "--strategy packed and an option that means distributed",
            "give one",
        ),
        (
            &["--cpus", "1", "--option", "distribute-cpus-across-numa,distribute-cpus-across-cores"],
            "exclude each other",
            "does not start",
        ),
        (&["--cpus", "1.5", "--option", "full-pcpus-only"], "1500m CPUs are not whole cores", "whole CPUs"),
        (&["--cpus", "1", "--shared", "3=2"], "more than there is", "at most 1"),
        (&["--cpus", "1", "--avoid", "irq"], "--avoid", "irqs"),
        (&["--cpus", "1", "--avoid", "99"], "--avoid: the machine has no CPU 99", "0-11"),
        (&["--cpus", "1", "--shared", "=500m"], "\"=500m\" names no CPU", "3=500m"),
        (&["--cpus", "1", "--numa-node", ""], "--numa-node: no node is named", "are 0-1"),
        (&["--cpus", "1", "--reserve", "12"], "requested=1, available=0", "all CPUs are reserved"),
        (
            &["--cpus", "0.5", "--shared", "0-11=600m"],
            "room for 500m more",
            "of what is shared (0-11) none has so",
        ),
        (&["--cpus", "1.5", "--available", "3"], "room for 500m more", "available are 3, all of which"),
        (
            &["--cpus", "13", "--available", "3"],
            "requested=13, available=1",
            "available for it: 3; ask for fewer",
        ),
        (&["--cpus", "1", "--kubernetes", "new"], "--kubernetes", "new"),
    ] {
        let said = told(args);
        assert!(said.contains(error) && said.contains(hint), "{args:?}\n{said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

/// A copy of a real machine's /sys, with what a kubelet could have given away there.
#[test]
fn what_the_kubelet_of_this_node_has_given_away_is_not_available() {
    let tree = machine::qemu();
    let node = tree.0.path();
    let state = node.join("var/lib/kubelet/cpu_manager_state");
    fs::create_dir_all(state.parent().unwrap()).unwrap();
    let plan = |state_says: &str, more: &[&str]| {
        fs::write(&state, state_says).unwrap();
        let root = node.to_str().unwrap();
        let (out, err) =
            succeeds(&[&["pin", "plan", "--json", "--cpus", "2", "--host-root", root], more].concat());
        (vectors(&out), err.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let given = r#"{"policyName":"static","defaultCpuSet":"0,4-6","entries":{"u":{"c":"1-3"}},"checksum":1}"#;
    let (chosen, _) = plan(given, &["--reserved", "0"]);
    assert_eq!((&chosen["available"], &chosen["cpus"]), (&json!("4-6"), &json!("4,6")), "{chosen}");
    let kinds: Vec<&Value> = chosen["notes"].as_array().unwrap().iter().map(|note| &note["kind"]).collect();
    assert!(
        kinds.contains(&&json!("uneven")),
        "CPU 7 is off: seven CPUs of four cores are one a core to the kubelet"
    );
    let empty =
        r#"{"policyName":"static","defaultCpuSet":"","entries":{"u":{"c":"0-1","d":"2"}},"checksum":1}"#;
    let (chosen, _) = plan(empty, &[]);
    assert_eq!(chosen["available"], "3-6", "an empty pool is no pool of all");
    let more = r#"{"policyName":"static","defaultCpuSet":"0-63","entries":{},"checksum":1}"#;
    let (chosen, _) = plan(more, &[]);
    assert_eq!(chosen["available"], "0-6", "the machine has no more");
    let (asked, _) = plan(given, &["--available", "1-3"]);
    assert_eq!(asked["cpus"], "2-3", "who says what is available is believed");
    let (broken, warned) = plan("{", &[]);
    assert_eq!(broken["available"], "0-6");
    assert!(warned.contains("cpu_manager_state") && warned.contains("not what a kubelet writes"), "{warned}");
}

#[test]
fn isolated_cpus_are_avoided_or_wanted_and_what_they_do_is_said() {
    // Of its 16 CPUs 6-7,14-15 are isolated, and 14-15 without a tick; CPU 3 takes the interrupts.
    let tree = machine::two_by_two();
    let args = ["pin", "plan", "--json", "--sysfs", tree.0.path().to_str().unwrap()];
    let plan = |more: &[&str]| {
        let (out, err) = succeeds(&[&args[..], more].concat());
        let plan = vectors(&out);
        assert_describes(vectors(include_str!("../schemas/pin-1.schema.json")), &plan);
        let kinds = plan["notes"].as_array().unwrap().iter().map(|note| note["kind"].as_str().unwrap());
        let kinds: Vec<String> = kinds.map(str::to_owned).collect();
        (plan["cpus"].as_str().unwrap().to_owned(), kinds, err)
    };
    let from_the_last_cores = ["--available", "4-7,12-15"];
    let (cpus, _, err) = plan(&[&["--cpus", "4", "--avoid", "isolated"], &from_the_last_cores[..]].concat());
    assert_eq!((cpus.as_str(), err.as_str()), ("4-5,12-13", ""));
    let (cpus, kinds, _) = plan(&["--cpus", "11", "--avoid", "isolated", "--avoid", "irqs"]);
    assert_eq!((cpus.as_str(), kinds.contains(&"isolated".to_owned())), ("0-2,4-5,8-13", false));
    let (_, kinds, _) = plan(&["--cpus", "13", "--avoid", "isolated"]);
    assert!(kinds.contains(&"isolated".to_owned()) && kinds.contains(&"avoided".to_owned()), "{kinds:?}");
    let (cpus, kinds, _) = plan(&["--cpus", "2", "--available", "6-7,14-15", "--avoid", "nohz_full"]);
    assert_eq!((cpus.as_str(), kinds.contains(&"nohz_full".to_owned())), ("6-7", false));
    let (_, kinds, _) = plan(&["--cpus", "2", "--available", "14-15"]);
    assert!(kinds.contains(&"isolated".to_owned()) && kinds.contains(&"nohz_full".to_owned()), "{kinds:?}");
    let (_, kinds, _) = plan(&["--cpus", "1", "--available", "14"]);
    assert!(!kinds.iter().any(|kind| kind == "isolated"), "one CPU stacks nothing: {kinds:?}");
    std::fs::remove_file(tree.path("sys/devices/system/cpu/isolated")).unwrap();
    let (_, _, err) = plan(&["--cpus", "1", "--avoid", "isolated"]);
    assert!(err.contains("--avoid isolated: the machine does not show which CPUs these are"), "{err}");
}

#[test]
fn who_held_the_cpus_of_a_described_machine_is_said() {
    let text = json!({
        "cpus": (0..4).map(|cpu| json!({ "cpu": cpu, "core": cpu, "socket": 0, "node": 0 })).collect::<Vec<_>>(),
        "cpusets": [
            { "path": "/encoder", "effective_cpus": "1-2", "processes": 3 },
            { "path": "/only-hands-on", "effective_cpus": "0-2", "processes": 0 },
        ],
    });
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text.to_string()).unwrap();
    let args = ["pin", "plan", "--json", "--cpus", "2", "--topology", file.path().to_str().unwrap()];
    let plan = vectors(&succeeds(&args).0);
    assert_eq!(
        (&plan["cpus"], &plan["beside"]),
        (&json!("0-1"), &json!([{ "path": "/encoder", "cpus": "1" }]))
    );
}

#[test]
fn this_machine_has_a_cpu_to_choose() {
    let (out, _) = succeeds(&["pin", "plan", "--cpus", "1", "--json"]);
    let plan = vectors(&out);
    assert_describes(vectors(include_str!("../schemas/pin-1.schema.json")), &plan);
    assert_eq!(plan["cores"].as_array().unwrap().len(), 1);
}
