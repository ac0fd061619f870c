//! `cgtune pin verify` for people.

use std::io::{self, Write};

use cgtune_core::{
    Nanos,
    pinning::{
        Confidence, Finding, Found, MOST_ENDED, MOST_STATES, MOST_TASKS, Report, Reports, Source,
        WORTH_STOLEN,
    },
};

use crate::{
    cmd::pin::verify::{LeftOut, Verified, path, stranger},
    render::{paragraph, resident::title, stat::name},
    streams::HEADING,
};

/// Width of the column of names.
const NAMES: usize = 10;
/// How many findings of one kind are told of one group.
const MOST: usize = 5;

pub(crate) fn write(verified: &Verified, out: &mut dyn Write) -> io::Result<()> {
    let reports = &verified.reports;
    if reports.groups.is_empty() {
        let nobody =
            "no group here is pinned: neither by the kubelet, nor by cgtune, nor by a cpuset of its own";
        paragraph(0, nobody, out)?;
    }
    for report in &reports.groups {
        group(report, verified, out)?;
    }
    let LeftOut { beyond, shared } = verified.left_out;
    if beyond > 0 {
        let note = format!(
            "{beyond} more groups have cpusets of their own; they are in the cpuset hierarchy alone, or too many to watch at once"
        );
        paragraph(0, &note, out)?;
    }
    if shared > 0 {
        let note = format!("containers in the kubelet's shared pool, which are not pinned: {shared}");
        paragraph(0, &note, out)?;
    }
    Ok(())
}

fn group(report: &Report, verified: &Verified, out: &mut dyn Write) -> io::Result<()> {
    let own = path(&report.pinned.path);
    match title(&verified.register.resident(own), own) {
        Some(title) => writeln!(out, "{HEADING}{title}{HEADING:#}\n{}", name(own))?,
        None => writeln!(out, "{HEADING}{}{HEADING:#}", name(own))?,
    }
    row(out, "meant", &meant(report))?;
    row(out, "in force", &in_force(report))?;
    row(out, "threads", &threads(report, verified))?;
    row(out, "others", &others(report, verified))?;
    for untold in untold(report) {
        row(out, "not told", &untold)?;
    }
    if let Some(gone) = report.gone {
        row(out, "gone", &format!("the group was removed {} after the first look", span(gone)))?;
    }
    if report.findings.is_empty() && report.looks > 0 {
        row(out, "clean", &clean(report, &verified.reports))?;
    }
    let mut kind = ("", 0);
    for found in &report.findings {
        let this = found.finding.name();
        kind = if kind.0 == this { (this, kind.1 + 1) } else { (this, 1) };
        if kind.1 <= MOST {
            finding(found, report, verified, out)?;
        } else if kind.1 == MOST + 1 {
            let all = report.findings.iter().filter(|other| other.finding.name() == this).count();
            writeln!(out, "  {HEADING}{this}{HEADING:#}  {} more; --json tells all", all - MOST)?;
        }
    }
    Ok(())
}

fn finding(found: &Found, report: &Report, verified: &Verified, out: &mut dyn Write) -> io::Result<()> {
    let finding = &found.finding;
    let sure = match finding.confidence() {
        Confidence::High => "",
        Confidence::Medium => ", probably",
        Confidence::Low => ", perhaps",
    };
    writeln!(
        out,
        "{}",
        format!("  {HEADING}{}{HEADING:#}  {}{sure}", finding.name(), when(found)).trim_end()
    )?;
    let mut sentence = finding.to_string();
    if let Some(group) = stranger(finding)
        && let Some(title) = title(&verified.register.resident(path(group)), path(group))
    {
        sentence.push_str(&format!(" ({group} is {title})"));
    }
    if matches!(finding, Finding::SetDiffers { .. })
        && let Some(suspects) = verified.suspects.get(&report.pinned.path)
    {
        sentence.push_str(&format!(". Those who write there: {}", suspects.join("; ")));
    }
    paragraph(4, &sentence, out)?;
    let elsewhere = verified.reports.elsewhere(report, finding);
    paragraph(4, &format!("try: {}", finding.remedy(&report.pinned.path, &elsewhere)), out)
}

/// At how many looks, from when to when.
fn when(found: &Found) -> String {
    let times = match (found.times, found.looks) {
        (1, 1) => return String::new(),
        (times, looks) if times == looks => format!("at all {looks} looks"),
        (times, looks) => format!("at {times} of {looks} looks"),
    };
    let still = if found.still { "" } else { ", and no more" };
    match found.last_seen == found.first_seen {
        true => format!("{times}, {} in{still}", span(found.first_seen)),
        false => format!("{times}, from {} to {}{still}", span(found.first_seen), span(found.last_seen)),
    }
}

