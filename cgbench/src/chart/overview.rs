//! Every condition on one line: how often it is throttled, and its tail.
//!
//! Large dots are all blocks together, small ones single blocks; the bar is the 95 % band over blocks.

use cgtune_chart::{
    axis::{Linear, round_up, tick_text},
    canvas::{Dash, fitted},
    font::Weight,
    scene::{Anchor, Extent, Scene},
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

/// Draws the chart.
#[must_use]
pub fn overview(summary: &Summary) -> Scene {
    let level = summary.tail_level();
    let groups: Vec<(bool, Vec<&Row>)> = [false, true]
        .into_iter()
        .map(|neighbour| (neighbour, summary.group(neighbour).collect::<Vec<_>>()))
        .filter(|(_, rows)| !rows.is_empty())
        .collect();
    let rows: usize = groups.iter().map(|(_, rows)| rows.len()).sum();
    let subtitle = format!(
        "{}Large dots: all blocks of a policy. Small dots: single blocks. Bars: 95 % band over blocks.",
        standing(summary)
    );
    let mut scene = Scene::titled(theme::WIDTH, &title(summary), &subtitle);
    if rows == 0 {
        return scene.only_note("The plan has no conditions.");
    }
    let top = scene.height + 54.0;
    let bottom = top + HEAD * groups.len() as f64 + ROW * rows as f64;
    let shares = Column { extent: Extent { top, bottom, ..LEFT }, value: Value::Throttled };
    let tails = Column { extent: Extent { top, bottom, ..RIGHT }, value: Value::Tail(level) };
    for column in [&shares, &tails] {
        column.axis(&mut scene, summary);
    }
    let mut y = top;
    for (neighbour, rows) in groups {
        let heading = if neighbour { "With a noisy neighbour" } else { "Alone" };
        y += HEAD;
        scene.text((theme::MARGIN, y - 10.0), heading, 15.0, Weight::Bold, theme::INK, Anchor::Start);
        for row in rows {
            let middle = y + ROW / 2.0;
            let policy = row.condition().policy;
            let name = (theme::MARGIN + 12.0, middle + 4.5);
            scene.text(name, policy.name(), theme::BODY, Weight::Bold, text_colour(policy), Anchor::Start);
            match row {
                Row::Measured(measured) => {
                    shares.row(&mut scene, summary, measured, middle);
                    tails.row(&mut scene, summary, measured, middle);
                }
                Row::NotProvided { reason, .. } => {
                    absent(&mut scene, middle, &format!("not provided: {reason}"));
                }
                Row::NotRun { .. } => absent(&mut scene, middle, "not run"),
            }
            y += ROW;
        }
    }
    scene.on_paper(bottom + 72.0)
}

fn absent(scene: &mut Scene, middle: f64, why: &str) {
    let room = theme::WIDTH - theme::MARGIN - LEFT.left - 8.0;
    let why = fitted(why, room, theme::BODY, Weight::Regular);
    scene.label((LEFT.left + 8.0, middle + 4.5), why, theme::QUIET, Anchor::Start);
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
                None => format!("n/a: {} of {} frames", count(measured.frames), count(level.needed())),
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
            Value::Tail(level) => format!("{level} of a frame's latency"),
        };
        scene.text((extent.left, extent.top - 12.0), heading, 15.0, Weight::Bold, theme::INK, Anchor::Start);
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
            let text = format!("dotted: frame interval {} ms", ms(us));
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
        let quiet = self.pooled(measured).is_none();
        let text_ink = if quiet { theme::QUIET } else { theme::INK };
        scene.label((self.extent.right + 16.0, y + 4.5), self.text(measured), text_ink, Anchor::Start);
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
