//! When frames are slow: latency by second of the block, a panel a condition, all blocks of it over each other.
//!
//! A cell is a stretch of time and a range of latencies; its colour says how many frames are in it, in steps that double or
//! more, so that one slow frame is seen beside a thousand quick ones. Every frame is in a cell: however long a block is,
//! no extreme is lost. Both scales and the colours are the same in all panels.

mod cells;

use cells::{Cells, Field};
use cgtune_chart::{
    Format,
    axis::{Linear, Log, tick_text},
    canvas::Dash,
    font::{self, Weight},
    scene::{Anchor, Extent, Scene},
    theme,
};

use super::{percentiles::standing, policy::text_colour};
use crate::{
    plan::{Condition, PolicyKind},
    record::Records,
    summary::{
        Summary,
        figures::{count, counted, ms},
    },
};

/// Height of a panel's field.
const HEIGHT: f64 = 104.0;
/// Space above it for its name.
const HEAD: f64 = 34.0;
/// Room for the texts of the vertical scale.
const TICK_ROOM: f64 = 44.0;
/// Between two columns of panels.
const GUTTER: f64 = 40.0;
/// Width of a cell at least, and its height.
const CELL: (f64, f64) = (7.0, 4.0);

/// Draws the chart as a file.
#[must_use]
pub fn heatmap(records: &Records, summary: &Summary) -> Scene {
    draw(records, summary, Format::File)
}

/// Draws the chart for a page.
pub(super) fn draw(records: &Records, summary: &Summary, format: Format) -> Scene {
    let margin = format.margin();
    let groups: Vec<(bool, Vec<Condition>)> = [false, true]
        .into_iter()
        .map(|neighbour| {
            let rows = summary.group(neighbour).filter(|row| row.measured().is_some_and(|m| m.frames > 0));
            (neighbour, rows.map(crate::summary::Row::condition).collect::<Vec<_>>())
        })
        .filter(|(_, conditions)| !conditions.is_empty())
        .collect();
    let across = if format.is_narrow() { 1 } else { groups.len().max(1) };
    // Half of the last tick's text stands beyond the scale.
    let edge = if format.is_narrow() { 10.0 } else { 0.0 };
    let all = format.width() - 2.0 * margin - edge - GUTTER * (across as f64 - 1.0);
    let width = all / across as f64 - TICK_ROOM;
    let field = Field::of(records, (width / CELL.0) as u64, (HEIGHT / CELL.1) as usize);
    let all: Vec<Cells> = groups
        .iter()
        .flat_map(|(_, conditions)| conditions)
        .filter_map(|condition| Some(Cells::of(records, *condition, field.as_ref()?)))
        .collect();
    let mut scene = Scene::headed(format, &title(&all), &subtitle(records, summary));
    let Some(field) = field.filter(|_| !all.is_empty()) else {
        return scene.only_note("Nothing has been measured.");
    };
    let most = all.iter().map(Cells::most).max().unwrap_or(1);
    let scale = Steps::up_to(most);
    legend(&mut scene, format, &scale);
    let first = scene.height + 26.0;
    let (mut top, mut lowest) = (first, first);
    for (place, (neighbour, conditions)) in groups.iter().enumerate() {
        let column = place % across;
        if column == 0 {
            top = lowest;
        }
        let left = margin + (width + TICK_ROOM + GUTTER) * column as f64;
        let heading = if *neighbour { "With a noisy neighbour" } else { "Alone" };
        scene.text((left, top + 22.0), heading, theme::HEADING, Weight::Bold, theme::INK, Anchor::Start);
        let mut extent =
            Extent { left: left + TICK_ROOM, right: left + TICK_ROOM + width, top: 0.0, bottom: top + 24.0 };
        for cells in all.iter().filter(|cells| conditions.contains(&cells.condition)) {
            extent.top = extent.bottom + HEAD;
            extent.bottom = extent.top + HEIGHT;
            panel(&mut scene, extent, left, cells, &field, &scale, summary.frame_interval_us);
        }
        time_axis(&mut scene, extent, &field);
        lowest = lowest.max(extent.bottom + 58.0);
    }
    scene.on_paper(lowest + 4.0)
}

