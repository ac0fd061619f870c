//! Writing: whole files, synced, and records only once.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::{BLOCKS, MACHINE, PILOTS, PLAN, RUN, SUMMARY, StoreError, json};
use crate::{
    plan::Plan,
    record::{Block, Machine, RunRecord},
    summary::Summary,
};

/// A results folder that is being filled.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

/// Whether a file that is there may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteKind {
    /// Raw records: never.
    Once,
    /// The state of the run, and whatever is derived.
    Replace,
}

impl Folder {
    /// Makes the folder, with its parents. It may be there, as long as it holds no plan.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when it holds a run already, [`StoreError::Write`] when it cannot be made.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let folder = Self::open(path);
        let plan = folder.path.join(PLAN);
        if plan.exists() {
            return Err(StoreError::Exists { path: plan });
        }
        for name in [BLOCKS, PILOTS] {
            let path = folder.path.join(name);
            fs::create_dir_all(&path).map_err(|source| StoreError::Write { path, source })?;
        }
        Ok(folder)
    }

    /// A folder that is there, to write what is derived from its records.
    #[must_use]
    pub fn open(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the plan, once.
    ///
    /// # Errors
    /// [`StoreError`], with the file's name.
    pub fn write_plan(&self, plan: &Plan) -> Result<(), StoreError> {
        self.write(PLAN, plan, WriteKind::Once)
    }

    /// Writes the machine's facts, once.
    ///
    /// # Errors
    /// [`StoreError`], with the file's name.
    pub fn write_machine(&self, machine: &Machine) -> Result<(), StoreError> {
        self.write(MACHINE, machine, WriteKind::Once)
    }

    /// Writes or replaces the state of the run. Write it before the first block, with `partial` set, and again after
    /// each: then whatever ends the run leaves a folder that can be read.
    ///
    /// # Errors
    /// [`StoreError`], with the file's name.
    pub fn write_run(&self, run: &RunRecord) -> Result<(), StoreError> {
        self.write(RUN, run, WriteKind::Replace)
    }

    /// Writes a block, once: `blocks/007-limit-burst.json`. The path says where.
    ///
    /// # Errors
    /// [`StoreError`], with the file's name.
    pub fn write_block(&self, block: &Block) -> Result<PathBuf, StoreError> {
        let name = format!("{BLOCKS}/{:03}-{}.json", block.index, block.condition.slug());
        self.write(&name, block, WriteKind::Once)?;
        Ok(self.path.join(name))
    }

    /// Writes a pilot, once: `pilots/000.json`.
    ///
    /// # Errors
    /// [`StoreError`], with the file's name.
    pub fn write_pilot(&self, pilot: &Block) -> Result<(), StoreError> {
        self.write(&format!("{PILOTS}/{:03}.json", pilot.index), pilot, WriteKind::Once)
    }

    /// Writes or replaces the summary.
    ///
    /// # Errors
    /// [`StoreError`], with the file's name.
    pub fn write_summary(&self, summary: &Summary) -> Result<(), StoreError> {
        self.write(SUMMARY, summary, WriteKind::Replace)
    }

    fn write<T: Serialize>(&self, name: &str, value: &T, kind: WriteKind) -> Result<(), StoreError> {
        let path = self.path.join(name);
        let bytes =
            json::to_bytes(value).map_err(|source| StoreError::Serialize { path: path.clone(), source })?;
        write_file(&path, &bytes, kind)
    }
}

/// Writes beside the place, syncs, renames, and syncs the folder, without which the name may be lost with the power.
pub(crate) fn write_file(path: &Path, bytes: &[u8], kind: WriteKind) -> Result<(), StoreError> {
    let failed = |source| StoreError::Write { path: path.to_owned(), source };
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = builder().tempfile_in(folder).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    let renamed = match kind {
        WriteKind::Once => file.persist_noclobber(path),
        WriteKind::Replace => file.persist(path),
    };
    renamed.map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => StoreError::Exists { path: path.to_owned() },
        _ => failed(error.error),
    })?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed)
}

/// Results are to be read by others: what the umask leaves of rw-rw-rw-, not the rw------- of a temporary file.
fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".writing-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder
}
