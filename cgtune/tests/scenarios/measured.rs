//! What the kernel's counters say of the watched group while somebody judges it: deltas between two readings.

use std::{collections::BTreeMap, fs};

use anyhow::Context as _;
use cgtune_core::{CpuControl as _, Interval, Layout, Snapshot};
use cgtune_sys::{
    HostRoot, clock,
    facts::{self, MachineTime},
    members,
};

use super::stage::Stage;

/// One level of the tree: the watched group, or one above it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Level {
    /// Its limit in CPUs; `None`: no quota.
    pub(crate) limit_cpus: Option<f64>,
    /// CPUs used, descendants included.
    pub(crate) usage_cpus: f64,
    pub(crate) nr_periods: u64,
    pub(crate) nr_throttled: u64,
    /// Time throttled by its own quota, over wall time, summed over CPUs.
    pub(crate) stall_ms_per_s: f64,
}

impl Level {
    /// Throttled periods of those in which it was active.
    pub(crate) fn throttled_ratio(&self) -> Option<f64> {
        (self.nr_periods > 0).then(|| self.nr_throttled as f64 / self.nr_periods as f64)
    }
}

/// A watch, in numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measured {
    pub(crate) wall_s: f64,
    /// The watched group first, then those above it that are ours.
    pub(crate) levels: Vec<Level>,
    /// Time that its threads were ready and did not run, for whatever reason, over wall time.
    pub(crate) run_delay_ms_per_s: f64,
    /// CPUs used by whoever has nothing to do with the situation.
    pub(crate) foreign_cpus: f64,
    /// CPUs that the hypervisor gave to somebody else.
    pub(crate) stolen_cpus: f64,
}

impl Measured {
    pub(crate) fn own(&self) -> &Level {
        &self.levels[0]
    }

    /// The largest stall of a level above.
    pub(crate) fn stall_above(&self) -> f64 {
        self.levels[1..].iter().map(|level| level.stall_ms_per_s).fold(0.0, f64::max)
    }

    /// What was used of the lowest limit on the way up.
    pub(crate) fn usage_over_limit(&self) -> Option<f64> {
        let over = |level: &Level| Some(level.usage_cpus / level.limit_cpus?);
        self.levels.iter().filter_map(over).max_by(f64::total_cmp)
    }
}

/// The first of two readings.
#[derive(Debug)]
pub(crate) struct Watch {
    levels: Vec<Snapshot>,
    tops: Vec<Snapshot>,
    delays: BTreeMap<u32, u64>,
    machine: MachineTime,
    at_ns: u64,
}

impl Watch {
    /// Reads the counters.
    pub(crate) fn begin(stage: &mut Stage) -> anyhow::Result<Self> {
        let (mut levels, mut tops, mut delays) = (Vec::new(), Vec::new(), BTreeMap::new());
        stage.lineage(|group| {
            if levels.is_empty() {
                delays = run_delays(group)?;
            }
            levels.push(group.sample()?);
            Ok(())
        })?;
        stage.tops(|group| {
            tops.push(group.sample()?);
            Ok(())
        })?;
        let machine = facts::machine_time(&HostRoot::default()).context("cannot read /proc/stat")?;
        Ok(Self { levels, tops, delays, machine, at_ns: clock::now().get() })
    }

    /// Reads them again.
    pub(crate) fn end(self, stage: &mut Stage) -> anyhow::Result<Measured> {
        let later = Self::begin(stage)?;
        let wall_s = (later.at_ns - self.at_ns) as f64 / 1e9;
        let between = |pairs: &[Snapshot], later: &[Snapshot]| -> anyhow::Result<Vec<Interval>> {
            pairs.iter().zip(later).map(|(a, b)| Ok(Interval::between(a, b)?)).collect()
        };
        let mut limits = Vec::new();
        stage.lineage(|group| {
            limits.push(group.observe()?.bandwidth.and_then(|bandwidth| bandwidth.cpus()));
            Ok(())
        })?;
        let level = |(interval, limit_cpus): (&Interval, Option<f64>)| {
            let bandwidth = interval.bandwidth.context("this kernel does not count throttled periods")?;
            Ok(Level {
                limit_cpus,
                usage_cpus: interval.cpus_used().context("this kernel does not count CPU time")?,
                nr_periods: bandwidth.nr_periods,
                nr_throttled: bandwidth.nr_throttled,
                stall_ms_per_s: interval.stall_ms_per_s().unwrap_or(0.0),
            })
        };
        let levels = between(&self.levels, &later.levels)?;
        let ours: f64 = between(&self.tops, &later.tops)?.iter().filter_map(Interval::cpus_used).sum();
        // A thread that is new has waited since it began.
        let delay_ns: u64 = later
            .delays
            .iter()
            .map(|(tid, delay)| delay.saturating_sub(self.delays.get(tid).copied().unwrap_or(0)))
            .sum();
        let cpus = |from: cgtune_core::Nanos, to: cgtune_core::Nanos| {
            to.get().saturating_sub(from.get()) as f64 / 1e9 / wall_s
        };
        Ok(Measured {
            wall_s,
            levels: levels.iter().zip(limits).map(level).collect::<anyhow::Result<_>>()?,
            run_delay_ms_per_s: delay_ns as f64 / 1e6 / wall_s,
            foreign_cpus: (cpus(self.machine.busy, later.machine.busy) - ours).max(0.0),
            stolen_cpus: cpus(self.machine.steal, later.machine.steal),
        })
    }
}

/// How long each thread of a group has waited (`/proc/<tid>/schedstat`, second number). One that ends is not among them.
fn run_delays(group: &mut cgtune_sys::Cgroup) -> anyhow::Result<BTreeMap<u32, u64>> {
    let file = match group.capabilities().cpu {
        Layout::V1 => "tasks",
        Layout::V2 => "cgroup.threads",
    };
    let delay = |tid: u32| {
        let text = fs::read_to_string(format!("/proc/{tid}/schedstat")).ok()?;
        Some((tid, text.split_whitespace().nth(1)?.parse().ok()?))
    };
    Ok(members::ids(group.cpu_dir(), file)?.into_iter().filter_map(delay).collect())
}
