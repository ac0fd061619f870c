//! What spoils a measurement here. Pure: facts in, findings out; how they are said is in `sentence`.
//!
//! A finding is about this machine now. What is a fact about it and spoils nothing (a hypervisor, a container, a clock rate that is not
//! shown) is none.

use std::collections::BTreeMap;

use serde::Serialize;
use workloads::gap;

use super::{Cgroups, Cpus, Doctor, Noise, Sleeps, System};
use crate::study::{VOID_FOREIGN, VOID_STEAL};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Nothing speaks against measuring here.
    Fit,
    /// Measure, and know this when you read the figures.
    Caution,
    /// Figures from here would be void, or there would be none.
    Unfit,
}

/// One thing found, with the numbers that decided.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Finding {
    /// No cgroup can be made.
    NoCgroups {
        /// What the kernel said.
        error: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// This kernel has no quotas.
    NoBandwidth,
    /// This kernel has quotas, but nothing can be saved up.
    NoBurst,
    /// There is nothing to pin a group with.
    NoCpuset,
    /// Our own group, or one above it, may use less than the CPUs that it may run on.
    OwnLimit {
        /// The group whose limit that is.
        path: String,
        /// Its limit.
        limit_cpus: f64,
        /// CPUs that we may run on.
        cpus: usize,
    },
    /// The groups above ours cannot be seen.
    HiddenAbove,
    /// The hypervisor gave the CPUs to somebody else.
    Steal {
        /// Of all CPU time.
        steal_frac: f64,
    },
    /// Others used the CPUs.
    Foreign {
        /// Of all CPU time.
        foreign_frac: f64,
    },
    /// Nothing could run, longer than a frame can wait.
    LongGaps {
        /// How often.
        count: u64,
        /// For how long at most.
        longest_ns: u64,
        /// How many a frame meets on average, at [`FRAMES_PER_SECOND`].
        per_frame: f64,
    },
    /// Time was lost that neither steal nor others' use accounts for.
    Unexplained {
        /// Of the time that was listened for.
        lost_frac: f64,
    },
    /// Who sleeps wakes up late.
    LateSleeps {
        /// One in twenty is later.
        p95_ns: f64,
        /// The latest.
        max_ns: u64,
    },
    /// Nobody listened.
    NotMeasured,
    /// Nobody knows what the hypervisor and others took.
    NotCounted,
    /// Everything shares one CPU.
    FewCpus {
        /// CPUs that we may run on.
        cpus: usize,
    },
    /// Limits are looked after rarely.
    CoarseTick {
        /// Ticks a second.
        tick_hz: u32,
    },
    /// The clock rate follows the load.
    Governor {
        /// How many CPUs have which.
        governors: BTreeMap<String, usize>,
    },
    /// The clock rate follows heat and the other CPUs' load.
    Turbo,
    /// A CPU is half a core.
    Smt,
    /// Reading the time takes long.
    SlowClock {
        /// What it is read from.
        clocksource: Option<String>,
        /// What one reading took.
        read_ns: f64,
    },
}

/// The class from which on a gap makes a frame late all by itself: 10.24 ms. A frame at 60 a second that is encoded in 0.4 of its
/// interval, as calibrated, has 0.6 × 16.7 = 10 ms to spare; this is the class that begins nearest.
pub const SLACK_CLASS: usize = 10;

/// Frames of the usual plan ([`workloads::latency::ClockConfig`]), to the nearest.
pub const FRAMES_PER_SECOND: f64 = 30.0;

/// Gaps beyond a frame's slack that move a p99, a frame: one in a hundred frames is what lies beyond it.
pub const LONG_GAPS_PER_FRAME: f64 = 0.01;

/// Lost time that nobody accounts for: from here on to be known. As much as steal may be ([`VOID_STEAL`]): to a frame it is the same. Timer
/// interrupts are below it: 250 a second of 20 µs are 0.5 %.
pub const UNEXPLAINED: f64 = VOID_STEAL;