fn meant(report: &Report) -> String {
    let intent = &report.pinned.intent;
    let alone = match &report.last {
        Some(placed) if intent.exclusive || placed.is_alone() => " alone",
        _ => "",
    };
    let who = match &intent.source {
        Source::Asked => "as --cpus says".to_owned(),
        Source::Journal { change } => format!("by change {change} of cgtune's journal"),
        Source::Kubelet { container, .. } => format!("by the kubelet's CPU manager, for {container}"),
        Source::Itself => "by its own cpuset.cpus: nobody else says".to_owned(),
    };
    format!("CPU {}{alone}, {who}", intent.cpus)
}

fn in_force(report: &Report) -> String {
    let Some(placed) = &report.last else { return "not seen: it was gone at the first look".to_owned() };
    let set = match &placed.set {
        None => return "no cpuset here".to_owned(),
        Some(set) if set.is_empty() => "cpuset.cpus is empty".to_owned(),
        Some(set) => format!("cpuset.cpus {set}"),
    };
    let partition = match &placed.partition {
        Some(partition) if !partition.is_member() => match partition.invalid {
            Some(_) => format!(", partition {}, which is invalid", partition.kind),
            None => format!(", partition {}", partition.kind),
        },
        _ => String::new(),
    };
    match &placed.effective {
        Some(effective) => format!("CPU {effective} ({set}{partition})"),
        None => format!("not shown by this kernel ({set})"),
    }
}

/// That nothing was found, of what was looked at.
fn clean(report: &Report, reports: &Reports) -> String {
    let nobody = format!("nobody who took a CPU for more than {:.0} ms a second", WORTH_STOLEN * 1e3);
    let of_tasks = match reports.tasks {
        None => None,
        Some(_) if reports.others_looks == 0 || reports.tasks_hidden => None,
        Some(tasks) if reports.tasks_bounded => Some(format!("of {tasks} tasks {nobody}")),
        Some(_) => Some(nobody),
    };
    let of_threads = match (report.threads, report.threads_had_turn) {
        (None, _) | (Some(1..), 0) => None,
        // v1 leaves out those of other pid namespaces.
        (Some(0), _) if reports.tasks_hidden => None,
        (Some(all), seen) if seen < all => Some(format!("of {seen} threads none elsewhere")),
        (Some(_), _) => Some("no thread elsewhere".to_owned()),
    };
    let unseen: Vec<&str> = [(&of_threads, "its threads"), (&of_tasks, "others' tasks")]
        .iter()
        .filter(|(seen, _)| seen.is_none())
        .map(|(_, what)| *what)
        .collect();
    let mut seen = vec!["no other set".to_owned()];
    seen.extend(of_threads);
    seen.extend(of_tasks);
    let last = seen.pop().unwrap_or_default();
    let seen = match seen.is_empty() {
        true => last,
        false => format!("{}, and {last}", seen.join(", ")),
    };
    match unseen.is_empty() {
        true => format!("nothing was found: {seen}"),
        false => format!("nothing was found: {seen}; not seen: {}", unseen.join(", ")),
    }
}

fn threads(report: &Report, verified: &Verified) -> String {
    let looked =
        format!("looked at {} times in {}", report.looks, span(report.gone.unwrap_or(verified.reports.wall)));
    match report.threads {
        None => format!("cannot be read, as from another pid namespace; {looked}"),
        Some(0) if verified.reports.tasks_hidden => format!("none that this /proc shows, {looked}"),
        Some(count) if report.threads_looked_at == 0 && verified.reports.tasks_hidden => {
            format!("{count}, which this /proc does not show; {looked}")
        }
        Some(count) if report.threads_had_turn < count => {
            format!("{count}, of which {} had their turn, {looked}", report.threads_had_turn)
        }
        Some(count) => format!("{count}, {looked}"),
    }
}

fn others(report: &Report, verified: &Verified) -> String {
    let reports = &verified.reports;
    let (Some(tasks), true) = (reports.tasks, reports.others_looks > 0) else {
        return "not looked at for long enough".to_owned();
    };
    let others = &report.others;
    let bounded = if reports.tasks_bounded { "; there are more, which were not looked at" } else { "" };
    let ran = match others.tasks {
        0 => "nobody else was seen to run there".to_owned(),
        1 => format!("1 task ran there for {} at least", span(others.time)),
        n => format!("{n} tasks ran there for {} at least", span(others.time)),
    };
    let kernel = format!("the kernel's own of each CPU for {}", span(others.kernel_per_cpu_time));
    let looked = format!("{tasks} tasks, looked at {} times{bounded}", reports.others_looks + 1);
    match reports.tasks_hidden {
        true => format!(
            "cannot all be seen: this /proc hides others' tasks (hidepid), or is of a pid namespace of its own; of those that it shows {ran} ({looked})"
        ),
        false => format!("{ran}, {kernel} ({looked})"),
    }
}

