//! A figure of ranges: what may be, as a shaded band around its middle, against something that is varied; and, as dots,
//! what was measured.
//!
//! Panels stand above each other over one horizontal axis, so that a value in one is found again in the next. A series
//! has the same colour in all of them, and its name at the end of its line.
//!
//! ```
//! use cgtune_chart::{paint, ranges::{Horizontal, Panel, Point, Range, Ranges, Series, Track, Vertical, Words}};
//!
//! let at = |x, low, middle, high| Point { x, range: Some(Range { low, middle, high }) };
//! let figure = Ranges {
//!     title: "SIMULATED: throttled periods by limit".into(),
//!     subtitle: "encoder, Linux 6.18".into(),
//!     x_label: "CPU limit (CPUs)".into(),
//!     horizontal: Horizontal::Linear,
//!     panels: vec![Panel {
//!         heading: "Throttled part of the active periods".into(),
//!         unit: " %".into(),
//!         vertical: Vertical::FromZero,
//!         when_empty: "Without a limit nothing is throttled.".into(),
//!     }],
//!     series: vec![Series {
//!         name: "no burst".into(),
//!         tracks: vec![Track { points: vec![at(0.4, 68.0, 70.0, 71.0), at(0.5, 4.0, 6.0, 8.0)], dots: vec![] }],
//!     }],
//!     words: Words::default(),
//! };
//! assert!(paint::svg(&figure.draw())?.contains("no burst"));
//! # Ok::<(), cgtune_chart::paint::PaintError>(())
//! ```

mod legend;
mod places;
mod strip;

use crate::{
    Format,
    canvas::{fitted, legible},
    font::{self, Weight},
    scene::{Anchor, Extent, Ink, Scene},
    theme,
};
use places::Across;
use strip::Strip;

/// Series beyond these have no colour of their own and no room for their names: callers refuse more.
pub const MOST_SERIES: usize = theme::SERIES.len();

/// Values further from zero cannot be drawn, and count as missing.
const LARGEST: f64 = 1e300;
/// Height of a panel.
const HEIGHT: f64 = 260.0;
/// The same on a narrow page.
const NARROW_HEIGHT: f64 = 190.0;
/// Space above a panel for its heading, and below the one before it.
const HEAD: f64 = 52.0;
/// Room for the texts of the vertical scale.
const TICK_ROOM: f64 = 64.0;
/// The same on a narrow page.
const NARROW_TICK_ROOM: f64 = 46.0;
/// Room for the names: at least, and at most.
const NAME_ROOM: (f64, f64) = (90.0, 320.0);
/// From the end of the plot to the names.
const LEADER: f64 = 30.0;

/// The figure, as data.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranges {
    /// What one sees, on at most two lines.
    pub title: String,
    /// Where it comes from, on at most two lines.
    pub subtitle: String,
    /// What is varied, with its unit.
    pub x_label: String,
    /// Its scale.
    pub horizontal: Horizontal,
    /// From top to bottom.
    pub panels: Vec<Panel>,
    /// In the order of their colours, at most [`MOST_SERIES`].
    pub series: Vec<Series>,
    /// What the marks are called.
    pub words: Words,
}

/// The scale of what is varied.
#[derive(Debug, Clone, PartialEq)]
pub enum Horizontal {
    /// Numbers at distances as they are.
    Linear,
    /// Numbers above zero, at distances as their ratios are. With any other number among them the scale is linear.
    Logarithmic,
    /// Things with names, evenly spaced; an `x` is a place among them, from 0. Points elsewhere count as missing.
    Named(Vec<String>),
}

/// One of the things that are shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What it is.
    pub heading: String,
    /// Its unit, as it stands behind a number, with the space before it: `" %"`.
    pub unit: String,
    /// Its scale.
    pub vertical: Vertical,
    /// Why there is nothing, where there is nothing.
    pub when_empty: String,
}

/// The scale of a panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vertical {
    /// Linear, from zero; what is below stands at zero.
    FromZero,
    /// Logarithmic where the largest value is more than twenty times the smallest, else from zero.
    AsSpread,
}

/// What belongs together.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Its name, short; a single one may go without.
    pub name: String,
    /// Its values, one track a panel; tracks that are missing are empty.
    pub tracks: Vec<Track>,
}

