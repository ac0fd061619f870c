//! A history for the page of a CI job: the verdict, the steps, the series, and the runs behind a fold.

use super::{COLUMNS, cells, items, method, verdict};
use crate::gate::{
    escape::markdown as escaped,
    history::{History, Track},
    render::{
        markdown::{head, said_of},
        phrase,
    },
};

/// The history as GitHub-flavoured Markdown.
#[must_use]
pub fn markdown(history: &History) -> String {
    let items = items(history).into_iter().map(|(_, item)| item);
    let mut out = head(&verdict(history), history.is_simulated(), items);
    if !history.tracks.is_empty() {
        out.push_str(&format!("| policy | metric | {} | |\n", COLUMNS.join(" | ")));
        out.push_str("|---|---|---|---:|---:|---:|---|---:|---|\n");
        history.tracks.iter().for_each(|track| out.push_str(&row(track)));
        out.push('\n');
    }
    out.push_str("<details><summary>How it was judged</summary>\n\n");
    out.push_str(&format!("{}.\n\n", escaped(&method(history))));
    for run in &history.runs {
        out.push_str(&format!("1. {}\n", escaped(&phrase::run(run))));
    }
    out.push_str("\n</details>\n");
    out
}

fn row(track: &Track) -> String {
    let cells = [track.condition.to_string(), track.metric.to_string()].into_iter().chain(cells(track));
    let cells: Vec<String> = cells.map(|cell| escaped(&cell)).collect();
    format!("| {} | {} |\n", cells.join(" | "), said_of(track.outcome))
}
