//! The causes, by the names that they have in JSON and on the command line. What each means to a person stands in the
//! tool's `explain` pages.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Why a group's threads stand still while they could run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// It wants more CPU than its limit, period after period.
    SustainedDemand,
    /// It uses less than its limit on average, but a burst of work needs more than one period's quota.
    ShortBursts,
    /// Threads that run side by side use up the quota in a fraction of the period.
    TooManyThreads,
    /// A group above it runs out of quota: its pod, its slice.
    AncestorLimit,
    /// It is held to a few CPUs and, on those, by a quota too.
    PinnedAndLimited,
    /// The quota is smaller than what the kernel hands out at a time.
    QuotaTooSmall,
    /// Not throttled: it waits for a CPU that others use.
    Starved,
    /// It waits because it runs only when nobody else would (`cpu.idle`, SCHED_IDLE).
    IdleClass,
    /// Kernels 4.18 to 5.3 take away unused slices (fixed by de53fd7aedb1).
    KernelExpiryBug,
    /// Nothing worth acting on.
    Healthy,
    /// It cannot be told; the evidence says what is missing.
    Unknown,
}

impl Cause {
    /// All, in the order in which they are documented.
    pub const ALL: [Self; 11] = [
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

    /// Its name in JSON, as an argument and in text.
    #[must_use]
    pub const fn name(self) -> &'static str {
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
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that no cause has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is no cause", crate::text::Escaped(.0.as_bytes()))]
pub struct NoSuchCause(pub String);

impl FromStr for Cause {
    type Err = NoSuchCause;

    fn from_str(name: &str) -> Result<Self, NoSuchCause> {
        Self::ALL.into_iter().find(|cause| cause.name() == name).ok_or_else(|| NoSuchCause(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_found_by_its_name_which_is_that_of_its_json() {
        for cause in Cause::ALL {
            assert_eq!(cause.name().parse(), Ok(cause));
            assert_eq!(serde_json::to_value(cause).unwrap(), cause.name());
        }
        assert!("throttled".parse::<Cause>().is_err());
    }
}
