//! Laws of recommendations, and the decisions one by one.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use cgtune_core::{
    MilliCpu, Topology,
    convert::{
        Version,
        pod::{QosClass, Role},
    },
    kubelet::{
        Gate, KubeletConfig, Machine as Judged, Options, PolicyOption, Release, Severity, check,
        options::parse_bool,
        recommend::{
            Evidence, Expected, Field, Given, KnownContainer, KnownPod, Lack, Recommendation, Remark,
            Situation, Throttled, recommend,
        },
        topology_manager::TopologyOption,
    },
    topology::{Cpu, Level, Machine, MachineCpu, Node},
};
use proptest::prelude::*;

fn release(text: &str) -> Release {
    Release::try_from(text.parse::<Version>().unwrap()).unwrap()
}

/// Sockets, nodes in each, caches in each node, cores in each cache, threads. Siblings are numbered behind all cores.
fn machine([sockets, nodes, caches, cores, threads]: [u32; 5]) -> Topology {
    let all = sockets * nodes * caches * cores;
    let cpus = (0..all * threads).map(|cpu| {
        let core = cpu % all;
        let cache = core / cores;
        let node = cache / caches;
        Cpu { cpu, core, socket: node / nodes, node, uncore: Some(cache * cores) }
    });
    Topology::new(cpus).unwrap()
}

fn pod(qos: QosClass, milli: u64, throttled: Option<(u64, u64)>) -> KnownPod {
    let throttled = throttled.map(|(nr_throttled, nr_periods)| Throttled { nr_periods, nr_throttled });
    let amount = (milli > 0).then_some(MilliCpu::new(milli));
    KnownPod {
        name: "shop/encoder".into(),
        qos,
        whole: false,
        request: None,
        containers: vec![KnownContainer {
            name: "main".into(),
            role: Role::App,
            request: amount,
            limit: amount,
            throttled,
            watched: None,
        }],
    }
}

fn recommended(
    config: &KubeletConfig,
    topology: &Topology,
    at: &str,
    pods: Option<&[KnownPod]>,
) -> Recommendation {
    recommend(&Situation { release: release(at), topology, machine: None, config, pods })
}

/// What a field is to hold, if it changes.
fn to(done: &Recommendation, field: Field) -> Option<Option<String>> {
    let change = done.changes.iter().find(|change| change.field == field)?;
    Some(change.to.as_ref().map(Given::to_string))
}

fn sets(done: &Recommendation, field: Field) -> Option<String> {
    to(done, field).flatten()
}

/// Errors and warnings, by name and place.
fn gating(config: &KubeletConfig, release: Release, topology: &Topology) -> BTreeSet<&'static str> {
    let found = check(config, release, Judged { topology: Some(topology), cgroup_v1: None });
    let found = found.into_iter().filter(|finding| finding.severity() != Severity::Note);
    found.map(|finding| finding.fault.kind()).collect()
}

fn amounts(cpu: &str) -> Option<BTreeMap<String, String>> {
    Some(BTreeMap::from([("cpu".to_owned(), cpu.to_owned()), ("memory".to_owned(), "1Gi".to_owned())]))
}

