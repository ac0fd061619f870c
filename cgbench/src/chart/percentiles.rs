//! How latency grows towards the tail: percentile against latency, a line a policy, a panel with and one without the
//! neighbour.
//!
//! The percentiles stand at equal steps for each tenth that remains (1/(1 − p), logarithmic), since that is where
//! policies differ. A line ends where fewer than ten frames remain.

use cgtune_chart::{
    Format,
    axis::{Linear, Tail, tick_text},
    canvas::Dash,
    font::{self, Weight},
    labels::spread,
    scene::{Anchor, Extent, Point, Scene},
    theme,
};

use super::policy::{colour, text_colour};
use crate::{
    plan::{Condition, Item, PolicyKind},
    record::{BackendKind, Records},
    stats::{Band, Pool, level::SAMPLES_BEYOND},
    study::measured_frames,
    summary::{
        Summary,
        figures::{counted, ms},
    },
    table,
};

/// Vertical scales that differ by less are made one, so that the panels can be compared by eye.
const ONE_SCALE: f64 = 3.0;
const TICKS: u32 = 6;
/// Height of a panel.
const HEIGHT: f64 = 420.0;
/// The same on a narrow page.
const NARROW_HEIGHT: f64 = 260.0;
const LABEL_ROOM: f64 = 116.0;

/// One policy's line.
struct Curve {
    policy: PolicyKind,
    /// Fraction and milliseconds.
    line: Vec<Point>,
    band: Option<Vec<Band>>,
}

impl Curve {
    fn of(records: &Records, condition: Condition) -> Option<Self> {
        let blocks: Vec<Vec<f64>> = records
            .blocks
            .iter()
            .filter(|block| block.condition == condition)
            .map(|block| {
                let frames = &block.frames;
                measured_frames(block)
                    .map(|i| frames.end_ns[i].saturating_sub(frames.intended_ns[i]) as f64 / 1e6)
                    .collect()
            })
            .collect();
        let pool = Pool::new(blocks.iter().map(Vec::as_slice));
        let last = 1.0 - SAMPLES_BEYOND as f64 / pool.len() as f64;
        if pool.is_empty() || last < Tail::FIRST {
            return None;
        }
        let steps = Tail::steps(last);
        let line = steps.iter().filter_map(|&fraction| Some((fraction, pool.at(fraction)?))).collect();
        Some(Self { policy: condition.policy, line, band: pool.bands(&steps, records.plan.seed) })
    }

    fn highest(&self) -> f64 {
        let band = self.band.iter().flatten().map(|band| band.high);
        self.line.iter().map(|(_, ms)| *ms).chain(band).fold(0.0, f64::max)
    }

    fn last(&self) -> Option<Point> {
        self.line.last().copied()
    }
}

/// The lines of all policies: a panel alone, and one beside a neighbour.
pub(super) struct Curves {
    panels: Vec<(bool, Vec<Curve>)>,
}

impl Curves {
    /// The bands take most of the time that a report takes, and belong to every format of it.
    pub(super) fn of(records: &Records, summary: &Summary) -> Self {
        let panels = [false, true]
            .into_iter()
            .filter(|neighbour| summary.group(*neighbour).any(|row| row.measured().is_some()))
            .map(|neighbour| {
                let curve = |policy| Curve::of(records, Condition { neighbour, policy });
                (neighbour, PolicyKind::ALL.into_iter().filter_map(curve).collect())
            })
            .collect();
        Self { panels }
    }

    /// Draws the chart for a page.
    pub(super) fn draw(&self, summary: &Summary, format: Format) -> Scene {
        let mut scene = Scene::headed(format, &title(summary), &subtitle(summary));
        if self.panels.is_empty() {
            return scene.only_note("No block has been measured.");
        }
        let interval_ms = summary.frame_interval_us.map(|us| us / 1e3);
        let tops = tops(&self.panels, interval_ms);
        let (left, right) = (format.margin(), format.width() - format.margin());
        let (across, height) =
            if format.is_narrow() { (1, NARROW_HEIGHT) } else { (self.panels.len(), HEIGHT) };
        let share = (right - left) / across as f64;
        let mut bottom = scene.height;
        for (place, ((neighbour, curves), most)) in self.panels.iter().zip(tops).enumerate() {
            if place % across == 0 {
                bottom += 72.0 + height;
            }
            let left = left + share * (place % across) as f64;
            let extent =
                Extent { left: left + 40.0, top: bottom - height, right: left + share - LABEL_ROOM, bottom };
            panel(&mut scene, extent, *neighbour, curves, most, interval_ms.map(|ms| (summary.item, ms)));
            if across == 1 {
                bottom += 44.0;
            }
        }
        let below = if across == 1 { 0.0 } else { 44.0 };
        scene.on_paper(bottom + below + theme::MARGIN)
    }
}

