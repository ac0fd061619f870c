//! `cgtune stat` for people: one cgroup.

use std::{
    io::{self, Write},
    path::Path,
};

use cgtune_core::{
    Micros, Nanos, ObservedBandwidth, ObservedShare, Quota,
    snapshot::Usage,
    text::{Escaped, counted},
};
use cgtune_sys::detect::View;

use super::{paragraph, resident};
use crate::{reading::Reading, streams::HEADING};

/// Width of the column of names.
const NAMES: usize = 12;

pub(crate) fn write(reading: &Reading, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{HEADING}{}{HEADING:#}", name(&reading.path))?;
    if let Some(title) = resident::title(&reading.resident, &reading.path) {
        row(out, "name", &title)?;
    }
    if reading.resident.pod.as_ref().is_some_and(|pod| pod.astray) {
        row(out, "beside", "it lies outside its pod's group, whose limits do not hold for it")?;
    }
    row(out, "policy", &policy(reading))?;
    row(out, "limit", &limit(reading))?;
    for (label, text) in totals(reading) {
        row(out, label, &text)?;
    }
    let Some(interval) = &reading.interval else { return Ok(()) };
    writeln!(out, "{HEADING}over the last {:.1} s{HEADING:#}", interval.wall.as_secs())?;
    for (label, text) in rates(reading) {
        row(out, label, &text)?;
    }
    Ok(())
}

pub(crate) fn row(out: &mut dyn Write, label: &str, text: &str) -> io::Result<()> {
    for (i, line) in paragraph::wrap(text, paragraph::WIDTH - NAMES - 2).iter().enumerate() {
        let label = if i == 0 { label } else { "" };
        writeln!(out, "  {label:<NAMES$}{line}")?;
    }
    Ok(())
}

fn policy(reading: &Reading) -> String {
    let observed = &reading.observed;
    let mut parts = vec![match observed.share {
        Some(ObservedShare::Shares(n)) => format!("shares {n}"),
        Some(ObservedShare::Weight(n)) => format!("weight {n}"),
        None => "no shares or weight here".to_owned(),
    }];
    parts.push(match observed.bandwidth {
        Some(ObservedBandwidth { quota: Quota::Unlimited, .. }) => "no quota".to_owned(),
        Some(bandwidth) => format!("quota {} of every {}", bandwidth.quota, bandwidth.period),
        None => "no bandwidth control here".to_owned(),
    });
    match observed.bandwidth.map(|bandwidth| (bandwidth.quota, bandwidth.burst)) {
        Some((_, None)) => parts.push("burst not provided by this kernel".to_owned()),
        Some((Quota::Unlimited, Some(Micros::ZERO))) | None => {}
        Some((Quota::Unlimited, Some(burst))) => parts.push(format!("a stale burst of {burst}")),
        Some((Quota::Limited(_), Some(Micros::ZERO))) => parts.push("no burst".to_owned()),
        Some((Quota::Limited(_), Some(burst))) => parts.push(format!("burst {burst}")),
    }
    if observed.idle == Some(true) {
        parts.push("idle class".to_owned());
    }
    match observed.effective_cpus.as_ref().or(observed.cpus.as_ref()) {
        // A v1 cpuset that was made and never filled: it takes no task.
        Some(cpus) if cpus.is_empty() => parts.push("an empty cpuset".to_owned()),
        Some(cpus) => parts.push(format!("CPUs {cpus}")),
        None => {}
    }
    parts.join(", ")
}

fn limit(reading: &Reading) -> String {
    let visible = match reading.limit() {
        Some((limit, _)) if limit.level == 0 => format!("{:.3} CPUs, set here", limit.cpus),
        Some((limit, path)) => format!("{:.3} CPUs, set by the ancestor {}", limit.cpus, name(path)),
        None if reading.view == View::Limited => "none visible".to_owned(),
        None => "none, here or above".to_owned(),
    };
    match reading.view {
        View::Whole => visible,
        View::Limited => {
            format!("{visible}; this is a container's view, limits above it cannot be seen")
        }
    }
}

/// Counters since the group was made. What the kernel does not provide is left out here; `--json` says null.
fn totals(reading: &Reading) -> Vec<(&'static str, String)> {
    let snapshot = &reading.snapshot;
    let mut rows = Vec::new();
    if let Some(b) = snapshot.stat.bandwidth {
        let (throttled, periods) = (b.nr_throttled.get(), b.nr_periods.get());
        rows.push((
            "throttled",
            format!("{}, {} in all", of(throttled, periods, "periods"), span(b.throttled)),
        ));
    }
    if let Some(b) = snapshot.stat.bursts {
        rows.push((
            "bursts",
            format!("{}, {} above the quota in all", counted(b.nr_bursts.get(), "period"), span(b.burst)),
        ));
    }
    rows.push(match &snapshot.usage {
        Some(Usage::Counter(usage)) => ("used", format!("{} of CPU time", span(*usage))),
        Some(Usage::Members { threads, .. }) => (
            "used",
            format!(
                "no counter here (v1 cpu without cpuacct); {} threads are asked one by one",
                threads.len()
            ),
        ),
        None => ("used", "not provided here".to_owned()),
    });
    rows
}

fn rates(reading: &Reading) -> Vec<(&'static str, String)> {
    let Some(interval) = &reading.interval else { return Vec::new() };
    let mut rows = Vec::new();
    if let (Some(b), Some(stall)) = (interval.bandwidth, interval.stall_ms_per_s()) {
        let periods = of(b.nr_throttled, b.nr_periods, "active periods");
        rows.push(("throttled", format!("{periods}, {stall:.0} ms stalled per second, summed over CPUs")));
    }
    if let (Some(local), Some(own)) = (interval.local_throttled, interval.bandwidth)
        && above_by(local, own.throttled, interval.wall)
    {
        let stall = local.as_secs() * 1e3 / interval.wall.as_secs();
        rows.push((
            "with above",
            format!("{stall:.0} ms stalled per second when ancestors' limits are counted in"),
        ));
    }
    if let Some(cpus) = interval.cpus_used() {
        let part = reading
            .used_of_limit()
            .map(|part| format!(", {:.0} % of the limit", part * 100.0))
            .unwrap_or_default();
        rows.push(("used", format!("{cpus:.3} CPUs{part}")));
    }
    if let Some(b) = interval.bursts {
        rows.push((
            "bursts",
            format!("{}, {} above the quota", counted(b.nr_bursts, "period"), span(b.burst)),
        ));
    }
    if let Some(pressure) = interval.pressure {
        let percent = |part: Nanos| part.as_secs() / interval.wall.as_secs() * 100.0;
        let full = pressure.full.map(|full| format!(", {:.1} % all", percent(full))).unwrap_or_default();
        rows.push((
            "pressure",
            format!("{:.1} % of the time some task waited for a CPU{full}", percent(pressure.some)),
        ));
    }
    rows
}

/// Whether ancestors add enough to be worth a line. The two counters are fed at different moments of a throttle's end, so
/// that they differ a little where no ancestor is involved.
fn above_by(local: Nanos, own: Nanos, wall: Nanos) -> bool {
    local.checked_sub(own).is_some_and(|more| more.as_secs() > wall.as_secs() / 20.0)
}

/// `3 of 12 periods (25.0 %)`: never a percentage without its denominator.
#[allow(clippy::cast_precision_loss, reason = "a percentage for people")]
fn of(part: u64, all: u64, what: &str) -> String {
    match all {
        0 => format!("0 of 0 {what}"),
        _ => format!("{part} of {all} {what} ({:.1} %)", part as f64 * 100.0 / all as f64),
    }
}

/// A span in the unit in which it reads best.
fn span(time: Nanos) -> String {
    let seconds = time.as_secs();
    match time.get() {
        0 => "0 s".to_owned(),
        ns if ns < 1_000_000 => format!("{:.0} µs", seconds * 1e6),
        ns if ns < 1_000_000_000 => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{seconds:.1} s"),
    }
}

pub(crate) fn name(path: &Path) -> Escaped<'_> {
    Escaped(path.as_os_str().as_encoded_bytes())
}
