//! `cgtune pin plan`: for people, and in the format of `schemas/pin-1.schema.json`.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use cgtune_core::{
    CpuSet, MilliCpu, Shares,
    assign::{TRIES, Uncore, pin::Pinning},
    cpus::MAX_CPU,
    kubelet::PolicyOption,
    topology::Level,
};
use serde::Serialize;

use crate::{
    cmd::pin::plan::Plan,
    render::stat::row,
    streams::{HEADING, labelled},
};

/// Additive changes keep the number, others raise it.
const SCHEMA: &str = "cgtune.pin/1";

/// Cgroups that are named beside a plan for people.
const MOST_BESIDE: usize = 3;

/// In the order of an answer: what is written first, then what it means, then how it came about.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    cpus: CpuSet,
    mems: Option<&'a CpuSet>,
    shares: Option<u64>,
    quota_us: &'static str,
    alone: &'a CpuSet,
    shared: Option<u32>,
    requested_milli: MilliCpu,
    strategy: &'static str,
    options: Vec<&'static str>,
    cache_rule: Option<&'static str>,
    available: &'a CpuSet,
    reserved: &'a CpuSet,
    sockets: Vec<u32>,
    nodes: Vec<u32>,
    uncores: Vec<u32>,
    cores: Vec<u32>,
    bounded: bool,
    notes: Vec<Note>,
    beside: Vec<Beside>,
    command: String,
}

#[derive(Serialize)]
struct Beside {
    path: String,
    cpus: CpuSet,
}

#[derive(Serialize)]
struct Note {
    kind: &'static str,
    text: String,
}

