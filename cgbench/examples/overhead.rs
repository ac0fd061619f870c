//! What the instrument costs: the same load with everything written down while it runs, and with nothing.
//!
//! ```text
//! cgbench run overhead --out results/overhead
//! cargo run --release -p cgbench --example overhead -- results/overhead
//! ```
//!
//! Repetition by repetition, as both have the same pictures: the load's CPU time (of its cgroup, the reports included) and its
//! latency with the instrument over those without; what cgbench itself used, by the clock of its process, with it and without; and how
//! much more of the machine others used, by the ticks of /proc/stat.

#![allow(clippy::print_stdout, reason = "its answer")]

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context as _, ensure};
use cgbench::{
    plan::Condition,
    record::{Block, Records},
    stats::{Level, median_interval, quantile},
    store,
};

fn main() -> anyhow::Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).context("usage: overhead DIR")?);
    let read = |point: &str| store::read(&folder.join(point)).with_context(|| format!("the point {point}"));
    let (full, bare) = (read("instrument-full")?, read("instrument-bare")?);
    let cpus = full.machine.online_cpus.len() as f64;
    println!(
        "| policy | blocks | load's CPU time | p50 | p95 | cgbench, % of a CPU | without | others by ticks, % of a CPU more |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for &condition in &full.plan.conditions {
        let pairs = pairs(&full, &bare, condition);
        ensure!(!pairs.is_empty(), "no repetition of {condition} is in both points");
        let ratio = |of: fn(&Block) -> Option<f64>| {
            over_blocks(pairs.iter().filter_map(|(full, bare)| Some(of(full)? / of(bare)?)), 1.0, 4)
        };
        let beside = pairs.iter().filter_map(|(full, bare)| Some(foreign(full)? - foreign(bare)?));
        let own = |records: &Records| over_blocks(blocks(records, condition).filter_map(own), 100.0, 2);
        println!(
            "| {condition} | {} | {} | {} | {} | {} | {} | {} |",
            pairs.len(),
            ratio(cpu_time),
            ratio(|block| latency(block, Level::P50)),
            ratio(|block| latency(block, Level::P95)),
            own(&full),
            own(&bare),
            over_blocks(beside, 100.0 * cpus, 2),
        );
    }
    println!("\nMedians over the blocks' pairs, and the 95 % interval of the median.");
    Ok(())
}

/// The same repetitions of a condition in both.
fn pairs<'a>(full: &'a Records, bare: &'a Records, condition: Condition) -> Vec<(&'a Block, &'a Block)> {
    let of = |records: &'a Records| -> BTreeMap<u32, &'a Block> {
        blocks(records, condition).map(|block| (block.repetition, block)).collect()
    };
    let (full, mut bare) = (of(full), of(bare));
    full.into_iter().filter_map(|(repetition, block)| Some((block, bare.remove(&repetition)?))).collect()
}

fn blocks(records: &Records, condition: Condition) -> impl Iterator<Item = &Block> {
    records.blocks.iter().filter(move |block| block.condition == condition && !block.partial)
}

/// CPUs that cgbench itself used.
fn own(block: &Block) -> Option<f64> {
    Some(block.instrument_cpu_ns? as f64 / block.interval.wall.get() as f64)
}

/// CPU time of the load's cgroup, a frame.
fn cpu_time(block: &Block) -> Option<f64> {
    let frames = block.frames.len().checked_sub(block.warmup_frames as usize)?;
    Some(block.interval.usage?.get() as f64 / frames as f64)
}

fn latency(block: &Block, level: Level) -> Option<f64> {
    let mut us: Vec<f64> =
        block.frames.latencies_ns().skip(block.warmup_frames as usize).map(|ns| ns as f64 / 1e3).collect();
    us.sort_by(f64::total_cmp);
    quantile::of_sorted(&us, level)
}

fn foreign(block: &Block) -> Option<f64> {
    block.disturbance.map(|seen| seen.foreign)
}

fn over_blocks(values: impl Iterator<Item = f64>, scale: f64, digits: usize) -> String {
    let values: Vec<f64> = values.map(|value| value * scale).collect();
    match median_interval(&values) {
        None => "n/a".to_owned(),
        Some(found) => match found.interval {
            None => format!("{:.digits$}", found.median),
            Some((low, high)) => format!("{:.digits$} ({low:.digits$} to {high:.digits$})", found.median),
        },
    }
}
