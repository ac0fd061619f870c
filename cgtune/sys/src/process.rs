//! A child process: its streams, its end. A child that is dropped is ended, so that no load outlives its experiment.

use std::{fs::File, io, time::Duration};

use cgtune_core::Nanos;
use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

use crate::clock;

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Exit {
    /// Whether it ended with code 0.
    #[must_use]
    pub fn success(self) -> bool {
        self == Self::Code(0)
    }
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// A running child.
#[derive(Debug)]
pub struct Child {
    pid: Pid,
    exit: Option<Exit>,
    /// Its standard input. Dropping it is the sign to end for our loads.
    pub stdin: Option<File>,
    /// Its standard output.
    pub stdout: Option<File>,
}

impl Child {
    pub(crate) fn new(pid: nix::libc::pid_t, stdin: File, stdout: File) -> Self {
        Self { pid: Pid::from_raw(pid), exit: None, stdin: Some(stdin), stdout: Some(stdout) }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.pid.as_raw().cast_unsigned()
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn try_wait(&mut self) -> io::Result<Option<Exit>> {
        self.reap(WaitPidFlag::WNOHANG)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn wait(&mut self) -> io::Result<Exit> {
        loop {
            if let Some(exit) = self.reap(WaitPidFlag::empty())? {
                return Ok(exit);
            }
        }
    }

    fn reap(&mut self, flags: WaitPidFlag) -> io::Result<Option<Exit>> {
        if self.exit.is_none() {
            self.exit = match waitpid(self.pid, Some(flags)) {
                Ok(WaitStatus::Exited(_, code)) => Some(Exit::Code(code)),
                Ok(WaitStatus::Signaled(_, signal, _)) => Some(Exit::Signal(signal as i32)),
                Ok(_) | Err(Errno::EINTR) => None,
                Err(errno) => return Err(errno.into()),
            };
        }
        Ok(self.exit)
    }

    /// Ends it: closes its input, waits up to `patience`, then kills it.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn end(&mut self, patience: Duration) -> io::Result<Exit> {
        self.stdin = None;
        let patience = u64::try_from(patience.as_nanos()).unwrap_or(u64::MAX);
        let deadline = clock::now().saturating_add(Nanos::new(patience));
        loop {
            if let Some(exit) = self.try_wait()? {
                return Ok(exit);
            }
            if clock::now() >= deadline {
                let _ = kill(self.pid, Signal::SIGKILL);
                return self.wait();
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.exit.is_none() {
            let _ = self.end(Duration::ZERO);
        }
    }
}

/// Kills a process by id, if it is still there.
pub(crate) fn kill_now(pid: u32) {
    if let Ok(pid) = i32::try_from(pid) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
    }
}
