//! Cgroups: what is enforced on which of them, who makes them, and which version the machine has.

use std::collections::BTreeSet;

use super::{Case, shown};
use crate::{
    convert::CgroupDriver,
    kubelet::{config::reserved_cpu, finding::Fault, gates::Gate},
};

const ENFORCE: &str = "enforceNodeAllocatable";
/// Everything that may stand there.
const ENFORCEMENTS: &str =
    "none, pods, system-reserved, system-reserved-compressible, kube-reserved, kube-reserved-compressible";
/// The compressible forms came with 1.32.
const COMPRESSIBLE_SINCE: u32 = 32;

/// One of the two parts of a node that are not pods.
struct Part {
    whole: &'static str,
    compressible: &'static str,
    cgroup: &'static str,
    amounts: &'static str,
}

const SYSTEM: Part = Part {
    whole: "system-reserved",
    compressible: "system-reserved-compressible",
    cgroup: "systemReservedCgroup",
    amounts: "systemReserved",
};
const KUBE: Part = Part {
    whole: "kube-reserved",
    compressible: "kube-reserved-compressible",
    cgroup: "kubeReservedCgroup",
    amounts: "kubeReserved",
};

pub(super) fn check(case: &mut Case<'_>) {
    values(case);
    let config = case.config;
    let (system, kube) = (config.system_reserved_cgroup.as_ref(), config.kube_reserved_cgroup.as_ref());
    part(case, &SYSTEM, system, reserved_cpu(config.system_reserved.as_ref()).is_some());
    part(case, &KUBE, kube, reserved_cpu(config.kube_reserved.as_ref()).is_some());
    let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    if given(&config.system_cgroups) && !given(&config.cgroup_root) {
        case.found(["systemCgroups"], Fault::NeedsCgroupRoot);
    }
    driver(case);
    version(case);
    let tiered = "TieredReservation";
    let policies = |text: &str| ["None", tiered].contains(&text).then_some(());
    let policy = config.memory_reservation_policy.as_ref();
    case.one_of("memoryReservationPolicy", policy, policies, "None, TieredReservation");
    if policy.is_some_and(|policy| policy == tiered) && !config.open(Gate::MemoryQoS, case.release) {
        case.found(["memoryReservationPolicy"], Fault::NeedsMemoryQos);
    }
}

/// What stands in the list, or by default.
fn values(case: &mut Case<'_>) {
    let list = case.effective.enforce_node_allocatable.clone();
    let mut seen = BTreeSet::new();
    for (index, value) in list.iter().enumerate() {
        let index = index.to_string();
        let at = [ENFORCE, index.as_str()];
        let Some(known) = ENFORCEMENTS.split(", ").find(|known| known == value) else {
            case.found(at, Fault::Value { found: shown(value), allowed: ENFORCEMENTS });
            continue;
        };
        if !seen.insert(known) {
            case.found(at, Fault::Twice { value: known });
        }
        if known.ends_with("-compressible") && case.release.minor() < COMPRESSIBLE_SINCE {
            case.found(at, Fault::LaterEnforcement { value: known, release: case.release });
        }
        if known == "none" && list.len() > 1 {
            case.found(at, Fault::NoneAndOthers);
        }
    }
    // Without an exception for none: what is enforced is not looked at (`ValidateKubeletConfiguration`).
    if !list.is_empty() && !case.effective.cgroups_per_qos {
        case.found(["cgroupsPerQOS"], Fault::NeedsCgroupsPerQos);
    }
}

fn part(case: &mut Case<'_>, part: &Part, cgroup: Option<&String>, amount: bool) {
    let enforced = &case.effective.enforce_node_allocatable;
    let found = |value: &str| enforced.iter().position(|enforced| enforced == value);
    let (whole, compressible) = (found(part.whole), found(part.compressible));
    if let (Some(_), Some(index)) = (whole, compressible) {
        case.found([ENFORCE, &index.to_string()], Fault::BothForms { value: part.whole });
    }
    let named = cgroup.is_some_and(|cgroup| !cgroup.is_empty());
    let Some(index) = whole.or(compressible) else {
        if named {
            case.found([part.cgroup], Fault::CgroupUnused { value: part.whole });
        }
        return;
    };
    let value = if whole.is_some() { part.whole } else { part.compressible };
    let index = index.to_string();
    if named {
        case.found([part.cgroup], Fault::CgroupMustExist);
    } else {
        case.found([ENFORCE, &index], Fault::NeedsCgroup { value, field: part.cgroup });
    }
    if !amount {
        case.found([ENFORCE, &index], Fault::EnforcesNothing { field: part.amounts });
    }
}

fn driver(case: &mut Case<'_>) {
    let given = case.config.cgroup_driver.as_ref().filter(|driver| !driver.is_empty());
    let named = |text: &str| {
        [CgroupDriver::Cgroupfs, CgroupDriver::Systemd].into_iter().find(|driver| driver.to_string() == text)
    };
    case.one_of("cgroupDriver", given, named, "cgroupfs, systemd");
    if given.is_none() && !case.config.open(Gate::KubeletCgroupDriverFromCRI, case.release) {
        case.found(["cgroupDriver"], Fault::DriverDefault);
    }
}

fn version(case: &mut Case<'_>) {
    if case.machine.cgroup_v1 != Some(true) {
        return;
    }
    if case.effective.fail_cgroup_v1 {
        case.found(["failCgroupV1"], Fault::FailsOnV1 { release: case.release });
    }
    if case.config.single_process_oom_kill == Some(false) {
        case.found(["singleProcessOOMKill"], Fault::GroupKillOnV1);
    }
}
