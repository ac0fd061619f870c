//! A machine as boxes in boxes: sockets hold memory nodes, these caches, these cores. What does not nest (a node over two
//! sockets, a cache over two nodes) stands in each of them with its part.

use std::collections::{BTreeMap, BTreeSet};

use cgtune_core::{
    CpuSet,
    topology::{Cache, Kind, Machine, MachineCpu, Node},
};

/// Cores that are alike: of one kind, with as many threads.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cores {
    pub(super) kind: Option<Kind>,
    pub(super) threads: usize,
    /// The CPUs of each, ascending.
    pub(super) each: Vec<Vec<u32>>,
}

/// A part of a socket and node whose CPUs share their last-level cache.
#[derive(Debug)]
pub(super) struct CacheBox {
    /// `None`: the machine does not show its caches.
    pub(super) cache: Option<Cache>,
    /// Ascending.
    pub(super) cpus: Vec<u32>,
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

/// CPUs by what they are grouped by.
type Grouped<'a, K> = BTreeMap<K, Vec<&'a MachineCpu>>;

fn grouped<'a, K: Ord>(cpus: &[&'a MachineCpu], by: impl Fn(&MachineCpu) -> K) -> Grouped<'a, K> {
    let mut groups = Grouped::new();
    for &cpu in cpus {
        groups.entry(by(cpu)).or_default().push(cpu);
    }
    groups
}

fn numbers(cpus: &[&MachineCpu]) -> CpuSet {
    cpus.iter().map(|cpu| cpu.cpu).collect()
}

/// Which groups lie in more than one of the groups above them.
struct Parted {
    nodes: BTreeSet<u32>,
    caches: BTreeSet<u32>,
}

impl Parted {
    fn of(cpus: &[&MachineCpu]) -> Self {
        let several = |groups: Grouped<'_, Option<u32>>, above: fn(&MachineCpu) -> (u32, u32)| {
            let parted =
                |group: &[&MachineCpu]| group.iter().map(|cpu| above(cpu)).collect::<BTreeSet<_>>().len() > 1;
            groups.into_iter().filter(|(_, group)| parted(group)).filter_map(|(id, _)| id).collect()
        };
        Self {
            nodes: several(grouped(cpus, |cpu| Some(cpu.node)), |cpu| (cpu.socket, 0)),
            caches: several(grouped(cpus, |cpu| cpu.uncore), |cpu| (cpu.socket, cpu.node)),
        }
    }
}

pub(super) fn sockets(machine: &Machine) -> Vec<SocketBox<'_>> {
    let mut all: Vec<&MachineCpu> = machine.cpus.iter().collect();
    all.sort_by_key(|cpu| cpu.cpu);
    let parted = Parted::of(&all);
    let node = |(number, cpus): (u32, Vec<&MachineCpu>)| NodeBox {
        number,
        node: machine.nodes.iter().find(|node| node.node == number),
        cpus: numbers(&cpus),
        is_part: parted.nodes.contains(&number),
        caches: grouped(&cpus, |cpu| cpu.uncore)
            .into_iter()
            .map(|(uncore, cpus)| cache(machine, &parted, uncore, &cpus))
            .collect(),
    };
    grouped(&all, |cpu| cpu.socket)
        .into_iter()
        .map(|(number, cpus)| SocketBox {
            number,
            cpus: numbers(&cpus),
            nodes: grouped(&cpus, |cpu| cpu.node).into_iter().map(node).collect(),
        })
        .collect()
}

/// Memory nodes without CPUs.
pub(super) fn without_cpus(machine: &Machine) -> impl Iterator<Item = &Node> {
    machine.nodes.iter().filter(|node| node.cpus.is_empty())
}

fn cache(machine: &Machine, parted: &Parted, uncore: Option<u32>, cpus: &[&MachineCpu]) -> CacheBox {
    let described = |uncore| {
        let place = machine.caches.binary_search_by_key(&uncore, |cache| cache.uncore).ok();
        // Of a machine that was described without its caches, only who shares them is known.
        place.map_or(Cache { uncore, level: 0, size_bytes: None }, |place| machine.caches[place])
    };
    let mut cores: Vec<Cores> = Vec::new();
    for core in grouped(cpus, |cpu| cpu.core).into_values() {
        let (kind, threads) = (core.first().and_then(|cpu| cpu.kind), core.len());
        let own = core.iter().map(|cpu| cpu.cpu).collect();
        match cores.iter_mut().find(|cores| cores.kind == kind && cores.threads == threads) {
            Some(cores) => cores.each.push(own),
            None => cores.push(Cores { kind, threads, each: vec![own] }),
        }
    }
    CacheBox {
        cache: uncore.map(described),
        cpus: cpus.iter().map(|cpu| cpu.cpu).collect(),
        is_part: uncore.is_some_and(|uncore| parted.caches.contains(&uncore)),
        cores,
    }
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
