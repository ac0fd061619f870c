//! Files that are whole or not there, and that a lost power supply does not take back.

use std::{
    fs::{self, File, Metadata, Permissions},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

/// Whether a file that is there may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It is kept, and the write fails with [`io::ErrorKind::AlreadyExists`].
    Kept,
    /// It is replaced. What is no regular file (a device, a FIFO) is never replaced, but opened and written.
    Replaced,
}

/// How many symbolic links are followed: as many as by the kernel (`MAXSYMLINKS`, include/linux/namei.h, 6.12).
const LINKS: usize = 40;
/// What the umask leaves of rw-rw-rw-, not the rw------- of a temporary file.
const NEW: u32 = 0o666;
/// The part of a mode that is not the file's type.
const MODE: u32 = 0o7777;

/// How the name of a file begins that is being written; one that stays is of a writer that was killed.
pub const BEING_WRITTEN: &str = ".writing-";

/// Writes beside the place, syncs, renames, and syncs the folder, without which the name may be lost with the power.
/// Others may read a new file as far as the umask lets them; one that is replaced keeps its mode, and its owner where the
/// kernel lets us give it away. Of a symbolic link the file is replaced that it leads to.
///
/// # Errors
/// The kernel's refusal; the file is then as it was.
pub fn write(path: &Path, bytes: &[u8], existing: Existing) -> io::Result<()> {
    write_with(path, existing, |file| file.write_all(bytes))
}

/// The same for what is too large to hold in memory. An error of `write`'s leaves nothing behind.
///
/// # Errors
/// The kernel's refusal, or whatever `write` says; the file is then as it was.
pub fn write_with<E: From<io::Error>>(
    path: &Path,
    existing: Existing,
    write: impl FnOnce(&mut File) -> Result<(), E>,
) -> Result<(), E> {
    match existing {
        Existing::Kept => beside(path, None, write, |file| file.persist_noclobber(path)),
        Existing::Replaced => match place(path)? {
            Place::Free(path) => beside(&path, None, write, |file| file.persist(&path)),
            Place::Taken(path, old) => beside(&path, Some(&old), write, |file| file.persist(&path)),
            Place::Open => through(path, write),
        },
    }
}

/// Where a write is to go that may replace what is there.
enum Place {
    /// Nothing is there yet.
    Free(PathBuf),
    /// A regular file, which may be renamed over.
    Taken(PathBuf, Metadata),
    /// What can only be opened: a device, a FIFO, an open file's name below /proc (`/dev/stdout`).
    Open,
}

/// Follows symbolic links by hand: what they lead to need not be there yet, and its name is needed.
fn place(path: &Path) -> io::Result<Place> {
    // The kernel follows no link that somebody else put into /tmp (fs.protected_symlinks), and neither do we.
    match fs::metadata(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let found = match path.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Place::Free(path)),
            other => other?,
        };
        if found.is_file() {
            return Ok(Place::Taken(path, found));
        }
        // A link below /proc leads to an open file, whatever name it shows.
        let is_open = || fs::metadata("/proc").is_ok_and(|proc| proc.dev() == found.dev());
        if !found.is_symlink() || is_open() {
            return Ok(Place::Open);
        }
        let target = fs::read_link(&path)?;
        path = folder_of(&path).join(target);
    }
    Err(io::Error::from_raw_os_error(nix::libc::ELOOP))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Into a file beside it, which then takes the name.
fn beside<E: From<io::Error>>(
    path: &Path,
    old: Option<&Metadata>,
    write: impl FnOnce(&mut File) -> Result<(), E>,
    persist: impl FnOnce(tempfile::NamedTempFile) -> Result<File, tempfile::PersistError>,
) -> Result<(), E> {
    let folder = folder_of(path);
    let mode = old.map_or(NEW, |old| old.mode() & MODE);
    let mut file = tempfile::Builder::new()
        .prefix(BEING_WRITTEN)
        .permissions(Permissions::from_mode(mode & NEW))
        .tempfile_in(folder)?;
    write(file.as_file_mut())?;
    if let Some(old) = old {
        // Who may not give a file away has it as their own, with the mode that it had.
        let _ = fchown(file.as_file(), Some(old.uid()), Some(old.gid()));
        // After the owner, with whom the kernel takes bits away; the umask takes none from here.
        file.as_file().set_permissions(Permissions::from_mode(mode))?;
    }
    file.as_file().sync_all()?;
    persist(file).map_err(|error| error.error)?;
    Ok(File::open(folder)?.sync_all()?)
}

