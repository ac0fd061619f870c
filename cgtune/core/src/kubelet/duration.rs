//! Durations as Go writes them: `100ms`, `1m0s`, `1.5h`.

use std::{fmt, str::FromStr};

use crate::{Micros, text::Escaped};

/// What Go's `time.ParseDuration` reads: nanoseconds, which may be below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration {
    nanos: i64,
}

/// A text that is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no duration such as 100ms, 10s or 1m30s")]
pub struct DurationError(String);

impl GoDuration {
    /// So many nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self { nanos }
    }

    /// In nanoseconds.
    #[must_use]
    pub const fn nanos(self) -> i64 {
        self.nanos
    }

    /// In whole microseconds, rounded down. `None` below zero.
    #[must_use]
    pub fn micros(self) -> Option<Micros> {
        u64::try_from(self.nanos).ok().map(|nanos| Micros::new(nanos / 1000))
    }
}

impl From<Micros> for GoDuration {
    /// Held at the longest that Go has, 292 years.
    fn from(time: Micros) -> Self {
        Self { nanos: i64::try_from(time.to_nanos().get()).unwrap_or(i64::MAX) }
    }
}

/// Nanoseconds in a unit.
fn unit(name: &str) -> Option<u128> {
    Some(match name {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// The nanoseconds of one number and its unit, and what follows them.
fn part(text: &str) -> Option<(u128, &str)> {
    let number = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, rest) = text.split_at(number);
    let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let unit = unit(name)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let digits = |digits: &str| if digits.is_empty() { Some(0) } else { digits.parse::<u128>().ok() };
    // Go drops what is finer than a nanosecond; 15 digits of an hour are.
    let fraction = &fraction[..fraction.len().min(15)];
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let whole = digits(whole)?.checked_mul(unit)?;
    Some((whole.checked_add(digits(fraction)? * unit / scale)?, rest))
}

impl FromStr for GoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let wrong =
            || DurationError(Escaped(text.chars().take(40).collect::<String>().as_bytes()).to_string());
        let (negative, mut rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        // The one number that needs no unit.
        if rest == "0" {
            return Ok(Self { nanos: 0 });
        }
        if rest.is_empty() {
            return Err(wrong());
        }
        let mut nanos = 0_u128;
        while !rest.is_empty() {
            let (more, behind) = part(rest).ok_or_else(wrong)?;
            nanos = nanos.checked_add(more).ok_or_else(wrong)?;
            rest = behind;
        }
        let nanos = i64::try_from(nanos).map_err(|_| wrong())?;
        Ok(Self { nanos: if negative { -nanos } else { nanos } })
    }
}

impl fmt::Display for GoDuration {
    /// The largest unit that leaves no fraction; it reads back as itself, and Go reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.nanos < 0 { "-" } else { "" };
        let nanos = self.nanos.unsigned_abs();
        let units = [
            (3_600_000_000_000, "h"),
            (60_000_000_000, "m"),
            (1_000_000_000, "s"),
            (1_000_000, "ms"),
            (1_000, "us"),
        ];
        let (size, name) = units
            .into_iter()
            .find(|&(size, _)| nanos != 0 && nanos.is_multiple_of(size))
            .unwrap_or((1, if nanos == 0 { "s" } else { "ns" }));
        f.pad(&format!("{sign}{}{name}", nanos / size))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_are_taken_as_go_takes_them() {
        for (text, nanos) in [
            ("100ms", 100_000_000),
            ("1m0s", 60_000_000_000),
            ("1h", 3_600_000_000_000),
            ("1.5h", 5_400_000_000_000),
            (".5s", 500_000_000),
            ("5.s", 5_000_000_000),
            ("-1s", -1_000_000_000),
            ("+250us", 250_000),
            ("10µs", 10_000),
            ("0", 0),
            ("0.1ns", 0),
        ] {
            assert_eq!(text.parse(), Ok(GoDuration::from_nanos(nanos)), "{text}");
        }
        for text in
            ["", "-", "100", "ms", ".s", "1.2.3s", "1d", "1 s", "1s ", "1e3s", "300000000h", "\x1b[2J"]
        {
            assert!(text.parse::<GoDuration>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_shown_duration_reads_back_as_itself(nanos in -i64::MAX..=i64::MAX) {
            let duration = GoDuration::from_nanos(nanos);
            prop_assert_eq!(duration.to_string().parse(), Ok(duration));
        }

        #[test]
        fn parsing_never_panics(text in "[-+0-9.numshµ]{0,20}|.{0,20}") {
            let _ = text.parse::<GoDuration>();
        }
    }
}
