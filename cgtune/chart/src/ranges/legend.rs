//! One line, or more where it takes more, that explains the marks that occur.

use super::{
    Look, Words,
    strip::{self, Strip},
};
use crate::{
    Format,
    canvas::{fitted, legible},
    font::{self, Weight},
    scene::{Anchor, Extent, Scene},
    theme,
};

/// What stands for the marks of any series.
const SAMPLE: crate::scene::Ink = theme::QUIET;
/// From a mark's left to its text.
const MARK: f64 = 32.0;
const BETWEEN: f64 = 28.0;
const LINE: f64 = 22.0;

#[derive(Clone, Copy)]
enum Kind {
    Band,
    Middle,
    Dot { agrees: bool },
}

/// Draws it from the baseline `y` on, and says where it ends.
pub(super) fn draw(scene: &mut Scene, y: f64, words: &Words, strips: &[Strip<'_>], format: Format) -> f64 {
    let has_ranges = strips.iter().any(Strip::has_ranges);
    let has = |agrees| strips.iter().any(|strip| strip.has_dots(agrees));
    let has_bands = strips.iter().any(Strip::has_bands);
    let entries = [
        (has_bands, Kind::Band, &words.band),
        (has_ranges, Kind::Middle, &words.middle),
        (has(true), Kind::Dot { agrees: true }, &words.dot),
        (has(false), Kind::Dot { agrees: false }, &words.astray),
    ];
    let (start, end) = (format.margin(), format.width() - format.margin());
    let (mut x, mut y) = (start, y);
    for (_, kind, words) in entries.into_iter().filter(|(there, ..)| *there) {
        let text = fitted(&legible(words), end - start - MARK, theme::BODY, Weight::Regular);
        let width = MARK + font::room(&text, theme::BODY, Weight::Regular);
        if x > start && x + width > end {
            (x, y) = (start, y + LINE);
        }
        mark(scene, (x, y - 4.5), kind);
        scene.label((x + MARK, y), text, theme::QUIET, Anchor::Start);
        x += width + BETWEEN;
    }
    y
}

/// The names of the series, each behind a dot of its colour, from the baseline `y` on; where they end.
pub(super) fn names(scene: &mut Scene, y: f64, look: &Look<'_>) -> f64 {
    /// From a dot's middle to its name.
    const DOT: f64 = 11.0;
    let (start, end) = (look.format.margin() + 5.0, look.format.width() - look.format.margin());
    let (mut x, mut y) = (start, y);
    for (name, ink) in look.names.iter().zip(look.inks()).filter(|(name, _)| !name.is_empty()) {
        let name = fitted(name, end - start - DOT, theme::BODY, Weight::Bold);
        let width = DOT + font::room(&name, theme::BODY, Weight::Bold);
        if x > start && x + width > end {
            (x, y) = (start, y + LINE);
        }
        scene.dot((x, y - 4.5), 4.5, ink);
        scene.text((x + DOT, y), name, theme::BODY, Weight::Bold, theme::as_text(ink), Anchor::Start);
        x += width + BETWEEN / 2.0;
    }
    y
}

fn mark(scene: &mut Scene, (x, y): (f64, f64), kind: Kind) {
    let (left, right) = (x, x + MARK - 8.0);
    match kind {
        Kind::Band => {
            scene.rect(Extent { left, right, top: y - 7.0, bottom: y + 7.0 }, SAMPLE.fade(strip::BAND));
        }
        Kind::Middle => scene.line(vec![(left, y), (right, y)], strip::LINE, SAMPLE),
        Kind::Dot { agrees } => strip::dot(scene, ((left + right) / 2.0, y), SAMPLE, agrees),
    }
}
