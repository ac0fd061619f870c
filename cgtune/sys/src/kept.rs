//! A file kept open and read again and again: one `pread` a reading, into one buffer.
//!
//! Opening, reading and closing costs several times as much, and a kept descriptor notices that its cgroup is gone.

use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use cgtune_core::{Nanos, parse::ParseError};
use nix::errno::Errno;

use crate::{
    clock,
    dir::Dir,
    error::{Action, Error, Shown},
    host::errno,
    tape::{Tape, Verb},
};

/// An open kernel file that holds one record (`cpu.stat` and its kin).
#[derive(Debug)]
pub struct KeptFile {
    file: File,
    path: PathBuf,
    buffer: Vec<u8>,
    tape: Option<Taped>,
}

/// What a tape adds: the bytes as they are on it, and when they were read.
#[derive(Debug)]
struct Taped {
    tape: Tape,
    bytes: Vec<u8>,
    at: Nanos,
}

/// First size of the buffer; a `cpu.stat` is about 200 bytes.
const FIRST_SIZE: usize = 1024;

impl KeptFile {
    /// Opens a file of a cgroup. `None`: this kernel does not provide it here.
    ///
    /// # Errors
    /// As [`Dir::open`].
    pub fn open(dir: &Dir, name: &str) -> Result<Option<Self>, Error> {
        Ok(dir.open(name)?.map(|file| Self {
            file,
            path: dir.path().join(name),
            buffer: Vec::new(),
            tape: dir.tape().map(|tape| Taped { tape: tape.clone(), bytes: Vec::new(), at: Nanos::ZERO }),
        }))
    }

    /// Reads the file anew.
    ///
    /// # Errors
    /// [`Error::Gone`] once the cgroup has been removed; the kernel's refusal.
    pub fn read(&mut self) -> Result<&[u8], Error> {
        let Self { file, path, buffer, tape } = self;
        let read = match tape {
            None => live(file, buffer),
            Some(Taped { tape, bytes, at }) => {
                let (answer, when) = tape.bytes(Verb::Read, path, || live(file, buffer).map(<[u8]>::to_vec));
                *at = when;
                answer.map(|answer| {
                    *bytes = answer;
                    bytes.as_slice()
                })
            }
        };
        read.map_err(|errno| failed(path, errno))
    }

    /// When it was last read by [`KeptFile::read`], asked for right after that: CLOCK_MONOTONIC.
    #[must_use]
    pub fn instant(&self) -> Nanos {
        self.tape.as_ref().map_or_else(clock::now, |tape| tape.at)
    }

    /// Reads and parses.
    ///
    /// # Errors
    /// As [`KeptFile::read`]; [`Error::Format`] with the file's name.
    pub fn parse<T>(&mut self, parser: impl FnOnce(&[u8]) -> Result<T, ParseError>) -> Result<T, Error> {
        let parsed = parser(self.read()?);
        parsed.map_err(|source| Error::Format { path: Shown(self.path.clone()), source })
    }

    /// The same through a buffer that many files share.
    ///
    /// # Errors
    /// As [`KeptFile::parse`].
    pub fn parse_through<T>(
        &self,
        buffer: &mut Vec<u8>,
        parser: impl FnOnce(&[u8]) -> Result<T, ParseError>,
    ) -> Result<T, Error> {
        let parsed = match &self.tape {
            None => live(&self.file, buffer).map(parser),
            Some(Taped { tape, .. }) => {
                let (answer, _) =
                    tape.bytes(Verb::Read, &self.path, || live(&self.file, buffer).map(<[u8]>::to_vec));
                answer.map(|bytes| parser(&bytes))
            }
        };
        let parsed = parsed.map_err(|errno| failed(&self.path, errno))?;
        parsed.map_err(|source| Error::Format { path: Shown(self.path.clone()), source })
    }
}

fn failed(path: &Path, errno: Errno) -> Error {
    match errno {
        Errno::ENODEV => Error::Gone(Shown(path.parent().unwrap_or(path).to_owned())),
        errno => Error::io(Action::Read, path, errno),
    }
}

/// One call is enough: these files show one record, and `seq_read_iter` (fs/seq_file.c, 6.12) formats a whole record before
/// it copies any of it, so that only a full buffer can mean that something is missing.
fn live<'b>(file: &File, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], Errno> {
    if buffer.is_empty() {
        buffer.resize(FIRST_SIZE, 0);
    }
    loop {
        match file.read_at(buffer, 0) {
            Ok(n) if n < buffer.len() => return Ok(&buffer[..n]),
            Ok(n) => buffer.resize(n * 2, 0),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(errno(&error)),
        }
    }
}