/// Ranges of counts that share a colour.
struct Steps {
    /// Each step's smallest count; the last step has no end.
    from: Vec<u64>,
}

impl Steps {
    /// Equal ratios from one frame to the most of any cell, at least doubling; fewer steps than colours where the most is small.
    fn up_to(most: u64) -> Self {
        let ratio = (most.max(2) as f64).powf(1.0 / (theme::HEAT.len() - 1) as f64).max(2.0);
        let mut from: Vec<u64> = (0..theme::HEAT.len())
            .map(|step| ratio.powi(i32::try_from(step).unwrap_or(0)).round() as u64)
            .take_while(|&from| from <= most.max(1))
            .collect();
        from.dedup();
        Self { from }
    }

    fn place(&self, count: u64) -> usize {
        self.from.partition_point(|&from| from <= count).saturating_sub(1)
    }
}

fn panel(
    scene: &mut Scene,
    extent: Extent,
    left: f64,
    cells: &Cells,
    field: &Field,
    steps: &Steps,
    interval_us: Option<f64>,
) {
    let policy = cells.condition.policy;
    scene.text(
        (left, extent.top - 8.0),
        policy.name(),
        theme::BODY,
        Weight::Bold,
        text_colour(policy),
        Anchor::Start,
    );
    if let Some(late) = cells.late_seconds {
        let x = left + font::room(policy.name(), theme::BODY, Weight::Bold) + 10.0;
        let text = match late {
            0 => format!("nothing late in {}", counted(cells.seconds, "second")),
            late => format!("late in {} of {}", count(late), counted(cells.seconds, "second")),
        };
        scene.label((x, extent.top - 8.0), text, theme::QUIET, Anchor::Start);
    }
    let y = Log::new(field.latency_us, (extent.bottom, extent.top));
    for tick in y.ticks(4) {
        let at = y.at(tick);
        scene.line(vec![(extent.left, at), (extent.right, at)], 1.0, theme::GRID);
        scene.label((extent.left - 8.0, at + 4.5), tick_text(tick / 1e3), theme::QUIET, Anchor::End);
    }
    let (wide, high) = (extent.width() / field.columns as f64, extent.height() / field.rows as f64);
    // Step by step, so that each step is one shape.
    for (step, ink) in theme::HEAT.iter().enumerate() {
        for (column, row, count) in cells.counted().filter(|(_, _, count)| steps.place(*count) == step) {
            let (left, bottom) = (extent.left + wide * column as f64, extent.bottom - high * row as f64);
            let _ = count;
            // A hair of paper between columns, where there is room for it.
            let gap = if wide >= 5.0 { 0.75 } else { 0.0 };
            scene.rect(Extent { left, right: left + wide - gap, top: bottom - high, bottom }, *ink);
        }
    }
    if let Some(us) = interval_us.filter(|us| (field.latency_us.0..=field.latency_us.1).contains(us)) {
        let at = y.at(us);
        // On paper of its own, since cells may be as dark as the dots.
        scene.line(vec![(extent.left, at), (extent.right, at)], 3.5, theme::PAPER.fade(0.75));
        scene.dashed((extent.left, at), (extent.right, at), 1.5, theme::INK, Dash(2.0, 4.0));
    }
    scene.line(vec![(extent.left, extent.bottom), (extent.right, extent.bottom)], 1.0, theme::AXIS);
}

fn time_axis(scene: &mut Scene, extent: Extent, field: &Field) {
    let x =
        Linear::new((0.0, field.columns as f64 * field.column_ns as f64 / 1e9), (extent.left, extent.right));
    for tick in x.ticks(8).into_iter().filter(|tick| tick.fract() == 0.0) {
        let at = x.at(tick);
        scene.line(vec![(at, extent.bottom), (at, extent.bottom + 6.0)], 1.0, theme::AXIS);
        scene.label((at, extent.bottom + 22.0), tick_text(tick), theme::QUIET, Anchor::Middle);
    }
    let text = "second of the block";
    scene.label(
        ((extent.left + extent.right) / 2.0, extent.bottom + 42.0),
        text,
        theme::QUIET,
        Anchor::Middle,
    );
}

