//! Colours and sizes: the same policy has the same colour in every chart.

use super::scene::Ink;
use crate::plan::PolicyKind;

/// Width of every chart: what a page of a code host shows without scaling it down to unreadable.
pub(super) const WIDTH: f64 = 1200.0;
/// Empty space around.
pub(super) const MARGIN: f64 = 32.0;

pub(super) const PAPER: Ink = Ink::new(0xFF_FF_FF);
pub(super) const INK: Ink = Ink::new(0x1F_23_28);
pub(super) const QUIET: Ink = Ink::new(0x59_63_6E);
pub(super) const AXIS: Ink = Ink::new(0xAF_B8_C1);
pub(super) const GRID: Ink = Ink::new(0xE7_EA_ED);
/// For what went wrong: throttled time, late frames.
pub(super) const ALARM: Ink = Ink::new(0xB3_26_1E);

pub(super) const TITLE: f64 = 22.0;
pub(super) const SUBTITLE: f64 = 14.0;
pub(super) const BODY: f64 = 13.0;

/// Okabe and Ito's colours, which people with the usual colour-blindnesses can tell apart (Color Universal Design,
/// 2008). Lines are named at their ends as well: colour is never all that tells them apart.
pub(super) const fn colour(policy: PolicyKind) -> Ink {
    match policy {
        PolicyKind::Shares => Ink::new(0x00_72_B2),
        PolicyKind::Limit => Ink::new(0xD5_5E_00),
        PolicyKind::LimitHalfBurst => Ink::new(0xE6_9F_00),
        PolicyKind::LimitBurst => Ink::new(0x00_9E_73),
        PolicyKind::Pinned => Ink::new(0x56_B4_E9),
        PolicyKind::PinnedLimit => Ink::new(0xCC_79_A7),
    }
}

/// The same, dark enough to be read as text on white.
pub(super) fn text_colour(policy: PolicyKind) -> Ink {
    let part = match policy {
        PolicyKind::Shares => 0.1,
        PolicyKind::Limit => 0.15,
        PolicyKind::LimitHalfBurst => 0.35,
        PolicyKind::LimitBurst => 0.3,
        PolicyKind::Pinned => 0.42,
        PolicyKind::PinnedLimit => 0.3,
    };
    colour(policy).mix(Ink::new(0), part)
}
