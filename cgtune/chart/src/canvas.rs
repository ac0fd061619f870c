//! Putting marks into a scene.

use cgtune_core::text::Escaped;

use crate::{
    Format,
    font::{self, Weight},
    scene::{Anchor, Extent, Ink, Mark, Point, Scene, Text},
    theme,
};

/// Rhythm of a broken line: drawn, then left out.
#[derive(Debug, Clone, Copy)]
pub struct Dash(pub f64, pub f64);

impl Scene {
    /// An empty picture for a page of some format, its title and subtitle painted only where the page does not say them.
    #[must_use]
    pub fn headed(format: Format, title: &str, subtitle: &str) -> Self {
        match format {
            Format::File => Self::titled(format.width(), title, subtitle),
            Format::Wide | Format::Narrow => {
                Self::untitled(format.width(), &legible(title), &legible(subtitle))
            }
        }
    }

    fn untitled(width: f64, title: &str, subtitle: &str) -> Self {
        Self { width, height: 0.0, title: title.into(), subtitle: subtitle.into(), marks: Vec::new() }
    }

    /// A title and what stands below it, each on as many lines as it takes, at most two. So far the picture is as high
    /// as these; [`Self::on_paper`] makes it whole.
    #[must_use]
    pub fn titled(width: f64, title: &str, subtitle: &str) -> Self {
        let (title, subtitle) = (&legible(title), &legible(subtitle));
        let mut scene = Self::untitled(width, title, subtitle);
        let room = width - 2.0 * theme::MARGIN;
        let mut y = theme::MARGIN + 14.0;
        for line in balanced(title, room, theme::TITLE, Weight::Bold).into_iter().take(2) {
            scene.text((theme::MARGIN, y), line, theme::TITLE, Weight::Bold, theme::INK, Anchor::Start);
            y += 28.0;
        }
        for line in broken(subtitle, room, theme::SUBTITLE, Weight::Regular).into_iter().take(2) {
            scene.text(
                (theme::MARGIN, y),
                line,
                theme::SUBTITLE,
                Weight::Regular,
                theme::QUIET,
                Anchor::Start,
            );
            y += 20.0;
        }
        scene.height = y - 16.0;
        scene
    }

    /// The picture at its full height, with white paper behind.
    #[must_use]
    pub fn on_paper(mut self, height: f64) -> Self {
        self.height = height.max(self.height).round();
        let Extent { left, top, right, bottom } = self.extent();
        let points = vec![(left, top), (right, top), (right, bottom), (left, bottom)];
        self.marks.insert(0, Mark::Area { points, ink: theme::PAPER });
        self
    }

    /// A picture that is only a title and a note.
    #[must_use]
    pub fn only_note(mut self, note: &str) -> Self {
        let top = self.height;
        self.note(Extent { left: 0.0, top, right: self.width, bottom: top + 180.0 }, note);
        self.on_paper(top + 180.0)
    }

    /// Says instead of a picture why there is none.
    pub fn note(&mut self, within: Extent, note: &str) {
        let lines = broken(note, within.width() - 20.0, theme::SUBTITLE, Weight::Regular);
        let (x, middle) = ((within.left + within.right) / 2.0, (within.top + within.bottom) / 2.0);
        let mut y = middle - 10.0 * (lines.len() as f64 - 1.0);
        for line in lines {
            self.text((x, y), line, theme::SUBTITLE, Weight::Regular, theme::QUIET, Anchor::Middle);
            y += 20.0;
        }
    }

    /// A filled rectangle.
    pub fn rect(&mut self, extent: Extent, ink: Ink) {
        let Extent { left, top, right, bottom } = extent;
        self.area(vec![(left, top), (right, top), (right, bottom), (left, bottom)], ink);
    }

    /// A filled shape; of fewer than three corners nothing.
    pub fn area(&mut self, points: Vec<Point>, ink: Ink) {
        if points.len() > 2 {
            self.marks.push(Mark::Area { points, ink });
        }
    }

    /// A line through points; of fewer than two nothing.
    pub fn line(&mut self, points: Vec<Point>, width: f64, ink: Ink) {
        if points.len() > 1 {
            self.marks.push(Mark::Line { points, width, ink });
        }
    }

    /// A straight broken line.
    pub fn dashed(&mut self, from: Point, to: Point, width: f64, ink: Ink, dash: Dash) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy);
        let at = |along: f64| (from.0 + dx * along / length, from.1 + dy * along / length);
        let mut along = 0.0;
        while along < length {
            self.line(vec![at(along), at((along + dash.0).min(length))], width, ink);
            along += dash.0 + dash.1;
        }
    }

    /// A disc.
    pub fn dot(&mut self, at: Point, radius: f64, ink: Ink) {
        self.marks.push(Mark::Dot { at, radius, ink });
    }

    /// A text on one line. Whatever would steer a terminal or break an SVG is escaped.
    pub fn text(
        &mut self,
        at: Point,
        text: impl Into<String>,
        size: f64,
        weight: Weight,
        ink: Ink,
        anchor: Anchor,
    ) {
        let text = legible(&text.into());
        if !text.is_empty() {
            self.marks.push(Mark::Text(Text { at, text, size, weight, ink, anchor }));
        }
    }

    /// Text of the usual size.
    pub fn label(&mut self, at: Point, text: impl Into<String>, ink: Ink, anchor: Anchor) {
        self.text(at, text, theme::BODY, Weight::Regular, ink, anchor);
    }
}

/// A text as it may be drawn: control characters, and those that reorder what stands around them, as `\xNN`.
#[must_use]
pub fn legible(text: &str) -> String {
    Escaped(text.as_bytes()).to_string()
}

/// Breaks a text at spaces into lines that fit; of a word that does not, what fits with an ellipsis.
#[must_use]
pub fn broken(text: &str, room: f64, size: f64, weight: Weight) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let longer = lines.last().map(|line| format!("{line} {word}"));
        match longer.filter(|longer| font::room(longer, size, weight) <= room) {
            Some(longer) => {
                lines.pop();
                lines.push(longer);
            }
            None => lines.push(fitted(word, room, size, weight)),
        }
    }
    lines
}

/// The same, with lines about equally long.
fn balanced(text: &str, room: f64, size: f64, weight: Weight) -> Vec<String> {
    let mut best = broken(text, room, size, weight);
    let mut narrower = room;
    while best.len() > 1 && narrower > room / 3.0 {
        narrower *= 0.97;
        let lines = broken(text, narrower, size, weight);
        if lines.len() > best.len() {
            break;
        }
        best = lines;
    }
    best
}

/// The text if it fits, or its beginning and an ellipsis.
#[must_use]
pub fn fitted(text: &str, room: f64, size: f64, weight: Weight) -> String {
    if font::room(text, size, weight) <= room {
        return text.to_owned();
    }
    let ends: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let shorter = |end: usize| format!("{}…", text[..end].trim_end());
    // Halved, not tried one by one: what is drawn may be a name of any length.
    let fit = ends.partition_point(|&end| font::room(&shorter(end), size, weight) <= room);
    fit.checked_sub(1).map(|last| shorter(ends[last])).unwrap_or_default()
}
