//! `cgtune topology` for people: a line or two for each group of CPUs, groups that are alike together.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use cgtune_core::{
    CpuSet, Topology,
    topology::{Frequency, Kind, Level, Machine, Node},
};

use super::shape::{self, CacheBox, Cores, NodeBox, SocketBox};
use crate::{
    cmd::topology::Holder,
    render::{paragraph, resident, stat::name},
    streams::HEADING,
};

/// Cgroups that are shown; the others are counted.
const MOST_HOLDERS: usize = 20;
/// Cores of a group that are shown one by one; of more the first, the second and the last.
const MOST_CORES: usize = 8;
/// Nodes whose distances fit.
const MOST_NODES: usize = 16;
/// Where what is said of a word begins.
const COLUMN: usize = 14;

pub(crate) fn write(
    machine: &Machine,
    topology: &Topology,
    holders: Option<&[Holder]>,
    out: &mut dyn Write,
) -> io::Result<()> {
    summary(machine, topology, out)?;
    for socket in shape::sockets(machine, topology) {
        self::socket(&socket, out)?;
    }
    for node in shape::without_cpus(machine) {
        line(2, &format!("node {}, {}, no CPUs", node.node, memory(node)), out)?;
    }
    lists(machine, out)?;
    clocks(machine, out)?;
    interrupts(machine, out)?;
    distances(machine, out)?;
    if let Some(holders) = holders {
        self::holders(holders, out)?;
    }
    for note in &machine.notes {
        said("note", note, out)?;
    }
    Ok(())
}

/// `1 socket`, `2 sockets`.
fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{}{plural}", [grouped(number as u64), what.to_owned()].join(" "))
}

fn grouped(number: u64) -> String {
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

fn summary(machine: &Machine, topology: &Topology, out: &mut dyn Write) -> io::Result<()> {
    let mut parts = vec![
        count(topology.count(Level::Core), "core"),
        count(topology.count(Level::Socket), "socket"),
        count(topology.count(Level::Node).max(machine.nodes.len()), "memory node"),
    ];
    if machine.cpus.iter().all(|cpu| cpu.uncore.is_some()) {
        parts.insert(1, count(topology.count(Level::Uncore), "last-level cache"));
    }
    let text = format!("{} online: {}", count(topology.all().len(), "CPU"), parts.join(", "));
    for text in paragraph::wrap(&text, paragraph::WIDTH) {
        writeln!(out, "{HEADING}{text}{HEADING:#}")?;
    }
    Ok(())
}

/// A text set in, with its further lines two deeper.
fn line(indent: usize, text: &str, out: &mut dyn Write) -> io::Result<()> {
    for (place, text) in paragraph::wrap(&breakable(text), paragraph::WIDTH - indent - 2).iter().enumerate() {
        let deeper = if place == 0 { indent } else { indent + 2 };
        writeln!(out, "{:deeper$}{}", "", joined(text))?;
    }
    Ok(())
}

/// A word of the left column and what is said of it.
fn said(word: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    let room = paragraph::WIDTH - COLUMN;
    for (place, text) in paragraph::wrap(&breakable(text), room).iter().enumerate() {
        let word = if place == 0 { word } else { "" };
        writeln!(out, "{word:<COLUMN$}{}", joined(text))?;
    }
    Ok(())
}

/// Long lists of CPUs may be broken behind a comma.
fn breakable(text: &str) -> String {
    const LONG: usize = 40;
    let broken =
        |word: &str| if word.len() > LONG { word.replace(',', ",\u{2063} ") } else { word.to_owned() };
    text.split(' ').map(broken).collect::<Vec<_>>().join(" ")
}

/// Takes the places back at which a list might have been broken and was not.
fn joined(text: &str) -> String {
    text.replace("\u{2063} ", "").replace('\u{2063}', "")
}

fn socket(socket: &SocketBox<'_>, out: &mut dyn Write) -> io::Result<()> {
    line(0, &format!("socket {}: CPUs {}", socket.number, socket.cpus), out)?;
    for node in &socket.nodes {
        self::node(node, out)?;
    }
    Ok(())
}

fn memory(node: &Node) -> String {
    match node.memory_bytes {
        None => "memory not shown".to_owned(),
        Some(0) => "no memory".to_owned(),
        Some(bytes) => size(bytes),
    }
}

/// `32 KiB`, `256 GiB`.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = bytes as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        (value, unit) = (value / 1024.0, unit + 1);
    }
    let digits = usize::from(value < 10.0 && value.fract() > 0.05);
    format!("{value:.digits$} {}", UNITS[unit])
}