/// Configurations that a kubelet of the release starts with on most machines.
fn configs(release: Release) -> impl Strategy<Value = KubeletConfig> {
    let options = prop::sample::subsequence(PolicyOption::ALL.to_vec(), 0..=3);
    let values = prop::sample::select(vec!["true", "1", "false"]);
    let reserved = prop_oneof![
        Just((None, None, None, false)),
        prop::sample::select(vec!["1", "500m", "1500m", "2", "3"]).prop_map(|cpu| (
            amounts(cpu),
            None,
            None,
            false
        )),
        Just((amounts("1"), amounts("300m"), None, false)),
        prop::sample::select(vec!["0", "0-1", "1", "2-3"]).prop_map(|cpus| (
            None,
            None,
            Some(cpus.to_owned()),
            false
        )),
        prop::sample::select(vec!["1", "700m"]).prop_map(|cpu| (amounts(cpu), None, None, true)),
    ];
    let topology =
        prop::option::of(prop::sample::select(vec!["none", "best-effort", "restricted", "single-numa-node"]));
    let enforce = prop::option::of(prop::sample::select(vec!["pods", "none"]));
    let scope = prop::option::of(prop::sample::select(vec!["container", "pod"]));
    let gates = (prop::option::of(any::<bool>()), prop::option::of(any::<bool>()));
    (options, values, reserved, (topology, scope), any::<bool>(), enforce, gates).prop_map(
        move |(
            options,
            value,
            (system, kube, cpus, cgroup),
            (topology, scope),
            pinned,
            enforce,
            (quota_gate, all_beta),
        )| {
            let mut config = KubeletConfig {
                cgroup_driver: Some("systemd".into()),
                topology_manager_policy: topology.map(str::to_owned),
                topology_manager_scope: scope.map(str::to_owned),
                ..KubeletConfig::default()
            };
            let reserves = system.is_some() || cpus.is_some();
            if pinned && reserves {
                config.cpu_manager_policy = Some("static".into());
                let mut on = Options::default();
                let mut given = BTreeMap::new();
                for option in options {
                    let mut with = on;
                    with.set(option, parse_bool(value).unwrap());
                    let version = release.version();
                    let open = option.gate(version).is_none_or(|gate| gate.open_by_default(version));
                    if option.stage(version).is_some() && open && with.exclusions().next().is_none() {
                        on = with;
                        given.insert(option.name().to_owned(), value.to_owned());
                    }
                }
                config.cpu_manager_policy_options = Some(given).filter(|given| !given.is_empty());
            }
            (config.system_reserved, config.kube_reserved, config.reserved_system_cpus) =
                (system, kube, cpus);
            config.enforce_node_allocatable = enforce.map(|value| vec![value.to_owned()]);
            if cgroup {
                config.system_reserved_cgroup = Some("/system.slice".into());
                config.enforce_node_allocatable = Some(vec!["pods".into(), "system-reserved".into()]);
            }
            let gate = Gate::DisableCPUQuotaWithExclusiveCPUs;
            if let Some(open) = quota_gate.filter(|_| gate.stage(release.version()).is_some()) {
                config.feature_gates.insert(gate.to_string(), open);
            }
            if let Some(open) = all_beta {
                config.feature_gates.insert("AllBeta".into(), open);
            }
            config
        },
    )
}

fn pods() -> impl Strategy<Value = Option<Vec<KnownPod>>> {
    let one = (
        prop::sample::select(vec![QosClass::Guaranteed, QosClass::Burstable, QosClass::BestEffort]),
        prop::sample::select(vec![0, 100, 500, 1000, 1500, 2000, 3000, 4000, 8000, 16000, 64000]),
        prop::option::of((0..100_u64, Just(100_u64))),
        1..=3_usize,
    );
    let some = |(qos, milli, throttled, containers)| {
        let mut pod = pod(qos, milli, throttled);
        pod.containers = vec![pod.containers[0].clone(); containers];
        pod
    };
    prop::option::of(prop::collection::vec(one.prop_map(some), 0..6))
}

fn situations() -> impl Strategy<Value = (Release, Topology, KubeletConfig, Option<Vec<KnownPod>>)> {
    let releases = prop::sample::select(Release::all().collect::<Vec<_>>());
    releases.prop_flat_map(|release| {
        let shape = [1..=4_u32, 1..=4, 1..=3, 1..=8, 1..=2];
        (Just(release), shape.prop_map(machine), configs(release), pods())
    })
}

