//! How numbers are written, in tables, sentences and charts alike.

/// A count with a comma every three digits: `1,200`.
///
/// ```
/// # use cgbench::summary::figures::count;
/// assert_eq!((count(0), count(999), count(1_200_000)), ("0".into(), "999".into(), "1,200,000".into()));
/// ```
#[must_use]
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A part as a percentage with two digits that mean something: `31 %`, `3.1 %`, `0.31 %`. Only nothing is `0 %`.
#[must_use]
pub fn percent(part: f64) -> String {
    let percent = part * 100.0;
    match percent {
        0.0 => "0 %".into(),
        p if p < 0.01 => "<0.01 %".into(),
        p if p < 0.995 => format!("{p:.2} %"),
        p if p < 9.95 => format!("{p:.1} %"),
        p => format!("{p:.0} %"),
    }
}

/// A bound that somebody chose, as a percentage without a precision that it does not have: `5 %`, `2.5 %`.
#[must_use]
pub fn bound(part: f64) -> String {
    format!("{} %", (part * 1e4).round() / 1e2)
}

/// Microseconds as a number of milliseconds with about three digits: `0.42`, `8.4`, `27.1`, `104`.
#[must_use]
pub fn ms(us: f64) -> String {
    let ms = us / 1e3;
    match ms {
        ms if ms < 0.995 => format!("{ms:.2}"),
        ms if ms < 99.95 => format!("{ms:.1}"),
        ms if ms < 1e7 => count(ms.round() as u64),
        ms => format!("{ms:.1e}"),
    }
}

/// A number and its noun, which takes an s: `1 block`, `8 blocks`.
#[must_use]
pub fn counted(value: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(value), if value == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_keep_two_digits_and_never_round_something_to_nothing() {
        let cases = [
            (0.0, "0 %"),
            (0.00001, "<0.01 %"),
            (0.0031, "0.31 %"),
            (0.031, "3.1 %"),
            (0.31, "31 %"),
            (1.0, "100 %"),
        ];
        for (part, expected) in cases {
            assert_eq!(percent(part), expected);
        }
    }

    #[test]
    fn milliseconds_keep_three_digits() {
        for (us, expected) in
            [(420.0, "0.42"), (8_400.0, "8.4"), (27_140.0, "27.1"), (104_200.0, "104"), (2e6, "2,000")]
        {
            assert_eq!(ms(us), expected);
        }
    }

    #[test]
    fn bounds_are_short() {
        assert_eq!([0.01, 0.05, 0.025].map(bound), ["1 %", "5 %", "2.5 %"]);
    }

    #[test]
    fn one_is_singular() {
        assert_eq!(
            (counted(1, "block"), counted(1200, "period")),
            ("1 block".into(), "1,200 periods".into())
        );
    }
}
