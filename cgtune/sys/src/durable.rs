//! Files that are whole or not there, and that a lost power supply does not take back.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
};

/// Whether a file that is there may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It is kept, and the write fails with [`io::ErrorKind::AlreadyExists`].
    Kept,
    /// It is replaced.
    Replaced,
}

/// How the name of a file begins that is being written; one that stays is of a writer that was killed.
pub const BEING_WRITTEN: &str = ".writing-";

/// Writes beside the place, syncs, renames, and syncs the folder, without which the name may be lost with the power.
/// Others may read the file as far as the umask lets them.
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
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // What the umask leaves of rw-rw-rw-, not the rw------- of a temporary file.
    let mut file = tempfile::Builder::new()
        .prefix(BEING_WRITTEN)
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)?;
    write(file.as_file_mut())?;
    file.as_file().sync_all()?;
    match existing {
        Existing::Kept => file.persist_noclobber(path),
        Existing::Replaced => file.persist(path),
    }
    .map_err(|error| error.error)?;
    Ok(File::open(folder)?.sync_all()?)
}
