//! Every condition on one line: how often it is throttled, and its tail.
//!
//! Large dots are all blocks together, small ones single blocks; the bar is the 95 % band over blocks.

use cgtune_chart::{
    Format,
    axis::{Linear, round_up, tick_text},
    canvas::{Dash, fitted},
    font::Weight,
    scene::{Anchor, Extent, Point, Scene},
    theme,
};

use super::{
    percentiles::standing,
    policy::{colour, text_colour},
};
use crate::{
    plan::{Condition, PolicyKind},
    stats::Level,
    study::verdict::{Finding, Verdict},
    summary::{
        BlockSummary, Measured, Row, Summary,
        figures::{count, ms, percent},
    },
};

const ROW: f64 = 34.0;
const HEAD: f64 = 36.0;
const LEFT: Extent = Extent { left: 230.0, top: 0.0, right: 540.0, bottom: 0.0 };
const RIGHT: Extent = Extent { left: 700.0, top: 0.0, right: 1030.0, bottom: 0.0 };
const TICKS: u32 = 5;
/// On a narrow page a row has its name and its number above its dots, and the two scales stand above each other.
const NARROW_ROW: f64 = 44.0;
const NARROW_HEAD: f64 = 38.0;
/// From the top of such a row to its dots.
const NARROW_MIDDLE: f64 = 31.0;

/// Draws the chart as a file.
#[must_use]
pub fn overview(summary: &Summary) -> Scene {
    draw(summary, Format::File)
}

/// Draws the chart for a page.
pub(super) fn draw(summary: &Summary, format: Format) -> Scene {
    let level = summary.tail_level();
    let groups: Vec<Group<'_>> = [false, true]
        .into_iter()
        .map(|neighbour| (neighbour, summary.group(neighbour).collect::<Vec<_>>()))
        .filter(|(_, rows)| !rows.is_empty())
        .collect();
    let subtitle = format!(
        "{}Large dots: all blocks of a policy. Small dots: single blocks. Bars: 95 % band over blocks.",
        standing(summary)
    );
    let mut scene = Scene::headed(format, &title(summary), &subtitle);
    if groups.is_empty() {
        return scene.only_note("The plan has no conditions.");
    }
    if format.is_narrow() {
        return narrow(scene, summary, &groups, level);
    }
    let rows: usize = groups.iter().map(|(_, rows)| rows.len()).sum();
    let top = scene.height + 54.0;
    let bottom = top + HEAD * groups.len() as f64 + ROW * rows as f64;
    let shares = Column { extent: Extent { top, bottom, ..LEFT }, left: LEFT.left, value: Value::Throttled };
    let tails =
        Column { extent: Extent { top, bottom, ..RIGHT }, left: RIGHT.left, value: Value::Tail(level) };
    for column in [&shares, &tails] {
        column.axis(&mut scene, summary);
    }
    let mut y = top;
    for (neighbour, rows) in groups {
        y += HEAD;
        heading(&mut scene, (theme::MARGIN, y - 10.0), neighbour);
        for row in rows {
            let middle = y + ROW / 2.0;
            name(&mut scene, (theme::MARGIN + 12.0, middle + 4.5), row);
            match row {
                Row::Measured(measured) => {
                    for column in [&shares, &tails] {
                        column.row(&mut scene, summary, measured, middle);
                        let at = (column.extent.right + 16.0, middle + 4.5);
                        column.number(&mut scene, measured, at, Anchor::Start);
                    }
                }
                Row::NotProvided { .. } | Row::NotRun { .. } => absent(
                    &mut scene,
                    (LEFT.left + 8.0, middle + 4.5),
                    theme::WIDTH - theme::MARGIN - LEFT.left - 8.0,
                    row,
                ),
            }
            y += ROW;
        }
    }
    scene.on_paper(bottom + 72.0)
}

/// The rows of the policies, alone or beside a neighbour.
type Group<'a> = (bool, Vec<&'a Row>);

