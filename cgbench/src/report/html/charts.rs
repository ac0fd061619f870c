//! Charts: each twice, for wide and for narrow pages, of which the style sheet shows one.

use cgtune_chart::{Format, Scene};

use super::markup::Markup;
use crate::chart::{Gallery, NAMES};

/// The formats, with the class of their boxes.
const FORMATS: [(Format, &str); 2] = [(Format::Wide, "wide"), (Format::Narrow, "narrow")];

/// Those charts of a run whose names are given, in order. `prefix` begins their ids.
pub(super) fn charts(
    m: &mut Markup,
    gallery: &Gallery<'_>,
    names: &[&str],
    prefix: &str,
    level: &'static str,
) {
    let drawn = FORMATS.map(|(format, _)| gallery.scenes(format));
    let [wide, narrow] = &drawn;
    for (place, name) in NAMES.into_iter().enumerate().filter(|(_, name)| names.contains(name)) {
        figure(m, [&wide[place], &narrow[place]], &format!("{prefix}{name}"), level);
    }
}

/// One chart.
pub(super) fn figure(m: &mut Markup, scenes: [&Scene; 2], id: &str, level: &'static str) {
    m.element("figure", &[("id", id)], |m| {
        m.element("figcaption", &[], |m| {
            m.said(level, &[], &scenes[0].title);
            m.said("p", &[], &scenes[0].subtitle);
        });
        for (scene, (format, class)) in scenes.into_iter().zip(FORMATS) {
            m.element("div", &[("class", class)], |m| m.picture(scene, format, &format!("{id}-{class}")));
        }
    });
}