proptest! {
    #[test]
    fn what_is_recommended_passes_the_check((release, topology, config, pods) in situations()) {
        let before = gating(&config, release, &topology);
        let done = recommend(&Situation { release, topology: &topology, machine: None, config: &config, pods: pods.as_deref() });
        let after = gating(&done.applied(&config), release, &topology);
        let new: Vec<_> = after.difference(&before).collect();
        prop_assert!(new.is_empty(), "{new:?}\n{config:?}\n{:?}", done.changes);
        // From a configuration that passes, one that passes.
        if before.is_empty() {
            prop_assert!(after.is_empty(), "{:?}", after);
        }
    }

    #[test]
    fn what_is_recommended_is_right_as_it_is((release, topology, config, pods) in situations()) {
        let of = |config: &KubeletConfig| {
            recommend(&Situation { release, topology: &topology, machine: None, config, pods: pods.as_deref() })
        };
        let applied = of(&config).applied(&config);
        let again = of(&applied);
        prop_assert!(again.changes.is_empty(), "{:#?}\n{:#?}", applied, again.changes);
        prop_assert_eq!(again, of(&applied));
    }

    #[test]
    fn every_change_changes_something_and_says_why((release, topology, config, pods) in situations()) {
        let done = recommend(&Situation { release, topology: &topology, machine: None, config: &config, pods: pods.as_deref() });
        for change in &done.changes {
            prop_assert_ne!(&change.from, &change.to);
            prop_assert_eq!(&change.field.get(&config), &change.from);
            prop_assert!(!change.reason.to_string().is_empty() && !change.risk.to_string().is_empty());
            prop_assert!(!change.evidence.is_empty(), "{}", change.field);
        }
        let fields: BTreeSet<_> = done.changes.iter().map(|change| change.field.to_string()).collect();
        prop_assert_eq!(fields.len(), done.changes.len());
    }

    #[test]
    fn wherever_devices_interrupt_what_is_recommended_is_right(
        (release, topology, config, pods) in situations(),
        counts in prop::collection::vec(prop::sample::select(vec![0, 20, 300, 90_000_u64]), 0..64),
    ) {
        let machine = interrupted(&topology, &counts);
        let (machine, pods) = (Some(&machine), pods.as_deref());
        let of = |config: &KubeletConfig| recommend(&Situation { release, topology: &topology, machine, config, pods });
        let before = gating(&config, release, &topology);
        let done = of(&config);
        let applied = done.applied(&config);
        let after = gating(&applied, release, &topology);
        prop_assert!(after.is_subset(&before), "{after:?}");
        prop_assert!(of(&applied).changes.is_empty());
        if let Some(list) = sets(&done, Field::ReservedCpus) {
            let cpus: cgtune_core::CpuSet = list.parse().unwrap();
            prop_assert_eq!(topology.whole_cores(&cpus), cpus);
        }
    }

    #[test]
    fn reserved_cpus_are_whole_cores_of_the_machine((release, topology, config, pods) in situations()) {
        let done = recommend(&Situation { release, topology: &topology, machine: None, config: &config, pods: pods.as_deref() });
        if let Some(list) = sets(&done, Field::ReservedCpus) {
            let cpus = list.parse().unwrap();
            prop_assert_eq!(topology.whole_cores(&cpus), cpus);
        }
    }
}

#[test]
fn pods_with_whole_cpus_get_the_static_policy_whole_cores_and_reserved_cores() {
    let topology = machine([2, 1, 1, 4, 2]);
    let pods = [pod(QosClass::Guaranteed, 2000, Some((30, 100)))];
    let done = recommended(&KubeletConfig::default(), &topology, "1.36", Some(&pods));
    assert_eq!(sets(&done, Field::CpuManagerPolicy).as_deref(), Some("static"));
    assert_eq!(sets(&done, Field::ReservedCpus).as_deref(), Some("0,8"));
    assert_eq!(sets(&done, Field::Option(PolicyOption::FullPcpusOnly)).as_deref(), Some("true"));
    assert_eq!(sets(&done, Field::Option(PolicyOption::StrictCpuReservation)).as_deref(), Some("true"));
    assert_eq!(sets(&done, Field::TopologyPolicy).as_deref(), Some("single-numa-node"));
    assert_eq!(done.lacking, []);
    let policy = done.changes.iter().find(|change| change.field == Field::CpuManagerPolicy).unwrap();
    assert_eq!(policy.expected[0], Expected::QuotaGone { nr_periods: 100, nr_throttled: 30 });
    assert!(policy.evidence.contains(&Evidence::Throttled { nr_periods: 100, nr_throttled: 30 }));
}

