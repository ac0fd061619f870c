//! What a version of Kubernetes does by default: the features that change a pod's CPU settings, and since when.
//!
//! Source: pkg/features/kube_features.go of the 1.37 development tree, and the release notes.

use std::fmt;

use serde::Serialize;

use crate::convert::version::Version;

/// A version of Kubernetes, newest-known by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kubernetes(Version);

impl Kubernetes {
    /// The version whose behaviour is assumed where none is named: the newest release that was read.
    pub const NEWEST: Self = Self(Version::new(1, 36, 0));

    /// That version; features of later ones are not known of, so what lies above [`NEWEST`](Self::NEWEST) is
    /// taken for it.
    #[must_use]
    pub const fn new(version: Version) -> Self {
        Self(version)
    }

    /// Whether it has a feature.
    #[must_use]
    pub fn has(self, feature: Feature) -> Availability {
        let (alpha, on) = feature.versions();
        if self.0 >= Version::new(1, on, 0) {
            Availability::On
        } else if self.0 >= Version::new(1, alpha, 0) {
            Availability::Gated
        } else {
            Availability::Absent
        }
    }
}

impl Default for Kubernetes {
    fn default() -> Self {
        Self::NEWEST
    }
}

impl fmt::Display for Kubernetes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a version has a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// By default.
    On,
    /// Behind a feature gate that is off by default.
    Gated,
    /// Not at all.
    Absent,
}

/// A feature by its gate's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Feature {
    /// A `cpuCFSQuotaPeriod` other than 100 ms.
    CustomCPUCFSQuotaPeriod,
    /// Requests and limits of a whole pod (`spec.resources`).
    PodLevelResources,
    /// No quota for containers that have CPUs of their own.
    DisableCPUQuotaWithExclusiveCPUs,
    /// Init containers that keep running (`restartPolicy: Always`).
    SidecarContainers,
    /// Resizing a running pod.
    InPlacePodVerticalScaling,
}

impl Feature {
    /// The minor versions from which it can be had at all, and by default.
    const fn versions(self) -> (u32, u32) {
        match self {
            Self::CustomCPUCFSQuotaPeriod => (12, 36),
            Self::PodLevelResources => (32, 34),
            Self::DisableCPUQuotaWithExclusiveCPUs => (33, 33),
            Self::SidecarContainers => (28, 29),
            Self::InPlacePodVerticalScaling => (27, 33),
        }
    }

    /// The first version that has it by default.
    #[must_use]
    pub const fn since(self) -> Version {
        Version::new(1, self.versions().1, 0)
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Kubernetes {
        Kubernetes::new(text.parse().unwrap())
    }

    #[test]
    fn a_feature_is_absent_then_gated_then_on() {
        let period = |text| version(text).has(Feature::CustomCPUCFSQuotaPeriod);
        assert_eq!(period("1.11.9"), Availability::Absent);
        assert_eq!(period("1.12"), Availability::Gated);
        assert_eq!(period("1.35.9"), Availability::Gated);
        assert_eq!(period("1.36.0-rc.1"), Availability::On);
        assert_eq!(period("2.0"), Availability::On);
        // Never alpha: it came switched on.
        let exclusive = |text| version(text).has(Feature::DisableCPUQuotaWithExclusiveCPUs);
        assert_eq!((exclusive("1.32"), exclusive("1.33")), (Availability::Absent, Availability::On));
    }
}
