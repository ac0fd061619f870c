//! What is kept from pods: CPUs by number, or amounts.

use std::collections::BTreeMap;

use super::{Case, shown};
use crate::{
    CpuSet, MilliCpu, Topology,
    convert::{CpuQuantity, Quantity},
    kubelet::{config::CpuManagerPolicy, finding::Fault},
    topology::Level,
};

const CPUS: &str = "reservedSystemCPUs";

pub(super) fn check(case: &mut Case<'_>) {
    let config = case.config;
    amounts(case, "systemReserved", config.system_reserved.as_ref());
    amounts(case, "kubeReserved", config.kube_reserved.as_ref());
    let amount = case.effective.system_reserved.saturating_add(case.effective.kube_reserved);
    match config.reserved_system_cpus.as_ref().filter(|list| !list.is_empty()) {
        Some(list) => named(case, list, amount),
        None => unnamed(case, amount),
    }
}

fn amounts(case: &mut Case<'_>, field: &str, amounts: Option<&BTreeMap<String, String>>) {
    for (resource, amount) in amounts.into_iter().flatten() {
        let error = match resource.as_str() {
            "cpu" => amount.parse::<CpuQuantity>().err(),
            "memory" | "ephemeral-storage" | "pid" => amount.parse::<Quantity>().err(),
            _ => {
                case.found([field, resource], Fault::ReservedResource);
                continue;
            }
        };
        if let Some(error) = error {
            case.found([field, resource], Fault::ReservedQuantity { error });
        }
    }
}

/// `reservedSystemCPUs` is given.
fn named(case: &mut Case<'_>, list: &str, amount: MilliCpu) {
    let config = case.config;
    for (other, given) in [
        ("systemReservedCgroup", &config.system_reserved_cgroup),
        ("kubeReservedCgroup", &config.kube_reserved_cgroup),
    ] {
        if given.as_ref().is_some_and(|cgroup| !cgroup.is_empty()) {
            case.found([CPUS], Fault::ReservedExcludes { other });
        }
    }
    let Ok(cpus) = list.parse::<CpuSet>() else {
        case.found([CPUS], Fault::CpuList { found: shown(list) });
        return;
    };
    if amount > MilliCpu::ZERO {
        case.found([CPUS], Fault::ReservedOverridden { amount, cpus: cpus.len() });
    }
    let Some(topology) = case.machine.topology else { return };
    let missing = cpus.difference(topology.all());
    if !missing.is_empty() {
        case.found([CPUS], Fault::ReservedNotOnline { missing });
        return;
    }
    if cpus.len() == topology.cpus().len() {
        case.found([CPUS], Fault::NothingLeft { cpus: cpus.len() });
    }
    if case.effective.cpu_manager_policy == CpuManagerPolicy::Static {
        half_cores(case, &cpus, topology);
    }
}

fn half_cores(case: &mut Case<'_>, cpus: &CpuSet, topology: &Topology) {
    let others = topology.whole_cores(cpus).difference(cpus);
    if others.is_empty() {
        return;
    }
    let reserved = topology.whole_cores(&others).intersection(cpus);
    let full_pcpus_only = case.effective.options.full_pcpus_only;
    let fate = match full_pcpus_only {
        true => "are of no use to pods that are pinned to whole cores",
        false => "go to pods, whose cores the system then shares",
    };
    case.found([CPUS], Fault::HalfCore { reserved, others, full_pcpus_only, fate });
}

/// Amounts alone.
fn unnamed(case: &mut Case<'_>, amount: MilliCpu) {
    let field = match case.config.system_reserved.as_ref().is_some_and(|amounts| amounts.contains_key("cpu"))
    {
        true => "systemReserved",
        false => "kubeReserved",
    };
    let cpus = case.effective.reserved_cpus();
    let pinning = case.effective.cpu_manager_policy == CpuManagerPolicy::Static;
    if pinning && !amount.get().is_multiple_of(1000) {
        case.found([field, "cpu"], Fault::ReservedRounded { amount, cpus });
    }
    let Some(topology) = case.machine.topology else { return };
    let online = topology.cpus().len();
    if cpus > online {
        case.found([field, "cpu"], Fault::MoreThanThereIs { amount, cpus: online });
        return;
    }
    if cpus == online && cpus > 0 {
        case.found([field, "cpu"], Fault::NothingLeft { cpus });
    }
    let threads = topology.per_group(Level::Core);
    if pinning && case.effective.options.full_pcpus_only && threads > 1 && !cpus.is_multiple_of(threads) {
        case.found([field, "cpu"], Fault::ReservedPartOfCore { cpus, threads });
    }
}
