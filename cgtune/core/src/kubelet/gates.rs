//! Feature gates that have to do with CPU, and how far each is in a release.
//!
//! Source: pkg/features/kube_features.go of Kubernetes 1.30 to 1.36. The kubelet doesn't start with a gate that it does not know;
//! gates that have nothing to do with CPU are not listed here, and nothing is said of them.

use std::fmt;

use crate::{convert::Version, kubelet::release::Release};

/// How far a feature is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Off unless its gate is opened.
    Alpha,
    /// As a rule on; its gate can close it.
    Beta,
    /// There for good.
    Stable,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Alpha => "alpha",
            Self::Beta => "beta",
            Self::Stable => "stable",
        })
    }
}

/// A feature gate by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gate {
    /// A `cpuCFSQuotaPeriod` other than 100 ms.
    CustomCPUCFSQuotaPeriod,
    /// The CPU manager.
    CPUManager,
    /// `cpuManagerPolicyOptions` at all.
    CPUManagerPolicyOptions,
    /// Options of the static policy that are alpha.
    CPUManagerPolicyAlphaOptions,
    /// Options of the static policy that are beta.
    CPUManagerPolicyBetaOptions,
    /// No quota for containers that have CPUs of their own.
    DisableCPUQuotaWithExclusiveCPUs,
    /// Resizing a running pod.
    InPlacePodVerticalScaling,
    /// Resizing a container that has CPUs of its own.
    InPlacePodVerticalScalingExclusiveCPUs,
    /// Resizing the resources of a whole pod.
    InPlacePodLevelResourcesVerticalScaling,
    /// The runtime says which cgroup driver there is.
    KubeletCgroupDriverFromCRI,
    /// Pressure stall information in the kubelet's metrics.
    KubeletPSI,
    /// Memory protection by cgroup v2.
    MemoryQoS,
    /// CPUs for a whole pod.
    PodLevelResourceManagers,
    /// Requests and limits of a whole pod.
    PodLevelResources,
    /// The topology manager.
    TopologyManager,
    /// `topologyManagerPolicyOptions` at all.
    TopologyManagerPolicyOptions,
    /// Options of the topology manager that are alpha.
    TopologyManagerPolicyAlphaOptions,
    /// Options of the topology manager that are beta.
    TopologyManagerPolicyBetaOptions,
}

/// Minor versions of Kubernetes 1: when a gate came, and what became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Life {
    alpha: Option<u32>,
    beta: Option<u32>,
    stable: Option<u32>,
    /// The first that doesn't know it any more.
    gone: Option<u32>,
}

const fn life(alpha: Option<u32>, beta: Option<u32>, stable: Option<u32>) -> Life {
    Life { alpha, beta, stable, gone: None }
}

impl Gate {
    /// All that are known here.
    pub const ALL: [Self; 18] = [
        Self::CustomCPUCFSQuotaPeriod,
        Self::CPUManager,
        Self::CPUManagerPolicyOptions,
        Self::CPUManagerPolicyAlphaOptions,
        Self::CPUManagerPolicyBetaOptions,
        Self::DisableCPUQuotaWithExclusiveCPUs,
        Self::InPlacePodVerticalScaling,
        Self::InPlacePodVerticalScalingExclusiveCPUs,
        Self::InPlacePodLevelResourcesVerticalScaling,
        Self::KubeletCgroupDriverFromCRI,
        Self::KubeletPSI,
        Self::MemoryQoS,
        Self::PodLevelResourceManagers,
        Self::PodLevelResources,
        Self::TopologyManager,
        Self::TopologyManagerPolicyOptions,
        Self::TopologyManagerPolicyAlphaOptions,
        Self::TopologyManagerPolicyBetaOptions,
    ];

