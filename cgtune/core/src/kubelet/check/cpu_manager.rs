//! The CPU manager: its policy, its options, and what it needs.

use super::{Case, shown};
use crate::kubelet::{
    config::CpuManagerPolicy,
    fields,
    finding::Fault,
    gates::Gate,
    options::{PolicyOption, Unfit, parse_bool},
    topology_manager::TopologyPolicy,
};

const POLICY: &str = "cpuManagerPolicy";
const OPTIONS: &str = "cpuManagerPolicyOptions";

pub(super) fn check(case: &mut Case<'_>) {
    let config = case.config;
    case.one_of(POLICY, config.cpu_manager_policy.as_ref(), CpuManagerPolicy::named, "none, static");
    options(case);
    if case.effective.cpu_manager_policy == CpuManagerPolicy::Static {
        fixed(case);
    }
}

fn options(case: &mut Case<'_>) {
    let config = case.config;
    let Some(given) = config.cpu_manager_policy_options.as_ref().filter(|options| !options.is_empty()) else {
        return;
    };
    if case.effective.cpu_manager_policy == CpuManagerPolicy::None {
        case.found([OPTIONS], Fault::OptionsWithoutStatic);
    }
    if !config.open(Gate::CPUManagerPolicyOptions, case.release) {
        case.found(["featureGates", "CPUManagerPolicyOptions"], Fault::OptionsGateClosed);
    }
    for (name, value) in given {
        let fault = match PolicyOption::named(name) {
            Some(option) => option_fault(case, option, value),
            None => {
                let mut names = PolicyOption::ALL.into_iter().map(PolicyOption::name);
                let like = names.find(|known| fields::one_apart(known, name));
                Some(Fault::UnknownOption { like })
            }
        };
        if let Some(fault) = fault {
            case.found([OPTIONS, name], fault);
        }
    }
    let options = case.effective.options;
    for exclusion in options.exclusions() {
        case.found([OPTIONS, exclusion.1.name()], Fault::Excluded(exclusion));
    }
    let single = case.effective.topology_policy == TopologyPolicy::SingleNumaNode;
    let unfit = match case.machine.topology {
        Some(topology) => options.fit(topology, single).err(),
        None => (options.align_by_socket && single).then_some(Unfit::SingleNumaNode),
    };
    if let Some(unfit) = unfit {
        case.found([OPTIONS, PolicyOption::AlignBySocket.name()], Fault::Unfit(unfit));
    }
    if options.strict_cpu_reservation && case.effective.cpu_manager_policy == CpuManagerPolicy::Static {
        case.found([OPTIONS, PolicyOption::StrictCpuReservation.name()], Fault::StrictReservation);
    }
}

/// What is wrong with one option, by itself.
fn option_fault(case: &Case<'_>, option: PolicyOption, value: &str) -> Option<Fault> {
    let (release, version) = (case.release, case.release.version());
    let Some(on) = parse_bool(value) else {
        return Some(Fault::OptionValue { found: shown(value) });
    };
    if option.stage(version).is_none() {
        return Some(Fault::LaterOption { since: option.introduced_in(), release });
    }
    let gate = option.gate(version).filter(|&gate| !case.config.open(gate, release))?;
    Some(match on {
        true => Fault::OptionNeedsGate { gate },
        false => Fault::OffNeedsGate { option, gate },
    })
}

/// What holds for the static policy, options or not.
fn fixed(case: &mut Case<'_>) {
    if !case.config.reserves_cpu() {
        case.found([POLICY], Fault::StaticWithoutReserved);
    }
    case.found([POLICY], Fault::StateFile);
    let (config, release) = (case.config, case.release);
    if case.effective.cpu_cfs_quota {
        let gate = Gate::DisableCPUQuotaWithExclusiveCPUs;
        if gate.stage(release.version()).is_none() {
            case.found([POLICY], Fault::QuotaStays { release });
        } else if !config.open(gate, release) {
            case.found(["featureGates", "DisableCPUQuotaWithExclusiveCPUs"], Fault::QuotaKept);
        }
    }
    if config.open(Gate::InPlacePodVerticalScaling, release)
        && !config.open(Gate::InPlacePodVerticalScalingExclusiveCPUs, release)
    {
        case.found([POLICY], Fault::NoResize);
    }
}
