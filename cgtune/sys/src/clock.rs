//! CLOCK_MONOTONIC, and sleeping to an instant on it rather than for a span: lateness does not add up.

use std::time::Duration;

use cgtune_core::Nanos;
use nix::{
    errno::Errno,
    sys::time::TimeSpec,
    time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep},
};

/// Now.
#[must_use]
pub fn now() -> Nanos {
    read(ClockId::CLOCK_MONOTONIC)
}

/// Time since boot, suspension included: the clock in which `/proc/<pid>/stat` dates a thread's start.
#[must_use]
pub fn since_boot() -> Nanos {
    read(ClockId::CLOCK_BOOTTIME)
}

/// CPU time that this process has used.
#[must_use]
pub fn process_cpu() -> Nanos {
    read(ClockId::CLOCK_PROCESS_CPUTIME_ID)
}

/// CPU time that the calling thread has used.
#[must_use]
pub fn thread_cpu() -> Nanos {
    read(ClockId::CLOCK_THREAD_CPUTIME_ID)
}

fn read(clock: ClockId) -> Nanos {
    // Cannot fail for these clocks with a valid pointer (clock_gettime(2)).
    let time = clock_gettime(clock).unwrap_or_else(|_| TimeSpec::new(0, 0));
    let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
    Nanos::new(seconds * 1_000_000_000 + u64::try_from(time.tv_nsec()).unwrap_or(0))
}

/// Sleeps until an instant; returns at once when it is past. A signal does not shorten the sleep, so callers that
/// want to be woken sleep in short legs.
pub fn sleep_until(instant: Nanos) {
    let at = TimeSpec::from_duration(Duration::from_nanos(instant.get()));
    while clock_nanosleep(ClockId::CLOCK_MONOTONIC, ClockNanosleepFlags::TIMER_ABSTIME, &at)
        == Err(Errno::EINTR)
    {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_in_the_past_does_not_wait_and_one_ahead_is_not_cut_short() {
        let start = now();
        sleep_until(Nanos::ZERO);
        let ahead = start.saturating_add(Nanos::new(3_000_000));
        sleep_until(ahead);
        assert!(now() >= ahead);
    }
}
