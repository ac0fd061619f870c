//! Where a formula is written down: functions of other projects, at the commits that were read.

use std::fmt;

use serde::Serialize;

/// A function in a repository at a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The function.
    pub function: &'static str,
    /// The repository on GitHub; systemd's release where its files come from that.
    pub repository: &'static str,
    /// The file in it.
    pub path: &'static str,
    /// The commit or release that was read.
    pub version: &'static str,
}

impl Source {
    /// Its address, for a browser.
    #[must_use]
    pub fn url(&self) -> String {
        format!("https://github.com/{}/blob/{}/{}", self.repository, self.version, self.path)
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Of a whole hash ten digits tell enough.
        let version = if self.version.len() == 40 { &self.version[..10] } else { self.version };
        write!(f, "{}, {} {} @{version}", self.function, self.repository, self.path)
    }
}

macro_rules! sources {
    ($($name:ident = $function:literal, $repository:literal, $path:literal, $version:literal;)*) => {
        $(pub(super) const $name: Source = Source {
            function: $function, repository: $repository, path: $path, version: $version,
        };)*
    };
}

// The commits of Kubernetes are those of files that were read one by one; 9283b256 is known by a fork that carries
// upstream's tree.
sources! {
    ROUND_UP = "SetDefaults_ResourceList", "kubernetes/kubernetes", "pkg/apis/core/v1/defaults.go", "023f88a32c95647b94e47df54948a0af9517dd0c";
    SET_DEFAULTS = "SetDefaults_Pod", "kubernetes/kubernetes", "pkg/apis/core/v1/defaults.go", "023f88a32c95647b94e47df54948a0af9517dd0c";
    CALCULATE = "calculateLinuxResources", "kubernetes/kubernetes", "pkg/kubelet/kuberuntime/kuberuntime_container_linux.go", "b94367cabf3edea99cfd7ecf7e8bafdc908d83ca";
    SHARES = "MilliCPUToShares", "kubernetes/kubernetes", "pkg/kubelet/cm/helpers_linux.go", "9283b256656828fd07ead9b67e5c3bbd79cf2c6e";
    QUOTA = "MilliCPUToQuota", "kubernetes/kubernetes", "pkg/kubelet/cm/helpers_linux.go", "9283b256656828fd07ead9b67e5c3bbd79cf2c6e";
    POD_CONFIG = "ResourceConfigForPod", "kubernetes/kubernetes", "pkg/kubelet/cm/helpers_linux.go", "9283b256656828fd07ead9b67e5c3bbd79cf2c6e";
    POD_WEIGHT = "getCPUWeight", "kubernetes/kubernetes", "pkg/kubelet/cm/cgroup_v2_manager_linux.go", "9283b256656828fd07ead9b67e5c3bbd79cf2c6e";
    POD_REQUESTS = "PodRequests", "kubernetes/component-helpers", "resource/helpers.go", "1961876";
    POD_LIMITS = "PodLimits", "kubernetes/component-helpers", "resource/helpers.go", "1961876";
    RUNC_WEIGHT = "ConvertCPUSharesToCgroupV2Value", "opencontainers/cgroups", "utils.go", "30a2293c0b0325280ea70a86fe991ec1e87b5d00";
    RUNC_OLD_WEIGHT = "ConvertCPUSharesToCgroupV2Value", "opencontainers/runc", "libcontainer/cgroups/utils.go", "release-1.2";
    CRUN_WEIGHT = "convert_shares_to_weight", "containers/crun", "src/libcrun/cgroup-internal.h", "ba38286";
    YOUKI_WEIGHT = "convert_shares_to_cgroup2", "youki-dev/youki", "crates/libcgroups/src/v2/cpu.rs", "bc78720";
    KATA_WEIGHT = "cpu_shares_to_cgroup_v2", "kata-containers/cgroups-rs", "src/manager/conv.rs", "7a7fd32";
    SYSTEMD_QUOTA = "addCPUQuota", "opencontainers/cgroups", "systemd/common.go", "30a2293c0b0325280ea70a86fe991ec1e87b5d00";
    SET_CPU = "setCPU", "opencontainers/cgroups", "fs2/cpu.go", "30a2293c0b0325280ea70a86fe991ec1e87b5d00";
}
