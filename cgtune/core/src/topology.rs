//! Where the CPUs are: which of them share a core, a last-level cache, a socket, a memory node.
//!
//! This is what a choice of CPUs is made from ([`crate::assign`]), whether it was read from a machine or from a file about
//! one that isn't here. It holds CPUs that are online, as the kubelet's own view does (pkg/kubelet/cm/cpumanager/topology,
//! Kubernetes 1.36); what else is known of them (clocks, interrupts, kinds of cores) is a [`Machine`]'s.

mod distances;
mod machine;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{CpuSet, cpus::MAX_CPU};

pub use distances::Distances;
pub use machine::{Cache, Frequency, Kind, Machine, MachineCpu, Node};

/// A CPU and the groups it lies in. The numbers of groups are names: they may have holes, and say nothing of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cpu {
    /// Its number, as in `cpuset.cpus`.
    pub cpu: u32,
    /// Its core, unique in the machine: the lowest CPU of the core. (`core_id` of sysfs begins anew in each socket.)
    pub core: u32,
    /// Its socket (`physical_package_id`).
    pub socket: u32,
    /// Its memory node. On a machine without NUMA all are on node 0.
    pub node: u32,
    /// The group of CPUs with which it shares its last-level cache (the kubelet's "uncore"), by its lowest CPU. `None`: the machine does
    /// not show its caches.
    #[serde(default)]
    pub uncore: Option<u32>,
}

/// What CPUs are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Hardware threads of one core.
    Core,
    /// One last-level cache.
    Uncore,
    /// One memory node.
    Node,
    /// One socket.
    Socket,
}

impl Level {
    /// All, from the smallest to the largest as a rule. Nodes may hold sockets, too.
    pub const ALL: [Self; 4] = [Self::Core, Self::Uncore, Self::Node, Self::Socket];

    /// As it is called in a sentence.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Uncore => "last-level cache",
            Self::Node => "NUMA node",
            Self::Socket => "socket",
        }
    }
}

/// The CPUs of a machine and how they lie. There is at least one, and none is listed twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// Ascending by number.
    cpus: Vec<Cpu>,
    all: CpuSet,
    groups: [Groups; 4],
}

/// The groups of one level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Groups {
    /// Their numbers, ascending: what [`Groups::of`] and [`Groups::members`] count by.
    pub(crate) ids: Vec<u32>,
    /// For each CPU, in the order of [`Topology::cpus`], which group it lies in.
    pub(crate) of: Vec<usize>,
    /// For each group its CPUs, as places in [`Topology::cpus`], ascending.
    pub(crate) members: Vec<Vec<usize>>,
}

/// Why CPUs make no topology.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopologyError {
    /// There is none.
    #[error("it has no CPU")]
    Empty,
    /// A number comes twice.
    #[error("CPU {cpu} is listed twice")]
    Twice {
        /// The number.
        cpu: u32,
    },
    /// A number above [`MAX_CPU`].
    #[error("CPU {cpu} is above {MAX_CPU}, the highest number read")]
    TooHigh {
        /// The number.
        cpu: u32,
    },
    /// A node with a number above [`MAX_CPU`].
    #[error("CPU {cpu} is on NUMA node {node}, which is above {MAX_CPU}, the highest number read")]
    NodeTooHigh {
        /// The CPU.
        cpu: u32,
        /// Its node.
        node: u32,
    },
    /// A core lies in two groups of a higher level.
    #[error(
        "CPUs {first} and {second} are one core ({core}), but on {level}s {first_group} and {second_group}; is \"core\" \
         unique in the machine? (take the lowest CPU of the core)",
        level = .level.name()
    )]
    Split {
        /// The core.
        core: u32,
        /// Of what it lies in two.
        level: Level,
        /// One of its CPUs.
        first: u32,
        /// Another one.
        second: u32,
        /// Where the first lies.
        first_group: u32,
        /// Where the second lies.
        second_group: u32,
    },
}

