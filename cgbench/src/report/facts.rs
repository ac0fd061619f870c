//! What is known of the machine and of the run, as words, for each form of the report.

use super::line;
use crate::{
    doctor::{Severity, findings},
    record::{Machine, Records, RunRecord},
    summary::figures::count,
};

/// The machine: name and value of each fact.
pub(super) fn machine(machine: &Machine) -> [(&'static str, String); 11] {
    let unknown = || "not known".to_owned();
    [
        ("kernel", machine.kernel.clone()),
        ("CPU", machine.cpu_model.clone().unwrap_or_else(unknown)),
        ("CPUs online", format!("{} ({})", machine.online_cpus.len(), machine.online_cpus)),
        ("memory", machine.memory_bytes.map_or_else(unknown, |bytes| format!("{} MiB", count(bytes >> 20)))),
        ("hypervisor", machine.hypervisor.clone().unwrap_or_else(|| "none seen".into())),
        ("frequency governor", machine.governor.clone().unwrap_or_else(unknown)),
        (
            "idle CPUs",
            if machine.kept_awake { "kept awake by an idle-class thread" } else { "may sleep" }.into(),
        ),
        ("cpu controller", machine.cpu_layout.clone()),
        ("cpuset controller", machine.cpuset_layout.clone().unwrap_or_else(|| "none".into())),
        ("burst", if machine.burst { "provided" } else { "not provided" }.into()),
        ("bandwidth slice", machine.slice_us.map_or_else(unknown, |us| format!("{} µs", count(us)))),
    ]
}

/// What the doctor found before the first block: nothing, or each finding with what to do about it. `None` where it was not asked.
pub(super) fn fitness(records: &Records) -> Option<Vec<String>> {
    let found = findings(records.doctor.as_ref()?);
    let worth = found.iter().filter(|finding| finding.severity() > Severity::Fit);
    Some(worth.map(|finding| format!("{}: {finding} ({})", finding.severity(), finding.remedy())).collect())
}

/// The command line, as a shell takes it.
pub(super) fn command(run: &RunRecord) -> String {
    let words: Vec<String> = run.command.iter().map(|word| quoted(word)).collect();
    words.join(" ")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_take_them_apart() {
        assert_eq!(["a-b", "a b", "it's", ""].map(quoted), ["a-b", "'a b'", "'it'\\''s'", "''"]);
    }
}
