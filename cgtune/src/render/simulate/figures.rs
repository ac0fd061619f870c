//! How a number and a range of numbers are written.

use cgtune_core::sim::Spread;

/// With one decimal below a limit, without above it; what is there but too small for that is not written as nothing.
fn number(value: f64, decimal_below: f64) -> String {
    match value {
        0.0 => "0".into(),
        _ if value < 0.05 => "<0.1".into(),
        _ if value < decimal_below - 0.05 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// A percentage from a ratio: 100 only where it is all of them.
pub(super) fn percent(ratio: f64) -> String {
    let percent = ratio * 100.0;
    if (99.5..100.0).contains(&percent) { ">99".into() } else { number(percent, 10.0) }
}

/// Milliseconds from microseconds.
pub(super) fn ms(us: f64) -> String {
    number(us / 1e3, 100.0)
}

/// Milliseconds of stall a second.
pub(super) fn stall(ms_per_s: f64) -> String {
    number(ms_per_s, 10.0)
}

/// `44–48–52`, or one number where all three are written alike.
pub(super) fn range(spread: Spread<f64>, written: fn(f64) -> String) -> String {
    let [min, median, max] = [spread.min, spread.median, spread.max].map(written);
    if min == median && median == max { median } else { format!("{min}–{median}–{max}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_and_all_are_written_only_where_they_are_meant() {
        assert_eq!(
            [0.0, 0.0002, 0.012, 0.0996, 0.42, 0.997, 1.0].map(percent),
            ["0", "<0.1", "1.2", "10", "42", ">99", "100"]
        );
        assert_eq!([21_340.0, 99_970.0, 605_800.0].map(ms), ["21.3", "100", "606"]);
    }

    #[test]
    fn a_range_of_one_is_one_number() {
        let of = |min, median, max| range(Spread { min, median, max }, percent);
        assert_eq!(
            [of(0.0, 0.0, 0.0), of(0.0, 0.0, 0.01), of(0.44, 0.48, 0.52)],
            ["0", "0–0–1.0", "44–48–52"]
        );
    }
}
