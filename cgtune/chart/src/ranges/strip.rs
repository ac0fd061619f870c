//! One panel: bands, lines, dots, and the names at the lines' ends.

use super::{LARGEST, LEADER, Look, Panel, Range, Series, Vertical, places::Across};
use crate::{
    axis::{Linear, Log, round_up, tick_text},
    canvas::{fitted, legible},
    font::Weight,
    labels::spread,
    scene::{Anchor, Extent, Ink, Point, Scene},
    theme,
};

/// How much of a band's colour there is.
pub(super) const BAND: f64 = 0.18;
/// Width of a line.
pub(super) const LINE: f64 = 2.25;
/// Half the width of a band that is at one place only.
const POST: f64 = 6.0;
/// Between such posts of several series at the same place.
const BESIDE: f64 = 18.0;
/// The largest of values over the smallest from which on a scale is logarithmic.
const SPREAD: f64 = 20.0;
const TICKS: u32 = 5;
const LOG_TICKS: usize = 8;
/// Between two names.
const GAP: f64 = 17.0;

/// A series in this panel, cleaned.
struct Curve {
    /// In order of `x`, with their gaps.
    points: Vec<(f64, Option<Range>)>,
    dots: Vec<super::Dot>,
}

/// A panel, ready to be drawn.
pub(super) struct Strip<'a> {
    panel: &'a Panel,
    curves: Vec<Curve>,
}

enum Up {
    Linear(Linear),
    Log(Log),
}

impl Up {
    fn at(&self, value: f64) -> f64 {
        match self {
            Self::Linear(linear) => linear.at(value),
            Self::Log(log) => log.at(value),
        }
    }

    fn ticks(&self) -> Vec<f64> {
        match self {
            Self::Linear(linear) => linear.ticks(TICKS),
            Self::Log(log) => log.ticks(LOG_TICKS),
        }
    }
}

/// A dot with a rim that keeps it apart from lines below; what does not agree has a ring around it.
pub(super) fn dot(scene: &mut Scene, at: Point, ink: Ink, agrees: bool) {
    if agrees {
        scene.dot(at, 5.5, theme::PAPER);
        scene.dot(at, 4.25, ink);
    } else {
        scene.dot(at, 9.25, theme::PAPER);
        scene.dot(at, 8.0, theme::ALARM);
        scene.dot(at, 5.75, theme::PAPER);
        scene.dot(at, 4.0, ink);
    }
}

fn is_value(value: f64) -> bool {
    value.abs() <= LARGEST
}

/// In order, or missing.
fn cleaned(range: Range) -> Option<Range> {
    let mut values = [range.low, range.middle, range.high];
    values.sort_by(f64::total_cmp);
    let [low, middle, high] = values;
    values.into_iter().all(is_value).then_some(Range { low, middle, high })
}

impl<'a> Strip<'a> {
    pub(super) fn new(panel: &'a Panel, place: usize, series: &[Series]) -> Self {
        let curve = |series: &Series| {
            let Some(track) = series.tracks.get(place) else {
                return Curve { points: Vec::new(), dots: Vec::new() };
            };
            let points = track.points.iter().filter(|point| is_value(point.x));
            let mut points: Vec<_> = points.map(|point| (point.x, point.range.and_then(cleaned))).collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            let dots = track.dots.iter().copied().filter(|dot| is_value(dot.x) && is_value(dot.y)).collect();
            Curve { points, dots }
        };
        Self { panel, curves: series.iter().map(curve).collect() }
    }

    /// All places, those of gaps as well.
    pub(super) fn xs(&self) -> impl Iterator<Item = f64> {
        self.curves
            .iter()
            .flat_map(|curve| curve.points.iter().map(|(x, _)| *x).chain(curve.dots.iter().map(|dot| dot.x)))
    }

    fn ranges(&self) -> impl Iterator<Item = Range> {
        self.curves.iter().flat_map(|curve| curve.points.iter().filter_map(|(_, range)| *range))
    }

    pub(super) fn has_ranges(&self) -> bool {
        self.ranges().next().is_some()
    }

