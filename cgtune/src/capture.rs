//! Captures: a node's files and what was read of them while it was watched, in a tar that `--from` replays.
//!
//! What is asked of a node is the same live and from a capture, in the same order ([`Request::carry_out`]); what differs is only
//! whether its [`HostRoot`](cgtune_sys::HostRoot) reads the kernel or a tape. The layout of the tar is told in docs/capture.md.

mod line;
mod pack;
mod replay;
mod request;
mod unpack;

pub(crate) use pack::{Contents, Stopped, pack};
pub(crate) use replay::replay;
pub(crate) use request::{Request, Session};
use unpack::{Captured, unpack};

use serde::{Deserialize, Serialize};

/// Additive changes keep the number, others raise it.
pub(crate) const SCHEMA: &str = "cgtune.capture/1";

/// Where things are in the tar.
mod place {
    /// What this is: the manifest.
    pub(super) const MANIFEST: &str = "capture.json";
    /// What `diagnose --json` said at the time.
    pub(super) const FINDINGS: &str = "findings.json";
    /// What `stat --json` said at the time.
    pub(super) const STAT: &str = "stat.json";
    /// The node's files.
    pub(super) const NODE: &str = "node";
    /// What was read when; the last in the tar, so that one without it is known for a torn one.
    pub(super) const TAPE: &str = "tape.jsonl";
}

/// What a capture is, for a person or a program that looks into it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) schema: String,
    /// Which cgtune made it.
    pub(crate) version: String,
    /// RFC 3339, by the node's clock.
    pub(crate) captured_at: String,
    pub(crate) kernel_release: Option<String>,
    /// Of the cpu controller: `v1` or `v2`.
    pub(crate) layout: String,
    pub(crate) as_root: bool,
    pub(crate) for_us: u64,
    pub(crate) wall_ns: u64,
    pub(crate) cpu_ns: u64,
    pub(crate) interval_ns: u64,
    pub(crate) all: bool,
    /// What was typed; control characters escaped.
    pub(crate) targets: Vec<String>,
    /// The groups that were there to the end; control characters escaped.
    pub(crate) cgroups: Vec<String>,
}

/// What is in a capture, for the person who is to decide whether to send it.
pub(crate) const CONTENTS: &str = "names and CPU settings, counters and pressure of the cgroups; ids, names, states and CPU times of \
     their threads; names of pods, containers and the node's processes; the node's CPUs and memory nodes, kernel version and boot id";
/// What is not.
pub(crate) const NOT_INSIDE: &str =
    "command lines, environments, contents of your files, mounts but those of cgroups";