/// Lost time that nobody accounts for: from here on too much, since a frame does not care who takes its CPU ([`VOID_FOREIGN`]).
pub const UNEXPLAINED_VOID: f64 = VOID_FOREIGN;

/// Lateness of a sleep that shows in a frame's latency, in ns: 3 % of the interval at 30 frames a second, a fifth of the slice (5 ms) in
/// which quota is handed out.
pub const LATE_SLEEP_NS: f64 = 1e6;

/// Ticks a second below which a limit is looked after too rarely: a group may overrun by a tick on each CPU and period, which at 100 Hz
/// is 10 of the usual 100 ms, and at 250 Hz 4. The reference runs and the model's defaults are 250 Hz.
pub const FINE_TICK_HZ: u32 = 250;

/// What a reading of the clock may take, in ns. From user space it is tens of ns; over a microsecond it is a system call or a device (hpet, acpi_pm),
/// and the frame clock, the samplers and this command's own loop pay it all the time.
pub const SLOW_READ_NS: f64 = 1000.0;

/// `/proc/stat` counts in ticks of USER_HZ, 100 a second wherever we are built for: less than one is no observation.
const COUNTER_STEP_NS: f64 = 1e7;

/// What steal and others' use come to is summed of counters that are each cut to a step; three of them move (user, system, steal).
const ACCOUNT_STEPS: f64 = 3.0;

impl Finding {
    /// How bad it is.
    #[must_use]
    pub fn severity(&self) -> Severity {
        let void_if = |void| if void { Severity::Unfit } else { Severity::Caution };
        match self {
            Self::NoCgroups { .. }
            | Self::NoBandwidth
            | Self::OwnLimit { .. }
            | Self::Steal { .. }
            | Self::Foreign { .. } => Severity::Unfit,
            Self::LongGaps { per_frame, .. } => void_if(*per_frame > LONG_GAPS_PER_FRAME),
            Self::Unexplained { lost_frac } => void_if(*lost_frac > UNEXPLAINED_VOID),
            Self::LateSleeps { p95_ns, .. } => void_if(*p95_ns >= gap::class_from_ns(SLACK_CLASS) as f64),
            Self::NoBurst
            | Self::NoCpuset
            | Self::HiddenAbove
            | Self::NotMeasured
            | Self::NotCounted
            | Self::FewCpus { .. }
            | Self::CoarseTick { .. }
            | Self::Governor { .. }
            | Self::Turbo
            | Self::Smt
            | Self::SlowClock { .. } => Severity::Caution,
        }
    }
}

/// The worst of them.
#[must_use]
pub fn verdict(findings: &[Finding]) -> Severity {
    findings.iter().map(Finding::severity).max().unwrap_or(Severity::Fit)
}

/// Everything that speaks against measuring here, worst first.
#[must_use]
pub fn findings(doctor: &Doctor) -> Vec<Finding> {
    let allowed = doctor.cpus.allowed.as_ref().map(cgtune_core::CpuSet::len);
    let online = doctor.cpus.online.as_ref().map(cgtune_core::CpuSet::len).or(allowed);
    let limited = of_own(&doctor.cgroups, allowed);
    let mut found = of_cgroups(&doctor.cgroups);
    let is_limited = limited.is_some();
    found.extend(limited);
    found.extend(of_noise(doctor.noise.as_ref(), online, is_limited, &doctor.system));
    found.extend(doctor.sleeps.as_ref().and_then(of_sleeps));
    found.extend(of_system(&doctor.system));
    found.extend(of_cpus(&doctor.cpus, allowed));
    // Stable: within a severity they stay in the order of what they say of.
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity()));
    found
}

