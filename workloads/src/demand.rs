//! What a series of frames demanded: moments of the CPU time, quantiles of the latency, and
//! whether a bucket of tokens would have ridden out its fluctuations.
//!
//! Pure functions of the records. Not here: measuring them, showing them.

use crate::latency::{FrameKind, FrameRecord};

/// A quantile is told only when at least so many samples lie beyond it; otherwise it would be the
/// few largest values under a grander name.
const SAMPLES_BEYOND: f64 = 10.0;

/// A series of frames in numbers. `None`: too few frames to tell.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// How many frames.
    pub frames: usize,
    /// Mean CPU time a frame.
    pub cpu_mean_ns: f64,
    /// Standard deviation of the CPU time over its mean.
    pub cpu_cv: Option<f64>,
    /// Correlation of the CPU times of neighbouring frames.
    pub cpu_lag1: Option<f64>,
    /// The 99th percentile of the CPU time over its median.
    pub cpu_p99_over_p50: Option<f64>,
    /// Mean CPU time of I frames over that of P frames.
    pub cpu_i_over_p: Option<f64>,
    /// Mean size of I frames over that of P frames.
    pub bits_i_over_p: Option<f64>,
    /// All bits.
    pub bits: u64,
    /// Frames that were late: latency above the interval.
    pub missed: usize,
    /// Latencies from the intended start, in rising order.
    latencies_ns: Vec<u64>,
}

impl Demand {
    /// The numbers of a series, `None` for an empty one. A frame is late when it takes longer than
    /// `interval_ns` from its intended start.
    #[must_use]
    pub fn of(records: &[FrameRecord], interval_ns: u64) -> Option<Self> {
        if records.is_empty() {
            return None;
        }
        let cpu: Vec<f64> = records.iter().map(|record| record.cpu_ns as f64).collect();
        let mut sorted: Vec<u64> = records.iter().map(|record| record.cpu_ns).collect();
        sorted.sort_unstable();
        let mut latencies_ns: Vec<u64> = records.iter().map(FrameRecord::latency_ns).collect();
        latencies_ns.sort_unstable();
        let over = |value: fn(&FrameRecord) -> u64| {
            let of = |kind| {
                mean(records.iter().filter(|record| record.kind == kind).map(|record| value(record) as f64))
            };
            Some(of(FrameKind::I)? / of(FrameKind::P)?)
        };
        Some(Self {
            frames: records.len(),
            cpu_mean_ns: mean(cpu.iter().copied())?,
            cpu_cv: variation(&cpu),
            cpu_lag1: lag1(&cpu),
            cpu_p99_over_p50: quantile(&sorted, 0.99)
                .zip(quantile(&sorted, 0.5))
                .map(|(p99, p50)| p99 as f64 / p50.max(1) as f64),
            cpu_i_over_p: over(|record| record.cpu_ns),
            bits_i_over_p: over(|record| record.bits),
            bits: records.iter().map(|record| record.bits).sum(),
            missed: latencies_ns.iter().filter(|&&latency| latency > interval_ns).count(),
            latencies_ns,
        })
    }

    /// A quantile (0 to below 1) of the latency from the intended start; `None` when fewer than
    /// ten frames lie beyond it.
    #[must_use]
    pub fn latency_ns(&self, quantile_frac: f64) -> Option<u64> {
        quantile(&self.latencies_ns, quantile_frac)
    }

    /// The longest latency.
    #[must_use]
    pub fn latency_max_ns(&self) -> Option<u64> {
        self.latencies_ns.last().copied()
    }
}

/// The value below which `frac` of the sorted samples lie; `None` when fewer than ten lie beyond.
#[must_use]
pub fn quantile(sorted: &[u64], frac: f64) -> Option<u64> {
    let beyond = sorted.len() as f64 * (1.0 - frac);
    // The product of decimal fractions may come out a hair below a whole number.
    if beyond + 1e-6 < SAMPLES_BEYOND {
        return None;
    }
    let rank = (sorted.len() as f64 * frac).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0u32, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / f64::from(count))
}

/// The coefficient of variation; `None` below two samples or for a mean of zero.
#[must_use]
pub fn variation(values: &[f64]) -> Option<f64> {
    let mean = mean(values.iter().copied()).filter(|&mean| mean > 0.0)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt() / mean)
}

