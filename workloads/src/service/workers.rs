//! The workers, and a run of requests through them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, Builder, JoinHandle};
use std::time::Duration;

use super::config::ServiceConfig;
use super::dispatch::dispatch;
use super::piece::{Piece, Run};
use super::queue::Queue;
use crate::Error;
use crate::latency::{JobRecord, MonotonicNs};

/// How long the caller's thread waits for a request to end before it looks whether to stop. Where requests end more
/// often, it wakes for nothing else.
const STOP_LOOK: Duration = Duration::from_millis(250);

/// A prepared service: its workers wait. Dropping it ends them.
#[derive(Debug)]
pub struct Service {
    config: ServiceConfig,
    queue: Arc<Queue<Piece>>,
    workers: Vec<JoinHandle<()>>,
}

impl Service {
    /// Starts the workers. No clock runs yet.
    ///
    /// # Errors
    /// When the configuration is not usable or a thread cannot be started.
    pub fn prepare(config: &ServiceConfig) -> Result<Self, Error> {
        // Only to check it.
        let _ = config.requests()?;
        let mut service = Self { config: config.clone(), queue: Arc::new(Queue::new()), workers: Vec::new() };
        for number in 0..config.threads {
            let (queue, name) = (Arc::clone(&service.queue), format!("service-{number}"));
            let work = move || {
                while let Some(piece) = queue.pop() {
                    piece.work();
                }
            };
            let worker = Builder::new().name(name.clone()).spawn(work);
            service.workers.push(worker.map_err(|source| Error::StartThread { name, source })?);
        }
        Ok(service)
    }

    /// Serves the first `requests` requests of the configuration, each from its intended start after `origin` on, and
    /// calls `on_request` on this thread when one has ended: in the order in which they end, which with several workers
    /// is not that in which they came. Two runs serve the same requests.
    ///
    /// It returns when all have ended. Setting `stop` ends it when the next request ends, or within a quarter of a
    /// second: requests that are waiting or under way by then are given up, and not reported.
    ///
    /// The CPU time in the records is the workers' own; taking requests in and handing records out costs a little more,
    /// on a thread of its own and on this one.
    ///
    /// # Errors
    /// When a clock cannot be read, the thread that takes requests in cannot be started, or a worker is gone.
    pub fn run(
        &mut self,
        origin: MonotonicNs,
        requests: u32,
        stop: &AtomicBool,
        on_request: &mut dyn FnMut(&JobRecord),
    ) -> Result<(), Error> {
        let (config, queue) = (&self.config, &*self.queue);
        let coming = config.requests()?.take(requests as usize);
        let (done, ends) = channel();
        let end = End { ended: Arc::default(), queue };
        let run = Arc::new(Run { origin, ended: Arc::clone(&end.ended), done });
        thread::scope(|scope| {
            // Whatever ends this closure drops it, and that ends the thread.
            let (_listening, hang_up) = channel();
            let take_in = move || {
                if let Err(error) = dispatch(&run, config, coming, queue, &hang_up) {
                    // Nobody listens any more when the run has ended.
                    let _ = run.done.send(Err(error));
                }
            };
            let name = "arrivals".to_owned();
            Builder::new()
                .name(name.clone())
                .spawn_scoped(scope, take_in)
                .map_err(|source| Error::StartThread { name, source })?;
            report(&ends, requests, stop, on_request)
        })
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.queue.close();
        for worker in self.workers.drain(..) {
            // A panic was reported when it happened; there is nobody left to tell.
            let _ = worker.join();
        }
    }
}

/// Gives up what waits and what is under way, however a run ends.
struct End<'a> {
    ended: Arc<AtomicBool>,
    queue: &'a Queue<Piece>,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        self.queue.clear();
    }
}

