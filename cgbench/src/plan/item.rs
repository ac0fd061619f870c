//! What a load does one after the other, and the words for it.

use serde::{Deserialize, Serialize};

/// What a latency is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// A frame of an encode loop.
    #[default]
    Frame,
    /// A request to a service.
    Request,
}

impl Item {
    /// Whether it is a frame, as in every summary of earlier versions.
    #[must_use]
    // By reference, as serde asks for it.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
    pub fn is_frame(&self) -> bool {
        *self == Self::Frame
    }

    /// One of them.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Frame => "frame",
            Self::Request => "request",
        }
    }

    /// What does them.
    #[must_use]
    pub const fn worker(self) -> &'static str {
        match self {
            Self::Frame => "encoder",
            Self::Request => "service",
        }
    }

    /// What each is worked at with.
    #[must_use]
    pub const fn load(self) -> &'static str {
        match self {
            Self::Frame => "an encode loop",
            Self::Request => "a service",
        }
    }

    /// What makes up the work of each, in the plural: the same in two blocks, they cost the same.
    #[must_use]
    pub const fn work(self) -> &'static str {
        match self {
            Self::Frame => "pictures",
            Self::Request => "demands",
        }
    }

    /// What it is late against.
    #[must_use]
    pub const fn deadline(self) -> &'static str {
        match self {
            Self::Frame => "frame interval",
            Self::Request => "deadline",
        }
    }

    /// Heading of the column of those that are late.
    #[must_use]
    pub const fn late(self) -> &'static str {
        match self {
            Self::Frame => "late frames",
            Self::Request => "late requests",
        }
    }

    /// "one frame in a hundred".
    #[must_use]
    pub fn one_in(self, level: crate::stats::Level) -> String {
        let often = if level == crate::stats::Level::P99 { "a hundred" } else { "twenty" };
        format!("one {} in {often}", self.name())
    }
}
