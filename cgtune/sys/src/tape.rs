//! A tape of everything that was read of a node, and its playing back: the same reads get the same answers.
//!
//! A question is what was asked of the kernel (read this file, list or enter this folder, open this file), an answer its bytes or
//! its refusal. Time goes by in moments: from waking up to falling asleep. Played back, a question gets the next answer that it
//! got in this moment; asked more often than it was then, the last one; asked where nobody asked then, the one before. So the
//! code that made a tape gets from it exactly what it got, and other code sensible answers. Where nobody asked at
//! all, the folder to which the node was unpacked answers.
//!
//! How a tape is kept in a file is not known here.

mod play;
mod record;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use cgtune_core::Nanos;
use nix::errno::Errno;

use self::{play::Playing, record::Recording};
use crate::clock;

/// How the kernel was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// A file's bytes.
    Read,
    /// The names in a folder, separated by NUL bytes.
    List,
    /// Whether a cgroup's folder can be entered; the answer holds no bytes.
    Enter,
    /// Whether a file that is kept open can be opened; the answer holds no bytes.
    Open,
    /// Which inode a folder has, in decimal: a cgroup's identity.
    Inode,
    /// How many links a folder has, in decimal: whether groups were added below a cgroup.
    Links,
    /// What a service of the node says of something; no file is there for it.
    Ask,
}

/// What the kernel was asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Question {
    /// How.
    pub verb: Verb,
    /// Of what: an absolute path of the node.
    pub path: PathBuf,
}

/// What the kernel answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It did.
    Bytes(Vec<u8>),
    /// It refused, with this errno.
    Errno(i32),
}

/// What happened, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A moment begins (CLOCK_MONOTONIC).
    Moment(Nanos),
    /// The clock was read.
    Clock(Nanos),
    /// The kernel was asked.
    Asked {
        /// What: the place of the question in [`Recorded::questions`].
        question: u32,
        /// When the answer was there.
        at: Nanos,
        /// `None`: the same as this question got before.
        answer: Option<Answer>,
    },
}

/// A whole tape.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Each question once.
    pub questions: Vec<Question>,
    /// What happened.
    pub events: Vec<Event>,
    /// Files that were seen to be there, whether or not they were read.
    pub files: BTreeSet<PathBuf>,
    /// Folders that were seen to be there.
    pub folders: BTreeSet<PathBuf>,
    /// How far CLOCK_BOOTTIME was ahead of CLOCK_MONOTONIC: how long the machine had been suspended.
    pub suspended: Nanos,
}

/// What is going on at a [`HostRoot`](crate::HostRoot): it is recorded, or played back. Clones are the same tape.
#[derive(Debug, Clone)]
pub struct Tape {
    root: PathBuf,
    deck: Arc<Deck>,
}

#[derive(Debug)]
enum Deck {
    Recording(Mutex<Recording>),
    Playing(Mutex<Playing>),
}

/// Two are equal if they are the same one.
impl PartialEq for Tape {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.deck, &other.deck)
    }
}

impl Eq for Tape {}

