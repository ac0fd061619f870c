//! Where containerd and its like are: on this machine, or in Debian's packages.

#[path = "../debian/mod.rs"]
mod debian;

use std::{
    env,
    ffi::{OsStr, OsString},
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

const NEEDED: [&str; 5] = ["containerd", "containerd-shim-runc-v2", "ctr", "runc", "busybox"];
const PACKAGES: [&str; 3] = ["containerd", "runc", "busybox-static"];

/// A PATH on which all of them are.
pub(super) fn path() -> OsString {
    let mut folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect();
    // Where an administrator's PATH has runc, and another's does not.
    folders.extend(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from));
    let own = env::join_paths(&folders).unwrap();
    if NEEDED.iter().all(|name| look(name, &own).is_some()) {
        return own;
    }
    let root = debian::unpacked("containerd", &PACKAGES.map(str::to_owned));
    let places = ["usr/bin", "usr/sbin", "bin"].map(|place| root.join(place));
    env::join_paths(places.into_iter().chain(folders)).unwrap()
}

/// A program by its name.
pub(super) fn find(name: &str, path: &OsStr) -> PathBuf {
    look(name, path)
        .unwrap_or_else(|| panic!("this test needs {name}: apt-get install {}", PACKAGES.join(" ")))
}

fn look(name: &str, path: &OsStr) -> Option<PathBuf> {
    let usable = |program: &PathBuf| program.is_file() && (name != "busybox" || is_static(program));
    env::split_paths(path).map(|folder| folder.join(name)).find(usable)
}

/// Whether a program runs where no library is: it names no loader, which would stand near its beginning.
fn is_static(program: &Path) -> bool {
    let mut head = vec![0; 4096];
    let read = fs::File::open(program).and_then(|mut file| file.read(&mut head)).unwrap_or_default();
    !head[..read].windows(8).any(|part| part == b"ld-linux")
}
