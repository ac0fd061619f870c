//! What the kernel counts for the calling thread.

use nix::sys::resource::{UsageWho, getrusage};

/// How often it was taken off a CPU while it wanted to go on (`ru_nivcsw`), since it began.
#[must_use]
pub fn involuntary_switches() -> Option<u64> {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).ok()?;
    u64::try_from(usage.involuntary_context_switches()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::affinity;

    #[test]
    fn who_gives_way_unwillingly_is_counted() {
        let switched = std::thread::spawn(|| {
            let before = involuntary_switches().unwrap();
            let one = affinity::get(None).unwrap().iter().take(1).collect();
            affinity::set(None, &one).unwrap();
            let beside = std::thread::spawn(move || {
                affinity::set(None, &one).unwrap();
                let began = crate::clock::thread_cpu();
                while crate::clock::thread_cpu().saturating_sub(began).get() < 300_000_000 {}
            });
            while !beside.is_finished() {}
            beside.join().unwrap();
            involuntary_switches().unwrap() - before
        });
        assert!(switched.join().unwrap() > 0);
    }
}
