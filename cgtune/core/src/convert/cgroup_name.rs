//! Names of the kubelet's cgroups: the same list of components, as folders (cgroupfs driver) or as systemd's slices.
//!
//! Sources: `CgroupName.ToSystemd`, `ToCgroupfs`, `ParseSystemdToCgroupName` in pkg/kubelet/cm/cgroup_manager_linux.go, `NodeAllocatableRoot`
//! and `GetPodCgroupNameSuffix` in helpers_linux.go (1.37 development tree); `ExpandSlice` in opencontainers/cgroups systemd/common.go at
//! 30a2293; `getCgroupsPath` in containerd internal/cri/server at 301026e. Telling names *found* on a node apart is
//! `cgtune-node`'s business.

use crate::convert::{pod::QosClass, systemd::CgroupDriver};

/// The kubelet's group of all pods.
const KUBEPODS: &str = "kubepods";
/// How systemd's slices end.
const SLICE: &str = ".slice";

/// A group by the components that lead to it from the root. None of them has a `/`; dashes are legal, underscores
/// are not in the kubelet's own, so that slices can have them for dashes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CgroupName(Vec<String>);

impl CgroupName {
    /// From a cgroupfs path. As upstream does, `/a/` has an empty component behind `a`, unless it is all there is.
    #[must_use]
    pub fn from_cgroupfs(path: &str) -> Self {
        let inner = path.strip_prefix('/').unwrap_or(path);
        if inner.is_empty() { Self::default() } else { Self(inner.split('/').map(str::to_owned).collect()) }
    }

    /// From the path of a slice (`ParseSystemdToCgroupName`): its last component names all of them.
    #[must_use]
    pub fn from_systemd(path: &str) -> Self {
        let last = path.rsplit('/').next().unwrap_or_default();
        let stem = last.strip_suffix(SLICE).unwrap_or(last);
        Self(stem.split('-').filter(|part| !part.is_empty()).map(|part| part.replace('_', "-")).collect())
    }

    /// The group below.
    #[must_use]
    pub fn child(mut self, component: impl Into<String>) -> Self {
        self.0.push(component.into());
        self
    }

    /// The components from the root on.
    #[must_use]
    pub fn components(&self) -> &[String] {
        &self.0
    }

    /// The group of all pods below the kubelet's `cgroupRoot` (`NodeAllocatableRoot`); that root itself where
    /// `cgroupsPerQOS` is off.
    #[must_use]
    pub fn of_all_pods(cgroup_root: &str, per_qos: bool) -> Self {
        let root = Self::from_cgroupfs(cgroup_root);
        if per_qos { root.child(KUBEPODS) } else { root }
    }

    /// The group of a pod below that of all pods.
    #[must_use]
    pub fn of_pod(all_pods: Self, qos: QosClass, uid: &str) -> Self {
        let class = match qos {
            QosClass::Guaranteed => all_pods,
            QosClass::Burstable => all_pods.child("burstable"),
            QosClass::BestEffort => all_pods.child("besteffort"),
        };
        class.child(format!("pod{uid}"))
    }

    /// The name of the last component as a unit: `kubepods-burstable.slice`.
    #[must_use]
    pub fn slice(&self) -> String {
        slice(&self.0)
    }

    /// The path below a hierarchy's root.
    #[must_use]
    pub fn path(&self, driver: CgroupDriver) -> String {
        match driver {
            CgroupDriver::Cgroupfs => format!("/{}", self.0.join("/")),
            CgroupDriver::Systemd if self.0.is_empty() => "/".to_owned(),
            CgroupDriver::Systemd => {
                (1..=self.0.len()).map(|upto| format!("/{}", slice(&self.0[..upto]))).collect()
            }
        }
    }
}

fn slice(components: &[String]) -> String {
    if components.is_empty() {
        return "/".to_owned();
    }
    let parts: Vec<String> = components.iter().map(|part| part.replace('-', "_")).collect();
    format!("{}{SLICE}", parts.join("-"))
}

/// Where systemd puts a slice: `a-b.slice` is `/a.slice/a-b.slice` (`ExpandSlice`). `None` for a name that is no slice's.
#[must_use]
pub fn expand_slice(name: &str) -> Option<String> {
    let stem = name.strip_suffix(SLICE)?;
    if stem == "-" {
        return Some("/".to_owned());
    }
    if stem.contains('/') || stem.split('-').any(str::is_empty) {
        return None;
    }
    let ends = stem.match_indices('-').map(|(at, _)| at).chain([stem.len()]);
    Some(ends.map(|end| format!("/{}{SLICE}", &stem[..end])).collect())
}

/// Who names a container's group below its pod's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContainerNaming {
    /// containerd's CRI plugin.
    Containerd,
    /// CRI-O.
    CriO,
    /// cri-dockerd.
    Docker,
}

impl ContainerNaming {
    /// The last component of a container's path.
    #[must_use]
    pub fn component(self, driver: CgroupDriver, id: &str) -> String {
        let prefix = match self {
            Self::Containerd => "cri-containerd",
            Self::CriO => "crio",
            Self::Docker => "docker",
        };
        match (driver, self) {
            (CgroupDriver::Systemd, _) => format!("{prefix}-{id}.scope"),
            (CgroupDriver::Cgroupfs, Self::CriO) => format!("crio-{id}"),
            (CgroupDriver::Cgroupfs, _) => id.to_owned(),
        }
    }
}

/// `linux.cgroupsPath` of the OCI spec that containerd's CRI plugin writes for a container below `parent`.
#[must_use]
pub fn oci_cgroups_path(parent: &str, id: &str) -> String {
    let parent = parent.trim_end_matches('/');
    let last = parent.rsplit('/').next().unwrap_or_default();
    if last.ends_with(SLICE) { format!("{last}:cri-containerd:{id}") } else { format!("{parent}/{id}") }
}