/// What the colours say, above the panels.
fn legend(scene: &mut Scene, format: Format, steps: &Steps) {
    let y = scene.height + if format == Format::File { 34.0 } else { 12.0 };
    let mut x = format.margin();
    let text = "In a cell:";
    scene.label((x, y), text, theme::QUIET, Anchor::Start);
    x += font::room(text, theme::BODY, Weight::Regular) + 10.0;
    if format.is_narrow() {
        // The widest counts would not fit: the ends say it.
        let ends = [steps.from.first(), steps.from.last()].map(|end| count(end.copied().unwrap_or(1)));
        let [low, high] = ends;
        scene.label((x, y), low.clone(), theme::QUIET, Anchor::Start);
        x += font::room(&low, theme::BODY, Weight::Regular) + 6.0;
        for ink in theme::HEAT.iter().take(steps.from.len()) {
            scene.rect(Extent { left: x, right: x + 17.0, top: y - 10.0, bottom: y }, *ink);
            x += 18.0;
        }
        scene.label((x + 5.0, y), format!("{high} or more"), theme::QUIET, Anchor::Start);
    } else {
        for (step, ink) in theme::HEAT.iter().enumerate().take(steps.from.len()) {
            scene.rect(Extent { left: x, right: x + 20.0, top: y - 11.0, bottom: y + 1.0 }, *ink);
            let from = steps.from[step];
            let text = match steps.from.get(step + 1) {
                Some(next) if *next == from + 1 => count(from),
                Some(next) => format!("{}–{}", count(from), count(next - 1)),
                None => format!("{} or more", count(from)),
            };
            scene.label((x + 26.0, y), text.clone(), theme::QUIET, Anchor::Start);
            x += 26.0 + font::room(&text, theme::BODY, Weight::Regular) + 18.0;
        }
    }
    scene.height = y;
}

/// What one sees: how much of the time is bad, under the policies that the question is about.
fn title(all: &[Cells]) -> String {
    let part = |policy| {
        let condition = Condition { neighbour: false, policy };
        let cells = all.iter().find(|cells| cells.condition == condition)?;
        Some(format!("{} of {} under {}", count(cells.late_seconds?), count(cells.seconds), policy.name()))
    };
    let parts: Vec<String> = [PolicyKind::Limit, PolicyKind::LimitBurst, PolicyKind::Shares]
        .into_iter()
        .filter_map(part)
        .collect();
    match parts.as_slice() {
        [] => "When it is slow: latency by second of the block".into(),
        [one] => format!("Seconds with something late: {one}"),
        [rest @ .., last] => format!("Seconds with something late: {} and {last}", rest.join(", ")),
    }
}

fn subtitle(records: &Records, summary: &Summary) -> String {
    let dotted = summary
        .frame_interval_us
        .map_or_else(String::new, |us| format!(" Dotted: the {}, {} ms.", summary.item.deadline(), ms(us)));
    let blocks = records.blocks.len() as u64;
    format!(
        "{}Latency in ms, logarithmic, by second of the block; all blocks of a policy over each other ({} in all).{dotted}",
        standing(summary),
        counted(blocks, "block"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_at_least_double_and_hold_every_count() {
        assert_eq!(Steps::up_to(1).from, [1]);
        assert_eq!(Steps::up_to(64).from, [1, 2, 4, 8, 16, 32, 64]);
        assert_eq!(Steps::up_to(5).from, [1, 2, 4]);
        let steps = Steps::up_to(3_000_000);
        assert_eq!(steps.from.len(), theme::HEAT.len());
        assert_eq!([1, 2, 3_000_000, u64::MAX].map(|count| steps.place(count)), [0, 0, 6, 6]);
    }
}
