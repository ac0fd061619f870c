//! What the API server fills in before anyone else sees a pod.
//!
//! Source: `SetDefaults_Pod` and `defaultPodRequests` in pkg/apis/core/v1/defaults.go at 023f88a3. Quantities are rounded up to
//! thousandths when they are read.

use crate::convert::pod::{Effective, Pod, Resources, Role, effective};

/// Requests that are absent become what they are in the API.
pub fn apply(pod: &mut Pod) {
    for container in &mut pod.containers {
        if container.role != Role::Ephemeral {
            requests_from_limits(&mut container.resources);
        }
    }
    pod_requests(pod);
}

/// A resource that is limited and not requested is requested as much.
pub(super) fn requests_from_limits(resources: &mut Resources) {
    let Resources { requests, limits } = resources;
    requests.cpu = requests.cpu.or(limits.cpu);
    for (name, limit) in &limits.others {
        requests.others.entry(name.clone()).or_insert(*limit);
    }
}

/// Of the pod as a whole, where it has limits: what its containers request in all, else the limit.
fn pod_requests(pod: &mut Pod) {
    let containers = Effective { overhead: false, pod_level: false, ..Effective::default() }.requests(pod);
    let Some(own) = &mut pod.resources else { return };
    if own.limits.is_empty() {
        return;
    }
    // Huge pages cannot be overcommitted: their request is their limit.
    let mut filled = containers.only(|name| effective::pod_level(name) && !name.starts_with("hugepages-"));
    filled.replace(&own.requests);
    own.requests = filled;
    let mut limits = own.limits.only(effective::pod_level);
    limits.replace(&own.requests);
    own.requests = limits;
}
