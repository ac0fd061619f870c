//! One tick: a look at all groups, and the threads of those that somebody looks at. In a thread of its own under the
//! interactive table ([`Feed`]), in place for `--once` and `--json`.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use cgtune_core::{Micros, Nanos};
use cgtune_sys::{
    Error, Hierarchies, Scan, clock, descriptors, processes,
    scan::{Look, ThreadTimes},
};

/// How many threads are read at a tick, at about 6 µs each.
const THREADS: usize = 3000;
/// A scan may take so much of the interval; a longer one stretches it.
const PART_OF_INTERVAL: u64 = 4;
/// The interval is stretched to a multiple of this.
const STEP: Micros = Micros::from_ms(100);

/// What is wanted beyond every group's counters.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wish {
    /// Groups whose threads are wanted, the most wanted first.
    pub(crate) threads: Vec<Arc<Path>>,
    /// The group whose threads are wanted by name.
    pub(crate) opened: Option<Arc<Path>>,
}

/// Everything that was read at one tick.
#[derive(Debug)]
pub(crate) struct Tick {
    pub(crate) look: Look,
    /// When the next one begins after this one began.
    pub(crate) interval: Micros,
    /// Threads by the path of their group, where they were read.
    pub(crate) threads: HashMap<Arc<Path>, (Nanos, Vec<ThreadTimes>)>,
    /// Names of threads, where they were wanted.
    pub(crate) names: HashMap<u32, Vec<u8>>,
}

/// Who looks.
#[derive(Debug)]
pub(crate) struct Scanner {
    scan: Scan,
    asked: Micros,
    ticks: u64,
    /// Names of the threads of one group, so that none is read twice.
    names: HashMap<u32, Vec<u8>>,
}

impl Scanner {
    pub(crate) fn new(hierarchies: &Hierarchies, interval: Micros) -> Result<Self, Error> {
        let scan = Scan::new(hierarchies, descriptors::raise_limit())?;
        Ok(Self { scan, asked: interval, ticks: 0, names: HashMap::new() })
    }

    pub(crate) fn tick(&mut self, wish: &Wish) -> Result<Tick, Error> {
        let mut look = self.scan.look()?;
        self.ticks += 1;
        let mut threads = HashMap::new();
        let mut left = THREADS;
        for path in wish.opened.iter().chain(&wish.threads) {
            if threads.contains_key(path) {
                continue;
            }
            if let Some(found) = self.scan.threads(path, left) {
                left -= found.len().min(left);
                threads.insert(Arc::clone(path), (clock::now(), found));
            }
        }
        let opened = wish.opened.as_ref().and_then(|path| threads.get(path));
        let tids: Vec<u32> =
            opened.map_or(Vec::new(), |(_, found)| found.iter().map(|thread| thread.tid).collect());
        self.names.retain(|tid, _| tids.contains(tid));
        for tid in tids {
            if !self.names.contains_key(&tid)
                && let Some(name) = processes::name(self.scan.host(), tid)
            {
                self.names.insert(tid, name);
            }
        }
        look.took = clock::now().checked_sub(look.at).unwrap_or(look.took);
        // The first look opens everything and says nothing about the others.
        let interval = if self.ticks == 1 { self.asked } else { stretched(self.asked, look.took) };
        Ok(Tick { look, interval, threads, names: self.names.clone() })
    }
}

/// The interval that a scan of such length allows.
fn stretched(asked: Micros, took: Nanos) -> Micros {
    let needed = took.get().saturating_mul(PART_OF_INTERVAL) / 1000;
    if needed <= asked.get() {
        return asked;
    }
    Micros::new(needed.div_ceil(STEP.get()).saturating_mul(STEP.get()))
}

/// A scanner in a thread of its own.
#[derive(Debug)]
pub(crate) struct Feed {
    ticks: Receiver<Result<Tick, Error>>,
    wish: Arc<Mutex<Wish>>,
    /// Dropped to end the thread, also in the middle of its sleep.
    end: Option<Sender<()>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Why there are no more ticks.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The kernel refused.
    Kernel(Error),
    /// The thread panicked.
    Died,
}

impl Feed {
    pub(crate) fn begin(mut scanner: Scanner) -> std::io::Result<Self> {
        let (to, ticks) = channel();
        let (end, ended) = channel::<()>();
        let (wish, stop) = (Arc::new(Mutex::new(Wish::default())), Arc::new(AtomicBool::new(false)));
        let (theirs, stopped) = (Arc::clone(&wish), Arc::clone(&stop));
        let scan = move || {
            while !stopped.load(Ordering::Relaxed) {
                let begun = clock::now();
                let wish = theirs.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let tick = scanner.tick(&wish);
                let interval = tick.as_ref().ok().map(|tick| tick.interval);
                if to.send(tick).is_err() {
                    return;
                }
                let Some(interval) = interval else { return };
                let next = begun.saturating_add(interval.to_nanos());
                let left = next.checked_sub(clock::now()).unwrap_or(Nanos::ZERO);
                if ended.recv_timeout(Duration::from_nanos(left.get())) == Err(RecvTimeoutError::Disconnected)
                {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new().name("scan".to_owned()).spawn(scan)?;
        Ok(Self { ticks, wish, end: Some(end), stop, thread: Some(thread) })
    }

    /// The next tick, if there is one by now.
    pub(crate) fn next(&self) -> Result<Option<Tick>, Ended> {
        match self.ticks.try_recv() {
            Ok(tick) => tick.map(Some).map_err(Ended::Kernel),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(Ended::Died),
        }
    }

    /// What is wanted from the next tick on.
    pub(crate) fn wish(&self, wish: Wish) {
        *self.wish.lock().unwrap_or_else(PoisonError::into_inner) = wish;
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_over_a_quarter_of_the_interval_stretches_it() {
        let second = Micros::from_ms(1000);
        let ms = |ms: u64| Nanos::new(ms * 1_000_000);
        assert_eq!(stretched(second, ms(12)), second);
        assert_eq!(stretched(second, ms(250)), second);
        assert_eq!(stretched(second, ms(251)), Micros::from_ms(1100));
        assert_eq!(stretched(second, ms(900)), Micros::from_ms(3600));
    }
}
