//! What may be wrong with a configuration, with the numbers of each; `Display` is the sentence.

use crate::{
    CpuSet, MilliCpu,
    convert::QuantityError,
    kubelet::{
        duration::GoDuration,
        gates::Gate,
        options::{Exclusion, PolicyOption, Unfit},
        release::Release,
        topology_manager::{TopologyOption, TopologyPolicy},
    },
    text::counted,
};

/// What is wrong or surprising. Texts in it are fit to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A value of another type than the field's: the kubelet cannot decode the file.
    #[error("{what}")]
    Type {
        /// What was expected and found.
        what: String,
    },
    /// `apiVersion` or `kind` is not there.
    #[error("{field} is missing: the kubelet cannot tell what this file is")]
    Untyped {
        /// Which of them.
        field: &'static str,
    },
    /// An `apiVersion` that is another one.
    #[error("apiVersion \"{found}\" has no KubeletConfiguration that is known here")]
    OtherVersion {
        /// What is written.
        found: String,
    },
    /// More documents than one.
    #[error(
        "another document begins here; the kubelet reads the first one of a file and passes over the rest"
    )]
    SecondDocument,
    /// A key that stands in its map already.
    #[error("this key stands on line {before} as well: the kubelet's strict decoding fails, and its lenient one takes {}", match .merged {
        true => "the entries of both",
        false => "the last, this one",
    })]
    Repeated {
        /// The line of the one before.
        before: u64,
        /// Whether both are maps whose entries count together (JSON).
        merged: bool,
    },
    /// A flag of the command line says another thing, and counts.
    #[error("the flag --{flag} overrides it: what is written here says nothing")]
    FlagOverrides {
        /// Which, without its dashes.
        flag: &'static str,
    },
    /// A field that no release knows.
    #[error("no kubelet of Kubernetes 1.30 to 1.36 has a field of this name; it passes over it")]
    UnknownField {
        /// A field of nearly that name.
        like: Option<&'static str>,
    },
    /// A field that came later.
    #[error("this field came with Kubernetes {since}; the kubelet of {release} passes over it")]
    LaterField {
        /// The release that brought it.
        since: Release,
        /// The release that is meant.
        release: Release,
    },
    /// A text that is none of those that the field takes.
    #[error("\"{found}\" is not one of: {allowed}")]
    Value {
        /// What is written.
        found: String,
        /// What may be, with commas.
        allowed: &'static str,
    },
    /// The static policy without a reserved CPU.
    #[error("the static policy needs a reserved CPU, and none is: the kubelet does not start")]
    StaticWithoutReserved,
    /// Options under the policy `none`.
    #[error("cpuManagerPolicy is none, which takes no options: the kubelet does not start")]
    OptionsWithoutStatic,
    /// An option that is none.
    #[error("no release up to 1.36 has an option of this name: the kubelet does not start")]
    UnknownOption {
        /// An option of nearly that name.
        like: Option<&'static str>,
    },
    /// A value that is no boolean.
    #[error("\"{found}\" is neither \"true\" nor \"false\"")]
    OptionValue {
        /// What is written.
        found: String,
    },
    /// An option that came later.
    #[error("this option came with Kubernetes {since}: the kubelet of {release} does not start with it")]
    LaterOption {
        /// The release that brought it.
        since: Release,
        /// The release that is meant.
        release: Release,
    },
    /// An option whose gate is closed.
    #[error("this option needs the feature gate {gate}, which is closed: the kubelet does not start")]
    OptionNeedsGate {
        /// The gate.
        gate: Gate,
    },
    /// Two options of the static policy.
    #[error("{0}: the kubelet does not start")]
    Excluded(Exclusion),
    /// Options that do not fit the machine or the topology manager.
    #[error("{0}: the kubelet does not start")]
    Unfit(Unfit),
    /// A value of `max-allowable-numa-nodes` below the default, or no number.
    #[error("\"{found}\" is not what {option} takes")]
    TopologyOptionValue {
        /// The option.
        option: TopologyOption,
        /// What is written.
        found: String,
    },
    /// Options of the topology manager under its policy `none`.
    #[error("topologyManagerPolicy is none, which passes over its options")]
    OptionsWithoutTopologyPolicy,
    /// More NUMA nodes than the topology manager starts on.
    #[error("this machine has {nodes} NUMA nodes, and the topology manager starts on {limit} at most")]
    TooManyNodes {
        /// How many there are.
        nodes: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A policy that aligns, and no CPUs to align.
    #[error(
        "without cpuManagerPolicy static no CPUs are aligned, only devices and (with its own policy) memory"
    )]
    NothingToAlign {
        /// The policy.
        policy: TopologyPolicy,
    },
    /// What `single-numa-node` refuses on a machine.
    #[error("what needs more than {}, the largest NUMA node, is refused under single-numa-node", counted(*.largest, "CPU"))]
    LargestNode {
        /// CPUs of the largest node that are not reserved.
        largest: usize,
    },
    /// A period without the gate for it.
    #[error(
        "a period of {period} needs the feature gate CustomCPUCFSQuotaPeriod, which is closed: the kubelet does not start"
    )]
    PeriodNeedsGate {
        /// The period.
        period: GoDuration,
    },
    /// A period outside what may be.
    #[error("a period of {period} is outside 1ms to 1s: the kubelet does not start")]
    PeriodRange {
        /// The period.
        period: GoDuration,
    },
    /// A period where no quota is set.
    #[error("cpuCFSQuota is false, so that there are no quotas for this period")]
    PeriodWithoutQuota,
    /// A period under which small limits are raised.
    #[error(
        "with a period of {period} every CPU limit below {smallest} is raised to it: the kernel takes no quota below 1ms"
    )]
    PeriodRaisesLimits {
        /// The period.
        period: GoDuration,
        /// The smallest limit that keeps its size.
        smallest: MilliCpu,
    },
    /// No quotas at all.
    #[error("CPU limits hold nothing back on this node")]
    QuotaOff,
    /// Pinned containers keep their quota.
    #[error(
        "the kubelet of {release} leaves the quota on containers that have CPUs of their own, so that they are throttled \
         there; 1.33 takes it off"
    )]
    QuotaStays {
        /// The release.
        release: Release,
    },
    /// The gate that takes the quota off is closed.
    #[error("containers that have CPUs of their own keep their quota, and are throttled on them")]
    QuotaKept,
    /// Resizing does not work under the static policy.
    #[error("a Guaranteed pod cannot be resized in place under the static policy (reason Infeasible)")]
    NoResize,
    /// What a change of the policy takes.
    #[error(
        "where the policy, the reserved CPUs or strict-cpu-reservation were others before, the kubelet does not start on the old state file"
    )]
    StateFile,
    /// No list of CPUs.
    #[error("\"{found}\" is no list of CPUs such as 0-3,7: the kubelet does not start")]
    CpuList {
        /// What is written.
        found: String,
    },
    /// `reservedSystemCPUs` beside a reserved cgroup.
    #[error("reservedSystemCPUs excludes {other}: the kubelet does not start")]
    ReservedExcludes {
        /// The other field.
        other: &'static str,
    },
    /// Reserved CPUs that are not there.
    #[error("the CPUs {missing} are not online on this machine: the kubelet does not start")]
    ReservedNotOnline {
        /// Those.
        missing: CpuSet,
    },
    /// Every CPU is reserved.
    #[error("{}; nothing is left for pods", match .cpus {
        1 => "the only CPU is reserved".to_owned(),
        cpus => format!("all {cpus} CPUs are reserved"),
    })]
    NothingLeft {
        /// How many there are.
        cpus: usize,
    },
    /// Some threads of a core are reserved and others not.
    #[error("of the cores of {reserved} only a part is reserved; {others} share them and {fate}")]
    HalfCore {
        /// The reserved ones.
        reserved: CpuSet,
        /// Their siblings.
        others: CpuSet,
        /// Whether whole cores alone are given away, so that the siblings cannot be.
        full_pcpus_only: bool,
        /// What becomes of them.
        fate: &'static str,
    },
    /// Reserved amounts that count no more.
    #[error("reservedSystemCPUs overrides the reserved amounts: {}, not {amount}", match .cpus {
        1 => "1 CPU is reserved".to_owned(),
        cpus => format!("{cpus} CPUs are reserved"),
    })]
    ReservedOverridden {
        /// The amounts together.
        amount: MilliCpu,
        /// How many CPUs are named.
        cpus: usize,
    },
    /// Reserved amounts are not a whole number of CPUs.
    #[error(
        "{amount} reserved make {} to the static policy and {amount} to the scheduler, which may send pods whose \
         whole CPUs are not there (UnexpectedAdmissionError)",
        counted(*.cpus, "CPU")
    )]
    ReservedRounded {
        /// The amounts together.
        amount: MilliCpu,
        /// CPUs that the static policy reserves.
        cpus: usize,
    },
    /// Reserved CPUs are not whole cores, and whole cores alone are given away.
    #[error(
        "{} no whole cores of {threads} threads; with full-pcpus-only the rest of the last core is of use to nobody who is pinned",
        match .cpus {
            1 => "1 reserved CPU makes".to_owned(),
            cpus => format!("{cpus} reserved CPUs are"),
        }
    )]
    ReservedPartOfCore {
        /// How many are reserved.
        cpus: usize,
        /// Threads of a core.
        threads: usize,
    },
    /// More reserved than there is.
    #[error("{amount} are reserved on a machine of {}: the kubelet does not start", counted(*.cpus, "CPU"))]
    MoreThanThereIs {
        /// The amounts together.
        amount: MilliCpu,
        /// How many CPUs there are.
        cpus: usize,
    },
    /// A resource that cannot be reserved.
    #[error("only cpu, memory, ephemeral-storage and pid can be reserved: the kubelet does not start")]
    ReservedResource,
    /// No amount.
    #[error("{error}: the kubelet does not start")]
    ReservedQuantity {
        /// What is wrong with it.
        error: QuantityError,
    },
    /// What strict reservation does to everybody else.
    #[error("with strict-cpu-reservation Burstable and BestEffort pods lose the reserved CPUs, too")]
    StrictReservation,
    /// The same twice in a list.
    #[error("\"{value}\" stands here twice: the kubelet does not start")]
    Twice {
        /// What.
        value: &'static str,
    },
    /// `none` beside others.
    #[error("none excludes everything else in enforceNodeAllocatable: the kubelet does not start")]
    NoneAndOthers,
    /// A form and its compressible form.
    #[error("{value} and {value}-compressible exclude each other: the kubelet does not start")]
    BothForms {
        /// Which.
        value: &'static str,
    },
    /// A form that came later.
    #[error("{value} came with Kubernetes 1.32: the kubelet of {release} does not start with it")]
    LaterEnforcement {
        /// Which.
        value: &'static str,
        /// The release that is meant.
        release: Release,
    },
    /// A cgroup that is needed is not named.
    #[error("{value} needs {field}, which is not given: the kubelet does not start")]
    NeedsCgroup {
        /// What is enforced.
        value: &'static str,
        /// The field that names the cgroup.
        field: &'static str,
    },
    /// A cgroup that nothing is enforced on.
    #[error("nothing is enforced on this cgroup, as enforceNodeAllocatable does not hold {value}")]
    CgroupUnused {
        /// What would have to be enforced.
        value: &'static str,
    },
    /// A cgroup that must be there.
    #[error("the kubelet does not make this cgroup; where it is missing it does not start")]
    CgroupMustExist,
    /// Enforcement without an amount of CPU.
    #[error("no CPU is reserved for it ({field}), so that this enforces nothing about CPU")]
    EnforcesNothing {
        /// The field that would hold the amount.
        field: &'static str,
    },
    /// Enforcement without the groups for it.
    #[error("enforceNodeAllocatable needs cgroupsPerQOS: the kubelet does not start")]
    NeedsCgroupsPerQos,
    /// System cgroups without a root.
    #[error("systemCgroups needs cgroupRoot: the kubelet does not start")]
    NeedsCgroupRoot,
    /// The driver's default on a release that doesn't ask the runtime.
    #[error(
        "cgroupDriver is not given, and cgroupfs by default; where systemd manages cgroups the two then fight"
    )]
    DriverDefault,
    /// cgroup v1 and a kubelet that refuses it.
    #[error(
        "this machine is on cgroup v1, where the kubelet of {release} does not start unless failCgroupV1 is false"
    )]
    FailsOnV1 {
        /// The release.
        release: Release,
    },
    /// Killing groups needs v2.
    #[error("false needs cgroup v2, and this machine is on v1: the kubelet does not start")]
    GroupKillOnV1,
    /// Tiered reservation without its gate.
    #[error(
        "TieredReservation needs the feature gate MemoryQoS, which is closed: the kubelet does not start"
    )]
    NeedsMemoryQos,
    /// A gate that came later.
    #[error(
        "this feature gate came with Kubernetes {since}: the kubelet of {release} does not start with it"
    )]
    LaterGate {
        /// The release that brought it.
        since: Release,
        /// The release that is meant.
        release: Release,
    },
    /// A gate that is gone.
    #[error("this feature gate is gone since Kubernetes {since}: the kubelet does not start with it")]
    GoneGate {
        /// The first release without it.
        since: Release,
    },
    /// A gate that is stable, and set to open.
    #[error("stable since {since}: this says nothing any more, and a later release will not start with it")]
    StableGate {
        /// Since when.
        since: Release,
    },
    /// A gate that is stable, and set to closed.
    #[error(
        "stable since {since}, and stable gates are as a rule locked: the kubelet does not start with it closed"
    )]
    LockedGate {
        /// Since when.
        since: Release,
    },
    /// A policy option's own gate, by the option.
    #[error(
        "cpuManagerPolicyOptions needs the feature gate CPUManagerPolicyOptions, which is closed: the kubelet does not start"
    )]
    OptionsGateClosed,
    /// An option that is off says nothing.
    #[error("{option} is off anyway; written so it still needs the feature gate {gate}, which is closed")]
    OffNeedsGate {
        /// The option.
        option: PolicyOption,
        /// The gate.
        gate: Gate,
    },
    /// More than are told each for itself.
    #[error("{more} more findings are not told")]
    More {
        /// How many.
        more: usize,
    },
}
