//! How a load ends before its time: signals, and the end of standard input.

use std::io::{ErrorKind, Read};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All was done, or whoever started us hung up.
    Done,
    /// A signal.
    Interrupted,
}

impl Ending {
    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::Done => ExitCode::SUCCESS,
            Self::Interrupted => ExitCode::from(130),
        }
    }
}

/// The request to stop, whoever makes it.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    asked: Arc<AtomicBool>,
    interrupted: Arc<AtomicBool>,
    /// Becomes readable, or ends, with the request.
    wake: Arc<UnixStream>,
}

impl Stop {
    /// Listens for SIGINT and SIGTERM, and for the end of standard input if asked to. A second
    /// signal ends the process at once.
    pub(crate) fn listen(until_stdin_closes: bool) -> anyhow::Result<Self> {
        let (wake, waker) = UnixStream::pair().context("cannot make a socket pair")?;
        let stop = Self { asked: Arc::default(), interrupted: Arc::default(), wake: Arc::new(wake) };
        for signal in [SIGINT, SIGTERM] {
            // Handlers run in this order: the first signal finds the flag unset.
            flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop.interrupted))
                .and_then(|_| flag::register(signal, Arc::clone(&stop.interrupted)))
                .and_then(|_| flag::register(signal, Arc::clone(&stop.asked)))
                .and_then(|_| low_level::pipe::register(signal, waker.try_clone()?))
                .with_context(|| format!("cannot handle signal {signal}"))?;
        }
        if until_stdin_closes {
            let asked = Arc::clone(&stop.asked);
            thread::Builder::new()
                .name("stdin".into())
                .spawn(move || {
                    let mut ignored = [0; 256];
                    // An error means as much as the end: nobody will write any more.
                    while std::io::stdin().lock().read(&mut ignored).is_ok_and(|read| read > 0) {}
                    asked.store(true, Ordering::Relaxed);
                    let _ = waker.shutdown(Shutdown::Both);
                })
                .context("cannot watch standard input")?;
        }
        Ok(stop)
    }

    /// The flag that loads look at.
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.asked
    }

    /// Sleeps until somebody asks, for so long at most. Nothing runs meanwhile: a load that is idle is idle.
    pub(crate) fn wait(&self, at_most: Option<Duration>) -> anyhow::Result<()> {
        let deadline = at_most.and_then(|time| Instant::now().checked_add(time));
        while !self.asked.load(Ordering::Relaxed) {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Ok(());
            }
            self.wake.set_read_timeout(left).context("cannot wait for a signal")?;
            match (&*self.wake).read(&mut [0]) {
                Ok(_) => return Ok(()),
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
                Err(error) => return Err(error).context("cannot wait for a signal"),
            }
        }
        Ok(())
    }

    pub(crate) fn ending(&self) -> Ending {
        if self.interrupted.load(Ordering::Relaxed) { Ending::Interrupted } else { Ending::Done }
    }
}
