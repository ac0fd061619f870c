//! The kubelet's static policy: who may have CPUs alone, which are kept from all, and what is left to share.
//!
//! Source: pkg/kubelet/cm/cpumanager/policy_static.go, Kubernetes 1.36 without in-place resize of pinned containers (a gate that is off by default).

use std::{collections::BTreeMap, num::NonZeroUsize};

use super::{Distributed, NotEnough, Sorting, Uncore, distributed, packed};
use crate::{
    CpuSet, MilliCpu, Topology,
    convert::pod::QosClass,
    kubelet::{
        Options,
        options::{Exclusion, Unfit},
    },
    topology::Level,
};

/// How many CPUs a container gets alone (`guaranteedCPUs`): its request, where its pod is Guaranteed and the request whole. 0: it shares.
#[must_use]
pub fn exclusive(class: QosClass, request: MilliCpu) -> usize {
    match class {
        QosClass::Guaranteed if request.get().is_multiple_of(1000) => {
            usize::try_from(request.get() / 1000).unwrap_or(usize::MAX)
        }
        _ => 0,
    }
}

/// Which CPUs no container gets alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserve {
    /// How many: systemReserved and kubeReserved together, rounded up; or how many are listed.
    pub count: usize,
    /// Which (reservedSystemCPUs). `None`: the policy takes them as for a container.
    pub list: Option<CpuSet>,
}

/// The policy on a machine.
#[derive(Debug, Clone)]
pub struct Static<'t> {
    topology: &'t Topology,
    options: Options,
    uncore: Uncore,
    reserved: CpuSet,
    /// The reserved CPUs and their siblings.
    reserved_cores: CpuSet,
}

/// Why the kubelet does not start with a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPolicy {
    /// Options that exclude each other.
    #[error(transparent)]
    Options(#[from] Exclusion),
    /// Options that don't fit the machine or the topology manager.
    #[error(transparent)]
    Unfit(#[from] Unfit),
    /// No CPU is reserved (`NewManager`, pkg/kubelet/cm/cpumanager/cpu_manager.go).
    #[error(
        "[cpumanager] the static policy requires systemreserved.cpu + kubereserved.cpu to be greater than zero"
    )]
    NothingReserved,
    /// The reserved CPUs are more or fewer than the reserved amount.
    #[error(
        "[cpumanager] unable to reserve the required amount of CPUs (size of {reserved} did not equal {count})"
    )]
    Size {
        /// Which CPUs.
        reserved: CpuSet,
        /// How many it should be.
        count: usize,
    },
    /// A reserved CPU that the machine does not have.
    #[error(
        "[cpumanager] unable to build the reserved physical CPUs from the reserved set: unknown CPU ID: {cpu}"
    )]
    Unknown {
        /// Its number.
        cpu: u32,
    },
}

/// Why a container does not get its CPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// full-pcpus-only, and its number is no multiple.
    #[error("SMT Alignment Error: requested {requested} cpus not multiple cpus per core = {per_core}")]
    NoMultiple {
        /// How many it asked for.
        requested: usize,
        /// Threads per core.
        per_core: usize,
    },
    /// full-pcpus-only, and there are too few whole cores.
    #[error(
        "SMT Alignment Error: not enough free physical CPUs: available physical CPUs = {available}, \
         requested CPUs = {requested}, CPUs per core = {per_core}"
    )]
    NoWholeCores {
        /// How many CPUs of cores without a reserved one are free.
        available: usize,
        /// How many it asked for.
        requested: usize,
        /// Threads per core.
        per_core: usize,
    },
    /// There are too few CPUs at all.
    #[error(transparent)]
    NotEnough(#[from] NotEnough),
}

impl Refusal {
    /// The pod's reason when it is refused, as the kubelet says it.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NoMultiple { .. } | Self::NoWholeCores { .. } => "SMTAlignmentError",
            Self::NotEnough(_) => "UnexpectedAdmissionError",
        }
    }
}

/// A container in its pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Holder {
    /// The pod's UID (or name, where there is none).
    pub pod: String,
    /// The container's name.
    pub container: String,
}

