//! `cgtune diagnose` for people: a cgroup with its findings, each with what was seen and what to do.

pub(crate) mod sentence;

use std::io::{self, Write};

use cgtune_core::{
    diagnose::{
        Cause, Confidence, Expiry, Finding, Remedy,
        remedy::{Expected, Kind},
    },
    sim::Spread,
    text::Escaped,
};

use super::{paragraph, resident::title, stat::name};
use crate::{
    diagnosis::{Diagnosis, Owners, Prescription},
    streams::HEADING,
};

/// What a probe of the kernel said.
pub(crate) fn expiry(expiry: Expiry, out: &mut dyn Write) -> io::Result<()> {
    let said = match expiry {
        Expiry::Expires => {
            "This kernel takes unused quota away: a load that stayed below its quota was throttled (cgtune explain kernel-expiry-bug)."
        }
        Expiry::Kept => {
            "This kernel keeps unused quota: a load that stayed below its quota was not throttled."
        }
        Expiry::Unclear => {
            "Whether this kernel takes unused quota away cannot be said: the probe did not run as meant; try again on a quieter machine."
        }
    };
    for line in paragraph::wrap(said, paragraph::WIDTH) {
        writeln!(out, "{line}")?;
    }
    writeln!(out)
}

pub(crate) fn write(diagnosis: &Diagnosis, owners: &mut Owners<'_>, out: &mut dyn Write) -> io::Result<()> {
    match title(&diagnosis.resident, &diagnosis.path) {
        Some(title) => writeln!(out, "{HEADING}{title}{HEADING:#}\n{}", name(&diagnosis.path))?,
        None => writeln!(out, "{HEADING}{}{HEADING:#}", name(&diagnosis.path))?,
    }
    for finding in &diagnosis.findings {
        heading(finding, out)?;
        indented(4, &sentence::of(finding), out)?;
        for (number, remedy) in finding.remedies.iter().enumerate() {
            self::remedy(diagnosis, remedy, number == 0, owners, out)?;
        }
    }
    if let Some(verdict) = diagnosis.verdict().filter(|_| diagnosis.is_ill()) {
        writeln!(out, "  more: cgtune explain {}", verdict.cause)?;
    }
    Ok(())
}

fn heading(finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
    let cause = finding.cause;
    let sure = match finding.confidence {
        Confidence::High => "",
        Confidence::Medium => ", probably",
        Confidence::Low => ", perhaps: little was seen",
    };
    match finding.stall_ms_per_s.filter(|_| cause != Cause::Healthy) {
        Some(stall) => writeln!(out, "  {HEADING}{cause}{HEADING:#}  {stall:.0} ms stalled per second{sure}"),
        None => writeln!(out, "  {HEADING}{cause}{HEADING:#}"),
    }
}

fn remedy(
    diagnosis: &Diagnosis,
    remedy: &Remedy,
    first: bool,
    owners: &mut Owners<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let lead = if first { "try " } else { "or  " };
    writeln!(out, "    {lead}{}", what(remedy))?;
    let prescriptions = diagnosis.prescriptions(remedy, owners);
    let (own, lasting): (Vec<&Prescription>, Vec<_>) =
        prescriptions.iter().partition(|p| p.owner == "cgtune");
    for Prescription { command, .. } in own {
        command_line(command.as_deref(), out)?;
    }
    if let Some(expected) = &remedy.expected {
        indented(8, &self::expected(expected), out)?;
    }
    indented(8, &format!("costs: {}", remedy.kind.cost()), out)?;
    // The way to make the first choice last; for the others one line is enough.
    for Prescription { owner, command, cannot } in lasting.into_iter().filter(|_| first) {
        indented(8, &format!("to last, by {owner}:"), out)?;
        command_line(command.as_deref(), out)?;
        for cannot in cannot {
            indented(8, &format!("but {cannot}"), out)?;
        }
    }
    Ok(())
}

/// On one line, however long: it is there to be copied.
fn command_line(command: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    match command {
        Some(command) => writeln!(out, "        {}", Escaped(command.as_bytes())),
        None => Ok(()),
    }
}

fn what(remedy: &Remedy) -> String {
    let amount = remedy.amount.unwrap_or(0.0);
    match remedy.kind {
        Kind::Burst => "letting it save up one quota".to_owned(),
        Kind::RaiseLimit => format!("a limit of {amount:.2} CPUs"),
        Kind::LongerPeriod => "the same limit over a longer period".to_owned(),
        Kind::FewerThreads => {
            format!(
                "{amount:.0} thread{}: as many as the limit has CPUs",
                if amount == 1.0 { "" } else { "s" }
            )
        }
        Kind::NoLimit => "no limit: its weight decides when CPUs are short".to_owned(),
        Kind::RaiseAncestor => "a larger limit, or none, for the group above".to_owned(),
        Kind::RaiseWeight => "a larger weight".to_owned(),
        Kind::NotIdle => "taking it out of the idle class".to_owned(),
        Kind::OtherCpus => "more CPUs, or others".to_owned(),
        Kind::NewKernel => "a kernel with de53fd7aedb1 (5.4, and many older stable ones)".to_owned(),
        Kind::OtherHost => "a host that is less full".to_owned(),
    }
}

fn expected(expected: &Expected) -> String {
    format!(
        "expected: {} ms stalled per second in place of {} (modelled)",
        range(&expected.stall_ms_per_s),
        range(&expected.stall_ms_per_s_now),
    )
}

/// `1–3`, or `0` where both ends show the same.
fn range(spread: &Spread<f64>) -> String {
    let (low, high) = (format!("{:.0}", spread.min), format!("{:.0}", spread.max));
    if low == high { low } else { format!("{low}–{high}") }
}

fn indented(indent: usize, text: &str, out: &mut dyn Write) -> io::Result<()> {
    for line in paragraph::wrap(text, paragraph::WIDTH - indent) {
        writeln!(out, "{:indent$}{line}", "")?;
    }
    Ok(())
}
