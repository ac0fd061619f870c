//! `cgtune topology` for people: a line or two for each group of CPUs, groups that are alike together.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use cgtune_core::{
    CpuSet, Topology,
    text::Escaped,
    topology::{Frequency, Kind, Machine},
};
use cgtune_node::description::Holder;

use super::{
    shape::{self, CacheBox, Cores, NodeBox, SocketBox},
    words::{self, count, grouped, list, memory, named},
};
use crate::{render::paragraph, streams::HEADING};

/// Cgroups that are shown; the others are counted.
const MOST_HOLDERS: usize = 20;
/// Cores of a group that are shown one by one; of more the first, the second and the last.
const MOST_CORES: usize = 4;
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
    for text in paragraph::wrap(&words::summary(machine, topology), paragraph::WIDTH) {
        writeln!(out, "{HEADING}{text}{HEADING:#}")?;
    }
    for socket in shape::sockets(machine) {
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

/// Long lists of CPUs may be broken behind a comma. What a file says may hold anything, and is made safe to show.
fn breakable(text: &str) -> String {
    const LONG: usize = 40;
    let text = Escaped(text.as_bytes()).to_string();
    let broken =
        |word: &str| if word.len() > LONG { word.replace(',', ",\u{2063} ") } else { word.to_owned() };
    text.split(' ').map(broken).collect::<Vec<_>>().join(" ")
}

/// Takes the places back at which a list might have been broken and was not.
fn joined(text: &str) -> String {
    text.replace("\u{2063} ", "").replace('\u{2063}', "")
}

fn socket(socket: &SocketBox<'_>, out: &mut dyn Write) -> io::Result<()> {
    line(0, &format!("socket {}: {}", socket.number, named(&socket.cpus)), out)?;
    for node in &socket.nodes {
        self::node(node, out)?;
    }
    Ok(())
}

fn node(node: &NodeBox<'_>, out: &mut dyn Write) -> io::Result<()> {
    line(2, &format!("{}: {}", words::node(node), named(&node.cpus)), out)?;
    for alike in node.caches.chunk_by(CacheBox::is_like) {
        caches(alike, out)?;
    }
    Ok(())
}

/// Caches that are alike.
fn caches(alike: &[CacheBox], out: &mut dyn Write) -> io::Result<()> {
    let Some(first) = alike.first() else { return Ok(()) };
    let indent = match words::cache(first) {
        None => 4,
        Some(cache) => {
            let cpus: Vec<String> = alike.iter().map(|cache| list(&cache.cpus)).collect();
            let text = match alike {
                [only] => format!("{cache}: {}", named(&only.cpus.iter().copied().collect())),
                several => format!("{} × {cache}: CPUs {}", several.len(), cpus.join(" | ")),
            };
            line(4, &text, out)?;
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
        let all: CpuSet = cores.each.iter().flatten().copied().collect();
        // The line above lists the CPUs of all.
        let cpus = if cores.kind.is_some() { format!("{such} {all}") } else { String::new() };
        return format!("{what}{each}{cpus}");
    }
    let shown: Vec<String> = match cores.each.as_slice() {
        [first, second, .., last] if cores.each.len() > MOST_CORES => {
            vec![list(first), list(second), "…".to_owned(), list(last)]
        }
        few => few.iter().map(|cpus| list(cpus)).collect(),
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
            said(word, &named(cpus), out)?;
        }
    }
    for kind in [Kind::Big, Kind::Middle, Kind::Little] {
        let cpus = machine.of_kind(kind);
        if !cpus.is_empty() {
            said(kind.name(), &named(&cpus), out)?;
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
        said(word, &format!("{}: {}", clock(*frequency), named(cpus)), out)?;
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
    let text = match heavy.len() {
        0 => format!("{} from devices, no CPU takes many more than the others", rate(all)),
        several => format!(
            "{} take{} {:.0} % of those from devices: {} of {}",
            named(&heavy),
            if several == 1 { "s" } else { "" },
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
    writeln!(out, "distances")?;
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
    for holder in holders.iter().take(MOST_HOLDERS) {
        line(2, holder.title(), out)?;
        line(6, &words::holder(holder), out)?;
    }
    match holders.len().saturating_sub(MOST_HOLDERS) {
        0 => Ok(()),
        more => line(2, &format!("and {more} more: --json lists all"), out),
    }
}
