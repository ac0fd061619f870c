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

/// The policy of the load, on a machine with the CPUs `all`.
pub(super) fn of_load(
    kind: PolicyKind,
    entitlement: &Entitlement,
    capabilities: &Capabilities,
    all: &CpuSet,
    plan: &Plan,
) -> Result<Policy, PolicyError> {
    let limit = entitlement.limit;
    let burst = limit.quota().limited().map_or(Micros::ZERO, |quota| plan.limit.burst(kind, quota));
    Ok(Policy {
        share: Some(share(entitlement.request, capabilities.cpu)),
        bandwidth: kind.limits().then(|| Bandwidth::new(limit.quota(), limit.period(), burst)).transpose()?,
        cpus: match kind {
            PolicyKind::Pinned | PolicyKind::PinnedLimit => Some(last(all, plan.own_cpus())),
            PolicyKind::SharedCore => Some(last(all, 1)),
            PolicyKind::Shares | PolicyKind::Limit | PolicyKind::LimitHalfBurst | PolicyKind::LimitBurst => {
                plan.cpus.map(|count| last(all, count))
            }
        },
        ..Policy::default()
    })
}

/// The policy of a pilot: no limit, and as many CPUs as the plan lets the load have.
pub(super) fn of_pilot(all: &CpuSet, plan: &Plan) -> Policy {
    Policy { cpus: plan.cpus.map(|count| last(all, count)), ..Policy::default() }
}

/// The policy of the noisy neighbour beside a load of this kind. Where the load is pinned the neighbour gets the other CPUs, as the
/// kubelet's static policy would have it; on a shared core it gets what the load leaves of that core's shares.
pub(super) fn of_neighbour(
    kind: PolicyKind,
    load: Option<&Entitlement>,
    layout: Layout,
    all: &CpuSet,
    plan: &Plan,
) -> Policy {
    let beside =
        |load: &Entitlement| MilliCpu::new(NEIGHBOUR_REQUEST.get().saturating_sub(load.request.get()).max(1));
    let request = match kind {
        PolicyKind::SharedCore => load.map_or(NEIGHBOUR_REQUEST, beside),
        _ => NEIGHBOUR_REQUEST,
    };
    let cpus = match kind {
        PolicyKind::SharedCore => Some(last(all, 1)),
        PolicyKind::Pinned | PolicyKind::PinnedLimit => Some(all.difference(&last(all, plan.own_cpus()))),
        PolicyKind::Shares | PolicyKind::Limit | PolicyKind::LimitHalfBurst | PolicyKind::LimitBurst => {
            plan.cpus.map(|count| last(all, count))
        }
    };
    Policy { share: Some(share(request, layout)), cpus, ..Policy::default() }
}

/// So many CPUs, from the top: CPU 0 serves most interrupts.
fn last(all: &CpuSet, count: u32) -> CpuSet {
    all.iter().skip(all.len().saturating_sub(count as usize)).collect()
}

/// Whether `have` CPUs are enough; `what` says where they are counted.
pub(super) fn room_for(kind: PolicyKind, plan: &Plan, have: usize, what: &str) -> Result<(), String> {
    let need = plan.own_cpus() as usize + 1;
    if kind.pins() && have < need {
        return Err(format!("pinning needs {need} CPUs (one stays shared), and {have} {what}"));
    }
    if let Some(count) = plan.cpus.filter(|&count| count as usize > have) {
        return Err(format!("the plan wants {count} CPUs for the load, and {have} {what}"));
    }
    Ok(())
}
