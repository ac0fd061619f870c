//! A history for its readers: the words that text and Markdown share.

pub mod markdown;
pub mod text;

use super::phrase;
use crate::{
    gate::{
        history::{History, Track},
        method::Outcome,
        quantity::{shown, shown_difference},
        report::Verdict,
    },
    summary::figures::counted,
};

/// Runs that a sparkline shows: the last ones.
const SHOWN: usize = 16;

/// What is said of a series, beside its name.
const COLUMNS: [&str; 6] = ["spark", "before", "after", "change", "since", "p"];

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

/// How much an item matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tone {
    /// Why it was not judged, or not all of it.
    Obstacle,
    Worse,
    Better,
}

/// What is to be said before the table, worst first.
fn items(history: &History) -> Vec<(Tone, String)> {
    let gaps = history.obstacles.iter().map(|gap| (Tone::Obstacle, gap.to_string()));
    let differences = history.differences.iter().filter(|found| !found.difference.accepted).map(|found| {
        let run = history.runs.get(found.run).map_or("", |run| run.name.as_str());
        (Tone::Obstacle, format!("BASE {run}, NEW the last run: {}", found.difference))
    });
    let worse = history.with(Outcome::Worse).map(|track| (Tone::Worse, sentence(history, track)));
    let better = history
        .with(Outcome::Better)
        .map(|track| (Tone::Better, format!("better: {}", sentence(history, track))));
    gaps.chain(differences).chain(worse).chain(better).collect()
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

/// As [`COLUMNS`] names them.
fn cells(track: &Track) -> [String; 6] {
    let metric = track.metric;
    let spark = sparkline(&track.medians);
    let Some(step) = track.step else {
        let last = track.medians.iter().rev().find_map(|median| *median);
        let none = || "–".to_owned();
        return [spark, phrase::value(metric, last), none(), none(), none(), none()];
    };
    [
        spark,
        shown(metric, step.before),
        shown(metric, step.after),
        shown_difference(metric, step.change.shift),
        format!("run {}", step.since + 1),
        phrase::probability(step.p_adjusted),
    ]
}

/// How it was judged.
fn method(history: &History) -> String {
    format!(
        "Pettitt's test for a step in the medians over blocks, run by run; p by Holm over {} series, alarm at {}; spark: the last \
         {SHOWN} runs between their lowest and highest, · where a run lacks it",
        history.tracks.len(),
        history.settings.alpha
    )
}

/// The last values between their lowest and highest, in eight heights.
fn sparkline(values: &[Option<f64>]) -> String {
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
