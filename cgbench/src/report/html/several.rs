//! One page over several runs, as of a grid: what they show together first, then a section each.

use cgtune_chart::Format;

use super::{Page, about, charts, figures, markup::Markup, notices, verdicts};
use crate::{
    chart::{self, Gallery},
    plan::{Condition, PolicyKind},
    record::Records,
    report::{headline::headline, standing},
    summary::{
        Summary,
        figures::{counted, ms, percent},
    },
};

/// The charts of a single run that a grid has room for.
const CHARTS: [&str; 2] = ["percentiles", "timeline"];

/// A run among others.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its folder's name.
    pub name: String,
    /// What was measured.
    pub records: Records,
    /// What follows from it.
    pub summary: Summary,
}

pub(super) fn page(runs: &[Run]) -> String {
    let pairs: Vec<(&Records, &Summary)> = runs.iter().map(|run| (&run.records, &run.summary)).collect();
    let mut main = Markup::default();
    let mut contents = vec![("together".to_owned(), "All together".to_owned())];
    section(&mut main, "together", "All together", |m| {
        let drawn = [Format::Wide, Format::Narrow].map(|format| chart::sweep(&pairs, format));
        match &drawn {
            [Some(wide), Some(narrow)] => charts::figure(m, [wide, narrow], "sweep", "h3"),
            _ => m.leaf("p", &[], "No load was measured under three limits, so there is no curve to draw."),
        }
        overview(m, runs);
    });
    for (place, run) in runs.iter().enumerate() {
        let id = format!("run-{place}");
        section(&mut main, &id, &run.name, |m| {
            m.said("p", &[("class", "lead")], &headline(&run.summary));
            for (name, text) in notices(&run.summary) {
                m.element("p", &[("class", "notice"), ("role", "note")], |m| {
                    m.leaf("strong", &[], name);
                    m.say(&format!(" {text}"));
                });
            }
            verdicts::lists(m, &run.summary, "h3");
            figures::table(
                m,
                &run.records,
                &run.summary,
                &format!("Latency, throttling and CPU use: {}", run.name),
            );
            figures::notes(m, &run.summary);
            let gallery = Gallery::of(&run.records, &run.summary);
            charts::charts(m, &gallery, &CHARTS, &format!("{id}-"), "h3");
            m.element("details", &[], |m| {
                m.leaf("summary", &[], "Method, machine, and how to run it again");
                about::method(m, &run.records, &run.summary);
                about::machine(m, &run.records);
                about::reproduce(m, &run.records);
            });
        });
        contents.push((id, run.name.clone()));
    }
    let mut standings: Vec<String> = runs.iter().map(|run| standing(&run.summary)).collect();
    standings.sort();
    standings.dedup();
    Page {
        title: format!("What CPU policies do to latency: {}", counted(runs.len() as u64, "run")),
        headline: together(runs),
        standing: standings.join("; "),
        started: runs.iter().map(|run| run.records.run.started.clone()).min().unwrap_or_default(),
        notices: Vec::new(),
        contents,
    }
    .write(main)
}

fn section(m: &mut Markup, id: &str, heading: &str, inside: impl FnOnce(&mut Markup)) {
    let heading_id = format!("{id}-heading");
    m.element("section", &[("id", id), ("aria-labelledby", &heading_id)], |m| {
        m.leaf("h2", &[("id", &heading_id)], heading);
        inside(m);
    });
}

/// What the limit does to a load, of one run.
struct Cell {
    used: Option<f64>,
    share: Option<f64>,
}

fn cell(run: &Run, policy: PolicyKind) -> Option<Cell> {
    let measured = run.summary.measured(Condition { neighbour: false, policy })?;
    Some(Cell {
        used: measured.use_of_limit(),
        share: measured.throttling.and_then(|throttling| throttling.share),
    })
}

/// Over all of them, in one sentence.
fn together(runs: &[Run]) -> String {
    let shares = |policy| {
        let mut shares: Vec<f64> = runs.iter().filter_map(|run| cell(run, policy)?.share).collect();
        shares.sort_by(f64::total_cmp);
        shares
    };
    let range = |shares: &[f64]| match shares {
        [] => None,
        [one] => Some(percent(*one)),
        [low, .., high] => Some(format!("{} to {}", percent(*low), percent(*high))),
    };
    match (range(&shares(PolicyKind::Limit)), range(&shares(PolicyKind::LimitBurst))) {
        (Some(limit), Some(burst)) => format!(
            "Over {}, a CPU limit stops the encoder in {limit} of all periods; with a burst of one quota it is {burst}.",
            counted(runs.len() as u64, "run")
        ),
        (Some(limit), None) => {
            format!(
                "Over {}, a CPU limit stops the encoder in {limit} of all periods.",
                counted(runs.len() as u64, "run")
            )
        }
        _ => format!("{} of an encoder under CPU policies.", counted(runs.len() as u64, "run")),
    }
}

/// A row a run.
fn overview(m: &mut Markup, runs: &[Run]) {
    let policies: Vec<PolicyKind> = PolicyKind::ALL
        .into_iter()
        .filter(|policy| policy.limits() && runs.iter().any(|run| cell(run, *policy).is_some()))
        .collect();
    m.table("figures", "Throttled part of the active periods, and tail latency, run by run", |m| {
        m.element("thead", &[], |m| {
            m.element("tr", &[], |m| {
                m.leaf("th", &[("scope", "col")], "run");
                m.leaf("th", &[("scope", "col")], "use of the limit");
                for policy in &policies {
                    m.leaf("th", &[("scope", "col")], &format!("{}: throttled", policy.name()));
                    m.leaf("th", &[("scope", "col")], &format!("{}: tail, ms", policy.name()));
                }
            });
        });
        m.element("tbody", &[], |m| {
            for (place, run) in runs.iter().enumerate() {
                overview_row(m, place, run, &policies);
            }
        });
    });
}

fn overview_row(m: &mut Markup, place: usize, run: &Run, policies: &[PolicyKind]) {
    let unknown = || "–".to_owned();
    let level = run.summary.tail_level();
    m.element("tr", &[], |m| {
        m.element("th", &[("scope", "row")], |m| {
            m.leaf("a", &[("href", &format!("#run-{place}"))], &run.name);
        });
        let used = policies.iter().find_map(|policy| cell(run, *policy)?.used);
        m.leaf("td", &[], &used.map_or_else(unknown, percent));
        for policy in policies {
            let share = cell(run, *policy).and_then(|cell| cell.share);
            let alarm = share.is_some_and(|share| share >= 0.01);
            let class = [("class", "alarm")];
            m.leaf("td", if alarm { &class } else { &[] }, &share.map_or_else(unknown, percent));
            let measured = run.summary.measured(Condition { neighbour: false, policy: *policy });
            m.element("td", &[], |m| match measured.and_then(|one| one.latency.get(level).pooled_us) {
                Some(us) => {
                    m.leaf("small", &[], &format!("{level} "));
                    m.write(&ms(us));
                }
                None => m.write("n/a"),
            });
        }
    });
}