pub(crate) fn json(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    let Pinning { alone, shared, shares, bounded, remarks, .. } = &plan.pinning;
    let cpus = plan.pinning.cpus();
    let groups = |level| plan.topology.groups_of(level, &cpus);
    let document = Document {
        schema: SCHEMA,
        mems: plan.mems.as_ref(),
        shares: shares.map(Shares::get),
        quota_us: "max",
        alone,
        shared: *shared,
        requested_milli: plan.amount,
        strategy: plan.strategy.name(),
        options: plan.options.on().map(PolicyOption::name).collect(),
        cache_rule: rule(plan),
        available: &plan.available,
        reserved: &plan.reserved,
        sockets: groups(Level::Socket),
        nodes: groups(Level::Node),
        uncores: uncores(plan, &cpus),
        cores: groups(Level::Core),
        bounded: *bounded,
        notes: remarks.iter().map(|remark| Note { kind: remark.kind(), text: remark.to_string() }).collect(),
        beside: plan
            .beside
            .iter()
            .map(|held| Beside { path: held.path.clone(), cpus: held.effective.intersection(&cpus) })
            .collect(),
        command: plan.command(),
        cpus,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

pub(crate) fn text(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    let Pinning { alone, shared, shares, bounded, remarks, .. } = &plan.pinning;
    let cpus = plan.pinning.cpus();
    let unit = match plan.amount.get() {
        ..1000 => "of a CPU",
        1000 => "CPU",
        _ => "CPUs",
    };
    writeln!(out, "{HEADING}{} {unit}: {cpus}{HEADING:#}", plan.amount)?;
    match (shared, shares) {
        (Some(cpu), Some(shares)) => {
            if !alone.is_empty() {
                row(out, "alone", &alone.to_string())?;
            }
            let part = plan.amount.get() % 1000;
            row(out, "shared", &format!("{cpu}, with {} shares for {part}m of it", shares.get()))?;
        }
        _ => row(out, "alone", &format!("all {}", cpus.len()))?,
    }
    row(out, "on", &place(plan, &cpus))?;
    match &plan.mems {
        Some(mems) => {
            row(out, "memory", &format!("NUMA node{} {mems}", if mems.len() == 1 { "" } else { "s" }))?;
        }
        None => row(out, "memory", "no node near it is known to have any")?,
    }
    row(out, "quota", "none: what is pinned and limited still stalls")?;
    row(out, "chosen", &chosen(plan))?;
    let limit = bounded.then(|| {
        format!("the search for the most even division ended after {TRIES} tries; the kubelet, which tries all, may find another one")
    });
    for note in remarks.iter().map(ToString::to_string).chain(limit) {
        labelled(out, "note", HEADING, &note)?;
    }
    for held in plan.beside.iter().take(MOST_BESIDE) {
        let text = format!("{} has CPU {} as well", held.path, held.effective.intersection(&cpus));
        labelled(out, "note", HEADING, &text)?;
    }
    if let Some(more) = plan.beside.len().checked_sub(MOST_BESIDE).filter(|&more| more > 0) {
        labelled(
            out,
            "note",
            HEADING,
            &format!("and so have {more} more cgroups: cgtune topology shows all"),
        )?;
    }
    writeln!(out, "{HEADING}apply it{HEADING:#} (TARGET: a container, pod or cgroup)")?;
    // On one line, however long: it is there to be copied, and its beginning alone would pin with the quota.
    writeln!(out, "  {}", plan.command())
}

/// The last-level caches of these CPUs, as far as they are known.
fn uncores(plan: &Plan, cpus: &CpuSet) -> Vec<u32> {
    let known = cpus.iter().filter_map(|cpu| plan.topology.get(cpu)?.uncore);
    known.collect::<BTreeSet<u32>>().into_iter().collect()
}

/// The release whose rule for parts of caches was taken. `None`: caches made no difference.
fn rule(plan: &Plan) -> Option<&'static str> {
    plan.options.prefer_align_cpus_by_uncorecache.then_some(match plan.uncore {
        Uncore::AnyCount => "1.34",
        Uncore::WholeCores | Uncore::Ignored => "1.32",
    })
}

/// Where the CPUs lie.
fn place(plan: &Plan, cpus: &CpuSet) -> String {
    let topology = &plan.topology;
    let cores: Vec<CpuSet> = topology
        .each(Level::Core)
        .map(|(_, core)| core)
        .filter(|core| !core.intersection(cpus).is_empty())
        .collect();
    let whole = cores.iter().filter(|core| core.is_subset(cpus)).count();
    let parts = cores.len() - whole;
    let counted = |count: usize, of: &str| format!("{count} {of}{}", if count == 1 { "" } else { "s" });
    let list = |level: Level| {
        let groups = topology.groups_of(level, cpus);
        let plural = if groups.len() == 1 { "" } else { "s" };
        // A socket may have a number that no CPU has.
        let names = match groups.iter().all(|&group| group <= MAX_CPU) {
            true => groups.iter().copied().collect::<CpuSet>().to_string(),
            false => groups.iter().map(u32::to_string).collect::<Vec<_>>().join(","),
        };
        format!("{}{plural} {names}", level.name())
    };
    let mut found = Vec::new();
    if whole > 0 {
        found.push(counted(whole, "whole core"));
    }
    if parts > 0 {
        found.push(format!("{} of {}", if parts == 1 { "part" } else { "parts" }, counted(parts, "core")));
    }
    format!("{}; {}, {}", found.join(" and "), list(Level::Socket), list(Level::Node))
}

/// From what and how.
fn chosen(plan: &Plan) -> String {
    let mut text = format!("{}, from {}", plan.strategy.name(), plan.available);
    if !plan.reserved.is_empty() {
        text.push_str(&format!(" ({} reserved)", plan.reserved));
    }
    for option in plan.options.on() {
        text.push_str(&format!(", {option}"));
    }
    match (rule(plan), plan.kubernetes) {
        (None, _) => {}
        (Some(_), Some(release)) => text.push_str(&format!(" (as Kubernetes {release})")),
        (Some(rule), None) => text.push_str(&format!(" (as Kubernetes {rule}; --kubernetes says which)")),
    }
    text
}
