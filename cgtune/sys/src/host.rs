//! The node: the folder below which its /proc and /sys are found, and how they are read: as they are, onto a tape, or from one.
//!
//! Whatever is read of a node comes through here or through [`Dir`](crate::dir::Dir), and so does the time.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{self, Read as _},
    os::unix::ffi::OsStrExt as _,
    path::{Component, Path, PathBuf},
};

use cgtune_core::Nanos;
use nix::errno::Errno;

use crate::{
    clock,
    tape::{Recorded, Tape, Verb},
};

/// The folder below which the host's /proc and /sys are found: `/`, or `/host` in a debug pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRoot {
    root: PathBuf,
    /// Whether the folder holds what is below the host's /sys.
    sys: bool,
    tape: Option<Tape>,
}

impl Default for HostRoot {
    fn default() -> Self {
        Self::new("/")
    }
}

impl HostRoot {
    /// Another root than `/`.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), sys: false, tape: None }
    }

    /// A folder that is a host's /sys: what was captured of one that isn't here. Nothing else of the host is there.
    #[must_use]
    pub fn of_sys(folder: impl Into<PathBuf>) -> Self {
        Self { sys: true, ..Self::new(folder) }
    }

    /// The same node, and what is read of it from now on goes onto a tape of at most so many bytes in memory.
    #[must_use]
    pub fn recorded(self, most: usize) -> Self {
        let tape = Some(Tape::record(&self.root, most));
        Self { tape, ..self }
    }

    /// A node that is no more: its files below this folder, and what was read of them when.
    #[must_use]
    pub fn played(root: impl Into<PathBuf>, recorded: Recorded) -> Self {
        let root = root.into();
        let tape = Some(Tape::play(&root, recorded));
        Self { root, sys: false, tape }
    }

    /// The tape so far, which begins anew. `None`: nothing is recorded here.
    #[must_use]
    pub fn take_tape(&self) -> Option<Recorded> {
        self.tape.as_ref().filter(|tape| !tape.is_playing()).map(Tape::take)
    }

    /// Whether the tape has become longer than was allowed; it is no longer whole then.
    #[must_use]
    pub fn is_tape_full(&self) -> bool {
        self.tape.as_ref().is_some_and(Tape::is_full)
    }

    /// Whether this is no live node.
    #[must_use]
    pub fn is_played(&self) -> bool {
        self.tape.as_ref().is_some_and(Tape::is_playing)
    }

    /// An absolute path of the host, as it is reached from here.
    #[must_use]
    pub fn join(&self, absolute: impl AsRef<Path>) -> PathBuf {
        // What a captured node calls a mount point must not lead out of it; the kernel never writes `..` there.
        let names = absolute.as_ref().components().filter(|part| matches!(part, Component::Normal(_)));
        let path: PathBuf = names.collect();
        match path.strip_prefix("sys") {
            Ok(below) if self.sys => self.root.join(below),
            _ => self.root.join(path),
        }
    }

    /// The bytes of a file, by its absolute path on the host.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn read(&self, absolute: impl AsRef<Path>) -> io::Result<Vec<u8>> {
        let path = self.join(&absolute);
        self.answered(Verb::Read, absolute.as_ref(), || fs::read(path))
    }

    /// No more than so many bytes from the beginning of a file.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn read_start(&self, absolute: impl AsRef<Path>, most: u64) -> io::Result<Vec<u8>> {
        let path = self.join(&absolute);
        self.answered(Verb::Read, absolute.as_ref(), || start(&path, most))
    }

    /// The same of a file that holds what is nobody's business: onto a tape comes only what `reduce` leaves of it, and that is what
    /// is read then, too.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn read_reduced(
        &self,
        absolute: impl AsRef<Path>,
        most: u64,
        reduce: impl FnOnce(&[u8]) -> Vec<u8>,
    ) -> io::Result<Vec<u8>> {
        let path = self.join(&absolute);
        self.answered(Verb::Read, absolute.as_ref(), || {
            let bytes = start(&path, most)?;
            Ok(if self.tape.is_some() { reduce(&bytes) } else { bytes })
        })
    }

    /// What a service of the node says, named by a path that says which; it is no file. On a node that is no more nobody is
    /// asked who was not asked then.
    ///
    /// # Errors
    /// ENOENT where nobody was asked; what `live` fails with.
    pub fn ask(
        &self,
        absolute: impl AsRef<Path>,
        live: impl FnOnce() -> io::Result<Vec<u8>>,
    ) -> io::Result<Vec<u8>> {
        self.answered(Verb::Ask, absolute.as_ref(), || match self.is_played() {
            true => Err(Errno::ENOENT.into()),
            false => live(),
        })
    }

    /// A text file.
    ///
    /// # Errors
    /// The kernel's refusal; [`io::ErrorKind::InvalidData`] where it isn't UTF-8.
    pub fn read_to_string(&self, absolute: impl AsRef<Path>) -> io::Result<String> {
        String::from_utf8(self.read(absolute)?).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
    }

    /// The names in a folder, in no order.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn list(&self, absolute: impl AsRef<Path>) -> io::Result<Vec<OsString>> {
        let path = self.join(&absolute);
        let names = self.answered(Verb::List, absolute.as_ref(), || {
            let names = fs::read_dir(path)?.flatten().map(|entry| entry.file_name());
            Ok(joined(names))
        })?;
        Ok(parted(&names).into_iter().filter(|name| is_name(name)).collect())
    }

    /// Whether something is there.
    #[must_use]
    pub fn exists(&self, absolute: impl AsRef<Path>) -> bool {
        let path = self.join(absolute);
        let found = path.metadata();
        if let (Ok(found), Some(tape)) = (&found, &self.tape) {
            tape.seen(&path, found.is_dir());
        }
        found.is_ok()
    }

    /// Looks for a folder.
    ///
    /// # Errors
    /// There is none, or it may not be seen whether there is.
    pub fn enter(&self, absolute: impl AsRef<Path>) -> io::Result<()> {
        let path = self.join(&absolute);
        let entered = self.answered(Verb::Enter, absolute.as_ref(), || match path.metadata()?.is_dir() {
            true => Ok(Vec::new()),
            false => Err(Errno::ENOTDIR.into()),
        });
        entered.map(drop)
    }

    /// Whether a folder is there.
    #[must_use]
    pub fn is_dir(&self, absolute: impl AsRef<Path>) -> bool {
        self.exists(&absolute) && self.join(absolute).is_dir()
    }

    /// CLOCK_MONOTONIC of the node.
    #[must_use]
    pub fn now(&self) -> Nanos {
        self.tape.as_ref().map_or_else(clock::now, Tape::now)
    }

    /// CLOCK_BOOTTIME of the node.
    #[must_use]
    pub fn since_boot(&self) -> Nanos {
        self.tape.as_ref().map_or_else(clock::since_boot, Tape::since_boot)
    }

    /// Sleeps until an instant of [`HostRoot::now`]; on a tape it is there at once.
    pub fn sleep_until(&self, instant: Nanos) {
        match &self.tape {
            Some(tape) => tape.sleep_until(instant),
            None => clock::sleep_until(instant),
        }
    }

    /// The mounts of cgroup file systems: our own, or those of the host's first process. With the path that was read.
    pub(crate) fn mounts(&self) -> (PathBuf, io::Result<Vec<u8>>) {
        const FIRST: &str = "/proc/1/mountinfo";
        let path = self.join(if self.root == Path::new("/") { "/proc/self/mountinfo" } else { FIRST });
        // On a tape under the name by which another root's are asked for, and without what is nobody's business.
        let mounts = self.answered(Verb::Read, Path::new(FIRST), || {
            let bytes = fs::read(&path)?;
            Ok(if self.tape.is_some() { of_cgroups(&bytes) } else { bytes })
        });
        (path, mounts)
    }

    pub(crate) fn tape(&self) -> Option<&Tape> {
        self.tape.as_ref()
    }

    fn answered(
        &self,
        verb: Verb,
        absolute: &Path,
        live: impl FnOnce() -> io::Result<Vec<u8>>,
    ) -> io::Result<Vec<u8>> {
        let Some(tape) = &self.tape else { return live() };
        let (answer, _) = tape.bytes(verb, &self.join(absolute), || live().map_err(|e| errno(&e)));
        Ok(answer?)
    }
}

