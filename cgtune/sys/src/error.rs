//! What went wrong at the kernel, with the file and the value, and what to do next.

use std::{fmt, io, path::PathBuf};

use cgtune_core::{Controller, parse::ParseError, text::Escaped};

/// What was being done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Reading a file.
    Read,
    /// Writing this text to a file.
    Write(String),
    /// Opening a directory.
    Open,
    /// Making a cgroup.
    Create,
    /// Removing a cgroup.
    Remove,
    /// Starting a process.
    Spawn,
}

/// A path that may hold anything, safe to show.
#[derive(Clone, PartialEq, Eq)]
pub struct Shown(pub PathBuf);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(self.0.as_os_str().as_encoded_bytes()).fmt(f)
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read => f.write_str("read"),
            Self::Write(value) => {
                write!(f, "write \"{}\" to", Escaped(value.trim_end_matches('\n').as_bytes()))
            }
            Self::Open => f.write_str("open"),
            Self::Create => f.write_str("create the cgroup"),
            Self::Remove => f.write_str("remove the cgroup"),
            Self::Spawn => f.write_str("start"),
        }
    }
}

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel refused a call.
    #[error("cannot {action} {path}")]
    Io {
        /// What was tried.
        action: Action,
        /// On which file.
        path: Shown,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
    /// The cgroup has been removed (ENODEV or ENOENT on a directory that was open).
    #[error("the cgroup {0} is gone")]
    Gone(Shown),
    /// There is no such cgroup.
    #[error("there is no cgroup {path} in the {controller} hierarchy at {mount_point}")]
    NoSuchCgroup {
        /// The path asked for.
        path: Shown,
        /// The controller looked for.
        controller: Controller,
        /// Where its hierarchy is mounted.
        mount_point: Shown,
    },
    /// There is no such process.
    #[error("there is no process {0}")]
    NoSuchProcess(u32),
    /// A file holds something else than its format.
    #[error("{path} holds something else than its format")]
    Format {
        /// Which file.
        path: Shown,
        /// What was expected and found.
        #[source]
        source: ParseError,
    },
    /// The controller is mounted nowhere that is visible from here.
    #[error("the {0} controller is not available: no mounted cgroup hierarchy carries it")]
    NoController(Controller),
    /// The cgroup lies outside what the mounts or the cgroup namespace show.
    #[error("the cgroup {path} lies outside what is visible here (mount of {root})")]
    OutsideView {
        /// The path.
        path: Shown,
        /// The group at the mount point.
        root: Shown,
    },
    /// A path that is no cgroup path.
    #[error("{0} is no cgroup path: it must begin with / and have no . or .. in it")]
    BadPath(Shown),
    /// No place where a cgroup may be made.
    #[error("no permission to make cgroups: cannot {action} {path}")]
    NotWritable {
        /// What was tried.
        action: Action,
        /// What refused.
        path: Shown,
        /// The kernel's answer.
        #[source]
        source: io::Error,
    },
    /// Controllers cannot be enabled below a v2 group in which other processes live.
    #[error(
        "cannot make cgroups in {path}: {} there, and a cgroup with processes cannot pass the cpu controller on",
        if *.others == 1 { "another process lives".to_owned() } else { format!("{others} other processes live") }
    )]
    Occupied {
        /// The group.
        path: Shown,
        /// How many besides us.
        others: usize,
    },
    /// A v2 subtree that lacks the cpu controller.
    #[error("the cpu controller is not delegated to {0}: cgroup.controllers there does not list it")]
    NotDelegated(Shown),
}

impl Error {
    pub(crate) fn io(action: Action, path: impl Into<PathBuf>, source: impl Into<io::Error>) -> Self {
        Self::Io { action, path: Shown(path.into()), source: source.into() }
    }

    /// What the person can do next, where there is something to say.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotWritable { .. } | Self::Occupied { .. } => {
                "run it as root (sudo), or in a delegated scope: systemd-run --user --scope -p Delegate=yes COMMAND"
                    .to_owned()
            }
            Self::NotDelegated(_) => {
                "start it with systemd-run --user --scope -p Delegate=yes COMMAND; if cpu is missing there as well, let the \
                 user manager have it (systemctl edit user@.service: [Service] Delegate=cpu cpuset); or use sudo"
                    .to_owned()
            }
            Self::NoController(controller) => format!(
                "mount it (v1: mount -t cgroup -o {controller} …), or enable it in cgroup.subtree_control; \
                 /proc/cgroups says whether the kernel has it"
            ),
            Self::OutsideView { .. } => {
                "this is a container's view; run it on the node, or with the node's root mounted: --host-root /host".to_owned()
            }
            Self::NoSuchCgroup { .. } => "cgtune stat --all lists the cgroups that have a quota".to_owned(),
            Self::Io { action: Action::Write(_), source, .. } if source.raw_os_error() == Some(nix::libc::EINVAL) => {
                "the kernel refuses a burst above the quota and, on cgroup v1, a limit above the parent's or below a child's"
                    .to_owned()
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "this needs root (sudo)".to_owned()
            }
            _ => return None,
        })
    }
}