/// The same with both scales across the whole width.
fn narrow(mut scene: Scene, summary: &Summary, groups: &[Group<'_>], level: Level) -> Scene {
    let (left, right) = (Format::Narrow.margin(), Format::Narrow.width() - Format::Narrow.margin());
    let rows: usize = groups.iter().map(|(_, rows)| rows.len()).sum();
    let mut bottom = scene.height;
    for value in [Value::Throttled, Value::Tail(level)] {
        let top = bottom + 40.0;
        bottom = top + NARROW_HEAD * groups.len() as f64 + NARROW_ROW * rows as f64;
        // Half a dot of room at both ends, and for the texts below the scale.
        let column =
            Column { extent: Extent { left: left + 16.0, top, right: right - 20.0, bottom }, left, value };
        column.axis(&mut scene, summary);
        let mut y = top;
        for (neighbour, rows) in groups {
            y += NARROW_HEAD;
            // Clear of the scale's lines, which run from the first row to the last.
            scene.rect(Extent { left, right, top: y - 25.0, bottom: y - 3.0 }, theme::PAPER);
            heading(&mut scene, (left, y - 9.0), *neighbour);
            for row in rows {
                scene.rect(Extent { left, right, top: y + 4.0, bottom: y + 21.0 }, theme::PAPER);
                name(&mut scene, (left + 16.0, y + 17.0), row);
                match row {
                    Row::Measured(measured) => {
                        column.row(&mut scene, summary, measured, y + NARROW_MIDDLE);
                        column.number(&mut scene, measured, (right, y + 17.0), Anchor::End);
                    }
                    Row::NotProvided { .. } | Row::NotRun { .. } => {
                        absent(&mut scene, (left + 12.0, y + NARROW_MIDDLE + 4.0), right - left - 12.0, row);
                    }
                }
                y += NARROW_ROW;
            }
        }
        bottom += 56.0;
    }
    scene.on_paper(bottom)
}

fn heading(scene: &mut Scene, at: Point, neighbour: bool) {
    let heading = if neighbour { "With a noisy neighbour" } else { "Alone" };
    scene.text(at, heading, 15.0, Weight::Bold, theme::INK, Anchor::Start);
}

fn name(scene: &mut Scene, at: Point, row: &Row) {
    let policy = row.condition().policy;
    scene.text(at, policy.name(), theme::BODY, Weight::Bold, text_colour(policy), Anchor::Start);
}

/// Why there is nothing, on one line.
fn absent(scene: &mut Scene, at: Point, room: f64, row: &Row) {
    let why = match row {
        Row::NotProvided { reason, .. } => format!("not provided: {reason}"),
        Row::NotRun { .. } | Row::Measured(_) => "not run".to_owned(),
    };
    scene.label(at, fitted(&why, room, theme::BODY, Weight::Regular), theme::QUIET, Anchor::Start);
}

#[derive(Clone, Copy)]
enum Value {
    /// Part of the active periods.
    Throttled,
    /// A quantile of latency, in milliseconds.
    Tail(Level),
}

struct Column {
    extent: Extent,
    /// Where its heading begins.
    left: f64,
    value: Value,
}

impl Column {
    fn pooled(&self, measured: &Measured) -> Option<f64> {
        match self.value {
            Value::Throttled if measured.policy().limits() => Some(measured.throttling?.share? * 100.0),
            Value::Throttled => None,
            Value::Tail(level) => Some(measured.latency.get(level).pooled_us? / 1e3),
        }
    }

    fn of_block(&self, block: &BlockSummary) -> Option<f64> {
        match self.value {
            Value::Throttled => {
                let periods = block.nr_periods.filter(|periods| *periods > 0)?;
                Some(block.nr_throttled? as f64 / periods as f64 * 100.0)
            }
            Value::Tail(Level::P99) => Some(block.p99_us? / 1e3),
            Value::Tail(_) => Some(block.p95_us? / 1e3),
        }
    }

    /// Ends of the interval over blocks.
    fn band(&self, measured: &Measured) -> Option<(f64, f64)> {
        match self.value {
            Value::Throttled => {
                let (low, high) = measured.throttling?.share_over_blocks?.interval?;
                Some((low * 100.0, high * 100.0))
            }
            Value::Tail(level) => {
                let band = measured.latency.get(level).band_us?;
                Some((band.low / 1e3, band.high / 1e3))
            }
        }
    }

    fn text(&self, measured: &Measured) -> String {
        match self.value {
            Value::Throttled if !measured.policy().limits() => "no quota".into(),
            Value::Throttled => match measured.throttling.and_then(|t| Some((t.share?, t.nr_periods))) {
                Some((share, periods)) => format!("{} of {}", percent(share), count(periods)),
                None => "not counted".into(),
            },
            Value::Tail(level) => match measured.latency.get(level).pooled_us {
                Some(us) => format!("{} ms", ms(us)),
                None => format!("n/a: {} of {} needed", count(measured.frames), count(level.needed())),
            },
        }
    }

    fn scale(&self, summary: &Summary) -> Linear {
        let floor = match self.value {
            Value::Throttled => 5.0,
            Value::Tail(_) => summary.frame_interval_us.map_or(10.0, |us| us / 1e3),
        };
        let all = summary.all_measured().flat_map(|measured| {
            let blocks = measured.blocks.iter().filter_map(|block| self.of_block(block));
            blocks.chain(self.pooled(measured)).chain(self.band(measured).map(|(_, high)| high))
        });
        let high = all.fold(floor, f64::max);
        Linear::new((0.0, round_up(high, TICKS)), (self.extent.left, self.extent.right))
    }

    fn axis(&self, scene: &mut Scene, summary: &Summary) {
        let (x, extent) = (self.scale(summary), self.extent);
        let heading = match self.value {
            Value::Throttled => "Throttled part of the active periods".to_owned(),
            Value::Tail(level) => format!("{level} of a {}'s latency", summary.item.name()),
        };
        scene.text((self.left, extent.top - 12.0), heading, 15.0, Weight::Bold, theme::INK, Anchor::Start);
        let unit = match self.value {
            Value::Throttled => " %",
            Value::Tail(_) => " ms",
        };
        for tick in x.ticks(TICKS) {
            let at = x.at(tick);
            let ink = if tick == 0.0 { theme::AXIS } else { theme::GRID };
            scene.line(vec![(at, extent.top), (at, extent.bottom + 6.0)], 1.0, ink);
            scene.label(
                (at, extent.bottom + 22.0),
                format!("{}{unit}", tick_text(tick)),
                theme::QUIET,
                Anchor::Middle,
            );
        }
        if let (Value::Tail(_), Some(us)) = (self.value, summary.frame_interval_us) {
            let at = x.at(us / 1e3);
            scene.dashed((at, extent.top), (at, extent.bottom), 1.5, theme::INK, Dash(2.0, 4.0));
            let text = format!("dotted: {} {} ms", summary.item.deadline(), ms(us));
            scene.label((extent.left, extent.bottom + 44.0), text, theme::QUIET, Anchor::Start);
        }
    }

    fn row(&self, scene: &mut Scene, summary: &Summary, measured: &Measured, y: f64) {
        let (x, ink) = (self.scale(summary), colour(measured.policy()));
        scene.line(vec![(self.extent.left, y), (self.extent.right, y)], 1.0, theme::GRID);
        if let Some(pooled) = self.pooled(measured) {
            for block in measured.blocks.iter().filter_map(|block| self.of_block(block)) {
                scene.dot((x.at(block), y), 3.0, ink.fade(0.35));
            }
            if let Some((low, high)) = self.band(measured) {
                scene.line(vec![(x.at(low), y), (x.at(high), y)], 3.0, ink);
            }
            scene.dot((x.at(pooled), y), 7.5, theme::PAPER);
            scene.dot((x.at(pooled), y), 6.0, ink);
        }
    }

    fn number(&self, scene: &mut Scene, measured: &Measured, at: Point, anchor: Anchor) {
        let ink = if self.pooled(measured).is_none() { theme::QUIET } else { theme::INK };
        scene.label(at, self.text(measured), ink, anchor);
    }
}

/// What one sees: what the limit does, and what burst does about it.
fn title(summary: &Summary) -> String {
    let verdicts = summary.verdicts();
    let alone = |policy| {
        let condition = Condition { neighbour: false, policy };
        verdicts
            .iter()
            .find(move |verdict: &&Verdict| verdict.condition == condition)
            .map(|verdict| &verdict.finding)
    };
    let limit = match alone(PolicyKind::Limit) {
        Some(Finding::Stalls { throttled, comparison, use_of_limit }) => {
            let used = use_of_limit
                .map_or_else(String::new, |part| format!(" used to {} on average", percent(part)));
            format!(
                "A limit{used} throttles {} of its periods and takes {} from {} to {} ms",
                percent(throttled.share()),
                comparison.level,
                ms(comparison.reference_us),
                ms(comparison.value_us)
            )
        }
        Some(Finding::Throttled { throttled, .. }) => {
            format!("The limit throttles {} of its periods", percent(throttled.share()))
        }
        Some(Finding::NeverThrottled { .. }) => "The limit never throttles".into(),
        _ => return format!("Throttled periods and {} of each policy", summary.tail_level()),
    };
    match alone(PolicyKind::LimitBurst) {
        Some(Finding::Absorbs { comparison, .. }) => {
            format!("{limit}; with burst it is {} ms", ms(comparison.value_us))
        }
        _ => limit,
    }
}