#[test]
fn what_a_release_lacks_is_said() {
    let topology = machine([1, 1, 2, 4, 2]);
    let pods = [pod(QosClass::Guaranteed, 2000, Some((30, 100)))];
    let old = recommended(&KubeletConfig::default(), &topology, "1.32", Some(&pods));
    let lacks = |done: &Recommendation, option| {
        done.lacking.iter().any(|lack| matches!(lack, Lack::Option { option: o, .. } if *o == option))
    };
    assert!(lacks(&old, PolicyOption::StrictCpuReservation));
    assert!(lacks(&old, PolicyOption::PreferAlignCpusByUncorecache));
    assert!(old.lacking.contains(&Lack::Gate { gate: Gate::DisableCPUQuotaWithExclusiveCPUs }));
    let policy = old.changes.iter().find(|change| change.field == Field::CpuManagerPolicy).unwrap();
    assert!(
        !policy.expected.iter().any(|one| matches!(one, Expected::QuotaGone { .. })),
        "the quota stays, so that nothing is promised"
    );
    let newer = recommended(&KubeletConfig::default(), &topology, "1.33", Some(&pods));
    assert!(!lacks(&newer, PolicyOption::StrictCpuReservation));
    assert!(lacks(&newer, PolicyOption::PreferAlignCpusByUncorecache), "alpha until 1.34");
    assert_eq!(
        newer.lacking[0].to_string(),
        "prefer-align-cpus-by-uncorecache is alpha in this release; from 1.34 on it would be recommended"
    );
}

#[test]
fn the_gate_that_keeps_quotas_on_pinned_containers_is_opened() {
    let topology = machine([1, 1, 1, 8, 2]);
    let gate = Gate::DisableCPUQuotaWithExclusiveCPUs;
    let pods = [pod(QosClass::Guaranteed, 2000, None)];
    let opened = |gates: &[(&str, bool)]| {
        let feature_gates = gates.iter().map(|(name, open)| ((*name).to_owned(), *open)).collect();
        let config = KubeletConfig { feature_gates, ..KubeletConfig::default() };
        let done = recommended(&config, &topology, "1.34", Some(&pods));
        assert!(done.applied(&config).open(gate, release("1.34")), "{gates:?}");
        to(&done, Field::Gate(gate))
    };
    let name = &gate.to_string();
    assert_eq!(opened(&[]), None);
    assert_eq!(opened(&[(name, false)]), Some(None));
    assert_eq!(opened(&[("AllBeta", false)]), Some(Some("true".into())));
    assert_eq!(opened(&[("AllBeta", false), (name, false)]), Some(Some("true".into())));
    assert_eq!(opened(&[("AllBeta", false), (name, true)]), None);
}

#[test]
fn what_is_expected_hangs_on_the_gate_where_that_keeps_the_quota() {
    let topology = machine([1, 1, 1, 8, 2]);
    let pods = [pod(QosClass::Guaranteed, 2000, Some((30, 100)))];
    let gate = Gate::DisableCPUQuotaWithExclusiveCPUs;
    let mut config = KubeletConfig {
        cpu_manager_policy: Some("static".into()),
        reserved_system_cpus: Some("0,8".into()),
        feature_gates: BTreeMap::from([(gate.to_string(), false)]),
        ..KubeletConfig::default()
    };
    let done = recommended(&config, &topology, "1.36", Some(&pods));
    let change = done.changes.iter().find(|change| change.field == Field::Gate(gate)).unwrap();
    assert_eq!(change.expected, [Expected::QuotaGone { nr_periods: 100, nr_throttled: 30 }]);
    assert!(change.evidence.contains(&Evidence::Throttled { nr_periods: 100, nr_throttled: 30 }));
    config.cpu_cfs_quota = Some(false);
    let without = recommended(&config, &topology, "1.36", Some(&pods));
    assert_eq!(to(&without, Field::Gate(gate)), None, "no quota, so that none is taken off");
}

#[test]
fn nothing_is_pinned_on_two_cpus() {
    for shape in [[1, 1, 1, 2, 1], [1, 1, 1, 1, 2], [1, 1, 1, 1, 4]] {
        let topology = machine(shape);
        let pods = [pod(QosClass::Guaranteed, 1000, None)];
        let done = recommended(&KubeletConfig::default(), &topology, "1.36", Some(&pods));
        assert_eq!(done.changes, [], "{shape:?}");
        assert!(matches!(done.remarks[..], [Remark::TooSmall { .. }]), "{shape:?}");
    }
}

