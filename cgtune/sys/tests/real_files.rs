//! What is written to a name that is no regular file's. Making a device takes root, and fails with a message without.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

use std::{
    fs,
    io::ErrorKind,
    os::unix::{
        fs::{MetadataExt as _, symlink},
        net::UnixListener,
    },
    path::Path,
};

use cgtune_sys::durable::{Existing, write};
use nix::sys::stat::{Mode, SFlag, makedev, mknod};

fn kind(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & SFlag::S_IFMT.bits()
}

#[test]
fn a_device_is_written_and_neither_it_nor_a_socket_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    // Of our own: as /dev/null and /dev/full (drivers/char/mem.c, 6.12).
    let device = |name: &str, minor| {
        let path = folder.path().join(name);
        mknod(&path, SFlag::S_IFCHR, Mode::from_bits_truncate(0o600), makedev(1, minor))
            .expect("this test needs permission to make a device: run it as root");
        path
    };
    let (null, full) = (device("null", 3), device("full", 7));
    let link = folder.path().join("link");
    symlink("full", &link).unwrap();
    let socket = folder.path().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    write(&null, b"gone", Existing::Replaced).unwrap();
    for path in [&full, &link] {
        assert_eq!(write(path, b"x", Existing::Replaced).unwrap_err().kind(), ErrorKind::StorageFull);
    }
    // Nothing can be written into it by its name.
    let refused = write(&socket, b"x", Existing::Replaced).unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(nix::libc::ENXIO));
    for (path, kind) in [(&null, SFlag::S_IFCHR), (&full, SFlag::S_IFCHR), (&socket, SFlag::S_IFSOCK)] {
        assert_eq!(self::kind(path), kind.bits(), "{}", path.display());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4, "something was left beside them");
}