/// A series in a panel.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Track {
    /// What may be, in any order of `x`.
    pub points: Vec<Point>,
    /// What was measured.
    pub dots: Vec<Dot>,
}

/// What may be at a place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Where on the horizontal scale.
    pub x: f64,
    /// In the panel's unit; `None` leaves a gap.
    pub range: Option<Range>,
}

/// From the smallest to the largest. Put in order where they are not; with anything that is no number it is missing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The smallest.
    pub low: f64,
    /// The middle one.
    pub middle: f64,
    /// The largest.
    pub high: f64,
}

/// Something measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dot {
    /// Where on the horizontal scale.
    pub x: f64,
    /// In the panel's unit.
    pub y: f64,
    /// Whether it is as the band says. Where not, it has a ring, and the legend says so.
    pub agrees: bool,
}

/// What the legend calls the marks. Marks that do not occur are not explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The band.
    pub band: String,
    /// The line in it.
    pub middle: String,
    /// A dot.
    pub dot: String,
    /// A dot with a ring.
    pub astray: String,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            band: "from the smallest to the largest".into(),
            middle: "the middle".into(),
            dot: "measured".into(),
            astray: "measured, and not as the band says".into(),
        }
    }
}

/// For which page, and how series look there.
struct Look<'a> {
    format: Format,
    inks: &'a [Ink],
    names: &'a [String],
}

impl Look<'_> {
    /// Their colours, over and over.
    fn inks(&self) -> impl Iterator<Item = Ink> {
        self.inks.iter().copied().cycle()
    }
}

impl Ranges {
    /// Draws it as a file. Nothing that is missing, wrong or too large is an error: it leaves a gap or a note.
    #[must_use]
    pub fn draw(&self) -> Scene {
        self.draw_as(Format::File, &theme::SERIES)
    }

    /// Draws it for a page, its series in colours of the caller's. On a narrow one there is no room for names at the ends of lines:
    /// they stand above.
    #[must_use]
    pub fn draw_as(&self, format: Format, inks: &[Ink]) -> Scene {
        let mut scene = Scene::headed(format, &self.title, &self.subtitle);
        if self.panels.is_empty() {
            return scene.only_note("There is nothing to show.");
        }
        let names: Vec<String> = self.names();
        let widest =
            names.iter().map(|name| font::width(name, theme::BODY, Weight::Bold)).fold(0.0, f64::max);
        let margin = format.margin();
        let tick_room = if format.is_narrow() { NARROW_TICK_ROOM } else { TICK_ROOM };
        let names_room = if format.is_narrow() { 0.0 } else { LEADER + widest.max(NAME_ROOM.0) };
        let (left, right) = (margin + tick_room, format.width() - margin - names_room);
        let look = Look { format, inks, names: &names };
        let strips: Vec<Strip<'_>> = self
            .panels
            .iter()
            .enumerate()
            .map(|(place, panel)| Strip::new(panel, place, &self.series))
            .collect();
        let across = Across::new(&self.horizontal, strips.iter().flat_map(Strip::xs), (left, right));
        let mut extent = Extent { left, right, top: 0.0, bottom: scene.height };
        if format.is_narrow() {
            extent.bottom = legend::names(&mut scene, extent.bottom + 10.0, &look);
        }
        for strip in &strips {
            extent.top = extent.bottom + HEAD;
            extent.bottom = extent.top + if format.is_narrow() { NARROW_HEIGHT } else { HEIGHT };
            strip.draw(&mut scene, extent, &across, &look);
        }
        for (at, text) in across.ticks() {
            scene.line(vec![(at, extent.bottom), (at, extent.bottom + 6.0)], 1.0, theme::AXIS);
            scene.label((at, extent.bottom + 22.0), text, theme::QUIET, Anchor::Middle);
        }
        let label = fitted(&legible(&self.x_label), right - left, theme::BODY, Weight::Regular);
        scene.label(((left + right) / 2.0, extent.bottom + 44.0), label, theme::QUIET, Anchor::Middle);
        let bottom = legend::draw(&mut scene, extent.bottom + 76.0, &self.words, &strips, format);
        scene.on_paper(bottom + theme::MARGIN)
    }

    fn names(&self) -> Vec<String> {
        let name = |series: &Series| fitted(&legible(&series.name), NAME_ROOM.1, theme::BODY, Weight::Bold);
        self.series.iter().map(name).collect()
    }
}
