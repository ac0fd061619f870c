//! A scene as an SVG file of its own that is light on a light page and dark on a dark one, as its reader's browser wants it.
//!
//! Colours are those of [`inline`](super::inline), in one style sheet within the file. A program that knows no media queries
//! paints it light.

use std::fmt::Write as _;

use super::inline::{Inks, escaped, painted};
use crate::{font, scene::Scene};

/// The scene as the text of an SVG file.
#[must_use]
pub fn svg(scene: &Scene) -> String {
    let mut inks = Inks::default();
    let marks = painted(&scene.marks, &mut inks);
    let (width, height) = (scene.width.round(), scene.height.round());
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\">\
         <title>{}</title><desc>{}</desc>",
        escaped(&scene.title),
        escaped(&scene.subtitle)
    );
    let _ = writeln!(
        out,
        "<style>svg{{color-scheme:light dark;font-family:{}}}{}{}@media (prefers-color-scheme:dark){{{}}}</style>{marks}</svg>",
        font::FAMILY,
        Inks::SHAPES,
        inks.light(),
        inks.dark()
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, scene::Anchor, theme};

    #[test]
    fn the_paper_and_every_ink_have_a_colour_for_both_pages() {
        let mut scene = Scene::headed(Format::File, "a < b", "c & d");
        scene.label((40.0, 80.0), "<&>\u{202e}", theme::QUIET, Anchor::Start);
        let text = svg(&scene.on_paper(120.0));
        assert!(text.starts_with("<svg xmlns=") && text.ends_with("</svg>\n"), "{text}");
        assert!(text.contains("<title>a &lt; b</title><desc>c &amp; d</desc>"), "{text}");
        assert!(text.contains("&lt;&amp;&gt;\\xe2\\x80\\xae"), "{text}");
        let (light, dark) = text.split_once("@media").unwrap();
        for class in [".iffffff{", ".i1f2328{", ".i59636e{"] {
            assert!(light.contains(class) && dark.contains(class), "{class}: {text}");
        }
    }
}
