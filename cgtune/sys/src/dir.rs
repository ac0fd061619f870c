//! A cgroup's directory as a descriptor; files are opened relative to it, so that nothing on the way can be swapped.
//!
//! A path is opened component by component without following links. The directory's inode is the cgroup's identity.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{self, Read as _, Write as _},
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::{Component, Path, PathBuf},
};

use nix::{
    dir::{Dir as Entries, Type},
    errno::Errno,
    fcntl::{OFlag, openat},
    sys::stat::{Mode, fstat},
};

use crate::{
    error::{Action, Error, Shown},
    host::{errno, is_name, joined, parted},
    tape::{Tape, Verb},
};

/// An open directory of a cgroup file system.
#[derive(Debug)]
pub struct Dir {
    fd: OwnedFd,
    path: PathBuf,
    tape: Option<Tape>,
}

const DIR_FLAGS: OFlag = OFlag::O_DIRECTORY.union(OFlag::O_CLOEXEC).union(OFlag::O_NOFOLLOW);

/// Errors that mean "this kernel does not provide this file here".
fn absent(errno: Errno) -> bool {
    // ENOTSUP: cpu.pressure opens and then fails to read where PSI is off (psi=1 is needed).
    matches!(errno, Errno::ENOENT | Errno::ENOTSUP)
}

