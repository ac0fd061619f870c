//! The same policy has the same colour in every chart.

use cgtune_chart::{
    scene::Ink,
    theme::{BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, YELLOW, as_text},
};

use crate::plan::PolicyKind;

/// A policy's colour.
pub(crate) const fn colour(policy: PolicyKind) -> Ink {
    match policy {
        PolicyKind::Shares => BLUE,
        PolicyKind::Limit => VERMILION,
        PolicyKind::LimitHalfBurst => ORANGE,
        PolicyKind::LimitBurst => GREEN,
        PolicyKind::SharedCore => YELLOW,
        PolicyKind::Pinned => SKY,
        PolicyKind::PinnedLimit => PURPLE,
    }
}

/// The same, dark enough to be read as text on white.
pub(crate) fn text_colour(policy: PolicyKind) -> Ink {
    as_text(colour(policy))
}
