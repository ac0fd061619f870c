//! What a recommendation consists of.

use std::collections::BTreeMap;

use super::{Effect, Modelled};
use crate::{
    CpuSet, Micros, MilliCpu, Nanos,
    diagnose::remedy,
    kubelet::{
        config::KubeletConfig,
        gates::Gate,
        options::PolicyOption,
        release::Release,
        topology_manager::{TopologyOption, TopologyScope},
    },
};

/// What a configuration should say, and what else is to be known.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recommendation {
    /// What should be changed; nothing where it is right as it is.
    pub changes: Vec<Change>,
    /// What would help somebody, at the cost of others on the node.
    pub alternatives: Vec<Alternative>,
    /// What the release does not have.
    pub lacking: Vec<Lack>,
    /// What else is to be known.
    pub remarks: Vec<Remark>,
    /// What all changes together do to the known pods. `None`: nothing is known of them, or nothing changes where they run.
    pub modelled: Option<Modelled>,
}

/// One field.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which.
    pub field: Field,
    /// What is there. `None`: it is not given.
    pub from: Option<Given>,
    /// What should be. `None`: it should not be given.
    pub to: Option<Given>,
    /// Why.
    pub reason: Reason,
    /// What that rests on.
    pub evidence: Vec<Evidence>,
    /// What is expected of it. Empty: nothing that was measured or follows from a rule.
    pub expected: Vec<Expected>,
    /// What it may cost.
    pub risk: Risk,
}

/// Something that is done to all of a node for the sake of some.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// Which field.
    pub field: Field,
    /// What it would hold.
    pub to: Given,
    /// A gate that would have to be opened.
    pub gate: Option<Gate>,
    /// What for.
    pub reason: Reason,
    /// What that rests on.
    pub evidence: Evidence,
    /// What is expected of it. `None`: nothing that was measured or follows from a rule.
    pub expected: Option<Expected>,
    /// What it costs.
    pub risk: Risk,
}

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
    fn set(self, config: &mut KubeletConfig, to: Option<&Given>) {
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
    const fn needs(self, other: Self) -> bool {
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

impl Recommendation {
    /// The configuration with every change made.
    #[must_use]
    pub fn applied(&self, config: &KubeletConfig) -> KubeletConfig {
        self.applied_where(config, |_| true)
    }

    /// The configuration with every change made but that of one field, and those that need it.
    #[must_use]
    pub fn applied_without(&self, config: &KubeletConfig, field: Field) -> KubeletConfig {
        self.applied_where(config, |other| other != field && !other.needs(field))
    }

    fn applied_where(&self, config: &KubeletConfig, made: impl Fn(Field) -> bool) -> KubeletConfig {
        let mut config = config.clone();
        for change in self.changes.iter().filter(|change| made(change.field)) {
            change.field.set(&mut config, change.to.as_ref());
        }
        config
    }
}

/// What is kept from pods.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserve {
    /// These CPUs.
    Cpus(CpuSet),
    /// So many, which the kubelet chooses.
    Amount {
        /// How many.
        cpus: usize,
    },
}

impl Reserve {
    /// How many CPUs.
    #[must_use]
    pub fn cpus(&self) -> usize {
        match self {
            Self::Cpus(cpus) => cpus.len(),
            Self::Amount { cpus } => *cpus,
        }
    }
}

/// Why something is recommended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the numbers are those of the sentence, which is beside them in words.rs")]
pub enum Reason {
    /// CPUs of their own for those that ask for whole ones.
    Pinning,
    /// Pinned containers keep a quota, since a gate is closed.
    QuotaOnPinned,
    /// No two containers on one core.
    WholeCores { threads: usize },
    /// A container that whole cores refuse.
    OddCount { container: String, cpus: usize, threads: usize },
    /// Reserved CPUs for the system alone.
    StrictReservation { reserve: Reserve },
    /// A container that no node holds.
    LargerThanNode { container: String, cpus: usize, node: usize },
    /// Several last-level caches in a socket.
    SeveralCaches { caches: usize, cpus: usize },
    /// Align, and refuse nobody.
    AlignWhereItCanBe { nodes: usize },
    /// Align, or refuse.
    AlignAlways { nodes: usize, node: usize },
    /// Containers of one pod together.
    PodTogether,
    /// Nodes that lie near each other.
    Closest { container: String, cpus: usize, node: usize },
    /// CPUs for the system, by number.
    ReserveCores { cpus: CpuSet },
    /// An amount that numbers override.
    Overridden { cpus: usize },
    /// An amount that makes whole cores.
    WholeAmount { cpus: usize },
    /// Hold pods to what isn't reserved.
    Enforce,
    /// Shorter stalls.
    ShorterPeriod,
    /// No stalls by quota.
    NoQuota,
}

/// What a recommendation rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the numbers are those of the sentence, which is beside them in words.rs")]
pub enum Evidence {
    /// The machine alone.
    PodsUnknown,
    /// Guaranteed containers with whole CPUs.
    Pinned { containers: usize, container: String, cpus: usize },
    /// Throttled ones that could become such.
    CouldPin { containers: usize },
    /// How often they are throttled today.
    Throttled { nr_periods: u64, nr_throttled: u64 },
    /// Throttled ones that share CPUs.
    ThrottledShared {
        containers: usize,
        container: String,
        nr_periods: u64,
        nr_throttled: u64,
        stall_ms_per_s: Option<u64>,
    },
    /// Threads of a core.
    Threads { threads: usize },
    /// CPUs of the machine.
    Cpus { cpus: usize },
    /// NUMA nodes, and what the smallest and the largest of them have.
    Nodes { nodes: usize, smallest: usize, largest: usize },
    /// The largest pinned container, or pod, and the nodes.
    LargestAgainstNodes { scope: TopologyScope, cpus: usize, smallest: usize, largest: usize },
    /// Pods with several pinned containers, and all that the largest has at once.
    SeveralPinned { pods: usize, pod: String, cpus: usize, largest: usize },
    /// How far nodes are from each other, the nearest and the farthest two.
    Distances { nodes: usize, nearest: u32, farthest: u32 },
    /// Last-level caches and sockets.
    Caches { caches: usize, sockets: usize },
    /// What the configuration reserves.
    Reserved { amount: MilliCpu },
    /// CPUs that are reserved by number.
    ReservedCpus { cpus: CpuSet },
    /// CPUs that take most of the devices' interrupts, in hundredths of all.
    Interrupts { cpus: CpuSet, percent: u64, all: u64, time: Option<Nanos> },
    /// What is usually reserved.
    UsualReserve { amount: MilliCpu, cpus: usize },
    /// The configuration enforces nothing.
    EnforcesNothing,
}

/// What a change does, as it was measured, or as it follows from a rule of kubelet or kernel.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the numbers are those of the sentence, which is beside them in words.rs")]
pub enum Expected {
    /// Modelled: without a quota there are no throttled periods.
    QuotaGone { nr_periods: u64, nr_throttled: u64 },
    /// Modelled: nobody has a quota.
    NoQuotas { nr_periods: u64, nr_throttled: u64 },
    /// Modelled: how long a container that was watched stalls.
    Stall { container: String, expected: remedy::Expected },
    /// Modelled: what the scheduler may give to pods.
    Allocatable { before: MilliCpu, after: MilliCpu },
    /// Modelled: where the known pods would run.
    Places(Box<Effect>),
}

/// What a change may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the numbers are those of the sentence, which is beside them in words.rs")]
pub enum Risk {
    /// Nothing that is known of.
    None,
    /// Others get fewer CPUs, and a change of the policy takes a drained node.
    Pinning,
    /// Pinned containers aren't held to their limit by a quota any more, only by their CPUs.
    QuotaGone,
    /// Counts that are no whole cores are refused.
    OddCounts { threads: usize },
    /// Two pinned containers on one core.
    SharedCores,
    /// Burstable and BestEffort pods share fewer CPUs, or none.
    SmallerPool { left: usize },
    /// Memory of several nodes.
    Spread,
    /// No promise.
    BestEffort,
    /// Not every container is aligned.
    NotAlways,
    /// Pods are refused where no node has room.
    Refuses,
    /// A pod is held against a node with all its containers.
    PodAsOne { refuses: bool },
    /// Nothing changes for what one node holds.
    Closest,
    /// Pods get less in all.
    Allocatable,
    /// Pods are held to less than all CPUs.
    PodsHeld,
    /// More work for the kernel, small limits raised, for everybody.
    ShorterPeriod,
    /// Nothing holds anybody back.
    NoQuota,
}

/// What a release does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// An option that would be recommended.
    Option {
        /// Which.
        option: PolicyOption,
        /// Whether it is there, but alpha.
        alpha: bool,
    },
    /// A feature.
    Gate {
        /// Its gate.
        gate: Gate,
    },
}

