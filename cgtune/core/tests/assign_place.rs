//! Pods on a node: what holds whoever comes, and what the topology manager decides.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod topologies;

use std::{collections::BTreeMap, num::NonZeroUsize};

use cgtune_core::{
    CpuSet, MilliCpu, Topology,
    assign::{
        Uncore,
        hints::Misplaced,
        place::{Node, Unplaced},
        policy::{NoPolicy, Reserve, State, Static},
    },
    convert::{
        pod::{Container, Pod, Resources, Role},
        resources::ResourceList,
    },
    kubelet::{
        Options, PolicyOption,
        topology_manager::{TopologyPolicy as Manager, TopologyScope as Scope},
    },
    topology::{Cpu, Level},
};
use proptest::{collection, prelude::*, sample::select};
use topologies::random;

fn container(name: &str, role: Role, milli: u64, guaranteed: bool) -> Container {
    let mut requests = ResourceList::of_cpu(MilliCpu::new(milli).into());
    requests.others.insert("memory".to_owned(), "1G".parse().unwrap());
    let mut limits = requests.clone();
    if !guaranteed {
        limits.cpu = None;
    }
    let resources = Resources { requests, limits };
    Container { name: name.to_owned(), role, resources, status: None }
}

fn pod(containers: &[(Role, u64)], guaranteed: bool) -> Pod {
    let named = containers.iter().enumerate();
    let containers =
        named.map(|(at, &(role, milli))| container(&format!("c{at}"), role, milli, guaranteed)).collect();
    Pod { containers, ..Pod::default() }
}

fn node<'t>(topology: &'t Topology, policy: Option<Static<'t>>, manager: Manager, scope: Scope) -> Node<'t> {
    let reserved = policy.as_ref().map_or(0, |policy| policy.reserved().len());
    let state = policy.as_ref().map(|policy| policy.start(State::default()).unwrap()).unwrap_or_default();
    let allocatable = MilliCpu::new(((topology.cpus().len() - reserved) * 1000) as u64);
    Node {
        cpus: topology.all(),
        policy,
        manager,
        scope,
        distances: None,
        allocatable,
        requested: MilliCpu::ZERO,
        state,
    }
}

/// Two sockets of two cores of two threads, a node each: CPUs 0, 1, 4, 5 on node 0.
fn two_nodes() -> Topology {
    let cpu = |cpu: u32| Cpu { cpu, core: cpu % 4, socket: cpu % 4 / 2, node: cpu % 4 / 2, uncore: None };
    Topology::new((0..8).map(cpu)).unwrap()
}

fn static_policy(topology: &Topology, options: Options) -> Static<'_> {
    Static::new(topology, Reserve { count: 1, list: None }, options, Uncore::AnyCount, false).unwrap()
}

#[test]
fn only_whole_guaranteed_requests_are_exclusive() {
    let topology = two_nodes();
    let mut node =
        node(&topology, Some(static_policy(&topology, Options::default())), Manager::None, Scope::Container);
    let exclusive = |node: &mut Node<'_>, id: &str, pod: &Pod| -> Vec<Option<String>> {
        let placed = node.place(id, pod).unwrap();
        placed.seats.into_iter().map(|seat| seat.exclusive.map(|cpus| cpus.to_string())).collect()
    };
    let mixed = pod(&[(Role::App, 2000), (Role::App, 500)], true);
    assert_eq!(exclusive(&mut node, "mixed", &mixed), [Some("1,5".to_owned()), None]);
    assert_eq!(exclusive(&mut node, "burstable", &pod(&[(Role::App, 2000)], false)), [None]);
    assert_eq!(node.shared().to_string(), "0,2-4,6-7");
}

/// The state files of two nodes that were published with kubernetes#112228 and #112229: CPU 0 reserved, and whole cores for the
/// main container before what the init container had.
#[test]
fn what_an_init_container_had_is_nobody_elses_while_its_pod_is_there() {
    let on = |cores: u32, pods: usize| {
        let cpu = |cpu: u32| Cpu { cpu, core: cpu % cores, socket: 0, node: 0, uncore: None };
        let topology = Topology::new((0..2 * cores).map(cpu)).unwrap();
        let reserve = Reserve { count: 1, list: Some("0".parse().unwrap()) };
        let policy = Static::new(&topology, reserve, Options::default(), Uncore::AnyCount, false).unwrap();
        let mut node = node(&topology, Some(policy), Manager::None, Scope::Container);
        let with_init = pod(&[(Role::Init, 1000), (Role::App, 2000)], true);
        let mut seats = Vec::new();
        for at in 0..pods {
            let placed = node.place(&format!("pod{at}"), &with_init).unwrap();
            let seat = |at: usize| placed.seats[at].exclusive.as_ref().unwrap().to_string();
            seats.push((seat(0), seat(1), placed.seats[0].left_over.to_string()));
        }
        let last = node.clone().place("last", &pod(&[(Role::App, 1000)], true));
        (node.shared().to_string(), seats, last.map(|_| ()).map_err(|refused| refused.to_string()))
    };
    let seat =
        |init: &str, main: &str, left_over: &str| (init.to_owned(), main.to_owned(), left_over.to_owned());
    let (shared, seats, last) = on(4, 3);
    assert_eq!(seats, [seat("4", "1,5", "4"), seat("2", "2,6", ""), seat("3", "3,7", "")]);
    assert_eq!(shared, "0");
    assert!(last.unwrap_err().contains("not enough cpus"), "though no more is requested than may be");
    let (shared, seats, last) = on(30, 1);
    assert_eq!((shared.as_str(), &seats[..]), ("0,2-29,32-59", &[seat("30", "1,31", "30")][..]));
    assert_eq!(last, Ok(()));
}

