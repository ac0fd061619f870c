//! Work that takes the CPU and nothing else.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Error;
use crate::clock;

/// Rounds between two looks at the thread's CPU clock: about 30 µs, so that the system call, of up to a microsecond, is a
/// small part of the work.
const ROUNDS_PER_LOOK: u32 = 1 << 14;

/// The fewest rounds between two looks: less time than a look itself takes.
const FEWEST_ROUNDS: u32 = 64;

/// Goes on with a chain of dependent multiplications: no memory traffic, so only the CPU is taken, for about two
/// nanoseconds a round. The result has to go into the next call, or the compiler would see that nobody wants it.
///
/// The shift is there because multiplying and adding alone are linear: the compiler makes eight such rounds one.
pub(crate) fn compute(mut value: u64, rounds: u32) -> u64 {
    for _ in 0..rounds {
        value = (value ^ (value >> 29)).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    }
    black_box(value)
}

/// Burns so much CPU time of the calling thread; what it came to, or `None` when told to stop meanwhile.
///
/// It looks more often towards the end, so that even a tenth of a millisecond is overshot by no more than a look or two,
/// unless an interrupt falls into the last of them.
pub(crate) fn burn(work_ns: u64, stop: &AtomicBool) -> Result<Option<u64>, Error> {
    let begun = clock::thread_cpu_ns()?;
    let (mut value, mut cpu_ns) = (1, 0);
    while cpu_ns < work_ns {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        // At two nanoseconds a round; where rounds are quicker there are more looks.
        let rounds = u32::try_from((work_ns - cpu_ns) / 2).unwrap_or(u32::MAX);
        value = compute(value, rounds.clamp(FEWEST_ROUNDS, ROUNDS_PER_LOOK));
        cpu_ns = clock::thread_cpu_ns()?.saturating_sub(begun);
    }
    Ok(Some(cpu_ns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_burns_what_it_is_told_to() {
        let before = clock::thread_cpu_ns().unwrap();
        for work_ns in [0, 1, 1_000, 100_000, 3_000_000] {
            assert!(burn(work_ns, &AtomicBool::new(false)).unwrap().unwrap() >= work_ns);
        }
        assert!(clock::thread_cpu_ns().unwrap() - before >= 3_101_001);
    }

    #[test]
    fn it_ends_when_it_is_told_to() {
        assert_eq!(burn(u64::MAX, &AtomicBool::new(true)).unwrap(), None);
    }
}
