//! Fields of a configuration, and what they hold.

use std::collections::BTreeMap;

use crate::kubelet::{
    config::KubeletConfig, gates::Gate, options::PolicyOption, topology_manager::TopologyOption,
};

/// A field of the configuration, or an entry of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// `cpuManagerPolicy`
    CpuManagerPolicy,
    /// An entry of `cpuManagerPolicyOptions`
    Option(PolicyOption),
    /// `topologyManagerPolicy`
    TopologyPolicy,
    /// `topologyManagerScope`
    TopologyScope,
    /// An entry of `topologyManagerPolicyOptions`
    TopologyOption(TopologyOption),
    /// `reservedSystemCPUs`
    ReservedCpus,
    /// `cpu` of `systemReserved`
    SystemReservedCpu,
    /// `cpu` of `kubeReserved`
    KubeReservedCpu,
    /// `enforceNodeAllocatable`
    Enforce,
    /// `cpuCFSQuota`
    CpuCfsQuota,
    /// `cpuCFSQuotaPeriod`
    CpuCfsQuotaPeriod,
    /// An entry of `featureGates`
    Gate(Gate),
}

/// What a field holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// A text.
    Text(String),
    /// `true` or `false`.
    Bool(bool),
    /// Texts.
    List(Vec<String>),
}

impl Field {
    /// The field, and for an entry its key.
    #[must_use]
    pub fn steps(self) -> (&'static str, Option<String>) {
        match self {
            Self::CpuManagerPolicy => ("cpuManagerPolicy", None),
            Self::Option(option) => ("cpuManagerPolicyOptions", Some(option.name().to_owned())),
            Self::TopologyPolicy => ("topologyManagerPolicy", None),
            Self::TopologyScope => ("topologyManagerScope", None),
            Self::TopologyOption(option) => ("topologyManagerPolicyOptions", Some(option.name().to_owned())),
            Self::ReservedCpus => ("reservedSystemCPUs", None),
            Self::SystemReservedCpu => ("systemReserved", Some("cpu".to_owned())),
            Self::KubeReservedCpu => ("kubeReserved", Some("cpu".to_owned())),
            Self::Enforce => ("enforceNodeAllocatable", None),
            Self::CpuCfsQuota => ("cpuCFSQuota", None),
            Self::CpuCfsQuotaPeriod => ("cpuCFSQuotaPeriod", None),
            Self::Gate(gate) => ("featureGates", Some(gate.to_string())),
        }
    }

    /// What a configuration gives it.
    #[must_use]
    pub fn get(self, config: &KubeletConfig) -> Option<Given> {
        let text = |text: &Option<String>| text.clone().map(Given::Text);
        let entry = |map: &Option<BTreeMap<String, String>>, key: &str| {
            map.as_ref().and_then(|map| map.get(key)).cloned().map(Given::Text)
        };
        match self {
            Self::CpuManagerPolicy => text(&config.cpu_manager_policy),
            Self::Option(option) => entry(&config.cpu_manager_policy_options, option.name()),
            Self::TopologyPolicy => text(&config.topology_manager_policy),
            Self::TopologyScope => text(&config.topology_manager_scope),
            Self::TopologyOption(option) => entry(&config.topology_manager_policy_options, option.name()),
            Self::ReservedCpus => text(&config.reserved_system_cpus),
            Self::SystemReservedCpu => entry(&config.system_reserved, "cpu"),
            Self::KubeReservedCpu => entry(&config.kube_reserved, "cpu"),
            Self::Enforce => config.enforce_node_allocatable.clone().map(Given::List),
            Self::CpuCfsQuota => config.cpu_cfs_quota.map(Given::Bool),
            Self::CpuCfsQuotaPeriod => {
                config.cpu_cfs_quota_period.map(|period| Given::Text(period.to_string()))
            }
            Self::Gate(gate) => config.feature_gates.get(&gate.to_string()).copied().map(Given::Bool),
        }
    }

    /// Gives it a value, or takes it out. A value of another type than the field's leaves it as it is.
    pub(super) fn set(self, config: &mut KubeletConfig, to: Option<&Given>) {
        let text = match to {
            Some(Given::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let truth = match to {
            Some(Given::Bool(truth)) => Some(*truth),
            _ => None,
        };
        let entry = |map: &mut Option<BTreeMap<String, String>>, key: &str, text: Option<String>| match text {
            Some(text) => {
                map.get_or_insert_default().insert(key.to_owned(), text);
            }
            None => {
                map.as_mut().map(|map| map.remove(key));
                *map = map.take().filter(|map| !map.is_empty());
            }
        };
        match self {
            Self::CpuManagerPolicy => config.cpu_manager_policy = text,
            Self::Option(option) => entry(&mut config.cpu_manager_policy_options, option.name(), text),
            Self::TopologyPolicy => config.topology_manager_policy = text,
            Self::TopologyScope => config.topology_manager_scope = text,
            Self::TopologyOption(option) => {
                entry(&mut config.topology_manager_policy_options, option.name(), text);
            }
            Self::ReservedCpus => config.reserved_system_cpus = text,
            Self::SystemReservedCpu => entry(&mut config.system_reserved, "cpu", text),
            Self::KubeReservedCpu => entry(&mut config.kube_reserved, "cpu", text),
            Self::Enforce => {
                config.enforce_node_allocatable = match to {
                    Some(Given::List(list)) => Some(list.clone()),
                    _ => None,
                }
            }
            Self::CpuCfsQuota => config.cpu_cfs_quota = truth,
            Self::CpuCfsQuotaPeriod => {
                config.cpu_cfs_quota_period = text.and_then(|text| text.parse().ok());
            }
            Self::Gate(gate) => match truth {
                Some(open) => {
                    config.feature_gates.insert(gate.to_string(), open);
                }
                None => {
                    config.feature_gates.remove(&gate.to_string());
                }
            },
        }
    }

    /// Whether its change means nothing, or something else, without that of another field.
    pub(super) const fn needs(self, other: Self) -> bool {
        match other {
            Self::CpuManagerPolicy => {
                matches!(
                    self,
                    Self::Option(_) | Self::TopologyPolicy | Self::TopologyScope | Self::TopologyOption(_)
                )
            }
            Self::TopologyPolicy => matches!(self, Self::TopologyScope | Self::TopologyOption(_)),
            // An amount that numbers override.
            Self::ReservedCpus => matches!(self, Self::SystemReservedCpu | Self::KubeReservedCpu),
            _ => false,
        }
    }
}