#[test]
fn a_pod_that_is_refused_leaves_nothing_behind() {
    let topology = two_nodes();
    let options = Options { full_pcpus_only: true, ..Options::default() };
    let mut node = node(&topology, Some(static_policy(&topology, options)), Manager::None, Scope::Container);
    let before = node.state.clone();
    let refused = node.place("p", &pod(&[(Role::App, 2000), (Role::App, 1000)], true)).unwrap_err();
    assert!(
        refused.to_string().starts_with("container c1: SMT Alignment Error: requested 1 cpus"),
        "{refused}"
    );
    assert_eq!((node.state, node.requested), (before, MilliCpu::ZERO));
}

#[test]
fn more_than_is_left_is_refused_before_any_cpu_is_chosen() {
    let topology = two_nodes();
    let mut node = node(&topology, None, Manager::None, Scope::Container);
    node.place("one", &pod(&[(Role::App, 7500)], false)).unwrap();
    let refused = node.place("two", &pod(&[(Role::App, 501)], false)).unwrap_err();
    assert!(matches!(refused, Unplaced::OutOfCpu { .. }), "{refused}");
    assert_eq!(node.shared().to_string(), "0-7");
}

#[test]
fn the_topology_manager_keeps_pods_on_one_node_or_out() {
    let topology = two_nodes();
    // Node 0 has the reserved CPU: of its four CPUs three are left.
    let place = |manager: Manager, scope: Scope, containers: &[(Role, u64)]| -> Result<Vec<String>, String> {
        let policy = static_policy(&topology, Options::default());
        let placed = node(&topology, Some(policy), manager, scope).place("p", &pod(containers, true));
        let seats = placed.map_err(|error| error.to_string())?.seats;
        Ok(seats.into_iter().map(|seat| seat.exclusive.unwrap().to_string()).collect())
    };
    let app = |milli| (Role::App, milli);
    assert_eq!(place(Manager::None, Scope::Container, &[app(4000)]), Ok(vec!["2-3,6-7".to_owned()]));
    assert_eq!(place(Manager::SingleNumaNode, Scope::Container, &[app(3000)]), Ok(vec!["1,4-5".to_owned()]));
    for manager in [Manager::Restricted, Manager::SingleNumaNode] {
        let refused = place(manager, Scope::Container, &[app(5000)]);
        match manager {
            // Five CPUs need both nodes on an empty machine, too: that is preferred.
            Manager::Restricted => assert_eq!(refused.unwrap().len(), 1),
            _ => assert!(refused.unwrap_err().contains("container c0: TopologyAffinityError")),
        }
    }
    // Two containers of two CPUs fit two nodes; as one pod they need a whole node.
    let two = [app(2000), app(2000)];
    assert_eq!(
        place(Manager::SingleNumaNode, Scope::Container, &two),
        Ok(vec!["1,5".to_owned(), "2,6".to_owned()])
    );
    assert_eq!(
        place(Manager::SingleNumaNode, Scope::Pod, &two),
        Ok(vec!["2,6".to_owned(), "3,7".to_owned()])
    );
    let whole = place(Manager::SingleNumaNode, Scope::Pod, &[app(2000), app(3000)]).unwrap_err();
    assert!(whole.starts_with("TopologyAffinityError"), "{whole}");
}

#[test]
fn of_as_many_nodes_the_lower_bit_mask_comes_first() {
    // Four nodes of one CPU; 1 is reserved: of the pairs {0,2}, {0,3}, {2,3} the first is the lowest mask.
    let cpu = |cpu: u32| Cpu { cpu, core: cpu, socket: 0, node: cpu, uncore: None };
    let topology = Topology::new((0..4).map(cpu)).unwrap();
    let reserve = Reserve { count: 1, list: Some("1".parse().unwrap()) };
    let policy = Static::new(&topology, reserve, Options::default(), Uncore::Ignored, false).unwrap();
    let mut node = node(&topology, Some(policy), Manager::BestEffort, Scope::Container);
    let placed = node.place("p", &pod(&[(Role::App, 2000)], true)).unwrap();
    assert_eq!(placed.seats[0].exclusive.as_ref().unwrap().to_string(), "0,2");
}

/// Any options, with what excludes what left to the policy.
fn options() -> impl Strategy<Value = Options> {
    collection::vec(prop::bool::weighted(0.3), 6).prop_map(|on| {
        let mut options = Options::default();
        PolicyOption::ALL.into_iter().zip(on).for_each(|(option, on)| options.set(option, on));
        options
    })
}

