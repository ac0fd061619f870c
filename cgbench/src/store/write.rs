//! Writing: whole files, synced, and records only once.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use cgtune_sys::durable::{self, Existing};
use serde::Serialize;

use super::{
    BLOCKS, DOCTOR, EXPERIMENT, Lock, MACHINE, PILOTS, PLAN, RUN, SUMMARY, StoreError, json, sums::Sums,
};
use crate::{
    doctor::Doctor,
    plan::Plan,
    record::{Block, Machine, RunRecord},
    summary::Summary,
};

/// A results folder that is being filled.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
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
        folder.make_inner()?;
        Ok(folder)
    }

    fn make_inner(&self) -> Result<(), StoreError> {
        [BLOCKS, PILOTS].map(|name| self.path.join(name)).into_iter().try_for_each(|path| {
            fs::create_dir_all(&path).map_err(|source| StoreError::Write { path, source })
        })
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

    /// Takes the folder for whoever fills it, and makes it where it is not there yet.
    ///
    /// # Errors
    /// [`StoreError::InUse`] when another has it.
    pub fn lock(&self) -> Result<Lock, StoreError> {
        fs::create_dir_all(&self.path)
            .map_err(|source| StoreError::Write { path: self.path.clone(), source })?;
        Lock::take(&self.path)
    }

    /// Makes a folder whose writer was killed fit to be gone on with: what was being written goes, and what was written just then
    /// is listed in the sums. Only for who holds the lock.
    ///
    /// # Errors
    /// [`StoreError`], with the file's name.
    pub fn clear(&self) -> Result<(), StoreError> {
        self.make_inner()?;
        for folder in [self.path.clone(), self.path.join(BLOCKS), self.path.join(PILOTS)] {
            let failed = |source| StoreError::Write { path: folder.clone(), source };
            for entry in fs::read_dir(&folder).map_err(failed)? {
                let path = entry.map_err(failed)?.path();
                let name = path.file_name().unwrap_or_default().as_encoded_bytes();
                if name.starts_with(durable::BEING_WRITTEN.as_bytes()) {
                    fs::remove_file(&path)
                        .map_err(|source| StoreError::Write { path: path.clone(), source })?;
                }
            }
        }
        let mut sums = Sums::read(&self.path)?;
        if sums.seal(&self.path)? { sums.write(&self.path) } else { Ok(()) }
    }

    /// Writes what was asked for.
    ///
    /// # Errors
    /// [`StoreError`], with the file's name.
    pub fn write_experiment(&self, text: &str) -> Result<(), StoreError> {
        write_file(&self.path.join(EXPERIMENT), text.as_bytes(), Existing::Replaced)
    }

    /// Writes what the doctor found: beside what it found before, where a run goes on.
    ///
    /// # Errors
    /// [`StoreError`], with the file's name.
    pub fn write_doctor(&self, doctor: &Doctor) -> Result<(), StoreError> {
        let later = (1_u32..).map(|n| DOCTOR.replace(".json", &format!("-{n}.json")));
        let mut names = std::iter::once(DOCTOR.to_owned()).chain(later);
        let name = names.find(|name| !self.path.join(name).exists()).unwrap_or_else(|| DOCTOR.to_owned());
        self.write(&name, doctor, Existing::Kept)
    }

    /// Writes the plan, once.
    ///
    /// # Errors
    /// [`StoreError`], with the file's name.
    pub fn write_plan(&self, plan: &Plan) -> Result<(), StoreError> {
        self.write(PLAN, plan, Existing::Kept)
    }

    /// Writes the machine's facts, once.
    ///
    /// # Errors
    /// [`StoreError`], with the file's name.
    pub fn write_machine(&self, machine: &Machine) -> Result<(), StoreError> {
        self.write(MACHINE, machine, Existing::Kept)
    }

    /// Writes or replaces the state of the run. Write it before the first block, with `partial` set, and again after
    /// each: then whatever ends the run leaves a folder that can be read.
    ///
    /// # Errors
    /// [`StoreError`], with the file's name.
    pub fn write_run(&self, run: &RunRecord) -> Result<(), StoreError> {
        self.write(RUN, run, Existing::Replaced)
    }

    /// Writes a block, once: `blocks/007-limit-burst.json`. The path says where.
    ///
    /// # Errors
    /// [`StoreError`], with the file's name.
    pub fn write_block(&self, block: &Block) -> Result<PathBuf, StoreError> {
        let name = format!("{BLOCKS}/{:03}-{}.json", block.index, block.condition.slug());
        self.write(&name, block, Existing::Kept)?;
        Ok(self.path.join(name))
    }

    /// Writes a pilot, once: `pilots/000.json`.
    ///
    /// # Errors
    /// [`StoreError`], with the file's name.
    pub fn write_pilot(&self, pilot: &Block) -> Result<(), StoreError> {
        self.write(&format!("{PILOTS}/{:03}.json", pilot.index), pilot, Existing::Kept)
    }

    /// Writes or replaces the summary.
    ///
    /// # Errors
    /// [`StoreError`], with the file's name.
    pub fn write_summary(&self, summary: &Summary) -> Result<(), StoreError> {
        self.write(SUMMARY, summary, Existing::Replaced)
    }

    fn write<T: Serialize>(&self, name: &str, value: &T, existing: Existing) -> Result<(), StoreError> {
        let path = self.path.join(name);
        let bytes =
            json::to_bytes(value).map_err(|source| StoreError::Serialize { path: path.clone(), source })?;
        write_file(&path, &bytes, existing)?;
        if existing == Existing::Kept {
            let mut sums = Sums::read(&self.path)?;
            sums.add(name, &bytes);
            sums.write(&self.path)?;
        }
        Ok(())
    }
}

/// As [`durable::write`], with the file's name in the error.
pub(crate) fn write_file(path: &Path, bytes: &[u8], existing: Existing) -> Result<(), StoreError> {
    durable::write(path, bytes, existing).map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => StoreError::Exists { path: path.to_owned() },
        _ => StoreError::Write { path: path.to_owned(), source },
    })
}
