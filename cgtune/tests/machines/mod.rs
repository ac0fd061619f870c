//! Copies of real machines' files, each in one file that says how it was made.

use std::{collections::BTreeMap, fs, path::Path};

/// Two sockets of two nodes of one core of two threads; CPU 7 switched off, CPU 5 isolated.
const QEMU: &str = include_str!("qemu-2-sockets-4-nodes-6.1.0-48");

/// Puts the files of the machine in QEMU below a folder: `sys/…` and `proc/…`.
pub(crate) fn unpack_qemu(folder: &Path) {
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    for line in QEMU.lines().filter(|line| !line.starts_with('#')) {
        let (path, text) = line.split_once(':').unwrap();
        let file = files.entry(path).or_default();
        *file += text;
        file.push('\n');
    }
    for (path, text) in &files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}
