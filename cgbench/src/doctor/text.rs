//! A [`Doctor`] for a terminal: the facts, what was heard, and what was found, which comes last since that is where one looks.

use anstyle::{AnsiColor, Style};
use cgtune_core::{CpuSet, text::Escaped};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use workloads::gap;

use super::{Cgroups, Cpus, Doctor, Finding, Noise, Severity, Sleeps, System, span::Span, verdict};
use crate::summary::figures::{count, counted, percent};

const HEADING: Style = Style::new().bold();
const FIT: Style = AnsiColor::Green.on_default().bold();
const CAUTION: Style = AnsiColor::Yellow.on_default().bold();
const UNFIT: Style = AnsiColor::Red.on_default().bold();

const UNKNOWN: &str = "not known";

/// Everything, in lines of at most `width` columns; a longer word stays whole.
#[must_use]
pub fn terminal(doctor: &Doctor, findings: &[Finding], colour: bool, width: usize) -> String {
    let paint =
        |style: Style, text: &str| if colour { format!("{style}{text}{style:#}") } else { text.to_owned() };
    let mut out = String::new();
    let mut section = |heading: &str, rows: &[(String, String)]| {
        out.push_str(&paint(HEADING, heading));
        out.push('\n');
        for line in columns(rows, width) {
            out.push_str(&line);
            out.push('\n');
        }
        out.push('\n');
    };
    section("machine", &facts(doctor));
    match &doctor.noise {
        Some(noise) => section(&heard(noise), &noises(noise, doctor.sleeps.as_ref())),
        None => section("noise: nobody listened", &[]),
    }
    let worst = verdict(findings);
    out.push_str(&paint(style(worst), &conclusion(worst, findings.len())));
    out.push('\n');
    let rows: Vec<(String, String)> = findings
        .iter()
        .flat_map(|finding| {
            let severity = finding.severity().to_string();
            [(severity, finding.to_string()), (String::new(), format!("→ {}", finding.remedy()))]
        })
        .collect();
    let mut severities = findings.iter().map(Finding::severity).peekable();
    for line in columns(&rows, width) {
        // The next severity begins the line on which its finding begins.
        let begins = severities.next_if(|severity| line.trim_start().starts_with(&severity.to_string()));
        out.push_str(&match begins {
            Some(severity) => {
                line.replacen(&severity.to_string(), &paint(style(severity), &severity.to_string()), 1)
            }
            None => line,
        });
        out.push('\n');
    }
    out
}

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Fit => FIT,
        Severity::Caution => CAUTION,
        Severity::Unfit => UNFIT,
    }
}

fn conclusion(worst: Severity, findings: usize) -> String {
    let findings = counted(findings as u64, "finding");
    match worst {
        Severity::Fit => "fit for measuring latency".to_owned(),
        Severity::Caution => format!("fit for measuring latency, with caution: {findings}"),
        Severity::Unfit => format!("unfit for measuring latency: {findings}"),
    }
}

/// Names and what belongs to them, as lines; the second column is wrapped. Indented, so that headings stand out.
fn columns(rows: &[(String, String)], width: usize) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    for (name, value) in rows {
        table.add_row([name, value]);
    }
    let names = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (place, padding) in [(0, (2, 2)), (1, (0, 0))] {
        if let Some(column) = table.column_mut(place) {
            column.set_padding(padding);
        }
    }
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(
            u16::try_from(names + 4).unwrap_or(u16::MAX),
        )));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

fn known(value: Option<impl ToString>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |value| value.to_string())
}

/// What somebody else wrote, safe to show.
fn shown(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}

