//! For the page of a CI job (`$GITHUB_STEP_SUMMARY`, a comment on a merge request): the verdict first, then what is worse, then the
//! table, and how it was judged behind a fold.

use super::phrase;
use crate::{
    gate::{
        escape::markdown as escaped,
        method::Outcome,
        quantity::{shown, shown_difference},
        report::{Line, Report},
    },
    table::{SIMULATED, WHAT_THAT_IS},
};

/// The report as GitHub-flavoured Markdown.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut items = Vec::new();
    items.extend(report.obstacles.iter().map(ToString::to_string));
    items.extend(
        report.differences.iter().map(|difference| {
            format!("{difference}{}", if difference.accepted { " (accepted)" } else { "" })
        }),
    );
    items.extend(report.missing.iter().map(ToString::to_string));
    for line in report.with(Outcome::Worse) {
        items.push(format!("{}: {}", phrase::name(line), phrase::change(line)));
    }
    for line in report.with(Outcome::Better) {
        items.push(format!("better: {}: {}", phrase::name(line), phrase::change(line)));
    }
    let mut out = head(&phrase::verdict(report), report.is_simulated(), items);
    if !report.lines.is_empty() {
        out.push_str("| policy | metric | base | new | change | 95 % interval | p | sees | |\n");
        out.push_str("|---|---|---:|---:|---:|---:|---:|---:|---|\n");
        for line in &report.lines {
            out.push_str(&row(line));
        }
        out.push('\n');
    }
    out.push_str("<details><summary>How it was judged</summary>\n\n");
    if let Some(base) = &report.base {
        out.push_str(&format!("- BASE: {}\n", escaped(&phrase::run(base))));
    }
    out.push_str(&format!("- NEW: {}\n", escaped(&phrase::run(&report.new))));
    for said in phrase::method(&report.settings, report.lines.len()) {
        out.push_str(&format!("- {}\n", escaped(&said)));
    }
    if report.base.is_some() {
        out.push_str(&format!("- {}\n", escaped(phrase::COLUMNS)));
    }
    out.push_str("\n</details>\n");
    out
}

/// The verdict, whether a model ran it, and what is to be said before a table.
pub(super) fn head(verdict: &str, simulated: bool, items: impl IntoIterator<Item = String>) -> String {
    let mut out = format!("### cgbench: {}\n\n", escaped(verdict));
    if simulated {
        out.push_str(&format!("**{SIMULATED}**: {}\n\n", escaped(WHAT_THAT_IS)));
    }
    let list: String = items.into_iter().map(|item| format!("- {}\n", escaped(&item))).collect();
    if !list.is_empty() {
        out.push_str(&list);
        out.push('\n');
    }
    out
}

/// What the last column of a table says.
pub(super) const fn said_of(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Worse => "**worse**",
        Outcome::Better => "better",
        Outcome::Same => "",
        Outcome::Unknown => "too few blocks",
    }
}

fn row(line: &Line) -> String {
    let metric = line.metric;
    let cells = [
        line.condition.to_string(),
        metric.to_string(),
        phrase::value(metric, line.base.map(|sample| sample.median)),
        shown(metric, line.new.median),
        line.shift.map_or_else(|| "–".into(), |change| shown_difference(metric, change.shift)),
        phrase::interval(metric, line.shift.and_then(|change| change.interval))
            .unwrap_or_else(|| "n/a".into()),
        line.p_adjusted.map_or_else(|| "n/a".into(), phrase::probability),
        phrase::detectable(line),
    ];
    format!("| {} | {} |\n", cells.map(|cell| escaped(&cell)).join(" | "), said_of(line.outcome))
}
