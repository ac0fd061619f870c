//! How finely this kernel measures and divides time.

use nix::time::{ClockId, clock_getres};

use super::number;
use crate::HostRoot;

/// Ticks a second that a kernel can be built with: 24 (some MIPS boards) to 1200 (Alpha's choices), with room above.
const TICKS: std::ops::RangeInclusive<u64> = 24..=10_000;

/// Ticks a second of the running kernel (CONFIG_HZ).
///
/// The coarse clock advances at ticks, and what the kernel gives as its resolution is the tick's length, `TICK_NSEC`
/// (`posix_get_coarse_res`, kernel/time/posix-timers.c, and `__cvdso_clock_getres_common`, lib/vdso/gettimeofday.c, 6.12): it needs no
/// file that a container may lack. `None` where the answer is no tick's length: something else than Linux plays its part (gVisor
/// says 1 ns).
#[must_use]
pub fn tick_hz() -> Option<u32> {
    let length = clock_getres(ClockId::CLOCK_MONOTONIC_COARSE).ok()?;
    let seconds = u64::try_from(length.tv_sec()).ok()?;
    let length_ns = seconds.checked_mul(1_000_000_000)?.checked_add(u64::try_from(length.tv_nsec()).ok()?)?;
    of_tick(length_ns)
}

/// `TICK_NSEC` is a second over HZ, rounded to a nanosecond.
fn of_tick(length_ns: u64) -> Option<u32> {
    let hz = 1_000_000_000_u64.checked_add(length_ns / 2)?.checked_div(length_ns)?;
    TICKS.contains(&hz).then(|| u32::try_from(hz).ok()).flatten()
}

/// What the kernel reads the time from: `tsc`, `kvm-clock`, `hpet` …
#[must_use]
pub fn clocksource(host: &HostRoot) -> Option<String> {
    let name =
        host.read_to_string("/sys/devices/system/clocksource/clocksource0/current_clocksource").ok()?;
    Some(name.trim().to_owned()).filter(|name| !name.is_empty())
}

/// The scheduler's base slice in nanoseconds: how long a thread runs before another of its weight may take over (6.6; debugfs, so for
/// root, and where that is mounted).
#[must_use]
pub fn base_slice_ns(host: &HostRoot) -> Option<u64> {
    number(host, "/sys/kernel/debug/sched/base_slice_ns")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tick_of_every_usual_kernel_is_found_from_its_length() {
        for hz in [24_u64, 48, 100, 128, 250, 256, 300, 1000, 1024, 1200] {
            // TICK_NSEC, include/vdso/jiffies.h.
            let length_ns = (1_000_000_000 + hz / 2) / hz;
            assert_eq!(of_tick(length_ns).map(u64::from), Some(hz), "{hz}");
        }
    }

    #[test]
    fn what_is_no_ticks_length_is_not_taken_for_one() {
        for length_ns in [0, 1, 1000, 1_000_000_000, u64::MAX] {
            assert_eq!(of_tick(length_ns), None, "{length_ns}");
        }
    }
}
