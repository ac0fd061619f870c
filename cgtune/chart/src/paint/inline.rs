//! A scene as part of an HTML page: an `<svg>` element as wide as its place, its text text, its colours those of the page.
//!
//! Colours are classes, so that one style sheet has them twice, for light pages and for dark ones: [`Inks`] gathers which there
//! are, over all pictures of a page, and writes it. Nothing needs an id but the title and the description; these begin with what
//! the caller says, so that a page may hold many pictures. Neighbouring shapes of one opaque colour become one path, and numbers
//! have one digit after the point: a tenth of a pixel.
//!
//! ```
//! use cgtune_chart::{Format, Scene, paint::inline::{self, Inks}, theme};
//!
//! let mut scene = Scene::headed(Format::Narrow, "One dot", "made up");
//! scene.dot((20.0, 20.0), 4.0, theme::BLUE);
//! let mut inks = Inks::default();
//! let svg = inline::svg(&scene.on_paper(40.0), Format::Narrow, "one", &mut inks);
//! assert!(svg.starts_with("<svg") && svg.contains(r#"class="f i0072b2""#));
//! assert!(inks.light().contains(".i0072b2{color:#0072b2}"));
//! ```

use std::{collections::BTreeMap, fmt::Write as _};

use crate::{
    Format,
    font::Weight,
    scene::{Anchor, Ink, Mark, Point, Scene, Text},
    theme,
};

/// Space kept above and below what is drawn.
const AIR: f64 = 3.0;

/// The colours that occur, for a style sheet.
#[derive(Debug, Clone, Default)]
pub struct Inks {
    used: BTreeMap<(u8, u8, u8), Ink>,
}

impl Inks {
    /// The class of a colour, which the style sheet will then have. How much of it there is is not its business.
    pub fn class(&mut self, ink: Ink) -> String {
        self.used.entry(ink.rgb).or_insert(Ink { alpha: 1.0, ..ink });
        let (r, g, b) = ink.rgb;
        format!("i{r:02x}{g:02x}{b:02x}")
    }

    /// Rules that are the same on every page: what `f` (filled), `s` (stroked) and `b` (bold) mean.
    pub const SHAPES: &'static str =
        ".f{fill:currentColor}.s{fill:none;stroke:currentColor;stroke-linejoin:round}.b{font-weight:700}";

    /// The colours on a light page, as CSS rules.
    #[must_use]
    pub fn light(&self) -> String {
        self.rules(|ink| ink)
    }

    /// The colours on a dark page.
    #[must_use]
    pub fn dark(&self) -> String {
        self.rules(theme::dark)
    }

    fn rules(&self, of: impl Fn(Ink) -> Ink) -> String {
        let mut out = String::new();
        for ink in self.used.values() {
            let ((r, g, b), (r2, g2, b2)) = (ink.rgb, of(*ink).rgb);
            let _ = write!(out, ".i{r:02x}{g:02x}{b:02x}{{color:#{r2:02x}{g2:02x}{b2:02x}}}");
        }
        out
    }
}

/// The scene as an element. Empty margins are left out; the page has its own. `id` is a name that no other picture of the page has,
/// of letters, digits and hyphens.
#[must_use]
pub fn svg(scene: &Scene, format: Format, id: &str, inks: &mut Inks) -> String {
    let marks = match scene.marks.split_first() {
        Some((Mark::Area { ink, .. }, rest)) if *ink == theme::PAPER => rest,
        _ => &scene.marks,
    };
    let (top, bottom) = marks
        .iter()
        .map(reach)
        .fold((f64::MAX, 0.0_f64), |(top, bottom), (t, b)| (top.min(t), bottom.max(b)));
    let top = (top.min(scene.height) - AIR).floor();
    let (left, width) = (format.margin(), scene.width - 2.0 * format.margin());
    let height = (bottom + AIR - top).ceil().max(1.0);
    let mut out = String::new();
    let _ = write!(
        out,
        "<svg class=\"chart\" role=\"img\" viewBox=\"{left} {top} {width} {height}\" aria-labelledby=\"{id}-title\" aria-describedby=\"{id}-text\">\
         <title id=\"{id}-title\">{}</title><desc id=\"{id}-text\">{}</desc>",
        escaped(&scene.title),
        escaped(&scene.subtitle)
    );
    out.push_str(&painted(marks, inks));
    out.push_str("</svg>");
    out
}

/// Marks from back to front, as elements.
pub(super) fn painted(marks: &[Mark], inks: &mut Inks) -> String {
    let mut pen = Pen { out: String::new(), inks, open: None };
    for mark in marks {
        pen.mark(mark);
    }
    pen.close();
    pen.out
}

