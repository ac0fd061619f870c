//! One change: who, when, which groups, from what to what, and how far it is.

use std::{
    fs,
    path::{Path, PathBuf},
};

use cgtune_core::{
    Observed,
    control::Planned,
    plan::{Difference, Goal},
    snapshot::CgroupId,
};
use serde::{Deserialize, Serialize};

use super::{JournalError, bytes};

/// How far a change is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Written down; the writes may be under way. Where nobody holds the lock, whoever made them was killed.
    Begun,
    /// All was written and read back.
    Done,
    /// It failed part way, and the earlier state is there again.
    TakenBack,
    /// The way back may be under way.
    Undoing,
    /// The earlier state is there again.
    Undone,
}

impl State {
    /// Whether there is, or may be, something to undo.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Begun | Self::Done | Self::Undoing)
    }

    /// Whether somebody was interrupted in the middle.
    #[must_use]
    pub fn is_half_done(self) -> bool {
        matches!(self, Self::Begun | Self::Undoing)
    }

    /// As a person reads it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Begun => "half-done",
            Self::Done => "done",
            Self::TakenBack => "failed, taken back",
            Self::Undoing => "half-undone",
            Self::Undone => "undone",
        }
    }
}

/// A change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// `cgtune.journal/1`.
    pub schema: String,
    /// Its number. Never used again.
    #[serde(skip)]
    pub id: u64,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// When it was to undo itself (`apply --for`), RFC 3339 in UTC.
    pub until: Option<String>,
    /// The command line.
    pub command: Vec<String>,
    /// How far it is.
    pub state: State,
    /// The groups, in the order in which they are written.
    pub groups: Vec<Group>,
}

/// What is changed in one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its path in the cpu hierarchy, for people and for finding it again.
    #[serde(with = "bytes")]
    pub path: PathBuf,
    /// Which group it is.
    pub id: CgroupId,
    /// Its inode in the cpuset hierarchy, where it has one.
    pub cpuset_inode: Option<u64>,
    /// From what, by which writes, to what.
    pub planned: Planned,
    /// The way back, once it was begun.
    pub back: Option<Planned>,
}

/// Which of the states on its way a group is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// So many writes are done.
    pub done: usize,
    /// Of so many.
    pub planned: usize,
    /// On the way back.
    pub back: bool,
}

impl Group {
    /// Which state of the plan, or of the way back, this is; `None`: somebody else was here.
    #[must_use]
    pub fn reached(&self, observed: &Observed) -> Option<Reached> {
        let seen = self.touched_in(observed);
        let find = |planned: &Planned, back| {
            let states = planned.states();
            // The latest: of two equal ones on the way, more was done.
            let done = states.iter().rposition(|state| self.touched_in(state) == seen)?;
            Some(Reached { done, planned: planned.steps.len(), back })
        };
        self.back.as_ref().and_then(|back| find(back, true)).or_else(|| find(&self.planned, false))
    }

    /// Of a state, what this change touches.
    #[must_use]
    pub fn touched_in(&self, observed: &Observed) -> Goal {
        self.planned.goal.back_to(observed)
    }

    /// What differs from the state that this change left.
    #[must_use]
    pub fn changed_since(&self, observed: &Observed) -> Vec<Difference> {
        self.planned.goal.differences(observed)
    }

    /// The state before.
    #[must_use]
    pub fn goal_back(&self) -> Goal {
        self.planned.goal.back_to(&self.planned.before)
    }
}

impl Entry {
    /// Those of `all` that lie over this one, the newest first: younger, not undone, and about a value of one of its groups.
    pub fn overlaid_by<'a>(&self, all: &'a [Self]) -> impl Iterator<Item = &'a Self> {
        let over = |theirs: &Group| {
            let is_over =
                |ours: &Group| ours.id == theirs.id && ours.planned.goal.overlaps(&theirs.planned.goal);
            self.groups.iter().any(is_over)
        };
        all.iter()
            .rev()
            .filter(move |other| other.id > self.id && other.state.is_open() && other.groups.iter().any(over))
    }

    /// The schema that this version writes.
    pub const SCHEMA: &'static str = "cgtune.journal/1";

    pub(super) fn read(path: &Path, id: u64) -> Result<Self, JournalError> {
        let bytes = fs::read(path).map_err(|source| JournalError::Io {
            verb: "read",
            path: path.to_owned(),
            source,
        })?;
        let damaged = |reason: String| JournalError::Damaged { path: path.to_owned(), reason };
        let entry: Self = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if entry.schema != Self::SCHEMA {
            return Err(damaged(format!("its schema is \"{}\"", entry.schema.escape_debug())));
        }
        Ok(Self { id, ..entry })
    }
}
