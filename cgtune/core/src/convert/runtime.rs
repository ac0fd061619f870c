//! Low-level runtimes: whose version decides what a container's shares, quota and burst become.
//!
//! containerd, CRI-O and Docker hand an OCI spec to one of these; they convert nothing themselves. Versions: the
//! commits in `/docs/conversion.md` of this project.

use std::{fmt, str::FromStr};

use crate::{
    convert::{
        version::{Version, VersionError},
        weight::WeightFormula,
    },
    text::Escaped,
};

/// Longest name of an unknown runtime that is kept.
const LONGEST_NAME: usize = 40;

/// A runtime, `runc@1.3.2` or the newest of a name, `crun`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Runtime {
    /// Which.
    pub name: RuntimeName,
    /// Its version; `None`: the newest that is known.
    pub version: Option<Version>,
}

/// Runtimes by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RuntimeName {
    /// opencontainers/runc.
    Runc,
    /// containers/crun.
    Crun,
    /// youki-dev/youki.
    Youki,
    /// Kata Containers, by way of kata-containers/cgroups-rs.
    Kata,
    /// One whose formulas are not known here, by its name (escaped).
    Other(String),
}

/// From which version of a runtime on something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    Version(Version),
    Never,
}

impl Runtime {
    /// How it turns shares into a weight; `None` for a runtime that is not known.
    #[must_use]
    pub fn formula(&self) -> Option<WeightFormula> {
        let logarithmic = match self.name {
            // opencontainers/cgroups v0.0.3; neither 1.1 nor 1.2 got it.
            RuntimeName::Runc => Since::Version(Version::new(1, 3, 2)),
            RuntimeName::Crun => Since::Version(Version::new(1, 23, 0)),
            RuntimeName::Youki => Since::Version(Version::new(0, 5, 7)),
            RuntimeName::Kata => Since::Never,
            RuntimeName::Other(_) => return None,
        };
        Some(if self.reached(logarithmic) { WeightFormula::Logarithmic } else { WeightFormula::Linear })
    }

    /// Whether it writes `linux.resources.cpu.burst`; `None` where that is not known.
    #[must_use]
    pub fn writes_burst(&self) -> Option<bool> {
        let since = match self.name {
            RuntimeName::Runc => Since::Version(Version::new(1, 2, 0)),
            RuntimeName::Crun => Since::Version(Version::new(1, 11, 0)),
            RuntimeName::Youki => Since::Version(Version::new(0, 3, 3)),
            RuntimeName::Kata => Since::Never,
            RuntimeName::Other(_) => return None,
        };
        Some(self.reached(since))
    }

    /// Whether a limit becomes whole percents of a CPU under its systemd driver: the library of runc (and of the
    /// kubelet) rounds up, crun and youki hand the quota on as it is.
    #[must_use]
    pub fn rounds_for_systemd(&self) -> bool {
        matches!(self.name, RuntimeName::Runc | RuntimeName::Other(_))
    }

    fn reached(&self, since: Since) -> bool {
        match since {
            Since::Never => false,
            Since::Version(since) => self.version.is_none_or(|version| version >= since),
        }
    }
}

impl Default for Runtime {
    /// The newest runc: what containerd and, until lately, CRI-O start unless told otherwise.
    fn default() -> Self {
        Self { name: RuntimeName::Runc, version: None }
    }
}

impl fmt::Display for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            RuntimeName::Runc => f.write_str("runc"),
            RuntimeName::Crun => f.write_str("crun"),
            RuntimeName::Youki => f.write_str("youki"),
            RuntimeName::Kata => f.write_str("kata"),
            RuntimeName::Other(name) => f.write_str(name),
        }?;
        match self.version {
            Some(version) => write!(f, " {version}"),
            None => Ok(()),
        }
    }
}

/// Why a text names no runtime.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuntimeError {
    /// No name, or one that is no program's.
    #[error("\"{0}\" names no runtime")]
    Name(String),
    /// A program that leaves the conversion to another.
    #[error("{0} does not convert itself: it starts a low-level runtime, and that one's version counts")]
    Indirect(String),
    /// What stands behind the `@`.
    #[error(transparent)]
    Version(#[from] VersionError),
}

impl FromStr for Runtime {
    type Err = RuntimeError;

    fn from_str(text: &str) -> Result<Self, RuntimeError> {
        let (name, version) = match text.split_once('@') {
            Some((name, version)) => (name, Some(version.parse()?)),
            None => (text, None),
        };
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(plain) {
            let shown: String = name.chars().take(LONGEST_NAME).collect();
            return Err(RuntimeError::Name(Escaped(shown.as_bytes()).to_string()));
        }
        let name = match name.to_ascii_lowercase().as_str() {
            "runc" => RuntimeName::Runc,
            "crun" => RuntimeName::Crun,
            "youki" => RuntimeName::Youki,
            "kata" | "kata-runtime" | "kata-containers" => RuntimeName::Kata,
            high @ ("containerd" | "cri-o" | "crio" | "docker" | "dockerd" | "podman" | "nerdctl"
            | "moby") => {
                return Err(RuntimeError::Indirect(high.to_owned()));
            }
            _ => RuntimeName::Other(name.to_owned()),
        };
        Ok(Self { name, version })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runtime(text: &str) -> Runtime {
        text.parse().unwrap()
    }

    #[test]
    fn the_formula_changes_with_the_version() {
        use WeightFormula::{Linear, Logarithmic};
        for (text, formula) in [
            ("runc@1.1.5+ds1", Linear),
            ("runc@1.2.9", Linear),
            ("runc@1.3.1", Linear),
            ("runc@1.3.2", Logarithmic),
            ("runc@v1.4.0", Logarithmic),
            ("runc", Logarithmic),
            ("crun@1.22", Linear),
            ("crun@1.23", Logarithmic),
            ("youki@0.5.6", Linear),
            ("youki@0.5.7", Logarithmic),
            ("kata@3.20", Linear),
            ("kata", Linear),
        ] {
            assert_eq!(runtime(text).formula(), Some(formula), "{text}");
        }
        assert_eq!(runtime("runsc@20250101.0").formula(), None);
    }

    #[test]
    fn burst_came_at_different_times() {
        for (text, writes) in [
            ("runc@1.1.5", Some(false)),
            ("runc@1.2.0", Some(true)),
            ("crun@1.8.1", Some(false)),
            ("crun@1.11", Some(true)),
            ("youki", Some(true)),
            ("kata", Some(false)),
            ("runsc", None),
        ] {
            assert_eq!(runtime(text).writes_burst(), writes, "{text}");
        }
    }

    #[test]
    fn what_is_no_low_level_runtime_is_refused() {
        assert!(matches!("containerd@2.1".parse::<Runtime>(), Err(RuntimeError::Indirect(_))));
        assert!(matches!("runc@".parse::<Runtime>(), Err(RuntimeError::Version(_))));
        for text in ["", "@1.2", "a b", "\x1b[2J", &"x".repeat(41)] {
            assert!(matches!(text.parse::<Runtime>(), Err(RuntimeError::Name(_))), "{text:?}");
        }
    }
}
