//! Ctrl-C: whoever waits here stops waiting, so that what was set up is taken down.

use std::{
    process::{Child, ExitStatus},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// How soon a signal is noticed.
const LEG: Duration = Duration::from_millis(50);

/// Listens from now on; more than once does no harm.
pub(crate) fn listen() -> anyhow::Result<()> {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(asked()))
            .with_context(|| format!("cannot handle signal {signal}"))?;
    }
    Ok(())
}

fn asked() -> &'static Arc<AtomicBool> {
    static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    ASKED.get_or_init(Arc::default)
}

/// An error once somebody has asked.
pub(crate) fn check() -> anyhow::Result<()> {
    if asked().load(Ordering::Relaxed) {
        bail!("interrupted");
    }
    Ok(())
}

/// Sleeps.
pub(crate) fn sleep(time: Duration) -> anyhow::Result<()> {
    let end = Instant::now() + time;
    loop {
        check()?;
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(LEG));
    }
}

/// Waits for the end of a child, which is killed when somebody asks or when it takes too long.
pub(crate) fn wait(child: &mut Child, at_most: Duration) -> anyhow::Result<ExitStatus> {
    let end = Instant::now() + at_most;
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for a child")? {
            return Ok(status);
        }
        let late = Instant::now() >= end;
        if late || check().is_err() {
            let _ = child.kill();
            let _ = child.wait();
            check()?;
            bail!("not done after {at_most:?}");
        }
        thread::sleep(LEG);
    }
}