/// What else is to be known.
#[derive(Debug, Clone, PartialEq)]
#[allow(missing_docs, reason = "the numbers are those of the sentence, which is beside them in words.rs")]
pub enum Remark {
    /// Nothing is known of pods.
    PodsUnknown,
    /// Pinning would leave nothing.
    TooSmall { cpus: usize, cores: usize },
    /// No pod gains from pinning.
    NobodyToPin { pods: usize, present: bool },
    /// A throttled container that a Guaranteed pod would get CPUs for.
    CouldPin { container: String, limit: MilliCpu },
    /// A container that is larger than what is left.
    DoesNotFit { container: String, cpus: usize, left: usize },
    /// A container that whole cores would refuse.
    OddCount { container: String, cpus: usize, threads: usize },
    /// An option that another one excludes.
    Excluded { option: PolicyOption, other: PolicyOption },
    /// An option whose gate is closed on purpose.
    GateClosed { option: &'static str, gate: Gate },
    /// More NUMA nodes than the topology manager likes.
    ManyNodes { nodes: usize, since: Release },
    /// A shorter period that does a throttled container no good.
    LongerStalls { period: Micros, container: String, expected: remedy::Expected },
    /// Devices interrupt CPUs that may be pinned: which, and in hundredths of all interrupts.
    InterruptsElsewhere { cpus: CpuSet, percent: u64, reserved: CpuSet },
    /// Everything is reserved.
    AllReserved { amount: MilliCpu, cpus: usize },
}
