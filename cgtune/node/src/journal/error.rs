//! What goes wrong with the journal, with the file.

use std::{io, path::PathBuf};

use cgtune_core::text::Escaped;

/// An error of the journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A file or folder.
    #[error("cannot {verb} {}", shown(.path))]
    Io {
        /// What was tried.
        verb: &'static str,
        /// On what.
        path: PathBuf,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
    /// A file that is no entry.
    #[error("{} is no journal entry of this version: {reason}", shown(.path))]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Somebody else is changing something.
    #[error("another cgtune{} is changing something", if .holder.is_empty() { String::new() } else { format!(" (process {})", Escaped(.holder.as_bytes())) })]
    Busy {
        /// Its process id, as it says.
        holder: String,
    },
    /// No folder for it.
    #[error("no place for the journal: neither XDG_STATE_HOME nor HOME is set")]
    Homeless,
}

fn shown(path: &std::path::Path) -> String {
    Escaped(path.as_os_str().as_encoded_bytes()).to_string()
}
