//! Any bytes as the state of a kubelet's CPU manager, and a kubelet that starts with it: what it accepts is no CPU twice.

#![no_main]

use std::collections::BTreeMap;

use cgtune_core::{
    CpuSet, Topology,
    assign::{
        Uncore,
        policy::{Holder, Reserve, State, Static},
    },
    kubelet::Options,
    topology::Cpu,
};
use cgtune_node::cpu_manager::{self, CpuManager};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let CpuManager { shared, entries, .. } = match cpu_manager::parse(bytes) {
        Ok(state) => state,
        Err(error) => {
            let _ = error.to_string();
            return;
        }
    };
    let holders = entries.into_iter().flat_map(|(pod, containers)| {
        containers.into_iter().map(move |(container, cpus)| (Holder { pod: pod.clone(), container }, cpus))
    });
    let left = State::new(shared.unwrap_or_default(), holders.collect::<BTreeMap<_, CpuSet>>());
    let cpu = |cpu: u32| Cpu { cpu, core: cpu % 4, socket: 0, node: 0, uncore: None };
    let topology = Topology::new((0..8).map(cpu)).unwrap();
    let reserve = Reserve { count: 1, list: None };
    let policy = Static::new(&topology, reserve, Options::default(), Uncore::Ignored, false).unwrap();
    match policy.start(left) {
        Ok(state) => {
            for cpus in state.assignments.values() {
                assert!(cpus.is_subset(topology.all()));
            }
        }
        Err(error) => {
            let _ = error.to_string();
        }
    }
});
