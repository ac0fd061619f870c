//! `cgtune simulate`: a row a limit, each number as the range over all ways to begin.

use std::io::{self, Write};

use cgtune_core::{
    Bandwidth, Micros, Nanos, Quota,
    convert::Version,
    sim::{Outcome, Spread},
    text::Escaped,
};
use serde::Serialize;

use super::paragraph::{WIDTH, wrap};
use crate::streams::HEADING;

/// Additive changes keep the number, others raise it.
const SCHEMA: &str = "cgtune.simulate/1";
/// Length of a bar of 100 %.
const BAR: usize = 20;

/// The whole answer.
pub(crate) struct Answer<'a> {
    pub(crate) load: &'a str,
    pub(crate) threads: u32,
    pub(crate) kernel: Version,
    pub(crate) hz: u32,
    pub(crate) cpus: u32,
    pub(crate) phases: usize,
    pub(crate) duration: Micros,
    pub(crate) rows: Vec<Row>,
}

/// One limit.
#[derive(Serialize)]
pub(crate) struct Row {
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
    pub(crate) fn of(bandwidth: Bandwidth, outcomes: &[Outcome]) -> Self {
        let limited = bandwidth.quota() != Quota::Unlimited;
        // Of all or of none: a range over some of the ways to begin would be another thing.
        let all = |of: &dyn Fn(&Outcome) -> Option<f64>| {
            outcomes.iter().map(of).collect::<Option<Vec<f64>>>().and_then(Spread::of)
        };
        let us = |ns: Nanos| ns.get() as f64 / 1e3;
        let quantile = |part: f64| all(&|outcome| outcome.latencies.quantile(part).map(us));
        Self {
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
}

pub(crate) fn json(answer: &Answer<'_>, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        schema: SCHEMA,
        simulated: true,
        load: answer.load,
        threads: answer.threads,
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
        "SIMULATED: {} under {}, Linux {} at {} Hz, {} CPUs; {} of each of {} ways to begin (phases of timer and tick). \
         Ranges are over those: smallest, middle, largest.",
        Escaped(answer.load.as_bytes()),
        if answer.rows.len() == 1 { "1 limit".to_owned() } else { format!("{} limits", answer.rows.len()) },
        answer.kernel,
        answer.hz,
        answer.cpus,
        answer.duration,
        answer.phases
    );
    for line in wrap(&head, WIDTH) {
        writeln!(out, "{line}")?;
    }
    writeln!(
        out,
        "\n{HEADING}{:<22} {:>14}  {:<BAR$} {:>9} {:>9}{HEADING:#}",
        "quota/period+burst ms", "throttled %", "", "p50 ms", "p99 ms"
    )?;
    for row in &answer.rows {
        writeln!(out, "{}", line(row).trim_end())?;
    }
    if answer.rows.iter().any(|row| row.undone.is_some_and(|undone| undone.median > 10)) {
        writeln!(out)?;
        let text = "Where work is left undone the load needs more than the limit gives, and latency grows without end.";
        wrap(text, WIDTH).iter().try_for_each(|line| writeln!(out, "{line}"))?;
    }
    Ok(())
}

fn line(row: &Row) -> String {
    let ms = |us: Micros| format!("{}", us.get() as f64 / 1e3);
    let limit = match row.quota_us {
        None => "no limit".to_owned(),
        Some(quota) if row.burst_us == Micros::ZERO => format!("{}/{}", ms(quota), ms(row.period_us)),
        Some(quota) => format!("{}/{}+{}", ms(quota), ms(row.period_us), ms(row.burst_us)),
    };
    let (throttled, bar) = match row.throttled_ratio {
        None => ("-".to_owned(), String::new()),
        Some(Spread { min, median, max }) => {
            let percent = |ratio: f64| format!("{:.0}", ratio * 100.0);
            (format!("{}–{}–{}", percent(min), percent(median), percent(max)), bar(min, median, max))
        }
    };
    let latency = |spread: Option<Spread<f64>>| {
        spread.map_or_else(|| "n/a".to_owned(), |spread| format!("{:.1}", spread.median / 1e3))
    };
    format!(
        "{limit:<22} {throttled:>14}  {bar:<BAR$} {:>9} {:>9}",
        latency(row.latency_us.p50),
        latency(row.latency_us.p99)
    )
}

/// `███▒▒` : full up to the smallest, then what may be, with a mark at the middle.
fn bar(min: f64, median: f64, max: f64) -> String {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a length"
    )]
    let at = |ratio: f64| (ratio.clamp(0.0, 1.0) * BAR as f64).round() as usize;
    let (min, median, max) = (at(min), at(median), at(max));
    (0..BAR)
        .map(|cell| match cell {
            _ if cell < min => '█',
            _ if cell < median => '▓',
            _ if cell < max => '░',
            _ => ' ',
        })
        .collect()
}
