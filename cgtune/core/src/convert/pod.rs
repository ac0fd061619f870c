//! A pod's CPU: what its containers ask for → what the kubelet and the runtime write for the pod and for each of them.
//!
//! Here live the steps on that way, each with its upstream function: defaulting ([`defaults`]), LimitRanges
//! ([`limit_range`]), the pod's effective requests and limits ([`effective`]), its QoS class ([`qos`]), and the
//! numbers ([`config`]). Reading manifests is the business of `cgtune-manifest`.

pub mod config;
pub mod defaults;
pub mod effective;
pub mod limit_range;
pub mod qos;

use crate::convert::resources::ResourceList;

pub use config::{ContainerConfig, PodConfig, PodConversion};
pub use effective::Effective;
pub use limit_range::LimitRange;
pub use qos::QosClass;

/// Requests and limits that belong together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resources {
    /// `requests`.
    pub requests: ResourceList,
    /// `limits`.
    pub limits: ResourceList,
}

/// What a container is to its pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// One of `containers`.
    App,
    /// One of `initContainers`, that ends before the next begins.
    Init,
    /// One of `initContainers` with `restartPolicy: Always`.
    Sidecar,
    /// One of `ephemeralContainers`, which may not ask for anything.
    Ephemeral,
}

/// One container as its pod describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// What it is to the pod.
    pub role: Role,
    /// What it asks for.
    pub resources: Resources,
    /// What its status says was given to it, in a pod that runs.
    pub status: Option<ContainerStatus>,
}

/// `containerStatuses[]`: what a running container has, which an in-place resize may have moved away from its spec.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContainerStatus {
    /// `resources`, as last read from the runtime.
    pub resources: Option<Resources>,
    /// `allocatedResources`: what the node has reserved for it.
    pub allocated: ResourceList,
}

/// A pod, or the template of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pod {
    /// All containers, init containers in their order.
    pub containers: Vec<Container>,
    /// `spec.overhead`, which a RuntimeClass adds.
    pub overhead: ResourceList,
    /// `spec.resources`: of the pod as a whole. `None`: it says nothing.
    pub resources: Option<Resources>,
    /// Whether its condition `PodResizePending` has the reason `Infeasible`.
    pub resize_infeasible: bool,
}

impl Pod {
    /// The containers of a role, in order.
    pub fn with_role(&self, role: Role) -> impl Iterator<Item = &Container> {
        self.containers.iter().filter(move |container| container.role == role)
    }

    /// Init containers and sidecars, in order.
    pub fn init_containers(&self) -> impl Iterator<Item = &Container> {
        self.containers.iter().filter(|container| matches!(container.role, Role::Init | Role::Sidecar))
    }

    /// Requests and limits of the pod as a whole, where it names any that may be named so (`IsPodLevelResourcesSet`).
    #[must_use]
    pub fn whole(&self) -> Option<&Resources> {
        self.resources.as_ref().filter(|own| {
            [&own.requests, &own.limits].into_iter().any(|list| !list.only(effective::pod_level).is_empty())
        })
    }

    /// Those that count: all but ephemeral ones.
    pub fn counted(&self) -> impl Iterator<Item = &Container> {
        self.containers.iter().filter(|container| container.role != Role::Ephemeral)
    }
}
