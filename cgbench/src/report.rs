//! The report of a run: the verdict first, then what it stands on. As Markdown, which refers to the charts as files beside it, and
//! as one HTML page that has everything in it ([`html`]).

mod facts;
mod headline;
pub mod html;
mod method;
mod prose;

use std::path::{Path, PathBuf};

use cgtune_sys::durable::Existing;

use crate::{
    chart::NAMES,
    record::{BackendKind, Records},
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
    let mut sections =
        vec![format!("# What CPU policies do to {}: {}", summary.item.load(), line(&summary.plan))];
    if summary.backend == BackendKind::Simulated {
        sections.push(format!("> **{}**: {}.", table::SIMULATED, table::WHAT_THAT_IS));
    }
    if summary.partial {
        let note = "The run ended early: what follows stands on fewer blocks than planned.";
        sections.push(format!("> **{}.** {note}", table::partial(summary)));
    }
    sections.push(format!("{}, {}.", standing(summary), line(&records.run.started)));
    sections.push(format!("## Verdict\n\n{}\n\n{}", line(&headline::headline(summary)), verdicts(summary)));
    sections.push(format!("![{}]({}.svg)", alt(0), NAMES[0]));
    let notes: Vec<String> = table::notes(summary).iter().map(|note| format!("- {}", line(note))).collect();
    sections.push(format!("## Figures\n\n{}\n{}", table::markdown(summary), notes.join("\n")));
    let charts = (1..NAMES.len()).map(|place| format!("![{}]({}.svg)", alt(place), NAMES[place]));
    sections.extend(charts);
    sections.push(method(records, summary));
    sections.push(machine(records));
    sections.push(reproduce(records));
    sections.join("\n\n") + "\n"
}

/// Who measured, on what.
fn standing(summary: &Summary) -> String {
    format!("{}, kernel {}", backend(summary.backend), line(&summary.kernel))
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
        "The worst second of the limit, one by one",
        "Latency by second of the block",
        "Tail latency against the CPU that a policy sets aside",
    ][place]
}

fn method(records: &Records, summary: &Summary) -> String {
    format!("## Method\n\n{}", method::points(records, summary).map(|point| format!("- {point}")).join("\n"))
}

fn machine(records: &Records) -> String {
    let row = |(name, value): (&str, String)| format!("| {name} | {} |", line(&value).replace('|', "\\|"));
    let rows: Vec<String> = facts::machine(&records.machine).map(row).into();
    let fitness = match facts::fitness(records) {
        None => String::new(),
        Some(found) if found.is_empty() => {
            "\n\nBefore the first block the doctor found it fit for measuring latency.".to_owned()
        }
        Some(found) => {
            let found: String = found.iter().map(|finding| format!("\n- {}", line(finding))).collect();
            format!("\n\nWhat the doctor found before the first block:\n{found}")
        }
    };
    format!("## Machine\n\n| | |\n| --- | --- |\n{}{fitness}", rows.join("\n"))
}

fn reproduce(records: &Records) -> String {
    let run = &records.run;
    let mut text = format!(
        "## Run it again\n\n```sh\n{}\n```\n\ncgbench {}, {} s. The plan as run is in `plan.json`, the raw record of each \
         block in `blocks/`, the machine in `machine.json`; this report, the charts and `summary.json` can be made from \
         them at any time.",
        facts::command(run),
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

/// What somebody else wrote, as one line.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
