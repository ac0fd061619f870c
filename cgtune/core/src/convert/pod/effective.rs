//! What a pod asks for in all: what the scheduler counts, and what its cgroup is made from.
//!
//! Source: `PodRequests`, `PodLimits`, `AggregateContainerRequests`, `AggregateContainerLimits` in k8s.io/component-helpers
//! resource/helpers.go at 1961876.

use crate::convert::{
    pod::{Container, Pod, Resources, Role},
    resources::ResourceList,
};

/// Which facts are taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effective {
    /// Also what the status of a running container says.
    pub status: bool,
    /// Also `spec.overhead`.
    pub overhead: bool,
    /// Also `spec.resources`.
    pub pod_level: bool,
}

impl Default for Effective {
    /// As the kubelet does for a pod's cgroup.
    fn default() -> Self {
        Self { status: false, overhead: true, pod_level: true }
    }
}

/// Whose word on a container's resources is taken.
#[derive(Clone, Copy)]
enum View {
    /// The spec's.
    Asked,
    /// The runtime's, as the status reports it.
    Actual,
    /// The node's, which has so much reserved.
    Allocated,
}

impl View {
    fn requests(self, container: &Container) -> &ResourceList {
        let actual = || container.status.as_ref().and_then(|status| status.resources.as_ref());
        let allocated = container.status.as_ref().map(|status| &status.allocated);
        match self {
            Self::Allocated if allocated.is_some_and(|list| !list.is_empty()) => allocated,
            Self::Allocated | Self::Actual => actual().map(|actual| &actual.requests),
            Self::Asked => None,
        }
        .unwrap_or(&container.resources.requests)
    }

    fn limits(self, container: &Container) -> &ResourceList {
        let actual = || container.status.as_ref().and_then(|status| status.resources.as_ref());
        match self {
            Self::Asked => None,
            Self::Actual | Self::Allocated => actual().map(|actual| &actual.limits),
        }
        .unwrap_or(&container.resources.limits)
    }
}

impl Effective {
    /// The pod's requests.
    #[must_use]
    pub fn requests(self, pod: &Pod) -> ResourceList {
        let mut total = self.most(pod, View::requests);
        if let Some(own) = self.own(pod) {
            total.replace(&own.requests.only(pod_level));
        }
        if self.overhead {
            total.add(&pod.overhead);
        }
        total
    }

    /// The pod's limits. Overhead is added to what is limited anyhow, and limits nothing by itself.
    #[must_use]
    pub fn limits(self, pod: &Pod) -> ResourceList {
        let mut total = self.most(pod, View::limits);
        if let Some(own) = self.own(pod) {
            total.replace(&own.limits.only(pod_level));
        }
        if self.overhead {
            total.add_where_positive(&pod.overhead);
        }
        total
    }

    fn own(self, pod: &Pod) -> Option<&Resources> {
        pod.resources.as_ref().filter(|_| self.pod_level)
    }

    /// The largest of the views that count: during a resize the pod may need what it has and what it asks for;
    /// where the resize cannot be done, what it asks for does not count.
    fn most(self, pod: &Pod, list: fn(View, &Container) -> &ResourceList) -> ResourceList {
        let views: &[View] = match (self.status, pod.resize_infeasible) {
            (false, _) => &[View::Asked],
            (true, false) => &[View::Asked, View::Actual, View::Allocated],
            (true, true) => &[View::Actual, View::Allocated],
        };
        views.iter().fold(ResourceList::default(), |mut most, &view| {
            most.max(&aggregate(pod, |container| list(view, container)));
            most
        })
    }
}

/// The sum over what runs together, or what an init container needs beside the sidecars started before it, if that
/// is more.
fn aggregate(pod: &Pod, of: impl Fn(&Container) -> &ResourceList) -> ResourceList {
    let mut together = ResourceList::default();
    for container in pod.with_role(Role::App) {
        together.add(of(container));
    }
    let mut sidecars = ResourceList::default();
    let mut most = ResourceList::default();
    for container in pod.init_containers() {
        let own = of(container);
        if container.role == Role::Sidecar {
            together.add(own);
            sidecars.add(own);
            most.max(&sidecars);
        } else {
            let mut using = own.clone();
            using.add(&sidecars);
            most.max(&using);
        }
    }
    together.max(&most);
    together
}

/// Resources that a pod may name as a whole (`IsSupportedPodLevelResource`).
pub(super) fn pod_level(name: &str) -> bool {
    name == "cpu" || name == "memory" || name.starts_with("hugepages-")
}