/// How long a container keeps its CPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term {
    /// An init container, which has ended when the next one of its pod starts: that may have the same CPUs.
    Init,
    /// A container or a restartable init container, as long as the pod.
    Pod,
}

/// Who has what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// The shared pool (`defaultCpuSet`).
    pub default: CpuSet,
    /// Those who have CPUs alone.
    pub assignments: BTreeMap<Holder, CpuSet>,
    /// What the init containers of the last pod left to the next ones of it.
    reusable: Option<(String, CpuSet)>,
}

/// Why the kubelet does not start with the state that an earlier one left in /var/lib/kubelet/cpu_manager_state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Stale {
    /// There are assignments and no shared pool.
    #[error("default cpuset cannot be empty")]
    NoDefault,
    /// strict-cpu-reservation, and reserved CPUs are shared.
    #[error("some of strictly reserved cpus: \"{shared}\" are present in defaultCpuSet: \"{default}\"")]
    ReservedShared {
        /// Which.
        shared: CpuSet,
        /// The shared pool.
        default: CpuSet,
    },
    /// Reserved CPUs are not in the shared pool.
    #[error("not all reserved cpus: \"{reserved}\" are present in defaultCpuSet: \"{default}\"")]
    ReservedAbsent {
        /// Those that are reserved.
        reserved: CpuSet,
        /// The shared pool.
        default: CpuSet,
    },
    /// A container's CPUs are shared as well.
    #[error(
        "pod: {pod}, container: {container} cpuset: \"{cpus}\" overlaps with default cpuset \"{default}\"",
        pod = crate::text::Escaped(.holder.pod.as_bytes()),
        container = crate::text::Escaped(.holder.container.as_bytes())
    )]
    Overlap {
        /// Whose.
        holder: Holder,
        /// Which.
        cpus: CpuSet,
        /// The shared pool.
        default: CpuSet,
    },
    /// The machine has other CPUs.
    #[error("current set of available CPUs \"{available}\" doesn't match with CPUs in state \"{known}\"")]
    OtherMachine {
        /// What the machine has.
        available: CpuSet,
        /// What the state knows.
        known: CpuSet,
    },
}

impl State {
    /// What an earlier kubelet left.
    #[must_use]
    pub const fn new(default: CpuSet, assignments: BTreeMap<Holder, CpuSet>) -> Self {
        Self { default, assignments, reusable: None }
    }

    /// What a pod may use again.
    pub(super) fn reusable(&self, pod: &str) -> CpuSet {
        let of_pod = self.reusable.as_ref().filter(|(owner, _)| owner == pod);
        of_pod.map(|(_, cpus)| cpus.clone()).unwrap_or_default()
    }

    fn update_reusable(&mut self, pod: &str, cpus: &CpuSet, term: Term) {
        let before = self.reusable(pod);
        let after = match term {
            Term::Init => before.union(cpus),
            Term::Pod => before.difference(cpus),
        };
        self.reusable = Some((pod.to_owned(), after));
    }
}

impl<'t> Static<'t> {
    /// Sets the policy up (`NewStaticPolicy`). `single_numa_node`: whether the topology manager wants that.
    ///
    /// # Errors
    /// What stops the kubelet.
    pub fn new(
        topology: &'t Topology,
        reserve: Reserve,
        options: Options,
        uncore: Uncore,
        single_numa_node: bool,
    ) -> Result<Self, NoPolicy> {
        if let Some(exclusion) = options.exclusions().next() {
            return Err(exclusion.into());
        }
        options.fit(topology, single_numa_node)?;
        let mut policy =
            Self { topology, options, uncore, reserved: CpuSet::new(), reserved_cores: CpuSet::new() };
        let listed = reserve.list.filter(|list| !list.is_empty());
        let taken = || policy.take(topology.all(), reserve.count).map(|taken| taken.cpus);
        let reserved = listed.unwrap_or_else(|| taken().unwrap_or_default());
        if reserved.len() != reserve.count {
            return Err(NoPolicy::Size { reserved, count: reserve.count });
        }
        if let Some(cpu) = reserved.difference(topology.all()).iter().next() {
            return Err(NoPolicy::Unknown { cpu });
        }
        policy.reserved_cores = topology.whole_cores(&reserved);
        policy.reserved = reserved;
        Ok(policy)
    }