fn node(node: &NodeBox<'_>, out: &mut dyn Write) -> io::Result<()> {
    let memory = node.node.map_or_else(String::new, |node| format!(", {}", memory(node)));
    let part = if node.is_part { ", with CPUs of other sockets" } else { "" };
    line(2, &format!("node {}{memory}{part}: CPUs {}", node.number, node.cpus), out)?;
    for alike in node.caches.chunk_by(CacheBox::is_like) {
        caches(alike, out)?;
    }
    Ok(())
}

/// Caches that are alike.
fn caches(alike: &[CacheBox], out: &mut dyn Write) -> io::Result<()> {
    let Some(first) = alike.first() else { return Ok(()) };
    let indent = match first.cache {
        None => 4,
        Some(cache) => {
            let level = if cache.level == 0 { "cache".to_owned() } else { format!("L{}", cache.level) };
            let size = cache.size_bytes.map_or_else(String::new, |bytes| format!(" {}", size(bytes)));
            let part = if first.is_part { ", shared with CPUs elsewhere" } else { "" };
            let times = if alike.len() > 1 { format!("{} × ", alike.len()) } else { String::new() };
            let cpus: Vec<String> = alike.iter().map(|cache| cache.cpus.to_string()).collect();
            line(
                4,
                &format!("{times}{level}{size}{part}: CPUs {}", cpus.join("  ").replace("  ", " | ")),
                out,
            )?;
            6
        }
    };
    for cores in &first.cores {
        line(indent, &self::cores(cores, alike.len() > 1), out)?;
    }
    Ok(())
}

/// `8 big cores of 2 threads: 0,8 1,9 … 7,15`.
fn cores(cores: &Cores, in_each: bool) -> String {
    let kind = cores.kind.map_or_else(String::new, |kind| format!("{} ", kind.name()));
    let (each, such) = if in_each { (" in each", ", such as") } else { ("", ":") };
    let what = count(cores.each.len(), &format!("{kind}core"));
    if cores.threads == 1 {
        let all: CpuSet = cores.each.iter().flat_map(CpuSet::iter).collect();
        // The line above lists the CPUs of all.
        let cpus = if cores.kind.is_some() { format!("{such} {all}") } else { String::new() };
        return format!("{what}{each}{cpus}");
    }
    let shown: Vec<String> = match cores.each.as_slice() {
        [first, second, .., last] if cores.each.len() > MOST_CORES => {
            vec![first.to_string(), second.to_string(), "…".to_owned(), last.to_string()]
        }
        few => few.iter().map(ToString::to_string).collect(),
    };
    format!("{what} of {} threads{each}{such} {}", cores.threads, shown.join(" "))
}

fn lists(machine: &Machine, out: &mut dyn Write) -> io::Result<()> {
    let smt = machine.smt_control.as_deref().map(|state| match state {
        "on" => "on".to_owned(),
        "off" => "off: of each core one thread is online".to_owned(),
        "forceoff" => "off for good (forceoff)".to_owned(),
        "notsupported" => "cores have one thread (notsupported)".to_owned(),
        "notimplemented" => "this kernel cannot switch it (notimplemented)".to_owned(),
        other => format!("up to {other} threads a core"),
    });
    for (word, list) in
        [("offline", &machine.offline), ("isolated", &machine.isolated), ("no tick", &machine.nohz_full)]
    {
        if let Some(cpus) = list.as_ref().filter(|cpus| !cpus.is_empty()) {
            said(word, &format!("CPUs {cpus}"), out)?;
        }
    }
    for kind in [Kind::Big, Kind::Middle, Kind::Little] {
        let cpus = machine.of_kind(kind);
        if !cpus.is_empty() {
            said(kind.name(), &format!("CPUs {cpus}"), out)?;
        }
    }
    smt.map_or(Ok(()), |smt| said("SMT", &smt, out))
}

fn clocks(machine: &Machine, out: &mut dyn Write) -> io::Result<()> {
    let mut clocks: BTreeMap<Frequency, CpuSet> = BTreeMap::new();
    for cpu in &machine.cpus {
        if let Some(frequency) = cpu.frequency {
            clocks.entry(frequency).or_default().insert(cpu.cpu);
        }
    }
    for (place, (frequency, cpus)) in clocks.iter().rev().enumerate() {
        let word = if place == 0 { "clock" } else { "" };
        said(word, &format!("{}: CPUs {cpus}", clock(*frequency)), out)?;
    }
    Ok(())
}

