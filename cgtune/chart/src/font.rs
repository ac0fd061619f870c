//! The font that is built in, and how wide a text is in it.
//!
//! Arimo has the widths of Arial, Helvetica and Liberation Sans. So a width that is true here is true in the browser
//! that opens the SVG, whichever of these it has (assets/README.md).

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, InvalidFont, ScaleFont};

/// What the SVG asks for.
pub const FAMILY: &str = "Arimo, Liberation Sans, Arial, Helvetica, sans-serif";

static REGULAR: LazyLock<Result<FontRef<'static>, InvalidFont>> =
    LazyLock::new(|| FontRef::try_from_slice(include_bytes!("../assets/Arimo-Regular.ttf")));
static BOLD: LazyLock<Result<FontRef<'static>, InvalidFont>> =
    LazyLock::new(|| FontRef::try_from_slice(include_bytes!("../assets/Arimo-Bold.ttf")));

/// Weight of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// For most.
    Regular,
    /// For titles and names.
    Bold,
}

/// The font of a weight.
pub fn face(weight: Weight) -> Result<&'static FontRef<'static>, InvalidFont> {
    match weight {
        Weight::Regular => REGULAR.as_ref(),
        Weight::Bold => BOLD.as_ref(),
    }
    .map_err(|_| InvalidFont)
}

/// ab_glyph scales a font by its height from descent to ascent, CSS by its em.
pub fn scale(font: &FontRef<'_>, size: f64) -> f32 {
    let em = font.units_per_em().unwrap_or(1000.0);
    size as f32 * font.height_unscaled() / em
}

/// Width of a text; of a font that cannot be used, half an em a character.
pub fn width(text: &str, size: f64, weight: Weight) -> f64 {
    let Ok(font) = face(weight) else { return text.chars().count() as f64 * size / 2.0 };
    let scaled = font.as_scaled(scale(font, size));
    let mut last = None;
    let mut width = 0.0;
    for glyph in text.chars().map(|c| scaled.glyph_id(c)) {
        width += last.map_or(0.0, |last| scaled.kern(last, glyph)) + scaled.h_advance(glyph);
        last = Some(glyph);
    }
    f64::from(width)
}

/// Room that a text needs where something stands behind it: its [`width`], and as much as it is wider in DejaVu Sans, in
/// which a reader sees it who has none of [`FAMILY`].
pub fn room(text: &str, size: f64, weight: Weight) -> f64 {
    let wider = match weight {
        Weight::Regular => 1.15,
        Weight::Bold => 1.22,
    };
    width(text, size, weight) * wider
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_arial() {
        // Advance widths of Arial in 2048 units an em: digit 1139, space 569, m 1706.
        for (text, units) in
            [("0", 1139.0), (" ", 569.0), ("m", 1706.0), ("00 ms", 1139.0 * 2.0 + 569.0 + 1706.0 + 1024.0)]
        {
            assert!((width(text, 2048.0, Weight::Regular) - units).abs() < 2.0, "{text}");
        }
    }

    #[test]
    fn every_character_of_our_charts_has_a_glyph() {
        let font = face(Weight::Regular).unwrap();
        for c in "abcXYZ0123 .,;:%+-–—×≥≤µ½·…()/→−|<>=\"'".chars() {
            assert_ne!(font.glyph_id(c).0, 0, "{c}");
        }
    }
}
