//! A node as far as conversions depend on it: versions, cgroup driver, and the kubelet's own settings.

use crate::{
    Micros,
    convert::{
        kubelet,
        kubernetes::Kubernetes,
        runtime::Runtime,
        systemd::{self, CgroupDriver},
    },
    policy::Quota,
};

/// The node's settings. The default is the newest of everything, set up as a KubeletConfiguration is by default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The kubelet's (and API server's) version.
    pub kubernetes: Kubernetes,
    /// The low-level runtime.
    pub runtime: Runtime,
    /// Who makes cgroups.
    pub driver: CgroupDriver,
    /// The kubelet's `cpuCFSQuotaPeriod`.
    pub period: Micros,
    /// The kubelet's `cpuCFSQuota`: whether limits become quotas at all.
    pub cfs_quota: bool,
    /// Whether the kubelet's `cpuManagerPolicy` is static, which gives whole CPUs to some containers.
    pub static_cpus: bool,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            kubernetes: Kubernetes::NEWEST,
            runtime: Runtime::default(),
            driver: CgroupDriver::default(),
            period: kubelet::QUOTA_PERIOD,
            cfs_quota: true,
            static_cpus: false,
        }
    }
}

impl Setting {
    /// What a quota that the kubelet sends for a container is in the container's file.
    #[must_use]
    pub fn container_quota(&self, sent: Quota) -> Quota {
        match self.driver {
            CgroupDriver::Systemd if self.runtime.rounds_for_systemd() => {
                systemd::rounded(sent, self.period).quota
            }
            _ => sent,
        }
    }

    /// The same for a pod's quota, which the kubelet writes through the library that runc uses.
    #[must_use]
    pub fn pod_quota(&self, quota: Quota) -> Quota {
        match self.driver {
            CgroupDriver::Systemd => systemd::rounded(quota, self.period).quota,
            CgroupDriver::Cgroupfs => quota,
        }
    }
}
