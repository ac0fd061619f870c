//! Laws of what changes do to known pods: the same as placing the same pods on the same node, one after the other.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod topologies;

use std::time::{Duration, Instant};

use cgtune_core::{
    CpuSet, MilliCpu, Topology,
    assign::place::Node,
    convert::{
        pod::{Container, Pod, Resources, Role},
        resources::ResourceList,
    },
    kubelet::{
        KubeletConfig, PolicyOption, Release,
        config::CpuManagerPolicy,
        recommend::{
            Change, Divided, Effect, Expected, Field, Filled, KnownPod, MOST_CONTAINERS, MOST_PODS,
            Recommendation, Situation, recommend,
        },
        topology_manager::TopologyOption,
    },
    topology::{Cpu, Level, Machine, Node as MachineNode},
};
use proptest::{collection, prelude::*, sample::select};
use topologies::random;

fn container(name: String, role: Role, milli: u64, guaranteed: bool) -> Container {
    let mut requests = ResourceList::of_cpu(MilliCpu::new(milli).into());
    requests.others.insert("memory".to_owned(), "1G".parse().unwrap());
    let mut limits = requests.clone();
    if !guaranteed {
        limits.cpu = None;
    }
    Container { name, role, resources: Resources { requests, limits }, status: None }
}

fn pod(containers: &[(Role, u64)], guaranteed: bool) -> Pod {
    let named = containers.iter().enumerate();
    let containers = named.map(|(at, &(role, milli))| container(format!("c{at}"), role, milli, guaranteed));
    Pod { containers: containers.collect(), ..Pod::default() }
}

fn guaranteed(cpus: &[u64]) -> Pod {
    pod(&cpus.iter().map(|cpus| (Role::App, cpus * 1000)).collect::<Vec<_>>(), true)
}

fn known(pods: &[Pod]) -> Vec<KnownPod> {
    pods.iter().enumerate().map(|(at, pod)| KnownPod::of(format!("shop/p{at}"), pod)).collect()
}

fn done(topology: &Topology, config: &KubeletConfig, pods: &[KnownPod]) -> Recommendation {
    recommend(&Situation { release: Release::NEWEST, topology, machine: None, config, pods: Some(pods) })
}

fn effect(change: &Change) -> Option<&Effect> {
    change.expected.iter().find_map(|expected| match expected {
        Expected::Places(effect) => Some(effect.as_ref()),
        _ => None,
    })
}

fn of(done: &Recommendation, field: Field) -> &Effect {
    effect(done.changes.iter().find(|change| change.field == field).unwrap()).unwrap()
}

/// Two nodes of four cores of two threads; siblings are eight apart.
fn two_nodes() -> Topology {
    let cpu = |cpu: u32| Cpu { cpu, core: cpu % 8, socket: cpu % 8 / 4, node: cpu % 8 / 4, uncore: None };
    Topology::new((0..16).map(cpu)).unwrap()
}

/// Pods as they are in a manifest, placed in turns as `kubelet simulate` would place them. `None`: the kubelet would not start.
fn simulated(topology: &Topology, config: &KubeletConfig, pods: &[Pod]) -> Option<Filled> {
    let mut node = Node::of(topology, None, &config.effective(Release::NEWEST)).ok()?;
    let whole =
        |container: &Container| container.resources.requests.cpu.unwrap().milli().get().is_multiple_of(1000);
    let is_guaranteed = |pod: &Pod| pod.containers.iter().all(|one| one.resources.limits.cpu.is_some());
    let mut waiting: Vec<&Pod> =
        pods.iter().filter(|pod| is_guaranteed(pod) && pod.containers.iter().any(whole)).collect();
    let (mut count, mut apart) = (0, 0);
    let mut held: Vec<CpuSet> = Vec::new();
    while !waiting.is_empty() && count < MOST_PODS {
        waiting.retain(|pod| match node.place(&count.to_string(), pod) {
            Ok(placed) => {
                count += 1;
                // Those that stay: an init container has ended, though its CPUs are kept.
                let stays = placed.seats.into_iter().filter(|seat| seat.role != Role::Init);
                let sets: Vec<CpuSet> = stays.filter_map(|seat| seat.exclusive).collect();
                let nodes = |cpus: &CpuSet| topology.groups_of(Level::Node, cpus);
                let mut nodes: Vec<u32> = sets.iter().flat_map(nodes).collect();
                nodes.sort_unstable();
                nodes.dedup();
                apart += usize::from(sets.len() > 1 && nodes.len() > 1);
                held.extend(sets);
                true
            }
            Err(_) => false,
        });
    }
    let several = |level| held.iter().filter(|cpus| topology.groups_of(level, cpus).len() > 1).count();
    let siblings = |cpu: u32| topology.whole_cores(&[cpu].into_iter().collect());
    let own = |cpus: &&CpuSet| cpus.iter().all(|cpu| siblings(cpu).is_subset(cpus));
    let shared = node.shared();
    let reserved = node.policy.as_ref().map(|policy| policy.reserved().intersection(&shared));
    let nodes = topology.count(Level::Node);
    let caches = topology.count(Level::Uncore) > nodes.max(topology.count(Level::Socket));
    let threads = topology.count(Level::Core) < topology.cpus().len();
    Some(Filled {
        pods: count,
        alone: held.len(),
        on_shared_cores: threads.then(|| held.len() - held.iter().filter(own).count()),
        on_several_nodes: (nodes > 1).then(|| several(Level::Node)),
        on_several_caches: caches.then(|| several(Level::Uncore)),
        pods_on_several_nodes: (nodes > 1).then_some(apart),
        divided: None,
        farthest: None,
        refused: Vec::new(),
        shared,
        shared_reserved: reserved.unwrap_or_default(),
        bounded: false,
    })
}