#[test]
fn an_odd_count_keeps_whole_cores_out() {
    let topology = machine([1, 1, 1, 8, 2]);
    let pods = [pod(QosClass::Guaranteed, 2000, None), pod(QosClass::Guaranteed, 3000, None)];
    let done = recommended(&KubeletConfig::default(), &topology, "1.36", Some(&pods));
    assert_eq!(to(&done, Field::Option(PolicyOption::FullPcpusOnly)), None);
    let said = |done: &Recommendation| {
        done.remarks.iter().any(|remark| matches!(remark, Remark::OddCount { cpus: 3, threads: 2, .. }))
    };
    assert!(said(&done));
    let options = BTreeMap::from([("full-pcpus-only".to_owned(), "true".to_owned())]);
    let config = KubeletConfig {
        cpu_manager_policy: Some("static".into()),
        cpu_manager_policy_options: Some(options),
        ..KubeletConfig::default()
    };
    let present = recommended(&config, &topology, "1.36", Some(&pods));
    assert_eq!(to(&present, Field::Option(PolicyOption::FullPcpusOnly)), Some(None));
    assert!(!said(&present), "what is taken out is not said to be left out");
}

#[test]
fn the_topology_manager_follows_the_largest_pod() {
    let topology = machine([2, 1, 1, 8, 1]);
    let policy = |milli| {
        let pods = [pod(QosClass::Guaranteed, milli, None)];
        let done = recommended(&KubeletConfig::default(), &topology, "1.36", Some(&pods));
        (
            sets(&done, Field::TopologyPolicy).unwrap(),
            to(&done, Field::Option(PolicyOption::DistributeCpusAcrossNuma)),
        )
    };
    assert_eq!(policy(2000), ("single-numa-node".into(), None));
    assert_eq!(policy(5000), ("restricted".into(), None));
    assert_eq!(policy(10_000), ("best-effort".into(), Some(Some("true".into()))));
    let unknown = recommended(&KubeletConfig::default(), &topology, "1.36", None);
    assert_eq!(sets(&unknown, Field::TopologyPolicy).as_deref(), Some("best-effort"));
    assert!(unknown.remarks.contains(&Remark::PodsUnknown));
    let one_node = recommended(&KubeletConfig::default(), &machine([1, 1, 1, 8, 1]), "1.36", None);
    assert_eq!(to(&one_node, Field::TopologyPolicy), None);
}

/// What is reserved is taken from the first node alone.
#[test]
fn a_container_that_one_node_holds_is_not_refused() {
    let topology = machine([2, 1, 1, 4, 2]);
    let config = |policy: &str| KubeletConfig {
        cpu_manager_policy: Some("static".into()),
        reserved_system_cpus: Some("0,8".into()),
        topology_manager_policy: Some(policy.into()),
        ..KubeletConfig::default()
    };
    let pods = [pod(QosClass::Guaranteed, 8000, None)];
    let single = recommended(&config("single-numa-node"), &topology, "1.36", Some(&pods));
    assert_eq!(to(&single, Field::TopologyPolicy), None);
    assert_eq!(to(&single, Field::Option(PolicyOption::DistributeCpusAcrossNuma)), None);
    let none = recommended(&config("none"), &topology, "1.36", Some(&pods));
    assert_eq!(sets(&none, Field::TopologyPolicy).as_deref(), Some("restricted"));
    let larger = [pod(QosClass::Guaranteed, 10_000, None)];
    let refused = recommended(&config("single-numa-node"), &topology, "1.36", Some(&larger));
    assert_eq!(sets(&refused, Field::TopologyPolicy).as_deref(), Some("best-effort"));
}

#[test]
fn under_the_scope_pod_its_containers_are_counted_together() {
    let topology = machine([2, 1, 1, 8, 1]);
    let policy = |scope: &str, present: &str, roles: [Role; 3]| {
        let mut one = pod(QosClass::Guaranteed, 4000, None);
        let main = one.containers[0].clone();
        one.containers = roles.map(|role| KnownContainer { role, ..main.clone() }).to_vec();
        let config = KubeletConfig {
            topology_manager_scope: Some(scope.into()),
            topology_manager_policy: Some(present.into()),
            ..KubeletConfig::default()
        };
        sets(&recommended(&config, &topology, "1.36", Some(&[one])), Field::TopologyPolicy)
    };
    let apps = [Role::App; 3];
    let first = [Role::Init, Role::Init, Role::App];
    assert_eq!(policy("container", "none", apps).as_deref(), Some("restricted"));
    assert_eq!(policy("pod", "none", apps).as_deref(), Some("best-effort"), "12 of 8");
    assert_eq!(policy("pod", "none", first).as_deref(), Some("restricted"), "init containers pass theirs on");
    assert_eq!(
        policy("pod", "none", [Role::Sidecar, Role::Sidecar, Role::Init]).as_deref(),
        Some("best-effort")
    );
    assert_eq!(policy("pod", "single-numa-node", apps).as_deref(), Some("best-effort"));
    assert_eq!(policy("container", "single-numa-node", apps), None);
}