/// Pods as they come: some shared, some whole, some with init containers and sidecars.
fn pods() -> impl Strategy<Value = Vec<Pod>> {
    let role = select(vec![Role::App, Role::App, Role::App, Role::Init, Role::Sidecar]);
    let milli = prop_oneof![4 => (1_u64..=6).prop_map(|cpus| cpus * 1000), 1 => 1_u64..4000];
    let containers = collection::vec((role, milli), 1..4);
    collection::vec((containers, prop::bool::weighted(0.8)), 0..8).prop_map(|all| {
        all.into_iter().map(|(containers, guaranteed)| pod(&containers, guaranteed)).collect()
    })
}

proptest! {
    #[test]
    fn whoever_comes_the_cpus_are_divided_without_rest_or_overlap(
        topology in random::topology(2, 2, 3),
        reserved in 0..4_usize,
        options in options(),
        manager in select(vec![Manager::None, Manager::BestEffort, Manager::Restricted, Manager::SingleNumaNode]),
        scope in select(vec![Scope::Container, Scope::Pod]),
        pods in pods(),
    ) {
        let single = manager == Manager::SingleNumaNode;
        let reserve = Reserve { count: reserved, list: None };
        let policy = match Static::new(&topology, reserve, options, Uncore::AnyCount, single) {
            Ok(policy) => policy,
            Err(NoPolicy::Size { .. }) => {
                prop_assert!(reserved > topology.cpus().len());
                return Ok(());
            }
            Err(_) => return Ok(()),
        };
        let reserved = policy.reserved().clone();
        let strict = options.strict_cpu_reservation;
        let per_core = NonZeroUsize::new(topology.per_group(Level::Core)).unwrap();
        // A pool that is empty from the start is no state that a kubelet has.
        prop_assume!(!strict || reserved.len() < topology.cpus().len());
        let mut node = node(&topology, Some(policy), manager, scope);
        for (at, pod) in pods.iter().enumerate() {
            let before = node.state.clone();
            let placed = node.place(&format!("pod{at}"), pod);
            match &placed {
                Err(_) => prop_assert_eq!(&node.state, &before),
                Ok(placed) => for seat in &placed.seats {
                    let container = pod.containers.iter().find(|container| container.name == seat.container).unwrap();
                    let milli = container.resources.requests.cpu.unwrap().milli().get();
                    if let Some(cpus) = &seat.exclusive {
                        prop_assert_eq!(cpus.len() as u64 * 1000, milli);
                        prop_assert!(cpus.intersection(&reserved).is_empty());
                        prop_assert!(!options.full_pcpus_only || cpus.len().is_multiple_of(per_core.get()));
                    }
                },
            }
            let mut all = node.shared();
            let mut count = all.len();
            // Containers of one pod may have had CPUs one after the other.
            let mut pods: BTreeMap<&str, CpuSet> = BTreeMap::new();
            for (holder, cpus) in &node.state.assignments {
                let of_pod = pods.entry(&holder.pod).or_default();
                *of_pod = of_pod.union(cpus);
            }
            for cpus in pods.values() {
                all = all.union(cpus);
                count += cpus.len();
            }
            if let Ok(placed) = &placed {
                let kept = placed.seats.iter().filter(|seat| seat.role != Role::Init);
                let sum: usize = kept.filter_map(|seat| seat.exclusive.as_ref()).map(CpuSet::len).sum();
                let left_over: usize = placed.seats.iter().map(|seat| seat.left_over.len()).sum();
                let id = format!("pod{at}");
                prop_assert_eq!(pods.get(id.as_str()).map_or(0, CpuSet::len), sum + left_over);
            }
            let expected = if strict { topology.all().difference(&reserved) } else { topology.all().clone() };
            prop_assert_eq!(&all, &expected);
            prop_assert_eq!(count, all.len(), "nobody's CPU is anybody else's");
            prop_assert!(strict || reserved.is_subset(&node.shared()));
        }
    }
}

#[test]
fn nodes_that_follow_each_other_are_said_as_a_range() {
    let said = |best: &[u32]| {
        let manager = Manager::Restricted;
        Misplaced::Affinity { manager, needed: 3, best: Some(best.to_vec()) }.to_string()
    };
    assert!(
        said(&[1, 2, 3, 8]).ends_with("3 CPUs would lie on NUMA nodes 1-3,8)"),
        "{}",
        said(&[1, 2, 3, 8])
    );
    assert!(said(&[2]).ends_with("would lie on NUMA node 2)"), "{}", said(&[2]));
}

#[test]
fn a_node_without_the_static_policy_shares_everything() {
    let topology = two_nodes();
    let mut node = node(&topology, None, Manager::SingleNumaNode, Scope::Pod);
    let placed = node.place("p", &pod(&[(Role::App, 2000)], true)).unwrap();
    assert_eq!(placed.seats[0].exclusive, None::<CpuSet>);
}
