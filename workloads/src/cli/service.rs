//! `workloads service`.

use serde_json::json;
use workloads::latency::{JobRecord, MonotonicNs};
use workloads::service::{Arrivals, Service, ServiceConfig, Spread};

use super::args::ServiceArgs;
use super::ending::{Ending, Stop};
use super::jobs::Jobs;
use super::output;
use super::text::{milliseconds, table};

pub(crate) fn run(args: &ServiceArgs) -> anyhow::Result<Ending> {
    let stop = Stop::listen(args.until_stdin_closes)?;
    let config = args.config();
    let requests = args.request_count(&config)?;
    let mut service = Service::prepare(&config)?;
    let mut records = Vec::new();
    let keep = &mut |record: &JobRecord| records.push(*record);
    service.run(MonotonicNs::now()?, requests, stop.flag(), keep)?;
    // In the order in which they came.
    records.sort_unstable_by_key(|record| record.index);
    let ending = stop.ending();
    output::show(&if args.json {
        json(&config, &records, ending)?
    } else {
        text(&config, &records, ending)
    })?;
    Ok(ending)
}

fn text(config: &ServiceConfig, records: &[JobRecord], ending: Ending) -> String {
    let spread = match config.spread {
        Spread::Constant => "constant".to_owned(),
        Spread::Exponential => "exponential".to_owned(),
        Spread::LogNormal { cv } => format!("log-normal, CV {cv}"),
    };
    let limit = config.demand_max_ns.map(|max_ns| format!(", up to {}", milliseconds(Some(max_ns))));
    let arrivals = match config.arrivals {
        Arrivals::Periodic { jitter, .. } => format!("on a clock, jitter {jitter}"),
        Arrivals::Poisson { .. } => "at random".to_owned(),
    };
    let mut rows = vec![
        ("threads", config.threads.to_string()),
        ("fan-out", config.fan_out.to_string()),
        (
            "demand",
            format!("{}, {spread}{}", milliseconds(Some(config.demand_ns)), limit.unwrap_or_default()),
        ),
        ("arrivals", format!("every {}, {arrivals}", milliseconds(Some(config.arrivals.every_ns())))),
        ("requests", records.len().to_string()),
    ];
    rows.extend(Jobs::of(records).rows());
    if ending == Ending::Interrupted {
        rows.push(("ended", "by a signal".into()));
    }
    table(&rows)
}

/// Base units, the unit in the name, null for what is not known.
fn json(config: &ServiceConfig, records: &[JobRecord], ending: Ending) -> anyhow::Result<String> {
    let document = json!({
        "schema": "cgtune.workload-service/1",
        "config": config,
        "interrupted": ending == Ending::Interrupted,
        "summary": Jobs::of(records).json("requests"),
        "requests": records,
    });
    Ok(serde_json::to_string(&document)? + "\n")
}
