//! `cgtune kubelet recommend --json`, in the format of `schemas/kubelet-recommend-1.schema.json`.

use std::io::{self, Write};

use cgtune_core::{
    diagnose::remedy,
    kubelet::recommend::{Alternative, Change, Expected, Filled, Given, Modelled},
};
use cgtune_manifest::kubeadm_patch;
use serde::{Serialize, Serializer};

use super::{
    recommend::{Advised, PATCH_FILE},
    runbook::{self, Step},
};

/// Additive changes keep the number, others raise it.
const SCHEMA: &str = "cgtune.kubelet-recommend/1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    /// `null`: there is no configuration yet.
    file: Option<String>,
    kubernetes: String,
    cpus: usize,
    /// `null`: nothing is known of them.
    pods: Option<usize>,
    changes: Vec<Changed<'a>>,
    modelled: Option<&'a Modelled>,
    alternatives: Vec<Other<'a>>,
    lacking: Vec<String>,
    remarks: Vec<String>,
    left: Vec<String>,
    yaml: &'a str,
    lines_kept: bool,
    diff: String,
    kubeadm: Patch,
    runbook: Runbook,
}

#[derive(Serialize)]
struct Changed<'a> {
    field: String,
    from: Option<Plain<'a>>,
    to: Option<Plain<'a>>,
    reason: String,
    evidence: Vec<String>,
    expected: Option<String>,
    /// `null`: it has no say in who gets which CPUs, or nothing is known of pods.
    effect: Option<Effect<'a>>,
    risk: String,
}

#[derive(Serialize)]
struct Effect<'a> {
    with: &'a Filled,
    /// `null`: the kubelet would not start.
    without: Option<&'a Filled>,
}

#[derive(Serialize)]
struct Other<'a> {
    field: String,
    to: Plain<'a>,
    feature_gate: Option<String>,
    reason: String,
    evidence: String,
    expected: Option<String>,
    /// `null`: nothing was modelled.
    stall: Option<Stall<'a>>,
    risk: String,
}

#[derive(Serialize)]
struct Stall<'a> {
    container: &'a str,
    #[serde(flatten)]
    expected: &'a remedy::Expected,
}

#[derive(Serialize)]
struct Patch {
    file: &'static str,
    content: String,
}

#[derive(Serialize)]
struct Runbook {
    steps: Vec<Step>,
    breaks: Vec<String>,
}

/// A value in its own type.
struct Plain<'a>(&'a Given);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Given::Text(text) => serializer.serialize_str(text),
            Given::Bool(truth) => serializer.serialize_bool(*truth),
            Given::List(list) => list.serialize(serializer),
        }
    }
}

fn expected(expected: &[Expected]) -> Option<String> {
    let all: Vec<String> = expected.iter().map(ToString::to_string).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

fn changed(change: &Change) -> Changed<'_> {
    Changed {
        field: change.field.to_string(),
        from: change.from.as_ref().map(Plain),
        to: change.to.as_ref().map(Plain),
        reason: change.reason.to_string(),
        evidence: change.evidence.iter().map(ToString::to_string).collect(),
        expected: expected(&change.expected),
        effect: change.expected.iter().find_map(|expected| match expected {
            Expected::Places(effect) => Some(Effect { with: &effect.with, without: effect.without.as_ref() }),
            _ => None,
        }),
        risk: change.risk.to_string(),
    }
}

fn other(alternative: &Alternative) -> Other<'_> {
    Other {
        field: alternative.field.to_string(),
        to: Plain(&alternative.to),
        feature_gate: alternative.gate.map(|gate| gate.to_string()),
        reason: alternative.reason.to_string(),
        evidence: alternative.evidence.to_string(),
        expected: expected(alternative.expected.as_slice()),
        stall: match &alternative.expected {
            Some(Expected::Stall { container, expected }) => Some(Stall { container, expected }),
            _ => None,
        },
        risk: alternative.risk.to_string(),
    }
}

pub(crate) fn write(advised: &Advised<'_>, out: &mut dyn Write) -> io::Result<()> {
    let done = advised.done;
    let document = Document {
        schema: SCHEMA,
        file: advised.shown_name(),
        kubernetes: advised.release.to_string(),
        cpus: advised.online.len(),
        pods: advised.pods,
        changes: done.changes.iter().map(changed).collect(),
        modelled: done.modelled.as_ref(),
        alternatives: done.alternatives.iter().map(other).collect(),
        lacking: done.lacking.iter().map(ToString::to_string).collect(),
        remarks: done.remarks.iter().map(ToString::to_string).collect(),
        left: advised.remaining().collect(),
        yaml: &advised.edited.text,
        lines_kept: advised.edited.kept,
        diff: advised.difference(),
        kubeadm: Patch { file: PATCH_FILE, content: kubeadm_patch(done) },
        runbook: Runbook { steps: runbook::steps(advised), breaks: runbook::breaks(advised) },
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}
