//! What can be wrong with a results folder, with the file's name and place.

use std::{io, path::PathBuf};

/// Why a results folder could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A record that is already there. Records are written once.
    #[error("cannot write {}: there is a record already, and records are never changed", path.display())]
    Exists {
        /// Which.
        path: PathBuf,
    },
    /// Somebody else is writing there.
    #[error("{} is in use: another cgbench is running there", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// A record whose bytes have changed.
    #[error(
        "{} is not what was written: its SHA-256 begins with {found:.12}, and SHA256SUMS says {expected:.12}",
        path.display()
    )]
    Altered {
        /// Which file.
        path: PathBuf,
        /// Of its bytes, in hexadecimal.
        found: String,
        /// Of what was written.
        expected: String,
    },
    /// A record that is listed and gone.
    #[error("{} is gone: SHA256SUMS says that it was written", path.display())]
    Lost {
        /// Which file.
        path: PathBuf,
    },
    /// A list of sums that is none.
    #[error("{}, line {line}: a SHA-256 in hexadecimal, two spaces and a name are needed", path.display())]
    Sums {
        /// Which file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// The file ends in the middle of the record.
    #[error("{}: the record is cut short at line {line}, column {column}", path.display())]
    CutShort {
        /// Which file.
        path: PathBuf,
        /// Its last line, from 1.
        line: usize,
        /// The last byte of that line, from 1.
        column: usize,
    },
    /// Not JSON, or not of this shape.
    #[error("{}, line {line}, column {column}: {what}", path.display())]
    Json {
        /// Which file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Byte in the line, from 1.
        column: usize,
        /// What is wrong there.
        what: String,
    },
    /// Another format, or another version of it.
    #[error("{}: its schema is \"{found}\", this version reads \"{expected}\"", path.display())]
    Schema {
        /// Which file.
        path: PathBuf,
        /// What the file says.
        found: String,
        /// What was expected.
        expected: &'static str,
    },
    /// Columns of one table that differ in length.
    #[error("{}: column {table}.{column} has {found} values where {expected} belong", path.display())]
    Columns {
        /// Which file.
        path: PathBuf,
        /// `frames` or `samples`.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// How long it is.
        found: usize,
        /// How long the table's first column is.
        expected: usize,
    },
    /// A value that has no JSON form.
    #[error("cannot write {} as JSON", path.display())]
    Serialize {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

impl StoreError {
    /// What to do next, where there is something to say.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Altered { .. } | Self::Lost { .. } => Some(
                "bring the file back; or remove it and its line in SHA256SUMS: `cgbench run --resume` then runs that block again"
                    .to_owned(),
            ),
            Self::Exists { path } if path.ends_with(super::PLAN) => Some(
                "choose another folder, or `cgbench run --resume` goes on with a run that was cut off".to_owned(),
            ),
            _ => None,
        }
    }

    /// From what the JSON parser says. Its own "at line 1 column 2" is taken off: line and column are said first.
    pub(super) fn json(path: PathBuf, error: &serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        if error.is_eof() {
            return Self::CutShort { path, line, column };
        }
        let text = error.to_string();
        let what = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text).to_owned();
        Self::Json { path, line, column, what }
    }
}
