//! Amounts of a metric as they are typed and shown: the unit belongs to the metric, and is always there.

use cgtune_core::Micros;

use super::metric::{Metric, Scale, Unit};
use crate::summary::figures;

/// A value of a metric: `1%`, `2ms/s`, `1.2`, `20ms`.
///
/// # Errors
/// A sentence with the form that is meant.
pub fn value(metric: Metric, text: &str) -> Result<f64, String> {
    let text = text.trim();
    match metric.unit() {
        Unit::Part => percent(text),
        Unit::MsPerS => text.strip_suffix("ms/s").and_then(number),
        Unit::Ratio => number(text).filter(|ratio| *ratio > 0.0),
        Unit::Us => Micros::parse(text).ok().map(|us| us.get() as f64),
    }
    .ok_or_else(|| {
        format!("\"{}\" is no amount of {metric}: {}", super::escape::terminal(text), form(metric.unit()))
    })
}

/// A difference of a metric: `2%` of it where differences are factors, else as a value.
///
/// # Errors
/// As [`value`].
pub fn difference(metric: Metric, text: &str) -> Result<f64, String> {
    match metric.scale() {
        Scale::Linear => value(metric, text),
        Scale::Log => percent(text.trim()).ok_or_else(|| {
            format!("\"{}\" is no change of {metric}: write 2%", super::escape::terminal(text))
        }),
    }
}

/// A part written as a percentage: `1%`.
fn percent(text: &str) -> Option<f64> {
    text.strip_suffix('%').and_then(number).map(|percent| percent / 100.0)
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

fn form(unit: Unit) -> &'static str {
    match unit {
        Unit::Part => "write 1%",
        Unit::MsPerS => "write 2ms/s",
        Unit::Ratio => "write a factor such as 1.2",
        Unit::Us => "write 20ms",
    }
}

/// A value for people: `3.1 %`, `12.5 ms/s`, `1.043`, `27.1 ms`.
#[must_use]
pub fn shown(metric: Metric, value: f64) -> String {
    match metric.unit() {
        Unit::Part => figures::percent(value),
        Unit::MsPerS => format!("{value:.1} ms/s"),
        Unit::Ratio => format!("{value:.3}"),
        Unit::Us => format!("{} ms", figures::ms(value)),
    }
}

/// A difference for people, with its sign: `+3.8 pt` (points of a percentage), `−12.5 ms/s`, `+5.2 %` (by a factor).
/// `difference` is as [`Scale::said`] gives it.
#[must_use]
pub fn shown_difference(metric: Metric, difference: f64) -> String {
    let (number, unit) = signed(metric, difference);
    format!("{number} {unit}")
}

/// The same without its unit, for an interval that has it once.
pub(super) fn signed(metric: Metric, difference: f64) -> (String, &'static str) {
    let (scaled, unit) = match (metric.scale(), metric.unit()) {
        (Scale::Linear, Unit::MsPerS) => (difference, "ms/s"),
        (Scale::Linear, _) => (difference * 100.0, "pt"),
        (Scale::Log, _) => (difference * 100.0, "%"),
    };
    (sign(scaled), unit)
}

/// Two digits that mean something, and a sign unless it is nothing.
fn sign(number: f64) -> String {
    let size = number.abs();
    let digits = match size {
        size if size < 0.005 => return "0".into(),
        size if size < 0.995 => format!("{size:.2}"),
        size if size < 9.95 => format!("{size:.1}"),
        size => format!("{size:.0}"),
    };
    format!("{}{digits}", if number < 0.0 { '−' } else { '+' })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_needs_its_unit() {
        assert_eq!(value(Metric::Throttled, "1%"), Ok(0.01));
        assert_eq!(value(Metric::Stall, "2.5ms/s"), Ok(2.5));
        assert_eq!(value(Metric::P95Ratio, "1.2"), Ok(1.2));
        assert_eq!(value(Metric::P95, "20ms"), Ok(20_000.0));
        for (metric, text) in [
            (Metric::Throttled, "0.01"),
            (Metric::Throttled, "-1%"),
            (Metric::Throttled, "NaN%"),
            (Metric::Stall, "2"),
            (Metric::P95, "20"),
            (Metric::Work, "0"),
        ] {
            assert!(value(metric, text).unwrap_err().contains("write"), "{metric} {text}");
        }
    }

    #[test]
    fn a_change_of_what_differs_by_factors_is_a_percentage() {
        assert_eq!(difference(Metric::Work, "2%"), Ok(0.02));
        assert_eq!(difference(Metric::P95, "5%"), Ok(0.05));
        assert!(difference(Metric::P95, "5ms").is_err());
        assert_eq!(difference(Metric::Stall, "2ms/s"), Ok(2.0));
    }

    #[test]
    fn differences_carry_their_sign_and_unit() {
        assert_eq!(shown_difference(Metric::Throttled, 0.038), "+3.8 pt");
        assert_eq!(shown_difference(Metric::Stall, -12.5), "−12 ms/s");
        assert_eq!(shown_difference(Metric::Work, 0.052), "+5.2 %");
        assert_eq!(shown_difference(Metric::Work, 0.00001), "0 %");
    }
}
