//! The journal of our changes: what was there before, written and synced before the first write.
//!
//! One file an entry, replaced as a whole when its state changes. Whoever is killed at any moment leaves an entry from
//! which the next call knows every state that the group can be in: the plan's writes are in it, and what each leaves is
//! a pure function. One lock for all that change something; reading takes none.
//!
//! An entry is about a cgroup by its inode and boot, not by its path: a group that was removed and made again is
//! another one, and entries of an earlier boot are history only.

mod bytes;
mod entry;
mod error;

use std::{
    ffi::OsString,
    fs::{self, File, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use cgtune_sys::{
    HostRoot,
    durable::{self, Existing},
    facts,
};

pub use entry::{Entry, Group, Reached, State};
pub use error::JournalError;

/// The file that is locked.
const LOCK: &str = "lock";
/// How often a lock is asked for while another holds it.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// A folder of entries.
#[derive(Debug, Clone)]
pub struct Journal {
    folder: PathBuf,
}

/// What a journal holds.
#[derive(Debug, Default)]
pub struct Contents {
    /// The entries, oldest first.
    pub entries: Vec<Entry>,
    /// Files that are no entries of this version: they are reported, and never touched.
    pub damaged: Vec<JournalError>,
}

impl Journal {
    /// The journal in a folder, which need not be there yet.
    #[must_use]
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Where it is by convention: `/var/lib/cgtune/journal` of the node for root, `$XDG_STATE_HOME/cgtune` for others.
    ///
    /// # Errors
    /// [`JournalError::Homeless`] where neither root nor a home folder is known.
    pub fn usual(host: &HostRoot) -> Result<Self, JournalError> {
        if facts::is_root() {
            return Ok(Self::at(host.join("/var/lib/cgtune/journal")));
        }
        let set = |name: &str| std::env::var_os(name).filter(|value: &OsString| !value.is_empty());
        let state = set("XDG_STATE_HOME")
            .map(PathBuf::from)
            .or_else(|| Some(Path::new(&set("HOME")?).join(".local/state")))
            .ok_or(JournalError::Homeless)?;
        Ok(Self::at(state.join("cgtune")))
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Everything in it; nothing where there is no folder yet.
    ///
    /// # Errors
    /// A folder that cannot be read. A file that cannot be read is among the damaged.
    pub fn read(&self) -> Result<Contents, JournalError> {
        let mut contents = Contents::default();
        for (id, path) in self.files()? {
            match Entry::read(&path, id) {
                Ok(entry) => contents.entries.push(entry),
                Err(error) => contents.damaged.push(error),
            }
        }
        Ok(contents)
    }

    /// The files that are named like entries, in order.
    fn files(&self) -> Result<Vec<(u64, PathBuf)>, JournalError> {
        let failed = |source| JournalError::Io { verb: "read", path: self.folder.clone(), source };
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(failed)?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            let id = path.file_name().and_then(|name| name.to_str()?.strip_suffix(".json")?.parse().ok());
            files.extend(id.map(|id| (id, path)));
        }
        files.sort();
        Ok(files)
    }

    /// The right to change something, alone. Waits so long for another that has it; `waiting` is told once, with that one's
    /// process id.
    ///
    /// # Errors
    /// [`JournalError::Busy`]; a folder that cannot be made or written.
    pub fn lock(&self, patience: Duration, waiting: &mut dyn FnMut(&str)) -> Result<Writer, JournalError> {
        let path = self.folder.join(LOCK);
        let failed = |source| JournalError::Io { verb: "write", path: path.clone(), source };
        fs::create_dir_all(&self.folder).map_err(|source| JournalError::Io {
            verb: "make",
            path: self.folder.clone(),
            source,
        })?;
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        let deadline = Instant::now() + patience;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(source)) => return Err(failed(source)),
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    file.rewind().and_then(|()| file.read_to_string(&mut holder)).map_err(failed)?;
                    if Instant::now() >= deadline {
                        return Err(JournalError::Busy { holder: holder.trim().to_owned() });
                    }
                    if !told {
                        waiting(holder.trim());
                        told = true;
                    }
                    std::thread::sleep(ASK_AGAIN);
                }
            }
        }
        // For whoever waits; a stale number tells nothing, since the lock goes with its process.
        file.rewind()
            .and_then(|()| file.set_len(0))
            .and_then(|()| writeln!(file, "{}", std::process::id()))
            .map_err(failed)?;
        Ok(Writer { journal: self.clone(), _lock: file })
    }
}

/// A journal that is ours to write, until this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct Writer {
    journal: Journal,
    _lock: File,
}

impl Writer {
    /// The journal.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// Adds an entry under the next number. It is on disk when this returns.
    ///
    /// # Errors
    /// The disk's refusal; then nothing may be written to a cgroup either.
    pub fn begin(&self, mut entry: Entry) -> Result<Entry, JournalError> {
        entry.id = self.journal.files()?.last().map_or(1, |(id, _)| id.saturating_add(1));
        self.write(&entry, Existing::Kept)?;
        Ok(entry)
    }

    /// Replaces an entry.
    ///
    /// # Errors
    /// The disk's refusal; the entry is then as it was.
    pub fn save(&self, entry: &Entry) -> Result<(), JournalError> {
        self.write(entry, Existing::Replaced)
    }

    fn write(&self, entry: &Entry, existing: Existing) -> Result<(), JournalError> {
        let path = self.journal.folder.join(format!("{:06}.json", entry.id));
        let failed = |source| JournalError::Io { verb: "write", path: path.clone(), source };
        let mut bytes = serde_json::to_vec_pretty(entry).map_err(|error| failed(error.into()))?;
        bytes.push(b'\n');
        durable::write(&path, &bytes, existing).map_err(failed)
    }
}
