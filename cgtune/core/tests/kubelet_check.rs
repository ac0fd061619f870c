//! What is found in a kubelet's configuration, against the rows of the kubelet's own tests.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::BTreeMap;

use cgtune_core::{
    Topology,
    kubelet::{Fault, KubeletConfig, Machine, Place, Release, Severity, check},
    topology::Cpu,
};
use serde_json::Value;

fn release(text: &str) -> Release {
    Release::try_from(text.parse::<cgtune_core::convert::Version>().unwrap()).unwrap()
}

fn text(value: &Value) -> Option<String> {
    Some(value.as_str().unwrap().to_owned())
}

/// The valid configuration that upstream's rows start from.
fn base() -> KubeletConfig {
    KubeletConfig {
        enforce_node_allocatable: Some(
            ["pods", "system-reserved", "kube-reserved"].map(str::to_owned).to_vec(),
        ),
        system_reserved_cgroup: Some("/system.slice".into()),
        kube_reserved_cgroup: Some("/kubelet.service".into()),
        cpu_cfs_quota_period: Some("25ms".parse().unwrap()),
        feature_gates: BTreeMap::from([("CustomCPUCFSQuotaPeriod".to_owned(), true)]),
        topology_manager_policy: Some("single-numa-node".into()),
        topology_manager_scope: Some("pod".into()),
        ..KubeletConfig::default()
    }
}

fn set(config: &mut KubeletConfig, field: &str, value: &Value) {
    match field {
        "cgroupsPerQOS" => config.cgroups_per_qos = value.as_bool(),
        "enforceNodeAllocatable" => {
            let values = value.as_array().unwrap().iter();
            config.enforce_node_allocatable = Some(values.map(|value| text(value).unwrap()).collect());
        }
        "systemCgroups" => config.system_cgroups = text(value),
        "cgroupRoot" => config.cgroup_root = text(value),
        "featureGates" => {
            let gates = value.as_object().unwrap().iter();
            config.feature_gates =
                gates.map(|(name, open)| (name.clone(), open.as_bool().unwrap())).collect();
        }
        "cpuCFSQuotaPeriod" => config.cpu_cfs_quota_period = Some(value.as_str().unwrap().parse().unwrap()),
        "systemReservedCgroup" => config.system_reserved_cgroup = text(value),
        "kubeReservedCgroup" => config.kube_reserved_cgroup = text(value),
        "reservedSystemCPUs" => config.reserved_system_cpus = text(value),
        other => panic!("{other}"),
    }
}

fn errors(config: &KubeletConfig, release: Release) -> Vec<&'static str> {
    let found = check(config, release, Machine::default());
    found.iter().filter(|f| f.severity() == Severity::Error).map(|f| f.fault.kind()).collect()
}

fn kinds(config: &KubeletConfig, at: &str, topology: Option<&Topology>) -> Vec<&'static str> {
    let machine = Machine { topology, cgroup_v1: None };
    let mut kinds: Vec<_> = check(config, release(at), machine).iter().map(|f| f.fault.kind()).collect();
    kinds.sort_unstable();
    kinds
}

/// What upstream's sentence is called here.
fn kind(error: &str) -> &'static str {
    match error {
        "enforceNodeAllocatable is not supported unless cgroupsPerQOS is true" => "needs_cgroups_per_qos",
        "systemCgroups needs cgroupRoot" => "needs_cgroup_root",
        "requires feature gate CustomCPUCFSQuotaPeriod" => "period_needs_gate",
        "must be between 1ms and 1sec, inclusive" => "period_range",
        "systemReservedCgroup must be specified" | "kubeReservedCgroup must be specified" => "needs_cgroup",
        "none excludes the others" => "none_and_others",
        "not a valid option" => "value",
        "reservedSystemCPUs excludes systemReservedCgroup and kubeReservedCgroup" => "reserved_excludes",
        "unable to parse reservedSystemCPUs" => "cpu_list",
        other => panic!("{other}"),
    }
}

