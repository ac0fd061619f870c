//! What came of scenarios, as text, as Markdown and as JSON.

use std::fmt::Write as _;

use cgtune_sys::facts;
use serde_json::{Value, json};

use super::{
    Machine,
    matrix::{Matrix, Verdict},
    run::Outcome,
};

/// Where and how they were run: without it a figure is worth nothing.
#[derive(Debug, Clone)]
pub(crate) struct Setting {
    pub(crate) command: String,
    pub(crate) kernel: String,
    pub(crate) machine: Machine,
    pub(crate) watch_ms: u128,
}

impl Setting {
    /// Of this run on this machine. A program's own path says nothing to anybody else.
    pub(crate) fn here(machine: Machine, watch: std::time::Duration) -> Self {
        let arguments = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
        Self {
            command: format!("scenarios {arguments}"),
            kernel: facts::kernel_release().unwrap_or_else(|| "not known".to_owned()),
            machine,
            watch_ms: watch.as_millis(),
        }
    }

    fn layout(&self) -> &'static str {
        match self.machine.layout {
            cgtune_core::Layout::V1 => "v1",
            cgtune_core::Layout::V2 => "v2",
        }
    }

    /// For a program.
    pub(crate) fn json(&self) -> Value {
        json!({
            "command": self.command,
            "kernel": self.kernel,
            "cgroup": self.layout(),
            "cpus": self.machine.cpus,
            "watch_ms": u64::try_from(self.watch_ms).unwrap_or(u64::MAX),
        })
    }

    /// One line.
    pub(crate) fn line(&self) -> String {
        let Self { command, kernel, machine, watch_ms } = self;
        format!(
            "`{command}`, Linux {kernel}, cgroup {}, {} CPUs, {} s each",
            self.layout(),
            machine.cpus,
            *watch_ms as f64 / 1e3
        )
    }
}

/// The heading of [`line`].
pub(crate) fn heading() -> String {
    let [scenario, used, throttled] = ["scenario", "use/L", "throttled"];
    format!(
        "{scenario:<25} {used:>6} {throttled:>14} {:>8} {:>8} {:>8} {:>7}  came about, verdict",
        "stall", "above", "delay", "foreign"
    )
}

/// One scenario: use of the limit, throttled periods of all, stall, the stall above it and run delay in ms a second.
pub(crate) fn line(outcome: &Outcome) -> String {
    let Outcome { scenario, measured, amiss, diagnosis, tries, .. } = outcome;
    let own = measured.own();
    let used = measured.usage_over_limit().map_or_else(|| "-".to_owned(), |used| format!("{used:.2}"));
    let throttled = own
        .throttled_ratio()
        .map_or_else(|| "-".to_owned(), |ratio| format!("{:.0} % of {}", ratio * 100.0, own.nr_periods));
    let mut line = format!(
        "{:<25} {used:>6} {throttled:>14} {:>8.1} {:>8.1} {:>8.1} {:>7.2}  ",
        scenario.to_string(),
        own.stall_ms_per_s,
        measured.stall_above(),
        measured.run_delay_ms_per_s,
        measured.foreign_cpus,
    );
    if amiss.is_empty() {
        line += "yes";
    } else {
        let _ = write!(line, "NO: {}", amiss.join("; "));
    }
    if *tries > 1 {
        let _ = write!(line, " (try {tries})");
    }
    if let Some(diagnosis) = diagnosis {
        let wrong = amiss.is_empty() && diagnosis.verdict != scenario.cause();
        let right = if wrong { "WRONG " } else { "" };
        let _ = write!(line, ", {right}{} ({})", diagnosis.verdict, diagnosis.confidence);
        let others: Vec<&str> = diagnosis.others.iter().map(|cause| cause.name()).collect();
        if !others.is_empty() {
            let _ = write!(line, " then {}", others.join(" "));
        }
    }
    line
}

/// The verdicts, for the matrix: what did not come about counts as not made, whatever was said of it.
pub(crate) fn matrix(outcomes: &[Outcome]) -> Matrix {
    let verdict = |outcome: &Outcome| {
        let said = outcome.diagnosis.as_ref()?.verdict;
        let truth = outcome.scenario.cause();
        Some(Verdict { truth, said: outcome.amiss.is_empty().then_some(said) })
    };
    outcomes.iter().filter_map(verdict).collect()
}

/// The sums below a matrix.
fn sums(matrix: &Matrix) -> String {
    let percent = matrix.right_frac().map_or_else(|| "-".to_owned(), |frac| format!("{:.1} %", frac * 100.0));
    format!(
        "{} of {} right ({percent}), {} healthy called ill, {} ill called healthy, {} not made",
        matrix.right(),
        matrix.judged(),
        matrix.healthy_called_ill(),
        matrix.ill_called_healthy(),
        matrix.all_not_made(),
    )
}

