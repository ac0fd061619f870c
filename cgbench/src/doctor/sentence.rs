//! How a finding is said, and what to do about it.

use std::fmt;

use cgtune_core::text::Escaped;

use super::{
    Finding, Severity,
    finding::{FINE_TICK_HZ, FRAMES_PER_SECOND, SLACK_CLASS, UNEXPLAINED},
    span::Span,
};
use crate::{
    study::{VOID_FOREIGN, VOID_STEAL},
    summary::figures::{bound, counted, percent},
};

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fit => "fit",
            Self::Caution => "caution",
            Self::Unfit => "unfit",
        })
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shown only")]
fn span(ns: f64) -> Span {
    Span(ns.max(0.0).round() as u64)
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCgroups { error, .. } => {
                write!(f, "no policy can be put in force: {}", Escaped(error.as_bytes()))
            }
            Self::NoBandwidth => f.write_str("this kernel has no quotas (CONFIG_CFS_BANDWIDTH)"),
            Self::NoBurst => f.write_str("this kernel has no burst (Linux 5.14), so those policies are left out"),
            Self::NoCpuset => f.write_str("there is no cpuset controller, so the pinned policies are left out"),
            Self::OwnLimit { path, limit_cpus, cpus } => write!(
                f,
                "we are limited ourselves: {} may use {limit_cpus:.2} of our {}, and throttles whatever is measured inside",
                Escaped(path.as_bytes()),
                counted(*cpus as u64, "CPU")
            ),
            Self::HiddenAbove => {
                f.write_str("the cgroups above ours cannot be seen: a limit there would look like a stall of what is measured")
            }
            Self::Steal { steal_frac } => write!(
                f,
                "the hypervisor took {} of the CPU time (steal); over {} a block is void",
                percent(*steal_frac),
                bound(VOID_STEAL)
            ),
            Self::Foreign { foreign_frac } => write!(
                f,
                "others used {} of the CPU time; over {} a block is void",
                percent(*foreign_frac),
                bound(VOID_FOREIGN)
            ),
            Self::LongGaps { count, longest_ns, per_frame } => write!(
                f,
                "{} of {} or more, the longest {}: each makes a frame late, whatever the policy, and at {FRAMES_PER_SECOND} frames a \
                 second {} of them would meet one",
                counted(*count, "gap"),
                Span(workloads::gap::class_from_ns(SLACK_CLASS)),
                Span(*longest_ns),
                percent(per_frame.min(1.0))
            ),
            Self::Unexplained { lost_frac } => write!(
                f,
                "{} of the time was lost to what neither steal nor others' use accounts for (over {})",
                percent(*lost_frac),
                bound(UNEXPLAINED)
            ),
            Self::LateSleeps { p95_ns, max_ns } => write!(
                f,
                "who sleeps wakes up late: one sleep in twenty by {} or more, the latest by {}",
                span(*p95_ns),
                Span(*max_ns)
            ),
            Self::NotMeasured => f.write_str("nobody listened for noise, so nothing is known of it"),
            Self::NotCounted => f.write_str("what the hypervisor and others take cannot be read (/proc/stat)"),
            Self::FewCpus { cpus } => {
                write!(f, "there is only {} for the load, its neighbour and us", counted(*cpus as u64, "CPU"))
            }
            Self::CoarseTick { tick_hz } => write!(
                f,
                "this kernel ticks {tick_hz} times a second: a group may overrun its quota by {} on each CPU and period",
                Span(1_000_000_000 / u64::from((*tick_hz).max(1)))
            ),
            Self::Governor { governors } => {
                let all = governors.iter().map(|(name, cpus)| {
                    format!("{} on {}", Escaped(name.as_bytes()), counted(*cpus as u64, "CPU"))
                });
                let all: Vec<_> = all.collect();
                write!(f, "the clock rate follows the load: governor {}", all.join(", "))
            }
            Self::Turbo => f.write_str("the clock rate rises above the rated one while there is room (turbo), and falls when others are busy"),
            Self::Smt => f.write_str("cores run two threads each (SMT): what one CPU does slows another"),
            Self::SlowClock { clocksource, read_ns } => write!(
                f,
                "reading the time takes {} ({})",
                span(*read_ns),
                clocksource.as_ref().map_or_else(
                    || "clocksource not known".to_owned(),
                    |name| format!("clocksource {}", Escaped(name.as_bytes()))
                )
            ),
        }
    }
}

impl Finding {
    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::NoCgroups { hint, .. } => {
                let model = "cgbench run --backend sim works everywhere, and says that it is SIMULATED";
                hint.as_ref().map_or_else(|| model.to_owned(), |hint| format!("{hint}; {model}"))
            }
            Self::NoBandwidth => "use a kernel with CONFIG_CFS_BANDWIDTH; distributions' have it".to_owned(),
            Self::NoBurst => "use Linux 5.14 or newer, if burst is what you want to know about".to_owned(),
            Self::NoCpuset => {
                "v1: mount -t cgroup -o cpuset …; v2: have cpuset delegated (Delegate=cpu cpuset)".to_owned()
            }
            Self::OwnLimit { .. } => {
                "take the limit off (cgtune apply, --quota max), or start from a group without one".to_owned()
            }
            Self::HiddenAbove => "run on the node rather than in a container; or be sure that there is no limit above".to_owned(),
            Self::Steal { .. } => {
                "use a machine whose CPUs are its own (dedicated, not shared or burstable), or come back at another hour; more \
                 repetitions do not help"
                    .to_owned()
            }
            Self::Foreign { .. } => "end it, or wait for it to end: cgtune top or top says who it is".to_owned(),
            Self::LongGaps { .. } => {
                "look again for longer (--for 30s). Gaps without steal or other load are the host's or the firmware's: another machine"
                    .to_owned()
            }
            Self::Unexplained { .. } => {
                "a host that does not tell of steal, interrupts (/proc/interrupts), or the firmware: compare policies within one run \
                 only, or use another machine"
                    .to_owned()
            }
            Self::LateSleeps { .. } => {
                "leave the CPUs awake while measuring, as cgbench run does unless --let-sleep; on a machine of your own forbid deep \
                 sleep states"
                    .to_owned()
            }
            Self::NotMeasured => "let it finish".to_owned(),
            Self::NotCounted => "run where the kernel's own /proc/stat can be read".to_owned(),
            Self::FewCpus { .. } => {
                "give it two CPUs or more; the pinned policies need one more than the encoder has threads".to_owned()
            }
            Self::CoarseTick { .. } => format!(
                "use a kernel with CONFIG_HZ={FINE_TICK_HZ} or more; the model takes this one's with cgbench agree --hz"
            ),
            Self::Governor { .. } => {
                "as root: echo performance | tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor".to_owned()
            }
            Self::Turbo => "as root: echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo, or echo 0 > \
                 /sys/devices/system/cpu/cpufreq/boost"
                .to_owned(),
            Self::Smt => {
                "as root: echo off > /sys/devices/system/cpu/smt/control; or read the noisy neighbour's figures with that in mind"
                    .to_owned()
            }
            Self::SlowClock { .. } => {
                "find out why the kernel gave up its fast clock (dmesg | grep -i clocksource); available ones: \
                 /sys/devices/system/clocksource/clocksource0/available_clocksource"
                    .to_owned()
            }
        }
    }
}