fn clock(frequency: Frequency) -> String {
    let ghz = |khz: u64| format!("{:.2}", khz as f64 / 1e6);
    let range = |low: Option<u64>, high: Option<u64>| match (low, high) {
        (Some(low), Some(high)) => Some(format!("{} to {} GHz", ghz(low), ghz(high))),
        (None, Some(high)) => Some(format!("up to {} GHz", ghz(high))),
        (Some(low), None) => Some(format!("from {} GHz", ghz(low))),
        (None, None) => None,
    };
    let can = range(frequency.min_khz, frequency.max_khz);
    let may = range(frequency.limit_min_khz, frequency.limit_max_khz);
    match (can, may) {
        (Some(can), Some(may)) if can != may => format!("{can}, held at {may}"),
        (Some(range), _) | (None, Some(range)) => range,
        (None, None) => "not shown".to_owned(),
    }
}

fn interrupts(machine: &Machine, out: &mut dyn Write) -> io::Result<()> {
    let heavy = machine.interrupt_heavy();
    let of = |cpus: Option<&CpuSet>| -> u64 {
        let counted = machine.cpus.iter().filter(|cpu| cpus.is_none_or(|cpus| cpus.contains(cpu.cpu)));
        counted.filter_map(|cpu| cpu.interrupts).fold(0, u64::saturating_add)
    };
    let (all, theirs) = (of(None), of(Some(&heavy)));
    if machine.cpus.iter().all(|cpu| cpu.interrupts.is_none()) {
        return Ok(());
    }
    let rate = |count: u64| match machine.interrupts_ms.filter(|ms| *ms > 0) {
        Some(ms) => format!("{:.0} a second", count as f64 * 1e3 / ms as f64),
        None => grouped(count),
    };
    let text = match heavy.is_empty() {
        true => format!("{} from devices, no CPU takes many more than the others", rate(all)),
        false => format!(
            "CPUs {heavy} take {:.0} % of those from devices, {} of {}",
            100.0 * theirs as f64 / all.max(1) as f64,
            rate(theirs),
            rate(all)
        ),
    };
    said("interrupts", &text, out)
}

fn distances(machine: &Machine, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<(u32, &Vec<u32>)> =
        machine.nodes.iter().filter_map(|node| Some((node.node, node.distances.as_ref()?))).collect();
    if rows.len() < 2 {
        return Ok(());
    }
    if rows.len() > MOST_NODES {
        let others = rows.iter().flat_map(|(_, row)| row.iter()).filter(|distance| **distance != 10);
        let (low, high) = others.fold((u32::MAX, 0), |(low, high), d| (low.min(*d), high.max(*d)));
        return said("distances", &format!("{low} to {high} between nodes; all with --json"), out);
    }
    let cells = |row: &mut dyn Iterator<Item = u32>| row.map(|cell| format!("{cell:>4}")).collect::<String>();
    said("distances", "", out)?;
    writeln!(out, "{:>8}{}", "node", cells(&mut machine.nodes.iter().map(|node| node.node)))?;
    for (node, row) in rows {
        writeln!(out, "{node:>8}{}", cells(&mut row.iter().copied()))?;
    }
    Ok(())
}

fn holders(holders: &[Holder], out: &mut dyn Write) -> io::Result<()> {
    if holders.is_empty() {
        return line(0, "no cgroup has CPUs of its own", out);
    }
    writeln!(out, "{HEADING}cgroups with CPUs of their own{HEADING:#}")?;
    for Holder { cpuset, resident } in holders.iter().take(MOST_HOLDERS) {
        let title = resident::title(resident, &cpuset.path).unwrap_or_else(|| name(&cpuset.path).to_string());
        line(2, &title, out)?;
        let mut text = format!("CPUs {}", cpuset.effective);
        if !cpuset.cpus.is_empty() && cpuset.cpus != cpuset.effective {
            text += &format!(" of {} that it asks for", cpuset.cpus);
        }
        if let Some(partition) = cpuset.partition.as_ref().filter(|state| *state != "member") {
            text += &format!(", partition: {partition}");
        }
        if let Some(processes) = cpuset.processes {
            let es = if processes == 1 { "" } else { "es" };
            text += &format!(", {processes} process{es}");
        }
        line(6, &text, out)?;
    }
    match holders.len().saturating_sub(MOST_HOLDERS) {
        0 => Ok(()),
        more => line(2, &format!("and {more} more: --json lists all"), out),
    }
}
