//! What the topology manager should do: its policy, its scope, and how it chooses among several nodes.

use super::{Evidence, Field, Given, Making, Reason, Remark, Reserve, Risk};
use crate::{
    kubelet::{
        gates::Gate,
        topology_manager::{MAX_NUMA_NODES, TopologyOption, TopologyPolicy, TopologyScope},
    },
    topology::{Level, Machine},
};

impl Making<'_> {
    pub(super) fn topology_manager(&mut self, reserve: &Reserve) {
        let topology = self.situation.topology;
        let nodes = topology.count(Level::Node);
        if nodes < 2 {
            return;
        }
        if nodes > self.effective.max_numa_nodes.max(MAX_NUMA_NODES) {
            let since = TopologyOption::MaxAllowableNumaNodes.introduced_in();
            self.done.remarks.push(Remark::ManyNodes { nodes, since });
            return;
        }
        let (smallest, largest) = self.node_sizes(reserve);
        let as_one = self.pods_as_one(largest);
        let scope = if as_one.is_some() { TopologyScope::Pod } else { self.effective.topology_scope };
        let most = match scope {
            TopologyScope::Container => self.pinned().map(|(_, cpus)| cpus).max(),
            TopologyScope::Pod => self.at_once(),
        };
        let policy = self.topology_policy(scope, most, (smallest, largest));
        if let Some(evidence) = as_one {
            let to = Some(Given::Text(TopologyScope::Pod.name().to_owned()));
            let risk = Risk::PodAsOne { refuses: policy != TopologyPolicy::BestEffort };
            self.change(Field::TopologyScope, to, Reason::PodTogether, risk).evidence.push(evidence);
        }
        if matches!(policy, TopologyPolicy::BestEffort | TopologyPolicy::Restricted) && nodes > 2 {
            self.closest((smallest, largest));
        }
    }

    /// The policy that will be, with the change for it.
    fn topology_policy(
        &mut self,
        scope: TopologyScope,
        most: Option<usize>,
        (smallest, largest): (usize, usize),
    ) -> TopologyPolicy {
        let nodes = self.situation.topology.count(Level::Node);
        let present = self.effective.topology_policy;
        let by_socket = self.effective.options.align_by_socket;
        let wanted = match most {
            None => TopologyPolicy::BestEffort,
            Some(cpus) if cpus > largest => TopologyPolicy::BestEffort,
            Some(cpus) if cpus.saturating_mul(2) > smallest || by_socket => TopologyPolicy::Restricted,
            Some(_) => TopologyPolicy::SingleNumaNode,
        };
        // Who chose a policy that works keeps it; one that refuses a known container does not work.
        let refuses = most.is_some_and(|cpus| cpus > largest) && present == TopologyPolicy::SingleNumaNode;
        if present != TopologyPolicy::None && !refuses {
            return present;
        }
        let (reason, risk) = match wanted {
            TopologyPolicy::BestEffort => (Reason::AlignWhereItCanBe { nodes }, Risk::NotAlways),
            _ => (Reason::AlignAlways { nodes, node: smallest }, Risk::Refuses),
        };
        let evidence = match (&self.demand, most) {
            (None, _) => Evidence::PodsUnknown,
            (Some(_), None) => Evidence::Nodes { nodes, smallest, largest },
            (Some(_), Some(cpus)) => Evidence::LargestAgainstNodes { scope, cpus, smallest, largest },
        };
        let to = Some(Given::Text(wanted.name().to_owned()));
        self.change(Field::TopologyPolicy, to, reason, risk).evidence.push(evidence);
        wanted
    }

    /// Whether the containers of a pod should be placed together: some pod has several, and every pod's fit one node. One that does not would
    /// be refused, or divided although each of its containers fits a node.
    fn pods_as_one(&self, largest: usize) -> Option<Evidence> {
        let demand = self.demand.as_ref()?;
        let fitting = || demand.several_pinned.iter().filter(|(_, cpus)| *cpus <= self.left);
        let (pod, cpus) = fitting().max_by_key(|(_, cpus)| *cpus)?;
        let fits = self.at_once().is_some_and(|most| most <= largest);
        (fits && self.effective.topology_scope == TopologyScope::Container).then(|| Evidence::SeveralPinned {
            pods: fitting().count(),
            pod: pod.clone(),
            cpus: *cpus,
            largest,
        })
    }

    /// The most CPUs that a pod's containers have of their own at once, of those that can run here.
    fn at_once(&self) -> Option<usize> {
        let pods = self.demand.iter().flat_map(|demand| &demand.pinned_at_once);
        pods.copied().filter(|&cpus| cpus <= self.left).max()
    }

    /// prefer-closest-numa-nodes, for a container that no node holds.
    fn closest(&mut self, (smallest, largest): (usize, usize)) {
        let (config, release) = (self.situation.config, self.situation.release);
        let option = TopologyOption::PreferClosestNumaNodes;
        let Some((container, cpus)) = self.pinned().find(|(_, cpus)| *cpus > largest) else { return };
        let nodes = self.situation.topology.count(Level::Node);
        let ids: Vec<u32> = self.situation.topology.each(Level::Node).map(|(id, _)| id).collect();
        let distances = self.situation.machine.and_then(Machine::distances);
        let evidence = match distances.and_then(|distances| distances.extremes(&ids)) {
            // They are all as near.
            Some((nearest, farthest)) if nearest == farthest => return,
            Some((nearest, farthest)) => Evidence::Distances { nodes, nearest, farthest },
            None => Evidence::Nodes { nodes, smallest, largest },
        };
        if self.effective.prefer_closest_nodes {
            return;
        }
        let gates = [Some(Gate::TopologyManagerPolicyOptions), option.gate(release.version())];
        if let Some(gate) = gates.into_iter().flatten().find(|&gate| !config.open(gate, release)) {
            self.done.remarks.push(Remark::GateClosed { option: option.name(), gate });
            return;
        }
        let to = Some(Given::Text("true".to_owned()));
        let reason = Reason::Closest { container, cpus, node: largest };
        self.change(Field::TopologyOption(option), to, reason, Risk::Closest).evidence.push(evidence);
    }
}