impl Topology {
    /// Checks CPUs and sorts them into their groups.
    ///
    /// A CPU whose last-level cache is not known is grouped by its socket there, as the kubelet does
    /// (`getUncoreCacheID`, pkg/kubelet/cm/cpumanager/topology).
    ///
    /// # Errors
    /// No CPU, one that comes twice or is too high, a core in two sockets, nodes or caches.
    pub fn new(cpus: impl IntoIterator<Item = Cpu>) -> Result<Self, TopologyError> {
        let mut cpus: Vec<Cpu> = cpus.into_iter().collect();
        cpus.sort_by_key(|cpu| cpu.cpu);
        let last = cpus.last().ok_or(TopologyError::Empty)?;
        if last.cpu > MAX_CPU {
            return Err(TopologyError::TooHigh { cpu: last.cpu });
        }
        // Nodes become sets as well, for cpuset.mems.
        if let Some(Cpu { cpu, node, .. }) = cpus.iter().find(|cpu| cpu.node > MAX_CPU) {
            return Err(TopologyError::NodeTooHigh { cpu: *cpu, node: *node });
        }
        if let Some(pair) = cpus.windows(2).find(|pair| pair[0].cpu == pair[1].cpu) {
            return Err(TopologyError::Twice { cpu: pair[0].cpu });
        }
        let groups = Level::ALL.map(|level| Groups::new(&cpus, |cpu| group(cpu, level)));
        let topology = Self { all: cpus.iter().map(|cpu| cpu.cpu).collect(), cpus, groups };
        topology.check_cores()?;
        Ok(topology)
    }

    fn check_cores(&self) -> Result<(), TopologyError> {
        for core in &self.groups(Level::Core).members {
            let first = &self.cpus[core[0]];
            for second in core.iter().map(|&place| &self.cpus[place]) {
                for level in [Level::Socket, Level::Node, Level::Uncore] {
                    let (first_group, second_group) = (group(first, level), group(second, level));
                    if first_group != second_group {
                        let (core, first, second) = (first.core, first.cpu, second.cpu);
                        return Err(TopologyError::Split {
                            core,
                            level,
                            first,
                            second,
                            first_group,
                            second_group,
                        });
                    }
                }
            }
        }
        Ok(())
    }

    /// The same as the kubelet groups it: a last-level cache with as many CPUs as its node is the node's own to it, so that its CPUs are
    /// grouped by socket instead (`addCacheInfo`, cadvisor utils/sysinfo/sysinfo.go; `getUncoreCacheID`). It matters on sockets of several
    /// nodes, for the option prefer-align-cpus-by-uncorecache.
    ///
    /// # Errors
    /// As [`Topology::new`].
    pub fn as_the_kubelet_groups(&self) -> Result<Self, TopologyError> {
        let size = |level, place: usize| {
            let groups = self.groups(level);
            groups.members[groups.of[place]].len()
        };
        Self::new(self.cpus.iter().enumerate().map(|(place, &cpu)| {
            let of_node = size(Level::Uncore, place) == size(Level::Node, place);
            Cpu { uncore: cpu.uncore.filter(|_| !of_node), ..cpu }
        }))
    }

    /// The CPUs, ascending by number.
    #[must_use]
    pub fn cpus(&self) -> &[Cpu] {
        &self.cpus
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, cpu: u32) -> Option<&Cpu> {
        self.place(cpu).map(|place| &self.cpus[place])
    }

    /// Their numbers.
    #[must_use]
    pub const fn all(&self) -> &CpuSet {
        &self.all
    }

    /// How many groups of a level there are.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.groups(level).ids.len()
    }

    /// The groups of a level with the CPUs in each.
    pub fn each(&self, level: Level) -> impl Iterator<Item = (u32, CpuSet)> + '_ {
        let groups = self.groups(level);
        groups.ids.iter().zip(&groups.members).map(|(&id, members)| (id, self.numbers(members)))
    }

    /// The CPUs of one group; empty where there is no such group.
    #[must_use]
    pub fn in_group(&self, level: Level, id: u32) -> CpuSet {
        let groups = self.groups(level);
        groups.ids.binary_search(&id).map(|group| self.numbers(&groups.members[group])).unwrap_or_default()
    }

    /// The groups of a level that these CPUs lie in.
    #[must_use]
    pub fn groups_of(&self, level: Level, cpus: &CpuSet) -> Vec<u32> {
        let mut ids: Vec<u32> = cpus.iter().filter_map(|cpu| Some(group(self.get(cpu)?, level))).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// These CPUs and all others of their cores.
    #[must_use]
    pub fn whole_cores(&self, cpus: &CpuSet) -> CpuSet {
        let groups = self.groups(Level::Core);
        let places = cpus.iter().filter_map(|cpu| self.place(cpu));
        places
            .flat_map(|place| &groups.members[groups.of[place]])
            .map(|&place| self.cpus[place].cpu)
            .collect()
    }

    /// How many CPUs a group of a level has on average, rounded down; on a machine of unequal cores it is no group's size.
    /// The kubelet's `CPUsPerCore`, `CPUsPerSocket`, `CPUsPerUncore`.
    #[must_use]
    pub fn per_group(&self, level: Level) -> usize {
        self.cpus.len() / self.count(level)
    }

    pub(crate) fn groups(&self, level: Level) -> &Groups {
        &self.groups[level as usize]
    }

    /// Where a CPU stands in [`Topology::cpus`].
    pub(crate) fn place(&self, cpu: u32) -> Option<usize> {
        self.cpus.binary_search_by_key(&cpu, |cpu| cpu.cpu).ok()
    }

    fn numbers(&self, places: &[usize]) -> CpuSet {
        places.iter().map(|&place| self.cpus[place].cpu).collect()
    }
}

