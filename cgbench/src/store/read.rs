//! Reading, with errors that name the file and the place in it.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::DeserializeOwned};

use super::{BLOCKS, DOCTOR, MACHINE, PILOTS, PLAN, RUN, StoreError, sums::Sums};
use crate::{
    doctor::Doctor,
    plan::Plan,
    record::{Block, FrameTable, Machine, Records, RunRecord, SampleTable},
};

/// Reads the records of a results folder, of a finished run or of one that was cut off.
///
/// # Errors
/// The first file that is missing, broken, cut short, of another schema, or has columns that do not fit together.
pub fn read(folder: &Path) -> Result<Records, StoreError> {
    let reader = Reader { folder, sums: Sums::read(folder)? };
    let plan: Plan = reader.record(folder.join(PLAN), Plan::SCHEMA)?;
    let machine: Machine = reader.record(folder.join(MACHINE), Machine::SCHEMA)?;
    let run: RunRecord = reader.record(folder.join(RUN), RunRecord::SCHEMA)?;
    reader.sums.check_presence(folder)?;
    let pilots = reader.blocks(&folder.join(PILOTS))?;
    let tries = reader.blocks(&folder.join(BLOCKS))?;
    let doctor = reader.doctor()?;
    Ok(Records { doctor, ..Records::new(plan, machine, run, pilots, tries) })
}

/// Reads the plan of a results folder alone.
///
/// # Errors
/// As [`read`].
pub fn read_plan(folder: &Path) -> Result<Plan, StoreError> {
    Reader { folder, sums: Sums::read(folder)? }.record(folder.join(PLAN), Plan::SCHEMA)
}

/// The folders of runs in a folder: itself, or those beneath it that hold a plan, in order of name. None is no error: itself again,
/// and reading it will say what is missing.
///
/// # Errors
/// A folder that cannot be read.
pub fn runs(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let own = || vec![folder.to_owned()];
    if folder.join(PLAN).exists() {
        return Ok(own());
    }
    let failed = |source| StoreError::Read { path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.join(PLAN).exists() {
            found.push(path);
        }
    }
    found.sort();
    Ok(if found.is_empty() { own() } else { found })
}

/// Reads the records of one folder, and compares them with their sums.
struct Reader<'a> {
    folder: &'a Path,
    sums: Sums,
}

impl Reader<'_> {
    fn blocks(&self, folder: &Path) -> Result<Vec<Block>, StoreError> {
        let columns = |path: &Path, block: &Block| {
            check_frames(path, &block.frames)?;
            check_samples(path, &block.samples)
        };
        let read = |path| self.checked(path, Block::SCHEMA, columns);
        block_files(folder)?.into_iter().map(read).collect()
    }

    /// What the doctor found before the first block; `None` in a folder of a version that did not ask it, or of the model.
    fn doctor(&self) -> Result<Option<Doctor>, StoreError> {
        let path = self.folder.join(DOCTOR);
        if path.exists() { self.record(path, Doctor::SCHEMA).map(Some) } else { Ok(None) }
    }

    fn record<T: DeserializeOwned>(&self, path: PathBuf, expected: &'static str) -> Result<T, StoreError> {
        self.checked(path, expected, |_, _| Ok(()))
    }

    /// What a text itself shows to be wrong says more than a sum that does not fit, so that comes last.
    fn checked<T: DeserializeOwned>(
        &self,
        path: PathBuf,
        expected: &'static str,
        check: impl FnOnce(&Path, &T) -> Result<(), StoreError>,
    ) -> Result<T, StoreError> {
        let bytes = fs::read(&path).map_err(|source| StoreError::Read { path: path.clone(), source })?;
        let record = parsed(&path, &bytes, expected)?;
        check(&path, &record)?;
        self.sums.check(self.folder, &path, &bytes)?;
        Ok(record)
    }
}

/// The files of the blocks, in order of name. What is not ours (an editor's copy, a half-written file) is let be.
fn block_files(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut paths = Vec::new();
    for path in entries(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(|c: char| c.is_ascii_digit()) && name.ends_with(".json") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// What a folder for blocks holds. One that is not there held none: git keeps no empty folder, and whether a record is lost
/// is what the sums are for.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let failed = |source| StoreError::Read { path: folder.to_owned(), source };
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(error)),
        Ok(found) => found.map(|entry| entry.map(|entry| entry.path()).map_err(failed)).collect(),
    }
}

/// All that every record has.
#[derive(Deserialize)]
struct Header {
    schema: String,
}

fn parsed<T: DeserializeOwned>(path: &Path, bytes: &[u8], expected: &'static str) -> Result<T, StoreError> {
    // The schema first: of another format, "missing field" would be true and of no help.
    let header: Header = parse(path, bytes)?;
    if header.schema != expected {
        return Err(StoreError::Schema { path: path.to_owned(), found: header.schema, expected });
    }
    parse(path, bytes)
}

fn parse<T: DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(bytes).map_err(|error| StoreError::json(path.to_owned(), &error))
}

fn check_frames(path: &Path, table: &FrameTable) -> Result<(), StoreError> {
    let FrameTable { intended_ns, start_ns, end_ns, cpu_ns, kind, bits } = table;
    let always = [("start_ns", start_ns.len()), ("end_ns", end_ns.len()), ("cpu_ns", cpu_ns.len())];
    // A service's requests have neither.
    let of_frames = [("kind", kind.len()), ("bits", bits.len())].into_iter().filter(|(_, len)| *len > 0);
    check(path, "frames", intended_ns.len(), always.into_iter().chain(of_frames))
}

/// A counter that the kernel lacks is an empty column; any other is as long as the table.
fn check_samples(path: &Path, table: &SampleTable) -> Result<(), StoreError> {
    let SampleTable { at_ns, nr_periods, nr_throttled, throttled_ns, usage_ns } = table;
    let columns = [
        ("nr_periods", nr_periods.len()),
        ("nr_throttled", nr_throttled.len()),
        ("throttled_ns", throttled_ns.len()),
        ("usage_ns", usage_ns.len()),
    ];
    check(path, "samples", at_ns.len(), columns.into_iter().filter(|(_, len)| *len > 0))
}

fn check(
    path: &Path,
    table: &'static str,
    expected: usize,
    columns: impl IntoIterator<Item = (&'static str, usize)>,
) -> Result<(), StoreError> {
    columns.into_iter().find(|(_, len)| *len != expected).map_or(Ok(()), |(column, found)| {
        Err(StoreError::Columns { path: path.to_owned(), table, column, found, expected })
    })
}
