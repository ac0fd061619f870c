//! `cgtune diagnose --json`: the format of `schemas/diagnose-1.schema.json`.

use std::io::{self, Write};

use cgtune_core::{
    Nanos, ObservedShare,
    diagnose::{
        Cause, Confidence, Evidence, Expiry, Finding,
        remedy::{Expected, Kind},
    },
};
use cgtune_sys::HostRoot;
use serde::Serialize;

use super::stat_json::name;
use crate::{
    cmd::diagnose::Effort,
    diagnosis::{Diagnosis, Owners},
};

/// Additive changes keep the number, others raise it.
const SCHEMA: &str = "cgtune.diagnose/1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    watch: Watch,
    cgroups: Vec<Cgroup<'a>>,
}

/// What watching took.
#[derive(Serialize)]
struct Watch {
    wall_ns: Nanos,
    cpu_ns: Nanos,
    interval_ns: Nanos,
    cgroups: usize,
    kernel_expiry: Option<Expiry>,
}

#[derive(Serialize)]
struct Cgroup<'a> {
    path: String,
    pod: Option<String>,
    namespace: Option<String>,
    container: Option<String>,
    container_name: Option<String>,
    stall_ms_per_s: f64,
    findings: Vec<FoundJson<'a>>,
}

#[derive(Serialize)]
struct FoundJson<'a> {
    cause: Cause,
    stall_ms_per_s: Option<f64>,
    confidence: Confidence,
    evidence: EvidenceJson<'a>,
    remedies: Vec<RemedyJson<'a>>,
}

#[derive(Serialize)]
struct EvidenceJson<'a> {
    #[serde(flatten)]
    evidence: &'a Evidence,
    #[serde(skip_serializing_if = "Option::is_none")]
    shares: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<u64>,
}

#[derive(Serialize)]
struct RemedyJson<'a> {
    kind: Kind,
    amount: Option<f64>,
    owner: Option<String>,
    command: Option<String>,
    cannot: Vec<String>,
    expected: Option<ExpectedJson<'a>>,
    cost: &'static str,
}

#[derive(Serialize)]
struct ExpectedJson<'a> {
    /// Never measured here.
    source: &'static str,
    #[serde(flatten)]
    expected: &'a Expected,
}

pub(crate) fn write(
    diagnoses: &[Diagnosis],
    effort: &Effort,
    host: &HostRoot,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut owners = Owners::on(host);
    let document = Document {
        schema: SCHEMA,
        watch: Watch {
            wall_ns: effort.wall,
            cpu_ns: effort.cpu,
            interval_ns: effort.interval,
            cgroups: effort.cgroups,
            kernel_expiry: effort.expiry,
        },
        cgroups: diagnoses.iter().map(|diagnosis| cgroup(diagnosis, &mut owners)).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

fn cgroup<'a>(diagnosis: &'a Diagnosis, owners: &mut Owners<'_>) -> Cgroup<'a> {
    let (pod, container) = (diagnosis.resident.pod.as_ref(), diagnosis.resident.container.as_ref());
    Cgroup {
        path: name(&diagnosis.path),
        pod: pod.and_then(|pod| pod.name.clone()),
        namespace: pod.and_then(|pod| pod.namespace.clone()),
        container: container.map(|container| container.id.clone()),
        container_name: container.and_then(|container| container.name.clone()),
        stall_ms_per_s: diagnosis.stall_ms_per_s(),
        findings: diagnosis.findings.iter().map(|finding| found(diagnosis, finding, owners)).collect(),
    }
}

fn found<'a>(diagnosis: &Diagnosis, finding: &'a Finding, owners: &mut Owners<'_>) -> FoundJson<'a> {
    let share = match &finding.evidence {
        Evidence::Waiting(evidence) => evidence.share,
        _ => None,
    };
    let (shares, weight) = match share {
        Some(ObservedShare::Shares(n)) => (Some(n), None),
        Some(ObservedShare::Weight(n)) => (None, Some(n)),
        None => (None, None),
    };
    let mut remedies = Vec::new();
    for remedy in &finding.remedies {
        let expected = |expected| ExpectedJson { source: "modelled", expected };
        let plain = |owner, command, cannot| RemedyJson {
            kind: remedy.kind,
            amount: remedy.amount,
            owner,
            command,
            cannot,
            expected: remedy.expected.as_ref().map(expected),
            cost: remedy.kind.cost(),
        };
        let prescriptions = diagnosis.prescriptions(remedy, owners);
        if prescriptions.is_empty() {
            remedies.push(plain(None, None, Vec::new()));
        }
        remedies.extend(prescriptions.into_iter().map(|p| plain(Some(p.owner), p.command, p.cannot)));
    }
    FoundJson {
        cause: finding.cause,
        stall_ms_per_s: finding.stall_ms_per_s,
        confidence: finding.confidence,
        evidence: EvidenceJson { evidence: &finding.evidence, shares, weight },
        remedies,
    }
}
