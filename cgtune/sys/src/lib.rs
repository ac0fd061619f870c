//! The only crate of cgtune that touches the kernel: mounts, directories and descriptors of cgroups, their
//! lifecycle, processes started inside them, clocks and affinity.
//!
//! What a finding is, what Kubernetes is, how anything is shown: not known here. What bytes mean is
//! [`cgtune_core::parse`]'s business; this crate adds the file's name to its errors. Absence is decided in one
//! place: [`dir::Dir::read`] turns "no such file" and "not supported" into `None`, everything else fails.

pub mod affinity;
pub mod cgroup;
pub mod clock;
pub mod cpusets;
pub mod descriptors;
pub mod detect;
pub mod dir;
pub mod durable;
pub mod error;
pub mod facts;
pub mod host;
pub mod kept;
pub mod lifecycle;
pub mod members;
pub mod node_files;
pub mod pinning;
pub mod process;
pub mod processes;
#[allow(unsafe_code, reason = "the few calls that no safe wrapper offers, each with its reason beside it")]
mod raw;
pub mod scan;
pub mod spawn;
mod surroundings;
pub mod tape;
pub mod thread;
pub mod topology;

pub mod watch;

pub use cgroup::Cgroup;
pub use detect::Hierarchies;
pub use error::Error;
pub use host::HostRoot;
pub use scan::Scan;
