//! Why the worst groups stand still: a thread of its own watches a few of them closely, window after window, and the table
//! shows what it found.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use cgtune_core::{
    Micros, Nanos,
    diagnose::{self, Cause, Watched},
};
use cgtune_sys::{Cgroup, Error, Hierarchies, clock, watch::Watcher};

use crate::failure;

/// How many groups are watched closely at a time. Eight at this pace cost about one percent of a CPU.
pub(crate) const MOST: usize = 8;
/// How long, before a verdict.
pub(crate) const WINDOW: Micros = Micros::from_ms(5000);
/// How often they are looked at.
const PACE: Nanos = Nanos::new(10_000_000);
/// How long the thread rests when there is nothing to watch.
const REST: Duration = Duration::from_millis(100);
/// How long after its end a window's verdicts are waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is known about a group's cause.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum Told {
    /// It is not among the worst.
    #[default]
    Unwatched,
    /// It is being watched; there is no verdict yet.
    Watching,
    /// The verdict of the last window, with the milliseconds a second that it costs.
    Cause(Cause, f64),
}

/// What is known about all causes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Verdicts {
    pub(crate) told: HashMap<Arc<Path>, Told>,
    /// Why the last window came to nothing.
    pub(crate) trouble: Option<String>,
}

/// The verdict on what was seen of a group: the cause that costs most, and how many milliseconds a second.
fn verdict(watched: &Watched) -> Option<(Cause, f64)> {
    let finding = diagnose::causes(watched).into_iter().next()?;
    Some((finding.cause, finding.stall_ms_per_s.unwrap_or(0.0)))
}

#[derive(Debug, Default)]
struct Shared {
    wanted: Mutex<Vec<Arc<Path>>>,
    verdicts: Mutex<Verdicts>,
    /// A window has ended.
    ended: Condvar,
    stop: AtomicBool,
}

/// The thread that watches.
#[derive(Debug)]
pub(crate) struct Causes {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Causes {
    /// Starts the thread, with nothing to watch.
    pub(crate) fn begin(hierarchies: Hierarchies, window: Micros) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let watch = move || {
            while !theirs.stop.load(Ordering::Relaxed) {
                theirs.window(&hierarchies, window);
            }
        };
        let thread = std::thread::Builder::new().name("causes".to_owned()).spawn(watch)?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Watches these from the next window on, the first [`MOST`] of them.
    pub(crate) fn watch(&self, mut worst: Vec<Arc<Path>>) {
        worst.truncate(MOST);
        *lock(&self.shared.wanted) = worst;
    }

    /// What is known by now.
    pub(crate) fn verdicts(&self) -> Verdicts {
        lock(&self.shared.verdicts).clone()
    }

    /// What is known once the window that is about to end has ended.
    pub(crate) fn settled(&self) -> Verdicts {
        let watching = |verdicts: &mut Verdicts| verdicts.told.values().any(|told| *told == Told::Watching);
        let verdicts = lock(&self.shared.verdicts);
        let waited = self.shared.ended.wait_timeout_while(verdicts, PATIENCE, watching);
        waited.unwrap_or_else(PoisonError::into_inner).0.clone()
    }
}

impl Drop for Causes {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Watches what is wanted for one window.
    fn window(&self, hierarchies: &Hierarchies, window: Micros) {
        let wanted = lock(&self.wanted).clone();
        {
            // Earlier verdicts hold until there are new ones.
            let told = &mut lock(&self.verdicts).told;
            told.retain(|path, _| wanted.contains(path));
            for path in &wanted {
                told.entry(Arc::clone(path)).or_insert(Told::Watching);
            }
        }
        if wanted.is_empty() {
            std::thread::sleep(REST);
            return;
        }
        let watched = self.watched(hierarchies, &wanted, window);
        let mut verdicts = lock(&self.verdicts);
        self.ended.notify_all();
        match watched {
            Ok(watched) => {
                verdicts.trouble = None;
                for path in wanted {
                    let found = watched.get(&*path).and_then(verdict);
                    verdicts.told.insert(
                        path,
                        found.map_or(Told::Watching, |(cause, stall)| Told::Cause(cause, stall)),
                    );
                }
            }
            Err(error) => {
                verdicts.trouble = Some(failure::sentence(&error.into()));
                drop(verdicts);
                std::thread::sleep(REST);
            }
        }
    }

    fn watched(
        &self,
        hierarchies: &Hierarchies,
        wanted: &[Arc<Path>],
        window: Micros,
    ) -> Result<std::collections::BTreeMap<std::path::PathBuf, Watched>, Error> {
        let mut watcher = Watcher::new(hierarchies);
        for path in wanted {
            match Cgroup::open(hierarchies, path).and_then(|cgroup| watcher.add(cgroup)) {
                Ok(()) | Err(Error::Gone(_) | Error::NoSuchCgroup { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let mut next = clock::now();
        let end = next.saturating_add(window.to_nanos());
        while next < end && watcher.anybody() && !self.stop.load(Ordering::Relaxed) {
            watcher.look()?;
            next = next.saturating_add(PACE);
            clock::sleep_until(next);
        }
        watcher.finish()
    }
}

/// A panic elsewhere leaves whole values behind: each is replaced in one piece.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
