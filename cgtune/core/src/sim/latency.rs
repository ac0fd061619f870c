//! Latencies of jobs, to a thousandth: as many bytes for a day as for a minute.

use hdrhistogram::Histogram;

use crate::Nanos;

/// Significant digits that are kept.
const DIGITS: u8 = 3;
/// Fewest values beyond a quantile for it to be told.
const NEEDED_BEYOND: f64 = 10.0;

/// How long jobs took from their intended start.
#[derive(Debug, Clone, PartialEq)]
pub struct Latencies(Histogram<u64>);

impl Default for Latencies {
    fn default() -> Self {
        #[allow(clippy::expect_used, reason = "fails for more than five digits alone")]
        let mut histogram = Histogram::new(DIGITS).expect("a legal number of digits");
        histogram.auto(true);
        Self(histogram)
    }
}

impl Latencies {
    /// Adds one.
    pub fn record(&mut self, latency: Nanos) {
        // It grows with the largest value, so that none is too large.
        let _ = self.0.record(latency.get());
    }

    /// Adds those of another run.
    pub fn merge(&mut self, other: &Self) {
        let _ = self.0.add(&other.0);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// A quantile; `None` where fewer than ten lie beyond it.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a count of jobs")]
    pub fn quantile(&self, part: f64) -> Option<Nanos> {
        let beyond = self.0.len() as f64 * (1.0 - part);
        (beyond + 1e-6 >= NEEDED_BEYOND).then(|| Nanos::new(self.0.value_at_quantile(part)))
    }

    /// The longest; `None` of none.
    #[must_use]
    pub fn longest(&self) -> Option<Nanos> {
        (!self.0.is_empty()).then(|| Nanos::new(self.0.max()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_true_to_a_thousandth_and_not_told_of_too_few() {
        let mut latencies = Latencies::default();
        assert_eq!((latencies.longest(), latencies.quantile(0.0)), (None, None));
        for us in 1..=999 {
            latencies.record(Nanos::new(us * 1000));
        }
        assert_eq!(latencies.quantile(0.99), None);
        latencies.record(Nanos::new(3_600_000_000_000));
        for (part, us) in [(0.5, 500.0), (0.95, 950.0), (0.99, 990.0)] {
            let got = latencies.quantile(part).unwrap().get() as f64 / 1e3;
            assert!((got / us - 1.0).abs() < 1e-3, "{part}: {got}");
        }
        assert_eq!(latencies.quantile(0.995), None);
        let longest = latencies.longest().unwrap().as_secs();
        assert!((longest / 3600.0 - 1.0).abs() < 1e-3, "{longest}");
    }

    #[test]
    fn several_runs_add_up() {
        let of = |ms: std::ops::Range<u64>| {
            let mut latencies = Latencies::default();
            ms.for_each(|ms| latencies.record(Nanos::new(ms * 1_000_000)));
            latencies
        };
        let mut all = of(0..40);
        all.merge(&of(40_000..40_060));
        assert_eq!(all.count(), 100);
        assert_eq!(all.quantile(0.4).unwrap().get() / 1_000_000, 39);
        assert!(all.quantile(0.41).unwrap().as_secs() > 39.9);
    }
}
