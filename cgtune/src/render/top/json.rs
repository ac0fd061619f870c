//! `cgtune top --json`: a line a tick, in the format of `schemas/top-1.schema.json`.

use std::io::{self, Write};

use cgtune_core::{Micros, Nanos, Quota, diagnose::Cause};
use cgtune_node::names::path::container_id;
use serde::Serialize;

use crate::cmd::top::{
    causes::Told,
    model::{Model, Row},
    order::Line,
};

/// Additive changes keep the number, others raise it.
const SCHEMA: &str = "cgtune.top/1";

#[derive(Serialize)]
struct Document<'m> {
    schema: &'static str,
    at: String,
    scan: Scan<'m>,
    cgroups: Vec<Cgroup<'m>>,
}

#[derive(Serialize)]
struct Scan<'m> {
    took_ns: Nanos,
    interval_us: Micros,
    interval_asked_us: Micros,
    cgroups: usize,
    reopened: usize,
    unreadable: usize,
    trouble: Option<&'m str>,
}

#[derive(Serialize)]
struct Cgroup<'m> {
    path: &'m str,
    container: Option<&'m str>,
    container_name: Option<&'m str>,
    pod: Option<&'m str>,
    namespace: Option<&'m str>,
    quota_us: Option<serde_json::Value>,
    period_us: Option<Micros>,
    burst_us: Option<Micros>,
    effective_limit: Option<Limit<'m>>,
    interval_ns: Option<Nanos>,
    cpus_used: Option<f64>,
    limit_used_ratio: Option<f64>,
    nr_periods: Option<u64>,
    nr_throttled: Option<u64>,
    throttled_ratio: Option<f64>,
    stall_ms_per_s: Option<f64>,
    burst_ms_per_s: Option<f64>,
    pressure_some_ratio: Option<f64>,
    threads: Option<usize>,
    run_delay_ms_per_s: Option<f64>,
    cause: Option<Cause>,
    cause_stall_ms_per_s: Option<f64>,
}

#[derive(Serialize)]
struct Limit<'m> {
    cpus: f64,
    set_by: &'m str,
}

pub(crate) fn write(
    model: &Model,
    lines: &[Line],
    at: jiff::Timestamp,
    out: &mut dyn Write,
) -> io::Result<()> {
    let cost = &model.cost;
    let document = Document {
        schema: SCHEMA,
        at: format!("{at:.3}"),
        scan: Scan {
            took_ns: cost.took,
            interval_us: cost.interval,
            interval_asked_us: cost.asked,
            cgroups: model.rows.len(),
            reopened: cost.reopened,
            unreadable: cost.unreadable,
            trouble: cost.trouble.as_deref(),
        },
        cgroups: lines.iter().map(|line| cgroup(model, &model.rows[line.row])).collect(),
    };
    serde_json::to_writer(&mut *out, &document)?;
    writeln!(out)
}

fn cgroup<'m>(model: &'m Model, row: &'m Row) -> Cgroup<'m> {
    let (cause, cause_stall) = match row.told {
        Told::Cause(cause, stall) => (Some(cause), Some(stall)),
        Told::Unwatched | Told::Watching => (None, None),
    };
    let limit =
        row.limit.and_then(|(cpus, place)| Some(Limit { cpus, set_by: &model.rows.get(place)?.name }));
    let bandwidth = row.bandwidth;
    let resident = &row.named.resident;
    let pod = resident.pod.as_ref();
    let container = resident.container.as_ref();
    Cgroup {
        path: &row.name,
        container: container_id(&row.path),
        container_name: container.and_then(|container| container.name.as_deref()),
        pod: pod.and_then(|pod| pod.name.as_deref()),
        namespace: pod.and_then(|pod| pod.namespace.as_deref()),
        quota_us: bandwidth.map(|bandwidth| match bandwidth.quota {
            Quota::Unlimited => "max".into(),
            Quota::Limited(us) => us.get().into(),
        }),
        period_us: bandwidth.map(|bandwidth| bandwidth.period),
        burst_us: bandwidth.and_then(|bandwidth| bandwidth.burst),
        effective_limit: limit,
        interval_ns: row.interval.as_ref().map(|interval| interval.wall),
        cpus_used: row.cpus(),
        limit_used_ratio: row.used(),
        nr_periods: row.periods().map(|(_, all)| all),
        nr_throttled: row.periods().map(|(throttled, _)| throttled),
        throttled_ratio: row.throttled(),
        // As the kernel counts, also where nothing could throttle.
        stall_ms_per_s: row.interval.as_ref().and_then(cgtune_core::Interval::stall_ms_per_s),
        burst_ms_per_s: row.burst(),
        pressure_some_ratio: row.pressure(),
        threads: row.crew.as_ref().map(|crew| crew.count),
        run_delay_ms_per_s: row.delay(),
        cause,
        cause_stall_ms_per_s: cause_stall,
    }
}
