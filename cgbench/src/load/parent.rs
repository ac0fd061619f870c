//! The parent's end: starts the child inside a cgroup, sends, collects.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};

use cgtune_sys::{lifecycle::OwnedCgroup, process::Child, spawn::Program};
use serde::Serialize;
use workloads::hog::Manner;

use super::{Answer, LoadConfig, SUBCOMMAND, Start};
use crate::backend::RunError;

/// Preparing makes a clip of pictures, under a quota that may be a tenth of a CPU.
const READY_WITHIN_S: u64 = 60;
/// From a closed input to the end: one frame, throttled.
const PATIENCE: Duration = Duration::from_secs(1);

/// A running load.
pub struct Load {
    child: Child,
    answers: Receiver<Result<Answer, String>>,
}

impl Load {
    /// Starts a load inside a group.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn start(group: &mut OwnedCgroup, config: &LoadConfig) -> Result<Self, RunError> {
        // This very binary, also when its file has been replaced since we began.
        let program = Program { path: "/proc/self/exe".into(), args: vec![SUBCOMMAND.into()] };
        let mut child = group.spawn(&program)?;
        let (sender, answers) = channel();
        if let Some(stdout) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(stdout).lines() {
                    let Ok(line) = line else { break };
                    let answer = serde_json::from_str(&line).map_err(|_| line);
                    if sender.send(answer).is_err() {
                        break;
                    }
                }
            });
        }
        let mut load = Self { child, answers };
        load.send(config)?;
        Ok(load)
    }

    /// Starts busy threads inside a group, and returns when they run.
    ///
    /// # Errors
    /// As [`Load::start`] and [`Load::wait_ready`].
    pub fn hog(group: &mut OwnedCgroup, threads: u32, manner: Manner) -> Result<Self, RunError> {
        let mut load = Self::start(group, &LoadConfig::Hog { threads, manner })?;
        load.wait_ready()?;
        Ok(load)
    }

    /// Waits until it is prepared.
    ///
    /// # Errors
    /// It ended, said something else, or took too long.
    pub fn wait_ready(&mut self) -> Result<(), RunError> {
        match self.next(Duration::from_secs(READY_WITHIN_S))? {
            Some(Answer::Ready) => Ok(()),
            Some(other) => Err(RunError::Protocol(format!("{other:?}"))),
            None => Err(RunError::NotReady(READY_WITHIN_S)),
        }
    }

    /// Starts its clock.
    ///
    /// # Errors
    /// It has ended.
    pub fn start_clock(&mut self, start: &Start) -> Result<(), RunError> {
        self.send(start)
    }

    /// What it says next; `None` when it says nothing for that long.
    ///
    /// # Errors
    /// It ended, or said something that is not of the protocol.
    pub fn next(&mut self, patience: Duration) -> Result<Option<Answer>, RunError> {
        match self.answers.recv_timeout(patience) {
            Ok(Ok(answer)) => Ok(Some(answer)),
            Ok(Err(line)) => Err(RunError::Protocol(line.chars().take(80).collect())),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(RunError::LoadEnded(self.child.end(PATIENCE)?)),
        }
    }

    /// Ends it; what it had not told yet.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn end(mut self) -> Result<Vec<Answer>, RunError> {
        self.child.end(PATIENCE)?;
        Ok(self.answers.iter().flatten().collect())
    }

    fn send(&mut self, message: &impl Serialize) -> Result<(), RunError> {
        let mut line = serde_json::to_vec(message).map_err(std::io::Error::from)?;
        line.push(b'\n');
        let gone = || std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        let input: &mut File = self.child.stdin.as_mut().ok_or_else(gone)?;
        Ok(input.write_all(&line)?)
    }
}
