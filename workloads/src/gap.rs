//! A loop that does nothing but read the clock, and notes when it was kept from that: an interrupt, another thread, a hypervisor.
//!
//! Every gap between two readings that is longer than [`SHORTEST_NS`] counts. What lies below is the loop itself, and what a
//! kernel does many hundred times a second on any machine.
//!
//! Not here: on which CPU it runs, and who is to blame for a gap.
//!
//! ```
//! use std::sync::atomic::AtomicBool;
//! use workloads::gap;
//!
//! # fn main() -> Result<(), workloads::Error> {
//! let gaps = gap::watch(5_000_000, &AtomicBool::new(false))?;
//! println!("kept from running {} times, longest {:?} ns", gaps.count(), gaps.longest_ns);
//! # Ok(())
//! # }
//! ```

use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::latency::MonotonicNs;

/// Gaps from here on are counted. A reading of the clock takes some tens of nanoseconds, a timer interrupt some microseconds.
pub const SHORTEST_NS: u64 = 10_000;

/// Classes of the histogram, each twice as wide as the one before: 10–20 µs, 20–40 µs, … and from 40.96 ms on.
pub const CLASSES: usize = 13;

/// Where a class begins, in nanoseconds; the last has no end.
///
/// ```
/// use workloads::gap;
///
/// assert_eq!(gap::class_from_ns(0), gap::SHORTEST_NS);
/// assert_eq!(gap::class_from_ns(gap::CLASSES - 1), 40_960_000);
/// ```
#[must_use]
pub const fn class_from_ns(class: usize) -> u64 {
    SHORTEST_NS << class
}

/// What the loop saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gaps {
    /// How many gaps, by class ([`class_from_ns`]).
    pub counts: [u64; CLASSES],
    /// The longest; `None` when there was none.
    pub longest_ns: Option<u64>,
    /// All of them together.
    pub lost_ns: u64,
    /// From the first reading of the clock to the last.
    pub elapsed_ns: u64,
    /// Readings of the clock after the first.
    pub reads: u64,
}

impl Gaps {
    /// How many gaps there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many of them are in a class or a later one.
    #[must_use]
    pub fn count_from(&self, class: usize) -> u64 {
        self.counts.iter().skip(class).sum()
    }

    /// The part of the time that was lost, 0 to 1; `None` when no time passed.
    #[must_use]
    pub fn lost_frac(&self) -> Option<f64> {
        (self.elapsed_ns > 0).then(|| self.lost_ns as f64 / self.elapsed_ns as f64)
    }

    /// What one reading of the clock took on average, where nothing came between; `None` without a reading.
    #[must_use]
    pub fn read_ns(&self) -> Option<f64> {
        (self.reads > 0).then(|| self.elapsed_ns.saturating_sub(self.lost_ns) as f64 / self.reads as f64)
    }

    /// Adds what was seen on another CPU, or at another time.
    pub fn add(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count = count.saturating_add(more);
        }
        self.longest_ns = self.longest_ns.max(other.longest_ns);
        self.lost_ns = self.lost_ns.saturating_add(other.lost_ns);
        self.elapsed_ns = self.elapsed_ns.saturating_add(other.elapsed_ns);
        self.reads = self.reads.saturating_add(other.reads);
    }

    fn record(&mut self, span_ns: u64) {
        self.reads += 1;
        self.elapsed_ns += span_ns;
        if let Some(class) = class_of(span_ns) {
            self.counts[class] += 1;
            self.lost_ns += span_ns;
            self.longest_ns = self.longest_ns.max(Some(span_ns));
        }
    }
}

/// The class of a span; `None` for one that is no gap.
fn class_of(span_ns: u64) -> Option<usize> {
    let doublings = (span_ns / SHORTEST_NS).checked_ilog2()?;
    Some(usize::try_from(doublings).map_or(CLASSES - 1, |class| class.min(CLASSES - 1)))
}

/// Reads the monotonic clock without a pause, for so long or until `stop` is set: it burns a whole CPU.
///
/// # Errors
/// When the kernel refuses the clock.
pub fn watch(duration_ns: u64, stop: &AtomicBool) -> Result<Gaps, Error> {
    let mut gaps = Gaps::default();
    let mut before = MonotonicNs::now()?;
    while gaps.elapsed_ns < duration_ns && !stop.load(Ordering::Relaxed) {
        let now = MonotonicNs::now()?;
        gaps.record(now.ns_since(before));
        before = now;
    }
    Ok(gaps)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_gap_is_in_the_class_whose_doubling_it_has_reached() {
        for (span_ns, class) in [
            (0, None),
            (9_999, None),
            (10_000, Some(0)),
            (19_999, Some(0)),
            (20_000, Some(1)),
            (10_239_999, Some(9)),
            (10_240_000, Some(10)),
            (40_960_000, Some(12)),
            (u64::MAX, Some(12)),
        ] {
            assert_eq!(class_of(span_ns), class, "{span_ns}");
        }
    }

    #[test]
    fn it_watches_for_as_long_as_it_was_told() {
        let gaps = watch(3_000_000, &AtomicBool::new(false)).unwrap();
        assert!(gaps.elapsed_ns >= 3_000_000 && gaps.reads > 0, "{gaps:?}");
        assert!(gaps.lost_ns <= gaps.elapsed_ns, "{gaps:?}");
    }

    #[test]
    fn who_is_told_to_stop_has_seen_nothing() {
        let gaps = watch(u64::MAX, &AtomicBool::new(true)).unwrap();
        assert_eq!(gaps, Gaps::default());
        assert_eq!((gaps.lost_frac(), gaps.read_ns()), (None, None));
    }

    proptest! {
        #[test]
        fn every_span_is_counted_once_and_none_is_lost_twice(
            spans in prop::collection::vec(0_u64..100_000_000, 0..200),
        ) {
            let mut gaps = Gaps::default();
            spans.iter().for_each(|&span_ns| gaps.record(span_ns));
            let long: Vec<u64> = spans.iter().copied().filter(|&span_ns| span_ns >= SHORTEST_NS).collect();
            prop_assert_eq!(gaps.count(), long.len() as u64);
            prop_assert_eq!(gaps.lost_ns, long.iter().sum::<u64>());
            prop_assert_eq!(gaps.longest_ns, long.iter().max().copied());
            prop_assert_eq!(gaps.elapsed_ns, spans.iter().sum::<u64>());
            prop_assert_eq!(gaps.reads, spans.len() as u64);
            for (class, &count) in gaps.counts.iter().enumerate() {
                let within = |span_ns: &&u64| {
                    **span_ns >= class_from_ns(class)
                        && (class + 1 == CLASSES || **span_ns < class_from_ns(class + 1))
                };
                prop_assert_eq!(count, long.iter().filter(within).count() as u64, "class {}", class);
            }
        }

        #[test]
        fn two_looks_added_are_one_look_at_both(
            first in prop::collection::vec(0_u64..100_000_000, 0..50),
            second in prop::collection::vec(0_u64..100_000_000, 0..50),
        ) {
            let seen = |spans: &[u64]| {
                let mut gaps = Gaps::default();
                spans.iter().for_each(|&span_ns| gaps.record(span_ns));
                gaps
            };
            let mut added = seen(&first);
            added.add(&seen(&second));
            prop_assert_eq!(added, seen(&[first, second].concat()));
        }
    }
}
