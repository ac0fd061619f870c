//! As few groups as possible: whole nodes and sockets, then caches, then cores, then single CPUs from where little is left.

use crate::{CpuSet, Topology, topology::Level};

use super::{NotEnough, Sorting, Uncore, free::Free};

/// Takes `count` of the available CPUs (`takeByTopologyNUMAPacked`).
///
/// # Errors
/// There are fewer than that.
///
/// ```
/// use cgtune_core::{Topology, assign::{Sorting, Uncore, packed}, topology::Cpu};
///
/// // Two cores of two threads each; 0 is taken, so its sibling goes before a core is broken up.
/// let cpu = |cpu| Cpu { cpu, core: cpu % 2, socket: 0, node: 0, uncore: Some(0) };
/// let topology = Topology::new((0..4).map(cpu))?;
/// let one = packed(&topology, &"1-3".parse()?, 1, Sorting::Packed, Uncore::Ignored)?;
/// assert_eq!(one.to_string(), "2");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn packed(
    topology: &Topology,
    available: &CpuSet,
    count: usize,
    sorting: Sorting,
    uncore: Uncore,
) -> Result<CpuSet, NotEnough> {
    let mut free = Free::new(topology, available, count);
    if free.len() < count {
        return Err(NotEnough { requested: count, available: available.len() });
    }
    let order = Order::of(topology);
    let (first, second) = order.levels();
    take_groups(&mut free, order, first);
    take_groups(&mut free, order, second);
    if uncore != Uncore::Ignored {
        take_uncore(&mut free, order, uncore == Uncore::AnyCount);
    }
    if sorting == Sorting::Packed {
        take_groups(&mut free, order, Level::Core);
    }
    take_single(&mut free, order, sorting);
    Ok(free.into_taken())
}

/// Which of nodes and sockets hold the other (`numaOrSocketsFirst`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    NodesFirst,
    SocketsFirst,
}

impl Order {
    pub(super) fn of(topology: &Topology) -> Self {
        match topology.count(Level::Socket) >= topology.count(Level::Node) {
            true => Self::NodesFirst,
            false => Self::SocketsFirst,
        }
    }

    const fn levels(self) -> (Level, Level) {
        match self {
            Self::NodesFirst => (Level::Node, Level::Socket),
            Self::SocketsFirst => (Level::Socket, Level::Node),
        }
    }

    /// The groups of a level that have a free CPU, those with few of them first: nested as the levels are.
    pub(super) fn sorted(self, free: &Free<'_>, level: Level) -> Vec<usize> {
        let (outer, inner) = self.levels();
        let around = match level {
            _ if level == outer => return free.sorted(outer),
            Level::Node | Level::Socket => outer,
            Level::Uncore => Level::Node,
            Level::Core => inner,
        };
        free.sorted_inside(around, &self.sorted(free, around), level)
    }
}

/// Whole groups, where as many as that are still needed.
fn take_groups(free: &mut Free<'_>, order: Order, level: Level) {
    let mut groups = order.sorted(free, level);
    // Upstream asks nodes and caches for their own size, but sockets and cores for the average one.
    if matches!(level, Level::Socket | Level::Core) {
        let average = free.topology().per_group(level);
        groups.retain(|&group| free.count(level, group) == average);
    }
    free.take_whole(level, groups);
}

/// Whole last-level caches, then a part of one where that is all that is still needed (`takeUncoreCache`).
fn take_uncore(free: &mut Free<'_>, order: Order, odd: bool) {
    let average = free.topology().per_group(Level::Uncore);
    let groups = order.sorted(free, Level::Uncore);
    // Upstream does so again before each part. What was too large or not whole the first time is so the second time.
    if free.needed() >= average {
        free.take_whole(Level::Uncore, groups.iter().copied());
    }
    for uncore in groups {
        if free.is_satisfied() {
            return;
        }
        take_part_of_uncore(free, uncore, odd);
    }
}

/// What is needed from the cores with the lowest numbers in a cache, if that is exactly what they have.
fn take_part_of_uncore(free: &mut Free<'_>, uncore: usize, odd: bool) {
    let topology = free.topology();
    let per_core = topology.per_group(Level::Core);
    let of_core = |place: usize| topology.groups(Level::Core).of[place];
    let mut cores: Vec<usize> = free.places(Level::Uncore, uncore).map(of_core).collect();
    cores.sort_unstable();
    cores.dedup();
    cores.truncate(if odd { free.needed().div_ceil(per_core) } else { free.needed() / per_core });
    let mut places: Vec<usize> = cores.iter().flat_map(|&core| free.places(Level::Core, core)).collect();
    places.sort_unstable();
    if odd && !free.needed().is_multiple_of(2) && per_core > 1 && places.len() > free.needed() {
        places.pop();
    }
    if places.len() == free.needed() {
        free.take(places);
    }
}

/// Single CPUs, one after the other.
fn take_single(free: &mut Free<'_>, order: Order, sorting: Sorting) {
    let level = match sorting {
        Sorting::Packed => Level::Core,
        Sorting::Spread => Level::Socket,
    };
    let groups = order.sorted(free, level);
    let places: Vec<usize> =
        groups.into_iter().flat_map(|group| free.places(level, group)).take(free.needed()).collect();
    free.take(places);
}
