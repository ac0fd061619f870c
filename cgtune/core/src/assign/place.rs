//! Whole pods on a node, one after the other: what the kubelet does when they arrive in that order.

use super::{
    Uncore,
    hints::{self, Admission, Misplaced},
    policy::{self, Holder, NoPolicy, Refusal, Reserve, State, Static, Term},
};
use crate::{
    CpuSet, MilliCpu, Topology,
    convert::{
        pod::{self, Container, Pod, QosClass, Role},
        quantity::CpuQuantity,
    },
    kubelet::{
        config::{CpuManagerPolicy, Effective},
        topology_manager::{TopologyPolicy, TopologyScope},
    },
    topology::Distances,
};

/// A node and who is on it.
#[derive(Debug, Clone)]
pub struct Node<'t> {
    /// All of its CPUs.
    pub cpus: &'t CpuSet,
    /// The CPU manager. `None`: its policy is none, and everybody shares.
    pub policy: Option<Static<'t>>,
    /// The topology manager's policy.
    pub manager: TopologyPolicy,
    /// Its scope.
    pub scope: TopologyScope,
    /// How far NUMA nodes are apart, where it looks at that (`prefer-closest-numa-nodes`). `None`: it does not, or the machine shows
    /// nothing.
    pub distances: Option<Distances>,
    /// What pods may request in all: the CPUs without what is reserved.
    pub allocatable: MilliCpu,
    /// What they do.
    pub requested: MilliCpu,
    /// Who has CPUs alone.
    pub state: State,
}

/// A pod as a node looks at it when it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Its class.
    pub class: QosClass,
    /// What it requests in all.
    pub request: MilliCpu,
    /// Its containers: init containers and sidecars in their order, then the others. No two have one name.
    pub containers: Vec<Wanted>,
}

/// A container that comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub name: String,
    /// What it is to the pod.
    pub role: Role,
    /// What it requests itself.
    pub request: MilliCpu,
    /// How many CPUs the static policy gives it alone; 0: it shares.
    pub alone: usize,
}

/// Where a container of a pod runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// Its name.
    pub container: String,
    /// What it is to the pod.
    pub role: Role,
    /// What it requests itself.
    pub request: MilliCpu,
    /// Its CPUs alone. `None`: in the shared pool.
    pub exclusive: Option<CpuSet>,
    /// Of an init container's: those that none of its pod uses afterwards. They are nobody's else until the pod is gone.
    pub left_over: CpuSet,
}

/// A pod that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its class.
    pub class: QosClass,
    /// What it requests.
    pub request: MilliCpu,
    /// Its containers, in the order in which they got their CPUs.
    pub seats: Vec<Seat>,
}

/// Why a pod is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unplaced {
    /// Less is left than it requests (the scheduler would leave it pending, the kubelet says OutOfcpu).
    #[error("OutOfcpu: it requests {requested}, and of {allocatable} that may be requested {left} is left")]
    OutOfCpu {
        /// What it requests.
        requested: MilliCpu,
        /// What is left.
        left: MilliCpu,
        /// What there is for pods.
        allocatable: MilliCpu,
    },
    /// The topology manager refuses it, or one of its containers.
    #[error("{}{misplaced}", of(.container.as_deref()))]
    Topology {
        /// Which container. `None`: the pod as a whole.
        container: Option<String>,
        /// Why.
        misplaced: Misplaced,
    },
    /// The CPU manager refuses a container.
    #[error("{}{refusal}", of(Some(.container)))]
    Cpus {
        /// Which container.
        container: String,
        /// Why.
        refusal: Refusal,
    },
}

impl Unplaced {
    /// The pod's reason when it is refused, as the kubelet says it.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::OutOfCpu { .. } => "OutOfcpu",
            Self::Topology { .. } => "TopologyAffinityError",
            Self::Cpus { refusal, .. } => refusal.reason(),
        }
    }
}