    /// Whether any range is more than its middle.
    pub(super) fn has_bands(&self) -> bool {
        self.ranges().any(|range| range.low < range.high)
    }

    pub(super) fn has_dots(&self, agrees: bool) -> bool {
        self.curves.iter().flat_map(|curve| &curve.dots).any(|dot| dot.agrees == agrees)
    }

    fn up(&self, extent: Extent) -> Up {
        let values = self.ranges().flat_map(|range| [range.low, range.high]);
        let values = values.chain(self.curves.iter().flat_map(|curve| curve.dots.iter().map(|dot| dot.y)));
        let (low, high) =
            values.fold((f64::INFINITY, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        let places = (extent.bottom, extent.top);
        match self.panel.vertical {
            Vertical::AsSpread if low > 0.0 && high > low * SPREAD => {
                Up::Log(Log::new((low / 1.15, high * 1.15), places))
            }
            // Of nothing but zeros there is no largest value to go by.
            _ if high == 0.0 => Up::Linear(Linear::new((0.0, 1.0), places)),
            _ => Up::Linear(Linear::new((0.0, round_up(high, TICKS)), places)),
        }
    }

    pub(super) fn draw(&self, scene: &mut Scene, extent: Extent, across: &Across, look: &Look<'_>) {
        let up = self.up(extent);
        let empty = !self.has_ranges() && !self.has_dots(true) && !self.has_dots(false);
        let heading = match &up {
            Up::Log(_) => format!("{} (logarithmic)", self.panel.heading),
            Up::Linear(_) => self.panel.heading.clone(),
        };
        let margin = look.format.margin();
        let room = look.format.width() - 2.0 * margin;
        let heading = fitted(&legible(&heading), room, theme::HEADING, Weight::Bold);
        let at = (margin, extent.top - 18.0);
        scene.text(at, heading, theme::HEADING, Weight::Bold, theme::INK, Anchor::Start);
        if empty {
            scene.line(vec![(extent.left, extent.bottom), (extent.right, extent.bottom)], 1.0, theme::AXIS);
            scene.note(extent, &legible(&self.panel.when_empty));
            return;
        }
        self.grid(scene, extent, &up, across, margin);
        for (place, (curve, ink)) in self.curves.iter().zip(look.inks()).enumerate() {
            self.bands(scene, curve, ink, &up, across, self.aside(place, across));
        }
        for (place, (curve, ink)) in self.curves.iter().zip(look.inks()).enumerate() {
            self.lines(scene, curve, ink, &up, across, self.aside(place, across));
        }
        // Those that do not agree last, so that nothing covers them.
        for agrees in [true, false] {
            for (place, (curve, ink)) in self.curves.iter().zip(look.inks()).enumerate() {
                let aside = self.aside(place, across);
                for measured in curve.dots.iter().filter(|dot| dot.agrees == agrees) {
                    let Some(x) = across.at(measured.x) else { continue };
                    dot(scene, (x + aside, up.at(measured.y)), ink, agrees);
                }
            }
        }
        if !look.format.is_narrow() {
            self.names(scene, extent, &up, across, look);
        }
    }

    fn grid(&self, scene: &mut Scene, extent: Extent, up: &Up, across: &Across, margin: f64) {
        for tick in up.ticks() {
            let at = up.at(tick);
            let ink = if tick == 0.0 { theme::AXIS } else { theme::GRID };
            scene.line(vec![(extent.left, at), (extent.right, at)], 1.0, ink);
            let text = format!("{}{}", tick_text(tick), legible(&self.panel.unit));
            let text = fitted(&text, extent.left - margin - 8.0, theme::BODY, Weight::Regular);
            scene.label((extent.left - 8.0, at + 4.5), text, theme::QUIET, Anchor::End);
        }
        for (at, _) in across.ticks() {
            scene.line(vec![(at, extent.top), (at, extent.bottom)], 1.0, theme::GRID);
        }
        scene.line(vec![(extent.left, extent.bottom), (extent.right, extent.bottom)], 1.0, theme::AXIS);
    }

    /// How far a series stands beside the place that all share.
    fn aside(&self, place: usize, across: &Across) -> f64 {
        if across.is_one() { (place as f64 - (self.curves.len() as f64 - 1.0) / 2.0) * BESIDE } else { 0.0 }
    }

    fn bands(&self, scene: &mut Scene, curve: &Curve, ink: Ink, up: &Up, across: &Across, aside: f64) {
        let is_band = |run: &Vec<(f64, Range)>| run.iter().any(|(_, range)| range.low < range.high);
        for run in runs(curve, across).into_iter().filter(|run| run.len() < 2 || is_band(run)) {
            match run.as_slice() {
                [(x, range)] => {
                    let (left, right) = (x + aside - POST, x + aside + POST);
                    let (top, bottom) = (up.at(range.high) - 1.0, up.at(range.low) + 1.0);
                    scene.rect(Extent { left, right, top, bottom }, ink.fade(BAND * 2.0));
                }
                run => {
                    let upper = run.iter().map(|(x, range)| (*x, up.at(range.high)));
                    let lower = run.iter().rev().map(|(x, range)| (*x, up.at(range.low)));
                    scene.area(upper.chain(lower).collect(), ink.fade(BAND));
                }
            }
        }
    }

    fn lines(&self, scene: &mut Scene, curve: &Curve, ink: Ink, up: &Up, across: &Across, aside: f64) {
        for run in runs(curve, across) {
            match run.as_slice() {
                [(x, range)] => {
                    let at = up.at(range.middle);
                    scene.line(vec![(x + aside - POST, at), (x + aside + POST, at)], LINE, ink);
                }
                run => {
                    let middles: Vec<Point> =
                        run.iter().map(|(x, range)| (*x, up.at(range.middle))).collect();
                    // Where there is one for each value, a mark says that between them nothing was looked at.
                    if curve.dots.is_empty() {
                        middles.iter().for_each(|&at| scene.dot(at, 2.75, ink));
                    }
                    scene.line(middles, LINE, ink);
                }
            }
        }
    }

    /// Each series' name beside its last point, moved apart where names collide, with a thin line back.
    fn names(&self, scene: &mut Scene, extent: Extent, up: &Up, across: &Across, look: &Look<'_>) {
        let mut ends: Vec<(usize, Point)> = Vec::new();
        for (place, curve) in self.curves.iter().enumerate() {
            let aside = self.aside(place, across);
            let of_line = runs(curve, across).last().and_then(|run| run.last().copied());
            let of_line = of_line.map(|(x, range)| (x, up.at(range.middle)));
            let of_dots = curve.dots.iter().filter_map(|dot| Some((across.at(dot.x)?, up.at(dot.y))));
            let end = of_line.or_else(|| of_dots.max_by(|a, b| a.0.total_cmp(&b.0)));
            ends.extend(end.map(|(x, y)| (place, (x + aside, y))));
        }
        let wanted: Vec<f64> = ends.iter().map(|(_, (_, y))| *y).collect();
        let places = spread(&wanted, GAP, (extent.top + 4.0, extent.bottom - 4.0));
        for ((place, from), to_y) in ends.into_iter().zip(places) {
            let (Some(name), Some(ink)) = (look.names.get(place), look.inks().nth(place)) else {
                continue;
            };
            if name.is_empty() {
                continue;
            }
            let bend = extent.right;
            let to_x = extent.right + LEADER - 6.0;
            let leader = vec![(from.0 + 4.0, from.1), (bend, from.1), (to_x - 6.0, to_y), (to_x, to_y)];
            scene.line(leader, 1.0, ink.fade(0.6));
            let at = (extent.right + LEADER, to_y + 4.5);
            scene.text(at, name.clone(), theme::BODY, Weight::Bold, theme::as_text(ink), Anchor::Start);
        }
    }
}

/// Stretches without a gap, by their places.
fn runs(curve: &Curve, across: &Across) -> Vec<Vec<(f64, Range)>> {
    let placed: Vec<Option<(f64, Range)>> =
        curve.points.iter().map(|(x, range)| Some((across.at(*x)?, (*range)?))).collect();
    placed
        .split(Option::is_none)
        .filter(|run| !run.is_empty())
        .map(|run| run.iter().copied().flatten().collect())
        .collect()
}
