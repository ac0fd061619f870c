//! Colours and sizes that all charts have in common. Which of the colours stands for what, each chart knows itself.

mod dark;

use crate::scene::Ink;
pub use dark::dark;

/// Width of every chart: what a page of a code host shows without scaling it down to unreadable.
pub const WIDTH: f64 = 1200.0;
/// Empty space around.
pub const MARGIN: f64 = 32.0;

/// Behind everything.
pub const PAPER: Ink = Ink::new(0xFF_FF_FF);
/// For text, and whatever must be seen.
pub const INK: Ink = Ink::new(0x1F_23_28);
/// For text that explains.
pub const QUIET: Ink = Ink::new(0x59_63_6E);
/// For lines where a scale begins.
pub const AXIS: Ink = Ink::new(0xAF_B8_C1);
/// For the other lines of a scale.
pub const GRID: Ink = Ink::new(0xE7_EA_ED);
/// For what went wrong: throttled time, late frames.
pub const ALARM: Ink = Ink::new(0xB3_26_1E);

/// Size of a title.
pub const TITLE: f64 = 22.0;
/// Size of what stands below it, and of notes.
pub const SUBTITLE: f64 = 14.0;
/// Size of labels and names.
pub const BODY: f64 = 13.0;
/// Size of a panel's heading.
pub const HEADING: f64 = 15.0;

/// Okabe and Ito's colours, which people with the usual colour-blindnesses can tell apart (Color Universal Design,
/// 2008). Name lines at their ends as well: colour must never be all that tells them apart.
pub const BLUE: Ink = Ink::new(0x00_72_B2);
/// As [`BLUE`].
pub const VERMILION: Ink = Ink::new(0xD5_5E_00);
/// As [`BLUE`].
pub const GREEN: Ink = Ink::new(0x00_9E_73);
/// As [`BLUE`].
pub const SKY: Ink = Ink::new(0x56_B4_E9);
/// As [`BLUE`].
pub const PURPLE: Ink = Ink::new(0xCC_79_A7);
/// As [`BLUE`].
pub const ORANGE: Ink = Ink::new(0xE6_9F_00);
/// As [`BLUE`], but darker than theirs, which is no line on white.
pub const YELLOW: Ink = Ink::new(0xB5_A8_0C);

/// From few to many, in steps that people with any sight tell apart by lightness alone (van der Walt and Smith's magma,
/// 2015, without its ends, which are no colour on white or on black).
pub const HEAT: [Ink; 7] = [
    Ink::new(0xFD_A8_76),
    Ink::new(0xF2_71_62),
    Ink::new(0xD2_46_6D),
    Ink::new(0xA1_30_7C),
    Ink::new(0x6F_1E_7F),
    Ink::new(0x3E_12_68),
    Ink::new(0x13_0B_2F),
];

/// The colours of lines that have no colour of their own, in order.
pub const SERIES: [Ink; 8] = [BLUE, VERMILION, GREEN, PURPLE, SKY, ORANGE, INK, YELLOW];

/// The same colour, dark enough to be read as text on white: the lighter it is, the more of it is taken.
#[must_use]
pub fn as_text(ink: Ink) -> Ink {
    let part = match ink {
        BLUE => 0.1,
        VERMILION => 0.15,
        GREEN | PURPLE => 0.3,
        SKY | ORANGE => 0.42,
        YELLOW => 0.4,
        _ => 0.0,
    };
    ink.mix(Ink::new(0), part)
}