/// What both know: the simulated one has no names.
fn alike(filled: &Filled) -> Filled {
    Filled { divided: None, farthest: None, refused: Vec::new(), bounded: false, ..filled.clone() }
}

fn pods() -> impl Strategy<Value = Vec<Pod>> {
    let role = select(vec![Role::App, Role::App, Role::App, Role::Init, Role::Sidecar]);
    let milli = prop_oneof![4 => (1_u64..=6).prop_map(|cpus| cpus * 1000), 1 => 1_u64..4000];
    let containers = collection::vec((role, milli), 1..4);
    collection::vec((containers, prop::bool::weighted(0.8)), 0..5)
        .prop_map(|all| all.into_iter().map(|(containers, whole)| pod(&containers, whole)).collect())
}

fn configs() -> impl Strategy<Value = KubeletConfig> {
    let policy = prop::option::of(select(vec!["none", "best-effort", "restricted", "single-numa-node"]));
    let scope = prop::option::of(select(vec!["container", "pod"]));
    let reserved = prop::option::of(select(vec!["0", "0-1", "3"]));
    (policy, scope, reserved, any::<bool>()).prop_map(|(policy, scope, reserved, pins)| KubeletConfig {
        topology_manager_policy: policy.map(str::to_owned),
        topology_manager_scope: scope.map(str::to_owned),
        cpu_manager_policy: (pins && reserved.is_some()).then(|| "static".to_owned()),
        reserved_system_cpus: reserved.map(str::to_owned),
        ..KubeletConfig::default()
    })
}

proptest! {
    #[test]
    fn an_effect_is_what_placing_the_same_pods_gives(
        topology in random::topology(2, 2, 3),
        config in configs(),
        pods in pods(),
    ) {
        let done = done(&topology, &config, &known(&pods));
        let Some(modelled) = &done.modelled else {
            prop_assert!(done.changes.iter().all(|change| effect(change).is_none()));
            return Ok(());
        };
        let applied = done.applied(&config);
        prop_assert_eq!(Some(alike(&modelled.after)), simulated(&topology, &applied, &pods));
        prop_assert_eq!(modelled.today.as_ref().map(alike), simulated(&topology, &config, &pods));
        for change in &done.changes {
            let Some(effect) = effect(change) else { continue };
            prop_assert_eq!(&effect.with, &modelled.after);
            let without = done.applied_without(&config, change.field);
            let expected = if without.effective(Release::NEWEST).cpu_manager_policy == CpuManagerPolicy::Static
                && without.effective(Release::NEWEST).reserved_cpus() == 0
            {
                None
            } else {
                simulated(&topology, &without, &pods)
            };
            prop_assert_eq!(effect.without.as_ref().map(alike), expected);
            prop_assert!(effect.to_string().starts_with("modelled: "));
        }
    }
}

#[test]
fn the_static_policy_gives_cpus_that_nobody_has_without_it() {
    let pods = known(&[guaranteed(&[2])]);
    let done = done(&two_nodes(), &KubeletConfig::default(), &pods);
    let effect = of(&done, Field::CpuManagerPolicy);
    assert_eq!((effect.with.alone, effect.without.as_ref().unwrap().alone), (7, 0));
    assert_eq!(
        effect.to_string(),
        "modelled: on a full node 7 containers have CPUs alone, without it none; all others share no CPU, without it 16 CPUs"
    );
}

#[test]
fn whole_cores_make_no_difference_to_pods_that_ask_for_them() {
    let pods = known(&[guaranteed(&[2]), guaranteed(&[4])]);
    let done = done(&two_nodes(), &KubeletConfig::default(), &pods);
    let effect = of(&done, Field::Option(PolicyOption::FullPcpusOnly));
    assert_eq!(
        effect.to_string(),
        "modelled: no difference on a full node with these pods: 0 of 5 containers share a core with others either way"
    );
}

#[test]
fn a_topology_manager_keeps_containers_on_one_node() {
    // 6 and 8 CPUs: the second one is divided, unless it is refused.
    let pods = known(&[guaranteed(&[4])]);
    let done = done(&two_nodes(), &KubeletConfig::default(), &pods);
    let effect = of(&done, Field::TopologyPolicy);
    let without = effect.without.as_ref().unwrap();
    assert_eq!(effect.with.on_several_nodes, Some(0));
    assert!(without.on_several_nodes > Some(0), "{without:?}");
    assert!(without.divided.as_ref().is_some_and(|Divided { cpus, .. }| cpus == &[2, 2]), "{without:?}");
}

