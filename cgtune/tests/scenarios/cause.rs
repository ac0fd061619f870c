//! The causes, by the names that they have in `cgtune.diagnose/1`.

use std::fmt;

/// Why a cgroup waits for CPU, or that it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Cause {
    SustainedDemand,
    ShortBursts,
    TooManyThreads,
    AncestorLimit,
    PinnedAndLimited,
    QuotaTooSmall,
    Starved,
    IdleClass,
    KernelExpiryBug,
    Healthy,
    Unknown,
}

impl Cause {
    pub(crate) const ALL: [Self; 11] = [
        Self::SustainedDemand,
        Self::ShortBursts,
        Self::TooManyThreads,
        Self::AncestorLimit,
        Self::PinnedAndLimited,
        Self::QuotaTooSmall,
        Self::Starved,
        Self::IdleClass,
        Self::KernelExpiryBug,
        Self::Healthy,
        Self::Unknown,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SustainedDemand => "sustained-demand",
            Self::ShortBursts => "short-bursts",
            Self::TooManyThreads => "too-many-threads",
            Self::AncestorLimit => "ancestor-limit",
            Self::PinnedAndLimited => "pinned-and-limited",
            Self::QuotaTooSmall => "quota-too-small",
            Self::Starved => "starved",
            Self::IdleClass => "idle-class",
            Self::KernelExpiryBug => "kernel-expiry-bug",
            Self::Healthy => "healthy",
            Self::Unknown => "unknown",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