fn facts(doctor: &Doctor) -> Vec<(String, String)> {
    let (system, cpus) = (&doctor.system, &doctor.cpus);
    let row = |name: &str, value: String| (name.to_owned(), value);
    vec![
        row("kernel", kernel(system)),
        row("hypervisor", system.hypervisor.as_deref().map_or_else(|| "none seen".to_owned(), shown)),
        row(
            "container",
            match system.container_marks.as_slice() {
                [] => "no mark of one seen".to_owned(),
                marks => format!(
                    "{} is there",
                    marks.iter().map(|mark| shown(mark)).collect::<Vec<_>>().join(", ")
                ),
            },
        ),
        row("CPU", known(cpus.model.as_deref().map(shown))),
        row("CPUs", which(cpus)),
        row("SMT", known(cpus.smt_active.map(|on| if on { "on" } else { "off" }))),
        row("clock rate", rate(cpus)),
        row("time", time(doctor)),
        row("slices", slices(system)),
        row("memory", memory(system)),
        row(
            "load",
            known(
                system.load_average.map(|[one, five, fifteen]| {
                    format!("{one:.2} {five:.2} {fifteen:.2} (1, 5, 15 minutes)")
                }),
            ),
        ),
        row("PSI", if system.psi { "provided" } else { "not provided" }.to_owned()),
        row("cgroups", control(&doctor.cgroups)),
        row("our cgroup", own(&doctor.cgroups)),
    ]
}

fn kernel(system: &System) -> String {
    let ticks =
        system.tick_hz.map_or_else(|| "ticks not known".to_owned(), |hz| format!("{hz} ticks a second"));
    format!("{}, {ticks}", known(system.kernel.as_deref().map(shown)))
}

fn which(cpus: &Cpus) -> String {
    let list = |cpus: &CpuSet| format!("{} ({cpus})", cpus.len());
    let mut text = format!(
        "{} online, {} allowed",
        known(cpus.online.as_ref().map(list)),
        known(cpus.allowed.as_ref().map(list))
    );
    for (name, set) in [("isolated", &cpus.isolated), ("without tick", &cpus.nohz_full)] {
        if let Some(set) = set.as_ref().filter(|set| !set.is_empty()) {
            text.push_str(&format!(", {name}: {set}"));
        }
    }
    text
}