/// Nothing that is guarded here can be left half-done.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tape {
    /// Begins to record what is read below a root, as long as that takes no more than so many bytes of memory.
    pub(crate) fn record(root: &Path, most: usize) -> Self {
        let deck = Deck::Recording(Mutex::new(Recording::begin(most)));
        Self { root: root.to_owned(), deck: Arc::new(deck) }
    }

    /// Plays a tape back to whoever reads below the folder to which its files were unpacked.
    pub(crate) fn play(root: &Path, recorded: Recorded) -> Self {
        Self { root: root.to_owned(), deck: Arc::new(Deck::Playing(Mutex::new(Playing::new(recorded)))) }
    }

    pub(crate) fn is_playing(&self) -> bool {
        matches!(*self.deck, Deck::Playing(_))
    }

    /// Whether the recording has become too long, and is no longer whole.
    pub(crate) fn is_full(&self) -> bool {
        match &*self.deck {
            Deck::Recording(recording) => locked(recording).is_full(),
            Deck::Playing(_) => false,
        }
    }

    /// What has been recorded so far; nothing while playing. The recording begins anew.
    pub(crate) fn take(&self) -> Recorded {
        match &*self.deck {
            Deck::Recording(recording) => locked(recording).take(),
            Deck::Playing(_) => Recorded::default(),
        }
    }

    /// The bytes that answer a question, and when they did. `path`: as it is reached from here.
    pub(crate) fn bytes(
        &self,
        verb: Verb,
        path: &Path,
        live: impl FnOnce() -> Result<Vec<u8>, Errno>,
    ) -> (Result<Vec<u8>, Errno>, Nanos) {
        match &*self.deck {
            Deck::Recording(recording) => {
                // Not under the lock: it may ask for more on its way.
                let answer = live();
                let at = clock::now();
                locked(recording).asked(
                    self.question(verb, path),
                    at,
                    kept(answer.as_deref().map_err(|errno| *errno)),
                );
                (answer, at)
            }
            Deck::Playing(playing) => {
                let played = locked(playing).ask(&self.question(verb, path));
                match played {
                    Some((Answer::Bytes(bytes), at)) => (Ok(bytes), at),
                    Some((Answer::Errno(errno), at)) => (Err(Errno::from_raw(errno)), at),
                    None => (live(), locked(playing).now()),
                }
            }
        }
    }

    /// Something that is opened, now as then, if it could be opened then.
    pub(crate) fn opened<T>(
        &self,
        verb: Verb,
        path: &Path,
        live: impl FnOnce() -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        match &*self.deck {
            Deck::Recording(recording) => {
                let opened = live();
                if opened.is_ok() {
                    self.seen(path, verb == Verb::Enter);
                }
                let answer = kept(opened.as_ref().map(|_| &[][..]).map_err(|errno| *errno));
                locked(recording).asked(self.question(verb, path), clock::now(), answer);
                opened
            }
            Deck::Playing(playing) => {
                let played = locked(playing).ask(&self.question(verb, path));
                match played {
                    Some((Answer::Errno(errno), _)) => Err(Errno::from_raw(errno)),
                    Some((Answer::Bytes(_), _)) | None => live(),
                }
            }
        }
    }

    /// A file that is there, or a folder.
    pub(crate) fn seen(&self, path: &Path, folder: bool) {
        if let Deck::Recording(recording) = &*self.deck {
            locked(recording).seen(self.of_node(path), folder);
        }
    }

    pub(crate) fn now(&self) -> Nanos {
        match &*self.deck {
            Deck::Recording(recording) => locked(recording).clock(),
            Deck::Playing(playing) => locked(playing).clock(),
        }
    }

    /// CLOCK_BOOTTIME, by the clock of the tape.
    pub(crate) fn since_boot(&self) -> Nanos {
        let suspended = match &*self.deck {
            Deck::Recording(recording) => locked(recording).suspended(),
            Deck::Playing(playing) => locked(playing).suspended(),
        };
        self.now().saturating_add(suspended)
    }

    /// Waits for an instant, or goes there.
    pub(crate) fn sleep_until(&self, instant: Nanos) {
        match &*self.deck {
            Deck::Recording(recording) => {
                clock::sleep_until(instant);
                locked(recording).moment();
            }
            Deck::Playing(playing) => locked(playing).forward(instant),
        }
    }

    fn question(&self, verb: Verb, path: &Path) -> Question {
        Question { verb, path: self.of_node(path) }
    }

    /// A path as it is reached from here, as one of the node.
    fn of_node(&self, path: &Path) -> PathBuf {
        Path::new("/").join(path.strip_prefix(&self.root).unwrap_or(path))
    }
}

fn kept(answer: Result<&[u8], Errno>) -> Answer {
    match answer {
        Ok(bytes) => Answer::Bytes(bytes.to_owned()),
        Err(errno) => Answer::Errno(errno as i32),
    }
}
