//! A history for a terminal: a series a line, with its most likely step.

use super::{COLUMNS, Tone, cells, items, method, verdict};
use crate::{
    gate::{
        history::{History, Track},
        method::Outcome,
        render::text::{BETTER, HEADING, Paint, QUIET, WARNING, WORSE, aligned},
        report::Verdict,
    },
    table::{SIMULATED, WHAT_THAT_IS},
};

/// The history for a terminal.
#[must_use]
pub fn text(history: &History, colour: bool, width: usize) -> String {
    let paint = Paint(colour);
    let mut out = String::new();
    if history.is_simulated() {
        out.push_str(&paint.paragraph(WARNING, &format!("{SIMULATED}: {WHAT_THAT_IS}"), width));
        out.push('\n');
    }
    let style = match history.verdict {
        Verdict::Pass => HEADING,
        Verdict::Regression => WORSE,
        Verdict::Undecided => WARNING,
    };
    out.push_str(&paint.paragraph(style, &verdict(history), width));
    for (tone, item) in items(history) {
        let style = match tone {
            Tone::Obstacle => WARNING,
            Tone::Worse => WORSE,
            Tone::Better => BETTER,
        };
        out.push_str(&paint.paragraph(style, &format!("- {item}"), width));
    }
    if !history.tracks.is_empty() {
        out.push('\n');
        out.push_str(&table(history, paint));
        out.push('\n');
        out.push_str(&paint.paragraph(QUIET, &method(history), width));
    }
    out
}

fn table(history: &History, paint: Paint) -> String {
    let headings = std::iter::once("").chain(COLUMNS).map(str::to_owned).collect();
    let rows = history.tracks.iter().map(|track| std::iter::once(name(track)).chain(cells(track)).collect());
    let mut lines = aligned(std::iter::once(headings).chain(rows), 7).into_iter();
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

fn name(track: &Track) -> String {
    let mark = match track.outcome {
        Outcome::Worse => "!",
        Outcome::Better => "+",
        Outcome::Unknown => "?",
        Outcome::Same => " ",
    };
    format!("{mark} {}", track.metric)
}