impl Dir {
    /// Opens a mount point. Links on the way there are the administrator's and are followed.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn open_mount(mount_point: &Path) -> Result<Self, Error> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let fd = nix::fcntl::open(mount_point, flags, Mode::empty())
            .map_err(|errno| Error::io(Action::Open, mount_point, errno))?;
        Ok(Self { fd, path: mount_point.to_owned(), tape: None })
    }

    /// What is read in it and below it goes onto this tape, or comes from it.
    pub(crate) fn on(self, tape: Option<&Tape>) -> Self {
        if let Some(tape) = tape {
            tape.seen(&self.path, true);
        }
        Self { tape: tape.cloned(), ..self }
    }

    /// The tape that it is on.
    pub(crate) fn tape(&self) -> Option<&Tape> {
        self.tape.as_ref()
    }

    /// Opens a directory below this one, component by component. `None`: there is none.
    ///
    /// # Errors
    /// A component that is `..`, a link or no directory; the kernel's refusal.
    pub fn descend(&self, relative: &Path) -> Result<Option<Self>, Error> {
        let mut at = Self {
            fd: self.fd.try_clone().map_err(|e| Error::io(Action::Open, &self.path, e))?,
            path: self.path.clone(),
            tape: self.tape.clone(),
        };
        for component in relative.components() {
            let name = match component {
                Component::Normal(name) => name,
                Component::RootDir | Component::CurDir => continue,
                Component::ParentDir | Component::Prefix(_) => {
                    return Err(Error::BadPath(Shown(relative.to_owned())));
                }
            };
            match at.child(name)? {
                Some(child) => at = child,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    /// Opens a directory directly below this one. `None`: there is none.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn child(&self, name: &OsStr) -> Result<Option<Self>, Error> {
        let path = self.path.join(name);
        let live = || openat(&self.fd, name, OFlag::O_RDONLY | DIR_FLAGS, Mode::empty());
        let entered = match &self.tape {
            Some(tape) => tape.opened(Verb::Enter, &path, live),
            None => live(),
        };
        match entered {
            Ok(fd) => {
                let child = Self { fd, path, tape: None }.on(self.tape.as_ref());
                // So that it is known for a cgroup when it is played back.
                if child.tape.is_some() {
                    child.is_gone();
                }
                Ok(Some(child))
            }
            Err(Errno::ENOENT | Errno::ENODEV) => Ok(None),
            Err(errno) => Err(Error::io(Action::Open, path, errno)),
        }
    }

    /// Where it was opened, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The inode, which tells a cgroup from a later one of the same name.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn inode(&self) -> Result<u64, Error> {
        self.number(Verb::Inode, || fstat(&self.fd).map(|stat| stat.st_ino))
    }

    /// What fstat(2) says of it. One that was made anew is another, also where a tape is played in one and the same folder.
    fn number(&self, verb: Verb, live: impl Fn() -> Result<u64, Errno>) -> Result<u64, Error> {
        let number = match &self.tape {
            None => live(),
            Some(tape) => {
                let text = || live().map(|number| number.to_string().into_bytes());
                tape.bytes(verb, &self.path, text).0.and_then(|text| {
                    std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok()).ok_or(Errno::EINVAL)
                })
            }
        };
        number.map_err(|errno| Error::io(Action::Open, &self.path, errno))
    }

    /// The inode, and how many links the directory has: on a cgroup file system two more than it has directories
    /// (`kernfs_refresh_inode`, fs/kernfs/inode.c, 6.12), so that an unchanged number means that nothing was added on
    /// balance. A removed directory has none.
    ///
    /// # Errors
    /// The kernel's refusal.
    #[allow(clippy::useless_conversion, reason = "the number of links is narrower on some architectures")]
    pub(crate) fn inode_and_links(&self) -> Result<(u64, u64), Error> {
        let inode = self.inode()?;
        let links = self.number(Verb::Links, || fstat(&self.fd).map(|stat| u64::from(stat.st_nlink)))?;
        Ok((inode, links))
    }

    /// Whether a file is here.
    #[must_use]
    pub fn has(&self, file: &str) -> bool {
        let has = nix::sys::stat::fstatat(&self.fd, file, nix::fcntl::AtFlags::AT_SYMLINK_NOFOLLOW).is_ok();
        if let Some(tape) = self.tape.as_ref().filter(|_| has) {
            tape.seen(&self.path.join(file), false);
        }
        has
    }

    /// Opens a file for reading. `None`: there is none.
    ///
    /// # Errors
    /// [`Error::Gone`] when the directory itself has been removed; the kernel's refusal.
    pub fn open(&self, file: &str) -> Result<Option<File>, Error> {
        let opened = match &self.tape {
            Some(tape) => tape.opened(Verb::Open, &self.path.join(file), || self.open_live(file)),
            None => self.open_live(file),
        };
        self.unless_absent(file, opened)
    }

    /// The bytes of a file. `None`: this kernel does not provide it here.
    ///
    /// # Errors
    /// [`Error::Gone`] when the cgroup has been removed; the kernel's refusal.
    pub fn read(&self, file: &str) -> Result<Option<Vec<u8>>, Error> {
        let live = || {
            let mut bytes = Vec::new();
            self.open_live(file)?.read_to_end(&mut bytes).map_err(|error| errno(&error))?;
            Ok(bytes)
        };
        let read = match &self.tape {
            Some(tape) => tape.bytes(Verb::Read, &self.path.join(file), live).0,
            None => live(),
        };
        self.unless_absent(file, read)
    }

    /// `ENODEV` where the directory itself has been removed.
    fn open_live(&self, file: &str) -> Result<File, Errno> {
        match openat(&self.fd, file, OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW, Mode::empty()) {
            Ok(fd) => Ok(File::from(fd)),
            Err(errno) if absent(errno) && self.is_gone() => Err(Errno::ENODEV),
            Err(errno) => Err(errno),
        }
    }

    fn unless_absent<T>(&self, file: &str, answer: Result<T, Errno>) -> Result<Option<T>, Error> {
        match answer {
            Ok(answer) => Ok(Some(answer)),
            Err(errno) if absent(errno) => Ok(None),
            Err(Errno::ENODEV) => Err(Error::Gone(Shown(self.path.clone()))),
            Err(errno) => Err(Error::io(Action::Read, self.path.join(file), errno)),
        }
    }

    /// The value of a file. `None`: this kernel does not provide it here.
    ///
    /// # Errors
    /// As [`Dir::read`]; [`Error::Format`] with the file's name.
    pub fn parse<T>(
        &self,
        file: &str,
        parser: impl FnOnce(&[u8]) -> Result<T, cgtune_core::parse::ParseError>,
    ) -> Result<Option<T>, Error> {
        let Some(bytes) = self.read(file)? else { return Ok(None) };
        parser(&bytes).map(Some).map_err(|source| Error::Format { path: Shown(self.path.join(file)), source })
    }

    /// Writes a text in one write, as the kernel's handlers want it.
    ///
    /// # Errors
    /// The kernel's refusal, with file and value.
    pub fn write(&self, file: &str, text: &str) -> Result<(), Error> {
        let failed =
            |source: io::Error| Error::io(Action::Write(text.to_owned()), self.path.join(file), source);
        let flags = OFlag::O_WRONLY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
        let mut open = match openat(&self.fd, file, flags, Mode::empty()) {
            Ok(fd) => File::from(fd),
            Err(_) if self.is_gone() => return Err(Error::Gone(Shown(self.path.clone()))),
            Err(errno) => return Err(failed(errno.into())),
        };
        match open.write(text.as_bytes()) {
            Ok(n) if n == text.len() => Ok(()),
            Ok(_) => Err(failed(io::ErrorKind::WriteZero.into())),
            Err(error) if error.raw_os_error() == Some(nix::libc::ENODEV) => {
                Err(Error::Gone(Shown(self.path.clone())))
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// Names of the directories in here. One that vanishes meanwhile is simply not among them.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn children(&self) -> Result<Vec<OsString>, Error> {
        let listed = match &self.tape {
            None => self.children_live(),
            Some(tape) => {
                let live = || self.children_live().map(|names| joined(names.into_iter()));
                let (names, _) = tape.bytes(Verb::List, &self.path, live);
                // A tape may come from anywhere.
                names.map(|names| parted(&names).into_iter().filter(|name| is_name(name)).collect())
            }
        };
        match listed {
            Ok(names) => Ok(names),
            Err(Errno::ENOENT | Errno::ENODEV) => Err(Error::Gone(Shown(self.path.clone()))),
            Err(errno) => Err(Error::io(Action::Read, &self.path, errno)),
        }
    }

    fn children_live(&self) -> Result<Vec<OsString>, Errno> {
        let mut entries = Entries::openat(&self.fd, ".", OFlag::O_RDONLY | DIR_FLAGS, Mode::empty())?;
        let mut names = Vec::new();
        for entry in entries.iter() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if entry.file_type() == Some(Type::Directory) && name != b"." && name != b".." {
                names.push(OsStr::from_bytes(name).to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Whether the cgroup has been removed: every one that lives has this file, whatever its controllers.
    fn is_gone(&self) -> bool {
        !self.has("cgroup.procs")
    }
}

impl AsFd for Dir {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}
