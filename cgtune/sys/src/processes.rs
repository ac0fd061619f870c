//! Which processes a node has, by the names they give themselves.

use crate::HostRoot;

/// How many processes are looked at. A node of Kubernetes has some thousands; the bound is there so that a huge or
/// hostile /proc costs seconds, not minutes.
const LOOKED_AT: usize = 65_536;
/// Longest name the kernel keeps (`TASK_COMM_LEN` less its NUL, include/linux/sched.h, 6.12).
const NAME_LENGTH: u64 = 15;

/// A process that was there when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its id, in the pid namespace of the /proc that was read.
    pub pid: u32,
    /// The first 15 bytes of its name, which it may have chosen itself: any bytes.
    pub name: Vec<u8>,
}

/// The processes whose name is wanted, by ascending id. Those that end meanwhile, or may not be read, are not among
/// them. `None`: no process is visible, so nothing follows from an absence.
#[must_use]
pub fn named(host: &HostRoot, wanted: impl Fn(&[u8]) -> bool) -> Option<Vec<Named>> {
    let mut any = false;
    let mut found = Vec::new();
    let entries = host.list("/proc").ok()?.into_iter();
    let pids = entries.filter_map(|name| name.to_str()?.parse::<u32>().ok());
    for pid in pids.take(LOOKED_AT) {
        let Some(name) = name(host, pid) else { continue };
        any = true;
        if wanted(&name) {
            found.push(Named { pid, name });
        }
    }
    found.sort_by_key(|process| process.pid);
    any.then_some(found)
}

/// The name of a process or thread. `None`: it has ended, or may not be read.
#[must_use]
pub fn name(host: &HostRoot, pid: u32) -> Option<Vec<u8>> {
    let mut bytes = host.read_start(format!("/proc/{pid}/comm"), NAME_LENGTH + 1).ok()?;
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    bytes.truncate(NAME_LENGTH as usize);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn we_find_ourselves_and_nobody_else_by_our_name() {
        let own = std::fs::read("/proc/self/comm").unwrap();
        let found = named(&HostRoot::default(), |name| name == own.trim_ascii_end()).unwrap();
        assert!(found.iter().any(|process| process.pid == std::process::id()), "{found:?}");
    }

    #[test]
    fn without_a_proc_nothing_is_known() {
        assert_eq!(named(&HostRoot::new("/nonexistent"), |_| true), None);
    }
}
