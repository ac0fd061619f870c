//! A machine as boxes in boxes: sockets hold memory nodes, these caches, these cores. What does not nest (a node over two
//! sockets, a cache over two nodes) stands in each of them with its part.

use cgtune_core::{
    CpuSet, Topology,
    topology::{Cache, Kind, Level, Machine, Node},
};

/// Cores that are alike: of one kind, with as many threads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cores {
    pub(super) kind: Option<Kind>,
    pub(super) threads: usize,
    /// The CPUs of each.
    pub(super) each: Vec<CpuSet>,
}

/// A part of a socket and node whose CPUs share their last-level cache.
#[derive(Debug)]
pub(super) struct CacheBox {
    /// `None`: the machine does not show its caches.
    pub(super) cache: Option<Cache>,
    pub(super) cpus: CpuSet,
    /// Whether CPUs elsewhere share it.
    pub(super) is_part: bool,
    pub(super) cores: Vec<Cores>,
}

/// A part of a socket that is on one memory node.
#[derive(Debug)]
pub(super) struct NodeBox<'a> {
    pub(super) number: u32,
    /// `None`: the machine does not show its nodes.
    pub(super) node: Option<&'a Node>,
    pub(super) cpus: CpuSet,
    /// Whether CPUs of other sockets are on it.
    pub(super) is_part: bool,
    pub(super) caches: Vec<CacheBox>,
}

#[derive(Debug)]
pub(super) struct SocketBox<'a> {
    pub(super) number: u32,
    pub(super) cpus: CpuSet,
    pub(super) nodes: Vec<NodeBox<'a>>,
}

pub(super) fn sockets<'a>(machine: &'a Machine, topology: &Topology) -> Vec<SocketBox<'a>> {
    topology
        .each(Level::Socket)
        .map(|(number, cpus)| {
            let on = |id| node(machine, topology, id, &cpus);
            let nodes = topology.groups_of(Level::Node, &cpus).into_iter().map(on).collect();
            SocketBox { number, cpus, nodes }
        })
        .collect()
}

/// Memory nodes without CPUs.
pub(super) fn without_cpus(machine: &Machine) -> impl Iterator<Item = &Node> {
    machine.nodes.iter().filter(|node| node.cpus.is_empty())
}

fn node<'a>(machine: &'a Machine, topology: &Topology, number: u32, socket: &CpuSet) -> NodeBox<'a> {
    let all = topology.in_group(Level::Node, number);
    let cpus = all.intersection(socket);
    let caches = topology
        .groups_of(Level::Uncore, &cpus)
        .into_iter()
        .map(|id| cache(machine, topology, id, &cpus))
        .collect();
    NodeBox {
        number,
        node: machine.nodes.iter().find(|node| node.node == number),
        is_part: cpus != all,
        cpus,
        caches,
    }
}

fn cache(machine: &Machine, topology: &Topology, id: u32, node: &CpuSet) -> CacheBox {
    let all = topology.in_group(Level::Uncore, id);
    let cpus = all.intersection(node);
    let shown = cpus.iter().next().and_then(|cpu| topology.get(cpu)?.uncore);
    let cache = machine.caches.iter().find(|cache| Some(cache.uncore) == shown).copied();
    // Of a machine that was described without its caches, only who shares them is known.
    let cache = cache.or(shown.map(|uncore| Cache { uncore, level: 0, size_bytes: None }));
    let mut cores: Vec<Cores> = Vec::new();
    for core in topology.groups_of(Level::Core, &cpus) {
        let own = topology.in_group(Level::Core, core);
        let first = own.iter().next();
        let kind = first.and_then(|first| {
            let place = machine.cpus.binary_search_by_key(&first, |cpu| cpu.cpu).ok()?;
            machine.cpus[place].kind
        });
        match cores.iter_mut().find(|cores| cores.kind == kind && cores.threads == own.len()) {
            Some(cores) => cores.each.push(own),
            None => cores.push(Cores { kind, threads: own.len(), each: vec![own] }),
        }
    }
    CacheBox { is_part: cache.is_some() && cpus != all, cache, cpus, cores }
}

impl CacheBox {
    /// Whether it looks like another one, but for the numbers of its CPUs.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let look = |cache: &Self| {
            let cores: Vec<_> = cache.cores.iter().map(|c| (c.kind, c.threads, c.each.len())).collect();
            (cache.cache.map(|cache| (cache.level, cache.size_bytes)), cache.is_part, cores)
        };
        look(self) == look(other)
    }
}