    /// The same with full-pcpus-only, whatever that excludes: upstream's allocator knows whole cores and spread ones together, only its
    /// configuration does not.
    #[must_use]
    pub const fn with_whole_cores(mut self) -> Self {
        self.options.full_pcpus_only = true;
        self
    }

    /// The machine.
    #[must_use]
    pub const fn topology(&self) -> &'t Topology {
        self.topology
    }

    /// The options.
    #[must_use]
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// What nobody gets alone.
    #[must_use]
    pub const fn reserved(&self) -> &CpuSet {
        &self.reserved
    }

    /// Goes on with what an earlier kubelet left, or begins (`validateState`).
    ///
    /// # Errors
    /// What stops the kubelet; to remove the state file helps, on a drained node.
    pub fn start(&self, state: State) -> Result<State, Stale> {
        let all = self.pool();
        let State { default, assignments, .. } = &state;
        if default.is_empty() {
            return match assignments.is_empty() {
                true => Ok(State::new(all, BTreeMap::new())),
                false => Err(Stale::NoDefault),
            };
        }
        let shared = self.reserved.intersection(default);
        if self.options.strict_cpu_reservation && !shared.is_empty() {
            return Err(Stale::ReservedShared { shared, default: default.clone() });
        }
        if !self.options.strict_cpu_reservation && shared != self.reserved {
            return Err(Stale::ReservedAbsent { reserved: self.reserved.clone(), default: default.clone() });
        }
        for (holder, cpus) in assignments {
            if !default.intersection(cpus).is_empty() {
                let (holder, cpus) = (holder.clone(), cpus.clone());
                return Err(Stale::Overlap { holder, cpus, default: default.clone() });
            }
        }
        let known = assignments.values().fold(default.clone(), |known, cpus| known.union(cpus));
        match known == all {
            true => Ok(state),
            false => Err(Stale::OtherMachine { available: all, known }),
        }
    }

    /// The state when nobody is there yet.
    #[must_use]
    pub fn empty(&self) -> State {
        State::new(self.pool(), BTreeMap::new())
    }

    /// All CPUs that containers run on.
    fn pool(&self) -> CpuSet {
        match self.options.strict_cpu_reservation {
            true => self.topology.all().difference(&self.reserved),
            false => self.topology.all().clone(),
        }
    }

    /// What may still be given away (`GetAvailableCPUs`).
    #[must_use]
    pub fn available(&self, state: &State) -> CpuSet {
        state.default.difference(&self.reserved)
    }

    /// What a container may still get alone of [`Static::available`]. Where whole cores alone are given away that is less: not the rest of
    /// cores of which a part is reserved, and nothing where no core's worth is left ([`Static::check_whole_cores`]).
    #[must_use]
    pub fn obtainable(&self, state: &State) -> CpuSet {
        if !self.options.full_pcpus_only {
            return self.available(state);
        }
        let left = state.default.difference(&self.reserved_cores);
        if left.len() < self.topology.per_group(Level::Core) { CpuSet::new() } else { left }
    }

    /// Gives a container CPUs alone (`Allocate`), those of the nodes of its affinity first.
    ///
    /// # Errors
    /// Why it gets none; the state is as before.
    pub fn allocate(
        &self,
        state: &mut State,
        holder: &Holder,
        count: usize,
        affinity: Option<&[u32]>,
        term: Term,
    ) -> Result<CpuSet, Refusal> {
        self.check_whole_cores(&state.default, count)?;
        if let Some(cpus) = state.assignments.get(holder).cloned() {
            state.update_reusable(&holder.pod, &cpus, term);
            return Ok(cpus);
        }
        let available = self.available(state).union(&state.reusable(&holder.pod));
        let cpus = self.choose(&available, count, affinity)?.cpus;
        state.default = state.default.difference(&cpus);
        state.assignments.insert(holder.clone(), cpus.clone());
        state.update_reusable(&holder.pod, &cpus, term);
        Ok(cpus)
    }

    /// Chooses so many of the available CPUs, those of the nodes of an affinity first (`allocateCPUs`).
    ///
    /// # Errors
    /// There are fewer.
    pub fn choose(
        &self,
        available: &CpuSet,
        count: usize,
        affinity: Option<&[u32]>,
    ) -> Result<Distributed, NotEnough> {
        let mut aligned = Distributed { cpus: CpuSet::new(), bounded: false };
        if let Some(nodes) = affinity {
            let near = available.intersection(&self.aligned(nodes));
            aligned = self.take(&near, count.min(near.len()))?;
        }
        let rest = self.take(&available.difference(&aligned.cpus), count - aligned.cpus.len())?;
        Ok(Distributed { cpus: aligned.cpus.union(&rest.cpus), bounded: aligned.bounded || rest.bounded })
    }

    /// Takes a container's CPUs back (`RemoveContainer`), but for those that another one of its pod uses. The kubelet does so of pods that are
    /// gone, and of no container that has ended before its pod.
    pub fn remove(&self, state: &mut State, holder: &Holder) {
        let Some(cpus) = state.assignments.remove(holder) else { return };
        let of_pod = state.assignments.iter().filter(|(other, _)| other.pod == holder.pod);
        let in_use = of_pod.fold(CpuSet::new(), |in_use, (_, cpus)| in_use.union(cpus));
        state.default = state.default.union(&cpus.difference(&in_use));
    }

    /// Whether so many CPUs of a pool can be whole cores, where they must be (full-pcpus-only).
    ///
    /// # Errors
    /// The number is no multiple, or too few CPUs are free of cores that nothing is reserved of.
    pub fn check_whole_cores(&self, pool: &CpuSet, requested: usize) -> Result<(), Refusal> {
        let per_core = self.topology.per_group(Level::Core);
        if !self.options.full_pcpus_only {
            return Ok(());
        }
        if !requested.is_multiple_of(per_core) {
            return Err(Refusal::NoMultiple { requested, per_core });
        }
        // Not those that the pod may use again: upstream does not count them either.
        let available = pool.difference(&self.reserved_cores).len();
        if requested > available {
            return Err(Refusal::NoWholeCores { available, requested, per_core });
        }
        Ok(())
    }

    /// The CPUs of nodes, or with align-by-socket of all sockets that these lie in (`getAlignedCPUs`).
    pub(super) fn aligned(&self, nodes: &[u32]) -> CpuSet {
        let in_groups = |level, groups: &[u32]| {
            let each = groups.iter().map(|&group| self.topology.in_group(level, group));
            each.fold(CpuSet::new(), |all, cpus| all.union(&cpus))
        };
        let in_nodes = in_groups(Level::Node, nodes);
        match self.options.align_by_socket {
            true => in_groups(Level::Socket, &self.topology.groups_of(Level::Socket, &in_nodes)),
            false => in_nodes,
        }
    }

    /// `takeByTopology`.
    fn take(&self, available: &CpuSet, count: usize) -> Result<Distributed, NotEnough> {
        let Options { full_pcpus_only, distribute_cpus_across_numa, .. } = self.options;
        let sorting = match self.options.distribute_cpus_across_cores {
            true => Sorting::Spread,
            false => Sorting::Packed,
        };
        if distribute_cpus_across_numa {
            let per_core = NonZeroUsize::new(self.topology.per_group(Level::Core));
            let group = per_core.filter(|_| full_pcpus_only).unwrap_or(NonZeroUsize::MIN);
            return distributed(self.topology, available, count, group, sorting);
        }
        let uncore = match self.options.prefer_align_cpus_by_uncorecache {
            true => self.uncore,
            false => Uncore::Ignored,
        };
        packed(self.topology, available, count, sorting, uncore)
            .map(|cpus| Distributed { cpus, bounded: false })
    }
}