    /// The gate of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|gate| gate.to_string() == name)
    }

    const fn life(self) -> Life {
        match self {
            Self::CustomCPUCFSQuotaPeriod => life(Some(12), None, Some(36)),
            Self::CPUManager => Life { gone: Some(33), ..life(Some(8), Some(10), Some(26)) },
            Self::CPUManagerPolicyOptions => life(Some(22), Some(23), Some(33)),
            // These never become stable: what they guard does, and leaves them.
            Self::CPUManagerPolicyAlphaOptions => life(Some(23), None, None),
            Self::CPUManagerPolicyBetaOptions => life(None, Some(23), None),
            Self::DisableCPUQuotaWithExclusiveCPUs => life(None, Some(33), None),
            Self::InPlacePodVerticalScaling => life(Some(27), Some(33), Some(35)),
            Self::InPlacePodVerticalScalingExclusiveCPUs => life(Some(32), None, None),
            Self::InPlacePodLevelResourcesVerticalScaling => life(Some(35), None, None),
            Self::KubeletCgroupDriverFromCRI => life(Some(28), Some(31), Some(34)),
            Self::KubeletPSI => life(Some(33), Some(34), Some(36)),
            Self::MemoryQoS => life(Some(22), None, None),
            Self::PodLevelResourceManagers => life(Some(36), None, None),
            Self::PodLevelResources => life(Some(32), Some(34), None),
            Self::TopologyManager => Life { gone: Some(29), ..life(Some(16), Some(18), Some(27)) },
            Self::TopologyManagerPolicyOptions => life(Some(26), Some(28), Some(32)),
            Self::TopologyManagerPolicyAlphaOptions => life(Some(26), None, None),
            Self::TopologyManagerPolicyBetaOptions => life(None, Some(28), None),
        }
    }

    /// How far it is in a version; `None` where the version does not know it (yet, or any more).
    #[must_use]
    pub fn stage(self, version: Version) -> Option<Stage> {
        let life = self.life();
        let reached = |minor: Option<u32>| minor.is_some_and(|minor| version >= Version::new(1, minor, 0));
        if reached(life.gone) {
            None
        } else if reached(life.stable) {
            Some(Stage::Stable)
        } else if reached(life.beta) {
            Some(Stage::Beta)
        } else {
            reached(life.alpha).then_some(Stage::Alpha)
        }
    }

    /// The first release that knows it.
    #[must_use]
    pub fn introduced(self) -> Release {
        let life = self.life();
        let first = life.alpha.or(life.beta).or(life.stable).unwrap_or_default();
        Release::of_minor(first)
    }

    /// The first release in which it is stable.
    #[must_use]
    pub fn stable_since(self) -> Option<Release> {
        self.life().stable.map(Release::of_minor)
    }

    /// Whether it can still be closed where it is stable. As a rule such gates are locked; this one is not.
    #[must_use]
    pub const fn closes_when_stable(self) -> bool {
        matches!(self, Self::TopologyManagerPolicyOptions)
    }

    /// The first release that doesn't know it any more.
    #[must_use]
    pub fn gone_since(self) -> Option<Release> {
        self.life().gone.map(Release::of_minor)
    }

    /// Whether a version has it open unless told otherwise.
    #[must_use]
    pub fn open_by_default(self, version: Version) -> bool {
        matches!(self.stage(version), Some(Stage::Beta | Stage::Stable))
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_comes_opens_and_goes() {
        let at = |gate: Gate, minor| {
            let version = Version::new(1, minor, 0);
            (gate.stage(version), gate.open_by_default(version))
        };
        assert_eq!(at(Gate::CustomCPUCFSQuotaPeriod, 35), (Some(Stage::Alpha), false));
        assert_eq!(at(Gate::CustomCPUCFSQuotaPeriod, 36), (Some(Stage::Stable), true));
        assert_eq!(at(Gate::CPUManagerPolicyAlphaOptions, 36), (Some(Stage::Alpha), false));
        assert_eq!(at(Gate::DisableCPUQuotaWithExclusiveCPUs, 32), (None, false));
        assert_eq!(at(Gate::TopologyManager, 30), (None, false));
        assert_eq!(at(Gate::CPUManager, 32), (Some(Stage::Stable), true));
        assert_eq!(at(Gate::CPUManager, 33), (None, false));
        assert_eq!(Gate::named("KubeletPSI"), Some(Gate::KubeletPSI));
        assert_eq!(Gate::named("kubeletPSI"), None);
    }

    /// The conversions of pods know some of them as well.
    #[test]
    fn both_tables_say_the_same() {
        use crate::convert::{Availability, Feature, Kubernetes};
        for (feature, gate) in [
            (Feature::CustomCPUCFSQuotaPeriod, Gate::CustomCPUCFSQuotaPeriod),
            (Feature::PodLevelResources, Gate::PodLevelResources),
            (Feature::DisableCPUQuotaWithExclusiveCPUs, Gate::DisableCPUQuotaWithExclusiveCPUs),
            (Feature::InPlacePodVerticalScaling, Gate::InPlacePodVerticalScaling),
        ] {
            for release in Release::all() {
                let version = release.version();
                let expected = match Kubernetes::new(version).has(feature) {
                    Availability::On => true,
                    Availability::Gated | Availability::Absent => false,
                };
                assert_eq!(gate.open_by_default(version), expected, "{gate} in {release}");
            }
        }
    }
}
