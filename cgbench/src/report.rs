//! The report of a run, as Markdown: the verdict first, then what it stands on.

mod method;

use std::path::{Path, PathBuf};

use cgtune_sys::durable::Existing;

use crate::{
    chart::NAMES,
    record::{BackendKind, Machine, Records},
    store::{REPORT, StoreError, write_file},
    summary::{Summary, figures::count},
    table,
};

/// Writes the report into `folder`, replacing one that is there.
///
/// # Errors
/// [`StoreError::Write`]
pub fn write(records: &Records, summary: &Summary, folder: &Path) -> Result<PathBuf, StoreError> {
    let path = folder.join(REPORT);
    write_file(&path, markdown(records, summary).as_bytes(), Existing::Replaced)?;
    Ok(path)
}

/// The report as text. It refers to the charts by their names, as files beside it.
#[must_use]
pub fn markdown(records: &Records, summary: &Summary) -> String {
    let mut sections = vec![format!("# What CPU policies do to an encode loop: {}", line(&summary.plan))];
    if summary.backend == BackendKind::Simulated {
        sections.push(format!("> **{}**: {}.", table::SIMULATED, table::WHAT_THAT_IS));
    }
    if summary.partial {
        let note = "The run ended early: what follows stands on fewer blocks than planned.";
        sections.push(format!("> **{}.** {note}", table::partial(summary)));
    }
    sections.push(format!(
        "{}, kernel {}, {}.",
        backend(summary.backend),
        line(&summary.kernel),
        line(&records.run.started)
    ));
    sections.push(format!("## Verdict\n\n{}", verdicts(summary)));
    sections.push(format!("![{}]({}.svg)", alt(0), NAMES[0]));
    let notes: Vec<String> = table::notes(summary).iter().map(|note| format!("- {}", line(note))).collect();
    sections.push(format!("## Figures\n\n{}\n{}", table::markdown(summary), notes.join("\n")));
    sections.push(format!("![{}]({}.svg)\n\n![{}]({}.svg)", alt(1), NAMES[1], alt(2), NAMES[2]));
    sections.push(method::method(records, summary));
    sections.push(machine(&records.machine));
    sections.push(reproduce(records));
    sections.join("\n\n") + "\n"
}

fn backend(backend: BackendKind) -> &'static str {
    match backend {
        BackendKind::Kernel => "Measured in real cgroups",
        BackendKind::Simulated => "SIMULATED, not measured: a model of the controller of this",
    }
}

fn verdicts(summary: &Summary) -> String {
    let sentences: Vec<String> = summary
        .verdicts()
        .iter()
        .map(|verdict| {
            let sentence = line(&verdict.to_string());
            match sentence.split_once(": ") {
                Some((condition, rest)) => format!("- **{condition}**: {rest}"),
                None => format!("- {sentence}"),
            }
        })
        .collect();
    if sentences.is_empty() { "The plan has no conditions.".into() } else { sentences.join("\n") }
}

fn alt(place: usize) -> &'static str {
    [
        "Throttled share and tail latency of each policy",
        "Latency by percentile",
        "The worst second of the limit, frame by frame",
    ][place]
}

fn machine(machine: &Machine) -> String {
    let unknown = || "not known".to_owned();
    let row = |name: &str, value: String| format!("| {name} | {} |", line(&value).replace('|', "\\|"));
    let rows = [
        row("kernel", machine.kernel.clone()),
        row("CPU", machine.cpu_model.clone().unwrap_or_else(unknown)),
        row("CPUs online", format!("{} ({})", machine.online_cpus.len(), machine.online_cpus)),
        row(
            "memory",
            machine.memory_bytes.map_or_else(unknown, |bytes| format!("{} MiB", count(bytes >> 20))),
        ),
        row("hypervisor", machine.hypervisor.clone().unwrap_or_else(|| "none seen".into())),
        row("frequency governor", machine.governor.clone().unwrap_or_else(unknown)),
        row(
            "idle CPUs",
            if machine.kept_awake { "kept awake by an idle-class thread" } else { "may sleep" }.into(),
        ),
        row("cpu controller", machine.cpu_layout.clone()),
        row("cpuset controller", machine.cpuset_layout.clone().unwrap_or_else(|| "none".into())),
        row("burst", if machine.burst { "provided" } else { "not provided" }.into()),
        row("bandwidth slice", machine.slice_us.map_or_else(unknown, |us| format!("{} µs", count(us)))),
    ];
    format!("## Machine\n\n| | |\n| --- | --- |\n{}", rows.join("\n"))
}

fn reproduce(records: &Records) -> String {
    let command: Vec<String> = records.run.command.iter().map(|word| quoted(word)).collect();
    let run = &records.run;
    let mut text = format!(
        "## Run it again\n\n```sh\n{}\n```\n\ncgbench {}, {} s. The plan as run is in `plan.json`, the raw record of each \
         block in `blocks/`, the machine in `machine.json`; this report, the charts and `summary.json` can be made from \
         them at any time.",
        command.join(" "),
        line(&run.version),
        count(run.seconds.max(0.0).round() as u64),
    );
    if !run.missed.is_empty() {
        text.push_str("\n\nNot provided here:\n");
        for missed in &run.missed {
            text.push_str(&format!("\n- {}: {}", missed.condition, line(&missed.reason)));
        }
    }
    text
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into()
    } else {
        format!("'{}'", line(word).replace('\'', "'\\''"))
    }
}

/// What somebody else wrote, as one line.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_take_them_apart() {
        assert_eq!(["a-b", "a b", "it's", ""].map(quoted), ["a-b", "'a b'", "'it'\\''s'", "''"]);
    }
}
