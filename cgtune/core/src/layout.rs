//! cgroup v1 and v2 as two rows of a table: which file holds a knob, and how a value is written there.
//!
//! Callers ask a [`Layout`] for a file or look at [`Capabilities`]; they never ask for a version number.

use serde::{Deserialize, Serialize};

use crate::plan::Write;

/// The controllers that matter here. On v1 each may be mounted apart, so detection is per controller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Controller {
    /// Weights and bandwidth.
    Cpu,
    /// Usage on v1. On v2 usage is in the cpu controller's `cpu.stat`.
    Cpuacct,
    /// CPUs and memory nodes.
    Cpuset,
}

impl Controller {
    /// All of them, `cpu` first.
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Cpuacct, Self::Cpuset];

    /// The kernel's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cpuacct => "cpuacct",
            Self::Cpuset => "cpuset",
        }
    }
}

impl std::fmt::Display for Controller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// One thing a cgroup file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Knob {
    /// Relative weight: `cpu.shares` or `cpu.weight`.
    Share,
    /// Quota. On v2 the same file as [`Knob::Period`].
    Quota,
    /// Period.
    Period,
    /// Burst.
    Burst,
    /// `cpu.idle`: the group runs only when nobody else would.
    Idle,
    /// CPUs asked for.
    Cpus,
    /// Memory nodes asked for.
    Mems,
    /// CPUs in force.
    EffectiveCpus,
    /// Bandwidth counters (and usage on v2).
    Stat,
    /// Throttled time of the group for whatever reason, an ancestor's quota included (6.6+).
    StatLocal,
    /// Total CPU time of the group and its descendants.
    Usage,
    /// Pressure stall information.
    Pressure,
}

/// File names and formats of one cgroup version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// cgroup v1 (Documentation/admin-guide/cgroup-v1, Documentation/scheduler/sched-bwc.rst).
    V1,
    /// cgroup v2 (Documentation/admin-guide/cgroup-v2.rst).
    V2,
}

impl Layout {
    /// The file that holds a knob and the controller it belongs to, or `None` where this layout has no such file.
    #[must_use]
    pub const fn file(self, knob: Knob) -> Option<(Controller, &'static str)> {
        use Controller::{Cpu, Cpuacct, Cpuset};
        Some(match (self, knob) {
            (Self::V1, Knob::Share) => (Cpu, "cpu.shares"),
            (Self::V2, Knob::Share) => (Cpu, "cpu.weight"),
            (Self::V1, Knob::Quota) => (Cpu, "cpu.cfs_quota_us"),
            (Self::V1, Knob::Period) => (Cpu, "cpu.cfs_period_us"),
            (Self::V2, Knob::Quota | Knob::Period) => (Cpu, "cpu.max"),
            (Self::V1, Knob::Burst) => (Cpu, "cpu.cfs_burst_us"),
            (Self::V2, Knob::Burst) => (Cpu, "cpu.max.burst"),
            (_, Knob::Idle) => (Cpu, "cpu.idle"),
            (_, Knob::Cpus) => (Cpuset, "cpuset.cpus"),
            (_, Knob::Mems) => (Cpuset, "cpuset.mems"),
            (Self::V1, Knob::EffectiveCpus) => (Cpuset, "cpuset.effective_cpus"),
            (Self::V2, Knob::EffectiveCpus) => (Cpuset, "cpuset.cpus.effective"),
            (_, Knob::Stat) => (Cpu, "cpu.stat"),
            (_, Knob::StatLocal) => (Cpu, "cpu.stat.local"),
            (Self::V1, Knob::Usage) => (Cpuacct, "cpuacct.usage"),
            (Self::V2, Knob::Usage) => (Cpu, "cpu.stat"),
            (Self::V2, Knob::Pressure) => (Cpu, "cpu.pressure"),
            (Self::V1, Knob::Pressure) => return None,
        })
    }

    /// Whether quota and period share one file and so change in one write.
    #[must_use]
    pub const fn joint_quota_and_period(self) -> bool {
        matches!(self, Self::V2)
    }

    /// Whether the kernel refuses a group whose ratio of quota to period is above its parent's or below a
    /// child's (v1: EINVAL both ways; v2 allows any, the smallest on the path rules).
    /// Source: `tg_cfs_schedulable_down`, kernel/sched/core.c, 6.12.
    #[must_use]
    pub const fn checks_hierarchy(self) -> bool {
        matches!(self, Self::V1)
    }

