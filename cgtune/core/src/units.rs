//! Units. One unit inside (the type says which), conversion at the edge.
//!
//! What a person types is parsed here as well, because "a duration needs a unit" is a rule of ours, not of
//! one subcommand: [`Micros::parse`] refuses a bare number and names the forms it could have meant.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! unit {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// No time at all, or no CPU at all. Never "absent": that is an `Option`.
            pub const ZERO: Self = Self(0);

            /// The bare number, in this type's unit.
            #[must_use]
            pub const fn get(self) -> u64 {
                self.0
            }

            /// The difference, or `None` when `earlier` is the larger one.
            #[must_use]
            pub fn checked_sub(self, earlier: Self) -> Option<Self> {
                self.0.checked_sub(earlier.0).map(Self)
            }

            /// The sum, held at the largest value.
            #[must_use]
            pub const fn saturating_add(self, other: Self) -> Self {
                Self(self.0.saturating_add(other.0))
            }

            /// The difference, or nothing where `other` is the larger one.
            #[must_use]
            pub const fn saturating_sub(self, other: Self) -> Self {
                Self(self.0.saturating_sub(other.0))
            }
        }
    };
}

unit! {
    /// Microseconds: quota, period and burst (`cpu.cfs_*_us`, `cpu.max`, `cpu.max.burst`).
    Micros
}
unit! {
    /// Nanoseconds: CPU time, throttled time and instants of a monotonic clock.
    Nanos
}
unit! {
    /// Thousandths of a CPU, the unit of a Kubernetes CPU request and limit.
    MilliCpu
}

impl Micros {
    /// So many microseconds.
    #[must_use]
    pub const fn new(us: u64) -> Self {
        Self(us)
    }

    /// So many milliseconds.
    #[must_use]
    pub const fn from_ms(ms: u64) -> Self {
        Self(ms.saturating_mul(1000))
    }

    /// The same span in nanoseconds, held at the largest value (584 years).
    #[must_use]
    pub const fn to_nanos(self) -> Nanos {
        Nanos(self.0.saturating_mul(1000))
    }

    /// Reads a duration as both command lines take it: a decimal number with `us`, `ms`, `s`, `m` or `h`.
    ///
    /// # Errors
    /// [`DurationError`] when the unit is missing or unknown, the number is malformed or negative, finer than a
    /// microsecond, or above 2^64 µs.
    pub fn parse(text: &str) -> Result<Self, DurationError> {
        let split = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(split);
        let scale: u64 = match unit {
            "us" | "µs" => 1,
            "ms" => 1_000,
            "s" => 1_000_000,
            "m" => 60_000_000,
            "h" => 3_600_000_000,
            "" if !number.is_empty() => return Err(DurationError::NoUnit(text.to_owned())),
            _ => return Err(DurationError::Malformed(text.to_owned())),
        };
        let malformed = || DurationError::Malformed(text.to_owned());
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || fraction.contains('.') || fraction.len() > 12 || number.ends_with('.') {
            return Err(malformed());
        }
        let whole: u128 = whole.parse().map_err(|_| malformed())?;
        let ten_to = 10_u128.pow(u32::try_from(fraction.len()).map_err(|_| malformed())?);
        let part: u128 = if fraction.is_empty() { 0 } else { fraction.parse().map_err(|_| malformed())? };
        let scaled = part * u128::from(scale);
        if !scaled.is_multiple_of(ten_to) {
            return Err(DurationError::TooFine(text.to_owned()));
        }
        whole
            .checked_mul(u128::from(scale))
            .and_then(|us| us.checked_add(scaled / ten_to))
            .and_then(|us| u64::try_from(us).ok())
            .map(Self)
            .ok_or_else(|| DurationError::TooLong(text.to_owned()))
    }
}

impl Nanos {
    /// So many nanoseconds.
    #[must_use]
    pub const fn new(ns: u64) -> Self {
        Self(ns)
    }

    /// The same span in seconds.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "shown or divided, never counted with")]
    pub fn as_secs(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

impl MilliCpu {
    /// So many thousandths of a CPU.
    #[must_use]
    pub const fn new(milli: u64) -> Self {
        Self(milli)
    }
}

/// Why a typed duration was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// A bare number.
    #[error("\"{0}\" has no unit: write {0}us, {0}ms or {0}s")]
    NoUnit(String),
    /// Not a number with one of our units.
    #[error("\"{0}\" is not a duration: write a number and us, ms, s, m or h, as in 20ms")]
    Malformed(String),
    /// Finer than a microsecond, the kernel's unit for quota, period and burst.
    #[error("\"{0}\" is finer than a microsecond, the unit in which the kernel keeps it")]
    TooFine(String),
    /// Above 2^64 microseconds.
    #[error("\"{0}\" is longer than 2^64 µs")]
    TooLong(String),
}

impl fmt::Display for Micros {
    /// The shortest exact form with a unit, so that it can be typed again: `20ms`, `1s`, `12500us`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let us = self.0;
        let text = match us {
            0 => "0us".to_owned(),
            _ if us.is_multiple_of(1_000_000) => format!("{}s", us / 1_000_000),
            _ if us.is_multiple_of(1_000) => format!("{}ms", us / 1_000),
            _ if us.is_multiple_of(100) => format!("{}.{}ms", us / 1_000, us % 1_000 / 100),
            _ => format!("{us}us"),
        };
        f.pad(&text)
    }
}

impl fmt::Display for MilliCpu {
    /// As Kubernetes writes it: `2`, `500m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text =
            if self.0.is_multiple_of(1000) { (self.0 / 1000).to_string() } else { format!("{}m", self.0) };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_with_their_unit() {
        for (text, us) in
            [("20ms", 20_000), ("5000us", 5_000), ("1s", 1_000_000), ("2m", 120_000_000), ("1.5ms", 1_500)]
        {
            assert_eq!(Micros::parse(text), Ok(Micros::new(us)), "{text}");
        }
        assert_eq!(Micros::parse("0ms"), Ok(Micros::ZERO));
    }

    #[test]
    fn a_bare_number_is_refused_with_the_forms_it_could_have_meant() {
        let error = Micros::parse("20").unwrap_err().to_string();
        assert!(error.contains("20us, 20ms or 20s"), "{error}");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "ms",
            "-5ms",
            "1.ms",
            ".5ms",
            "1..5ms",
            "1e3ms",
            "5 ms",
            "5min",
            "99999999999999999999s",
            "0.0001ms",
            "٣ms",
        ] {
            assert!(Micros::parse(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_shown_duration_reads_back_as_itself(us in any::<u64>()) {
            let shown = Micros::new(us).to_string();
            prop_assert_eq!(Micros::parse(&shown), Ok(Micros::new(us)), "{}", shown);
        }

        #[test]
        fn parsing_a_duration_never_panics(text in ".{0,40}") {
            let _ = Micros::parse(&text);
        }
    }
}
