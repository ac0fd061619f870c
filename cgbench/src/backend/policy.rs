//! What each policy under test is, in the terms of this kernel.

use cgtune_core::{
    Bandwidth, Capabilities, CpuSet, Layout, Micros, MilliCpu, Policy, PolicyError, Share,
    convert::{kubelet, weight::WeightFormula},
};

use super::Entitlement;
use crate::plan::{Plan, PolicyKind};

/// The CPU request of the noisy neighbour: one CPU, as of a batch job that was asked to be modest and is not.
pub const NEIGHBOUR_REQUEST: MilliCpu = MilliCpu::new(1000);

/// A request as shares or weight, as the newest runtimes convert it.
fn share(request: MilliCpu, layout: Layout) -> Share {
    let shares = kubelet::shares(request);
    match layout {
        Layout::V1 => Share::Shares(shares),
        Layout::V2 => Share::Weight(WeightFormula::Logarithmic.weight(shares)),
    }
}

/// The policy of the load. `own` are its CPUs where the kind pins.
pub(super) fn of_load(
    kind: PolicyKind,
    entitlement: &Entitlement,
    capabilities: &Capabilities,
    own: &CpuSet,
) -> Result<Policy, PolicyError> {
    let limit = entitlement.limit;
    let burst = limit.quota().limited().map_or(Micros::ZERO, |quota| kind.burst(quota));
    Ok(Policy {
        share: Some(share(entitlement.request, capabilities.cpu)),
        bandwidth: kind.limits().then(|| Bandwidth::new(limit.quota(), limit.period(), burst)).transpose()?,
        cpus: kind.pins().then(|| own.clone()),
        ..Policy::default()
    })
}

/// The policy of the noisy neighbour beside a load of this kind: where the load is pinned the neighbour gets the other
/// CPUs, as the kubelet's static policy would have it.
pub(super) fn of_neighbour(kind: PolicyKind, layout: Layout, all: &CpuSet, own: &CpuSet) -> Policy {
    Policy {
        share: Some(share(NEIGHBOUR_REQUEST, layout)),
        cpus: kind.pins().then(|| all.difference(own)),
        ..Policy::default()
    }
}

/// The CPUs that a pinned load has for itself, from the top: CPU 0 serves most interrupts.
pub(super) fn own_cpus(all: &CpuSet, plan: &Plan) -> CpuSet {
    all.iter().skip(all.len().saturating_sub(plan.encode.threads as usize)).collect()
}

/// Whether `have` CPUs leave a pinned load its own; `what` says where they are counted.
pub(super) fn room_to_pin(kind: PolicyKind, plan: &Plan, have: usize, what: &str) -> Result<(), String> {
    let need = plan.encode.threads as usize + 1;
    if kind.pins() && have < need {
        return Err(format!("pinning needs {need} CPUs (one stays shared), and {have} {what}"));
    }
    Ok(())
}
