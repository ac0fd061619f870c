//! The fields of KubeletConfiguration v1beta1 that have to do with CPU, as they are given, and as they then hold.

use std::{collections::BTreeMap, fmt};

use crate::{
    CpuSet, Micros, MilliCpu,
    convert::{CgroupDriver, CpuQuantity, kubelet::QUOTA_PERIOD},
    kubelet::{
        duration::GoDuration,
        gates::Gate,
        options::{Options, parse_bool},
        release::Release,
        topology_manager::{MAX_NUMA_NODES, TopologyOption, TopologyPolicy, TopologyScope},
    },
};

/// What a file gives, in the types that Kubernetes reads it in. What is `None` is not given, which is not its default:
/// that depends on the release ([`KubeletConfig::effective`]). Texts are not judged yet; [`check`](crate::kubelet::check()) does so.
///
/// Source: config/v1beta1/types.go of k8s.io/kubelet, releases 1.30 to 1.36.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KubeletConfig {
    /// `cpuManagerPolicy`.
    pub cpu_manager_policy: Option<String>,
    /// `cpuManagerPolicyOptions`.
    pub cpu_manager_policy_options: Option<BTreeMap<String, String>>,
    /// `cpuManagerReconcilePeriod`.
    pub cpu_manager_reconcile_period: Option<GoDuration>,
    /// `topologyManagerPolicy`.
    pub topology_manager_policy: Option<String>,
    /// `topologyManagerScope`.
    pub topology_manager_scope: Option<String>,
    /// `topologyManagerPolicyOptions`.
    pub topology_manager_policy_options: Option<BTreeMap<String, String>>,
    /// `cpuCFSQuota`.
    pub cpu_cfs_quota: Option<bool>,
    /// `cpuCFSQuotaPeriod`.
    pub cpu_cfs_quota_period: Option<GoDuration>,
    /// `reservedSystemCPUs`.
    pub reserved_system_cpus: Option<String>,
    /// `systemReserved`: amounts by resource.
    pub system_reserved: Option<BTreeMap<String, String>>,
    /// `kubeReserved`: amounts by resource.
    pub kube_reserved: Option<BTreeMap<String, String>>,
    /// `enforceNodeAllocatable`.
    pub enforce_node_allocatable: Option<Vec<String>>,
    /// `systemReservedCgroup`.
    pub system_reserved_cgroup: Option<String>,
    /// `kubeReservedCgroup`.
    pub kube_reserved_cgroup: Option<String>,
    /// `cgroupDriver`.
    pub cgroup_driver: Option<String>,
    /// `cgroupsPerQOS`.
    pub cgroups_per_qos: Option<bool>,
    /// `cgroupRoot`.
    pub cgroup_root: Option<String>,
    /// `systemCgroups`.
    pub system_cgroups: Option<String>,
    /// `kubeletCgroups`.
    pub kubelet_cgroups: Option<String>,
    /// `failCgroupV1`, since 1.31.
    pub fail_cgroup_v1: Option<bool>,
    /// `singleProcessOOMKill`, since 1.32.
    pub single_process_oom_kill: Option<bool>,
    /// `memoryReservationPolicy`, since 1.36.
    pub memory_reservation_policy: Option<String>,
    /// `featureGates`.
    pub feature_gates: BTreeMap<String, bool>,
}

/// `cpuManagerPolicy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum CpuManagerPolicy {
    /// All containers run on all CPUs.
    #[default]
    None,
    /// Guaranteed containers that ask for whole CPUs get CPUs of their own.
    Static,
}

impl CpuManagerPolicy {
    /// As it is written in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Static => "static",
        }
    }

    /// The policy of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::None, Self::Static].into_iter().find(|policy| policy.name() == name)
    }
}

