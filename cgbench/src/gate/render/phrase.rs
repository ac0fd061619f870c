//! Sentences that several formats share. Not escaped: whoever shows one does that.

use crate::{
    gate::{
        method::{Basis, Method, Opinion, Outcome},
        metric::Metric,
        quantity::{self, shown, shown_difference, signed},
        report::{Line, Report, RunInfo, Verdict},
        settings::{Combine, Settings},
    },
    summary::figures::{bound, count, counted},
};

/// The verdict in one line.
pub(super) fn verdict(report: &Report) -> String {
    let number = |outcome| report.with(outcome).count() as u64;
    let (worse, better) = (number(Outcome::Worse), number(Outcome::Better));
    let of = counted(report.lines.len() as u64, "number");
    let improved = if better > 0 { format!("; {} better", count(better)) } else { String::new() };
    match report.verdict {
        Verdict::Pass if report.base.is_some() => format!("no regression: none of {of} is worse{improved}"),
        Verdict::Pass => format!("no regression: {of} within bounds"),
        Verdict::Regression => format!("REGRESSION: {} of {of} worse{improved}", count(worse)),
        Verdict::Undecided => "NOT JUDGED".to_owned(),
    }
}

/// Names of a line's condition and metric.
pub(super) fn name(line: &Line) -> String {
    line.key().to_string()
}

/// What is said of a line that is worse: from where to where, and by which methods.
pub(super) fn change(line: &Line) -> String {
    let metric = line.metric;
    let mut text = match &line.base {
        Some(base) => format!("{} → {}", shown(metric, base.median), shown(metric, line.new.median)),
        None => shown(metric, line.new.median),
    };
    if let Some(change) = line.shift {
        text.push_str(&format!(", {}", shown_difference(metric, change.shift)));
        if let Some(interval) = interval(metric, change.interval) {
            text.push_str(&format!(" ({interval})"));
        }
    }
    for opinion in line.opinions.iter().filter(|opinion| opinion.outcome == line.outcome) {
        text.push_str(&format!("; {}", reason(metric, opinion)));
    }
    text
}

/// An interval, with its unit once.
pub(super) fn interval(metric: Metric, interval: Option<(f64, f64)>) -> Option<String> {
    let (low, high) = interval?;
    let ((low, _), (high, unit)) = (signed(metric, low), signed(metric, high));
    Some(format!("{low} to {high} {unit}"))
}

/// What a method says, and by what.
pub(super) fn reason(metric: Metric, opinion: &Opinion) -> String {
    let method = opinion.method.name();
    match &opinion.basis {
        Basis::Test { p_worse_adjusted, p_better_adjusted, .. } => {
            let p = if opinion.outcome == Outcome::Better { p_better_adjusted } else { p_worse_adjusted };
            format!("{method}: p {}", probability(*p))
        }
        Basis::Median { change: None, .. } => format!("{method}: from nothing"),
        Basis::Median { change: Some(change), most } => {
            format!("{method}: {} of its median, bound {}", signed_percent(*change), bound(*most))
        }
        Basis::Mean { deviations: None, .. } => format!("{method}: BASE's blocks were all equal"),
        Basis::Mean { deviations: Some(deviations), most } => {
            format!("{method}: {deviations:+.1} standard deviations, bound {most}").replace('-', "−")
        }
        Basis::Bound { bound, median } => format!("{method}: {} against {bound}", shown(metric, *median)),
        Basis::TooFew { base: Some(base), new, needed } => {
            format!("{method}: {base} and {new} blocks, it takes {needed} each")
        }
        Basis::TooFew { base: None, new, needed } => {
            format!("{method}: {}, it takes {needed}", counted(*new, "block"))
        }
    }
}

fn signed_percent(part: f64) -> String {
    signed(Metric::Work, part).0 + " %"
}

/// A probability with what it can carry.
pub(super) fn probability(p: f64) -> String {
    match p {
        p if p < 0.0001 => "<0.0001".into(),
        p if p < 0.001 => format!("{p:.4}"),
        p if p < 0.0995 => format!("{p:.3}"),
        p => format!("{p:.2}"),
    }
}

/// One of the runs in a line.
pub(super) fn run(run: &RunInfo) -> String {
    let mut text = format!(
        "{} ({}, kernel {}, {} of {})",
        run.name,
        run.started.split_once('.').map_or(run.started.as_str(), |(seconds, _)| seconds),
        run.kernel,
        count(run.blocks),
        counted(run.blocks_planned, "block"),
    );
    if run.interrupted_blocks > 0 {
        text.push_str(&format!(", {} interrupted and not counted in", count(run.interrupted_blocks)));
    }
    if run.void_blocks > 0 {
        text.push_str(&format!(", {} disturbed and counted in", count(run.void_blocks)));
    }
    text
}

/// How it was judged, a sentence each.
pub(super) fn method(settings: &Settings, columns: usize) -> Vec<String> {
    let mut said = Vec::new();
    for method in &settings.methods {
        said.push(match method {
            Method::Baseline if settings.paired => format!(
                "baseline: each repetition of NEW against the same of BASE, Wilcoxon's signed ranks, one-sided, Holm over {columns} \
                 columns at {}",
                settings.alpha
            ),
            Method::Baseline => format!(
                "baseline: labels of repetitions permuted, Welch's t, one-sided, Westfall and Young's max-T over {columns} \
                 columns at {}",
                settings.alpha
            ),
            Method::Percentage => format!("percentage: the median over blocks, {} more", bound(settings.rise)),
            Method::Deviation => {
                format!("deviation: the mean, {} standard deviations of BASE's blocks above", settings.sigmas)
            }
            Method::Fixed => format!(
                "fixed: the median against {}",
                settings.bounds.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            ),
        });
    }
    if settings.methods.len() > 1 {
        said.push(match settings.combine {
            Combine::Any => "one method that alarms is enough".to_owned(),
            Combine::All => "every method that can say anything must alarm".to_owned(),
        });
    }
    let margins: Vec<String> = settings
        .metrics
        .iter()
        .map(|&metric| {
            let margin = shown_difference(metric, settings.margin(metric));
            format!("{metric} {}", margin.trim_start_matches('+'))
        })
        .collect();
    if settings.methods.iter().any(|method| *method != Method::Fixed) {
        said.push(format!("less than these margins is no change: {}", margins.join(", ")));
    }
    said
}

/// What the columns of the table mean.
pub(super) const COLUMNS: &str = "medians over blocks; change: Hodges–Lehmann shift of NEW against BASE with its 95 % interval, pt: points of a \
                                  percentage; p: adjusted for all columns, of a worsening beyond the margin; sees: the smallest worsening \
                                  that these blocks find in four cases of five, by normal theory";

/// A detectable change.
pub(super) fn detectable(line: &Line) -> String {
    line.detectable.map_or_else(|| "n/a".to_owned(), |change| shown_difference(line.metric, change))
}

/// A value, or a dash.
pub(super) fn value(metric: Metric, value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| quantity::shown(metric, value))
}
