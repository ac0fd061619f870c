//! `workloads pulse`.

use serde_json::json;
use workloads::latency::{JobRecord, MonotonicNs};
use workloads::pulse::{PulseConfig, Pulses};

use super::args::PulseArgs;
use super::ending::{Ending, Stop};
use super::jobs::Jobs;
use super::output;
use super::text::{milliseconds, table};

pub(crate) fn run(args: &PulseArgs) -> anyhow::Result<Ending> {
    let stop = Stop::listen(args.until_stdin_closes)?;
    let config = args.config();
    let pulses = Pulses::start(&config, MonotonicNs::now()?.plus_ns(args.after_ns()))?;
    stop.wait(args.duration)?;
    let (records, ending) = (pulses.finish()?, stop.ending());
    output::show(&if args.json {
        json(&config, &records, ending)?
    } else {
        text(&config, &records, ending)
    })?;
    Ok(ending)
}

/// Pulses that took longer than the time to the next.
fn missed(records: &[JobRecord], every_ns: u64) -> usize {
    records.iter().filter(|record| record.latency_ns() > every_ns).count()
}

fn text(config: &PulseConfig, records: &[JobRecord], ending: Ending) -> String {
    let every = milliseconds(Some(config.every_ns));
    let mut rows = vec![
        ("threads", config.threads.to_string()),
        ("work", format!("{} each, every {every}", milliseconds(Some(config.work_ns)))),
        ("pulses", records.len().to_string()),
    ];
    rows.extend(Jobs::of(records).rows());
    rows.push(("missed", format!("{} later than {every}", missed(records, config.every_ns))));
    if ending == Ending::Interrupted {
        rows.push(("ended", "by a signal".into()));
    }
    table(&rows)
}

/// Base units, the unit in the name, null for what is not known.
fn json(config: &PulseConfig, records: &[JobRecord], ending: Ending) -> anyhow::Result<String> {
    let mut summary = Jobs::of(records).json("pulses");
    summary.insert("missed".into(), json!(missed(records, config.every_ns)));
    let document = json!({
        "schema": "cgtune.workload-pulse/1",
        "config": config,
        "interrupted": ending == Ending::Interrupted,
        "summary": summary,
        "pulses": records,
    });
    Ok(serde_json::to_string(&document)? + "\n")
}
