//! Threads that wake together, each burns so much CPU time, and sleep until the next time: a server that is asked now
//! and then, a worker pool that gets its jobs at once, a garbage collector with a thread a CPU.
//!
//! Open loop: pulse `i` is *meant* to start at `i · every` plus a jitter, whatever happened to those before. A thread
//! that is late starts at once, so a latency counted from the intended start holds all the waiting. The threads don't
//! wait for each other.
//!
//! Not here: the schedule ([`crate::latency`]), when to end, how anything is shown.
//!
//! ```
//! use workloads::latency::MonotonicNs;
//! use workloads::pulse::{PulseConfig, Pulses};
//!
//! # fn main() -> Result<(), workloads::Error> {
//! let config = PulseConfig { threads: 2, work_ns: 100_000, every_ns: 2_000_000, ..PulseConfig::default() };
//! let pulses = Pulses::start(&config, MonotonicNs::now()?)?;
//! std::thread::sleep(std::time::Duration::from_millis(20));
//! for pulse in pulses.finish()? {
//!     println!("{} took {} ns", pulse.index, pulse.latency_ns());
//! }
//! # Ok(())
//! # }
//! ```

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::arithmetic::burn;
use crate::clock;
use crate::latency::{ClockConfig, JobRecord, MonotonicNs, Schedule};

/// So many pulses are recorded, a few hours of them at ten a second; later ones run unrecorded, so that a load that is
/// left running for weeks does not fill the memory.
pub const RECORDED: usize = 1 << 18;

/// What wakes, how often, and how much each does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PulseConfig {
    /// Threads that wake together.
    pub threads: u32,
    /// CPU time that each of them burns, in nanoseconds.
    pub work_ns: u64,
    /// From one pulse to the next, in nanoseconds: 1 ms to 1 h. In whole microseconds; the rest is dropped.
    pub every_ns: u64,
    /// Each start moves by a uniform random part of `every` in −`jitter`..`jitter`; 0 to below 0.5.
    pub jitter: f64,
    /// The seed of the jitter.
    pub seed: u64,
}

impl Default for PulseConfig {
    fn default() -> Self {
        Self {
            threads: 1,
            work_ns: 20_000_000,
            every_ns: 250_000_000,
            jitter: ClockConfig::default().jitter,
            seed: 1,
        }
    }
}

impl PulseConfig {
    fn schedule(&self) -> Result<Schedule, Error> {
        let setting = |name, value: u64, hint| Err(Error::Setting { name, value: value.to_string(), hint });
        if self.threads == 0 {
            return setting("threads", 0, "at least one thread");
        }
        if self.work_ns == 0 {
            return setting("work", 0, "some CPU time for each thread, such as 20ms");
        }
        Schedule::new(&ClockConfig::every(self.every_ns, self.jitter, self.seed)?)
    }
}

/// Running threads. Dropping it tells them to end: a busy one does so at once, a sleeping one when it would wake.
#[derive(Debug)]
pub struct Pulses {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    /// What each thread has done. Each writes its own, so nobody waits.
    done: Vec<Mutex<Vec<JobRecord>>>,
    failure: Mutex<Option<Error>>,
}

impl Pulses {
    /// Starts the threads; the first pulse comes within `2 · jitter · every` of `origin`.
    ///
    /// # Errors
    /// When the configuration cannot be used or a thread cannot be started.
    pub fn start(config: &PulseConfig, origin: MonotonicNs) -> Result<Self, Error> {
        let schedule = config.schedule()?;
        let done = (0..config.threads).map(|_| Mutex::default()).collect();
        let pulses = Self { shared: Arc::new(Shared { done, ..Shared::default() }) };
        for number in 0..config.threads as usize {
            let (shared, schedule, work_ns) = (Arc::clone(&pulses.shared), schedule.clone(), config.work_ns);
            let name = format!("pulse-{number}");
            thread::Builder::new()
                .name(name.clone())
                .spawn(move || {
                    if let Err(error) = shared.beat(number, schedule, work_ns, origin) {
                        *lock(&shared.failure) = Some(error);
                    }
                })
                .map_err(|source| Error::StartThread { name, source })?;
        }
        Ok(pulses)
    }

    /// Tells the threads to end and hands out the pulses that all of them have finished, the first [`RECORDED`] at most.
    /// It waits for nobody.
    ///
    /// # Errors
    /// When a thread ended early, since it could not read a clock.
    pub fn finish(self) -> Result<Vec<JobRecord>, Error> {
        self.shared.stop.store(true, Ordering::Relaxed);
        match lock(&self.shared.failure).take() {
            Some(error) => Err(error),
            None => Ok(self.shared.together()),
        }
    }
}