/// Its uppermost and its lowest place.
fn reach(mark: &Mark) -> (f64, f64) {
    let over = |points: &[Point], room: f64| {
        points
            .iter()
            .fold((f64::MAX, f64::MIN), |(top, bottom), (_, y)| (top.min(y - room), bottom.max(y + room)))
    };
    match mark {
        Mark::Area { points, .. } => over(points, 0.0),
        Mark::Line { points, width, .. } => over(points, width / 2.0),
        Mark::Dot { at, radius, .. } => over(&[*at], *radius),
        Mark::Text(text) => (text.extent().top, text.extent().bottom),
    }
}

/// Text as it may stand between tags and in attributes, of SVG or of HTML.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// Whether a path is filled, or stroked and how wide.
#[derive(Clone, Copy, PartialEq)]
enum Stroke {
    Filled,
    Wide(f64),
}

struct Pen<'a> {
    out: String,
    inks: &'a mut Inks,
    /// The path that is being written.
    open: Option<(Stroke, Ink)>,
}

impl Pen<'_> {
    fn mark(&mut self, mark: &Mark) {
        match mark {
            Mark::Area { points, ink } => self.path(points, Stroke::Filled, *ink),
            Mark::Line { points, width, ink } => self.path(points, Stroke::Wide(*width), *ink),
            Mark::Dot { at: (x, y), radius, ink } => {
                self.close();
                let (x, y, radius) = (Tenths::of(*x), Tenths::of(*y), Tenths::of(*radius));
                let _ = write!(self.out, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"");
                self.colour("f", *ink);
                self.out.push_str("/>");
            }
            Mark::Text(text) => self.text(text),
        }
    }

    /// Its classes, and how much shines through.
    fn colour(&mut self, shape: &str, ink: Ink) {
        let class = self.inks.class(ink);
        let _ = write!(self.out, " class=\"{shape} {class}\"");
        if ink.alpha < 1.0 {
            let _ = write!(self.out, " opacity=\"{}\"", (ink.alpha * 100.0).round() / 100.0);
        }
    }

    /// A shape of the path that is open, where it may be part of it: what lies over itself must not show.
    fn path(&mut self, points: &[Point], stroke: Stroke, ink: Ink) {
        if self.open != Some((stroke, ink)) || ink.alpha < 1.0 {
            self.close();
            self.out.push_str("<path");
            match stroke {
                Stroke::Filled => self.colour("f", ink),
                Stroke::Wide(width) => {
                    self.colour("s", ink);
                    let _ = write!(self.out, " stroke-width=\"{width}\"");
                }
            }
            self.out.push_str(" d=\"");
            self.open = Some((stroke, ink));
        }
        let mut before: Option<(Tenths, Tenths)> = None;
        for (x, y) in thinned(points) {
            let (x, y) = (Tenths::of(x), Tenths::of(y));
            let _ = match before {
                None => write!(self.out, "M{x} {y}"),
                Some((from_x, from_y)) if from_x == x => write!(self.out, "v{}", y.minus(from_y)),
                Some((from_x, from_y)) if from_y == y => write!(self.out, "h{}", x.minus(from_x)),
                Some((from_x, from_y)) => write!(self.out, "l{} {}", x.minus(from_x), y.minus(from_y)),
            };
            before = Some((x, y));
        }
        if stroke == Stroke::Filled {
            self.out.push('z');
        }
    }

    fn close(&mut self) {
        if self.open.take().is_some() {
            self.out.push_str("\"/>");
        }
    }

    fn text(&mut self, text: &Text) {
        self.close();
        let (x, y) = (Tenths::of(text.at.0), Tenths::of(text.at.1));
        let _ = write!(self.out, "<text x=\"{x}\" y=\"{y}\" font-size=\"{}\"", Tenths::of(text.size));
        match text.anchor {
            Anchor::Start => {}
            Anchor::Middle => self.out.push_str(" text-anchor=\"middle\""),
            Anchor::End => self.out.push_str(" text-anchor=\"end\""),
        }
        let shape = if text.weight == Weight::Bold { "f b" } else { "f" };
        self.colour(shape, text.ink);
        let _ = write!(self.out, ">{}</text>", escaped(&text.text));
    }
}

/// A number as it is written, so that steps from one to the next do not add up roundings.
#[derive(Clone, Copy, PartialEq)]
struct Tenths(i64);

impl Tenths {
    #[allow(clippy::cast_possible_truncation, reason = "a place in a picture")]
    fn of(value: f64) -> Self {
        Self((value * 10.0).round() as i64)
    }

    fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl std::fmt::Display for Tenths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, tenth) = (self.0.unsigned_abs() / 10, self.0.unsigned_abs() % 10);
        match tenth {
            0 => write!(f, "{sign}{whole}"),
            _ => write!(f, "{sign}{whole}.{tenth}"),
        }
    }
}

