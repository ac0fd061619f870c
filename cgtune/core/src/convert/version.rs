//! Versions of Kubernetes and of runtimes, as far as their behaviour depends on them.

use std::{fmt, str::FromStr};

use crate::text::Escaped;

/// `1.33`, `v1.3.2`, `1.30.1-gke.1000`: three numbers, those that are missing being 0. What follows a `-`, `+` or
/// `~` says who built it and is not compared.
///
/// ```
/// use cgtune_core::convert::Version;
///
/// let version: Version = "v1.30.1-gke.1000".parse()?;
/// assert!(version >= Version::new(1, 30, 1) && version < "1.31".parse()?);
/// # Ok::<(), cgtune_core::convert::VersionError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    major: u32,
    minor: u32,
    patch: u32,
}

impl Version {
    /// That version.
    #[must_use]
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// The first two numbers.
    #[must_use]
    pub const fn major_minor(self) -> (u32, u32) {
        (self.major, self.minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.patch {
            0 => write!(f, "{}.{}", self.major, self.minor),
            patch => write!(f, "{}.{}.{patch}", self.major, self.minor),
        }
    }
}

/// A text that is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a version such as 1.33 or 1.3.2")]
pub struct VersionError(String);

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let wrong = || VersionError(Escaped(text.as_bytes()).to_string());
        let numbers = text.strip_prefix('v').unwrap_or(text);
        let numbers = numbers.split(['-', '+', '~']).next().unwrap_or_default();
        let mut parts = numbers.split('.').map(|part| {
            let plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| part.parse::<u32>().ok()).flatten().ok_or_else(wrong)
        });
        let mut next = || parts.next().transpose().map(|part| part.unwrap_or(0));
        let version = Self { major: next()?, minor: next()?, patch: next()? };
        // "1" alone says too little, "1.2.3.4" too much.
        if !numbers.contains('.') || parts.next().is_some() {
            return Err(wrong());
        }
        Ok(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builds_of_a_version_are_that_version() {
        for text in ["1.30.1", "v1.30.1", "1.30.1-gke.1000", "1.30.1+k3s1", "1.30.1+ds1-1~deb12"] {
            assert_eq!(text.parse(), Ok(Version::new(1, 30, 1)), "{text}");
        }
        assert_eq!("1.36".parse::<Version>().unwrap().to_string(), "1.36");
        assert!(Version::new(1, 9, 0) < Version::new(1, 10, 0));
    }

    #[test]
    fn other_texts_are_refused_and_shown_escaped() {
        for text in ["", "1", "v", "1.", ".1", "1.2.3.4", "1.x", "1.-2", "1.99999999999", "one"] {
            assert!(text.parse::<Version>().is_err(), "{text:?}");
        }
        assert!("\x1b[2J".parse::<Version>().unwrap_err().to_string().contains(r"\x1b"));
    }
}
