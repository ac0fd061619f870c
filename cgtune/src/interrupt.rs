//! Ctrl-C, SIGTERM and a closed terminal, as a question that is asked where stopping is safe.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use cgtune_core::Nanos;
use cgtune_sys::clock;
use signal_hook::{consts, flag};

/// How long a signal waits at most until it is noticed.
const GLANCE: Nanos = Nanos::new(50_000_000);

/// Whether somebody asked to stop. From when this is made, signals no longer end the process.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    pub(crate) fn watch() -> io::Result<Self> {
        let asked = Arc::new(AtomicBool::new(false));
        for signal in [consts::SIGINT, consts::SIGTERM, consts::SIGHUP] {
            flag::register(signal, Arc::clone(&asked))?;
        }
        Ok(Self(asked))
    }

    pub(crate) fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Sleeps until an instant; `false` when somebody asked to stop.
    pub(crate) fn sleep_until(&self, end: Nanos) -> bool {
        while !self.asked() {
            let now = clock::now();
            if now >= end {
                return true;
            }
            clock::sleep_until(now.saturating_add(GLANCE).min(end));
        }
        false
    }
}
