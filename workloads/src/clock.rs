//! The kernel's clocks: monotonic time, sleeping to a deadline, the CPU time of this process
//! and of one thread.
//!
//! Not here: when a frame should start, which is a pure computation ([`crate::latency`]).

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_nanosleep};
use serde::{Deserialize, Serialize};

use crate::Error;

const NS_PER_S: u64 = 1_000_000_000;

/// A point of `CLOCK_MONOTONIC`, in nanoseconds. All processes of a machine (of one time namespace)
/// share this clock, so a parent can hand an origin to its child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MonotonicNs(u64);

impl MonotonicNs {
    /// Now.
    ///
    /// # Errors
    /// When the kernel refuses the clock, which Linux does not.
    pub fn now() -> Result<Self, Error> {
        read(ClockId::CLOCK_MONOTONIC, "monotonic").map(Self)
    }

    /// The point that lies `ns` after the clock's zero.
    #[must_use]
    pub const fn from_ns(ns: u64) -> Self {
        Self(ns)
    }

    /// Nanoseconds since the clock's zero.
    #[must_use]
    pub const fn as_ns(self) -> u64 {
        self.0
    }

    /// The point `ns` later.
    #[must_use]
    pub const fn plus_ns(self, ns: u64) -> Self {
        Self(self.0.saturating_add(ns))
    }

    /// Nanoseconds since `earlier`; 0 when `earlier` is in fact later.
    #[must_use]
    pub const fn ns_since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// CPU time that all threads of this process have used, in nanoseconds.
pub(crate) fn process_cpu_ns() -> Result<u64, Error> {
    read(ClockId::CLOCK_PROCESS_CPUTIME_ID, "process CPU time")
}

/// CPU time that the calling thread has used, in nanoseconds.
pub(crate) fn thread_cpu_ns() -> Result<u64, Error> {
    read(ClockId::CLOCK_THREAD_CPUTIME_ID, "thread CPU time")
}

/// Sleeps until `deadline`, or returns at once when it has passed. Says whether the deadline was
/// reached: `false` means that `stop` was set and a signal woke us, so that nobody waits for a
/// frame that will not be encoded.
pub(crate) fn sleep_until(deadline: MonotonicNs, stop: &AtomicBool) -> Result<bool, Error> {
    let at = TimeSpec::new(to_field(deadline.0 / NS_PER_S), to_field(deadline.0 % NS_PER_S));
    loop {
        if stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        match clock_nanosleep(ClockId::CLOCK_MONOTONIC, ClockNanosleepFlags::TIMER_ABSTIME, &at) {
            Ok(_) => return Ok(true),
            // The deadline is absolute, so sleeping again loses nothing.
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(failed("monotonic", errno)),
        }
    }
}

fn read(clock: ClockId, name: &'static str) -> Result<u64, Error> {
    let now = clock.now().map_err(|errno| failed(name, errno))?;
    let seconds = u64::try_from(now.tv_sec()).unwrap_or(0);
    let nanoseconds = u64::try_from(now.tv_nsec()).unwrap_or(0);
    Ok(seconds.saturating_mul(NS_PER_S).saturating_add(nanoseconds))
}

fn to_field(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn failed(clock: &'static str, errno: Errno) -> Error {
    Error::Clock { clock, source: io::Error::from(errno) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_ends_no_earlier_than_its_deadline() {
        let deadline = MonotonicNs::now().unwrap().plus_ns(3_000_000);
        assert!(sleep_until(deadline, &AtomicBool::new(false)).unwrap());
        assert!(MonotonicNs::now().unwrap() >= deadline);
    }

    #[test]
    fn a_passed_deadline_is_reached_at_once() {
        assert!(sleep_until(MonotonicNs::from_ns(1), &AtomicBool::new(false)).unwrap());
    }

    #[test]
    fn nobody_sleeps_after_a_stop() {
        let far = MonotonicNs::now().unwrap().plus_ns(3_600 * NS_PER_S);
        assert!(!sleep_until(far, &AtomicBool::new(true)).unwrap());
    }

    #[test]
    fn cpu_time_grows_with_work() {
        let before = process_cpu_ns().unwrap();
        let mut value = 1u64;
        while process_cpu_ns().unwrap() < before + 1_000_000 {
            value = std::hint::black_box(value.wrapping_mul(6_364_136_223_846_793_005));
        }
        assert!(process_cpu_ns().unwrap() > before);
    }
}