/// Rows of cells: truth, what was said of it, all judged, not made.
fn cells(matrix: &Matrix) -> Vec<Vec<String>> {
    let said = matrix.said();
    let mut rows = vec![vec!["is \\ said".to_owned()]];
    rows[0].extend(said.iter().map(|cause| cause.name().to_owned()));
    rows[0].extend(["judged".to_owned(), "not made".to_owned()]);
    for truth in matrix.truths() {
        let count = |count: usize| if count == 0 { "·".to_owned() } else { count.to_string() };
        let mut row = vec![truth.name().to_owned()];
        row.extend(said.iter().map(|&said| count(matrix.count(truth, said))));
        row.extend([count(matrix.judged_of(truth)), count(matrix.not_made(truth))]);
        rows.push(row);
    }
    rows
}

/// The matrix for a terminal. The columns' names are too long for one, so they stand below it.
pub(crate) fn text(matrix: &Matrix) -> String {
    let rows = cells(matrix);
    let width = rows.iter().map(|row| row[0].len()).max().unwrap_or(0);
    let said = matrix.said();
    let mut text = format!("{:<width$}", rows[0][0]);
    for number in 1..=said.len() {
        let _ = write!(text, " {number:>4}");
    }
    text += "  judged  not made\n";
    for row in &rows[1..] {
        let _ = write!(text, "{:<width$}", row[0]);
        for cell in &row[1..=said.len()] {
            let _ = write!(text, " {cell:>4}");
        }
        let _ = writeln!(text, "  {:>6}  {:>8}", row[row.len() - 2], row[row.len() - 1]);
    }
    for (number, cause) in said.iter().enumerate() {
        let _ = write!(text, "{}{} {cause}", if number == 0 { "" } else { ", " }, number + 1);
    }
    text + "\n" + &sums(matrix) + "\n"
}

/// The matrix as a table.
pub(crate) fn table(matrix: &Matrix) -> String {
    let mut text = String::new();
    for (n, row) in cells(matrix).iter().enumerate() {
        let _ = writeln!(text, "| {} |", row.join(" | "));
        if n == 0 {
            let _ = writeln!(text, "|---|{}", "---:|".repeat(row.len() - 1));
        }
    }
    text + "\n" + &sums(matrix) + ".\n"
}

/// Setting, matrix and every line, for the documentation.
pub(crate) fn markdown(setting: &Setting, outcomes: &[Outcome]) -> String {
    let matrix = matrix(outcomes);
    let mut text = setting.line() + "\n\n";
    if !matrix.truths().is_empty() {
        text += &(table(&matrix) + "\n");
    }
    let lines: Vec<String> = outcomes.iter().map(line).collect();
    text + "```\n" + &heading() + "\n" + &lines.join("\n") + "\n```\n"
}

/// Everything, for a program.
pub(crate) fn json(setting: &Setting, outcomes: &[Outcome]) -> Value {
    let matrix = matrix(outcomes);
    let counts: Vec<Value> = matrix
        .truths()
        .into_iter()
        .map(|truth| {
            let said: serde_json::Map<String, Value> = matrix
                .said()
                .into_iter()
                .map(|said| (said.name().to_owned(), matrix.count(truth, said).into()))
                .collect();
            json!({ "truth": truth.name(), "said": said, "not_made": matrix.not_made(truth) })
        })
        .collect();
    json!({
        "schema": "cgtune.scenarios/1",
        "command": setting.command,
        "kernel": setting.kernel,
        "cgroup": setting.layout(),
        "cpus": setting.machine.cpus,
        "watch_ms": u64::try_from(setting.watch_ms).unwrap_or(u64::MAX),
        "matrix": counts,
        "judged": matrix.judged(),
        "right": matrix.right(),
        "healthy_called_ill": matrix.healthy_called_ill(),
        "ill_called_healthy": matrix.ill_called_healthy(),
        "not_made": matrix.all_not_made(),
        "scenarios": outcomes.iter().map(outcome).collect::<Vec<_>>(),
    })
}

fn outcome(outcome: &Outcome) -> Value {
    let Outcome { scenario, situation, measured, amiss, diagnosis, tries } = outcome;
    let levels: Vec<Value> = measured
        .levels
        .iter()
        .map(|level| {
            json!({
                "limit_cpus": level.limit_cpus,
                "usage_cpus": level.usage_cpus,
                "nr_periods": level.nr_periods,
                "nr_throttled": level.nr_throttled,
                "stall_ms_per_s": level.stall_ms_per_s,
            })
        })
        .collect();
    let diagnosis = diagnosis.as_ref().map(|diagnosis| {
        json!({
            "cause": diagnosis.verdict.name(),
            "confidence": diagnosis.confidence,
            "stall_ms_per_s": diagnosis.stall_ms_per_s,
            "others": diagnosis.others.iter().map(|cause| cause.name()).collect::<Vec<_>>(),
        })
    });
    json!({
        "truth": scenario.cause().name(),
        "variant": scenario.variant.letter.to_string(),
        "what": scenario.variant.what,
        "seed": scenario.seed,
        "situation": situation.to_string(),
        "tries": tries,
        "came_about": amiss.is_empty(),
        "amiss": amiss,
        "wall_s": measured.wall_s,
        "levels": levels,
        "run_delay_ms_per_s": measured.run_delay_ms_per_s,
        "foreign_cpus": measured.foreign_cpus,
        "stolen_cpus": measured.stolen_cpus,
        "diagnosis": diagnosis,
    })
}
