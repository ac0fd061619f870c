//! A file kept open and read again and again: one `pread` a reading, into one buffer.
//!
//! Opening, reading and closing costs several times as much, and a kept descriptor notices that its cgroup is gone.

use std::{
    fs::File,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

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
        Ok(dir.open(name)?.map(|file| Self { file, path: dir.path().join(name), buffer: Vec::new() }))
    }

    /// Reads the file anew.
    ///
    /// One call is enough: these files show one record, and `seq_read_iter` (fs/seq_file.c, 6.12) formats a whole record
    /// before it copies any of it, so that only a full buffer can mean that something is missing.
    ///
    /// # Errors
    /// [`Error::Gone`] once the cgroup has been removed; the kernel's refusal.
    pub fn read(&mut self) -> Result<&[u8], Error> {
        let Self { file, path, buffer } = self;
        fill(file, path, buffer)
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
        let parsed = parser(fill(&self.file, &self.path, buffer)?);
        parsed.map_err(|source| Error::Format { path: Shown(self.path.clone()), source })
    }
}

fn fill<'b>(file: &File, path: &Path, buffer: &'b mut Vec<u8>) -> Result<&'b [u8], Error> {
    if buffer.is_empty() {
        buffer.resize(FIRST_SIZE, 0);
    }
    loop {
        match file.read_at(buffer, 0) {
            Ok(n) if n < buffer.len() => return Ok(&buffer[..n]),
            Ok(n) => buffer.resize(n * 2, 0),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) if error.raw_os_error() == Some(nix::libc::ENODEV) => {
                return Err(Error::Gone(Shown(path.parent().unwrap_or(path).to_owned())));
            }
            Err(error) => return Err(Error::io(Action::Read, path, error)),
        }
    }
}