#[test]
fn what_the_kubelet_refuses_is_an_error() {
    let vectors: Value =
        serde_json::from_str(include_str!("vectors/kubelet_config_validation.json")).unwrap();
    let rows = vectors["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 10);
    // The newest release with a gate for the period, which is free after it.
    let release = release("1.35");
    assert_eq!(errors(&base(), release), [""; 0]);
    for row in rows {
        let mut config = base();
        for (field, value) in row["set"].as_object().unwrap() {
            set(&mut config, field, value);
        }
        let found = errors(&config, release);
        assert!(found.contains(&kind(row["error"].as_str().unwrap())), "{row}: {found:?}");
    }
}

#[test]
fn the_period_is_free_since_1_36() {
    let mut config = base();
    config.feature_gates.clear();
    assert_eq!(errors(&config, release("1.35")), ["period_needs_gate"]);
    assert_eq!(errors(&config, release("1.36")), [""; 0]);
    config.feature_gates.insert("CustomCPUCFSQuotaPeriod".into(), false);
    let found = check(&config, release("1.36"), Machine::default());
    let said: Vec<String> = found.iter().map(|finding| finding.fault.to_string()).collect();
    assert!(
        said.iter().any(|said| said.contains("CustomCPUCFSQuotaPeriod, which is closed")),
        "it is not the release that closes it: {said:?}"
    );
}

/// `ValidateKubeletConfiguration` makes no exception for none.
#[test]
fn whatever_is_enforced_needs_cgroups_per_qos_and_nothing_does_not() {
    let of = |enforced: &[&str]| {
        let enforce = enforced.iter().map(|&value| value.to_owned()).collect();
        let config = KubeletConfig {
            cgroups_per_qos: Some(false),
            enforce_node_allocatable: Some(enforce),
            ..KubeletConfig::default()
        };
        errors(&config, Release::NEWEST)
    };
    assert_eq!(of(&["none"]), ["needs_cgroups_per_qos"]);
    assert_eq!(of(&["pods"]), ["needs_cgroups_per_qos"]);
    assert_eq!(of(&[]), [""; 0]);
}

#[test]
fn one_cpu_is_counted_as_one() {
    let topology = Topology::new([Cpu { cpu: 0, core: 0, socket: 0, node: 0, uncore: None }]).unwrap();
    let config = KubeletConfig {
        kube_reserved: Some(BTreeMap::from([("cpu".to_owned(), "2".to_owned())])),
        ..KubeletConfig::default()
    };
    let machine = Machine { topology: Some(&topology), cgroup_v1: None };
    let found = check(&config, Release::NEWEST, machine);
    let said = found.iter().map(|finding| finding.fault.to_string()).collect::<Vec<_>>().join("\n");
    assert!(said.contains("on a machine of 1 CPU: the"), "{said}");
}

fn options(pairs: &[(&str, &str)]) -> KubeletConfig {
    let pairs = pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
    KubeletConfig {
        cpu_manager_policy: Some("static".into()),
        cpu_manager_policy_options: Some(pairs.collect()),
        reserved_system_cpus: Some("0,4".into()),
        ..KubeletConfig::default()
    }
}

#[test]
fn options_are_refused_as_the_kubelet_refuses_them() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/cpumanager_static_policy.json")).unwrap();
    for row in vectors["options"].as_array().unwrap() {
        let pairs = row["options"].as_object().unwrap().iter();
        let pairs: Vec<_> = pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
        let mut config = options(&pairs);
        config.feature_gates.insert("CPUManagerPolicyAlphaOptions".into(), true);
        assert_eq!(
            !errors(&config, Release::NEWEST).is_empty(),
            row["error"].as_bool().unwrap(),
            "{row}: {:?}",
            errors(&config, Release::NEWEST)
        );
    }
}

#[test]
fn an_option_needs_its_release_and_its_gate() {
    let strict = options(&[("strict-cpu-reservation", "true")]);
    assert_eq!(errors(&strict, release("1.31")), ["later_option"]);
    assert_eq!(errors(&strict, release("1.32")), ["option_needs_gate"]);
    assert_eq!(errors(&strict, release("1.33")), [""; 0]);
    let mut closed = strict;
    closed.feature_gates.insert("CPUManagerPolicyBetaOptions".into(), false);
    assert_eq!(errors(&closed, release("1.34")), ["option_needs_gate"]);
    assert_eq!(errors(&closed, release("1.35")), [""; 0], "stable options need no gate");
    let off = options(&[("align-by-socket", "false")]);
    assert_eq!(errors(&off, Release::NEWEST), ["off_needs_gate"]);
    let none = KubeletConfig { cpu_manager_policy: None, ..options(&[("full-pcpus-only", "true")]) };
    assert_eq!(errors(&none, Release::NEWEST), ["options_without_static"]);
}

