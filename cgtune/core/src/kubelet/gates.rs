//! Feature gates that have to do with CPU, and how far each is in a version.
//!
//! Source: pkg/features/kube_features.go of Kubernetes 1.30 to 1.36.

use std::fmt;

use crate::convert::Version;

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
    /// Options of the static policy that are alpha.
    CPUManagerPolicyAlphaOptions,
    /// Options of the static policy that are beta.
    CPUManagerPolicyBetaOptions,
}

impl Gate {
    /// Whether a version has it open unless told otherwise.
    #[must_use]
    pub const fn open_by_default(self, _version: Version) -> bool {
        match self {
            Self::CPUManagerPolicyAlphaOptions => false,
            Self::CPUManagerPolicyBetaOptions => true,
        }
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
