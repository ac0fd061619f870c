//! The open-loop frame clock, and the record of each frame or other job.
//!
//! Frame `i` is *meant* to start at `i · interval` plus a jitter, whatever happened to the frames
//! before it. A late frame starts at once and none is dropped, so that a latency counted from the
//! intended start holds all the waiting (no coordinated omission).
//!
//! Not here: reading clocks and sleeping (`clock`), what a frame does ([`crate::h264`]), arrivals at random
//! ([`crate::service`]).
//!
//! ```
//! use workloads::latency::{ClockConfig, Schedule};
//!
//! let clock = ClockConfig { jitter: 0.0, ..ClockConfig::default() };
//! let starts: Vec<u64> = Schedule::new(&clock).unwrap().take(3).collect();
//! assert_eq!(starts, [0, 33_366_666, 66_733_333]);
//! ```

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};

use crate::Error;
pub use crate::clock::MonotonicNs;

/// Half the width of the default jitter, as part of the frame interval.
///
/// The jitter exists to take the frames off the grid of whatever else is periodic on the machine:
/// at 30 frames a second three intervals are 100 ms exactly, and at 29.97 the two grids slide past
/// each other by only 1 ms a second. A quarter either way spreads the starts over half of all
/// phases. More would make the load its own disturbance: two starts are then no closer than half
/// an interval, and a frame of the usual cost (0.4 of the interval, 1.25 times that at p95) still
/// ends before the next is due.
const DEFAULT_JITTER: f64 = 0.25;

/// The shortest and the longest time between two jobs.
const EVERY_NS: std::ops::RangeInclusive<u64> = 1_000_000..=3_600_000_000_000;

/// The frame rate and the jitter of the frame clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClockConfig {
    /// Frames a second, the numerator (30000 of 30000/1001).
    pub fps_num: u32,
    /// Frames a second, the denominator.
    pub fps_den: u32,
    /// Each start moves by a uniform random part of the interval in −`jitter`..`jitter`; 0 to below
    /// 0.5, so that intended starts keep their order.
    pub jitter: f64,
    /// The seed of the jitter.
    pub seed: u64,
}

impl Default for ClockConfig {
    fn default() -> Self {
        Self { fps_num: 30_000, fps_den: 1001, jitter: DEFAULT_JITTER, seed: 1 }
    }
}

impl ClockConfig {
    /// A clock for jobs that are meant to start `every_ns` nanoseconds apart, in whole microseconds; the rest is dropped.
    ///
    /// # Errors
    /// Below 1 ms or above 1 h.
    pub(crate) fn every(every_ns: u64, jitter: f64, seed: u64) -> Result<Self, Error> {
        check_every(every_ns)?;
        // Cannot be cut off: an hour is 3.6e9 µs, below u32::MAX.
        let fps_den = u32::try_from(every_ns / 1000).unwrap_or(u32::MAX);
        Ok(Self { fps_num: 1_000_000, fps_den, jitter, seed })
    }

    /// The frame interval in nanoseconds, rounded down; `None` for an impossible rate.
    #[must_use]
    pub fn interval_ns(&self) -> Option<u64> {
        (self.fps_num > 0 && self.fps_den > 0).then(|| self.grid_ns(1))
    }

    /// Where frame `index` would start without jitter. From the index each time, not by adding
    /// intervals, so that rounding does not accumulate.
    fn grid_ns(&self, index: u64) -> u64 {
        let ns =
            u128::from(index) * 1_000_000_000 * u128::from(self.fps_den) / u128::from(self.fps_num.max(1));
        u64::try_from(ns).unwrap_or(u64::MAX)
    }
}

/// Whether jobs can come `every_ns` nanoseconds apart.
pub(crate) fn check_every(every_ns: u64) -> Result<(), Error> {
    if EVERY_NS.contains(&every_ns) {
        return Ok(());
    }
    Err(Error::Setting { name: "time between jobs", value: format!("{every_ns} ns"), hint: "1 ms to 1 h" })
}

/// The intended starts of all frames, in nanoseconds from the origin: increasing, without end, and
/// a function of the configuration alone.
///
/// The whole schedule lies `jitter` of an interval late, so that no frame is meant to start before
/// the origin.
#[derive(Clone, Debug)]
pub struct Schedule {
    clock: ClockConfig,
    jitter_ns: f64,
    random: Pcg64Mcg,
    index: u64,
}

impl Schedule {
    /// The schedule of a clock.
    ///
    /// # Errors
    /// When the rate is zero or above 1000 frames a second, or the jitter would let frames
    /// overtake each other.
    pub fn new(clock: &ClockConfig) -> Result<Self, Error> {
        let interval_ns =
            clock.interval_ns().filter(|&ns| ns >= 1_000_000).ok_or_else(|| Error::Setting {
                name: "frame rate",
                value: format!("{}/{}", clock.fps_num, clock.fps_den),
                hint: "a rate above 0 and up to 1000 frames a second, such as 30000/1001",
            })?;
        if !(0.0..0.5).contains(&clock.jitter) {
            return Err(Error::Setting {
                name: "jitter",
                value: clock.jitter.to_string(),
                hint: "a part of the frame interval from 0 to below 0.5",
            });
        }
        Ok(Self {
            clock: clock.clone(),
            jitter_ns: clock.jitter * interval_ns as f64,
            random: Pcg64Mcg::seed_from_u64(clock.seed),
            index: 0,
        })
    }
}

impl Iterator for Schedule {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let shift: f64 = self.random.random_range(0.0..1.0);
        let start = self.clock.grid_ns(self.index).saturating_add((2.0 * self.jitter_ns * shift) as u64);
        self.index += 1;
        Some(start)
    }
}

