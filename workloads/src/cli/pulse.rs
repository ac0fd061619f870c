//! `workloads pulse`.

use serde_json::json;
use workloads::demand::quantile;
use workloads::latency::{JobRecord, MonotonicNs};
use workloads::pulse::{PulseConfig, Pulses};

use super::args::PulseArgs;
use super::ending::{Ending, Stop};
use super::output;
use super::text::{milliseconds, table};

pub(crate) fn run(args: &PulseArgs) -> anyhow::Result<Ending> {
    let stop = Stop::listen(args.until_stdin_closes)?;
    let config = args.config();
    let pulses = Pulses::start(&config, MonotonicNs::now()?.plus_ns(args.after_ns()))?;
    stop.wait(args.duration)?;
    let (records, ending) = (pulses.finish()?, stop.ending());
    let summary = Summary::of(&records, config.every_ns);
    output::show(&if args.json {
        json(&config, &records, &summary, ending)?
    } else {
        text(&config, &summary, ending)
    })?;
    Ok(ending)
}

/// A series of pulses in numbers.
struct Summary {
    pulses: usize,
    /// p50, p95 and p99; `None` where fewer than ten pulses lie beyond.
    latency_ns: [Option<u64>; 3],
    latency_max_ns: Option<u64>,
    /// Pulses that took longer than the time to the next.
    missed: usize,
    /// Of all threads together; `None` without a pulse.
    cpu_mean_ns: Option<u64>,
}

impl Summary {
    fn of(records: &[JobRecord], every_ns: u64) -> Self {
        let mut latencies: Vec<u64> = records.iter().map(JobRecord::latency_ns).collect();
        latencies.sort_unstable();
        let cpu_ns: u64 = records.iter().map(|record| record.cpu_ns).sum();
        Self {
            pulses: records.len(),
            latency_ns: [0.5, 0.95, 0.99].map(|frac| quantile(&latencies, frac)),
            latency_max_ns: latencies.last().copied(),
            missed: latencies.iter().filter(|&&latency| latency > every_ns).count(),
            cpu_mean_ns: cpu_ns.checked_div(records.len() as u64),
        }
    }
}

fn text(config: &PulseConfig, summary: &Summary, ending: Ending) -> String {
    let [p50, p95, p99] = summary.latency_ns.map(milliseconds);
    let every = milliseconds(Some(config.every_ns));
    let mut rows = vec![
        ("threads", config.threads.to_string()),
        ("work", format!("{} each, every {every}", milliseconds(Some(config.work_ns)))),
        ("pulses", summary.pulses.to_string()),
        ("latency p50", p50),
        ("latency p95", p95),
        ("latency p99", p99),
        ("latency max", milliseconds(summary.latency_max_ns)),
        ("missed", format!("{} later than {every}", summary.missed)),
        ("CPU mean", milliseconds(summary.cpu_mean_ns)),
    ];
    if ending == Ending::Interrupted {
        rows.push(("ended", "by a signal".into()));
    }
    table(&rows.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Vec<_>>())
}

/// Base units, the unit in the name, null for what is not known.
fn json(
    config: &PulseConfig,
    records: &[JobRecord],
    summary: &Summary,
    ending: Ending,
) -> anyhow::Result<String> {
    let [p50, p95, p99] = summary.latency_ns;
    let document = json!({
        "schema": "cgtune.workload-pulse/1",
        "config": config,
        "interrupted": ending == Ending::Interrupted,
        "summary": {
            "pulses": summary.pulses,
            "latency_p50_ns": p50,
            "latency_p95_ns": p95,
            "latency_p99_ns": p99,
            "latency_max_ns": summary.latency_max_ns,
            "missed": summary.missed,
            "cpu_mean_ns": summary.cpu_mean_ns,
        },
        "pulses": records,
    });
    Ok(serde_json::to_string(&document)? + "\n")
}
