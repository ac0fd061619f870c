//! Machines that nobody built, drawn at random, and sets of their CPUs.

use cgtune_core::{CpuSet, Topology, topology::Cpu};
use proptest::{collection, prelude::*, sample::select};

/// Sockets, nodes, caches, cores and threads in any proportion up to these, numbered as firmware does (all first threads before the second ones)
/// or a core at a time, with holes where a CPU is offline.
pub(crate) fn topology(sockets: usize, nodes: usize, cores: usize) -> impl Strategy<Value = Topology> {
    let shape = (1..=sockets, 1..=nodes, 1..=2_usize, 1..=cores, select(vec![1_u32, 2, 2, 4]), any::<bool>());
    let offline = collection::vec(prop::bool::weighted(0.1), 256);
    (shape, any::<bool>(), prop::option::weighted(0.5, offline)).prop_map(
        |((sockets, nodes, caches, cores, threads, by_core), nodes_hold_sockets, offline)| {
            let total = (sockets * nodes * caches * cores) as u32;
            let number = |core: u32, thread: u32| {
                if by_core { core * threads + thread } else { thread * total + core }
            };
            let mut cpus = Vec::new();
            for core in 0..total {
                let cache = core / cores as u32;
                let inner = cache / caches as u32;
                let outer = inner / nodes as u32;
                // Sockets of several nodes, or nodes of several sockets.
                let (socket, node) = if nodes_hold_sockets { (inner, outer) } else { (outer, inner) };
                for thread in 0..threads {
                    let uncore = Some(number(cache * cores as u32, 0));
                    cpus.push(Cpu { cpu: number(core, thread), core: number(core, 0), socket, node, uncore });
                }
            }
            let is_offline =
                |cpu: &Cpu| offline.as_ref().is_some_and(|offline| offline[cpu.cpu as usize % 256]);
            let online: Vec<Cpu> = cpus.iter().copied().filter(|cpu| !is_offline(cpu)).collect();
            Topology::new(if online.is_empty() { cpus } else { online })
                .unwrap_or_else(|error| panic!("{error}"))
        },
    )
}

/// Some of its CPUs, most of them as a rule.
pub(crate) fn some_of(topology: &Topology) -> impl Strategy<Value = CpuSet> + use<> {
    let cpus: Vec<u32> = topology.all().iter().collect();
    let count = cpus.len();
    (0.2..1.0_f64)
        .prop_flat_map(move |weight| collection::vec(prop::bool::weighted(weight), count))
        .prop_map(move |free| cpus.iter().zip(free).filter_map(|(&cpu, free)| free.then_some(cpu)).collect())
}