/// Draws the chart as a file.
#[must_use]
pub fn percentiles(records: &Records, summary: &Summary) -> Scene {
    Curves::of(records, summary).draw(summary, Format::File)
}

/// The ends of the vertical axes, in milliseconds: one for all where they are near each other.
fn tops(panels: &[(bool, Vec<Curve>)], interval_ms: Option<f64>) -> Vec<f64> {
    let tops: Vec<f64> = panels
        .iter()
        .map(|(_, curves)| {
            curves.iter().map(Curve::highest).chain(interval_ms.map(|ms| ms * 1.25)).fold(0.0, f64::max)
        })
        .collect();
    let (low, high) =
        tops.iter().fold((f64::MAX, 0.0_f64), |(low, high), top| (low.min(*top), high.max(*top)));
    let one = high <= low * ONE_SCALE;
    tops.into_iter().map(|top| (if one { high } else { top }) * 1.05).collect()
}

fn panel(
    scene: &mut Scene,
    extent: Extent,
    neighbour: bool,
    curves: &[Curve],
    top: f64,
    deadline_ms: Option<(Item, f64)>,
) {
    let heading = if neighbour { "With a noisy neighbour" } else { "Alone" };
    scene.text(
        (extent.left - 40.0, extent.top - 32.0),
        heading,
        15.0,
        Weight::Bold,
        theme::INK,
        Anchor::Start,
    );
    let y = Linear::new((0.0, top), (extent.bottom, extent.top));
    scene.label((extent.left - 40.0, extent.top - 6.0), "latency, ms", theme::QUIET, Anchor::Start);
    for tick in y.ticks(TICKS).into_iter().filter(|tick| y.at(*tick) > extent.top + 14.0) {
        let at = y.at(tick);
        let ink = if tick == 0.0 { theme::AXIS } else { theme::GRID };
        scene.line(vec![(extent.left, at), (extent.right, at)], 1.0, ink);
        scene.label((extent.left - 8.0, at + 4.5), tick_text(tick), theme::QUIET, Anchor::End);
    }
    let last = curves.iter().filter_map(Curve::last).map(|(fraction, _)| fraction).fold(0.9, f64::max);
    let x = Tail::new(last, (extent.left, extent.right));
    let mut free = f64::NEG_INFINITY;
    for (fraction, text) in x.ticks() {
        let at = x.at(fraction);
        scene.line(vec![(at, extent.top), (at, extent.bottom + 6.0)], 1.0, theme::GRID);
        // Of two that would touch the first stays: 95 % goes, 99 % has room again.
        let half = font::width(&text, theme::BODY, Weight::Regular) / 2.0;
        if at - half > free {
            free = at + half + 4.0;
            scene.label((at, extent.bottom + 22.0), text, theme::QUIET, Anchor::Middle);
        }
    }
    let middle = (extent.left + extent.right) / 2.0;
    scene.label((middle, extent.bottom + 44.0), "percentile", theme::QUIET, Anchor::Middle);
    if curves.is_empty() {
        scene.note(extent, "Too few for a curve, which takes at least twenty.");
        return;
    }
    if let Some((item, interval)) = deadline_ms {
        let at = y.at(interval);
        scene.dashed((extent.left, at), (extent.right, at), 1.5, theme::INK, Dash(2.0, 4.0));
        // Beside the axis' name, where no curve can run through it.
        let text = format!("dotted: the {}, {} ms", item.deadline(), ms(interval * 1e3));
        scene.label((extent.left + 60.0, extent.top - 6.0), text, theme::QUIET, Anchor::Start);
    }
    for curve in curves {
        let Some(band) = &curve.band else { continue };
        let upper =
            curve.line.iter().zip(band).map(|((fraction, _), band)| (x.at(*fraction), y.at(band.high)));
        let lower =
            curve.line.iter().zip(band).rev().map(|((fraction, _), band)| (x.at(*fraction), y.at(band.low)));
        scene.area(upper.chain(lower).collect(), colour(curve.policy).fade(0.16));
    }
    for curve in curves {
        let points = curve.line.iter().map(|(fraction, ms)| (x.at(*fraction), y.at(*ms))).collect();
        scene.line(points, 2.5, colour(curve.policy));
    }
    names(scene, extent, curves, x, y);
}