fn rate(cpus: &Cpus) -> String {
    let mut parts: Vec<String> = cpus
        .governors
        .iter()
        .map(|(name, cpus)| format!("{} on {}", shown(name), counted(*cpus as u64, "CPU")))
        .collect();
    if let Some((low, high)) = cpus.frequencies_khz {
        let (low, high) = (count(low / 1000), count(high / 1000));
        parts.push(if low == high { format!("{low} MHz") } else { format!("{low} to {high} MHz") });
    }
    if let Some(turbo) = cpus.turbo {
        parts.push(if turbo { "turbo on" } else { "turbo off" }.to_owned());
    }
    if parts.is_empty() { "not shown here".to_owned() } else { parts.join(", ") }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shown only")]
fn span(ns: f64) -> Span {
    Span(ns.max(0.0).round() as u64)
}

fn time(doctor: &Doctor) -> String {
    let source = known(doctor.system.clocksource.as_deref().map(shown));
    match doctor.noise.as_ref().and_then(|noise| noise.gaps().read_ns()) {
        Some(read_ns) => format!("{source}, {} a reading", span(read_ns)),
        None => source,
    }
}

fn slices(system: &System) -> String {
    format!(
        "scheduler's {}, quota's {}",
        known(system.base_slice_ns.map(Span)),
        known(system.bandwidth_slice_us.map(|us| Span(us.saturating_mul(1000))))
    )
}

fn memory(system: &System) -> String {
    let mib = |bytes: u64| format!("{} MiB", count(bytes >> 20));
    format!(
        "{}, {} available",
        known(system.memory_bytes.map(mib)),
        known(system.memory_available_bytes.map(mib))
    )
}

fn control(cgroups: &Cgroups) -> String {
    let layout = |name: &str, layout: &Option<String>| match layout {
        Some(layout) => format!("{name} {}", shown(layout)),
        None => format!("no {name}"),
    };
    let provided = |name: &str, provided: Option<bool>| match provided {
        Some(true) => name.to_owned(),
        Some(false) => format!("no {name}"),
        None => format!("{name} not known"),
    };
    [
        layout("cpu", &cgroups.cpu_layout),
        layout("cpuset", &cgroups.cpuset_layout),
        provided("quota", cgroups.bandwidth),
        provided("burst", cgroups.burst),
        if cgroups.refusal.is_some() { "cannot be made here" } else { "can be made here" }.to_owned(),
    ]
    .join(", ")
}

fn own(cgroups: &Cgroups) -> String {
    let Some(own) = &cgroups.own else { return UNKNOWN.to_owned() };
    let limit = match (own.limit_cpus, &own.limited_by) {
        (Some(cpus), Some(by)) => format!("{cpus:.2} CPUs, set at {}", shown(by)),
        (Some(cpus), None) => format!("{cpus:.2} CPUs"),
        (None, _) => "no limit".to_owned(),
    };
    let above = if own.sees_root { "" } else { "; what is above the mount cannot be seen" };
    format!("{}: {limit}{above}", shown(&own.path))
}

fn heard(noise: &Noise) -> String {
    format!(
        "noise: {} on {} at once; gaps by their length, a block a doubling",
        Span(noise.wall_ns),
        counted(noise.cpus.len() as u64, "CPU")
    )
}

/// The histogram, from the shortest gaps to the longest that there were, and what is to be said beside it. A bar is a block long for
/// each doubling of its count: the many short gaps would hide the few long ones.
fn noises(noise: &Noise, sleeps: Option<&Sleeps>) -> Vec<(String, String)> {
    let gaps = noise.gaps();
    let last = gaps.counts.iter().rposition(|&count| count > 0).map_or(0, |class| class + 1);
    let wide = gaps.counts.iter().map(|&gaps| count(gaps).len()).max().unwrap_or(0);
    let mut rows: Vec<(String, String)> = (0..last)
        .map(|class| {
            let from = Span(gap::class_from_ns(class));
            let name = if class + 1 < gap::CLASSES { format!("from {from}") } else { format!("over {from}") };
            let number = gaps.counts[class];
            let bar = number.checked_ilog2().map_or(0, |doublings| doublings as usize + 1);
            (name, format!("{:>wide$} {}", count(number), "▪".repeat(bar)))
        })
        .collect();
    let mut lost = format!("{} of the time", gaps.lost_frac().map_or_else(|| UNKNOWN.to_owned(), percent));
    if let Some(longest) = gaps.longest_ns {
        lost.push_str(&format!(", {} at most", Span(longest)));
    }
    if let Some(worst) = noise.worst().filter(|_| noise.cpus.len() > 1) {
        let part = worst.gaps.lost_frac().map_or_else(|| UNKNOWN.to_owned(), percent);
        lost.push_str(&format!("; CPU {} lost most, {part}", worst.cpu));
    }
    rows.push(("lost".to_owned(), lost));
    let taken = noise.disturbance.as_ref().map(|taken| {
        format!("{} by the hypervisor (steal), {} by others", percent(taken.steal), percent(taken.foreign))
    });
    rows.push(("taken".to_owned(), known(taken)));
    rows.push((
        "preempted".to_owned(),
        known(noise.involuntary_switches().map(|switches| counted(switches, "time"))),
    ));
    if !noise.skipped.is_empty() {
        rows.push(("skipped".to_owned(), format!("CPUs {}: we cannot be pinned there", noise.skipped)));
    }
    rows.extend(sleeps.map(|sleeps| {
        let asked = Span(sleeps.asked_ns);
        let text = format!(
            "{} sleeps of {asked}: half of them up to {} late, 95 % up to {}, the latest {}",
            count(sleeps.count),
            span(sleeps.p50_ns),
            span(sleeps.p95_ns),
            Span(sleeps.max_ns)
        );
        ("sleep".to_owned(), text)
    }));
    rows
}
