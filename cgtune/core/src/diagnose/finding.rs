//! A finding: a cause, what it costs, the numbers that decided it, and what would help.

use serde::Serialize;

use super::{Cause, Expiry, remedy::Remedy};
use crate::{Micros, ObservedShare};

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Little was seen.
    Low,
    /// Inferred from two signals, or from few events.
    Medium,
    /// The deciding counter is there.
    High,
}

/// One cause and what it costs.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The cause.
    pub cause: Cause,
    /// Time that threads stood still for it, in ms per second of wall time, summed over CPUs: may exceed 1000. `None`: not
    /// known.
    pub stall_ms_per_s: Option<f64>,
    /// How sure it is.
    pub confidence: Confidence,
    /// What decided it.
    pub evidence: Evidence,
    /// What would help, the best first.
    pub remedies: Vec<Remedy>,
}

/// The numbers that decided.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum Evidence {
    /// Of a group whose own quota runs out.
    Quota(QuotaEvidence),
    /// Of a group whose ancestor's quota runs out.
    Above(AboveEvidence),
    /// Of a group that waits for a CPU.
    Waiting(WaitingEvidence),
    /// Of a group that has nothing worth acting on.
    Quiet(QuietEvidence),
    /// Of a group that cannot be judged.
    Missing(MissingEvidence),
}

/// A group's own quota and how it runs out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuotaEvidence {
    /// Quota over period.
    pub limit_cpus: f64,
    /// The quota.
    pub quota_us: Micros,
    /// The period.
    pub period_us: Micros,
    /// The burst; `None`: this kernel has none.
    pub burst_us: Option<Micros>,
    /// CPUs used on average.
    pub used_cpus: f64,
    /// The same over the limit.
    pub used_of_limit_ratio: f64,
    /// Active periods that ended.
    pub nr_periods: u64,
    /// Those that ended throttled.
    pub nr_throttled: u64,
    /// The part of the quota that throttled periods had used; clearly below 1: the rest lay on other CPUs.
    pub used_when_throttled_ratio: Option<f64>,
    /// Runs of throttled periods that belong to this cause.
    pub episodes: u64,
    /// CPU time that came together in the typical one.
    pub together_us: Option<Micros>,
    /// Periods that the longest lasted.
    pub longest_periods: u64,
    /// Threads that wanted to run at once, typically. `None`: not seen.
    pub threads_wanting: Option<u32>,
    /// CPUs that it may run on.
    pub cpus: Option<usize>,
    /// CPUs of the machine.
    pub online_cpus: Option<usize>,
    /// What a probe said of the kernel. `None`: nobody asked for one.
    pub kernel_expiry: Option<Expiry>,
}

/// A quota above the group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AboveEvidence {
    /// How many levels up; 1 is the parent.
    pub levels_up: usize,
    /// Its quota over its period.
    pub limit_cpus: f64,
    /// CPUs that it used, with all that is in it.
    pub used_cpus: Option<f64>,
    /// CPUs that others in it used.
    pub siblings_cpus: Option<f64>,
    /// Its periods that ended.
    pub nr_periods: u64,
    /// Those that ended throttled.
    pub nr_throttled: u64,
    /// The group's own limit; `None`: it has none.
    pub own_limit_cpus: Option<f64>,
    /// Its own periods that ended throttled. `None`: it has no such counter.
    pub own_nr_throttled: Option<u64>,
    /// Where the time comes from.
    pub measured_by: MeasuredBy,
}

/// Where the time that a group above takes comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum MeasuredBy {
    /// The kernel counts it (6.6+).
    #[serde(rename = "cpu.stat.local")]
    Local,
    /// What was throttled above, no more than the threads waited.
    #[serde(rename = "run delay")]
    RunDelay,
    /// What was throttled above, whoever waited.
    #[serde(rename = "the ancestor's throttled time")]
    Above,
}

/// Waiting for a CPU.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WaitingEvidence {
    /// Run delay of its threads outside throttling, in ms per second, summed over threads. `None`: the threads could not be
    /// read.
    pub run_delay_ms_per_s: Option<f64>,
    /// Part of the time in which some task waited, throttled time included (PSI). `None`: not counted.
    pub pressure_some_ratio: Option<f64>,
    /// CPUs that it used.
    pub used_cpus: Option<f64>,
    /// CPUs that others used meanwhile.
    pub others_cpus: Option<f64>,
    /// CPUs that the hypervisor withheld.
    pub steal_cpus: Option<f64>,
    /// CPUs that it may run on.
    pub cpus: Option<usize>,
    /// CPUs of the machine.
    pub online_cpus: Option<usize>,
    /// Its weight.
    #[serde(skip)]
    pub share: Option<ObservedShare>,
    /// How many levels up `cpu.idle` is set; 0 is the group itself.
    pub idle_levels_up: Option<usize>,
    /// Threads in SCHED_IDLE, of those that were looked at.
    pub idle_threads: Option<u64>,
    /// Threads.
    pub threads: Option<u64>,
    /// Who used most of the CPU beside it.
    pub neighbours: Vec<NeighbourEvidence>,
}

/// One that used CPU beside the group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NeighbourEvidence {
    /// Its path, escaped.
    pub path: String,
    /// CPUs that it used.
    pub used_cpus: f64,
    /// CPUs that both may run on. `None`: not known.
    pub shared_cpus: Option<usize>,
    /// Its weight.
    #[serde(skip)]
    pub share: Option<ObservedShare>,
}

/// Nothing worth acting on, and what there was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QuietEvidence {
    /// CPUs used on average.
    pub used_cpus: Option<f64>,
    /// The smallest limit up the tree.
    pub limit_cpus: Option<f64>,
    /// Active periods that ended.
    pub nr_periods: Option<u64>,
    /// Those that ended throttled.
    pub nr_throttled: Option<u64>,
    /// Throttled time, in ms per second.
    pub throttled_ms_per_s: Option<f64>,
    /// Run delay outside throttling, in ms per second.
    pub run_delay_ms_per_s: Option<f64>,
    /// Part of the time in which some task waited, throttled time included (PSI). `None`: not counted.
    pub pressure_some_ratio: Option<f64>,
}

/// What would be needed to tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MissingEvidence {
    /// Counters and files that are not there, or make no sense.
    pub missing: Vec<String>,
}
