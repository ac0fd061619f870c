//! What a recommendation consists of.

use super::{Effect, Field, Given, Modelled};
use crate::{
    CpuSet, Micros, MilliCpu, Nanos,
    diagnose::remedy,
    kubelet::{
        config::KubeletConfig, gates::Gate, options::PolicyOption, release::Release,
        topology_manager::TopologyScope,
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
    /// Modelled: the same, once pods are Guaranteed that are not yet.
    OnceGuaranteed { nr_periods: u64, nr_throttled: u64 },
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
