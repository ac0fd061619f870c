//! One line, or more where it takes more, that explains the marks that occur.

use super::{
    Words,
    strip::{self, Strip},
};
use crate::{
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
pub(super) fn draw(scene: &mut Scene, y: f64, words: &Words, strips: &[Strip<'_>]) -> f64 {
    let has_ranges = strips.iter().any(Strip::has_ranges);
    let has = |agrees| strips.iter().any(|strip| strip.has_dots(agrees));
    let entries = [
        (has_ranges, Kind::Band, &words.band),
        (has_ranges, Kind::Middle, &words.middle),
        (has(true), Kind::Dot { agrees: true }, &words.dot),
        (has(false), Kind::Dot { agrees: false }, &words.astray),
    ];
    let (start, end) = (theme::MARGIN, theme::WIDTH - theme::MARGIN);
    let (mut x, mut y) = (start, y);
    for (_, kind, words) in entries.into_iter().filter(|(there, ..)| *there) {
        let text = fitted(&legible(words), end - start - MARK, theme::BODY, Weight::Regular);
        let width = MARK + font::width(&text, theme::BODY, Weight::Regular);
        if x > start && x + width > end {
            (x, y) = (start, y + LINE);
        }
        mark(scene, (x, y - 4.5), kind);
        scene.label((x + MARK, y), text, theme::QUIET, Anchor::Start);
        x += width + BETWEEN;
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
