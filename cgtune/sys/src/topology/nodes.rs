//! Memory nodes (`/sys/devices/system/node`), those without CPUs or memory too. Without NUMA all CPUs are on node 0.

use std::collections::BTreeMap;

use cgtune_core::{
    CpuSet,
    parse::node,
    topology::{Machine, Node},
};

use super::{MachineError, files::Files};

const NODES: &str = "/sys/devices/system/node";

pub(super) fn read(files: &Files<'_>, machine: &mut Machine) -> Result<(), MachineError> {
    let shown = match files.list(&format!("{NODES}/online"))? {
        Some(online) => online,
        None => numbered(files),
    };
    let memory = files.list(&format!("{NODES}/has_memory"))?;
    let online = machine.online();
    let mut of: BTreeMap<u32, u32> = BTreeMap::new();
    let mut twice = CpuSet::new();
    for number in shown.iter() {
        let folder = format!("{NODES}/node{number}");
        let Some(cpus) = files.list(&format!("{folder}/cpulist"))? else {
            machine.notes.push(format!(
                "node {number} is online, but there is no {}",
                files.shown(&format!("{folder}/cpulist"))
            ));
            continue;
        };
        let cpus = cpus.intersection(&online);
        for cpu in cpus.iter() {
            if of.contains_key(&cpu) {
                twice.insert(cpu);
            }
            of.entry(cpu).or_insert(number);
        }
        let memory_bytes = match &memory {
            Some(memory) if !memory.contains(number) => Some(0),
            _ => files.aside(&format!("{folder}/meminfo"), node::memory_bytes),
        };
        let distances = files.aside(&format!("{folder}/distance"), node::distances);
        machine.nodes.push(Node { node: number, cpus, memory_bytes, distances });
    }
    for cpu in &mut machine.cpus {
        cpu.node = of.get(&cpu.cpu).copied().unwrap_or(0);
    }
    // numa=fake makes such nodes.
    if !twice.is_empty() {
        machine.notes.push(format!("CPUs {twice} are listed by several memory nodes; the first counts"));
    }
    let homeless: CpuSet = online.iter().filter(|cpu| !of.contains_key(cpu)).collect();
    if machine.nodes.is_empty() {
        machine.notes.push("it shows no memory nodes; its CPUs are shown as on node 0".to_owned());
    } else if !homeless.is_empty() {
        machine.notes.push(format!("CPUs {homeless} are on no memory node; they are shown as on node 0"));
    }
    check_distances(machine);
    Ok(())
}

/// A row that is not as long as there are nodes says nothing of which is meant.
fn check_distances(machine: &mut Machine) {
    let count = machine.nodes.len();
    let mut odd = CpuSet::new();
    for node in &mut machine.nodes {
        if node.distances.as_ref().is_some_and(|row| row.len() != count) {
            node.distances = None;
            odd.insert(node.node);
        }
    }
    if !odd.is_empty() {
        machine.notes.push(format!(
            "the distances of nodes {odd} are left out: there are not as many as the {count} nodes that are shown"
        ));
    }
}

/// The nodes with a folder, where no list says which are online.
fn numbered(files: &Files<'_>) -> CpuSet {
    let names = files.host().list(NODES).unwrap_or_default();
    names.iter().filter_map(|name| name.to_str()?.strip_prefix("node")?.parse().ok()).collect()
}
