//! Short texts that the picture and the text have in common.

use cgtune_core::{
    CpuSet, Topology,
    topology::{Level, Machine, Node},
};
use cgtune_node::description::Holder;

use super::shape::{CacheBox, NodeBox};

/// `1 socket`, `2 sockets`.
pub(super) fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{}{plural}", [grouped(number as u64), what.to_owned()].join(" "))
}

/// `CPU 3`, `CPUs 3-4`.
pub(super) fn named(cpus: &CpuSet) -> String {
    format!("CPU{} {cpus}", if cpus.len() == 1 { "" } else { "s" })
}

pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `0-3,7`, of CPUs in ascending order. A [`CpuSet`] is as long as its highest number, which adds up where there is one for each core.
pub(super) fn list(cpus: &[u32]) -> String {
    let runs = cpus.chunk_by(|one, next| one.checked_add(1) == Some(*next)).map(|run| match run {
        [first, .., last] => format!("{first}-{last}"),
        _ => run.iter().map(ToString::to_string).collect(),
    });
    runs.collect::<Vec<_>>().join(",")
}

/// What the machine is in one line.
pub(super) fn summary(machine: &Machine, topology: &Topology) -> String {
    let mut parts = vec![
        count(topology.count(Level::Core), "core"),
        count(topology.count(Level::Socket), "socket"),
        count(topology.count(Level::Node).max(machine.nodes.len()), "memory node"),
    ];
    if machine.cpus.iter().all(|cpu| cpu.uncore.is_some()) {
        parts.insert(1, count(topology.count(Level::Uncore), "last-level cache"));
    }
    format!("{} online: {}", count(topology.all().len(), "CPU"), parts.join(", "))
}

/// How much memory a node has.
pub(super) fn memory(node: &Node) -> String {
    match node.memory_bytes {
        None => "memory not shown".to_owned(),
        Some(0) => "no memory".to_owned(),
        Some(bytes) => size(bytes),
    }
}

/// `32 KiB`, `256 GiB`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        (value, unit) = (value / 1024.0, unit + 1);
    }
    let digits = usize::from(value < 10.0 && value.fract() > 0.05);
    format!("{value:.digits$} {}", UNITS[unit])
}

/// `node 0, 16 GiB`.
pub(super) fn node(node: &NodeBox<'_>) -> String {
    let memory = node.node.map_or_else(String::new, |node| format!(", {}", memory(node)));
    let part = if node.is_part { ", with CPUs of other sockets" } else { "" };
    format!("node {}{memory}{part}", node.number)
}

/// `L3 32 MiB`. `None`: caches are not shown.
pub(super) fn cache(cache: &CacheBox) -> Option<String> {
    let shown = cache.cache?;
    let level = if shown.level == 0 { "last-level cache".to_owned() } else { format!("L{}", shown.level) };
    let size = shown.size_bytes.map_or_else(String::new, |bytes| format!(" {}", size(bytes)));
    let part = if cache.is_part { ", shared with CPUs elsewhere" } else { "" };
    Some(format!("{level}{size}{part}"))
}

/// What a cgroup holds: `CPUs 2-3 of 2-5 that it asks for, partition: root, 4 processes`.
pub(super) fn holder(holder: &Holder) -> String {
    let mut text = named(&holder.effective);
    if !holder.cpus.is_empty() && holder.cpus != holder.effective {
        text += &format!(" of {} that it asks for", holder.cpus);
    }
    if let Some(partition) = holder.partition.as_ref().filter(|_| holder.is_partition()) {
        text += &format!(", partition: {partition}");
    }
    if let Some(processes) = holder.processes {
        let es = if processes == 1 { "" } else { "es" };
        text += &format!(", {processes} process{es}");
    }
    text
}
