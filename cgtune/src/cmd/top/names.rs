//! What pods and containers are called: a thread of its own asks files and sockets, so that a runtime which hangs holds up
//! no table.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use cgtune_node::names::{Ask, Register, Resident};
use cgtune_sys::HostRoot;

use crate::render::resident;

/// Who lives in a group.
#[derive(Debug)]
pub(crate) struct Named {
    pub(crate) resident: Resident,
    /// What it is called; `None` where no name is known.
    pub(crate) title: Option<String>,
}

impl Named {
    pub(crate) fn new(resident: Resident, path: &Path) -> Self {
        let title = resident::title(&resident, path);
        Self { resident, title }
    }

    /// As far as the path alone says it.
    pub(crate) fn by_path(path: &Path) -> Self {
        Self::new(Resident::of(path), path)
    }

    /// Whether it is a pod's group or lies in one.
    pub(crate) fn is_in_pod(&self) -> bool {
        self.resident.pod.is_some()
    }
}

/// Whoever has a name, by path.
pub(crate) type Known = HashMap<Arc<Path>, Arc<Named>>;

#[derive(Debug, Default)]
struct State {
    /// The groups that are there, when they are others than before.
    wanted: Option<Vec<Arc<Path>>>,
    /// They are being asked for.
    asking: bool,
    known: Arc<Known>,
    stop: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    /// A panic elsewhere leaves whole values behind: each is replaced in one piece.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next groups to ask for; `None` at the end.
    fn next(&self) -> Option<Vec<Arc<Path>>> {
        let mut state = self.lock();
        loop {
            if state.stop {
                return None;
            }
            if let Some(wanted) = state.wanted.take() {
                state.asking = true;
                return Some(wanted);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn answer(&self, known: Known) {
        let mut state = self.lock();
        (state.known, state.asking) = (Arc::new(known), false);
        self.changed.notify_all();
    }
}

/// The thread that asks.
#[derive(Debug)]
pub(crate) struct Names {
    shared: Arc<Shared>,
    /// What was wanted last.
    last: Vec<Arc<Path>>,
    patience: Duration,
}

impl Names {
    /// Starts the thread, with nobody to ask for.
    pub(crate) fn begin(host: HostRoot, ask: Ask) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        // Sockets take their limit, files a moment.
        let patience = ask.limit * 2;
        let answer = move || {
            let mut register = Register::default();
            while let Some(wanted) = theirs.next() {
                register.update(&host, &wanted, &ask);
                let named = wanted.into_iter().filter_map(|path| {
                    let named = Named::new(register.resident(&path), &path);
                    named.title.is_some().then(|| (path, Arc::new(named)))
                });
                theirs.answer(named.collect());
            }
        };
        std::thread::Builder::new().name("names".to_owned()).spawn(answer)?;
        Ok(Self { shared, last: Vec::new(), patience })
    }

    /// The groups that are there now.
    pub(crate) fn want<'p>(&mut self, paths: impl Iterator<Item = &'p Arc<Path>> + Clone) {
        if self.last.iter().eq(paths.clone()) {
            return;
        }
        self.last = paths.map(Arc::clone).collect();
        self.shared.lock().wanted = Some(self.last.clone());
        self.shared.changed.notify_all();
    }

    /// What is known by now.
    pub(crate) fn known(&self) -> Arc<Known> {
        Arc::clone(&self.shared.lock().known)
    }

    /// What is known once everybody has answered, or has had the time to.
    pub(crate) fn settled(&self) -> Arc<Known> {
        let open = |state: &mut State| state.wanted.is_some() || state.asking;
        let waited = self.shared.changed.wait_timeout_while(self.shared.lock(), self.patience, open);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&state.known)
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        // Not waited for: it may be asking somebody who does not answer.
        self.shared.lock().stop = true;
        self.shared.changed.notify_all();
    }
}
