//! SHA256SUMS: what was written, so that a flipped bit is found before it becomes a result.
//!
//! A record is written before its sum. Of a writer that was killed in between there is a record without a sum, which is as good as
//! any; [`Sums::seal`] lists it when the run goes on. Folders of earlier versions have no sums at all.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use cgtune_sys::durable::Existing;
use sha2::{Digest as _, Sha256};

use super::{BLOCKS, MACHINE, PILOTS, PLAN, StoreError, read::entries, write_file};

/// The file's name, as people who publish files use it.
const SUMS: &str = "SHA256SUMS";

/// The sums of one results folder, by name relative to it.
#[derive(Debug, Default)]
pub(super) struct Sums {
    by_name: BTreeMap<String, String>,
}

impl Sums {
    /// Reads them; none where there is no such file.
    pub(super) fn read(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(SUMS);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(StoreError::Read { path, source }),
        };
        let mut by_name = BTreeMap::new();
        for (line, text) in (1..).zip(text.lines()) {
            let parts = text.split_once("  ").filter(|(sum, name)| {
                sum.len() == 64 && sum.bytes().all(|b| b.is_ascii_hexdigit()) && !name.is_empty()
            });
            let Some((sum, name)) = parts else { return Err(StoreError::Sums { path, line }) };
            by_name.insert(name.to_owned(), sum.to_ascii_lowercase());
        }
        Ok(Self { by_name })
    }

    /// Adds a file.
    pub(super) fn add(&mut self, name: &str, bytes: &[u8]) {
        self.by_name.insert(name.to_owned(), sum(bytes));
    }

    /// Writes them.
    pub(super) fn write(&self, folder: &Path) -> Result<(), StoreError> {
        let lines: String = self.by_name.iter().map(|(name, sum)| format!("{sum}  {name}\n")).collect();
        write_file(&folder.join(SUMS), lines.as_bytes(), Existing::Replaced)
    }

    /// Compares a file's bytes with what was written; a file without a sum passes.
    pub(super) fn check(&self, folder: &Path, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let name = path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned();
        let Some(expected) = self.by_name.get(&name) else { return Ok(()) };
        let found = sum(bytes);
        if found == *expected {
            return Ok(());
        }
        Err(StoreError::Altered { path: path.to_owned(), found, expected: expected.clone() })
    }

    /// Whether all that is listed is there.
    pub(super) fn check_presence(&self, folder: &Path) -> Result<(), StoreError> {
        let gone = self.by_name.keys().map(|name| folder.join(name)).find(|path| !path.exists());
        gone.map_or(Ok(()), |path| Err(StoreError::Lost { path }))
    }

    /// Lists the records that are not listed, where there are sums at all. Whether there was one.
    pub(super) fn seal(&mut self, folder: &Path) -> Result<bool, StoreError> {
        if self.by_name.is_empty() {
            return Ok(false);
        }
        let mut names: Vec<PathBuf> = [PLAN, MACHINE].map(PathBuf::from).to_vec();
        for inner in [BLOCKS, PILOTS] {
            let found = entries(&folder.join(inner))?;
            let records = found.iter().filter_map(|path| path.file_name());
            let records = records.filter(|name| name.as_encoded_bytes().ends_with(b".json"));
            names.extend(records.map(|name| Path::new(inner).join(name)));
        }
        let mut added = false;
        for name in names {
            let key = name.to_string_lossy().into_owned();
            if !self.by_name.contains_key(&key) {
                let path = folder.join(&name);
                let bytes = fs::read(&path).map_err(|source| StoreError::Read { path, source })?;
                self.add(&key, &bytes);
                added = true;
            }
        }
        Ok(added)
    }
}

fn sum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_sha256sum() {
        // printf abc | sha256sum
        assert_eq!(sum(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn what_is_no_list_of_sums_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let good = format!("{}  plan.json\n", sum(b"x"));
        fs::write(folder.path().join(SUMS), format!("{good}rubbish\n")).unwrap();
        assert!(matches!(Sums::read(folder.path()), Err(StoreError::Sums { line: 2, .. })));
        fs::write(folder.path().join(SUMS), good).unwrap();
        let sums = Sums::read(folder.path()).unwrap();
        let path = folder.path().join("plan.json");
        sums.check(folder.path(), &path, b"x").unwrap();
        assert!(matches!(sums.check(folder.path(), &path, b"y"), Err(StoreError::Altered { .. })));
        assert!(matches!(sums.check_presence(folder.path()), Err(StoreError::Lost { .. })));
    }
}