/// It may be meant for other nodes.
#[test]
fn who_cannot_run_here_has_no_say() {
    let topology = machine([2, 1, 1, 4, 2]);
    let fits = pod(QosClass::Guaranteed, 2000, None);
    let of = |pods: &[KnownPod]| recommended(&KubeletConfig::default(), &topology, "1.36", Some(pods));
    let large = of(&[fits.clone(), pod(QosClass::Guaranteed, 15_000, None)]);
    assert_eq!(large.applied(&KubeletConfig::default()), of(&[fits]).applied(&KubeletConfig::default()));
    assert!(
        matches!(large.remarks[..], [Remark::DoesNotFit { cpus: 15, left: 14, .. }]),
        "{:?}",
        large.remarks
    );
}

/// A pod of so many containers that are pinned to so many CPUs each.
fn together(containers: usize, cpus: u64) -> KnownPod {
    let mut pod = pod(QosClass::Guaranteed, cpus * 1000, None);
    pod.containers = vec![pod.containers[0].clone(); containers];
    pod
}

#[test]
fn containers_of_one_pod_are_placed_together_where_every_pod_fits_a_node() {
    let topology = machine([2, 1, 1, 8, 1]);
    let scope = |pods: &[KnownPod], config: &KubeletConfig| {
        let done = recommended(config, &topology, "1.36", Some(pods));
        (sets(&done, Field::TopologyScope), sets(&done, Field::TopologyPolicy))
    };
    let nothing = KubeletConfig::default();
    let pod = |policy: &str| (Some("pod".to_owned()), Some(policy.to_owned()));
    assert_eq!(scope(&[together(3, 1)], &nothing), pod("single-numa-node"));
    assert_eq!(scope(&[together(2, 3)], &nothing), pod("restricted"), "6 of 7 and 8 are placed as one");
    assert_eq!(scope(&[together(1, 3)], &nothing).0, None, "there is one container");
    assert_eq!(scope(&[together(3, 1), together(3, 3)], &nothing).0, None, "9 of 8");
    assert_eq!(scope(&[together(3, 1), together(1, 9)], &nothing).0, None, "a pod would be divided");
    let chosen =
        KubeletConfig { topology_manager_policy: Some("best-effort".into()), ..KubeletConfig::default() };
    assert_eq!(scope(&[together(2, 3)], &chosen), (Some("pod".into()), None));
    let mut with_init = together(2, 3);
    with_init.containers[0].role = Role::Init;
    assert_eq!(scope(&[with_init], &nothing).0, None, "an init container leaves its CPUs to the next");
}

#[test]
fn nodes_near_each_other_are_preferred_where_some_are_nearer() {
    let topology = machine([4, 1, 1, 4, 1]);
    let node = |node: u32, distances: &[u32]| Node {
        node,
        cpus: topology.in_group(Level::Node, node),
        memory_bytes: None,
        distances: Some(distances.to_vec()),
    };
    let nodes = |far: u32| {
        let rows = [[10, 12, far, far], [12, 10, far, far], [far, far, 10, 12], [far, far, 12, 10]];
        (0..).zip(rows).map(|(number, row)| node(number, &row)).collect()
    };
    let option = Field::TopologyOption(TopologyOption::PreferClosestNumaNodes);
    let pods = [pod(QosClass::Guaranteed, 6000, None)];
    let found = |machine: Option<Machine>, pods: &[KnownPod], config: &KubeletConfig| {
        let machine = machine.as_ref();
        let pods = Some(pods);
        recommend(&Situation { release: release("1.31"), topology: &topology, machine, config, pods })
    };
    let machine = |far| Some(Machine { nodes: nodes(far), ..Machine::default() });
    let nothing = KubeletConfig::default();
    let done = found(machine(32), &pods, &nothing);
    let change = done.changes.iter().find(|change| change.field == option).unwrap();
    assert_eq!(change.evidence, [Evidence::Distances { nodes: 4, nearest: 12, farthest: 32 }]);
    assert_eq!(sets(&found(None, &pods, &nothing), option).as_deref(), Some("true"), "nothing is shown");
    assert_eq!(to(&found(machine(12), &pods, &nothing), option), None, "all are as near");
    let small = [pod(QosClass::Guaranteed, 2000, None)];
    assert_eq!(to(&found(machine(32), &small, &nothing), option), None, "one node holds it");
    let gate = Gate::TopologyManagerPolicyBetaOptions;
    let closed = KubeletConfig {
        feature_gates: BTreeMap::from([(gate.to_string(), false)]),
        ..KubeletConfig::default()
    };
    let done = found(machine(32), &pods, &closed);
    assert_eq!(to(&done, option), None);
    assert!(
        done.remarks.iter().any(|remark| matches!(remark, Remark::GateClosed { gate: g, .. } if *g == gate))
    );
}

