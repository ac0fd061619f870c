//! A file kept open and read again and again: one `pread` a reading, into one buffer.
//!
//! Opening, reading and closing costs several times as much, and a kept descriptor notices that its cgroup is gone.

use std::{fs::File, os::unix::fs::FileExt as _, path::PathBuf};

use cgtune_core::parse::ParseError;

use crate::{
    dir::Dir,
    error::{Action, Error, Shown},
};

/// An open kernel file that holds one record (`cpu.stat` and its kin).
#[derive(Debug)]
pub struct KeptFile {
    file: File,
    path: PathBuf,
    buffer: Vec<u8>,
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
            buffer: vec![0; FIRST_SIZE],
        }))
    }

    /// Reads the file anew.
    ///
    /// One call is enough: these files show one record, and `seq_read_iter` (fs/seq_file.c, 6.12) formats a whole record
    /// before it copies any of it, so that only a full buffer can mean that something is missing.
    ///
    /// # Errors
    /// [`Error::Gone`] once the cgroup has been removed; the kernel's refusal.
    pub fn read(&mut self) -> Result<&[u8], Error> {
        loop {
            match self.file.read_at(&mut self.buffer, 0) {
                Ok(n) if n < self.buffer.len() => return Ok(&self.buffer[..n]),
                Ok(n) => self.buffer.resize(n * 2, 0),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.raw_os_error() == Some(nix::libc::ENODEV) => {
                    let cgroup = self.path.parent().unwrap_or(&self.path);
                    return Err(Error::Gone(Shown(cgroup.to_owned())));
                }
                Err(error) => return Err(Error::io(Action::Read, &self.path, error)),
            }
        }
    }

    /// Reads and parses.
    ///
    /// # Errors
    /// As [`KeptFile::read`]; [`Error::Format`] with the file's name.
    pub fn parse<T>(&mut self, parser: impl FnOnce(&[u8]) -> Result<T, ParseError>) -> Result<T, Error> {
        let parsed = parser(self.read()?);
        parsed.map_err(|source| Error::Format { path: Shown(self.path.clone()), source })
    }
}
