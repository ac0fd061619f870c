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
    /// What pods may request in all: the CPUs without what is reserved.
    pub allocatable: MilliCpu,
    /// What they do.
    pub requested: MilliCpu,
    /// Who has CPUs alone.
    pub state: State,
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

fn of(container: Option<&str>) -> String {
    container.map(|name| format!("container {}: ", crate::text::Escaped(name.as_bytes()))).unwrap_or_default()
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
    /// An empty node of that shape, whose kubelet is configured so.
    ///
    /// # Errors
    /// The kubelet would not start.
    pub fn of(topology: &'t Topology, kubelet: &Effective) -> Result<Self, NoPolicy> {
        let policy = match kubelet.cpu_manager_policy {
            CpuManagerPolicy::None => None,
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

    /// Lets a pod come in. Its init containers have ended afterwards.
    ///
    /// # Errors
    /// Why it is refused; the node is as before.
    pub fn place(&mut self, id: &str, pod: &Pod) -> Result<Placed, Unplaced> {
        let class = QosClass::of(pod);
        let request = pod::Effective::default().requests(pod).cpu.map_or(MilliCpu::ZERO, CpuQuantity::milli);
        let left = MilliCpu::new(self.allocatable.get().saturating_sub(self.requested.get()));
        if request > left {
            return Err(Unplaced::OutOfCpu { requested: request, left, allocatable: self.allocatable });
        }
        let before = self.state.clone();
        match self.seat_all(id, pod, class) {
            Ok(seats) => {
                self.requested = self.requested.saturating_add(request);
                Ok(Placed { class, request, seats })
            }
            Err(error) => {
                self.state = before;
                Err(error)
            }
        }
    }

    fn seat_all(&mut self, id: &str, pod: &Pod, class: QosClass) -> Result<Vec<Seat>, Unplaced> {
        // Of a pod that names its resources as a whole no container has CPUs alone.
        let needs = |container: &Container| match pod.whole() {
            Some(_) => 0,
            None => policy::exclusive(class, request(container)),
        };
        let for_all = match (&self.policy, self.scope) {
            (Some(policy), TopologyScope::Pod) => {
                let all = together(pod, needs);
                Some(self.admitted(hints::admit(self.manager, policy, &self.state, id, all), None)?)
            }
            _ => None,
        };
        let in_order = pod.init_containers().chain(pod.with_role(Role::App));
        let seats: Result<Vec<Seat>, Unplaced> =
            in_order.map(|container| self.seat(id, container, needs(container), for_all.as_ref())).collect();
        let seats = seats?;
        if let Some(policy) = &self.policy {
            for container in pod.with_role(Role::Init) {
                let holder = Holder { pod: id.to_owned(), container: container.name.clone() };
                policy.remove(&mut self.state, &holder);
            }
        }
        Ok(seats)
    }

    fn seat(
        &mut self,
        id: &str,
        container: &Container,
        count: usize,
        for_all: Option<&Option<Vec<u32>>>,
    ) -> Result<Seat, Unplaced> {
        let name = &container.name;
        let mut seat = Seat {
            container: name.clone(),
            role: container.role,
            request: request(container),
            exclusive: None,
        };
        let Some(policy) = self.policy.as_ref().filter(|_| count > 0) else { return Ok(seat) };
        let nodes = match for_all {
            Some(nodes) => nodes.clone(),
            None => self.admitted(hints::admit(self.manager, policy, &self.state, id, count), Some(name))?,
        };
        let term = if container.role == Role::Init { Term::Init } else { Term::Pod };
        let holder = Holder { pod: id.to_owned(), container: name.clone() };
        let cpus = policy
            .allocate(&mut self.state, &holder, count, nodes.as_deref(), term)
            .map_err(|refusal| Unplaced::Cpus { container: name.clone(), refusal })?;
        seat.exclusive = Some(cpus);
        Ok(seat)
    }

    fn admitted(&self, admission: Admission, container: Option<&str>) -> Result<Option<Vec<u32>>, Unplaced> {
        match admission {
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

/// How many CPUs a pod needs at once (`podGuaranteedCPUs`).
fn together(pod: &Pod, needs: impl Fn(&Container) -> usize) -> usize {
    let apps: usize = pod.with_role(Role::App).map(&needs).sum();
    let (mut sidecars, mut most) = (0, 0);
    for container in pod.init_containers() {
        match container.role {
            Role::Sidecar => sidecars += needs(container),
            _ => most = most.max(sidecars + needs(container)),
        }
    }
    most.max(apps + sidecars)
}
