//! A run as a table for people.

use std::fmt::Write;

use workloads::demand::{Demand, shortfall};
use workloads::h264::{Stage, Waste};

use super::ending::Ending;
use super::h264::Run;

/// What a bucket would be refilled with, over the mean demand: the usual head room of a tight fit.
const HEAD_ROOM: f64 = 1.08;
const ROUND_NS: u64 = 100_000_000;

pub(crate) fn render(run: &Run) -> String {
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
    let config = &run.config;
    row("picture", format!("{}x{}, QP {}, GOP {}", config.width, config.height, config.qp, config.gop));
    row("threads", config.threads.to_string());
    if !config.waste.is_none() {
        row("waste", waste(&config.waste));
    }
    if let Some(calibration) = &run.calibration {
        row("calibrated share", format!("{:.3} of the interval", calibration.measured_share));
    }
    match &run.demand {
        None => row("frames", "0".into()),
        Some(demand) => {
            row("frames", demand.frames.to_string());
            if run.clock.is_some() {
                latency_rows(demand, run.interval_ns, &mut row);
            }
            demand_rows(demand, &mut row);
            let cpu: Vec<f64> = run.records.iter().map(|record| record.cpu_ns as f64).collect();
            let frames = (ROUND_NS as f64 / run.interval_ns as f64).round().max(1.0) as usize;
            let refill = demand.cpu_mean_ns * frames as f64 * HEAD_ROOM;
            let (bare, spare) =
                (shortfall(&cpu, frames, refill, 0.0), shortfall(&cpu, frames, refill, refill));
            if bare.rounds > 0 {
                let percent = |count: usize| 100.0 * count as f64 / bare.rounds as f64;
                row("rounds over 1.08 x mean", format!("{:.1} %", percent(bare.above_refill)));
                row("  short, no reserve", format!("{:.1} %", percent(bare.short)));
                row("  short, reserve of 1", format!("{:.1} %", percent(spare.short)));
            }
        }
    }
    if let Some((times, read_ns)) = &run.stages {
        for stage in Stage::ALL {
            if let Some(frac) = times.frac(stage, *read_ns) {
                row(stage.name(), format!("{:.1} %", frac * 100.0));
            }
        }
        if let Some(serial) = times.serial_frac() {
            row("serial head and tail", format!("{:.1} %", serial * 100.0));
        }
    }
    if run.ending == Ending::Interrupted {
        row("ended", "by a signal".into());
    }
    table(&rows)
}

fn waste(waste: &Waste) -> String {
    let mut parts = Vec::new();
    if waste.compute_frac > 0.0 {
        parts.push(format!("{:.1} % CPU time", 100.0 * waste.compute_frac));
    }
    if waste.memory_bytes > 0 {
        parts.push(format!("{} KiB of memory", waste.memory_bytes >> 10));
    }
    if waste.one_by_one {
        parts.push("a write each byte".into());
    }
    parts.join(", ")
}

/// Names on the left, values on the right.
pub(super) fn table(rows: &[(impl AsRef<str>, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.as_ref().len()).max().unwrap_or(0);
    rows.iter().fold(String::new(), |mut text, (name, value)| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:width$}  {value}", name.as_ref());
        text
    })
}

fn latency_rows(demand: &Demand, interval_ns: u64, row: &mut impl FnMut(&str, String)) {
    for (name, frac) in [("latency p50", 0.5), ("latency p95", 0.95), ("latency p99", 0.99)] {
        row(name, milliseconds(demand.latency_ns(frac)));
    }
    row("latency max", milliseconds(demand.latency_max_ns()));
    row("missed", format!("{} later than {}", demand.missed, milliseconds(Some(interval_ns))));
}

fn demand_rows(demand: &Demand, row: &mut impl FnMut(&str, String)) {
    row("CPU mean", milliseconds(Some(demand.cpu_mean_ns as u64)));
    row("CPU CV", ratio(demand.cpu_cv));
    row("CPU lag-1", ratio(demand.cpu_lag1));
    row("CPU p99/p50", ratio(demand.cpu_p99_over_p50));
    row("CPU I/P", ratio(demand.cpu_i_over_p));
    row("bits I/P", ratio(demand.bits_i_over_p));
    row("bits", format!("{} ({} a frame)", demand.bits, demand.bits / demand.frames.max(1) as u64));
}

pub(super) fn milliseconds(ns: Option<u64>) -> String {
    ns.map_or_else(|| "n/a".into(), |ns| format!("{:.2} ms", ns as f64 / 1e6))
}

fn ratio(value: Option<f64>) -> String {
    value.map_or_else(|| "n/a".into(), |value| format!("{value:.2}"))
}
