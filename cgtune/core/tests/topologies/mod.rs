//! The machines of the kubelet's own tests.

#![allow(dead_code, reason = "each test program uses the part it needs")]

pub(crate) mod random;

use std::collections::BTreeMap;

use cgtune_core::{Topology, topology::Cpu};
use serde_json::Value;

/// All, by name; those that are inferred from comments of upstream's tests begin with `inferred_`.
pub(crate) fn read() -> BTreeMap<String, Topology> {
    let known: Value = serde_json::from_str(include_str!("../vectors/cpumanager_topologies.json")).unwrap();
    let inferred: Value =
        serde_json::from_str(include_str!("../vectors/cpumanager_static_policy.json")).unwrap();
    let all = [&known["topologies"], &inferred["inferred_topologies"]];
    all.into_iter()
        .flat_map(|machines| machines.as_object().unwrap())
        .map(|(name, machine)| (name.clone(), topology(machine)))
        .collect()
}

/// Upstream leaves some counts of sockets, nodes and caches unset, which are then 0; here they follow from the CPUs.
fn topology(machine: &Value) -> Topology {
    let cpus = machine["cpus"].as_array().unwrap().iter().map(|cpu| {
        let number = |field: &str| u32::try_from(cpu[field].as_u64().unwrap()).unwrap();
        Cpu {
            cpu: number("cpu"),
            core: number("core"),
            socket: number("socket"),
            node: number("numa"),
            uncore: Some(number("uncore")),
        }
    });
    Topology::new(cpus).unwrap_or_else(|error| panic!("{error}"))
}