/// What happened to one job that some threads share, such as a pulse or a request. Times are nanoseconds from the
/// run's origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRecord {
    /// The number of the job in its run, from 0, by intended starts.
    pub index: u32,
    /// When it was meant to start.
    pub intended_ns: u64,
    /// When the first thread started on it.
    pub start_ns: u64,
    /// When the last thread was done.
    pub end_ns: u64,
    /// CPU time that all threads together spent on it.
    pub cpu_ns: u64,
}

impl JobRecord {
    /// From the intended start to the end: what somebody waiting for the job sees.
    #[must_use]
    pub const fn latency_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.intended_ns)
    }

    /// From the actual start to the end.
    #[must_use]
    pub const fn service_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns)
    }

    /// The record of both parts of a job, of which `self` is one and `other` the rest.
    pub(crate) fn joined(self, other: Self) -> Self {
        Self {
            start_ns: self.start_ns.min(other.start_ns),
            end_ns: self.end_ns.max(other.end_ns),
            cpu_ns: self.cpu_ns + other.cpu_ns,
            ..self
        }
    }
}

/// How a frame was predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FrameKind {
    /// From itself alone.
    I,
    /// From the frame before.
    P,
}

/// What happened to one frame. Times are nanoseconds from the run's origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameRecord {
    /// The number of the frame in its run, from 0.
    pub index: u32,
    /// When it was meant to start.
    pub intended_ns: u64,
    /// When it started.
    pub start_ns: u64,
    /// When it was encoded.
    pub end_ns: u64,
    /// CPU time that the whole process used from start to end, all threads together.
    pub cpu_ns: u64,
    /// How it was predicted.
    pub kind: FrameKind,
    /// Its size in the stream.
    pub bits: u64,
    /// Whether the encoder made it an I frame because the picture had changed too much.
    pub scene_cut: bool,
}

impl FrameRecord {
    /// From the intended start to the end: what somebody waiting for the frame sees.
    #[must_use]
    pub const fn latency_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.intended_ns)
    }

    /// From the actual start to the end.
    #[must_use]
    pub const fn service_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn clock(jitter: f64, seed: u64) -> ClockConfig {
        ClockConfig { jitter, seed, ..ClockConfig::default() }
    }

    #[test]
    fn three_frames_of_29_97_take_a_tenth_of_a_millisecond_more_than_a_period_of_100_ms() {
        let starts: Vec<u64> = Schedule::new(&clock(0.0, 1)).unwrap().take(4).collect();
        assert_eq!(starts[3], 100_100_000);
    }

    #[test]
    fn rounding_does_not_accumulate() {
        let start = Schedule::new(&clock(0.0, 1)).unwrap().nth(30_000).unwrap();
        assert_eq!(start, 1_001_000_000_000);
    }

    #[test]
    fn impossible_clocks_are_refused() {
        for bad in [
            ClockConfig { fps_num: 0, ..ClockConfig::default() },
            ClockConfig { fps_den: 0, ..ClockConfig::default() },
            ClockConfig { fps_num: 2000, fps_den: 1, ..ClockConfig::default() },
            clock(0.5, 1),
            clock(-0.1, 1),
            clock(f64::NAN, 1),
        ] {
            let error = Schedule::new(&bad).unwrap_err();
            assert!(error.hint().is_some(), "{error}");
        }
    }

    #[test]
    fn a_job_lasts_from_its_first_part_to_its_last() {
        let part =
            |start_ns, end_ns, cpu_ns| JobRecord { index: 3, intended_ns: 10, start_ns, end_ns, cpu_ns };
        for (one, other) in [(part(12, 20, 5), part(11, 15, 4)), (part(11, 15, 4), part(12, 20, 5))] {
            let job = one.joined(other);
            assert_eq!(job, part(11, 20, 9));
            assert_eq!((job.latency_ns(), job.service_ns()), (10, 9));
        }
    }

    #[test]
    fn the_jitter_reaches_both_ends_of_its_range() {
        let clock = clock(0.25, 7);
        let interval = clock.interval_ns().unwrap() as f64;
        let parts: Vec<f64> = Schedule::new(&clock)
            .unwrap()
            .take(2000)
            .enumerate()
            .map(|(i, start)| (start - clock.grid_ns(i as u64)) as f64 / interval)
            .collect();
        assert!(parts.iter().any(|&part| part < 0.01));
        assert!(parts.iter().any(|&part| part > 0.49));
    }

    proptest! {
        #[test]
        fn starts_increase_and_stay_within_the_jitter(jitter in 0.0..0.499f64, seed: u64, fps in 1u32..240) {
            let clock = ClockConfig { fps_num: fps, fps_den: 1, jitter, seed };
            let interval = clock.interval_ns().unwrap();
            let starts: Vec<u64> = Schedule::new(&clock).unwrap().take(200).collect();
            prop_assert!(starts.is_sorted_by(|a, b| a < b));
            for (i, &start) in starts.iter().enumerate() {
                let late = start - clock.grid_ns(i as u64);
                prop_assert!(late as f64 <= 2.0 * jitter * interval as f64);
            }
        }

        #[test]
        fn a_seed_gives_one_schedule(seed: u64) {
            let first: Vec<u64> = Schedule::new(&clock(0.25, seed)).unwrap().take(50).collect();
            let second: Vec<u64> = Schedule::new(&clock(0.25, seed)).unwrap().take(50).collect();
            let other: Vec<u64> = Schedule::new(&clock(0.25, seed ^ 1)).unwrap().take(50).collect();
            prop_assert_eq!(&first, &second);
            prop_assert_ne!(&first, &other);
        }
    }
}
