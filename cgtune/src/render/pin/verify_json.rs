//! `cgtune pin verify --json`: the format of `schemas/pin-verify-1.schema.json`.

use std::io::{self, Write};

use cgtune_core::{
    CpuSet, Nanos,
    pinning::{Confidence, Finding, Found, Intent, Name, Others, Report},
};
use serde::Serialize;

use crate::{
    cmd::pin::verify::{Verified, path, stranger},
    render::resident::title,
};

/// Additive changes keep the number, others raise it.
const SCHEMA: &str = "cgtune.pin-verify/1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    watch: Watch,
    cgroups: Vec<Cgroup<'a>>,
}

/// What looking took.
#[derive(Serialize)]
struct Watch {
    begun: String,
    wall_ns: Nanos,
    cpu_ns: Nanos,
    looks: u64,
    others_looks: u64,
    tasks: Option<u64>,
    tasks_bounded: bool,
    tasks_hidden: bool,
    interrupted: bool,
    left_out: usize,
    in_shared_pool: usize,
}

#[derive(Serialize)]
struct Cgroup<'a> {
    path: &'a Name,
    pod: Option<String>,
    namespace: Option<String>,
    container: Option<String>,
    container_name: Option<String>,
    intended: &'a Intent,
    set: Option<&'a CpuSet>,
    effective: Option<&'a CpuSet>,
    partition: Option<String>,
    gone_ns: Option<Nanos>,
    looks: u64,
    threads: Option<u64>,
    threads_looked_at: u64,
    threads_had_turn: u64,
    untold_threads: u64,
    untold_states: u64,
    others: Others,
    findings: Vec<FoundJson<'a>>,
}

#[derive(Serialize)]
struct FoundJson<'a> {
    #[serde(flatten)]
    finding: &'a Finding,
    says: String,
    remedy: String,
    /// Who lives in the other group that it is about, where that is known.
    resident: Option<String>,
    /// With `set-differs`: who writes there, as far as is known.
    suspects: Vec<String>,
    confidence: Confidence,
    first_seen_ns: Nanos,
    last_seen_ns: Nanos,
    times: u64,
    looks: u64,
    still: bool,
}

pub(crate) fn write(verified: &Verified, out: &mut dyn Write) -> io::Result<()> {
    let reports = &verified.reports;
    let document = Document {
        schema: SCHEMA,
        watch: Watch {
            begun: verified.effort.begun.to_string(),
            wall_ns: reports.wall,
            cpu_ns: verified.effort.cpu,
            looks: reports.looks,
            others_looks: reports.others_looks,
            tasks: reports.tasks,
            tasks_bounded: reports.tasks_bounded,
            tasks_hidden: reports.tasks_hidden,
            interrupted: verified.interrupted,
            left_out: verified.left_out.beyond,
            in_shared_pool: verified.left_out.shared,
        },
        cgroups: reports.groups.iter().map(|report| cgroup(report, verified)).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn cgroup<'a>(report: &'a Report, verified: &Verified) -> Cgroup<'a> {
    let resident = verified.register.resident(path(&report.pinned.path));
    let (pod, container) = (resident.pod.as_ref(), resident.container.as_ref());
    let last = report.last.as_ref();
    Cgroup {
        path: &report.pinned.path,
        pod: pod.and_then(|pod| pod.name.clone()),
        namespace: pod.and_then(|pod| pod.namespace.clone()),
        container: container.map(|container| container.id.clone()),
        container_name: container.and_then(|container| container.name.clone()),
        intended: &report.pinned.intent,
        set: last.and_then(|placed| placed.set.as_ref()),
        effective: last.and_then(|placed| placed.effective.as_ref()),
        partition: last.and_then(|placed| Some(placed.partition.as_ref()?.kind.to_string())),
        gone_ns: report.gone,
        looks: report.looks,
        threads: report.threads,
        threads_looked_at: report.threads_looked_at,
        threads_had_turn: report.threads_had_turn,
        untold_threads: report.untold_threads,
        untold_states: report.untold_states,
        others: report.others,
        findings: report.findings.iter().map(|found| self::found(found, report, verified)).collect(),
    }
}

fn found<'a>(found: &'a Found, report: &Report, verified: &Verified) -> FoundJson<'a> {
    let finding = &found.finding;
    let resident =
        stranger(finding).and_then(|group| title(&verified.register.resident(path(group)), path(group)));
    FoundJson {
        finding,
        says: finding.to_string(),
        remedy: finding.remedy(&report.pinned.path, &verified.reports.elsewhere(report, finding)),
        resident,
        suspects: match finding {
            Finding::SetDiffers { .. } => {
                verified.suspects.get(&report.pinned.path).cloned().unwrap_or_default()
            }
            _ => Vec::new(),
        },
        confidence: finding.confidence(),
        first_seen_ns: found.first_seen,
        last_seen_ns: found.last_seen,
        times: found.times,
        looks: found.looks,
        still: found.still,
    }
}
