//! Whether what was meant to happen did, by the kernel's counters. A judge is not blamed for a situation that a noisy machine
//! kept from coming about.

use super::{Cause, Scenario, measured::Measured};

/// A stall that hurts, in milliseconds a second.
const ILL: f64 = 20.0;
/// One that does not.
const WELL: f64 = 4.0;
/// What others may use in all, in CPUs: more would be one more cause. To keep a hog waiting takes less.
const FOREIGN: f64 = 0.3;
const FOREIGN_TO_HEALTHY: f64 = 0.15;
/// What the hypervisor may take, in CPUs.
const STOLEN: f64 = 0.1;

/// What was not as meant; empty: it came about.
pub(crate) fn amiss(scenario: Scenario, measured: &Measured) -> Vec<String> {
    let mut amiss = Vec::new();
    let mut must = |holds: bool, what: String| {
        if !holds {
            amiss.push(what);
        }
    };
    let (own, above) = (measured.own().stall_ms_per_s, measured.stall_above());
    let (delay, used) = (measured.run_delay_ms_per_s, measured.usage_over_limit());
    let mut stalls = |is: f64, whose: &str| {
        must(is >= ILL, format!("{whose} stall is {is:.1} ms/s, meant {ILL} or more"));
    };
    match scenario.cause() {
        // Where the pod has the same quota either may throttle first.
        Cause::SustainedDemand
        | Cause::ShortBursts
        | Cause::TooManyThreads
        | Cause::PinnedAndLimited
        | Cause::QuotaTooSmall => stalls(own.max(above), "its"),
        Cause::AncestorLimit => {
            stalls(above, "the ancestor's");
            stalls(delay, "its waiting");
            must(own == 0.0, format!("its own quota stalls it, {own:.1} ms/s"));
        }
        Cause::Starved | Cause::IdleClass => {
            must(delay >= 5.0 * ILL, format!("it waits {delay:.1} ms/s, meant {} or more", 5.0 * ILL));
            must(own.max(above) == 0.0, format!("a quota stalls it, {:.1} ms/s", own.max(above)));
        }
        Cause::Healthy => {
            must(own.max(above) <= WELL, format!("it stalls {:.1} ms/s", own.max(above)));
        }
        Cause::KernelExpiryBug | Cause::Unknown => must(false, "this cannot be made".to_owned()),
    }
    match (scenario.cause(), used) {
        (Cause::ShortBursts | Cause::TooManyThreads | Cause::QuotaTooSmall, Some(used)) => {
            must(used <= 0.8, format!("it uses {used:.2} of its limit, meant 0.8 or less"));
        }
        (Cause::SustainedDemand, Some(used)) => {
            must(used >= 0.5, format!("it uses {used:.2} of its limit, meant 0.5 or more"));
        }
        _ => {}
    }
    amiss.extend(disturbed(scenario, measured));
    amiss
}

/// What others did to it.
pub(crate) fn disturbed(scenario: Scenario, measured: &Measured) -> Vec<String> {
    let mut amiss = Vec::new();
    let mut must = |holds: bool, what: String| {
        if !holds {
            amiss.push(what);
        }
    };
    let foreign = measured.foreign_cpus;
    let healthy = scenario.cause() == Cause::Healthy;
    let most = if healthy { FOREIGN_TO_HEALTHY } else { FOREIGN };
    must(foreign <= most, format!("others used {foreign:.2} CPUs, meant {most} or less"));
    must(measured.stolen_cpus <= STOLEN, format!("the hypervisor took {:.2} CPUs", measured.stolen_cpus));
    amiss
}