/// The machine of a topology, with so many interrupts of devices on its CPUs in ten seconds.
fn interrupted(topology: &Topology, counts: &[u64]) -> Machine {
    let cpus = topology.cpus().iter().zip(counts.iter().copied().chain(std::iter::repeat(0)));
    let cpus = cpus.map(|(&cpu, count)| MachineCpu { interrupts: Some(count), ..MachineCpu::from(cpu) });
    Machine { cpus: cpus.collect(), interrupts_ms: Some(10_000), ..Machine::default() }
}

#[test]
fn cores_that_devices_interrupt_are_the_systems() {
    let topology = machine([1, 1, 1, 4, 2]);
    let pods = [pod(QosClass::Guaranteed, 2000, None)];
    let found = |counts: &[u64], config: &KubeletConfig| {
        let machine = interrupted(&topology, counts);
        let (release, machine, pods) = (release("1.36"), Some(&machine), Some(&pods[..]));
        recommend(&Situation { release, topology: &topology, machine, config, pods })
    };
    let elsewhere = |done: &Recommendation| {
        done.remarks.iter().find_map(|remark| match remark {
            Remark::InterruptsElsewhere { cpus, percent, .. } => Some((cpus.to_string(), *percent)),
            _ => None,
        })
    };
    let nothing = KubeletConfig::default();
    let one = found(&[20, 20, 9000, 0, 900, 0, 60], &nothing);
    assert_eq!(sets(&one, Field::ReservedCpus).as_deref(), Some("2,6"));
    let change = one.changes.iter().find(|change| change.field == Field::ReservedCpus).unwrap();
    assert_eq!(
        change.evidence[1].to_string(),
        "measured: 2,6 take 91 % of the 10000 interrupts of devices, in 10 s"
    );
    assert_eq!(elsewhere(&one), Some(("4".into(), 9)));
    let spread = found(&[1000; 8], &nothing);
    assert_eq!(sets(&spread, Field::ReservedCpus).as_deref(), Some("0,4"), "no core takes more");
    assert_eq!(elsewhere(&spread), Some(("1-3,5-7".into(), 75)));
    let queues = found(&[0, 5000, 5000, 5000], &nothing);
    assert_eq!(sets(&queues, Field::ReservedCpus).as_deref(), Some("0,4"), "one core takes a third");
    let few = found(&[0, 0, 50], &nothing);
    assert_eq!(sets(&few, Field::ReservedCpus).as_deref(), Some("0,4"), "five a second disturb nobody");
    assert_eq!(elsewhere(&few), None);
    let named = KubeletConfig { reserved_system_cpus: Some("0,4".into()), ..KubeletConfig::default() };
    let kept = found(&[0, 0, 9000], &named);
    assert_eq!(to(&kept, Field::ReservedCpus), None, "who names CPUs keeps them");
    assert_eq!(elsewhere(&kept), Some(("2".into(), 100)));
}

