//! The topology manager: its policy, scope and options.

use super::{Case, shown};
use crate::{
    kubelet::{
        config::CpuManagerPolicy,
        finding::Fault,
        gates::Gate,
        topology_manager::{TopologyOption, TopologyPolicy, TopologyScope},
    },
    topology::Level,
};

const POLICY: &str = "topologyManagerPolicy";
const OPTIONS: &str = "topologyManagerPolicyOptions";

pub(super) fn check(case: &mut Case<'_>) {
    let config = case.config;
    let policy = config.topology_manager_policy.as_ref();
    case.one_of(POLICY, policy, TopologyPolicy::named, "none, best-effort, restricted, single-numa-node");
    let scope = config.topology_manager_scope.as_ref();
    case.one_of("topologyManagerScope", scope, TopologyScope::named, "container, pod");
    options(case);
    let policy = case.effective.topology_policy;
    if policy == TopologyPolicy::None {
        return;
    }
    if case.effective.cpu_manager_policy == CpuManagerPolicy::None {
        case.found([POLICY], Fault::NothingToAlign { policy });
    }
    let Some(topology) = case.machine.topology else { return };
    let (nodes, limit) = (topology.count(Level::Node), case.effective.max_numa_nodes);
    if nodes > limit {
        case.found([POLICY], Fault::TooManyNodes { nodes, limit });
    }
    if policy == TopologyPolicy::SingleNumaNode && nodes > 1 {
        let reserved = &case.effective.reserved_system_cpus;
        let left = |(_, cpus): (u32, crate::CpuSet)| cpus.difference(reserved).len();
        let largest = topology.each(Level::Node).map(left).max().unwrap_or(0);
        case.found([POLICY], Fault::LargestNode { largest });
    }
}

fn options(case: &mut Case<'_>) {
    let config = case.config;
    let Some(given) = config.topology_manager_policy_options.as_ref().filter(|options| !options.is_empty())
    else {
        return;
    };
    // Under none they are not even read.
    if case.effective.topology_policy == TopologyPolicy::None {
        case.found([OPTIONS], Fault::OptionsWithoutTopologyPolicy);
        return;
    }
    let (release, version) = (case.release, case.release.version());
    for (name, value) in given {
        let Some(option) = TopologyOption::named(name) else {
            case.found([OPTIONS, name], Fault::UnknownOption { like: None });
            continue;
        };
        let fault = if option.stage(version).is_none() {
            Some(Fault::LaterOption { since: option.introduced_in(), release })
        } else if !option.takes(value) {
            Some(Fault::TopologyOptionValue { option, found: shown(value) })
        } else {
            let gates = [Some(Gate::TopologyManagerPolicyOptions), option.gate(version)];
            let closed = gates.into_iter().flatten().find(|&gate| !config.open(gate, release));
            closed.map(|gate| Fault::OptionNeedsGate { gate })
        };
        if let Some(fault) = fault {
            case.found([OPTIONS, name], fault);
        }
    }
}