fn start(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The kernel's number of an error; `EIO` for one that is not the kernel's.
pub(crate) fn errno(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

/// Names as one answer.
pub(crate) fn joined(names: impl Iterator<Item = OsString>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for name in names {
        bytes.extend_from_slice(name.as_bytes());
        bytes.push(0);
    }
    bytes
}

/// An answer as names.
pub(crate) fn parted(bytes: &[u8]) -> Vec<OsString> {
    let names = bytes.split(|&byte| byte == 0).filter(|name| !name.is_empty());
    names.map(|name| OsStr::from_bytes(name).to_owned()).collect()
}

/// The lines of a mountinfo (proc_pid_mountinfo(5)) that are about cgroups.
fn of_cgroups(mountinfo: &[u8]) -> Vec<u8> {
    let about = |line: &&[u8]| {
        [&b" - cgroup "[..], b" - cgroup2 "]
            .iter()
            .any(|kind| line.windows(kind.len()).any(|part| part == *kind))
    };
    mountinfo.split_inclusive(|&byte| byte == b'\n').filter(about).collect::<Vec<_>>().concat()
}

/// Only names that can be those of one file.
pub(crate) fn is_name(name: &OsStr) -> bool {
    Path::new(name).components().eq([Component::Normal(name)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_may_be_a_hosts_sys_itself() {
        let (whole, sys) = (HostRoot::new("/copy"), HostRoot::of_sys("/copy"));
        assert_eq!(whole.join("/sys/devices/system"), Path::new("/copy/sys/devices/system"));
        assert_eq!(sys.join("/sys/devices/system"), Path::new("/copy/devices/system"));
        assert_eq!(sys.join("/sys/../sys/x"), Path::new("/copy/sys/x"), "it never leads out");
    }

    #[test]
    fn names_survive_being_one_answer() {
        let names = ["a b", "c\nd", "é"].map(OsString::from);
        assert_eq!(parted(&joined(names.iter().cloned())), names);
        let odd = OsStr::from_bytes(&[0xff, b'x']).to_owned();
        assert_eq!(parted(&joined([odd.clone()].into_iter())), [odd]);
    }

    #[test]
    fn of_the_mounts_a_tape_holds_only_those_of_cgroups() {
        let mounts = b"1 2 0:3 / /secret rw - nfs server:/x rw\n4 5 0:6 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n";
        assert_eq!(of_cgroups(mounts), b"4 5 0:6 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n");
    }

    #[test]
    fn what_was_read_is_read_again_when_it_has_changed_or_gone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        fs::write(&file, "one").unwrap();
        let host = HostRoot::new(folder.path()).recorded(1 << 20);
        let procedure = |host: &HostRoot, change: &dyn Fn(u32)| {
            let first = host.read("/f").map_err(|e| e.kind());
            change(1);
            let second = host.read_to_string("/f").map_err(|e| e.kind());
            change(2);
            host.sleep_until(host.now());
            let third = host.read_start("/f", 1).map_err(|e| e.kind());
            let mut names = host.list("/").map_err(|e| e.kind()).unwrap();
            names.sort();
            (first, second, third, names, host.exists("/f"), host.now(), host.since_boot())
        };
        let live = procedure(&host, &|step| match step {
            1 => fs::write(&file, "two").unwrap(),
            _ => fs::remove_file(&file).unwrap(),
        });
        assert_eq!((&live.0, live.2.as_ref()), (&Ok(b"one".to_vec()), Err(&io::ErrorKind::NotFound)));
        let recorded = host.take_tape().unwrap();
        let played = HostRoot::played(folder.path(), recorded);
        assert_eq!(procedure(&played, &|_| {}), live);
    }

    #[test]
    fn a_tape_that_is_full_says_so_and_grows_no_more() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("f"), "x".repeat(100)).unwrap();
        let host = HostRoot::new(folder.path()).recorded(2000);
        for _ in 0..1000 {
            host.read("/f").unwrap();
        }
        assert!(host.is_tape_full());
        assert!(host.take_tape().unwrap().events.len() < 100);
    }
}
