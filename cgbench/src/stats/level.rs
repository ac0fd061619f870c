//! Which quantile, exactly, and how many samples it takes.

use serde::{Deserialize, Serialize};

/// How many samples have to lie beyond a quantile before it is reported.
///
/// With ten, the count beyond a fixed threshold has a relative standard error of about 1/√10 (32 %); with fewer, the
/// "quantile" is a name for the largest few values.
pub const SAMPLES_BEYOND: u64 = 10;

const PARTS: u64 = 10_000;

/// A quantile as parts of 10,000, so that what it needs is exact: 99.9 % is 9,990.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Level(u32);

/// Not a quantile between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} parts of 10000 are no quantile: it lies from 0 to 9999")]
pub struct LevelError(u32);

impl Level {
    /// The median.
    pub const P50: Self = Self(5_000);
    /// One in twenty is above.
    pub const P95: Self = Self(9_500);
    /// One in a hundred is above.
    pub const P99: Self = Self(9_900);
    /// One in a thousand is above.
    pub const P999: Self = Self(9_990);
    /// Those of the tables, in order.
    pub const REPORTED: [Self; 4] = [Self::P50, Self::P95, Self::P99, Self::P999];

    /// As a fraction: 0.99.
    #[must_use]
    pub fn fraction(self) -> f64 {
        f64::from(self.0) / PARTS as f64
    }

    /// How many samples it takes so that [`SAMPLES_BEYOND`] of them lie beyond it: 10 / (1 − q).
    ///
    /// ```
    /// # use cgbench::stats::Level;
    /// assert_eq!(Level::P95.needed(), 200);
    /// assert_eq!(Level::P99.needed(), 1_000);
    /// assert_eq!(Level::P999.needed(), 10_000);
    /// ```
    #[must_use]
    pub fn needed(self) -> u64 {
        (SAMPLES_BEYOND * PARTS).div_ceil(PARTS - u64::from(self.0).min(PARTS - 1))
    }
}

impl TryFrom<u32> for Level {
    type Error = LevelError;

    fn try_from(parts: u32) -> Result<Self, LevelError> {
        if u64::from(parts) < PARTS { Ok(Self(parts)) } else { Err(LevelError(parts)) }
    }
}

impl From<Level> for u32 {
    fn from(level: Level) -> Self {
        level.0
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("p{}", f64::from(self.0) / 100.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_needs_ten_samples_beyond_it() {
        assert_eq!(Level::REPORTED.map(Level::needed), [20, 200, 1_000, 10_000]);
        assert_eq!(Level::try_from(0).unwrap().needed(), 10);
    }

    #[test]
    fn names_are_the_usual_ones() {
        assert_eq!(Level::REPORTED.map(|level| level.to_string()), ["p50", "p95", "p99", "p99.9"]);
    }

    #[test]
    fn the_whole_is_no_quantile() {
        assert!(Level::try_from(10_000).is_err());
    }
}
