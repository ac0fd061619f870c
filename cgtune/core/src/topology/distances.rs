//! How far memory nodes are from each other.

use std::collections::BTreeMap;

use super::Machine;

/// Distances between the nodes that have CPUs, as firmware tells them (ACPI SLIT): 10 is a node's own memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distances {
    /// By both nodes' numbers.
    between: BTreeMap<(u32, u32), u32>,
}

impl Distances {
    /// Of a machine. `None`: one of its nodes with CPUs does not show them all, or there are less than two.
    pub(super) fn of(machine: &Machine) -> Option<Self> {
        let mut between = BTreeMap::new();
        let with_cpus = || machine.nodes.iter().enumerate().filter(|(_, node)| !node.cpus.is_empty());
        for (_, from) in with_cpus() {
            let row = from.distances.as_ref()?;
            for (place, to) in with_cpus() {
                between.insert((from.node, to.node), *row.get(place)?);
            }
        }
        (between.len() > 1).then_some(Self { between })
    }

    /// All distances among these nodes together, each counted both ways and to itself; what `CalculateAverageFor` divides
    /// (pkg/kubelet/cm/topologymanager/numa_info.go). Of as many nodes the smaller sum is the smaller average.
    #[must_use]
    pub fn sum(&self, nodes: &[u32]) -> u64 {
        let pairs = nodes.iter().flat_map(|&from| nodes.iter().map(move |&to| (from, to)));
        pairs.filter_map(|pair| self.between.get(&pair)).map(|&far| u64::from(far)).sum()
    }

    /// The nearest and the farthest two of these nodes. `None`: there are not two of them.
    #[must_use]
    pub fn extremes(&self, nodes: &[u32]) -> Option<(u32, u32)> {
        let known = |node: &u32| nodes.contains(node);
        let apart = self.between.iter().filter(|((from, to), _)| from != to && known(from) && known(to));
        let apart: Vec<u32> = apart.map(|(_, far)| *far).collect();
        Some((*apart.iter().min()?, *apart.iter().max()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Node;

    #[test]
    fn nodes_without_cpus_are_passed_over_and_what_is_not_shown_is_not_known() {
        let node = |node: u32, cpus: &str, row: &[u32]| Node {
            node,
            cpus: cpus.parse().unwrap(),
            memory_bytes: None,
            distances: Some(row.to_vec()),
        };
        let mut machine = Machine {
            nodes: vec![node(0, "0", &[10, 12, 30]), node(1, "", &[12, 10, 5]), node(4, "1", &[31, 5, 10])],
            ..Machine::default()
        };
        let distances = Distances::of(&machine).unwrap();
        assert_eq!((distances.sum(&[0, 4]), distances.sum(&[4])), (81, 10));
        assert_eq!((distances.extremes(&[0, 1, 4]), distances.extremes(&[0, 1])), (Some((30, 31)), None));
        machine.nodes[2].distances = Some(vec![31]);
        assert_eq!(Distances::of(&machine), None);
        machine.nodes[2].distances = None;
        assert_eq!(Distances::of(&machine), None);
    }
}