impl Groups {
    fn new(cpus: &[Cpu], id: impl Fn(&Cpu) -> u32) -> Self {
        let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (place, cpu) in cpus.iter().enumerate() {
            members.entry(id(cpu)).or_default().push(place);
        }
        let mut of = vec![0; cpus.len()];
        for (group, places) in members.values().enumerate() {
            places.iter().for_each(|&place| of[place] = group);
        }
        let (ids, members) = members.into_iter().unzip();
        Self { ids, of, members }
    }
}

/// The number of the group of a level that a CPU lies in.
fn group(cpu: &Cpu, level: Level) -> u32 {
    match level {
        Level::Core => cpu.core,
        Level::Uncore => cpu.uncore.unwrap_or(cpu.socket),
        Level::Node => cpu.node,
        Level::Socket => cpu.socket,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpu(cpu: u32, core: u32, socket: u32, node: u32) -> Cpu {
        Cpu { cpu, core, socket, node, uncore: None }
    }

    #[test]
    fn numbers_may_have_holes_and_come_in_any_order() {
        let topology =
            Topology::new([cpu(9, 1, 7, 3), cpu(1, 1, 7, 3), cpu(4, 4, 2, 0), cpu(6, 4, 2, 0)]).unwrap();
        assert_eq!(topology.all().to_string(), "1,4,6,9");
        assert_eq!(topology.in_group(Level::Socket, 7).to_string(), "1,9");
        assert_eq!(topology.in_group(Level::Socket, 0), CpuSet::new());
        assert_eq!(
            topology.in_group(Level::Uncore, 2).to_string(),
            "4,6",
            "by the socket, where no cache is known"
        );
        assert_eq!(topology.groups_of(Level::Node, &"4,9,77".parse().unwrap()), [0, 3]);
        assert_eq!(topology.whole_cores(&"9".parse().unwrap()).to_string(), "1,9");
        assert_eq!((topology.count(Level::Core), topology.per_group(Level::Core)), (2, 2));
    }

    #[test]
    fn the_kubelet_takes_a_nodes_own_cache_for_none() {
        // One socket of two nodes, each with its cache; and one node with two.
        let cached =
            |cpu: u32, node: u32, uncore: u32| Cpu { cpu, core: cpu, socket: 0, node, uncore: Some(uncore) };
        let of_nodes =
            Topology::new([cached(0, 0, 0), cached(1, 0, 0), cached(2, 1, 2), cached(3, 1, 2)]).unwrap();
        assert_eq!(
            (of_nodes.count(Level::Uncore), of_nodes.as_the_kubelet_groups().unwrap().count(Level::Uncore)),
            (2, 1)
        );
        let split = Topology::new([cached(0, 0, 0), cached(1, 0, 1)]).unwrap();
        assert_eq!(split.as_the_kubelet_groups().unwrap(), split);
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_numbers() {
        assert_eq!(Topology::new([]), Err(TopologyError::Empty));
        assert_eq!(Topology::new([cpu(1, 1, 0, 0), cpu(1, 1, 0, 0)]), Err(TopologyError::Twice { cpu: 1 }));
        assert_eq!(Topology::new([cpu(70_000, 0, 0, 0)]), Err(TopologyError::TooHigh { cpu: 70_000 }));
        let split = Topology::new([cpu(0, 0, 0, 0), cpu(4, 0, 1, 0)]).unwrap_err();
        assert!(
            split.to_string().starts_with("CPUs 0 and 4 are one core (0), but on sockets 0 and 1"),
            "{split}"
        );
        assert!(matches!(
            Topology::new([cpu(0, 0, 0, 0), cpu(4, 0, 0, 1)]),
            Err(TopologyError::Split { level: Level::Node, .. })
        ));
    }
}
