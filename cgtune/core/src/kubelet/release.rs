//! Releases of Kubernetes whose kubelet is known here.

use std::fmt;

use crate::convert::Version;

/// Kubernetes 1.30 to 1.36, newest by default. Patch releases don't differ in what is looked at here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release {
    minor: u32,
}

/// A release whose kubelet is not known here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the kubelet of Kubernetes {0} is not known here, only those of {oldest} to {newest}", oldest = Release::OLDEST, newest = Release::NEWEST)]
pub struct UnknownRelease(Version);

impl Release {
    /// The oldest one that is known.
    pub const OLDEST: Self = Self { minor: 30 };
    /// The newest one that is known.
    pub const NEWEST: Self = Self { minor: 36 };

    /// All, from the oldest on.
    pub fn all() -> impl Iterator<Item = Self> {
        (Self::OLDEST.minor..=Self::NEWEST.minor).map(|minor| Self { minor })
    }

    /// Its minor version.
    #[must_use]
    pub const fn minor(self) -> u32 {
        self.minor
    }

    /// As a version.
    #[must_use]
    pub const fn version(self) -> Version {
        Version::new(1, self.minor, 0)
    }

    /// The release of a minor version; also of one that is not known.
    pub(crate) const fn of_minor(minor: u32) -> Self {
        Self { minor }
    }
}

impl Default for Release {
    fn default() -> Self {
        Self::NEWEST
    }
}

impl TryFrom<Version> for Release {
    type Error = UnknownRelease;

    fn try_from(version: Version) -> Result<Self, UnknownRelease> {
        let (major, minor) = version.major_minor();
        let release = Self { minor };
        (major == 1 && (Self::OLDEST..=Self::NEWEST).contains(&release))
            .then_some(release)
            .ok_or(UnknownRelease(version))
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patch_releases_are_their_release_and_others_are_not_known() {
        let release = |text: &str| Release::try_from(text.parse::<Version>().unwrap());
        assert_eq!(release("v1.33.4+k3s1").unwrap().to_string(), "1.33");
        for text in ["1.29.9", "1.37", "2.30"] {
            assert!(release(text).unwrap_err().to_string().ends_with("1.30 to 1.36"), "{text}");
        }
    }
}
