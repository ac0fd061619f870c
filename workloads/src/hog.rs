//! Threads that burn CPU until told to stop: the neighbour that takes what it can get.
//!
//! Not here: when to start or stop one, nor where it runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde::{Deserialize, Serialize};

use crate::arithmetic::compute;

/// Rounds between two looks at the stop flag: some microseconds, so that stopping is prompt and
/// the flag's cache line stays out of the picture.
const ROUNDS_PER_LOOK: u32 = 4096;

/// What a burner does with the CPU between two looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// Keeps it until it is taken away.
    Greedy,
    /// Offers it to whoever waits (`sched_yield`), every few microseconds.
    Polite,
}

/// Burns CPU with `threads` threads, the caller's among them, until `stop` is set. With 0 threads
/// it returns at once.
///
/// A thread that cannot be started is missing from the load; the caller's always takes part.
pub fn burn(threads: u32, manner: Manner, stop: &AtomicBool) {
    if threads == 0 {
        return;
    }
    thread::scope(|scope| {
        for number in 1..threads {
            // Losing one of many burners changes the load a little; ending all would change it more.
            let _ = thread::Builder::new()
                .name(format!("hog-{number}"))
                .spawn_scoped(scope, || burn_one(manner, stop))
                .is_ok();
        }
        burn_one(manner, stop);
    });
}

fn burn_one(manner: Manner, stop: &AtomicBool) {
    let mut value = 1u64;
    while !stop.load(Ordering::Relaxed) {
        value = compute(value, ROUNDS_PER_LOOK);
        if manner == Manner::Polite {
            thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn it_ends_soon_after_it_is_told_to() {
        let stop = AtomicBool::new(false);
        let told = thread::scope(|scope| {
            scope.spawn(|| burn(2, Manner::Polite, &stop));
            thread::sleep(Duration::from_millis(20));
            stop.store(true, Ordering::Relaxed);
            Instant::now()
        });
        assert!(told.elapsed() < Duration::from_secs(1));
    }

    #[test]
    fn no_threads_burn_nothing() {
        burn(0, Manner::Greedy, &AtomicBool::new(false));
    }
}
