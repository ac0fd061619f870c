//! A history for a terminal: a series a line, with its most likely step.

use super::{
    phrase,
    text::{BETTER, HEADING, Paint, QUIET, WARNING, WORSE, aligned},
};
use crate::{
    gate::{
        history::{History, Track},
        method::Outcome,
        quantity::{shown, shown_difference},
        report::Verdict,
    },
    record::BackendKind,
    summary::figures::counted,
    table::{SIMULATED, WHAT_THAT_IS},
};

/// Runs that a sparkline shows: the last ones.
const SHOWN: usize = 16;

/// The history for a terminal.
#[must_use]
pub fn text(history: &History, colour: bool, width: usize) -> String {
    let paint = Paint(colour);
    let mut out = String::new();
    if history.runs.iter().any(|run| run.backend == BackendKind::Simulated) {
        out.push_str(&paint.paragraph(WARNING, &format!("{SIMULATED}: {WHAT_THAT_IS}"), width));
        out.push('\n');
    }
    let style = match history.verdict {
        Verdict::Pass => HEADING,
        Verdict::Regression => WORSE,
        Verdict::Undecided => WARNING,
    };
    out.push_str(&paint.paragraph(style, &verdict(history), width));
    for gap in &history.obstacles {
        out.push_str(&paint.paragraph(WARNING, &format!("- {gap}"), width));
    }
    for found in history.differences.iter().filter(|found| !found.difference.accepted) {
        let run = history.runs.get(found.run).map_or("", |run| run.name.as_str());
        let text = format!("- BASE {run}, NEW the last run: {}", found.difference);
        out.push_str(&paint.paragraph(WARNING, &text, width));
    }
    for track in history.with(Outcome::Worse) {
        out.push_str(&paint.paragraph(WORSE, &format!("- {}", sentence(history, track)), width));
    }
    for track in history.with(Outcome::Better) {
        out.push_str(&paint.paragraph(BETTER, &format!("- better: {}", sentence(history, track)), width));
    }
    if !history.tracks.is_empty() {
        out.push('\n');
        out.push_str(&table(history, paint));
        out.push('\n');
        let said = format!(
            "Pettitt's test for a step in the medians over blocks, run by run; p by Holm over {} series, alarm at {}; spark: the last \
             {SHOWN} runs between their lowest and highest, · where a run lacks it",
            history.tracks.len(),
            history.settings.alpha
        );
        out.push_str(&paint.paragraph(QUIET, &said, width));
    }
    out
}

fn verdict(history: &History) -> String {
    let runs = counted(history.runs.len() as u64, "run");
    let worse = history.with(Outcome::Worse).count();
    match history.verdict {
        Verdict::Pass => format!("no step for the worse in {runs}"),
        Verdict::Regression => {
            format!(
                "REGRESSION: {worse} of {} series took a step for the worse in {runs}",
                history.tracks.len()
            )
        }
        Verdict::Undecided => "NOT JUDGED".to_owned(),
    }
}

fn sentence(history: &History, track: &Track) -> String {
    let name = format!("{}: {}", track.condition, track.metric);
    let Some(step) = track.step else { return name };
    let since = history.runs.get(step.since);
    format!(
        "{name}: {} → {}, {}, since {} ({}), p {}",
        shown(track.metric, step.before),
        shown(track.metric, step.after),
        shown_difference(track.metric, step.change.shift),
        since.map_or("", |run| run.name.as_str()),
        since.map_or("", |run| run.started.get(..19).unwrap_or(&run.started)),
        phrase::probability(step.p_adjusted),
    )
}

fn table(history: &History, paint: Paint) -> String {
    let headings = ["", "spark", "before", "after", "change", "since", "p"].map(str::to_owned).to_vec();
    let lines = aligned(std::iter::once(headings).chain(history.tracks.iter().map(cells)), 7);
    let mut lines = lines.into_iter();
    let mut out = paint.on(HEADING, &lines.next().unwrap_or_default()) + "\n";
    let mut condition = None;
    for (track, shown) in history.tracks.iter().zip(lines) {
        if condition != Some(track.condition) {
            condition = Some(track.condition);
            out.push_str(&paint.on(QUIET, &track.condition.to_string()));
            out.push('\n');
        }
        out.push_str(&match track.outcome {
            Outcome::Worse => paint.on(WORSE, &shown),
            Outcome::Better => paint.on(BETTER, &shown),
            Outcome::Same | Outcome::Unknown => shown,
        });
        out.push('\n');
    }
    out
}

fn cells(track: &Track) -> Vec<String> {
    let metric = track.metric;
    let mark = match track.outcome {
        Outcome::Worse => "!",
        Outcome::Better => "+",
        Outcome::Unknown => "?",
        Outcome::Same => " ",
    };
    let name = format!("{mark} {metric}");
    let spark = sparkline(&track.medians);
    let Some(step) = track.step else {
        let last = track.medians.iter().rev().find_map(|median| *median);
        let none = || "–".to_owned();
        return vec![name, spark, phrase::value(metric, last), none(), none(), none(), none()];
    };
    vec![
        name,
        spark,
        shown(metric, step.before),
        shown(metric, step.after),
        shown_difference(metric, step.change.shift),
        format!("run {}", step.since + 1),
        phrase::probability(step.p_adjusted),
    ]
}

/// The last values between their lowest and highest, in eight heights.
pub(super) fn sparkline(values: &[Option<f64>]) -> String {
    const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let last = &values[values.len().saturating_sub(SHOWN)..];
    let (low, high) = last
        .iter()
        .flatten()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)));
    let height = |value: f64| {
        let part = if high > low { (value - low) / (high - low) } else { 0.0 };
        HEIGHTS[((part * 8.0) as usize).min(7)]
    };
    last.iter().map(|value| value.map_or('·', height)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_goes_from_the_lowest_to_the_highest_and_shows_gaps() {
        assert_eq!(sparkline(&[Some(0.0), None, Some(0.5), Some(1.0)]), "▁·▅█");
        assert_eq!(sparkline(&[Some(2.0), Some(2.0)]), "▁▁");
        assert_eq!(sparkline(&[]), "");
        assert_eq!(sparkline(&vec![Some(1.0); 100]).chars().count(), SHOWN);
    }
}
