//! What holds for every choice of CPUs, and where the rule is an optimum, that it finds it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod topologies;

use std::num::NonZeroUsize;

use cgtune_core::{
    CpuSet, Topology,
    assign::{NotEnough, Sorting, Uncore, distributed, packed},
    topology::{Cpu, Level},
};
use itertools::Itertools as _;
use proptest::{prelude::*, sample::select};
use topologies::random;

/// A machine, what is free of it, and how many are wanted of that: now and then one too many.
fn wanted(topology: impl Strategy<Value = Topology>) -> impl Strategy<Value = (Topology, CpuSet, usize)> {
    topology.prop_flat_map(|topology| (random::some_of(&topology), Just(topology))).prop_flat_map(
        |(free, topology)| {
            let most = free.len() + 1;
            (Just(topology), Just(free), 0..=most)
        },
    )
}

fn take(
    (topology, free, count): &(Topology, CpuSet, usize),
    rule: (Sorting, Uncore, Option<usize>),
) -> Result<CpuSet, NotEnough> {
    match rule {
        (sorting, uncore, None) => packed(topology, free, *count, sorting, uncore),
        (sorting, _, Some(group)) => {
            distributed(topology, free, *count, NonZeroUsize::new(group).unwrap(), sorting)
                .map(|found| found.cpus)
        }
    }
}

/// Small enough to look at every choice.
fn small() -> impl Strategy<Value = Topology> {
    random::topology(2, 2, 2).prop_filter("few CPUs", |topology| topology.cpus().len() <= 12)
}

/// A machine where all groups of a level are alike, all of it free, without offline CPUs.
fn even() -> impl Strategy<Value = Topology> {
    let shape = (1..=2_u32, 1..=2_u32, 1..=3_u32, 1..=2_u32);
    let few =
        |&(sockets, caches, cores, threads): &(u32, u32, u32, u32)| sockets * caches * cores * threads <= 12;
    shape.prop_filter("few CPUs", few).prop_map(|(sockets, caches, cores, threads)| {
        let number = |core: u32, thread: u32| thread * sockets * caches * cores + core;
        let each = (0..sockets * caches * cores).cartesian_product(0..threads);
        let cpus = each.map(|(core, thread)| {
            let (cache, socket) = (core / cores, core / cores / caches);
            Cpu { cpu: number(core, thread), core, socket, node: socket, uncore: Some(cache) }
        });
        Topology::new(cpus).unwrap()
    })
}

/// Every choice of so many CPUs.
fn choices(free: &CpuSet, count: usize) -> impl Iterator<Item = CpuSet> {
    let cpus: Vec<u32> = free.iter().collect();
    cpus.into_iter().combinations(count).map(|cpus| cpus.into_iter().collect())
}

/// The cores that these CPUs are all of.
fn owned_cores(topology: &Topology, cpus: &CpuSet) -> usize {
    topology.each(Level::Core).filter(|(_, core)| core.difference(cpus).is_empty()).count()
}

/// What is free on each node afterwards, squared and summed: with a given sum, the smaller the more even.
fn unevenness(topology: &Topology, free: &CpuSet, taken: &CpuSet) -> usize {
    let left = |(_, node): (u32, CpuSet)| node.intersection(free).difference(taken).len();
    topology.each(Level::Node).map(left).map(|left| left * left).sum()
}