impl Drop for Pulses {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    /// One thread's life.
    fn beat(
        &self,
        number: usize,
        schedule: Schedule,
        work_ns: u64,
        origin: MonotonicNs,
    ) -> Result<(), Error> {
        for intended_ns in schedule {
            if !clock::sleep_until(origin.plus_ns(intended_ns), &self.stop)? {
                return Ok(());
            }
            let start_ns = MonotonicNs::now()?.ns_since(origin);
            let Some(cpu_ns) = burn(work_ns, &self.stop)? else { return Ok(()) };
            let end_ns = MonotonicNs::now()?.ns_since(origin);
            let mut done = lock(&self.done[number]);
            if done.len() < RECORDED {
                // Cannot be cut off: so few are recorded.
                let index = u32::try_from(done.len()).unwrap_or(u32::MAX);
                done.push(JobRecord { index, intended_ns, start_ns, end_ns, cpu_ns });
            }
        }
        Ok(())
    }

    /// The pulses that all threads have finished.
    fn together(&self) -> Vec<JobRecord> {
        let mut threads = self.done.iter().map(|done| lock(done).clone());
        let first = threads.next().unwrap_or_default();
        threads.fold(first, |together, thread| {
            together.into_iter().zip(thread).map(|(one, other)| one.joined(other)).collect()
        })
    }
}

/// A thread that panicked while it held the lock has left whole records behind.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn ran(config: &PulseConfig, milliseconds: u64) -> Vec<JobRecord> {
        let pulses = Pulses::start(config, MonotonicNs::now().unwrap()).unwrap();
        thread::sleep(Duration::from_millis(milliseconds));
        pulses.finish().unwrap()
    }

    #[test]
    fn each_thread_burns_its_work_at_its_time() {
        let config =
            PulseConfig { threads: 3, work_ns: 2_000_000, every_ns: 30_000_000, ..PulseConfig::default() };
        let schedule: Vec<u64> = config.schedule().unwrap().take(5).collect();
        let records = ran(&config, 400);
        assert!(records.len() >= 3, "{records:?}");
        for (record, intended_ns) in records.iter().zip(schedule) {
            assert_eq!(record.intended_ns, intended_ns);
            assert!(record.cpu_ns >= 3 * 2_000_000 && record.start_ns >= intended_ns, "{record:?}");
            assert!(record.latency_ns() >= 2_000_000, "{record:?}");
        }
    }

    #[test]
    fn a_pulse_counts_from_its_intended_start_when_those_before_were_late() {
        let config =
            PulseConfig { work_ns: 30_000_000, every_ns: 10_000_000, jitter: 0.0, ..PulseConfig::default() };
        let records = ran(&config, 400);
        assert!(records.len() >= 3, "{records:?}");
        let latencies: Vec<u64> = records.iter().map(JobRecord::latency_ns).collect();
        assert!(latencies.is_sorted() && latencies[2] >= 70_000_000, "{latencies:?}");
    }

    #[test]
    fn what_only_some_threads_have_finished_is_no_pulse_yet() {
        let record = |index: u32, start_ns, end_ns| JobRecord {
            index,
            intended_ns: u64::from(index) * 10,
            start_ns,
            end_ns,
            cpu_ns: 2,
        };
        let shared = Shared {
            done: vec![
                Mutex::new(vec![record(0, 1, 5), record(1, 11, 13)]),
                Mutex::new(vec![record(0, 0, 4)]),
            ],
            ..Shared::default()
        };
        assert_eq!(shared.together(), [JobRecord { cpu_ns: 4, ..record(0, 0, 5) }]);
    }

    #[test]
    fn impossible_pulses_are_refused_with_advice() {
        let good = PulseConfig::default();
        for bad in [
            PulseConfig { threads: 0, ..good.clone() },
            PulseConfig { work_ns: 0, ..good.clone() },
            PulseConfig { every_ns: 999_999, ..good.clone() },
            PulseConfig { every_ns: u64::MAX, ..good.clone() },
            PulseConfig { jitter: 0.5, ..good },
        ] {
            let error = Pulses::start(&bad, MonotonicNs::from_ns(0)).unwrap_err();
            assert!(error.hint().is_some(), "{error}");
        }
    }
}
