//! The cgroup mounts in `/proc/self/mountinfo` (`show_mountinfo`, fs/proc_namespace.c). The `procfs` crate reads a
//! line; which lines matter, and what they mean for a controller, is decided here.

use std::{ffi::OsString, os::unix::ffi::OsStringExt as _, path::PathBuf};

use procfs_core::process::MountInfo;

use super::{ParseError, lines};
use crate::{Controller, Layout};

/// One mounted cgroup hierarchy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgroupMount {
    /// Where.
    pub mount_point: PathBuf,
    /// Which group of the hierarchy is at the mount point: `/` but for bind mounts and cgroup namespaces.
    pub root: PathBuf,
    /// v1 or v2.
    pub layout: Layout,
    /// v1: the controllers it carries, of those that matter here. v2 says in `cgroup.controllers`.
    pub controllers: Vec<Controller>,
    /// Whether it is mounted read-only (here, or as a whole).
    pub read_only: bool,
}

/// Finds the cgroup mounts. Lines about other file systems are passed over, also when they are odd.
///
/// # Errors
/// A cgroup line that is malformed.
pub fn parse(bytes: &[u8]) -> Result<Vec<CgroupMount>, ParseError> {
    let mut mounts = Vec::new();
    for line in lines(bytes) {
        if !line.windows(8).any(|w| w == b"- cgroup") {
            continue;
        }
        let malformed = || ParseError::new("a mountinfo line (proc_pid_mountinfo(5))", line);
        let text = std::str::from_utf8(line).map_err(|_| malformed())?;
        let info = MountInfo::from_line(text).map_err(|_| malformed())?;
        let layout = match info.fs_type.as_str() {
            "cgroup" => Layout::V1,
            "cgroup2" => Layout::V2,
            _ => continue,
        };
        let controllers = Controller::ALL
            .into_iter()
            .filter(|controller| layout == Layout::V1 && info.super_options.contains_key(controller.name()))
            .collect();
        mounts.push(CgroupMount {
            mount_point: unescape(info.mount_point.as_os_str().as_encoded_bytes()),
            root: unescape(info.root.as_bytes()),
            layout,
            controllers,
            read_only: info.mount_options.contains_key("ro") || info.super_options.contains_key("ro"),
        });
    }
    Ok(mounts)
}

/// `\040` and its kin: blank, tab, newline and backslash are octal in mountinfo (`mangle`, fs/proc_namespace.c).
fn unescape(bytes: &[u8]) -> PathBuf {
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&first, tail)) = rest.split_first() {
        let octal = (first == b'\\')
            .then(|| tail.get(..3))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        match octal {
            Some(byte) => {
                plain.push(byte);
                rest = &tail[3..];
            }
            None => {
                plain.push(first);
                rest = tail;
            }
        }
    }
    PathBuf::from(OsString::from_vec(plain))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Captured with `grep cgroup /proc/self/mountinfo` on Linux 6.18.44 (v1 controllers mounted apart, empty v2).
    const SPLIT: &[u8] = include_bytes!("../../fixtures/mountinfo/v1-split-6.18.44");
    /// Synthetic, in the form of Debian 12 with systemd: v2 alone.
    const UNIFIED: &[u8] = b"25 22 0:22 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n";
    /// Synthetic, in the form of systemd's hybrid mode: v1 cpu and cpuacct joined, v2 without controllers.
    const HYBRID: &[u8] = b"33 25 0:28 / /sys/fs/cgroup/unified rw shared:10 - cgroup2 cgroup2 rw\n\
        34 25 0:29 /docker/ab /sys/fs/cgroup/cpu,cpuacct ro,nosuid shared:11 - cgroup cgroup rw,cpu,cpuacct\n\
        99 25 0:77 / /mnt/with\\040blank rw - cgroup cgroup rw,cpuset\n";

    #[test]
    fn controllers_mounted_apart() {
        let mounts = parse(SPLIT).unwrap();
        let cpu = mounts.iter().find(|m| m.controllers == [Controller::Cpu]).unwrap();
        assert_eq!(cpu.mount_point.to_str(), Some("/sys/fs/cgroup/cpu"));
        assert_eq!(mounts.iter().filter(|m| m.layout == Layout::V2).count(), 1);
    }

    #[test]
    fn v2_alone() {
        let mounts = parse(UNIFIED).unwrap();
        assert_eq!((mounts.len(), mounts[0].layout, mounts[0].read_only), (1, Layout::V2, false));
    }

    #[test]
    fn joined_controllers_a_bind_mount_read_only_and_a_blank() {
        let mounts = parse(HYBRID).unwrap();
        assert_eq!(mounts[1].controllers, [Controller::Cpu, Controller::Cpuacct]);
        assert_eq!((mounts[1].root.to_str(), mounts[1].read_only), (Some("/docker/ab"), true));
        assert_eq!(mounts[2].mount_point.to_str(), Some("/mnt/with blank"));
    }

    #[test]
    fn a_broken_cgroup_line_is_an_error() {
        assert!(parse(b"33 25 - cgroup\n").is_err());
        assert!(parse(b"\xff 25 0:28 / /x rw - cgroup cgroup rw,cpu\n").is_err());
        assert_eq!(parse(b"complete nonsense\n"), Ok(vec![]));
    }

    proptest! {
        #[test]
        fn parsing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn nearly_right_lines_never_panic(text in "[0-9 ]{0,6}(0:2|) ?/?[a-z\\\\0-9/]{0,12} (rw|ro|)[, ]?(shared:1 |)- cgroup2? [a-z ]{0,9}(rw,cpu)?\n") {
            let _ = parse(text.as_bytes());
        }
    }
}