fn of(container: Option<&str>) -> String {
    container.map(|name| format!("container {}: ", crate::text::Escaped(name.as_bytes()))).unwrap_or_default()
}

impl Arrival {
    /// A pod, after defaulting.
    #[must_use]
    pub fn of(pod: &Pod) -> Self {
        let class = QosClass::of(pod);
        // Of a pod that names its resources as a whole no container has CPUs alone.
        let alone = |request| if pod.whole().is_some() { 0 } else { policy::exclusive(class, request) };
        let in_order = pod.init_containers().chain(pod.with_role(Role::App));
        let containers = in_order.map(|container| {
            let request = request(container);
            Wanted { name: container.name.clone(), role: container.role, request, alone: alone(request) }
        });
        Self {
            class,
            request: pod::Effective::default().requests(pod).cpu.map_or(MilliCpu::ZERO, CpuQuantity::milli),
            containers: containers.collect(),
        }
    }

    /// How many CPUs its containers need at once (`podGuaranteedCPUs`): what an init container gets is given on to those after it, a
    /// sidecar keeps its own.
    #[must_use]
    pub fn at_once(&self) -> usize {
        let (mut kept, mut most) = (0_usize, 0);
        for Wanted { role, alone, .. } in &self.containers {
            match role {
                Role::Init => most = most.max(kept.saturating_add(*alone)),
                Role::Sidecar | Role::App | Role::Ephemeral => kept = kept.saturating_add(*alone),
            }
        }
        most.max(kept)
    }
}

impl Placed {
    /// What its containers in the shared pool request, once the init containers have ended. `pod`: it.
    #[must_use]
    pub fn shared_request(&self, pod: &Pod) -> MilliCpu {
        if pod.whole().is_some() {
            return self.request;
        }
        let shares = |seat: &&Seat| seat.role != Role::Init && seat.exclusive.is_none();
        let requests = self.seats.iter().filter(shares).map(|seat| seat.request);
        requests.fold(MilliCpu::ZERO, MilliCpu::saturating_add)
    }
}

impl<'t> Node<'t> {
    /// An empty node of that shape, whose kubelet is configured so. `distances`: of its NUMA nodes; `None`: not known.
    ///
    /// # Errors
    /// The kubelet would not start.
    pub fn of(
        topology: &'t Topology,
        distances: Option<Distances>,
        kubelet: &Effective,
    ) -> Result<Self, NoPolicy> {
        let policy = match kubelet.cpu_manager_policy {
            CpuManagerPolicy::None => None,
            CpuManagerPolicy::Static if kubelet.reserved_cpus() == 0 => {
                return Err(NoPolicy::NothingReserved);
            }
            CpuManagerPolicy::Static => {
                let list = Some(kubelet.reserved_system_cpus.clone()).filter(|list| !list.is_empty());
                let reserve = Reserve { count: kubelet.reserved_cpus(), list };
                let uncore = Uncore::of(kubelet.release.version());
                let single = kubelet.topology_policy == TopologyPolicy::SingleNumaNode;
                Some(Static::new(topology, reserve, kubelet.options, uncore, single)?)
            }
        };
        let all = MilliCpu::new(topology.cpus().len() as u64 * 1000);
        let state = policy.as_ref().map(Static::empty).unwrap_or_default();
        Ok(Self {
            cpus: topology.all(),
            policy,
            manager: kubelet.topology_policy,
            scope: kubelet.topology_scope,
            distances: distances.filter(|_| kubelet.prefer_closest_nodes),
            allocatable: MilliCpu::new(all.get().saturating_sub(kubelet.reserved().get())),
            requested: MilliCpu::ZERO,
            state,
        })
    }

    /// What is not given to anybody alone.
    #[must_use]
    pub fn shared(&self) -> CpuSet {
        match &self.policy {
            Some(_) => self.state.default.clone(),
            None => self.cpus.clone(),
        }
    }