#[test]
fn amounts_give_way_to_cpus_unless_a_cgroup_is_enforced() {
    let topology = machine([1, 1, 1, 8, 2]);
    let present = KubeletConfig {
        system_reserved: amounts("1500m"),
        kube_reserved: amounts("1"),
        ..KubeletConfig::default()
    };
    let done = recommended(&present, &topology, "1.36", None);
    assert_eq!(sets(&done, Field::ReservedCpus).as_deref(), Some("0-1,8-9"), "2.5 CPUs are two cores");
    assert_eq!(
        (to(&done, Field::SystemReservedCpu), to(&done, Field::KubeReservedCpu)),
        (Some(None), Some(None))
    );
    assert_eq!(done.applied(&present).system_reserved.unwrap().len(), 1, "memory stays");
    let enforced = KubeletConfig {
        kube_reserved_cgroup: Some("/kubelet.service".into()),
        enforce_node_allocatable: Some(vec!["pods".into(), "kube-reserved".into()]),
        ..present
    };
    let done = recommended(&enforced, &topology, "1.36", None);
    assert_eq!(to(&done, Field::ReservedCpus), None);
    assert_eq!(sets(&done, Field::SystemReservedCpu).as_deref(), Some("3"), "3 and 1 make two cores");
}

#[test]
fn who_is_throttled_and_cannot_be_pinned_is_an_alternative() {
    let topology = machine([1, 1, 1, 8, 2]);
    let pods = [pod(QosClass::Burstable, 500, Some((40, 100))), pod(QosClass::BestEffort, 0, None)];
    let done = recommended(&KubeletConfig::default(), &topology, "1.35", Some(&pods));
    assert_eq!(done.changes, []);
    let fields: Vec<_> = done.alternatives.iter().map(|alternative| alternative.field).collect();
    assert_eq!(fields, [Field::CpuCfsQuotaPeriod, Field::CpuCfsQuota]);
    assert_eq!(done.alternatives[0].to, Given::Text("20ms".into()));
    for (period, offered) in [("100ms", 2), ("50ms", 2), ("20ms", 1), ("10ms", 1)] {
        let config =
            KubeletConfig { cpu_cfs_quota_period: Some(period.parse().unwrap()), ..KubeletConfig::default() };
        let written = recommended(&config, &topology, "1.36", Some(&pods));
        assert_eq!(written.alternatives.len(), offered, "{period}");
    }
    assert_eq!(done.alternatives[0].gate, Some(Gate::CustomCPUCFSQuotaPeriod));
    let newest = recommended(&KubeletConfig::default(), &topology, "1.36", Some(&pods));
    assert_eq!(newest.alternatives[0].gate, None);
    // A whole limit could be pinned, once its pod is Guaranteed.
    let pods = [pod(QosClass::Burstable, 2000, Some((40, 100)))];
    let done = recommended(&KubeletConfig::default(), &topology, "1.36", Some(&pods));
    assert_eq!(sets(&done, Field::CpuManagerPolicy).as_deref(), Some("static"));
    assert!(done.remarks.iter().any(|remark| matches!(remark, Remark::CouldPin { .. })));
    let policy = done.changes.iter().find(|change| change.field == Field::CpuManagerPolicy).unwrap();
    assert_eq!(policy.expected[0], Expected::OnceGuaranteed { nr_periods: 100, nr_throttled: 40 });
    // Two are reserved; nobody has any alone yet.
    assert_eq!(
        policy.expected[1].to_string(),
        "modelled: on a full node all share 14 CPUs, without it 16 CPUs"
    );
}

#[test]
fn pods_that_gain_nothing_change_nothing() {
    let topology = machine([1, 1, 1, 8, 2]);
    let pods = [pod(QosClass::Guaranteed, 500, None), pod(QosClass::Burstable, 2000, None)];
    let done = recommended(&KubeletConfig::default(), &topology, "1.36", Some(&pods));
    assert_eq!((done.changes.len(), done.alternatives.len()), (0, 0));
    assert_eq!(done.remarks, [Remark::NobodyToPin { pods: 2, present: false }]);
}

#[test]
fn pods_are_held_to_what_is_not_reserved() {
    let topology = machine([1, 1, 1, 2, 1]);
    let config =
        KubeletConfig { enforce_node_allocatable: Some(vec!["none".into()]), ..KubeletConfig::default() };
    let done = recommended(&config, &topology, "1.36", Some(&[]));
    assert_eq!(sets(&done, Field::Enforce).as_deref(), Some("[pods]"));
}
