//! `cgtune kubelet check` as text, and as JSON in the format of `schemas/kubelet-check-1.schema.json`.

use std::io::{self, Write};

use anstyle::Style;
use cgtune_core::{
    kubelet::{Finding, Release, Severity},
    text::{Escaped, counted},
};
use serde::Serialize;

use crate::{
    cmd::kubelet::input::Layered,
    render::paragraph::{WIDTH, wrap},
    streams::{ERROR, HEADING, HINT, WARNING},
};

/// Additive changes keep the number, others raise it.
const SCHEMA: &str = "cgtune.kubelet-check/1";

/// A configuration and what was found in it and its drop-ins, by text and line.
pub(crate) struct Judged<'a> {
    pub(crate) config: &'a Layered,
    pub(crate) release: Release,
    pub(crate) findings: &'a [Finding],
}

impl Judged<'_> {
    /// The text that a finding is about, fit to show, and the line there.
    fn place(&self, finding: &Finding) -> (String, u64) {
        let (name, line) = self.config.place(finding);
        (fit(name), line)
    }

    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity() == severity).count()
    }
}

fn fit(name: &str) -> String {
    Escaped(name.as_bytes()).to_string()
}

/// How a severity's word looks.
const fn style(severity: Severity) -> Style {
    match severity {
        Severity::Error => ERROR,
        Severity::Warning => WARNING,
        Severity::Note => HINT,
    }
}

pub(crate) fn text(judged: &Judged<'_>, out: &mut dyn Write) -> io::Result<()> {
    for finding in judged.findings {
        let severity = finding.severity();
        let (name, line) = judged.place(finding);
        let path = judged.config.file().path(&finding.place);
        let path = if path.is_empty() { String::new() } else { format!(": {path}") };
        writeln!(out, "{name}:{line}: {style}{severity}{style:#}{path}", style = style(severity))?;
        for line in wrap(&finding.fault.to_string(), WIDTH - 4) {
            writeln!(out, "    {line}")?;
        }
        for (i, line) in wrap(&finding.fault.advice(), WIDTH - 8).iter().enumerate() {
            writeln!(out, "    {}{line}", if i == 0 { "do: " } else { "    " })?;
        }
        writeln!(out)?;
    }
    for line in wrap(&sum(judged), WIDTH) {
        writeln!(out, "{HEADING}{line}{HEADING:#}")?;
    }
    Ok(())
}

fn sum(judged: &Judged<'_>) -> String {
    let kinds = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")];
    let found = kinds.map(|(severity, name)| (judged.count(severity), name)).into_iter();
    let words: Vec<_> =
        found.filter(|(count, _)| *count > 0).map(|(count, name)| counted(count, name)).collect();
    let found = if words.is_empty() { "nothing to say about CPU".to_owned() } else { words.join(", ") };
    let name = fit(judged.config.name());
    let drop_ins = match judged.config.drop_ins().len() {
        0 => String::new(),
        count => format!(" with {}", counted(count, "drop-in")),
    };
    let flags = match (judged.config.has_flags(), drop_ins.is_empty()) {
        (false, _) => "",
        (true, true) => " with flags",
        (true, false) => " and flags",
    };
    format!("{name}{drop_ins}{flags}, for Kubernetes {}: {found}", judged.release)
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    file: String,
    /// What is laid over it, in this order.
    drop_ins: Vec<String>,
    kubernetes: String,
    errors: usize,
    warnings: usize,
    notes: usize,
    findings: Vec<Said<'a>>,
}

#[derive(Serialize)]
struct Said<'a> {
    file: String,
    line: u64,
    /// `null` for the whole file.
    path: Option<String>,
    severity: &'static str,
    kind: &'a str,
    message: String,
    advice: String,
}

pub(crate) fn json(judged: &Judged<'_>, out: &mut dyn Write) -> io::Result<()> {
    let said = |finding: &Finding| Said {
        file: judged.place(finding).0,
        line: judged.place(finding).1,
        path: Some(judged.config.file().path(&finding.place)).filter(|path| !path.is_empty()),
        severity: match finding.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        },
        kind: finding.fault.kind(),
        message: finding.fault.to_string(),
        advice: finding.fault.advice(),
    };
    let document = Document {
        schema: SCHEMA,
        file: fit(judged.config.name()),
        drop_ins: judged.config.drop_ins().iter().map(|name| fit(name)).collect(),
        kubernetes: judged.release.to_string(),
        errors: judged.count(Severity::Error),
        warnings: judged.count(Severity::Warning),
        notes: judged.count(Severity::Note),
        findings: judged.findings.iter().map(said).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}
