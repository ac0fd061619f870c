//! `cgtune stat --json`: the format of `schemas/stat-1.schema.json`.

use std::{
    io::{self, Write},
    path::Path,
};

use cgtune_core::{CpuSet, Interval, Micros, Nanos, ObservedShare, Quota, snapshot::Usage, text::Escaped};
use cgtune_node::names::path::container_id;
use cgtune_sys::detect::View;
use serde::{Serialize, Serializer};

use crate::reading::Reading;

/// Additive changes keep the number, others raise it.
const SCHEMA: &str = "cgtune.stat/1";

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    cgroups: Vec<Cgroup>,
}

#[derive(Serialize)]
struct Cgroup {
    path: String,
    container: Option<String>,
    /// Names are null where no source told them.
    container_name: Option<String>,
    pod: Option<String>,
    namespace: Option<String>,
    policy: Policy,
    effective_limit: Option<Limit>,
    /// Whether limits above what is visible may exist.
    view: &'static str,
    counters: Counters,
    rates: Option<Rates>,
}

/// `null`: not provided here. No quota is the string "max".
#[derive(Serialize)]
struct Policy {
    shares: Option<u64>,
    weight: Option<u64>,
    quota_us: Option<QuotaUs>,
    period_us: Option<Micros>,
    burst_us: Option<Micros>,
    idle: Option<bool>,
    cpus: Option<CpuSet>,
    mems: Option<CpuSet>,
    effective_cpus: Option<CpuSet>,
}

struct QuotaUs(Quota);

impl Serialize for QuotaUs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Quota::Unlimited => serializer.serialize_str("max"),
            Quota::Limited(us) => us.serialize(serializer),
        }
    }
}

#[derive(Serialize)]
struct Limit {
    cpus: f64,
    set_by: String,
}

#[derive(Serialize)]
struct Counters {
    nr_periods: Option<u64>,
    nr_throttled: Option<u64>,
    throttled_ns: Option<Nanos>,
    nr_bursts: Option<u64>,
    burst_ns: Option<Nanos>,
    usage_ns: Option<Nanos>,
    local_throttled_ns: Option<Nanos>,
}

/// Differences over the interval, and what follows from them.
#[derive(Serialize)]
struct Rates {
    interval_ns: Nanos,
    nr_periods: Option<u64>,
    nr_throttled: Option<u64>,
    throttled_ratio: Option<f64>,
    stall_ms_per_s: Option<f64>,
    local_stall_ms_per_s: Option<f64>,
    usage_ns: Option<Nanos>,
    /// `counter`: the kernel's own; `members`: summed over the threads that are in the group now.
    usage_source: Option<&'static str>,
    cpus_used: Option<f64>,
    limit_used_ratio: Option<f64>,
    nr_bursts: Option<u64>,
    burst_ns: Option<Nanos>,
    pressure_some_ratio: Option<f64>,
    pressure_full_ratio: Option<f64>,
}

pub(crate) fn write(readings: &[Reading], out: &mut dyn Write) -> io::Result<()> {
    let document = Document { schema: SCHEMA, cgroups: readings.iter().map(cgroup).collect() };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn cgroup(reading: &Reading) -> Cgroup {
    let observed = &reading.observed;
    let (shares, weight) = match observed.share {
        Some(ObservedShare::Shares(n)) => (Some(n), None),
        Some(ObservedShare::Weight(n)) => (None, Some(n)),
        None => (None, None),
    };
    let stat = &reading.snapshot.stat;
    let pod = reading.resident.pod.as_ref();
    let container = reading.resident.container.as_ref();
    Cgroup {
        path: name(&reading.path),
        container: container_id(&reading.path).map(str::to_owned),
        container_name: container.and_then(|container| container.name.clone()),
        pod: pod.and_then(|pod| pod.name.clone()),
        namespace: pod.and_then(|pod| pod.namespace.clone()),
        policy: Policy {
            shares,
            weight,
            quota_us: observed.bandwidth.map(|b| QuotaUs(b.quota)),
            period_us: observed.bandwidth.map(|b| b.period),
            burst_us: observed.bandwidth.and_then(|b| b.burst),
            idle: observed.idle,
            cpus: observed.cpus.clone(),
            mems: observed.mems.clone(),
            effective_cpus: observed.effective_cpus.clone(),
        },
        effective_limit: reading.limit().map(|(limit, path)| Limit { cpus: limit.cpus, set_by: name(path) }),
        view: match reading.view {
            View::Whole => "whole",
            View::Limited => "limited",
        },
        counters: Counters {
            nr_periods: stat.bandwidth.map(|b| b.nr_periods.get()),
            nr_throttled: stat.bandwidth.map(|b| b.nr_throttled.get()),
            throttled_ns: stat.bandwidth.map(|b| b.throttled),
            nr_bursts: stat.bursts.map(|b| b.nr_bursts.get()),
            burst_ns: stat.bursts.map(|b| b.burst),
            usage_ns: reading.snapshot.usage_total(),
            local_throttled_ns: reading.snapshot.local_throttled,
        },
        rates: reading.interval.as_ref().map(|interval| rates(reading, interval)),
    }
}

fn rates(reading: &Reading, interval: &Interval) -> Rates {
    let of_wall = |part: Nanos| part.as_secs() / interval.wall.as_secs();
    Rates {
        interval_ns: interval.wall,
        nr_periods: interval.bandwidth.map(|b| b.nr_periods),
        nr_throttled: interval.bandwidth.map(|b| b.nr_throttled),
        throttled_ratio: interval.throttled_ratio(),
        stall_ms_per_s: interval.stall_ms_per_s(),
        local_stall_ms_per_s: interval.local_throttled.map(|part| of_wall(part) * 1e3),
        usage_ns: interval.usage,
        usage_source: match reading.snapshot.usage {
            Some(Usage::Counter(_)) => Some("counter"),
            Some(Usage::Members { .. }) => Some("members"),
            None => None,
        },
        cpus_used: interval.cpus_used(),
        limit_used_ratio: reading.used_of_limit(),
        nr_bursts: interval.bursts.map(|b| b.nr_bursts),
        burst_ns: interval.bursts.map(|b| b.burst),
        pressure_some_ratio: interval.pressure.map(|p| of_wall(p.some)),
        pressure_full_ratio: interval.pressure.and_then(|p| p.full).map(of_wall),
    }
}

/// As the kernel names it; bytes that are not UTF-8 and control characters as `\xNN`.
pub(crate) fn name(path: &Path) -> String {
    Escaped(path.as_os_str().as_encoded_bytes()).to_string()
}
