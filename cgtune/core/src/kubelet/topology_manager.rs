//! The topology manager: which NUMA nodes a container's CPUs, memory and devices may come from.
//!
//! Source: pkg/kubelet/cm/topologymanager (topology_manager.go, policy_options.go), Kubernetes 1.30 to 1.36.

use std::fmt;

use crate::{
    convert::Version,
    kubelet::{
        gates::{Gate, Stage},
        options::parse_bool,
        release::Release,
    },
};

/// More NUMA nodes than this, and the kubelet doesn't start under a policy other than `none`
/// (`defaultMaxAllowableNUMANodes`).
pub const MAX_NUMA_NODES: usize = 8;

/// `topologyManagerPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum TopologyPolicy {
    /// Nothing is aligned.
    #[default]
    None,
    /// Aligned where it can be; every pod is let in.
    BestEffort,
    /// A pod that cannot be aligned as well as its size allows is refused.
    Restricted,
    /// A pod that does not fit one NUMA node is refused.
    SingleNumaNode,
}

impl TopologyPolicy {
    /// All.
    pub const ALL: [Self; 4] = [Self::None, Self::BestEffort, Self::Restricted, Self::SingleNumaNode];

    /// As it is written in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::BestEffort => "best-effort",
            Self::Restricted => "restricted",
            Self::SingleNumaNode => "single-numa-node",
        }
    }

    /// The policy of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.name() == name)
    }
}

impl fmt::Display for TopologyPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// `topologyManagerScope`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TopologyScope {
    /// Each container for itself.
    #[default]
    Container,
    /// All containers of a pod together.
    Pod,
}

impl TopologyScope {
    /// As it is written in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Container => "container",
            Self::Pod => "pod",
        }
    }

    /// The scope of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Container, Self::Pod].into_iter().find(|scope| scope.name() == name)
    }
}

impl fmt::Display for TopologyScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One of `topologyManagerPolicyOptions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TopologyOption {
    /// `prefer-closest-numa-nodes`: where several are needed, those that lie near each other.
    PreferClosestNumaNodes,
    /// `max-allowable-numa-nodes`: start on machines of so many, which makes admission slow.
    MaxAllowableNumaNodes,
}

impl TopologyOption {
    /// As it is written in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PreferClosestNumaNodes => "prefer-closest-numa-nodes",
            Self::MaxAllowableNumaNodes => "max-allowable-numa-nodes",
        }
    }

    /// The option of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::PreferClosestNumaNodes, Self::MaxAllowableNumaNodes]
            .into_iter()
            .find(|option| option.name() == name)
    }

    /// The minor versions of Kubernetes 1 in which it became beta and generally available.
    const fn since(self) -> (u32, u32) {
        match self {
            Self::PreferClosestNumaNodes => (28, 32),
            Self::MaxAllowableNumaNodes => (31, 35),
        }
    }

    /// The first release that knows it with its gates as they are by default.
    #[must_use]
    pub const fn introduced_in(self) -> Release {
        Release::of_minor(self.since().0)
    }

    /// How far it is in a version; `None` where the version does not know it.
    #[must_use]
    pub fn stage(self, version: Version) -> Option<Stage> {
        let (beta, stable) = self.since();
        if version >= Version::new(1, stable, 0) {
            Some(Stage::Stable)
        } else {
            (version >= Version::new(1, beta, 0)).then_some(Stage::Beta)
        }
    }

    /// The gate that a version wants open for it.
    #[must_use]
    pub fn gate(self, version: Version) -> Option<Gate> {
        (self.stage(version)? == Stage::Beta).then_some(Gate::TopologyManagerPolicyBetaOptions)
    }

    /// Whether the kubelet takes a value for it.
    #[must_use]
    pub fn takes(self, value: &str) -> bool {
        match self {
            Self::PreferClosestNumaNodes => parse_bool(value).is_some(),
            Self::MaxAllowableNumaNodes => value.parse().is_ok_and(|nodes: usize| nodes >= MAX_NUMA_NODES),
        }
    }
}

impl fmt::Display for TopologyOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
