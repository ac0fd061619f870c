//! Times as a person reads them.

use std::fmt;

/// Nanoseconds in the unit that leaves one to three digits before the point: `640 ns`, `12 µs`, `4.1 ms`, `2.0 s`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span(pub(super) u64);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.0;
        let (value, unit) = match ns {
            0..1_000 => return write!(f, "{ns} ns"),
            1_000..999_500 => (ns as f64 / 1e3, "µs"),
            999_500..999_500_000 => (ns as f64 / 1e6, "ms"),
            _ => (ns as f64 / 1e9, "s"),
        };
        if value < 9.95 { write!(f, "{value:.1} {unit}") } else { write!(f, "{value:.0} {unit}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_two_digits_that_mean_something() {
        for (ns, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_000, "1.0 µs"),
            (9_949, "9.9 µs"),
            (9_950, "10 µs"),
            (999_499, "999 µs"),
            (999_500, "1.0 ms"),
            (4_123_456, "4.1 ms"),
            (999_500_000, "1.0 s"),
            (61_000_000_000, "61 s"),
        ] {
            assert_eq!(Span(ns).to_string(), text);
        }
    }
}
