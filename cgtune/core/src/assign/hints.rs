//! What the topology manager says before CPUs are chosen: on which nodes, and whether the pod may come in at all.
//!
//! Source: `generateCPUTopologyHints` (pkg/kubelet/cm/cpumanager/policy_static.go) and pkg/kubelet/cm/topologymanager, Kubernetes 1.36, with CPUs as
//! the only thing that has a place. Devices and memory have one as well, and can change the answer on a real node.

use itertools::Itertools as _;

use super::policy::{State, Static};
use crate::{
    CpuSet,
    kubelet::topology_manager::TopologyPolicy,
    topology::{Distances, Level},
};

/// The most nodes whose combinations are looked at; there are 2ⁿ. The kubelet takes 8 unless told otherwise (`max-allowable-numa-nodes`).
pub const MAX_NODES: usize = 16;

/// Nodes that could give the CPUs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// They, ascending.
    pub nodes: Vec<u32>,
    /// Whether no fewer would do, on an empty machine.
    pub preferred: bool,
}

/// What the manager decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admission {
    /// The pod comes in; its CPUs come from these nodes first. `None`: from anywhere.
    Admitted(Option<Vec<u32>>),
    /// It does not.
    Refused(Misplaced),
}

/// Why the manager refuses a pod.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misplaced {
    /// The policy wants other nodes than are free.
    #[error(
        "TopologyAffinityError: Resources cannot be allocated with Topology locality ({policy}: {needed} CPUs {where_they_are})",
        policy = .manager.name(),
        where_they_are = match .best {
            Some(nodes) => {
                let one = if nodes.len() == 1 { "" } else { "s" };
                format!("would lie on NUMA node{one} {}", CpuSet::from_iter(nodes.iter().copied()))
            }
            None => "are free on no allowed combination of NUMA nodes".to_owned(),
        }
    )]
    Affinity {
        /// The policy.
        manager: TopologyPolicy,
        /// How many CPUs.
        needed: usize,
        /// The best nodes that were found.
        best: Option<Vec<u32>>,
    },
    /// More nodes than are looked at.
    #[error(
        "{nodes} NUMA nodes have too many combinations for the topology manager; at most {MAX_NODES} are looked at"
    )]
    TooMany {
        /// How many.
        nodes: usize,
    },
}

/// All combinations of nodes that have so many CPUs free for a pod, the small ones first.
#[must_use]
pub fn hints(policy: &Static<'_>, state: &State, pod: &str, needed: usize) -> Vec<Hint> {
    let topology = policy.topology();
    let nodes: Vec<(u32, CpuSet)> = topology.each(Level::Node).collect();
    let (available, reusable) = (policy.available(state), state.reusable(pod));
    let counts: Vec<(usize, usize, usize)> = nodes
        .iter()
        .map(|(_, cpus)| {
            (
                cpus.len(),
                available.intersection(cpus).len(),
                reusable.difference(&available).intersection(cpus).len(),
            )
        })
        .collect();
    let sum = |combination: &[usize], what: fn(&(usize, usize, usize)) -> usize| -> usize {
        combination.iter().map(|&node| what(&counts[node])).sum()
    };
    let all: Vec<usize> = (0..nodes.len()).collect();
    let reused = sum(&all, |count| count.2);
    let mut least = nodes.len();
    let mut found = Vec::new();
    for combination in (1..=nodes.len()).flat_map(|size| all.iter().copied().combinations(size)) {
        if sum(&combination, |count| count.0) >= needed {
            least = least.min(combination.len());
        }
        // What the pod has already left to itself must not be left behind.
        if sum(&combination, |count| count.2) == reused
            && sum(&combination, |count| count.1) + reused >= needed
        {
            found.push(combination);
        }
    }
    let ids =
        |combination: Vec<usize>| -> Vec<u32> { combination.into_iter().map(|node| nodes[node].0).collect() };
    let hint = |combination: Vec<usize>| {
        let nodes = ids(combination);
        let preferred = nodes.len() == least || is_socket_aligned(policy, &nodes, least);
        Hint { nodes, preferred }
    };
    found.into_iter().map(hint).collect()
}

/// With align-by-socket: whether nodes lie in as few sockets as could hold the fewest nodes (`isHintSocketAligned`).
fn is_socket_aligned(policy: &Static<'_>, nodes: &[u32], least: usize) -> bool {
    let topology = policy.topology();
    let per_socket = topology.count(Level::Node) / topology.count(Level::Socket);
    if !policy.options().align_by_socket || per_socket == 0 {
        return false;
    }
    let cpus =
        nodes.iter().fold(CpuSet::new(), |all, &node| all.union(&topology.in_group(Level::Node, node)));
    topology.groups_of(Level::Socket, &cpus).len() == least.div_ceil(per_socket)
}

/// Asks the manager. `distances`: between nodes, where it is told to look at them (`prefer-closest-numa-nodes`). `needed`
/// 0: nothing of the pod is exclusive, and it has no say.
#[must_use]
pub fn admit(
    manager: TopologyPolicy,
    distances: Option<&Distances>,
    policy: &Static<'_>,
    state: &State,
    pod: &str,
    needed: usize,
) -> Admission {
    if manager == TopologyPolicy::None || needed == 0 {
        return Admission::Admitted(None);
    }
    let nodes = policy.topology().count(Level::Node);
    if nodes > MAX_NODES {
        return Admission::Refused(Misplaced::TooMany { nodes });
    }
    let mut hints = hints(policy, state, pod, needed);
    if manager == TopologyPolicy::SingleNumaNode {
        hints.retain(|hint| hint.preferred && hint.nodes.len() == 1);
    }
    // Of as many nodes the kubelet takes the nearer ones if it looks at that (`Closest`), then the lower bit mask: the highest node decides.
    let narrow = |hint: &&Hint| {
        let apart = distances.map(|distances| distances.sum(&hint.nodes));
        (!hint.preferred, hint.nodes.len(), apart, hint.nodes.iter().rev().copied().collect_vec())
    };
    let best = hints.iter().min_by_key(narrow);
    let strict = matches!(manager, TopologyPolicy::Restricted | TopologyPolicy::SingleNumaNode);
    match best {
        Some(hint) if hint.preferred || !strict => Admission::Admitted(Some(hint.nodes.clone())),
        None if !strict => Admission::Admitted(None),
        best => {
            let best = best.map(|hint| hint.nodes.clone());
            Admission::Refused(Misplaced::Affinity { manager, needed, best })
        }
    }
}
