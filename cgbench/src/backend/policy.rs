//! What each policy under test is, in the terms of this kernel.

use cgtune_core::{
    Bandwidth, Capabilities, CpuSet, Layout, Micros, MilliCpu, Policy, PolicyError, Share,
    convert::{kubelet, weight::WeightFormula},
};

use super::Entitlement;
use crate::plan::PolicyKind;

/// The CPU request of the noisy neighbour: one CPU, as of a batch job that was asked to be modest and is not.
pub const NEIGHBOUR_REQUEST: MilliCpu = MilliCpu::new(1000);

/// A request as shares or weight, as the newest runtimes convert it.
pub(super) fn share(request: MilliCpu, layout: Layout) -> Share {
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
    let burst = if kind.bursts() { limit.quota().limited().unwrap_or_default() } else { Micros::ZERO };
    Ok(Policy {
        share: Some(share(entitlement.request, capabilities.cpu)),
        bandwidth: kind.limits().then(|| Bandwidth::new(limit.quota(), limit.period(), burst)).transpose()?,
        cpus: kind.pins().then(|| own.clone()),
        ..Policy::default()
    })
}
