//! Where a container runtime answers, as crictl and the kubelet write it.

use std::{
    fmt, io,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    str::FromStr,
};

use cgtune_core::text::Escaped;
use cgtune_sys::HostRoot;

/// The sockets of containerd, CRI-O, containerd in k3s and RKE2, in k0s and in `MicroK8s`, and cri-dockerd, as each is packaged.
const USUAL: [&str; 6] = [
    "/run/containerd/containerd.sock",
    "/run/crio/crio.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/k0s/containerd.sock",
    "/var/snap/microk8s/common/run/containerd.sock",
    "/run/cri-dockerd.sock",
];

/// A runtime's socket in the file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket(PathBuf);

/// What is no socket that can be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{}\" is no socket of a container runtime: write its path, as /run/containerd/containerd.sock or \
     unix:///run/crio/crio.sock",
    Escaped(.0.as_bytes())
)]
pub struct NoSocket(String);

impl FromStr for Socket {
    type Err = NoSocket;

    /// A path, with or without `unix://` in front as the kubelet's configuration has it.
    fn from_str(text: &str) -> Result<Self, NoSocket> {
        let path = text.strip_prefix("unix://").unwrap_or(text);
        if path.starts_with('/') { Ok(Self(path.into())) } else { Err(NoSocket(text.to_owned())) }
    }
}

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(self.0.as_os_str().as_bytes()).fmt(f)
    }
}

impl Socket {
    /// A socket by its path.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Those of the usual ones that a node has, and those of which it may not be seen whether it has: asking says so.
    pub(crate) fn usual(host: &HostRoot) -> Vec<Self> {
        let absent = [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory];
        let there = |path: &PathBuf| !path.metadata().is_err_and(|error| absent.contains(&error.kind()));
        USUAL.map(|path| host.join(path)).into_iter().filter(there).map(Self).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_a_path_and_nothing_else() {
        for text in ["/run/a.sock", "unix:///run/a.sock"] {
            assert_eq!(text.parse::<Socket>().unwrap(), Socket::new("/run/a.sock"));
        }
        for text in ["", "run/a.sock", "tcp://127.0.0.1:1", "npipe:////./pipe/x", "unix://"] {
            assert!(text.parse::<Socket>().unwrap_err().to_string().contains("write its path"), "{text}");
        }
    }
}