#[test]
fn the_static_policy_needs_a_reserved_cpu() {
    let mut config = KubeletConfig { cpu_manager_policy: Some("static".into()), ..KubeletConfig::default() };
    assert_eq!(errors(&config, Release::NEWEST), ["static_without_reserved"]);
    config.kube_reserved = Some(BTreeMap::from([("memory".to_owned(), "1Gi".to_owned())]));
    assert_eq!(errors(&config, Release::NEWEST), ["static_without_reserved"]);
    config.kube_reserved = Some(BTreeMap::from([("cpu".to_owned(), "1".to_owned())]));
    assert_eq!(errors(&config, Release::NEWEST), [""; 0]);
    config.cpu_manager_policy = Some("Static".into());
    assert_eq!(errors(&config, Release::NEWEST), ["value"]);
}

/// Two sockets, a node each, four cores of two threads: CPUs 0–7 and their siblings 8–15.
fn machine() -> Topology {
    let cpu = |cpu: u32| {
        let core = cpu % 8;
        Cpu { cpu, core, socket: core / 4, node: core / 4, uncore: Some(core / 4 * 4) }
    };
    Topology::new((0..16).map(cpu)).unwrap()
}

#[test]
fn reserved_cpus_are_held_against_the_machine() {
    let topology = machine();
    let of = |list: &str| {
        let config = KubeletConfig {
            cpu_manager_policy: Some("static".into()),
            reserved_system_cpus: Some(list.into()),
            cgroup_driver: Some("systemd".into()),
            ..KubeletConfig::default()
        };
        kinds(&config, "1.36", Some(&topology))
    };
    assert_eq!(of("0,8"), ["no_resize", "state_file"]);
    assert_eq!(of("0,1"), ["half_core", "no_resize", "state_file"]);
    assert_eq!(of("0,16"), ["no_resize", "reserved_not_online", "state_file"]);
    assert_eq!(of("0-15"), ["no_resize", "nothing_left", "state_file"]);
    let half = KubeletConfig {
        cpu_manager_policy: Some("static".into()),
        reserved_system_cpus: Some("0,1".into()),
        ..KubeletConfig::default()
    };
    let found = check(&half, Release::NEWEST, Machine { topology: Some(&topology), cgroup_v1: None });
    let found = found.iter().find(|f| f.fault.kind() == "half_core").unwrap();
    assert_eq!(found.place, Place::at(["reservedSystemCPUs"]));
    assert_eq!(
        found.fault.to_string(),
        "of the cores of 0-1 only a part is reserved; 8-9 share them and go to pods, whose cores the system then shares"
    );
    assert_eq!(found.fault.advice(), "reserve 8-9 as well, or other whole cores");
}

#[test]
fn amounts_are_held_against_the_machine() {
    let topology = machine();
    let of = |cpu: &str, full: bool| {
        let config = KubeletConfig {
            reserved_system_cpus: None,
            system_reserved: Some(BTreeMap::from([("cpu".to_owned(), cpu.to_owned())])),
            ..options(&[("full-pcpus-only", if full { "true" } else { "false" })])
        };
        let mut found = kinds(&config, "1.36", Some(&topology));
        found.retain(|kind| !["no_resize", "state_file"].contains(kind));
        found
    };
    assert_eq!(of("2", true), [""; 0]);
    assert_eq!(of("1", true), ["reserved_part_of_core"]);
    assert_eq!(of("1", false), [""; 0]);
    assert_eq!(of("1500m", false), ["reserved_rounded"]);
    assert_eq!(of("17", false), ["more_than_there_is"]);
    assert_eq!(of("16", false), ["nothing_left"]);
    assert_eq!(of("1 CPU", false), ["reserved_quantity", "static_without_reserved"]);
}

#[test]
fn the_topology_manager_starts_on_so_many_nodes() {
    let cpus = (0..16).map(|cpu| Cpu { cpu, core: cpu, socket: 0, node: cpu, uncore: None });
    let topology = Topology::new(cpus).unwrap();
    let mut config = KubeletConfig {
        topology_manager_policy: Some("restricted".into()),
        ..options(&[("full-pcpus-only", "true")])
    };
    let has = |config: &KubeletConfig| kinds(config, "1.36", Some(&topology)).contains(&"too_many_nodes");
    assert!(has(&config));
    let limit =
        |nodes: &str| Some(BTreeMap::from([("max-allowable-numa-nodes".to_owned(), nodes.to_owned())]));
    config.topology_manager_policy_options = limit("16");
    assert!(!has(&config));
    config.topology_manager_policy_options = limit("4");
    assert!(errors(&config, Release::NEWEST).contains(&"topology_option_value"));
    config.topology_manager_policy_options = limit("16");
    assert_eq!(errors(&config, release("1.30")), ["later_option"]);
}

