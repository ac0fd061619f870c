//! Who lives in a cgroup: its pod, its container, its unit, and by whom we know.
//!
//! A path is read first and is pure ([`Resident::of`]): it gives a pod's UID, a container's id, a unit's name. Names of
//! pods and containers stand elsewhere, and a [`Register`] gathers them once for many paths. In this order, and no further than
//! something is unanswered: the kubelet's log folders, the runtimes' own state on disk, and last their sockets
//! (feature `cri`). No API server is asked.
//!
//! Everything that is read is untrusted. A name that breaks its own kind's rule ([`valid`]) is not believed, so that what a
//! [`Resident`] holds can be shown as it is.

mod heard;
pub(crate) mod kubepods;
pub(crate) mod logs;
pub mod path;
pub mod register;
pub mod resident;
pub mod runtime;
pub mod socket;
pub(crate) mod state;
pub(crate) mod told;
pub mod valid;

#[cfg(feature = "cri")]
mod cri;

pub use kubepods::Qos;
pub use register::{Answer, Ask, Outcome, Register, When};
pub use resident::{Container, Kind, Pod, Resident, Source};
pub use runtime::Runtime;
pub use socket::{NoSocket, Socket};