/// Into what is there and stays there. A regular file that is open elsewhere goes on at its end, as after `>>`.
fn through<E: From<io::Error>>(path: &Path, write: impl FnOnce(&mut File) -> Result<(), E>) -> Result<(), E> {
    let mut file = File::options().append(true).open(path)?;
    write(&mut file)?;
    match file.sync_all() {
        // What has nothing to sync says so: fsync(2).
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::ReadOnlyFilesystem) => {
            Ok(())
        }
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Read as _, os::unix::fs::symlink, thread};

    use nix::{
        sys::stat::{Mode, SFlag},
        unistd::mkfifo,
    };

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let mut names: Vec<_> = fs::read_dir(folder).unwrap().map(name).collect();
        names.sort();
        names
    }

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode()
    }

    #[test]
    fn a_regular_file_is_replaced_with_its_mode_also_through_links() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("file"), "old").unwrap();
        fs::set_permissions(at("file"), Permissions::from_mode(0o606)).unwrap();
        symlink("file", at("link")).unwrap();
        symlink(at("link"), at("link to a link")).unwrap();
        let inode = || fs::metadata(at("file")).unwrap().ino();
        for (name, text) in [("file", "new"), ("link", "newer"), ("link to a link", "newest")] {
            let old = inode();
            write(&at(name), text.as_bytes(), Existing::Replaced).unwrap();
            assert_eq!(fs::read_to_string(at("file")).unwrap(), text);
            assert_eq!(mode(&at("file")) & MODE, 0o606, "{name}");
            assert_ne!(inode(), old, "{name} was not written whole or not at all");
        }
        assert_eq!(fs::read_link(at("link")).unwrap(), Path::new("file"));

        symlink("not there yet", at("ahead")).unwrap();
        write(&at("ahead"), b"made", Existing::Replaced).unwrap();
        assert_eq!(fs::read(at("not there yet")).unwrap(), b"made");
        symlink("round", at("round")).unwrap();
        assert_eq!(
            write(&at("round"), b"", Existing::Replaced).unwrap_err().raw_os_error(),
            Some(nix::libc::ELOOP)
        );
        assert_eq!(
            names(folder.path()),
            ["ahead", "file", "link", "link to a link", "not there yet", "round"]
        );
    }

    #[test]
    fn what_is_kept_is_kept_also_a_link_to_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "mine").unwrap();
        symlink("nothing", &link).unwrap();
        for path in [&file, &link] {
            assert_eq!(write(path, b"", Existing::Kept).unwrap_err().kind(), ErrorKind::AlreadyExists);
        }
        assert_eq!(
            (fs::read(&file).unwrap(), names(folder.path())),
            (b"mine".to_vec(), vec!["file".into(), "link".into()])
        );
    }

    #[test]
    fn who_reads_a_fifo_is_given_it() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        mkfifo(&fifo, Mode::from_bits_truncate(0o600)).unwrap();
        // Open at both ends, so that nobody waits for ever whatever is done to it.
        let mut reader = File::options().read(true).write(true).open(&fifo).unwrap();
        write(&fifo, b"through", Existing::Replaced).unwrap();
        assert_eq!(mode(&fifo) & SFlag::S_IFMT.bits(), SFlag::S_IFIFO.bits());
        let read = thread::spawn(move || {
            let mut bytes = [0; 7];
            reader.read_exact(&mut bytes).map(|()| bytes)
        });
        assert_eq!(&read.join().unwrap().unwrap(), b"through");
    }

    #[test]
    fn an_open_file_below_proc_is_written_at_its_end() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"answer, ").unwrap();
        let inode = file.as_file().metadata().unwrap().ino();
        let name = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(file.as_file()));
        write(Path::new(&name), b"picture", Existing::Replaced).unwrap();
        assert_eq!(fs::read(file.path()).unwrap(), b"answer, picture");
        assert_eq!(fs::metadata(file.path()).unwrap().ino(), inode);
    }

    #[test]
    fn an_error_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "mine").unwrap();
        let failed = write_with(&file, Existing::Replaced, |to| {
            to.write_all(b"half")?;
            Err(io::Error::other("no more"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "no more");
        assert_eq!((fs::read(&file).unwrap(), names(folder.path())), (b"mine".to_vec(), vec!["file".into()]));
        assert_eq!(
            write(folder.path(), b"", Existing::Replaced).unwrap_err().kind(),
            ErrorKind::IsADirectory
        );
    }
}
