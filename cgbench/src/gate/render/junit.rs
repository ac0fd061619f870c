//! JUnit's XML, as Jenkins, GitLab and GitHub's actions read it: a test case a condition and metric.
//!
//! There is no standard; this keeps to what they all take (testsuites, testsuite, testcase, failure, error, skipped). What could not be
//! judged is an error of a case of its own, so that the page is never green by lack of cases.

use super::phrase;
use crate::gate::{
    escape::xml,
    method::Outcome,
    report::{Report, RunInfo, Side},
};

/// The report as XML.
#[must_use]
pub fn junit(report: &Report) -> String {
    let mut cases = String::new();
    let (mut tests, mut failures, mut errors, mut skipped) = (0, 0, 0, 0);
    let mut case = |class: &str, name: &str, inside: String| {
        tests += 1;
        let (class, name) = (xml(class), xml(name));
        cases.push_str(&format!("    <testcase classname=\"cgbench.{class}\" name=\"{name}\" time=\"0\""));
        cases.push_str(&if inside.is_empty() {
            "/>\n".to_owned()
        } else {
            format!(">\n{inside}    </testcase>\n")
        });
    };
    for line in &report.lines {
        let text = phrase::change(line);
        let inside = match line.outcome {
            Outcome::Worse => {
                failures += 1;
                element("failure", "regression", &text)
            }
            Outcome::Unknown => {
                errors += 1;
                element("error", "too-few-blocks", &text)
            }
            Outcome::Better | Outcome::Same => {
                format!("      <system-out>{}</system-out>\n", xml(&text))
            }
        };
        case(&line.condition.slug(), line.metric.name(), inside);
    }
    for lack in &report.missing {
        let name = match (lack.condition, lack.metric) {
            (Some(condition), Some(metric)) => format!("{condition}: {metric}"),
            (Some(condition), None) => condition.to_string(),
            (None, Some(metric)) => metric.to_string(),
            (None, None) => "bound".to_owned(),
        };
        let side = match lack.side {
            Side::Base => "base",
            Side::New => "new",
        };
        let inside = if report.settings.missing == crate::gate::settings::Missing::Fail {
            errors += 1;
            element("error", "missing", &lack.to_string())
        } else {
            skipped += 1;
            format!("      <skipped message=\"{}\"/>\n", xml(&lack.to_string()))
        };
        case(&format!("missing-in-{side}"), &name, inside);
    }
    let refused: Vec<String> = report
        .differences
        .iter()
        .filter(|difference| !difference.accepted)
        .map(ToString::to_string)
        .chain(report.obstacles.iter().map(ToString::to_string))
        .collect();
    if !refused.is_empty() {
        errors += 1;
        case("gate", "judged", element("error", "not-judged", &refused.join("; ")));
    }
    let counts =
        format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"");
    let totals = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"cgbench gate\" {totals}>\n  \
         <testsuite name=\"cgbench gate\" {counts} time=\"0\"{}>\n    <properties>\n{}    </properties>\n{cases}  \
         </testsuite>\n</testsuites>\n",
        timestamp(&report.new),
        properties(report),
    )
}

fn element(name: &str, kind: &str, text: &str) -> String {
    format!("      <{name} type=\"{kind}\" message=\"{}\">{}</{name}>\n", xml(text), xml(text))
}

/// When NEW began, without the zone that some readers stumble over.
fn timestamp(run: &RunInfo) -> String {
    let seconds = run.started.get(..19).unwrap_or_default();
    if seconds.is_empty() { String::new() } else { format!(" timestamp=\"{}\"", xml(seconds)) }
}

fn properties(report: &Report) -> String {
    let runs = [("base", report.base.as_ref()), ("new", Some(&report.new))];
    runs.into_iter()
        .filter_map(|(name, run)| Some((name, run?)))
        .map(|(name, run)| {
            format!("      <property name=\"{name}\" value=\"{}\"/>\n", xml(&phrase::run(run)))
        })
        .collect()
}
