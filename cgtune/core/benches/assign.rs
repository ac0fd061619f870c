//! How long a choice of CPUs takes on large machines.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use std::num::NonZeroUsize;

use cgtune_core::{
    CpuSet, Topology,
    assign::{Sorting, Uncore, distributed, packed},
    topology::Cpu,
};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

/// So many CPUs, two threads a core, eight cores a cache, evenly on sockets and nodes.
fn machine(cpus: u32, sockets: u32, nodes: u32) -> Topology {
    let cores = cpus / 2;
    Topology::new((0..cpus).map(|cpu| {
        let core = cpu % cores;
        Cpu { cpu, core, socket: core * sockets / cores, node: core * nodes / cores, uncore: Some(core / 8) }
    }))
    .unwrap()
}

/// What is left when every seventh CPU is taken: hardly a core is whole.
fn torn(topology: &Topology) -> CpuSet {
    topology.all().iter().filter(|cpu| cpu % 7 != 0).collect()
}

fn assign(c: &mut Criterion) {
    let mut group = c.benchmark_group("assign");
    for (cpus, sockets, nodes) in [(1024, 8, 8), (1024, 8, 16), (1024, 8, 64)] {
        let topology = machine(cpus, sockets, nodes);
        let free = torn(&topology);
        let shape = format!("{cpus} CPUs, {sockets} sockets, {nodes} nodes");
        group.bench_function(BenchmarkId::new("packed, aligned to caches", &shape), |b| {
            b.iter(|| packed(&topology, &free, 500, Sorting::Packed, Uncore::AnyCount).unwrap());
        });
        // 501 leaves a rest on any number of nodes but one, so that subsets are weighed, too.
        let bounded = distributed(&topology, &free, 501, NonZeroUsize::MIN, Sorting::Packed).unwrap().bounded;
        let name = if bounded { "distributed, to the bound" } else { "distributed" };
        group.bench_function(BenchmarkId::new(name, &shape), |b| {
            b.iter(|| distributed(&topology, &free, 501, NonZeroUsize::MIN, Sorting::Packed).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, assign);
criterion_main!(benches);
