//! What is wrong with a configuration, or will surprise, as values: where it stands, what it is, how bad it is.

mod advice;
mod fault;

use std::fmt;

pub use fault::Fault;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The kubelet doesn't start with it, or passes over what is written.
    Error,
    /// It starts, and does something else than the reader of the file expects.
    Warning,
    /// Right as it is, and good to know.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// Where in a file a finding stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A field and the way into it, such as `cpuManagerPolicyOptions` and `full-pcpus-only`. Where it is not given, the whole file.
    At(Vec<String>),
    /// A line, and the way there as it is shown.
    Line {
        /// Counted from 1.
        line: u64,
        /// Empty for the whole file.
        path: String,
    },
}

impl Place {
    /// A field and the way into it.
    pub fn at<'a>(steps: impl IntoIterator<Item = &'a str>) -> Self {
        Self::At(steps.into_iter().map(str::to_owned).collect())
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where.
    pub place: Place,
    /// What.
    pub fault: Fault,
}