impl fmt::Display for CpuManagerPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What holds in a release: what is given, and the release's defaults for the rest.
///
/// A text that means nothing stands for the default here; [`check`](crate::kubelet::check()) reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// The release.
    pub release: Release,
    /// `cpuManagerPolicy`.
    pub cpu_manager_policy: CpuManagerPolicy,
    /// `cpuManagerPolicyOptions`.
    pub options: Options,
    /// `cpuManagerReconcilePeriod`.
    pub cpu_manager_reconcile_period: GoDuration,
    /// `topologyManagerPolicy`.
    pub topology_policy: TopologyPolicy,
    /// `topologyManagerScope`.
    pub topology_scope: TopologyScope,
    /// How many NUMA nodes the topology manager starts on (`max-allowable-numa-nodes`).
    pub max_numa_nodes: usize,
    /// Whether of several NUMA nodes those are chosen that lie near each other (`prefer-closest-numa-nodes`).
    pub prefer_closest_nodes: bool,
    /// `cpuCFSQuota`.
    pub cpu_cfs_quota: bool,
    /// `cpuCFSQuotaPeriod`.
    pub cpu_cfs_quota_period: Micros,
    /// Whether containers with CPUs alone have no quota (the gate DisableCPUQuotaWithExclusiveCPUs).
    pub exclusive_without_quota: bool,
    /// `reservedSystemCPUs`; empty where none are named.
    pub reserved_system_cpus: CpuSet,
    /// CPU of `systemReserved`.
    pub system_reserved: MilliCpu,
    /// CPU of `kubeReserved`.
    pub kube_reserved: MilliCpu,
    /// `cgroupDriver`, unless the runtime tells another.
    pub cgroup_driver: CgroupDriver,
    /// `cgroupsPerQOS`.
    pub cgroups_per_qos: bool,
    /// `enforceNodeAllocatable`.
    pub enforce_node_allocatable: Vec<String>,
    /// `failCgroupV1`.
    pub fail_cgroup_v1: bool,
}

impl Effective {
    /// How much CPU is kept from pods: as many as `reservedSystemCPUs` names, else the amounts together.
    #[must_use]
    pub fn reserved(&self) -> MilliCpu {
        match self.reserved_system_cpus.len() {
            0 => self.system_reserved.saturating_add(self.kube_reserved),
            cpus => MilliCpu::new(u64::try_from(cpus).unwrap_or(u64::MAX).saturating_mul(1000)),
        }
    }

    /// How many CPUs the static policy reserves: [`reserved`](Self::reserved), rounded up to whole ones.
    #[must_use]
    pub fn reserved_cpus(&self) -> usize {
        usize::try_from(self.reserved().get().div_ceil(1000)).unwrap_or(usize::MAX)
    }
}

/// The CPU of a list of reserved amounts; `None` where it is not given, or no amount.
#[must_use]
pub(crate) fn reserved_cpu(amounts: Option<&BTreeMap<String, String>>) -> Option<MilliCpu> {
    amounts?.get("cpu")?.parse().ok().map(CpuQuantity::milli)
}

impl KubeletConfig {
    /// Whether a gate is open, by the file or by default.
    #[must_use]
    pub fn open(&self, gate: Gate, release: Release) -> bool {
        let version = release.version();
        let said = self.feature_gates.get(&gate.to_string()).copied();
        // The two that open or close many at once.
        let sweeping = match gate.stage(version) {
            Some(crate::kubelet::Stage::Alpha) => self.feature_gates.get("AllAlpha").copied(),
            Some(crate::kubelet::Stage::Beta) => self.feature_gates.get("AllBeta").copied(),
            _ => None,
        };
        gate.stage(version).is_some() && said.or(sweeping).unwrap_or_else(|| gate.open_by_default(version))
    }

    /// Whether reserved amounts or CPUs name a CPU at all.
    #[must_use]
    pub fn reserves_cpu(&self) -> bool {
        let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
        let some = |amounts| reserved_cpu(amounts).is_some_and(|cpu| cpu > MilliCpu::ZERO);
        given(&self.reserved_system_cpus)
            || some(self.system_reserved.as_ref())
            || some(self.kube_reserved.as_ref())
    }

