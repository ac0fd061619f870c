//! What a change does to the known pods, by the model of the kubelet ([`Node`]): an empty node of the machine's shape is filled with copies of
//! those that have pinned containers, with all changes, and once more with all but the one ([`Effect`]).
//!
//! Pods come in turns, in the order in which they are known, a copy of each, and one that was refused does not come again. So the same is
//! asked of every configuration, and what differs is the change's. Nothing is said of devices and memory, nor of the order in which pods
//! come to a real node. Pods without a pinned container have no say: they move nobody.
//!
//! The cost is bounded: [`MOST_PODS`] pods with [`MOST_CONTAINERS`] pinned containers come to a node at most, and no machine of more
//! than [`MOST_CPUS`] CPUs is filled, nor of more than [`MAX_NUMA_NODES`] NUMA nodes, of whose combinations the topology manager looks at all.

use serde::Serialize;

use super::{Change, Expected, Field, KnownPod, Recommendation, Situation};
use crate::{
    CpuSet, MilliCpu, Topology,
    assign::{
        place::{Arrival, Node, Unplaced},
        policy::NoPolicy,
    },
    convert::pod::Role,
    kubelet::{
        config::{Effective, KubeletConfig},
        topology_manager::{MAX_NUMA_NODES, TopologyOption},
    },
    topology::{Distances, Level, Machine},
};

/// Most pods on a node: as many as a kubelet takes by default (`maxPods`, pkg/kubelet/apis/config/v1beta1/defaults.go). Of more kinds of pods
/// only so many come.
pub const MOST_PODS: usize = 110;
/// Most pinned containers that come to a node, init containers counted.
pub const MOST_CONTAINERS: usize = 1000;
/// Most CPUs of a machine: as many as Linux can be built for on x86 (`NR_CPUS_RANGE_END`, arch/x86/Kconfig, 6.12).
pub const MOST_CPUS: usize = 8192;

/// A change's effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// Which field.
    pub field: Field,
    /// The node with all changes.
    pub with: Filled,
    /// The node with all changes but this one and those that need it. `None`: its kubelet would not start.
    pub without: Option<Filled>,
}

/// The same for all changes together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Modelled {
    /// How many pods are known that have a pinned container: those that copies are made of.
    pub known_pods: usize,
    /// The node as it is configured today. `None`: its kubelet would not start.
    pub today: Option<Filled>,
    /// The node with all changes.
    pub after: Filled,
}

/// What a node holds when nobody else fits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Filled {
    /// Pods that came in.
    pub pods: usize,
    /// Containers with CPUs alone.
    pub alone: usize,
    /// Of these: whose cores are not all theirs, so that another container, the shared pool or the system runs on a sibling. `None`: cores
    /// have one thread.
    pub on_shared_cores: Option<usize>,
    /// Of these: with CPUs of several NUMA nodes. `None`: there is one.
    pub on_several_nodes: Option<usize>,
    /// Of these: with CPUs of several last-level caches. `None`: a NUMA node has no more than one.
    pub on_several_caches: Option<usize>,
    /// Pods of several containers with CPUs alone that do not all lie on one NUMA node. `None`: there is one node.
    pub pods_on_several_nodes: Option<usize>,
    /// How the first container on several nodes is divided.
    pub divided: Option<Divided>,
    /// How far the farthest two nodes of a container are apart. `None`: no container is on several, or the machine does not show it.
    pub farthest: Option<u32>,
    /// Pods that the kubelet refused, though less was requested than may be: the scheduler would have sent them.
    pub refused: Vec<Refused>,
    /// CPUs that all others share.
    pub shared: CpuSet,
    /// Those of them that are reserved.
    pub shared_reserved: CpuSet,
    /// Whether more might fit: [`MOST_PODS`] or [`MOST_CONTAINERS`] ended it.
    pub bounded: bool,
}

/// A container's CPUs on each node that it has some of, in the order of the nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Divided {
    /// The container, with its pod.
    pub container: String,
    /// How many there are on each.
    pub cpus: Vec<usize>,
}

/// A known pod that did not come in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// Its name.
    pub pod: String,
    /// The reason in its status.
    pub reason: &'static str,
    /// What could still be requested.
    pub left_milli: MilliCpu,
}

/// Says of each change what it does; nothing where the pods are not known, or the machine is too large.
pub(super) fn model(situation: &Situation<'_>, done: &mut Recommendation) {
    let Some(pods) = situation.pods else { return };
    let fill = |config: &KubeletConfig| Filling::of(situation, config).map(|filling| filling.fill(pods));
    let apart = situation.machine.and_then(Machine::distances).is_some();
    let places = |change: &Change| match change.field {
        Field::TopologyOption(TopologyOption::PreferClosestNumaNodes) => apart,
        field => decides_places(field),
    };
    let topology = situation.topology;
    let large = topology.count(Level::Node) > MAX_NUMA_NODES || topology.cpus().len() > MOST_CPUS;
    if large || !done.changes.iter().any(places) {
        return;
    }
    let Ok(after) = fill(&done.applied(situation.config)) else { return };
    let effect = |change: &Change| Effect {
        field: change.field,
        with: after.clone(),
        without: fill(&done.applied_without(situation.config, change.field)).ok(),
    };
    let effects: Vec<Option<Effect>> =
        done.changes.iter().map(|change| places(change).then(|| effect(change))).collect();
    for (change, effect) in done.changes.iter_mut().zip(effects) {
        change.expected.extend(effect.map(|effect| Expected::Places(Box::new(effect))));
    }
    let today = fill(situation.config).ok();
    done.modelled = Some(Modelled { known_pods: pinning(pods).count(), today, after });
}