/// Hands out records until all `requests` have ended.
fn report(
    ends: &Receiver<Result<JobRecord, Error>>,
    requests: u32,
    stop: &AtomicBool,
    on_request: &mut dyn FnMut(&JobRecord),
) -> Result<(), Error> {
    let mut left = requests;
    while left > 0 && !stop.load(Ordering::Relaxed) {
        match ends.recv_timeout(STOP_LOOK) {
            Ok(record) => {
                on_request(&record?);
                left -= 1;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(Error::RequestsLost { lost: left }),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::service::{Arrivals, Spread};

    const MS: u64 = 1_000_000;

    fn config(threads: u32, fan_out: u32, demand_ns: u64, every_ns: u64) -> ServiceConfig {
        ServiceConfig {
            threads,
            fan_out,
            demand_ns,
            spread: Spread::Constant,
            arrivals: Arrivals::Periodic { every_ns, jitter: 0.0 },
            ..ServiceConfig::default()
        }
    }

    fn served(service: &mut Service, requests: u32) -> Vec<JobRecord> {
        let mut records = Vec::new();
        let keep = &mut |record: &JobRecord| records.push(*record);
        service.run(MonotonicNs::now().unwrap(), requests, &AtomicBool::new(false), keep).unwrap();
        records
    }

    #[test]
    fn each_request_is_served_once_no_earlier_than_meant_and_gets_its_cpu_time() {
        let config = ServiceConfig {
            spread: Spread::Exponential,
            arrivals: Arrivals::Poisson { every_ns: 2 * MS },
            ..config(3, 2, MS, MS)
        };
        let mut records = served(&mut Service::prepare(&config).unwrap(), 40);
        records.sort_unstable_by_key(|record| record.index);
        assert_eq!(records.len(), 40);
        for ((index, record), request) in (0..).zip(&records).zip(config.requests().unwrap()) {
            assert_eq!((record.index, record.intended_ns), (index, request.intended_ns));
            assert!(record.start_ns >= record.intended_ns && record.end_ns >= record.start_ns, "{record:?}");
            assert!(record.cpu_ns >= request.demand_ns, "{record:?}, {request:?}");
        }
    }

    #[test]
    fn late_requests_wait_their_turn_and_count_from_their_intended_start() {
        let records = served(&mut Service::prepare(&config(1, 2, 4 * MS, MS)).unwrap(), 10);
        assert!(records.iter().map(|record| record.index).eq(0..10), "{records:?}");
        assert!(records.is_sorted_by_key(|record| record.end_ns));
        // Those before it take 4 ms each, and 1 ms passes between two.
        for record in &records {
            assert!(record.latency_ns() >= (u64::from(record.index) * 3 + 4) * MS, "{record:?}");
        }
    }

    #[test]
    fn a_free_worker_serves_others_while_one_is_busy() {
        let with_seed = |seed| ServiceConfig {
            spread: Spread::LogNormal { cv: 10.0 },
            seed,
            ..config(2, 1, 20 * MS, MS)
        };
        // The first request takes long, the second does not.
        let fits = |config: &ServiceConfig| {
            let demands: Vec<u64> = config.requests().unwrap().take(2).map(|it| it.demand_ns).collect();
            demands[0] > 5_000 * MS && demands[1] < MS
        };
        let config = (1..).map(with_seed).find(fits).unwrap();
        let (stop, mut first) = (AtomicBool::new(false), None);
        let stop_at_once = &mut |record: &JobRecord| {
            first = Some(record.index);
            stop.store(true, Ordering::Relaxed);
        };
        let mut service = Service::prepare(&config).unwrap();
        service.run(MonotonicNs::now().unwrap(), 2, &stop, stop_at_once).unwrap();
        assert_eq!(first, Some(1));
    }

    #[test]
    fn two_runs_serve_the_same_requests() {
        let mut service = Service::prepare(&ServiceConfig {
            arrivals: Arrivals::Poisson { every_ns: MS },
            ..config(2, 3, MS / 10, MS)
        })
        .unwrap();
        let mut intended = || {
            let mut starts: Vec<u64> =
                served(&mut service, 15).iter().map(|record| record.intended_ns).collect();
            starts.sort_unstable();
            starts
        };
        assert_eq!(intended(), intended());
    }

    #[test]
    fn a_stop_ends_the_run_and_gives_up_what_is_under_way() {
        let mut service = Service::prepare(&config(2, 2, 2 * MS, MS)).unwrap();
        let (stop, mut seen) = (AtomicBool::new(false), 0);
        let stop_at_three = &mut |_: &JobRecord| {
            seen += 1;
            stop.store(seen == 3, Ordering::Relaxed);
        };
        service.run(MonotonicNs::now().unwrap(), u32::MAX, &stop, stop_at_three).unwrap();
        assert_eq!(seen, 3);
        // Nothing of the first run gets into the second.
        let mut indices: Vec<u32> = served(&mut service, 4).iter().map(|record| record.index).collect();
        indices.sort_unstable();
        assert_eq!(indices, [0, 1, 2, 3]);
    }

    #[test]
    fn a_stop_ends_a_run_that_has_nothing_to_do_for_an_hour() {
        let mut service = Service::prepare(&config(1, 1, MS, 3_600_000 * MS)).unwrap();
        let (stop, mut seen) = (AtomicBool::new(false), 0);
        thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(100));
                stop.store(true, Ordering::Relaxed);
            });
            service.run(MonotonicNs::now().unwrap(), 2, &stop, &mut |_| seen += 1).unwrap();
        });
        assert_eq!(seen, 1);
    }

    #[test]
    fn no_requests_are_served_at_once() {
        assert_eq!(served(&mut Service::prepare(&config(1, 1, MS, 3_600_000 * MS)).unwrap(), 0), []);
    }

    #[test]
    fn a_panic_of_whoever_listens_leaves_no_thread_waiting() {
        let mut service = Service::prepare(&config(1, 1, MS, 10 * MS)).unwrap();
        let run = || {
            service.run(MonotonicNs::now().unwrap(), u32::MAX, &AtomicBool::new(false), &mut |_| {
                panic!("enough")
            })
        };
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
    }

    #[test]
    fn lost_requests_and_failures_are_told() {
        let (done, ends) = channel();
        let go_on = AtomicBool::new(false);
        let record = JobRecord { index: 0, intended_ns: 0, start_ns: 1, end_ns: 2, cpu_ns: 1 };
        done.send(Ok(record)).unwrap();
        done.send(Err(Error::RequestsLost { lost: 9 })).unwrap();
        let mut seen = Vec::new();
        let failed = report(&ends, 5, &go_on, &mut |record| seen.push(*record)).unwrap_err();
        assert!(matches!(failed, Error::RequestsLost { lost: 9 }));
        assert_eq!(seen, [record]);
        drop(done);
        let lost = report(&ends, 5, &go_on, &mut |_| {}).unwrap_err();
        assert_eq!(lost.to_string(), "cannot finish 5 requests: a worker ended early");
    }
}