proptest! {
    #[test]
    fn exactly_as_many_are_taken_and_only_of_those_that_are_free(
        asked in wanted(random::topology(3, 3, 3)),
        sorting in select(vec![Sorting::Packed, Sorting::Spread]),
        uncore in select(vec![Uncore::Ignored, Uncore::WholeCores, Uncore::AnyCount]),
        group in select(vec![None, None, Some(1_usize), Some(2), Some(4)]),
    ) {
        let (_, free, count) = &asked;
        match take(&asked, (sorting, uncore, group)) {
            Ok(cpus) => {
                prop_assert_eq!(cpus.len(), *count);
                prop_assert!(cpus.difference(free).is_empty(), "{} of {}", cpus, free);
                prop_assert_eq!(take(&asked, (sorting, uncore, group)), Ok(cpus), "always the same");
            }
            Err(error) => {
                prop_assert_eq!(error, NotEnough { requested: *count, available: free.len() });
                prop_assert!(*count > free.len());
            }
        }
    }

    #[test]
    fn what_the_machine_does_not_have_is_not_available(asked in wanted(random::topology(2, 2, 2))) {
        let (topology, free, count) = asked;
        let with_more: CpuSet = free.iter().chain([5000, 5001]).collect();
        let taken = packed(&topology, &with_more, count, Sorting::Packed, Uncore::Ignored);
        prop_assert_eq!(taken.ok(), packed(&topology, &free, count, Sorting::Packed, Uncore::Ignored).ok());
    }

    /// Whoever holds CPUs holds as many whole cores as anybody could: so whole cores stay whole for others, too.
    #[test]
    fn no_choice_owns_more_cores_where_cores_are_equal(asked in wanted(small())) {
        let (topology, free, count) = &asked;
        let equal = topology.each(Level::Core).map(|(_, core)| core.len()).all_equal();
        prop_assume!(equal && *count <= free.len());
        let taken = take(&asked, (Sorting::Packed, Uncore::Ignored, None)).unwrap();
        let best = choices(free, *count).map(|choice| owned_cores(topology, &choice)).max().unwrap();
        prop_assert_eq!(owned_cores(topology, &taken), best, "{} of {}", taken, free);
    }

    /// On an empty machine nothing touches more sockets, nodes, caches or cores than it must.
    #[test]
    fn no_choice_touches_fewer_groups_of_an_empty_machine(topology in even(), count in 0..=12_usize) {
        let free = topology.all();
        prop_assume!(count <= free.len());
        let taken = packed(&topology, free, count, Sorting::Packed, Uncore::AnyCount).unwrap();
        for level in [Level::Socket, Level::Node, Level::Uncore, Level::Core] {
            let touched = |cpus: &CpuSet| topology.groups_of(level, cpus).len();
            let best = choices(free, count).map(|choice| touched(&choice)).min().unwrap();
            prop_assert_eq!(touched(&taken), best, "{:?} {}", level, &taken);
        }
    }

    /// No equal numbers (but for one group more from some) come from fewer nodes, and of as few nodes none leave what is more even.
    /// Where nodes have unequal numbers of CPUs the kubelet reckons with their average, and may begin with more nodes than it must.
    #[test]
    fn no_division_among_nodes_is_more_even(
        asked in wanted(random::topology(2, 3, 2)),
        group in select(vec![1_usize, 2]),
    ) {
        let (topology, free, count) = asked;
        prop_assume!(count > 0 && count <= free.len() && count.is_multiple_of(group));
        prop_assume!(topology.each(Level::Node).map(|(_, node)| node.len()).all_equal());
        let nodes: Vec<usize> =
            topology.each(Level::Node).map(|(_, node)| node.intersection(&free).len()).filter(|&free| free > 0).collect();
        // Every division among k nodes, by trying all; what it leaves, squared and summed.
        let best = (1..=nodes.len()).find_map(|k| {
            let each = count / k / group * group;
            let left = |(chosen, given): (Vec<usize>, Vec<usize>)| {
                let mut left = nodes.clone();
                for (&node, given) in chosen.iter().zip(&given) {
                    left[node] = left[node].checked_sub(*given)?;
                }
                (given.iter().sum::<usize>() == count).then(|| left.iter().map(|left| left * left).sum::<usize>())
            };
            let given = || (0..k).map(|_| [each, each + group]).multi_cartesian_product();
            let all = (0..nodes.len()).combinations(k).cartesian_product(given().collect_vec());
            all.filter_map(left).min().map(|left| (k, left))
        });
        prop_assume!(best.is_some());
        let found = distributed(&topology, &free, count, NonZeroUsize::new(group).unwrap(), Sorting::Packed).unwrap();
        prop_assert!(!found.bounded);
        // With what remains given unevenly fewer nodes may do, or the rest be more even.
        let used = topology.groups_of(Level::Node, &found.cpus).len();
        let reached = (used, unevenness(&topology, &free, &found.cpus));
        prop_assert!(reached <= best.unwrap(), "{:?} against {:?}: {} of {}", reached, best, found.cpus, free);
    }
}
