//! Evenly over as few memory nodes as hold them (KEP-2902, `distribute-cpus-across-numa`).

use std::num::NonZeroUsize;

use itertools::Itertools as _;

use crate::{CpuSet, Topology, topology::Level};

use super::{
    NotEnough, Sorting, Uncore,
    free::Free,
    packed::{Order, packed},
};

/// How many divisions of the CPUs among nodes are weighed at most. Upstream weighs all, which are 3ⁿ of n nodes at worst: eight nodes
/// need 6,561, sixteen need 43 million.
pub const TRIES: u32 = 50_000;

/// CPUs from several nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distributed {
    /// They.
    pub cpus: CpuSet,
    /// Whether [`TRIES`] ended the search, so that upstream might have found a more even division. The number of CPUs is right all
    /// the same.
    pub bounded: bool,
}

/// Takes `count` of the available CPUs, evenly from as few nodes as can give them, in groups of so many CPUs
/// (`takeByTopologyNUMADistributed`). Where they cannot be divided it is [`packed`] that takes them.
///
/// # Errors
/// There are fewer than that.
pub fn distributed(
    topology: &Topology,
    available: &CpuSet,
    count: usize,
    group: NonZeroUsize,
    sorting: Sorting,
) -> Result<Distributed, NotEnough> {
    let undivided = |bounded| {
        packed(topology, available, count, sorting, Uncore::Ignored).map(|cpus| Distributed { cpus, bounded })
    };
    let mut free = Free::new(topology, available, count);
    if count == 0 || !count.is_multiple_of(group.get()) || free.len() < count {
        return undivided(false);
    }
    let mut search = Search::new(&free, count, group.get());
    let found = search.range(topology).find_map(|nodes| search.best(nodes));
    let bounded = search.tries == 0;
    let Some(division) = found else { return undivided(bounded) };
    for &node in &division.nodes {
        take(&mut free, node, division.each, sorting)?;
    }
    while !free.is_satisfied() {
        for &node in &division.rest {
            if !free.is_satisfied() && free.count(Level::Node, node) >= group.get() {
                take(&mut free, node, group.get(), sorting)?;
            }
        }
    }
    Ok(Distributed { cpus: free.into_taken(), bounded })
}

/// Takes so many of one node.
fn take(free: &mut Free<'_>, node: usize, count: usize, sorting: Sorting) -> Result<(), NotEnough> {
    let topology = free.topology();
    let cpus = packed(topology, &free.cpus(Level::Node, node), count, sorting, Uncore::Ignored)?;
    free.take(cpus.iter().filter_map(|cpu| topology.place(cpu)));
    Ok(())
}

/// Which nodes give how much.
#[derive(Debug, Clone)]
struct Division {
    nodes: Vec<usize>,
    /// What each of them gives at first.
    each: usize,
    /// Those that give what is left, a group at a time in turns.
    rest: Vec<usize>,
}

struct Search {
    /// The nodes that have a free CPU, in the order in which they are tried.
    nodes: Vec<usize>,
    /// How many CPUs of each node are free, by the node.
    free: Vec<usize>,
    count: usize,
    group: usize,
    tries: u32,
}

impl Search {
    fn new(free: &Free<'_>, count: usize, group: usize) -> Self {
        let all = free.topology().count(Level::Node);
        Self {
            nodes: Order::of(free.topology()).sorted(free, Level::Node),
            free: (0..all).map(|node| free.count(Level::Node, node)).collect(),
            count,
            group,
            tries: TRIES,
        }
    }

    /// How many nodes it takes at least and at most (`rangeNUMANodesNeededToSatisfy`).
    fn range(&self, topology: &Topology) -> std::ops::RangeInclusive<usize> {
        let groups = topology.cpus().len().div_ceil(self.group);
        let per_node = groups.div_ceil(self.free.len());
        let needed = self.count / self.group;
        needed.div_ceil(per_node)..=needed.min(self.nodes.len())
    }

    /// Counts a try; false when there have been enough.
    fn may_try(&mut self) -> bool {
        self.tries = self.tries.saturating_sub(1);
        self.tries > 0
    }

    /// The division among so many nodes that leaves the most even rest on all of them; the first one of equals.
    fn best(&mut self, nodes: usize) -> Option<Division> {
        let mut best: Option<(u64, Division)> = None;
        for nodes in self.nodes.clone().into_iter().combinations(nodes) {
            if best.as_ref().is_some_and(|&(unevenness, _)| unevenness == 0) || !self.may_try() {
                break;
            }
            if let Some(found) = self.divide(nodes)
                && best.as_ref().is_none_or(|best| found.0 < best.0)
            {
                best = Some(found);
            }
        }
        best.map(|(_, division)| division)
    }

    /// The most even division among these nodes, if there is one.
    fn divide(&mut self, nodes: Vec<usize>) -> Option<(u64, Division)> {
        let groups: usize = nodes.iter().map(|&node| self.free[node] / self.group).sum();
        let each = self.count / nodes.len() / self.group * self.group;
        if groups * self.group < self.count || nodes.iter().any(|&node| self.free[node] < each) {
            return None;
        }
        let mut after = self.free.clone();
        nodes.iter().for_each(|&node| after[node] -= each);
        let rest = self.count - each * nodes.len();
        if rest == 0 {
            let unevenness = self.unevenness(&after);
            return Some((unevenness, Division { nodes, each, rest: Vec::new() }));
        }
        let able: Vec<usize> = nodes.iter().copied().filter(|&node| after[node] >= self.group).collect();
        let mut best: Option<(u64, Vec<usize>)> = None;
        // Large subsets first, so that what is left is spread as far as it goes.
        for subset in (1..=able.len()).rev().flat_map(|size| able.iter().copied().combinations(size)) {
            if !self.may_try() {
                break;
            }
            let Some(left) = self.hand_out(&after, &subset, rest) else { continue };
            let unevenness = self.unevenness(&left);
            if best.as_ref().is_none_or(|best| unevenness < best.0) {
                best = Some((unevenness, subset));
            }
        }
        best.map(|(unevenness, rest)| (unevenness, Division { nodes, each, rest }))
    }

    /// What is free on every node when these have given the rest in turns. `None`: they cannot.
    fn hand_out(&self, free: &[usize], nodes: &[usize], mut rest: usize) -> Option<Vec<usize>> {
        let groups: usize = nodes.iter().map(|&node| free[node] / self.group).sum();
        if groups * self.group < rest {
            return None;
        }
        let mut left = free.to_vec();
        for &node in nodes.iter().cycle() {
            if rest == 0 {
                break;
            }
            if left[node] >= self.group {
                left[node] -= self.group;
                rest -= self.group;
            }
        }
        Some(left)
    }

    /// The standard deviation of what is free on the nodes, in thousandths: upstream rounds mean and deviation to these.
    fn unevenness(&self, free: &[usize]) -> u64 {
        let thousandths = |value: f64| (value * 1000.0).round();
        let count = self.nodes.len() as f64;
        let values = || self.nodes.iter().map(|&node| free[node] as f64);
        let mean = thousandths(values().sum::<f64>() / count) / 1000.0;
        let squares: f64 = values().map(|value| (value - mean).powi(2)).sum();
        thousandths((squares / count).sqrt()) as u64
    }
}