/// The points, where there are more than a picture can show: of each half pixel's run the first, lowest, highest and last, in
/// their order. No extreme is lost.
fn thinned(points: &[Point]) -> Vec<Point> {
    /// Fewer are not worth it.
    const MANY: usize = 4000;
    if points.len() <= MANY {
        return points.to_vec();
    }
    let column = |point: &Point| (point.0 * 2.0).floor();
    let mut out = Vec::new();
    for run in points.chunk_by(|a, b| column(a) == column(b)) {
        let by_height = |a: &usize, b: &usize| run[*a].1.total_cmp(&run[*b].1);
        let mut kept: Vec<usize> = [
            Some(0),
            (0..run.len()).min_by(by_height),
            (0..run.len()).max_by(by_height),
            run.len().checked_sub(1),
        ]
        .into_iter()
        .flatten()
        .collect();
        kept.sort_unstable();
        kept.dedup();
        out.extend(kept.into_iter().map(|place| run[place]));
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::scene::Extent;

    fn painted(scene: &Scene) -> (String, Inks) {
        let mut inks = Inks::default();
        (svg(scene, Format::Wide, "a", &mut inks), inks)
    }

    #[test]
    fn neighbours_of_one_colour_are_one_path_and_what_shines_through_is_not() {
        let mut scene = Scene::headed(Format::Wide, "t", "s");
        for at in [0.0, 10.0, 20.0] {
            scene.rect(Extent { left: at, top: 0.0, right: at + 8.0, bottom: 4.0 }, theme::BLUE);
        }
        assert_eq!(painted(&scene).0.matches("<path").count(), 1);
        assert!(
            painted(&scene).0.contains("d=\"M0 0h8v4h-8zM10 0h8v4h-8zM20 0h8v4h-8z\""),
            "{}",
            painted(&scene).0
        );
        scene.marks.clear();
        for at in [0.0, 4.0] {
            scene.rect(Extent { left: at, top: 0.0, right: at + 8.0, bottom: 4.0 }, theme::BLUE.fade(0.5));
        }
        assert_eq!(painted(&scene).0.matches("opacity=\"0.5\"").count(), 2);
    }

    #[test]
    fn the_paper_is_the_page_and_margins_are_left_out() {
        let mut scene = Scene::headed(Format::Wide, "t", "s");
        scene.rect(Extent { left: 40.0, top: 50.0, right: 60.0, bottom: 90.0 }, theme::GREEN);
        let (svg, inks) = painted(&scene.on_paper(300.0));
        assert!(svg.contains("viewBox=\"32 47 1136 46\""), "{svg}");
        assert!(!inks.light().contains("ffffff"));
    }

    #[test]
    fn every_colour_has_a_rule_in_both_sheets() {
        let mut scene = Scene::headed(Format::Narrow, "t", "s");
        scene.label((5.0, 20.0), "text", theme::QUIET, Anchor::Start);
        scene.dot((5.0, 5.0), 2.0, theme::SKY.fade(0.3));
        let (_, inks) = painted(&scene);
        assert_eq!(inks.light(), ".i56b4e9{color:#56b4e9}.i59636e{color:#59636e}");
        assert_eq!(inks.dark(), ".i56b4e9{color:#8cd5f7}.i59636e{color:#9da7b3}");
    }

    #[test]
    fn a_long_line_keeps_its_extremes() {
        let mut scene = Scene::headed(Format::Wide, "t", "s");
        let mut points: Vec<Point> = (0..400_000_i32).map(|i| (100.0 + f64::from(i) / 400.0, 50.0)).collect();
        points[123_456].1 = 7.0;
        points[234_567].1 = 93.0;
        scene.line(points, 1.0, theme::INK);
        let (svg, _) = painted(&scene);
        assert!(svg.len() < 60_000, "{}", svg.len());
        assert!(svg.contains(" -43l") && svg.contains(" 43l"), "both spikes are there");
    }

    proptest! {
        #[test]
        fn whatever_a_text_says_it_stays_text(text in any::<String>(), title in any::<String>()) {
            let mut scene = Scene::headed(Format::Narrow, &title, &text);
            scene.label((5.0, 20.0), text, theme::QUIET, Anchor::Start);
            let (svg, _) = painted(&scene);
            let tags = svg.matches('<').count();
            let expected = ["<svg", "</svg>", "<title", "</title>", "<desc", "</desc>", "<text", "</text>"];
            prop_assert_eq!(tags, expected.iter().map(|tag| svg.matches(tag).count()).sum::<usize>());
            let reorders = |c: char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c);
            prop_assert!(!svg.contains(reorders));
        }

        #[test]
        fn numbers_are_what_they_were_to_a_tenth(value in -1e6..1e6f64) {
            let written: f64 = Tenths::of(value).to_string().parse().unwrap();
            prop_assert!((written - value).abs() <= 0.05 + 1e-9);
        }
    }
}