#[test]
fn sockets_are_aligned_where_nodes_allow_it() {
    let mut config = options(&[("align-by-socket", "true")]);
    config.feature_gates.insert("CPUManagerPolicyAlphaOptions".into(), true);
    assert_eq!(errors(&config, Release::NEWEST), [""; 0]);
    config.topology_manager_policy = Some("single-numa-node".into());
    assert_eq!(errors(&config, Release::NEWEST), ["unfit"]);
}

#[test]
fn a_v1_machine_needs_to_be_allowed_since_1_35() {
    let v1 = Machine { topology: None, cgroup_v1: Some(true) };
    let fails = |config: &KubeletConfig, at: &str| {
        check(config, release(at), v1).iter().any(|f| matches!(f.fault, Fault::FailsOnV1 { .. }))
    };
    let nothing = KubeletConfig::default();
    assert!(!fails(&nothing, "1.34"));
    assert!(fails(&nothing, "1.35"));
    assert!(!fails(&KubeletConfig { fail_cgroup_v1: Some(false), ..nothing }, "1.36"));
}

#[test]
fn gates_come_and_go() {
    let with = |gate: &str, open: bool, at: &str| {
        let feature_gates = BTreeMap::from([(gate.to_owned(), open)]);
        let config = KubeletConfig {
            feature_gates,
            cgroup_driver: Some("systemd".into()),
            ..KubeletConfig::default()
        };
        kinds(&config, at, None)
    };
    assert_eq!(with("TopologyManager", true, "1.30"), ["gone_gate"]);
    assert_eq!(with("PodLevelResources", true, "1.31"), ["later_gate"]);
    assert_eq!(with("CPUManagerPolicyOptions", true, "1.33"), ["stable_gate"]);
    assert_eq!(with("CPUManagerPolicyOptions", false, "1.33"), ["locked_gate"]);
    assert_eq!(with("TopologyManagerPolicyOptions", false, "1.36"), [""; 0], "never locked");
    assert_eq!(with("CPUManagerPolicyAlphaOptions", true, "1.36"), [""; 0]);
    assert_eq!(with("NothingToDoWithCpu", true, "1.36"), [""; 0]);
}

#[test]
fn pinned_containers_keep_their_quota_before_1_33() {
    let config = options(&[("full-pcpus-only", "true")]);
    assert!(kinds(&config, "1.32", None).contains(&"quota_stays"));
    assert!(!kinds(&config, "1.33", None).contains(&"quota_stays"));
    let closed = KubeletConfig {
        feature_gates: BTreeMap::from([("DisableCPUQuotaWithExclusiveCPUs".to_owned(), false)]),
        ..config
    };
    assert!(kinds(&closed, "1.33", None).contains(&"quota_kept"));
}

#[test]
fn what_is_repeated_of_a_file_is_escaped_and_cut() {
    let config = KubeletConfig {
        cpu_manager_policy: Some(format!("\x1b[2J{}", "x".repeat(500))),
        ..KubeletConfig::default()
    };
    let found = check(&config, Release::NEWEST, Machine::default());
    let sentence = found[0].fault.to_string();
    assert!(sentence.starts_with(r#""\x1b[2Jxxx"#) && sentence.len() < 120, "{sentence}");
}

#[test]
fn short_periods_raise_small_limits() {
    let of = |period: &str| {
        let config = KubeletConfig {
            cpu_cfs_quota_period: Some(period.parse().unwrap()),
            cgroup_driver: Some("systemd".into()),
            ..KubeletConfig::default()
        };
        kinds(&config, "1.36", None)
    };
    assert_eq!(of("10ms"), ["period_raises_limits"]);
    assert_eq!(of("50ms"), [""; 0]);
    assert_eq!(of("999us"), ["period_range"]);
    assert_eq!(of("-5ms"), ["period_range"]);
}
