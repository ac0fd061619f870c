//! `cgtune simulate`: a row a limit, each number as the range over all ways to begin.

mod bars;
mod figures;
mod table;

use std::io::{self, Write};

use cgtune_core::{
    Bandwidth, Micros, Nanos, Quota,
    convert::Version,
    sim::{Outcome, Spread},
    text::Escaped,
};
use serde::Serialize;

use super::paragraph::{WIDTH, wrap};

/// Additive changes keep the number, others raise it.
const SCHEMA: &str = "cgtune.simulate/1";

/// The whole answer.
pub(crate) struct Answer<'a> {
    pub(crate) load: &'a str,
    /// Each number of threads that was tried.
    pub(crate) threads: Vec<u32>,
    pub(crate) kernel: Version,
    pub(crate) hz: u32,
    pub(crate) cpus: u32,
    pub(crate) phases: usize,
    pub(crate) duration: Micros,
    pub(crate) rows: Vec<Row>,
}

/// One limit, for a load on so many threads.
#[derive(Serialize)]
pub(crate) struct Row {
    threads: u32,
    quota_us: Option<Micros>,
    period_us: Micros,
    burst_us: Micros,
    limit_cpus: Option<f64>,
    /// `null`: no limit, or the group was never active.
    throttled_ratio: Option<Spread<f64>>,
    stall_ms_per_s: Option<Spread<f64>>,
    cpus_used: Option<Spread<f64>>,
    bursts_per_s: Option<Spread<f64>>,
    latency_us: Latencies,
    undone: Option<Spread<u64>>,
}

/// `null`: fewer than ten jobs lie beyond it, in some way to begin.
#[derive(Serialize)]
struct Latencies {
    p50: Option<Spread<f64>>,
    p95: Option<Spread<f64>>,
    p99: Option<Spread<f64>>,
    max: Option<Spread<f64>>,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    simulated: bool,
    load: &'a str,
    threads: u32,
    kernel: String,
    hz: u32,
    cpus: u32,
    phases: usize,
    duration_us: Micros,
    policies: &'a [Row],
}

impl Row {
    pub(crate) fn of(bandwidth: Bandwidth, threads: u32, outcomes: &[Outcome]) -> Self {
        let limited = bandwidth.quota() != Quota::Unlimited;
        // Of all or of none: a range over some of the ways to begin would be another thing.
        let all = |of: &dyn Fn(&Outcome) -> Option<f64>| {
            outcomes.iter().map(of).collect::<Option<Vec<f64>>>().and_then(Spread::of)
        };
        let us = |ns: Nanos| ns.get() as f64 / 1e3;
        let quantile = |part: f64| all(&|outcome| outcome.latencies.quantile(part).map(us));
        Self {
            threads,
            quota_us: bandwidth.quota().limited(),
            period_us: bandwidth.period(),
            burst_us: bandwidth.burst(),
            limit_cpus: bandwidth.cpus(),
            throttled_ratio: if limited { all(&Outcome::throttled) } else { None },
            stall_ms_per_s: all(&|outcome| Some(outcome.stall_ms_per_s())),
            cpus_used: all(&|outcome| Some(outcome.cpus_used())),
            bursts_per_s: all(&|outcome| Some(outcome.counters.nr_bursts as f64 / outcome.wall.as_secs())),
            latency_us: Latencies {
                p50: quantile(0.5),
                p95: quantile(0.95),
                p99: quantile(0.99),
                max: all(&|outcome| outcome.latencies.longest().map(us)),
            },
            undone: Spread::of(outcomes.iter().map(|outcome| outcome.undone)),
        }
    }

    /// Throttled periods of the active ones, from 0 to 1; none without a limit.
    pub(crate) fn throttled(&self) -> Option<Spread<f64>> {
        self.throttled_ratio
    }

    /// In microseconds; `None`: too few to tell.
    pub(crate) fn p99_us(&self) -> Option<Spread<f64>> {
        self.latency_us.p99
    }
}

pub(crate) fn json(answer: &Answer<'_>, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        schema: SCHEMA,
        simulated: true,
        load: answer.load,
        threads: answer.threads.first().copied().unwrap_or(1),
        kernel: answer.kernel.to_string(),
        hz: answer.hz,
        cpus: answer.cpus,
        phases: answer.phases,
        duration_us: answer.duration,
        policies: &answer.rows,
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

pub(crate) fn text(answer: &Answer<'_>, out: &mut dyn Write) -> io::Result<()> {
    let head = format!(
        "SIMULATED: {}{} under {}, Linux {} at {} Hz, {} CPUs; {} of each of {} ways to begin (phases of timer and tick). \
         Ranges are over those: smallest, middle, largest.",
        Escaped(answer.load.as_bytes()),
        match answer.threads.as_slice() {
            [_] => String::new(),
            several => format!(" on {} threads", listed(several)),
        },
        match answer.rows.len() / answer.threads.len().max(1) {
            1 => "1 limit".to_owned(),
            limits => format!("{limits} limits"),
        },
        answer.kernel,
        answer.hz,
        answer.cpus,
        answer.duration,
        answer.phases
    );
    paragraph(&head, out)?;
    writeln!(out)?;
    let names = table::write(answer, out)?;
    bars::write(answer, &names, out)?;
    if answer.rows.iter().any(|row| row.undone.is_some_and(|undone| undone.median > 10)) {
        writeln!(out)?;
        paragraph(
            "Where work is left undone the load needs more than the limit gives, and latency grows without end.",
            out,
        )?;
    }
    Ok(())
}

fn paragraph(text: &str, out: &mut dyn Write) -> io::Result<()> {
    wrap(text, WIDTH).iter().try_for_each(|line| writeln!(out, "{line}"))
}

/// `1, 2 and 4`.
fn listed(numbers: &[u32]) -> String {
    let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => words.concat(),
    }
}
