//! The folder of drop-ins that a kubelet is given with `--config-dir`.
//!
//! Its files come in the order of Go's `filepath.WalkDir` (`mergeKubeletConfigurations`, cmd/kubelet/app/server.go, Kubernetes 1.35): by
//! their names, a folder's files where its own name stands, links to folders not followed. Names that don't end in `.conf` are passed over.

use std::{
    fs, io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};

use crate::{failure::Hinted, named::Named, streams::Streams};

/// Most bytes of all of them together.
const MOST_BYTES: u64 = 16 << 20;
/// Most things that are looked at in the folder: a kubelet has a few.
const MOST_ENTRIES: usize = 10_000;

/// Which drop-ins are meant.
#[derive(Debug, clap::Args)]
pub(super) struct DropIns {
    /// Lay the kubelet's drop-ins over it: files ending in .conf below this folder
    #[arg(long, value_name = "DIR")]
    config_dir: Option<PathBuf>,
}

/// A drop-in: how it is called, and what is in it.
pub(super) struct DropIn {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
}

impl DropIns {
    /// Whether a folder is named.
    pub(super) fn asked(&self) -> bool {
        self.config_dir.is_some()
    }

    /// All of them, in their order; `None` where no folder is named. What is passed over for its name is told, since who put it there meant something by it.
    pub(super) fn read(&self, streams: &mut Streams<'_>) -> anyhow::Result<Option<Vec<DropIn>>> {
        let Some(folder) = &self.config_dir else { return Ok(None) };
        let name = Named(folder).name();
        let about = fs::symlink_metadata(folder).with_context(|| format!("cannot read {name}"))?;
        if about.is_symlink() {
            let error = anyhow!("--config-dir: {name} is a link, and the kubelet looks at nothing behind it");
            return Err(Hinted::new(error, "name the folder itself, here and to the kubelet").into());
        }
        let mut found = Found::default();
        walk(folder, &mut found).with_context(|| format!("cannot read {name}"))?;
        if let Some(first) = found.others.first() {
            let more = match found.others.len() {
                1 => " is".to_owned(),
                count => format!(" and {} more are", count - 1),
            };
            let first = Named(first).name();
            streams.warn(&format!(
                "{first}{more} passed over, as by the kubelet: the name does not end in .conf"
            ))?;
        }
        let (mut read, mut bytes) = (Vec::new(), 0_u64);
        for path in found.drop_ins {
            let one = Named(&path).read("a kubelet's drop-in", MOST_BYTES)?;
            bytes = bytes.saturating_add(one.len() as u64);
            if bytes > MOST_BYTES {
                let error =
                    anyhow!("cannot read {name}: its files have more than {} MiB together", MOST_BYTES >> 20);
                return Err(Hinted::new(
                    error,
                    "a kubelet's drop-ins are far smaller; is it the right folder?",
                )
                .into());
            }
            read.push(DropIn { path, bytes: one });
        }
        Ok(Some(read))
    }
}

#[derive(Default)]
struct Found {
    drop_ins: Vec<PathBuf>,
    /// Files with other names.
    others: Vec<PathBuf>,
    entries: usize,
}

fn walk(folder: &Path, found: &mut Found) -> io::Result<()> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder)? {
        entries.push(entry?);
        found.entries += 1;
        if found.entries > MOST_ENTRIES {
            return Err(io::Error::other(format!("more than {MOST_ENTRIES} files and folders are in it")));
        }
    }
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), found)?;
        } else if entry.file_name().as_bytes().ends_with(b".conf") {
            found.drop_ins.push(entry.path());
        } else {
            found.others.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_by_name_and_those_of_a_folder_where_its_name_stands() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("20-sub/deeper")).unwrap();
        for name in [
            "30-c.conf",
            "10-a.conf",
            "20-sub/z.conf",
            "20-sub/deeper/a.conf",
            "20-a.conf",
            ".conf",
            "9.yaml",
        ] {
            fs::write(at(name), "").unwrap();
        }
        std::os::unix::fs::symlink("20-sub", at("40-link")).unwrap();
        let mut found = Found::default();
        walk(folder.path(), &mut found).unwrap();
        let names = |paths: &[PathBuf]| -> Vec<String> {
            paths.iter().map(|path| path.strip_prefix(folder.path()).unwrap().display().to_string()).collect()
        };
        let expected =
            [".conf", "10-a.conf", "20-a.conf", "20-sub/deeper/a.conf", "20-sub/z.conf", "30-c.conf"];
        assert_eq!(names(&found.drop_ins), expected);
        assert_eq!(names(&found.others), ["40-link", "9.yaml"], "a link to a folder is not followed");
    }
}