    /// What holds in a release (`SetDefaults_KubeletConfiguration`).
    #[must_use]
    pub fn effective(&self, release: Release) -> Effective {
        let text = |given: &Option<String>| given.clone().unwrap_or_default();
        let mut options = Options::default();
        for (name, value) in self.cpu_manager_policy_options.iter().flatten() {
            // One at a time, so that a bad one does not cost the others.
            if let Ok(one) = Options::parse([(name.as_str(), value.as_str())]) {
                one.on().for_each(|option| options.set(option, true));
            }
        }
        let given = |option: TopologyOption| {
            self.topology_manager_policy_options.as_ref().and_then(|options| options.get(option.name()))
        };
        let limit = given(TopologyOption::MaxAllowableNumaNodes);
        let closest = given(TopologyOption::PreferClosestNumaNodes);
        Effective {
            release,
            cpu_manager_policy: CpuManagerPolicy::named(&text(&self.cpu_manager_policy)).unwrap_or_default(),
            options,
            cpu_manager_reconcile_period: self
                .cpu_manager_reconcile_period
                .unwrap_or(GoDuration::from_nanos(10_000_000_000)),
            topology_policy: TopologyPolicy::named(&text(&self.topology_manager_policy)).unwrap_or_default(),
            topology_scope: TopologyScope::named(&text(&self.topology_manager_scope)).unwrap_or_default(),
            max_numa_nodes: limit.and_then(|limit| limit.parse().ok()).unwrap_or(MAX_NUMA_NODES),
            prefer_closest_nodes: closest.and_then(|closest| parse_bool(closest)).unwrap_or(false),
            cpu_cfs_quota: self.cpu_cfs_quota.unwrap_or(true),
            exclusive_without_quota: self.open(Gate::DisableCPUQuotaWithExclusiveCPUs, release),
            cpu_cfs_quota_period: self
                .cpu_cfs_quota_period
                .and_then(GoDuration::micros)
                .filter(|&period| period > Micros::ZERO)
                .unwrap_or(QUOTA_PERIOD),
            reserved_system_cpus: text(&self.reserved_system_cpus).parse().unwrap_or_default(),
            system_reserved: reserved_cpu(self.system_reserved.as_ref()).unwrap_or_default(),
            kube_reserved: reserved_cpu(self.kube_reserved.as_ref()).unwrap_or_default(),
            cgroup_driver: match text(&self.cgroup_driver).as_str() {
                "systemd" => CgroupDriver::Systemd,
                _ => CgroupDriver::Cgroupfs,
            },
            cgroups_per_qos: self.cgroups_per_qos.unwrap_or(true),
            // A list that is given and empty enforces nothing.
            enforce_node_allocatable: self
                .enforce_node_allocatable
                .clone()
                .unwrap_or_else(|| vec!["pods".to_owned()]),
            fail_cgroup_v1: self.fail_cgroup_v1.unwrap_or(release.minor() >= 35),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(minor: u32) -> Release {
        Release::of_minor(minor)
    }

    #[test]
    fn what_is_not_given_is_the_releases_default() {
        let nothing = KubeletConfig::default();
        let old = nothing.effective(release(34));
        assert_eq!((old.cpu_manager_policy, old.cpu_cfs_quota), (CpuManagerPolicy::None, true));
        assert_eq!(old.cpu_cfs_quota_period, Micros::from_ms(100));
        assert_eq!(old.enforce_node_allocatable, ["pods"]);
        assert!(!old.fail_cgroup_v1);
        assert!(nothing.effective(release(35)).fail_cgroup_v1);
        assert_eq!(old.reserved_cpus(), 0);
    }

    #[test]
    fn a_gate_is_what_the_file_says_else_the_releases_own() {
        let mut config = KubeletConfig::default();
        let alpha = Gate::CPUManagerPolicyAlphaOptions;
        assert!(!config.open(alpha, Release::NEWEST));
        config.feature_gates.insert("AllAlpha".into(), true);
        assert!(config.open(alpha, Release::NEWEST));
        config.feature_gates.insert(alpha.to_string(), false);
        assert!(!config.open(alpha, Release::NEWEST));
    }

    #[test]
    fn named_cpus_count_in_place_of_amounts() {
        let amounts = |cpu: &str| Some(BTreeMap::from([("cpu".to_owned(), cpu.to_owned())]));
        let mut config = KubeletConfig {
            system_reserved: amounts("500m"),
            kube_reserved: amounts("1100m"),
            ..KubeletConfig::default()
        };
        assert_eq!(config.effective(Release::NEWEST).reserved_cpus(), 2);
        config.reserved_system_cpus = Some("0-3".into());
        assert_eq!(config.effective(Release::NEWEST).reserved(), MilliCpu::new(4000));
    }
}
