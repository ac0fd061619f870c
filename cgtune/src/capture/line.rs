//! The tape as lines of JSON. Bytes are texts in which each character stands for one byte (ISO 8859-1), so that nothing is lost
//! and ASCII stays what it is.

use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
};

use cgtune_core::Nanos;
use cgtune_sys::tape::{Answer, Event, Question, Recorded, Verb};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// One line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// How the node was asked; the first line.
    Request(Asked),
    /// How far CLOCK_BOOTTIME was ahead of CLOCK_MONOTONIC, in ns.
    Suspended(u64),
    /// A question, numbered from 0 in the order of these lines.
    Question { verb: Word, path: Bytes },
    /// See [`Event::Moment`].
    Moment(u64),
    /// See [`Event::Clock`].
    Clock(u64),
    /// See [`Event::Asked`]. With neither text nor errno: as before, or as the file in the tar if there was nothing before.
    Answer {
        n: u32,
        at: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<Bytes>,
        #[serde(skip_serializing_if = "Option::is_none")]
        errno: Option<i32>,
    },
}

/// See [`Request`](super::Request); with what watching took, which cannot be replayed.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Asked {
    pub(super) all: bool,
    pub(super) targets: Vec<Bytes>,
    pub(super) for_us: u64,
    pub(super) cpu_ns: u64,
}

/// See [`Verb`].
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Word {
    Read,
    List,
    Enter,
    Open,
    Inode,
    Links,
    Ask,
}

impl From<Verb> for Word {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Read => Self::Read,
            Verb::List => Self::List,
            Verb::Enter => Self::Enter,
            Verb::Open => Self::Open,
            Verb::Inode => Self::Inode,
            Verb::Links => Self::Links,
            Verb::Ask => Self::Ask,
        }
    }
}

impl From<Word> for Verb {
    fn from(word: Word) -> Self {
        match word {
            Word::Read => Self::Read,
            Word::List => Self::List,
            Word::Enter => Self::Enter,
            Word::Open => Self::Open,
            Word::Inode => Self::Inode,
            Word::Links => Self::Links,
            Word::Ask => Self::Ask,
        }
    }
}

/// Any bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: String = self.0.iter().map(|&byte| char::from(byte)).collect();
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes =
            text.chars().map(|c| u8::try_from(c).map_err(|_| D::Error::custom("a character above U+00FF")));
        bytes.collect::<Result<_, _>>().map(Self)
    }
}

impl From<OsString> for Bytes {
    fn from(text: OsString) -> Self {
        Self(text.into_vec())
    }
}

impl From<Bytes> for OsString {
    fn from(bytes: Bytes) -> Self {
        Self::from_vec(bytes.0)
    }
}

/// A tape as lines. `packed`: whether a question's first answer is a file in the tar.
pub(super) fn lines<'r>(
    recorded: &'r Recorded,
    packed: &'r dyn Fn(&Question) -> bool,
) -> impl Iterator<Item = Line> + 'r {
    let questions = recorded.questions.iter().map(|question| Line::Question {
        verb: question.verb.into(),
        path: Bytes(question.path.as_os_str().as_bytes().to_vec()),
    });
    let mut first = vec![true; recorded.questions.len()];
    let events = recorded.events.iter().map(move |event| match event {
        Event::Moment(at) => Line::Moment(at.get()),
        Event::Clock(at) => Line::Clock(at.get()),
        Event::Asked { question, at, answer } => {
            let place = *question as usize;
            let first = first.get_mut(place).is_some_and(std::mem::take);
            let in_tar = first && recorded.questions.get(place).is_some_and(packed);
            let (text, errno) = match answer {
                Some(Answer::Bytes(bytes)) if !in_tar => (Some(Bytes(bytes.clone())), None),
                Some(Answer::Errno(errno)) => (None, Some(*errno)),
                Some(Answer::Bytes(_)) | None => (None, None),
            };
            Line::Answer { n: *question, at: at.get(), text, errno }
        }
    });
    std::iter::once(Line::Suspended(recorded.suspended.get())).chain(questions).chain(events)
}

/// A tape from lines, one by one.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) asked: Option<Asked>,
    pub(super) recorded: Recorded,
    /// Which questions have been answered.
    answered: Vec<bool>,
}

impl Reader {
    /// `file`: the bytes of a file in the tar, by its path on the node.
    pub(super) fn take(
        &mut self,
        line: Line,
        file: &dyn Fn(&std::path::Path) -> Option<Vec<u8>>,
    ) -> anyhow::Result<()> {
        match line {
            Line::Request(asked) => self.asked = Some(asked),
            Line::Suspended(suspended) => self.recorded.suspended = Nanos::new(suspended),
            Line::Question { verb, path } => {
                let question = Question { verb: verb.into(), path: OsString::from(path).into() };
                self.recorded.questions.push(question);
                self.answered.push(false);
            }
            Line::Moment(at) => self.recorded.events.push(Event::Moment(Nanos::new(at))),
            Line::Clock(at) => self.recorded.events.push(Event::Clock(Nanos::new(at))),
            Line::Answer { n, at, text, errno } => {
                let place = n as usize;
                let (Some(question), Some(answered)) =
                    (self.recorded.questions.get(place), self.answered.get_mut(place))
                else {
                    anyhow::bail!("an answer to question {n}, which was not asked");
                };
                let first = !std::mem::replace(answered, true);
                let answer = match (text, errno) {
                    (Some(_), Some(_)) => anyhow::bail!("an answer that is a text and an error"),
                    (Some(text), None) => Some(Answer::Bytes(text.0)),
                    (None, Some(errno)) => Some(Answer::Errno(errno)),
                    (None, None) if first => match file(&question.path) {
                        Some(bytes) => Some(Answer::Bytes(bytes)),
                        None => anyhow::bail!("an answer that is a file which is not in it"),
                    },
                    (None, None) => None,
                };
                self.recorded.events.push(Event::Asked { question: n, at: Nanos::new(at), answer });
            }
        }
        Ok(())
    }
}
