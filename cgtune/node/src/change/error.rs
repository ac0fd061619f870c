//! Why a change was not made, or not undone.

use std::path::{Path, PathBuf};

use cgtune_core::{control::ApplyError, plan::Difference, text::Escaped};

use crate::journal::JournalError;

/// An error of a change.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// It cannot be planned, or reads back as something else.
    #[error("{}", shown(.path))]
    Apply {
        /// The group.
        path: PathBuf,
        /// Why.
        #[source]
        cause: Box<ApplyError<cgtune_sys::Error>>,
    },
    /// The kernel refused.
    #[error("{}", shown(.path))]
    Kernel {
        /// The group.
        path: PathBuf,
        /// Its answer.
        #[source]
        source: cgtune_sys::Error,
    },
    /// The group is no longer as it was when the change was planned.
    #[error("{} was changed by somebody else since the plan was shown; nothing was written", shown(.path))]
    Overtaken {
        /// The group.
        path: PathBuf,
    },
    /// Somebody asked to stop.
    #[error("interrupted")]
    Stopped,
    /// It failed, and the earlier state is there again.
    #[error("the change failed, and the earlier state is restored")]
    TakenBack {
        /// Why.
        #[source]
        cause: Box<ChangeError>,
    },
    /// It failed, and so did the way back.
    #[error("change {id} failed, and the earlier state could NOT be restored ({way})")]
    Stuck {
        /// Its entry.
        id: u64,
        /// Why it failed.
        #[source]
        cause: Box<ChangeError>,
        /// Why the way back failed.
        way: Box<ChangeError>,
    },
    /// The group is gone, or another one of that name is there.
    #[error("{} {}, so there is nothing to undo", shown(.path), if *.made_anew { "was removed and made anew" } else { "is gone" })]
    Gone {
        /// The group.
        path: PathBuf,
        /// Whether there is another of that name.
        made_anew: bool,
    },
    /// The machine has been started anew since, which forgets every cgroup.
    #[error("{} was changed before the machine's last start, so there is nothing to undo", shown(.path))]
    EarlierBoot {
        /// The group.
        path: PathBuf,
    },
    /// A newer change of ours lies over it.
    #[error("change {newer} of ours is newer than change {id} and about the same: it is undone first")]
    Overlaid {
        /// Its entry.
        id: u64,
        /// The newer one's.
        newer: u64,
    },
    /// Somebody else has changed it since.
    #[error("{} was changed by somebody else since", shown(.path))]
    Changed {
        /// The group.
        path: PathBuf,
        /// Against what the change left.
        differences: Vec<Difference>,
    },
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

fn shown(path: &Path) -> Escaped<'_> {
    Escaped(path.as_os_str().as_encoded_bytes())
}
