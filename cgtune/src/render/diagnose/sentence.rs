//! Evidence as a sentence: what was seen, with the numbers that decided.

use cgtune_core::diagnose::{
    Cause, Expiry, Finding,
    finding::{AboveEvidence, Evidence, QuietEvidence, QuotaEvidence, WaitingEvidence},
};

/// What was seen.
pub(crate) fn of(finding: &Finding) -> String {
    match &finding.evidence {
        Evidence::Quota(evidence) => quota(finding.cause, evidence),
        Evidence::Above(evidence) => above(evidence),
        Evidence::Waiting(evidence) => waiting(finding.cause, evidence),
        Evidence::Quiet(evidence) => quiet(evidence),
        Evidence::Missing(evidence) => format!("To tell, this is missing: {}.", evidence.missing.join("; ")),
        _ => String::new(),
    }
}

fn quota(cause: Cause, evidence: &QuotaEvidence) -> String {
    let QuotaEvidence { limit_cpus, used_cpus, nr_periods, nr_throttled, quota_us, period_us, .. } = evidence;
    let percent = evidence.used_of_limit_ratio * 100.0;
    let ran_out = format!(
        "Its quota of {quota_us} every {period_us} ran out in {nr_throttled} of {nr_periods} active periods"
    );
    let average = format!("it used {used_cpus:.2} CPUs, {percent:.0} % of its limit of {limit_cpus:.2}");
    let together = evidence
        .together_us
        .map(|us| format!("{:.0} ms of work came together, typically", us.get() as f64 / 1e3))
        .unwrap_or_default();
    match cause {
        Cause::SustainedDemand => format!(
            "{ran_out}, up to {} in a row: {average}, and what it wanted would not have fitted into a burst or a longer period either.",
            evidence.longest_periods
        ),
        Cause::ShortBursts => format!("{ran_out}, although on average {average}: {together}."),
        Cause::TooManyThreads => format!(
            "{ran_out}, although on average {average}: {} threads wanted to run at once and used it up together ({together}).",
            evidence.threads_wanting.map_or_else(|| "several".to_owned(), |n| n.to_string())
        ),
        Cause::PinnedAndLimited => format!(
            "{ran_out}. It is held to {} of {} CPUs, which is about what the limit of {limit_cpus:.2} gives: the quota adds nothing but stalls; {average}.",
            number(evidence.cpus),
            number(evidence.online_cpus)
        ),
        Cause::QuotaTooSmall | Cause::KernelExpiryBug => {
            let used = evidence.used_when_throttled_ratio.map_or_else(String::new, |part| {
                format!(" Throttled periods had used {:.0} % of the quota, typically.", part * 100.0)
            });
            let kernel = match (cause, evidence.kernel_expiry) {
                (Cause::KernelExpiryBug, Some(Expiry::Expires)) => {
                    "The kernel hands the quota out in slices of 5 ms to each CPU, and this one takes back what a CPU has not used when the period ends (tried here)."
                }
                (Cause::KernelExpiryBug, _) => {
                    "The kernel hands the quota out in slices of 5 ms to each CPU, and one of this version may take back what a CPU has not used when the period ends: --probe-kernel tries it."
                }
                _ => "The kernel hands the quota out in slices of 5 ms to each CPU and checks it at ticks.",
            };
            format!("{ran_out}; {average}. {kernel}{used}")
        }
        _ => format!("{ran_out}; {average}."),
    }
}

fn above(evidence: &AboveEvidence) -> String {
    let AboveEvidence { limit_cpus, nr_periods, nr_throttled, levels_up, .. } = evidence;
    let who = match levels_up {
        1 => "The group above".to_owned(),
        n => format!("The group {n} levels above"),
    };
    let used = evidence.used_cpus.map_or_else(String::new, |used| {
        let others = evidence.siblings_cpus.filter(|&others| others >= 0.01);
        let others =
            others.map_or_else(String::new, |others| format!(", {others:.2} of them by others in it"));
        format!(" {used:.2} CPUs were used there{others}.")
    });
    let own = match (evidence.own_limit_cpus, evidence.own_nr_throttled) {
        (Some(limit), Some(0)) => format!(" The group's own limit of {limit:.2} never ran out."),
        (Some(limit), Some(n)) => format!(" The group's own limit of {limit:.2} ran out in {n} periods."),
        _ => " The group itself has no limit.".to_owned(),
    };
    format!(
        "{who} has a limit of {limit_cpus:.2} CPUs, and it ran out in {nr_throttled} of {nr_periods} active periods.{used}{own}"
    )
}