/// Each line's name at its end, moved apart where they collide, with a thin line back where moved.
fn names(scene: &mut Scene, extent: Extent, curves: &[Curve], x: Tail, y: Linear) {
    let ends: Vec<(PolicyKind, Point)> = curves
        .iter()
        .filter_map(|curve| curve.last().map(|(fraction, ms)| (curve.policy, (x.at(fraction), y.at(ms)))))
        .collect();
    let wanted: Vec<f64> = ends.iter().map(|(_, (_, y))| *y).collect();
    for ((policy, (from_x, from_y)), to_y) in
        ends.iter().zip(spread(&wanted, 18.0, (extent.top, extent.bottom - 4.0)))
    {
        let ink = colour(*policy);
        let to_x = extent.right + 18.0;
        scene.line(
            vec![(*from_x, *from_y), (from_x + 4.0, *from_y), (to_x - 4.0, to_y), (to_x, to_y)],
            1.0,
            ink.fade(0.7),
        );
        scene.dot((*from_x, *from_y), 3.5, ink);
        scene.text(
            (to_x + 4.0, to_y + 4.5),
            policy.name(),
            theme::BODY,
            Weight::Bold,
            text_colour(*policy),
            Anchor::Start,
        );
    }
}

/// What one sees, of the policies that the question is about.
fn title(summary: &Summary) -> String {
    let level = summary.tail_level();
    let one = summary.item.one_in(level).replacen('o', "O", 1);
    let tail = |policy| {
        let measured = summary.measured(Condition { neighbour: false, policy })?;
        Some(format!("{} ms {}", ms(measured.latency.get(level).pooled_us?), words_for(policy)))
    };
    let tails: Vec<String> = [PolicyKind::Limit, PolicyKind::LimitBurst, PolicyKind::Shares]
        .into_iter()
        .filter_map(tail)
        .collect();
    match tails.as_slice() {
        [] => format!("Latency of a {} by percentile", summary.item.name()),
        [one] => format!("{one} takes longer than {one}"),
        [rest @ .., last] => format!("{one} takes longer than {} and {last}", rest.join(", ")),
    }
}

fn words_for(policy: PolicyKind) -> &'static str {
    match policy {
        PolicyKind::Shares => "with shares alone",
        PolicyKind::Limit => "under a limit",
        PolicyKind::LimitHalfBurst => "under a limit with half a burst",
        PolicyKind::LimitBurst => "under a limit with burst",
        PolicyKind::SharedCore => "on a shared core",
        PolicyKind::Pinned => "pinned",
        PolicyKind::PinnedLimit => "pinned under a limit",
    }
}

fn subtitle(summary: &Summary) -> String {
    let fewest = summary.all_measured().map(|measured| measured.blocks.len() as u64).min();
    let blocks = fewest.map_or_else(String::new, |fewest| {
        match summary.all_measured().all(|m| m.blocks.len() as u64 == fewest) {
            true => format!("{} a policy; ", counted(fewest, "block")),
            false => format!("{} a policy or more; ", counted(fewest, "block")),
        }
    });
    format!(
        "{}Latency from a {}'s intended start to its end. {blocks}shaded: 95 % band over blocks. \
         Lines end where fewer than ten remain.",
        standing(summary),
        summary.item.name()
    )
}

/// What stands before everything else in a run that is simulated, or partial.
pub(super) fn standing(summary: &Summary) -> String {
    let simulated = if summary.backend == BackendKind::Simulated {
        format!("{}. ", table::SIMULATED)
    } else {
        String::new()
    };
    let partial = if summary.partial { format!("{}. ", table::partial(summary)) } else { String::new() };
    simulated + &partial
}