/// The correlation of neighbours; `None` below three samples or without variation.
#[must_use]
pub fn lag1(values: &[f64]) -> Option<f64> {
    let mean = mean(values.iter().copied())?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let products: f64 = values.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    (values.len() > 2 && squares > 0.0).then(|| products / squares)
}

/// How often a bucket of tokens fell short of a demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// Rounds, each with one refill.
    pub rounds: usize,
    /// Rounds whose own demand was more than the refill, whatever was in the bucket.
    pub above_refill: usize,
    /// Rounds in which tokens ran out, with what earlier rounds had left undone.
    pub short: usize,
}

/// Pours `refill` tokens into a bucket each round, which keeps up to `refill + spare`, and takes
/// out what `frames_per_round` frames cost. What cannot be paid waits for the next round.
#[must_use]
pub fn shortfall(costs: &[f64], frames_per_round: usize, refill: f64, spare: f64) -> Shortfall {
    let mut result = Shortfall { rounds: 0, above_refill: 0, short: 0 };
    let (mut tokens, mut undone) = (0.0f64, 0.0);
    for round in costs.chunks_exact(frames_per_round.max(1)) {
        let demand: f64 = round.iter().sum();
        tokens = (tokens + refill).min(refill + spare);
        undone += demand;
        let paid = tokens.min(undone);
        tokens -= paid;
        undone -= paid;
        result.rounds += 1;
        result.above_refill += usize::from(demand > refill);
        result.short += usize::from(undone > 0.0);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(index: u32, cpu_ns: u64, kind: FrameKind) -> FrameRecord {
        let intended_ns = u64::from(index) * 100;
        FrameRecord {
            index,
            intended_ns,
            start_ns: intended_ns + 10,
            end_ns: intended_ns + 10 + cpu_ns,
            cpu_ns,
            kind,
            bits: cpu_ns * 3,
            scene_cut: false,
        }
    }

    #[test]
    fn a_series_is_summed_up() {
        let mut records = vec![record(0, 60, FrameKind::I)];
        records.extend((1..5).map(|i| record(i, if i == 4 { 95 } else { 35 }, FrameKind::P)));
        let demand = Demand::of(&records, 100).unwrap();
        assert_eq!((demand.frames, demand.bits, demand.missed), (5, 780, 1));
        assert_eq!(demand.cpu_mean_ns, 52.0);
        assert_eq!(demand.cpu_i_over_p, Some(1.2));
        assert_eq!(demand.latency_max_ns(), Some(105));
        assert_eq!(demand.latency_ns(0.5), None);
        assert_eq!(Demand::of(&[], 100), None);
    }

    #[test]
    fn a_quantile_needs_ten_samples_beyond_it() {
        let samples: Vec<u64> = (1..=1000).collect();
        assert_eq!(quantile(&samples, 0.5), Some(500));
        assert_eq!(quantile(&samples, 0.99), Some(990));
        assert_eq!(quantile(&samples, 0.999), None);
        assert_eq!(quantile(&samples[..999], 0.99), None);
    }

    #[test]
    fn correlation_tells_alternation_from_likeness() {
        let alternating: Vec<f64> = (0..100).map(|i| f64::from(i % 2)).collect();
        let blocks: Vec<f64> = (0..100).map(|i| f64::from(i / 10 % 2)).collect();
        assert!(lag1(&alternating).unwrap() < -0.9);
        assert!(lag1(&blocks).unwrap() > 0.7);
        assert_eq!(lag1(&[1.0; 9]), None);
    }

    #[test]
    fn a_spare_bucket_rides_out_what_a_bare_refill_cannot() {
        let costs = [1.0, 1.0, 3.0, 1.0, 1.0, 1.0];
        let bare = shortfall(&costs, 1, 2.0, 0.0);
        assert_eq!(bare, Shortfall { rounds: 6, above_refill: 1, short: 1 });
        assert_eq!(shortfall(&costs, 1, 2.0, 2.0).short, 0);
        // What is left undone makes the next rounds short too.
        assert_eq!(shortfall(&[4.0, 2.0, 2.0, 0.0], 1, 2.0, 0.0).short, 3);
    }
}