fn waiting(cause: Cause, evidence: &WaitingEvidence) -> String {
    let mut text = match (evidence.run_delay_ms_per_s, evidence.pressure_some_ratio) {
        (None, Some(some)) => format!(
            "Some task of it waited for a CPU in {:.0} % of the time (PSI; its threads cannot be read)",
            some * 100.0
        ),
        (waited, _) => format!(
            "Its threads could have run and waited for a CPU {:.0} ms per second, not throttled",
            waited.unwrap_or(0.0)
        ),
    };
    if let Some(used) = evidence.used_cpus {
        text += &format!("; it used {used:.2} CPUs");
    }
    if let Some(others) = evidence.others_cpus {
        text += &format!(", others {others:.2}");
    }
    if let Some(steal) = evidence.steal_cpus.filter(|&steal| steal >= 0.01) {
        text += &format!(", and the hypervisor withheld {steal:.2}");
    }
    text += ".";
    if let Some((cpus, online)) = evidence.cpus.zip(evidence.online_cpus)
        && cpus < online
    {
        text += &format!(" It may run on {cpus} of {online} CPUs.");
    }
    if cause == Cause::IdleClass {
        text += &match evidence.idle_levels_up {
            Some(0) => " It has cpu.idle, so it runs only when nobody else would.".to_owned(),
            Some(1) => " The group above has cpu.idle, so it runs only when nobody else would.".to_owned(),
            Some(n) => {
                format!(" The group {n} levels above has cpu.idle, so it runs only when nobody else would.")
            }
            None => " Its threads are in SCHED_IDLE, so they run only when nobody else would.".to_owned(),
        };
    }
    let busiest: Vec<String> = evidence
        .neighbours
        .iter()
        .filter(|neighbour| neighbour.used_cpus >= 0.01)
        .map(|neighbour| {
            let shared =
                neighbour.shared_cpus.filter(|&shared| evidence.cpus.is_some_and(|own| shared < own));
            let shared = shared.map_or_else(String::new, |shared| format!("; shares {shared} with it"));
            format!("{} ({:.2} CPUs{shared})", neighbour.path, neighbour.used_cpus)
        })
        .collect();
    if !busiest.is_empty() {
        text += &format!(" Busiest beside it: {}.", busiest.join(", "));
    }
    text
}

fn quiet(evidence: &QuietEvidence) -> String {
    let mut parts = Vec::new();
    if let Some(used) = evidence.used_cpus {
        parts.push(match evidence.limit_cpus {
            Some(limit) => format!("it used {used:.2} CPUs of {limit:.2}"),
            None => format!("it used {used:.2} CPUs, under no limit"),
        });
    }
    if let Some((throttled, periods)) = evidence.nr_throttled.zip(evidence.nr_periods).filter(|&(_, n)| n > 0)
    {
        let stall = evidence.throttled_ms_per_s.unwrap_or(0.0);
        parts.push(format!(
            "{throttled} of {periods} active periods were throttled, {stall:.1} ms per second"
        ));
    }
    if let (None, Some(some)) = (evidence.run_delay_ms_per_s, evidence.pressure_some_ratio) {
        parts.push(format!("some task of it waited for a CPU in {:.1} % of the time", some * 100.0));
    }
    if let Some(waited) = evidence.run_delay_ms_per_s {
        parts.push(format!("its threads waited {waited:.1} ms per second for a CPU"));
    }
    let mut text = parts.join("; ");
    if let Some(first) = text.get(..1) {
        text = format!("{}{}.", first.to_uppercase(), &text[1..]);
    }
    text
}

fn number(value: Option<usize>) -> String {
    value.map_or_else(|| "?".to_owned(), |value| value.to_string())
}
