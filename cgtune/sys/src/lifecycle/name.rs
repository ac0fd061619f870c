//! Names of the groups that we make: `cgtune.<boot>.<pid>.<start>-<what>`.
//!
//! Boot and start tell whether the process that made a group still lives: a pid alone is used again.

use std::{ffi::OsStr, fmt};

use crate::{Error, Hierarchies, HostRoot, members};

/// A name of ours, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GroupName {
    /// First four bytes of the boot id, in hex.
    boot: String,
    pid: u32,
    /// Clock ticks since boot.
    started: u64,
    what: String,
}

/// What a leaf is for: the process itself, which may not stay in a group that passes controllers on.
const LEAF: &str = "self";

impl GroupName {
    pub(super) fn ours(what: &str, hierarchies: &Hierarchies) -> Result<Self, Error> {
        let pid = std::process::id();
        Ok(Self {
            boot: short(hierarchies.boot_id()?),
            pid,
            started: members::started_ticks(&HostRoot::default(), pid).ok_or(Error::NoSuchProcess(pid))?,
            what: what.to_owned(),
        })
    }

    /// The name of the leaf into which we move.
    pub(super) fn leaf(hierarchies: &Hierarchies) -> Result<Self, Error> {
        Self::ours(LEAF, hierarchies)
    }

    pub(super) fn is_leaf(&self) -> bool {
        self.what == LEAF
    }

    /// `None`: not a name of ours, so not ours to touch.
    pub(super) fn parse(name: &OsStr) -> Option<Self> {
        let (maker, what) = name.to_str()?.strip_prefix("cgtune.")?.split_once('-')?;
        let mut parts = maker.split('.');
        let (boot, pid, started) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let hex = boot.len() == 8 && boot.bytes().all(|b| b.is_ascii_hexdigit());
        (hex && parts.next().is_none()).then(|| Self {
            boot: boot.to_owned(),
            pid,
            started,
            what: what.to_owned(),
        })
    }

    /// Whether the process that made it still runs.
    pub(super) fn is_alive(&self, boot: [u8; 16], host: &HostRoot) -> bool {
        self.boot == short(boot) && members::started_ticks(host, self.pid) == Some(self.started)
    }
}

fn short(boot: [u8; 16]) -> String {
    boot[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cgtune.{}.{}.{}-{}", self.boot, self.pid, self.started, self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_others_names_are_not_ours() {
        let name = GroupName { boot: "00ff12ab".into(), pid: 42, started: 777, what: "load-x".into() };
        assert_eq!(GroupName::parse(OsStr::new(&name.to_string())), Some(name));
        for other in
            ["kubepods", "cgtune", "cgtune.x-load", "cgtune.00ff12ab.42-load", "cgtune.00ff12ab.42.7.9-load"]
        {
            assert_eq!(GroupName::parse(OsStr::new(other)), None, "{other}");
        }
    }
}
