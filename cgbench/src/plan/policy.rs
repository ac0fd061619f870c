//! The CPU policies under test.

use serde::{Deserialize, Serialize};

/// A CPU policy under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PolicyKind {
    /// No quota: the CPU request alone.
    #[serde(rename = "shares")]
    Shares,
    /// A quota per period: the CPU limit as the kubelet writes it.
    #[serde(rename = "limit")]
    Limit,
    /// The same quota, and up to half a quota saved from idle periods.
    #[serde(rename = "limit+half-burst")]
    LimitHalfBurst,
    /// The same quota, and up to one quota saved from idle periods.
    #[serde(rename = "limit+burst")]
    LimitBurst,
    /// A part of one CPU that others use as well, by shares and without a quota: what eru calls a fragment.
    #[serde(rename = "shared-core")]
    SharedCore,
    /// CPUs of its own, no quota.
    #[serde(rename = "pinned")]
    Pinned,
    /// CPUs of its own and the quota as well.
    #[serde(rename = "pinned+limit")]
    PinnedLimit,
}

impl PolicyKind {
    /// All of them, in the order of tables and legends.
    pub const ALL: [Self; 7] = [
        Self::Shares,
        Self::Limit,
        Self::LimitHalfBurst,
        Self::LimitBurst,
        Self::SharedCore,
        Self::Pinned,
        Self::PinnedLimit,
    ];

    /// The name in tables, files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shares => "shares",
            Self::Limit => "limit",
            Self::LimitHalfBurst => "limit+half-burst",
            Self::LimitBurst => "limit+burst",
            Self::SharedCore => "shared-core",
            Self::Pinned => "pinned",
            Self::PinnedLimit => "pinned+limit",
        }
    }

    /// Whether there is a quota.
    #[must_use]
    pub const fn limits(self) -> bool {
        matches!(self, Self::Limit | Self::LimitHalfBurst | Self::LimitBurst | Self::PinnedLimit)
    }

    /// Whether the load has CPUs of its own.
    #[must_use]
    pub const fn pins(self) -> bool {
        matches!(self, Self::Pinned | Self::PinnedLimit)
    }

    /// Whether unused quota may be saved.
    #[must_use]
    pub const fn bursts(self) -> bool {
        matches!(self, Self::LimitHalfBurst | Self::LimitBurst)
    }

    /// Whether it takes a cpuset.
    #[must_use]
    pub const fn confines(self) -> bool {
        matches!(self, Self::SharedCore | Self::Pinned | Self::PinnedLimit)
    }
}

impl std::str::FromStr for PolicyKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|kind| kind.name()).collect();
            format!("known policies: {}", known.join(", "))
        })
    }
}
