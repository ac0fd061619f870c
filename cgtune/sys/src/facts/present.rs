//! What goes on at present, and what surrounds us.

use procfs::Current as _;

use crate::HostRoot;

/// Threads that run or wait for a CPU or a disk, on average over the last 1, 5 and 15 minutes (`/proc/loadavg`).
#[must_use]
pub fn load_average(host: &HostRoot) -> Option<[f64; 3]> {
    let text = host.read_to_string("/proc/loadavg").ok()?;
    let mut words = text.split_whitespace().map_while(|word| word.parse().ok());
    Some([words.next()?, words.next()?, words.next()?])
}

/// Memory that can be had without swapping, in bytes (`MemAvailable`, 3.14).
#[must_use]
pub fn memory_available_bytes() -> Option<u64> {
    procfs::Meminfo::current().ok()?.mem_available
}

/// Whether this kernel tells how long tasks wait for CPUs (PSI). It may be compiled in and switched off, and then the file is there
/// but cannot be read (EOPNOTSUPP).
#[must_use]
pub fn has_psi(host: &HostRoot) -> bool {
    host.read("/proc/pressure/cpu").is_ok_and(|text| !text.is_empty())
}

/// Files that container runtimes leave at the root of what they start: Docker and Podman. Others leave none, so nothing found
/// means nothing.
#[must_use]
pub fn container_marks(host: &HostRoot) -> Vec<String> {
    ["/.dockerenv", "/run/.containerenv"]
        .into_iter()
        .filter(|path| host.exists(path))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_synthetic_node_is_read_as_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("proc/pressure")).unwrap();
        fs::create_dir_all(folder.path().join("run")).unwrap();
        fs::write(folder.path().join("proc/loadavg"), "0.50 2.25 1.00 2/88 16212\n").unwrap();
        fs::write(folder.path().join("run/.containerenv"), "").unwrap();
        let host = HostRoot::new(folder.path());
        assert_eq!(load_average(&host), Some([0.5, 2.25, 1.0]));
        assert_eq!(container_marks(&host), ["/run/.containerenv"]);
        assert!(!has_psi(&host));
        fs::write(folder.path().join("proc/pressure/cpu"), "some avg10=0.00\n").unwrap();
        assert!(has_psi(&host));
    }

    #[test]
    fn nothing_there_is_not_known() {
        let folder = tempfile::tempdir().unwrap();
        let host = HostRoot::new(folder.path());
        assert_eq!(load_average(&host), None);
        assert!(container_marks(&host).is_empty());
    }
}
