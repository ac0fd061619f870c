//! Single files of a machine: there with a value, not there, or broken.

use std::{
    cell::RefCell,
    fs, io,
    path::{Path, PathBuf},
};

use cgtune_core::{
    CpuSet,
    parse::{ParseError, lists},
};

use super::MachineError;
use crate::{
    Error, HostRoot,
    error::{Action, Shown},
};

/// Of a list or a number no more than this is read: all CPUs that there may be, each named, take less.
const MOST: u64 = 1 << 20;

/// The files of one machine, and what was wrong with those that only add to the picture.
pub(super) struct Files<'a> {
    host: &'a HostRoot,
    passed_over: RefCell<Vec<String>>,
}

impl<'a> Files<'a> {
    pub(super) fn new(host: &'a HostRoot) -> Self {
        Self { host, passed_over: RefCell::default() }
    }

    pub(super) fn host(&self) -> &'a HostRoot {
        self.host
    }

    /// As it is reached from here, for messages.
    pub(super) fn shown(&self, path: &str) -> Shown {
        Shown(self.host.join(path))
    }

    /// The bytes of a file. `None`: it is not there.
    pub(super) fn bytes(&self, path: &str) -> Result<Option<Vec<u8>>, MachineError> {
        self.start(path, MOST)
    }

    /// No more than so many from its beginning.
    pub(super) fn start(&self, path: &str, most: u64) -> Result<Option<Vec<u8>>, MachineError> {
        let file = self.host.join(path);
        // In a captured tree anything may stand there; a pipe would be waited for.
        if let Ok(found) = file.metadata()
            && !found.is_file()
        {
            let odd = if found.is_dir() { io::ErrorKind::IsADirectory } else { io::ErrorKind::InvalidInput };
            return Err(Error::io(Action::Read, file, odd).into());
        }
        match self.host.read_start(path, most) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if is_absent(&error) => match broken_link(&file) {
                Some(link) => Err(MachineError::BrokenLink { path: Shown(link) }),
                None => Ok(None),
            },
            Err(error) => Err(Error::io(Action::Read, file, error).into()),
        }
    }

    /// What a file means. `None`: it is not there.
    pub(super) fn parsed<T>(
        &self,
        path: &str,
        parser: impl FnOnce(&[u8]) -> Result<T, ParseError>,
    ) -> Result<Option<T>, MachineError> {
        let Some(bytes) = self.bytes(path)? else { return Ok(None) };
        let format = |source| Error::Format { path: self.shown(path), source };
        Ok(Some(parser(&bytes).map_err(format)?))
    }

    pub(super) fn list(&self, path: &str) -> Result<Option<CpuSet>, MachineError> {
        self.parsed(path, lists::parse)
    }

    /// The same of a file that only adds to the picture: what is wrong with it becomes a note.
    pub(super) fn aside<T>(
        &self,
        path: &str,
        parser: impl FnOnce(&[u8]) -> Result<T, ParseError>,
    ) -> Option<T> {
        match self.parsed(path, parser) {
            Ok(value) => value,
            Err(error) => {
                self.passed_over.borrow_mut().push(sentence(&error));
                None
            }
        }
    }

    /// What was wrong with files that only add to the picture. One stands for many.
    pub(super) fn notes(self) -> Option<String> {
        let passed_over = self.passed_over.into_inner();
        let first = passed_over.first()?;
        Some(match passed_over.len() - 1 {
            0 => format!("passed over: {first}"),
            more => format!("passed over: {first}; and {more} more"),
        })
    }
}

/// An error with its causes.
pub(super) fn sentence(error: &MachineError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        let next_text = next.to_string();
        if !text.contains(&next_text) {
            text += &format!(": {next_text}");
        }
        cause = next.source();
    }
    text
}

/// ENOTSUP: the file is there on kernels that have nothing to say in it.
fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound || error.raw_os_error() == Some(nix::libc::ENOTSUP)
}

/// The first part of a path that is a link and leads nowhere.
fn broken_link(path: &Path) -> Option<PathBuf> {
    let is_broken = |part: &&Path| {
        fs::symlink_metadata(part).is_ok_and(|found| found.is_symlink()) && fs::metadata(part).is_err()
    };
    let mut parts: Vec<&Path> = path.ancestors().collect();
    parts.reverse();
    parts.iter().find(|part| is_broken(part)).map(|part| part.to_path_buf())
}
