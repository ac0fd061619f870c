//! Who runs a container, by what its group is called.
//!
//! Names: `cri-containerd-<id>.scope`, `crio-<id>[.scope]`, `docker-<id>.scope`, `libpod-<id>[.scope]`,
//! `nerdctl-<id>.scope`, Docker's `/docker/<id>`, a bare id of containerd's, and the triples `slice:prefix:id` of a runtime without systemd's
//! driver.

use serde::Serialize;

/// Who runs a container, by the name of its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Runtime {
    /// containerd: the CRI's containers, and those of nerdctl and ctr.
    Containerd,
    /// CRI-O.
    Crio,
    /// Docker.
    Docker,
    /// Podman.
    Podman,
    /// A container by its id, of nobody whom we know.
    Unknown,
}

impl Runtime {
    /// What to call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Containerd => "containerd",
            Self::Crio => "CRI-O",
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Unknown => "container runtime",
        }
    }

    /// Whether it lets NRI plugins adjust its containers.
    pub(crate) fn speaks_nri(self) -> bool {
        matches!(self, Self::Containerd | Self::Crio | Self::Unknown)
    }

    /// By the leaf's prefix, or for a bare id by the group above. The id's length was checked.
    pub(crate) fn of(leaf: &str, id: &str, above: Option<&&str>) -> Self {
        let stem = leaf.strip_suffix(".scope").unwrap_or(leaf);
        let prefix = stem.strip_suffix(id).unwrap_or_default().trim_end_matches(['-', ':']);
        // The monitor beside a container is its runtime's.
        let prefix = prefix.strip_suffix("-conmon").unwrap_or(prefix);
        // `slice:prefix:id`.
        match prefix.rsplit(':').next().unwrap_or_default() {
            "cri-containerd" | "nerdctl" => Self::Containerd,
            "crio" => Self::Crio,
            "docker" => Self::Docker,
            "libpod" => Self::Podman,
            "" if above.is_some_and(|above| *above == "docker") => Self::Docker,
            // Below a pod that is containerd with the cgroupfs driver; below a namespace's name, ctr or nerdctl.
            "" => Self::Containerd,
            _ => Self::Unknown,
        }
    }
}