/// Four caches of four CPUs, the first of which has three to give.
#[test]
fn containers_are_kept_on_one_cache() {
    let cpu = |cpu: u32| Cpu { cpu, core: cpu, socket: 0, node: 0, uncore: Some(cpu / 4) };
    let topology = Topology::new((0..16).map(cpu)).unwrap();
    let done = done(&topology, &KubeletConfig::default(), &known(&[guaranteed(&[2])]));
    let effect = of(&done, Field::Option(PolicyOption::PreferAlignCpusByUncorecache));
    assert_eq!(
        effect.to_string(),
        "modelled: on a full node 0 of 7 lie on several last-level caches, without it 3 of 7"
    );
}

/// One node has room for seven, the other one for six.
#[test]
fn whom_the_kubelet_refuses_though_the_scheduler_sends_it_is_said() {
    let done = done(&two_nodes(), &KubeletConfig::default(), &known(&[guaranteed(&[7])]));
    let effect = of(&done, Field::TopologyPolicy);
    let refused = &effect.with.refused[0];
    assert_eq!((refused.reason, refused.left_milli.get()), ("TopologyAffinityError", 7000));
    let said = "1 pod fits, without it 2; then shop/p0 is refused (TopologyAffinityError) with 7 CPU left to request; ";
    assert!(effect.to_string().contains(said), "{effect}");
}

#[test]
fn under_the_scope_pod_its_containers_lie_on_one_node() {
    let done = done(&two_nodes(), &KubeletConfig::default(), &known(&[guaranteed(&[2, 2])]));
    assert_eq!(
        of(&done, Field::TopologyScope).to_string(),
        "modelled: on a full node 0 of 3 pods have containers on different NUMA nodes, without it 1 of 3"
    );
}

/// Four nodes of four CPUs, of which the first and the third lie near each other, and the second and the fourth.
#[test]
fn the_nearer_nodes_are_taken_where_the_machine_shows_which() {
    let cpu = |cpu: u32| Cpu { cpu, core: cpu, socket: cpu / 4, node: cpu / 4, uncore: None };
    let topology = Topology::new((0..16).map(cpu)).unwrap();
    let rows = [[10, 32, 12, 32], [32, 10, 32, 12], [12, 32, 10, 32], [32, 12, 32, 10]];
    let nodes = (0..).zip(rows).map(|(node, row)| MachineNode {
        node,
        cpus: topology.in_group(Level::Node, node),
        memory_bytes: None,
        distances: Some(row.to_vec()),
    });
    let machine = Machine { nodes: nodes.collect(), ..Machine::default() };
    let (config, pods) = (KubeletConfig::default(), known(&[guaranteed(&[6])]));
    let done = |machine| {
        let (release, pods) = (Release::NEWEST, Some(&pods[..]));
        recommend(&Situation { release, topology: &topology, machine, config: &config, pods })
    };
    let field = Field::TopologyOption(TopologyOption::PreferClosestNumaNodes);
    let shown = done(Some(&machine));
    assert_eq!(
        of(&shown, field).to_string(),
        "modelled: on a full node nodes of one container are 12 apart at most, without it 32"
    );
    let hidden = done(None);
    let change = hidden.changes.iter().find(|change| change.field == field).unwrap();
    assert!(change.expected.is_empty(), "{:?}", change.expected);
}

#[test]
fn without_reserved_cpus_the_kubelet_does_not_start() {
    let done = done(&two_nodes(), &KubeletConfig::default(), &known(&[guaranteed(&[2])]));
    let effect = of(&done, Field::ReservedCpus);
    assert_eq!(effect.without, None);
    assert!(effect.to_string().contains("does not start"), "{effect}");
}

/// 8 sockets of 64 cores of 2 threads, the smallest pods, and as many of them as come.
#[test]
fn a_large_machine_takes_no_longer_than_its_bound() {
    let cpu = |cpu: u32| Cpu {
        cpu,
        core: cpu % 512,
        socket: cpu % 512 / 64,
        node: cpu % 512 / 64,
        uncore: Some(cpu % 512 / 8 * 8),
    };
    let topology = Topology::new((0..1024).map(cpu)).unwrap();
    let pods: Vec<Pod> = (0..200).map(|_| guaranteed(&[2])).collect();
    let begin = Instant::now();
    let done = done(&topology, &KubeletConfig::default(), &known(&pods));
    let took = begin.elapsed();
    let after = &done.modelled.unwrap().after;
    assert_eq!((after.pods, after.bounded), (MOST_PODS, true));
    // Half a second where it is optimised, which a test is not.
    assert!(took < Duration::from_secs(20), "{took:?}");
    let crowded = guaranteed(&[1; MOST_CONTAINERS / 2]);
    let done = self::done(&topology, &KubeletConfig::default(), &known(&[crowded]));
    assert!(done.modelled.unwrap().after.alone <= MOST_CONTAINERS);
}