    /// The file a write goes to and the text it carries. `None`: this layout has no file for it, or takes it only
    /// in another form (quota and period apart on v2, together on v1; shares on v2, weight on v1).
    ///
    /// Numbers are plain decimals: v1 reads a leading 0 as octal. An empty list is a newline, because a write of
    /// zero bytes never reaches the kernel's handler.
    #[must_use]
    pub fn encode(self, write: &Write) -> Option<(Controller, &'static str, String)> {
        let quota_v1 =
            |quota: crate::Quota| quota.limited().map_or_else(|| "-1".to_owned(), |q| q.get().to_string());
        let (knob, text) = match (self, write) {
            (Self::V1, Write::Quota(quota)) => (Knob::Quota, quota_v1(*quota)),
            (Self::V1, Write::Period(period)) => (Knob::Period, period.get().to_string()),
            (Self::V2, Write::Max { quota, period }) => {
                (Knob::Quota, crate::parse::cpu_max::format(*quota, *period))
            }
            (_, Write::Burst(burst)) => (Knob::Burst, burst.get().to_string()),
            (Self::V1, Write::Share(crate::Share::Shares(shares))) => (Knob::Share, shares.get().to_string()),
            (Self::V2, Write::Share(crate::Share::Weight(weight))) => (Knob::Share, weight.get().to_string()),
            (_, Write::Idle(idle)) => (Knob::Idle, u8::from(*idle).to_string()),
            (_, Write::Cpus(cpus)) => (Knob::Cpus, format!("{cpus}\n")),
            (_, Write::Mems(mems)) => (Knob::Mems, format!("{mems}\n")),
            _ => return None,
        };
        self.file(knob).map(|(controller, file)| (controller, file, text))
    }
}

impl Layout {
    /// What the file of a write holds in a state, in the same form as the text that is written.
    #[must_use]
    pub fn shown(self, write: &Write, state: &crate::Observed) -> Option<String> {
        let text = |write: &Write| self.encode(write).map(|(.., text)| text);
        let bandwidth = state.bandwidth;
        match write {
            Write::Quota(_) => text(&Write::Quota(bandwidth?.quota)),
            Write::Period(_) => text(&Write::Period(bandwidth?.period)),
            Write::Max { .. } => text(&Write::Max { quota: bandwidth?.quota, period: bandwidth?.period }),
            Write::Burst(_) => text(&Write::Burst(bandwidth?.burst?)),
            // Not through a share of ours: an idle group shows one that nobody may write.
            Write::Share(_) => state.share.map(|share| match share {
                crate::ObservedShare::Shares(n) | crate::ObservedShare::Weight(n) => n.to_string(),
            }),
            Write::Idle(_) => text(&Write::Idle(state.idle?)),
            Write::Cpus(_) => text(&Write::Cpus(state.cpus.clone()?)),
            Write::Mems(_) => text(&Write::Mems(state.mems.clone()?)),
        }
    }
}

/// What one cgroup on one kernel offers, found by looking, not by version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is one independent fact about the kernel")]
pub struct Capabilities {
    /// File names and formats of the cpu controller.
    pub cpu: Layout,
    /// Those of the cpuset controller, which a hybrid host may keep elsewhere. `None`: no cpuset here.
    pub cpuset: Option<Layout>,
    /// Whether quota, period and counters are here: not on a v2 root or under CONFIG_CFS_BANDWIDTH=n.
    pub bandwidth: bool,
    /// Whether the burst file is here (5.14+, or a vendor's backport).
    pub burst: bool,
    /// Whether `cpu.stat` counts bursts. A kernel may have burst without counting it.
    pub burst_counters: bool,
    /// Whether pressure stall information can be read: the file may exist and yet fail without `psi=1`.
    pub pressure: bool,
    /// Whether `cpu.stat.local` is here (6.6+).
    pub stat_local: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CpuSet, Micros, Quota, Share, Shares, Weight};

    #[test]
    fn writes_are_encoded_as_plain_decimals_for_their_layout() {
        let encode = |layout: Layout, write| layout.encode(&write).map(|(_, file, text)| (file, text));
        let quota = Quota::Limited(Micros::new(50_000));
        assert_eq!(encode(Layout::V1, Write::Quota(quota)), Some(("cpu.cfs_quota_us", "50000".into())));
        assert_eq!(
            encode(Layout::V1, Write::Quota(Quota::Unlimited)),
            Some(("cpu.cfs_quota_us", "-1".into()))
        );
        let max = Write::Max { quota, period: Micros::new(20_000) };
        assert_eq!(encode(Layout::V2, max.clone()), Some(("cpu.max", "50000 20000".into())));
        assert_eq!(encode(Layout::V1, max), None);
        assert_eq!(encode(Layout::V2, Write::Quota(quota)), None);
    }

    #[test]
    fn an_empty_list_is_a_newline_because_zero_bytes_reach_nothing() {
        assert_eq!(Layout::V1.encode(&Write::Cpus(CpuSet::new())).map(|(.., text)| text), Some("\n".into()));
    }

    #[test]
    fn shares_and_weight_are_never_converted_in_silence() {
        assert_eq!(Layout::V2.encode(&Write::Share(Share::Shares(Shares::MIN))), None);
        assert_eq!(Layout::V1.encode(&Write::Share(Share::Weight(Weight::MIN))), None);
    }
}