fn of_cgroups(cgroups: &Cgroups) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(refusal) = &cgroups.refusal {
        found.push(Finding::NoCgroups { error: refusal.error.clone(), hint: refusal.hint.clone() });
    }
    if cgroups.bandwidth == Some(false) {
        found.push(Finding::NoBandwidth);
    }
    if cgroups.bandwidth == Some(true) && cgroups.burst == Some(false) {
        found.push(Finding::NoBurst);
    }
    // Where there is no hierarchy at all, the refusal says so.
    if cgroups.cpu_layout.is_some() && cgroups.cpuset_layout.is_none() {
        found.push(Finding::NoCpuset);
    }
    if cgroups.own.as_ref().is_some_and(|own| !own.sees_root) {
        found.push(Finding::HiddenAbove);
    }
    found
}

/// A limit that is no smaller than the CPUs that we have never throttles.
fn of_own(cgroups: &Cgroups, allowed: Option<usize>) -> Option<Finding> {
    let own = cgroups.own.as_ref()?;
    let (limit_cpus, cpus) = (own.limit_cpus?, allowed?);
    let path = own.limited_by.clone().unwrap_or_else(|| own.path.clone());
    (limit_cpus < cpus as f64).then_some(Finding::OwnLimit { path, limit_cpus, cpus })
}

fn of_noise(noise: Option<&Noise>, online: Option<usize>, limited: bool, system: &System) -> Vec<Finding> {
    let Some(noise) = noise else { return vec![Finding::NotMeasured] };
    let mut found = Vec::new();
    let gaps = noise.gaps();
    let machine_ns = noise.wall_ns as f64 * online.unwrap_or(noise.cpus.len()) as f64;
    let mut accounted_ns = 0.0;
    match &noise.disturbance {
        Some(taken) => {
            let over = |part: f64, bound: f64| part > bound && part * machine_ns > COUNTER_STEP_NS;
            if over(taken.steal, VOID_STEAL) {
                found.push(Finding::Steal { steal_frac: taken.steal });
            }
            if over(taken.foreign, VOID_FOREIGN) {
                found.push(Finding::Foreign { foreign_frac: taken.foreign });
            }
            accounted_ns = (taken.steal + taken.foreign) * machine_ns;
        }
        None => found.push(Finding::NotCounted),
    }
    let long = gaps.count_from(SLACK_CLASS);
    if let Some(longest_ns) = gaps.longest_ns.filter(|_| long > 0) {
        let frames = gaps.elapsed_ns as f64 / 1e9 * FRAMES_PER_SECOND;
        found.push(Finding::LongGaps { count: long, longest_ns, per_frame: long as f64 / frames });
    }
    // Under a limit of our own the throttling is the explanation.
    let unexplained_ns = gaps.lost_ns as f64 - accounted_ns;
    let lost_frac = unexplained_ns / gaps.elapsed_ns as f64;
    if !limited && lost_frac > UNEXPLAINED && unexplained_ns > ACCOUNT_STEPS * COUNTER_STEP_NS {
        found.push(Finding::Unexplained { lost_frac });
    }
    if let Some(read_ns) = gaps.read_ns().filter(|&ns| ns > SLOW_READ_NS) {
        found.push(Finding::SlowClock { clocksource: system.clocksource.clone(), read_ns });
    }
    found
}

fn of_sleeps(sleeps: &Sleeps) -> Option<Finding> {
    let &Sleeps { p95_ns, max_ns, .. } = sleeps;
    (p95_ns > LATE_SLEEP_NS).then_some(Finding::LateSleeps { p95_ns, max_ns })
}

fn of_system(system: &System) -> Option<Finding> {
    system.tick_hz.filter(|&hz| hz < FINE_TICK_HZ).map(|tick_hz| Finding::CoarseTick { tick_hz })
}

fn of_cpus(cpus: &Cpus, allowed: Option<usize>) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(cpus) = allowed.filter(|&cpus| cpus < 2) {
        found.push(Finding::FewCpus { cpus });
    }
    if cpus.governors.keys().any(|governor| governor != "performance") {
        found.push(Finding::Governor { governors: cpus.governors.clone() });
    }
    if cpus.turbo == Some(true) {
        found.push(Finding::Turbo);
    }
    if cpus.smt_active == Some(true) {
        found.push(Finding::Smt);
    }
    found
}
