//! Recording: everything is kept in memory until it is taken.

use std::{collections::HashMap, path::PathBuf};

use cgtune_core::Nanos;

use super::{Answer, Event, Question, Recorded};
use crate::clock;

/// What an event takes beside the bytes of its answer.
const EVENT: usize = size_of::<Event>();

#[derive(Debug)]
pub(super) struct Recording {
    recorded: Recorded,
    places: HashMap<Question, u32>,
    /// What each question was answered last.
    last: Vec<Answer>,
    bytes: usize,
    most: usize,
}

impl Recording {
    pub(super) fn begin(most: usize) -> Self {
        let suspended = clock::since_boot().saturating_sub(clock::now());
        let recorded = Recorded { suspended, ..Recorded::default() };
        let mut recording = Self { recorded, places: HashMap::new(), last: Vec::new(), bytes: 0, most };
        recording.moment();
        recording
    }

    pub(super) fn take(&mut self) -> Recorded {
        let anew = Self::begin(self.most);
        std::mem::replace(self, anew).recorded
    }

    pub(super) fn is_full(&self) -> bool {
        self.bytes > self.most
    }

    pub(super) fn suspended(&self) -> Nanos {
        self.recorded.suspended
    }

    pub(super) fn moment(&mut self) {
        self.push(Event::Moment(clock::now()), 0);
    }

    pub(super) fn clock(&mut self) -> Nanos {
        let now = clock::now();
        self.push(Event::Clock(now), 0);
        now
    }

    pub(super) fn seen(&mut self, path: PathBuf, folder: bool) {
        let seen = if folder { &mut self.recorded.folders } else { &mut self.recorded.files };
        let length = path.as_os_str().len();
        if seen.insert(path) {
            self.bytes += length;
        }
    }

    pub(super) fn asked(&mut self, question: Question, at: Nanos, answer: Answer) {
        let length = match &answer {
            Answer::Bytes(bytes) => bytes.len(),
            Answer::Errno(_) => 0,
        };
        match self.places.get(&question).copied() {
            Some(place) => {
                let last = &mut self.last[place as usize];
                if *last == answer {
                    self.push(Event::Asked { question: place, at, answer: None }, 0);
                } else {
                    last.clone_from(&answer);
                    self.push(Event::Asked { question: place, at, answer: Some(answer) }, length);
                }
            }
            None if self.is_full() => {}
            None => {
                // Two copies of the path and of the answer.
                let once = question.path.as_os_str().len() + length;
                let place = u32::try_from(self.last.len()).unwrap_or(u32::MAX);
                self.places.insert(question.clone(), place);
                self.recorded.questions.push(question);
                self.last.push(answer.clone());
                self.push(Event::Asked { question: place, at, answer: Some(answer) }, 2 * once);
            }
        }
    }

    /// Past its end the tape is thrown away anyhow: it only must not grow.
    fn push(&mut self, event: Event, bytes: usize) {
        if !self.is_full() {
            self.bytes += EVENT + bytes;
            self.recorded.events.push(event);
        }
    }
}
