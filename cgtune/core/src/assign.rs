//! Which CPUs for n CPUs: the kubelet's own choice, and eru's fragments.
//!
//! [`packed`] and [`distributed`] answer as `takeByTopologyNUMAPacked` and `takeByTopologyNUMADistributed` do
//! (pkg/kubelet/cm/cpumanager/cpu_assignment.go, Kubernetes 1.36). They differ where upstream's answer would be none:
//!
//! - A core or socket counts as free when it has as many free CPUs as the *average* one has. On unequal cores upstream can
//!   so hand out a CPU that is not available. Here all its CPUs have to be free as well.
//! - A group that lies in two groups of the next level (a cache under two nodes, a socket under two nodes) comes twice in
//!   upstream's order, and is then counted twice as it is taken, which leaves too few CPUs. Here it comes once.
//! - Combinations of nodes share memory upstream (`append` to one slice in `iterateCombinations`), so that from four nodes on the
//!   last one of the best can be overwritten by the last one tried. Here the best one stays.
//! - Where the nodes of a subset have too few whole cores for what remains, upstream counts forever. Here such a subset is no candidate.
//! - The number of combinations is bounded ([`Distributed::bounded`]).
//!
//! What the static policy makes of it (reservations, options, what one container leaves to the next of its pod) is in [`policy`], what the topology
//! manager says first in [`hints`], and [`place`](mod@place) puts whole pods. [`fragment`] is a share of a core.

mod distributed;
pub mod fragment;
mod free;
pub mod hints;
mod packed;
pub mod pin;
pub mod place;

pub mod policy;

use crate::convert::Version;

pub use distributed::{Distributed, TRIES, distributed};
pub use packed::packed;

/// In which order single CPUs are taken, when no whole group is left to take (`CPUSortingStrategy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sorting {
    /// The threads of one core before the next core.
    #[default]
    Packed,
    /// CPUs of different cores before their siblings (`distribute-cpus-across-cores`). Whole cores are not sought.
    Spread,
}

/// Whether CPUs are taken from as few last-level caches as possible (`prefer-align-cpus-by-uncorecache`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Uncore {
    /// Caches make no difference.
    #[default]
    Ignored,
    /// A part of a cache is taken in whole cores: Kubernetes 1.32 and 1.33. Of an odd number on cores of two threads none is aligned.
    WholeCores,
    /// A part of a cache may leave a thread of its last core: since Kubernetes 1.34 (kubernetes#131850).
    AnyCount,
}

impl Uncore {
    /// As a version with the option aligns.
    #[must_use]
    pub fn of(version: Version) -> Self {
        if version >= Version::new(1, 34, 0) { Self::AnyCount } else { Self::WholeCores }
    }
}

/// There are fewer CPUs than asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not enough cpus available to satisfy request: requested={requested}, available={available}")]
pub struct NotEnough {
    /// How many were asked for.
    pub requested: usize,
    /// How many there are.
    pub available: usize,
}