    /// Lets a pod come in. What its init containers got stays theirs when they have ended: the kubelet takes CPUs back from containers whose
    /// pod is gone, and from no others (`removeStaleState`, pkg/kubelet/cm/cpumanager/cpu_manager.go, Kubernetes 1.36).
    ///
    /// # Errors
    /// Why it is refused; the node is as before.
    pub fn place(&mut self, id: &str, pod: &Pod) -> Result<Placed, Unplaced> {
        self.admit(id, &Arrival::of(pod))
    }

    /// The same for a pod of which no more is known than what it wants of a node.
    ///
    /// # Errors
    /// Why it is refused; the node is as before.
    pub fn admit(&mut self, id: &str, pod: &Arrival) -> Result<Placed, Unplaced> {
        let request = pod.request;
        let left = self.left();
        if request > left {
            return Err(Unplaced::OutOfCpu { requested: request, left, allocatable: self.allocatable });
        }
        let before = self.state.clone();
        match self.seat_all(id, pod) {
            Ok(seats) => {
                self.requested = self.requested.saturating_add(request);
                Ok(Placed { class: pod.class, request, seats })
            }
            Err(error) => {
                self.state = before;
                Err(error)
            }
        }
    }

    /// What can still be requested.
    #[must_use]
    pub fn left(&self) -> MilliCpu {
        self.allocatable.saturating_sub(self.requested)
    }

    fn seat_all(&mut self, id: &str, pod: &Arrival) -> Result<Vec<Seat>, Unplaced> {
        let for_all = match (&self.policy, self.scope) {
            (Some(policy), TopologyScope::Pod) => Some(self.asked(policy, id, pod.at_once(), None)?),
            _ => None,
        };
        let seats: Result<Vec<Seat>, Unplaced> =
            pod.containers.iter().map(|container| self.seat(id, container, for_all.as_ref())).collect();
        let mut seats = seats?;
        let mut used = CpuSet::new();
        for Seat { role, exclusive, left_over, .. } in seats.iter_mut().rev() {
            let Some(cpus) = exclusive else { continue };
            if *role == Role::Init {
                *left_over = cpus.difference(&used);
            }
            used = used.union(cpus);
        }
        Ok(seats)
    }

    fn seat(
        &mut self,
        id: &str,
        container: &Wanted,
        for_all: Option<&Option<Vec<u32>>>,
    ) -> Result<Seat, Unplaced> {
        let Wanted { name, role, request, alone } = container;
        let mut seat = Seat {
            container: name.clone(),
            role: *role,
            request: *request,
            exclusive: None,
            left_over: CpuSet::new(),
        };
        let count = *alone;
        let Some(policy) = self.policy.as_ref().filter(|_| count > 0) else { return Ok(seat) };
        let nodes = match for_all {
            Some(nodes) => nodes.clone(),
            None => self.asked(policy, id, count, Some(name))?,
        };
        let term = if *role == Role::Init { Term::Init } else { Term::Pod };
        let holder = Holder { pod: id.to_owned(), container: name.clone() };
        let cpus = policy
            .allocate(&mut self.state, &holder, count, nodes.as_deref(), term)
            .map_err(|refusal| Unplaced::Cpus { container: name.clone(), refusal })?;
        seat.exclusive = Some(cpus);
        Ok(seat)
    }

    /// Asks the topology manager.
    fn asked(
        &self,
        policy: &Static<'_>,
        id: &str,
        count: usize,
        container: Option<&str>,
    ) -> Result<Option<Vec<u32>>, Unplaced> {
        match hints::admit(self.manager, self.distances.as_ref(), policy, &self.state, id, count) {
            Admission::Admitted(nodes) => Ok(nodes),
            Admission::Refused(misplaced) => {
                Err(Unplaced::Topology { container: container.map(str::to_owned), misplaced })
            }
        }
    }
}

fn request(container: &Container) -> MilliCpu {
    container.resources.requests.cpu.map_or(MilliCpu::ZERO, CpuQuantity::milli)
}
