//! Notes that a CI shows beside a change.
//!
//! GitHub: workflow commands on stdout, `::error title=…::…`, which the runner turns into annotations. GitLab has no such commands; its idiom is the
//! Code Quality report, a JSON file that the job names under `artifacts:reports:codequality`. That wants a file and line for each issue: the
//! plan of NEW stands for it.

use serde::Serialize;

use super::phrase;
use crate::gate::{
    escape::{github_message, github_property, terminal},
    method::Outcome,
    report::{Report, Verdict},
};

/// Workflow commands of GitHub, a line each: an error for what is worse or could not be judged, a notice for what is better.
#[must_use]
pub fn github(report: &Report) -> String {
    let mut out = String::new();
    for (level, title, message) in issues(report) {
        out.push_str(&format!(
            "::{level} title={}::{}\n",
            github_property(&terminal(&title)),
            github_message(&terminal(&message))
        ));
    }
    out
}

fn issues(report: &Report) -> Vec<(&'static str, String, String)> {
    let mut found = Vec::new();
    let level = if report.verdict == Verdict::Undecided { "error" } else { "warning" };
    for obstacle in &report.obstacles {
        found.push((level, "cgbench: not judged".to_owned(), obstacle.to_string()));
    }
    for difference in report.differences.iter().filter(|difference| !difference.accepted) {
        found.push((level, "cgbench: not comparable".to_owned(), difference.to_string()));
    }
    for lack in &report.missing {
        found.push(("warning", "cgbench: missing".to_owned(), lack.to_string()));
    }
    for line in report.with(Outcome::Worse) {
        found.push(("error", format!("cgbench: {} is worse", phrase::name(line)), phrase::change(line)));
    }
    for line in report.with(Outcome::Better) {
        found.push(("notice", format!("cgbench: {} is better", phrase::name(line)), phrase::change(line)));
    }
    found
}

/// An issue of GitLab's Code Quality report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Lines {
    begin: u32,
}

/// The Code Quality report: an issue for what is worse or could not be judged. What is better has no severity there and is left out.
#[must_use]
pub fn gitlab(report: &Report) -> Vec<Issue> {
    issues(report)
        .into_iter()
        .filter_map(|(level, title, message)| {
            let severity = match level {
                "error" => "major",
                "warning" => "minor",
                _ => return None,
            };
            let title = terminal(&title);
            Some(Issue {
                description: format!("{title}: {}", terminal(&message)),
                // The same issue of another commit has the same fingerprint, whatever its numbers: GitLab tells new from old by it.
                fingerprint: fingerprint(match level {
                    "error" if report.verdict == Verdict::Regression => &title,
                    _ => &message,
                }),
                check_name: "cgbench".to_owned(),
                severity,
                location: Location {
                    path: format!("{}/plan.json", terminal(report.new.name.trim_end_matches('/'))),
                    lines: Lines { begin: 1 },
                },
            })
        })
        .collect()
}

/// FNV-1a, 128 bits, in hex: it has to be unique within the report and the same tomorrow, no more.
fn fingerprint(text: &str) -> String {
    const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let hash = text.bytes().fold(OFFSET, |hash, byte| (hash ^ u128::from(byte)).wrapping_mul(PRIME));
    format!("{hash:032x}")
}
