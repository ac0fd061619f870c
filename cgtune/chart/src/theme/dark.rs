//! What each colour becomes on a dark page.

use super::{
    ALARM, AXIS, BLUE, GREEN, GRID, HEAT, INK, ORANGE, PAPER, PURPLE, QUIET, SERIES, SKY, VERMILION, YELLOW,
    as_text,
};
use crate::scene::Ink;

/// Behind everything on a dark page.
const DARK_PAPER: Ink = Ink::new(0x13_16_1B);
const WHITE: Ink = Ink::new(0xFF_FF_FF);

/// Those that are named, and what they become: as far from the dark paper as they were from the white one.
const NAMED: [(Ink, Ink); 13] = [
    (PAPER, DARK_PAPER),
    (INK, Ink::new(0xE8_EB_EE)),
    (QUIET, Ink::new(0x9D_A7_B3)),
    (AXIS, Ink::new(0x5A_64_70)),
    (GRID, Ink::new(0x2A_30_38)),
    (ALARM, Ink::new(0xFF_6B_60)),
    (BLUE, Ink::new(0x5A_9C_F2)),
    (VERMILION, Ink::new(0xF0_7F_34)),
    (GREEN, Ink::new(0x2F_BF_90)),
    (SKY, Ink::new(0x8C_D5_F7)),
    (PURPLE, Ink::new(0xDD_92_BD)),
    (ORANGE, Ink::new(0xF0_A8_2A)),
    (YELLOW, Ink::new(0xDC_D4_4E)),
];

/// The steps of [`HEAT`]: again from near the paper to far from it.
const DARK_HEAT: [Ink; HEAT.len()] = [
    Ink::new(0x65_1A_7E),
    Ink::new(0x91_2B_7F),
    Ink::new(0xBF_3B_75),
    Ink::new(0xE7_56_65),
    Ink::new(0xFA_87_61),
    Ink::new(0xFE_BA_82),
    Ink::new(0xFC_EF_B2),
];

/// The same on a dark page: a named colour, its text's, or a tint of it (a mix with the paper), as that of its dark
/// counterpart. Any other colour stays what it is.
#[must_use]
pub fn dark(ink: Ink) -> Ink {
    let found = exact(ink).or_else(|| tint(ink)).unwrap_or(ink);
    Ink { alpha: ink.alpha, ..found }
}

fn exact(ink: Ink) -> Option<Ink> {
    let is = |other: &Ink| other.rgb == ink.rgb;
    let named = NAMED.iter().find(|(light, _)| is(light)).map(|(_, dark)| *dark);
    let heat = || HEAT.iter().position(is).map(|step| DARK_HEAT[step]);
    let text = || {
        SERIES.into_iter().find(|light| is(&as_text(*light))).and_then(exact).map(|dark| dark.mix(WHITE, 0.2))
    };
    named.or_else(heat).or_else(text)
}

/// Of a colour that lies on the way from a named one to the paper: as far on the way between their dark counterparts.
fn tint(ink: Ink) -> Option<Ink> {
    /// What rounding to whole steps may have moved each channel by.
    const ROUNDING: i16 = 1;
    let near = |other: Ink| {
        let channels = |ink: Ink| [ink.rgb.0, ink.rgb.1, ink.rgb.2].map(i16::from);
        channels(ink).into_iter().zip(channels(other)).all(|(a, b)| (a - b).abs() <= ROUNDING)
    };
    let way = |named: Ink| {
        (1..100).map(f64::from).map(|part| part / 100.0).find(|part| near(named.mix(PAPER, *part)))
    };
    NAMED.into_iter().skip(1).find_map(|(light, dark)| Some(dark.mix(DARK_PAPER, way(light)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance (WCAG 2.2).
    fn luminance(ink: Ink) -> f64 {
        let linear = |channel: u8| {
            let part = f64::from(channel) / 255.0;
            if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let (r, g, b) = ink.rgb;
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    fn contrast(a: Ink, b: Ink) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_has_the_contrast_that_wcag_asks_for_on_both_papers() {
        let texts = [INK, QUIET, ALARM].into_iter().chain(SERIES.map(as_text));
        for ink in texts {
            assert!(contrast(ink, PAPER) >= 4.5, "{ink:x?}: {}", contrast(ink, PAPER));
            assert!(contrast(dark(ink), DARK_PAPER) >= 4.5, "{ink:x?}: {}", contrast(dark(ink), DARK_PAPER));
        }
    }

    #[test]
    fn what_is_drawn_can_be_seen_on_both_papers() {
        for ink in SERIES {
            assert!(contrast(ink, PAPER) >= 2.0, "{ink:x?}");
            assert!(contrast(dark(ink), DARK_PAPER) >= 3.0, "{ink:x?}");
        }
    }

    #[test]
    fn heat_leaves_the_paper_step_by_step_on_both() {
        for (paper, steps) in [(PAPER, HEAT), (DARK_PAPER, HEAT.map(dark))] {
            let contrasts = steps.map(|step| contrast(step, paper));
            assert!(contrasts[0] > 1.6 && contrasts.is_sorted(), "{contrasts:?}");
        }
    }

    #[test]
    fn a_tint_stays_a_tint_and_keeps_what_shines_through() {
        let dark_tint = dark(VERMILION.mix(PAPER, 0.72));
        assert!(luminance(DARK_PAPER) < luminance(dark_tint));
        assert!(luminance(dark_tint) < luminance(dark(VERMILION)));
        assert_eq!(dark(GREEN.fade(0.16)).alpha, 0.16);
    }

    #[test]
    fn series_stay_apart_in_the_dark() {
        for (place, a) in SERIES.into_iter().enumerate() {
            for b in &SERIES[place + 1..] {
                let ((r, g, b), (r2, g2, b2)) = (dark(a).rgb, dark(*b).rgb);
                let apart = [(r, r2), (g, g2), (b, b2)].map(|(a, b)| f64::from(a) - f64::from(b));
                assert!(apart.iter().map(|step| step * step).sum::<f64>().sqrt() > 40.0, "{a:x?}");
            }
        }
    }
}