/// Whether a field has a say in who gets which CPUs.
const fn decides_places(field: Field) -> bool {
    match field {
        Field::CpuManagerPolicy
        | Field::Option(_)
        | Field::TopologyPolicy
        | Field::TopologyScope
        | Field::TopologyOption(TopologyOption::PreferClosestNumaNodes)
        | Field::ReservedCpus
        | Field::SystemReservedCpu
        | Field::KubeReservedCpu => true,
        Field::TopologyOption(TopologyOption::MaxAllowableNumaNodes)
        | Field::Enforce
        | Field::CpuCfsQuota
        | Field::CpuCfsQuotaPeriod
        | Field::Gate(_) => false,
    }
}

/// Pods with a pinned container.
fn pinning(pods: &[KnownPod]) -> impl Iterator<Item = (&KnownPod, Arrival)> {
    pods.iter().map(|pod| (pod, pod.arrival())).filter(|(_, arrival)| !arrival.containers.is_empty())
}

/// A node that is being filled.
struct Filling<'t> {
    topology: &'t Topology,
    distances: Option<Distances>,
    node: Node<'t>,
    filled: Filled,
    containers: usize,
}

impl<'t> Filling<'t> {
    /// An empty one.
    fn of(situation: &Situation<'t>, config: &KubeletConfig) -> Result<Self, NoPolicy> {
        let topology = situation.topology;
        let kubelet: Effective = config.effective(situation.release);
        let distances = situation.machine.and_then(Machine::distances);
        let node = Node::of(topology, distances.clone(), &kubelet)?;
        let nodes = topology.count(Level::Node);
        let counted = |there: bool| there.then_some(0);
        let filled = Filled {
            pods: 0,
            alone: 0,
            on_shared_cores: counted(topology.count(Level::Core) < topology.cpus().len()),
            on_several_nodes: counted(nodes > 1),
            on_several_caches: counted(
                topology.count(Level::Uncore) > nodes.max(topology.count(Level::Socket)),
            ),
            pods_on_several_nodes: counted(nodes > 1),
            divided: None,
            farthest: None,
            refused: Vec::new(),
            shared: CpuSet::new(),
            shared_reserved: CpuSet::new(),
            bounded: false,
        };
        Ok(Self { topology, distances, node, filled, containers: 0 })
    }

    fn fill(mut self, pods: &[KnownPod]) -> Filled {
        let mut waiting: Vec<(&KnownPod, Arrival)> = pinning(pods).take(MOST_PODS).collect();
        while !waiting.is_empty() && !self.filled.bounded {
            waiting.retain(|(pod, arrival)| self.comes(pod, arrival));
        }
        self.filled.shared = self.node.shared();
        self.filled.shared_reserved = match &self.node.policy {
            Some(policy) => policy.reserved().intersection(&self.filled.shared),
            None => CpuSet::new(),
        };
        self.filled
    }

    /// Lets a copy come; whether another one may.
    fn comes(&mut self, pod: &KnownPod, arrival: &Arrival) -> bool {
        self.containers += arrival.containers.len();
        if self.filled.pods == MOST_PODS || self.containers > MOST_CONTAINERS {
            self.filled.bounded = true;
            return false;
        }
        match self.node.admit(&self.filled.pods.to_string(), arrival) {
            Ok(placed) => {
                let kept = placed.seats.into_iter().filter(|seat| seat.role != Role::Init);
                let seats = kept.filter_map(|seat| Some((seat.container, seat.exclusive?))).collect();
                self.seated(pod, seats);
                true
            }
            Err(Unplaced::OutOfCpu { .. }) => false,
            Err(refused) => {
                self.filled.refused.push(Refused {
                    pod: pod.name.clone(),
                    reason: refused.reason(),
                    left_milli: self.node.left(),
                });
                false
            }
        }
    }

    /// Counts a pod that came in: its containers' places in it, and their CPUs alone.
    fn seated(&mut self, pod: &KnownPod, seats: Vec<(String, CpuSet)>) {
        let Self { topology, distances, filled, .. } = self;
        let count = |counter: &mut Option<usize>, is_one: bool| {
            *counter = counter.map(|count| count + usize::from(is_one));
        };
        filled.pods += 1;
        filled.alone += seats.len();
        for (place, cpus) in &seats {
            count(&mut filled.on_shared_cores, topology.whole_cores(cpus) != *cpus);
            count(&mut filled.on_several_caches, topology.groups_of(Level::Uncore, cpus).len() > 1);
            let nodes = topology.groups_of(Level::Node, cpus);
            count(&mut filled.on_several_nodes, nodes.len() > 1);
            let apart = distances.as_ref().and_then(|distances| distances.extremes(&nodes));
            filled.farthest = filled.farthest.max(apart.map(|(_, farthest)| farthest));
            if nodes.len() > 1 && filled.divided.is_none() {
                let container = place.parse().ok().and_then(|place: usize| pod.containers.get(place));
                let container = container.map_or("-", |container| &container.name);
                let on = |&node: &u32| topology.in_group(Level::Node, node).intersection(cpus).len();
                filled.divided = Some(Divided {
                    container: format!("{}/{container}", pod.name),
                    cpus: nodes.iter().map(on).collect(),
                });
            }
        }
        let together = seats.iter().fold(CpuSet::new(), |all, (_, cpus)| all.union(cpus));
        let apart = seats.len() > 1 && topology.groups_of(Level::Node, &together).len() > 1;
        count(&mut filled.pods_on_several_nodes, apart);
    }
}