/// What was seen, and is in no finding or count, as there was more of it than is kept.
fn untold(report: &Report) -> Vec<String> {
    let mut told = Vec::new();
    if report.untold_states > 0 {
        told.push(format!(
            "sets and overlaps, seen {} times: more than {MOST_STATES} different ones were",
            report.untold_states
        ));
    }
    if report.untold_threads > 0 {
        told.push(format!(
            "{} threads that were elsewhere and have ended: more than {MOST_ENDED} have",
            report.untold_threads
        ));
    }
    if report.others.uncounted > Nanos::ZERO {
        told.push(format!(
            "tasks that ran there for {}: more than {MOST_TASKS} did at once",
            span(report.others.uncounted)
        ));
    }
    told
}

fn row(out: &mut dyn Write, label: &str, text: &str) -> io::Result<()> {
    for (i, line) in paragraph::wrap(text, paragraph::WIDTH - NAMES - 2).iter().enumerate() {
        let label = if i == 0 { label } else { "" };
        writeln!(out, "  {label:<NAMES$}{line}")?;
    }
    Ok(())
}

fn paragraph(indent: usize, text: &str, out: &mut dyn Write) -> io::Result<()> {
    for line in paragraph::wrap(text, paragraph::WIDTH - indent) {
        writeln!(out, "{:indent$}{line}", "")?;
    }
    Ok(())
}

/// A span in the unit in which it reads best.
fn span(time: Nanos) -> String {
    let seconds = time.as_secs();
    match time.get() {
        0 => "0 s".to_owned(),
        ns if ns < 1_000_000_000 => format!("{:.1} ms", seconds * 1e3),
        _ => format!("{seconds:.1} s"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use cgtune_core::{
        CpuSet,
        pinning::{
            Intent, Name, Pinned, Watch,
            seen::{Look, OthersSeen, Placed, Threads},
        },
    };
    use cgtune_node::names::Register;

    use super::*;
    use crate::cmd::pin::verify::Effort;

    #[test]
    fn that_nobody_is_pinned_fits_a_narrow_terminal() {
        let verified = Verified {
            reports: Watch::new(Vec::new()).report(),
            effort: Effort { begun: jiff::Timestamp::UNIX_EPOCH, cpu: Nanos::ZERO },
            register: Register::default(),
            suspects: HashMap::new(),
            left_out: LeftOut { beyond: 7, shared: 3 },
            interrupted: false,
        };
        let mut said = Vec::new();
        write(&verified, &mut said).unwrap();
        let said = String::from_utf8(said).unwrap();
        assert!(said.starts_with("no group here is pinned: ") && said.contains("shared pool"), "{said}");
        assert!(said.lines().all(|line| line.len() <= paragraph::WIDTH), "{said}");
    }

    #[test]
    fn clean_is_said_of_what_was_looked_at_alone() {
        let of = |threads: Option<u32>, bounded, hidden, looks: u64| {
            let cpus: CpuSet = "1".parse().unwrap();
            let intent = Intent { cpus: cpus.clone(), source: Source::Asked, exclusive: false };
            let mut watch = Watch::new(vec![Pinned { path: Name(b"/a".to_vec()), intent }]);
            for n in 0..looks {
                let threads = threads.map(|count| Threads { here: (1..=count).collect(), read: Vec::new() });
                let set = Some(cpus.clone());
                let place = Placed { set: set.clone(), effective: set, threads, ..Placed::default() };
                let others =
                    OthersSeen { first: n == 0, tasks: 90, bounded, hidden, ..OthersSeen::default() };
                watch.look(&Look { groups: vec![Some(place)], others: Some(others), ..Look::default() });
            }
            let reports = watch.report();
            clean(&reports.groups[0], &reports)
        };
        let nobody = "nobody who took a CPU for more than 1 ms a second";
        assert_eq!(
            of(Some(0), false, false, 2),
            format!("nothing was found: no other set, no thread elsewhere, and {nobody}")
        );
        assert_eq!(
            of(None, true, false, 2),
            format!("nothing was found: no other set, and of 90 tasks {nobody}; not seen: its threads")
        );
        assert_eq!(
            of(Some(3), false, false, 1),
            "nothing was found: no other set; not seen: its threads, others' tasks"
        );
        assert_eq!(
            of(Some(0), false, true, 2),
            "nothing was found: no other set; not seen: its threads, others' tasks"
        );
    }
}
