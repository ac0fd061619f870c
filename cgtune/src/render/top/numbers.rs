//! Numbers in few characters, with their units. What is not known is `-`, never 0.

use cgtune_core::{Micros, ObservedBandwidth, Quota};

use crate::cmd::top::model::Cost;

/// What is not known, or does not apply.
pub(super) const NONE: &str = "-";

/// CPUs, in at most four characters up to 9999: `0.44`, `12.5`, `128`.
pub(super) fn cpus(cpus: f64) -> String {
    match cpus {
        c if c < 9.995 => format!("{c:.2}"),
        c if c < 99.95 => format!("{c:.1}"),
        c => format!("{c:.0}"),
    }
}

/// `0.40/0.44`; `0.40/-` without a limit.
pub(super) fn cpus_of(used: Option<f64>, limit: Option<f64>) -> String {
    let used = used.map_or_else(|| NONE.to_owned(), cpus);
    let limit = limit.map_or_else(|| NONE.to_owned(), cpus);
    format!("{used}/{limit:<4}")
}

/// `91 %`.
pub(super) fn percent(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| NONE.to_owned(), |ratio| format!("{:.0} %", ratio * 100.0))
}

/// Throttled periods of active ones: `12/50  24 %`.
pub(super) fn periods(periods: Option<(u64, u64)>) -> String {
    match periods {
        None | Some((_, 0)) => NONE.to_owned(),
        Some((throttled, all)) => {
            let percent = throttled as f64 * 100.0 / all as f64;
            format!("{:>5} {percent:>3.0} %", format!("{throttled}/{all}"))
        }
    }
}

/// Milliseconds a second: `54 ms`, `1.2 s` above a second.
pub(super) fn ms(ms_per_s: Option<f64>) -> String {
    match ms_per_s {
        None => NONE.to_owned(),
        Some(0.0) => "0 ms".to_owned(),
        Some(ms) if ms < 0.95 => "<1 ms".to_owned(),
        Some(ms) if ms < 9999.5 => format!("{ms:.0} ms"),
        Some(ms) => format!("{:.0} s", ms / 1e3),
    }
}

/// `44ms/100ms`, `max`.
pub(super) fn quota(bandwidth: Option<ObservedBandwidth>) -> String {
    match bandwidth {
        None => NONE.to_owned(),
        Some(ObservedBandwidth { quota: Quota::Unlimited, .. }) => "max".to_owned(),
        Some(ObservedBandwidth { quota: Quota::Limited(quota), period, .. }) => format!("{quota}/{period}"),
    }
}

/// `20ms`; `0` is none.
pub(super) fn burst(bandwidth: Option<ObservedBandwidth>) -> String {
    match bandwidth.and_then(|bandwidth| bandwidth.burst) {
        None => NONE.to_owned(),
        Some(Micros::ZERO) => "0".to_owned(),
        Some(burst) => burst.to_string(),
    }
}

/// `2,013`.
pub(super) fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `scan 12 ms of 1 s`; when the interval was stretched, from what.
pub(super) fn cost(cost: &Cost) -> String {
    let took = cost.took.as_secs() * 1e3;
    let took = if took < 9.95 { format!("{took:.1} ms") } else { format!("{took:.0} ms") };
    let text = format!("scan {took} of {}", spaced(cost.interval));
    if cost.interval == cost.asked { text } else { format!("{text}, not {}", spaced(cost.asked)) }
}

/// A duration as people read it: `1.5 s`.
fn spaced(duration: Micros) -> String {
    let us = duration.get();
    if us < 1_000_000 { format!("{} ms", us / 1000) } else { format!("{} s", us as f64 / 1e6) }
}

#[cfg(test)]
mod tests {
    use cgtune_core::Nanos;

    use super::*;

    #[test]
    fn numbers_stay_short_and_unknown_is_no_zero() {
        let shown: Vec<String> = [0.0, 0.444, 9.996, 12.34, 99.96, 4096.0].map(cpus).into();
        assert_eq!(shown, ["0.00", "0.44", "10.0", "12.3", "100", "4096"]);
        assert_eq!(periods(Some((12, 50))), "12/50  24 %");
        assert_eq!(periods(Some((0, 0))), "-", "no active period, no ratio");
        assert_eq!(
            (ms(None), ms(Some(0.2)), ms(Some(12_345.0))),
            ("-".into(), "<1 ms".into(), "12 s".into())
        );
        assert_eq!(
            (thousands(13), thousands(2013), thousands(1_000_000)),
            ("13".into(), "2,013".into(), "1,000,000".into())
        );
    }

    #[test]
    fn a_stretched_interval_is_said() {
        let of = |ms: u64, interval| {
            let (took, interval, asked) =
                (Nanos::new(ms * 1_000_000), Micros::from_ms(interval), Micros::from_ms(1000));
            cost(&Cost { took, interval, asked, ..Cost::default() })
        };
        assert_eq!(of(12, 1000), "scan 12 ms of 1 s");
        assert_eq!(of(400, 1600), "scan 400 ms of 1.6 s, not 1 s");
    }
}
