//! What was seen of a group over a while: the whole basis of a diagnosis, as data.
//!
//! Whoever watches fills this in; nothing here reads a clock or a file. What this kernel does not provide, or what could
//! not be read, is `None`.

use std::sync::Arc;

use super::expiry::Expiry;
use crate::{
    CpuSet, Nanos, Observed, ObservedBandwidth,
    parse::cpu_stat::{BandwidthCounters, BurstCounters},
};

/// One reading of the counters that move fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reading {
    /// When, on CLOCK_MONOTONIC.
    pub at: Nanos,
    /// Bandwidth counters of `cpu.stat`.
    pub bandwidth: Option<BandwidthCounters>,
    /// Burst counters of `cpu.stat`.
    pub bursts: Option<BurstCounters>,
    /// CPU time of the group and its descendants since it was made.
    pub usage: Option<Nanos>,
    /// Throttled time for whatever reason (`cpu.stat.local`, 6.6+).
    pub local: Option<Nanos>,
}

/// One group's readings, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series {
    /// At least two, or there is nothing between them.
    pub readings: Vec<Reading>,
}

impl Series {
    /// From the first reading to the last.
    #[must_use]
    pub fn wall(&self) -> Nanos {
        let ends = self.readings.first().zip(self.readings.last());
        ends.and_then(|(first, last)| last.at.checked_sub(first.at)).unwrap_or(Nanos::ZERO)
    }

    /// What a counter rose by from the first reading to the last. `None`: not provided, or it ran backwards.
    fn rise<T>(&self, of: impl Fn(&Reading) -> Option<T>, by: impl Fn(T, T) -> Option<u64>) -> Option<u64> {
        let (first, last) = self.readings.first().zip(self.readings.last())?;
        by(of(first)?, of(last)?)
    }

    /// CPU time used.
    #[must_use]
    pub fn usage(&self) -> Option<Nanos> {
        self.rise(|r| r.usage, |a, b| b.checked_sub(a).map(Nanos::get)).map(Nanos::new)
    }

    /// CPUs used on average.
    #[must_use]
    pub fn cpus_used(&self) -> Option<f64> {
        let wall = self.wall();
        (wall > Nanos::ZERO).then(|| Some(self.usage()?.as_secs() / wall.as_secs()))?
    }

    /// Time throttled by this group's own quota, summed over CPUs.
    #[must_use]
    pub fn throttled(&self) -> Option<Nanos> {
        let time = |r: &Reading| Some(r.bandwidth?.throttled);
        self.rise(time, |a, b| b.checked_sub(a).map(Nanos::get)).map(Nanos::new)
    }

    /// Active periods that ended.
    #[must_use]
    pub fn nr_periods(&self) -> Option<u64> {
        self.rise(|r| r.bandwidth, |a, b| b.nr_periods.since(a.nr_periods))
    }

    /// Those that ended throttled.
    #[must_use]
    pub fn nr_throttled(&self) -> Option<u64> {
        self.rise(|r| r.bandwidth, |a, b| b.nr_throttled.since(a.nr_throttled))
    }

    /// Time throttled for whatever reason.
    #[must_use]
    pub fn local(&self) -> Option<Nanos> {
        self.rise(|r| r.local, |a, b| b.checked_sub(a).map(Nanos::get)).map(Nanos::new)
    }
}

/// A group with a quota above the one that is watched.
#[derive(Debug, Clone, PartialEq)]
pub struct Above {
    /// How many levels up; 1 is the parent.
    pub level: usize,
    /// Its limit.
    pub bandwidth: ObservedBandwidth,
    /// Its readings.
    pub series: Arc<Series>,
}

/// How many of a group's threads could run, at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runnable {
    /// When.
    pub at: Nanos,
    /// Threads in state R: on a CPU, waiting for one, or throttled.
    pub threads: u32,
}

/// A thread, over the watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadSeen {
    /// Its id.
    pub tid: u32,
    /// The first 15 bytes of its name; any bytes.
    pub name: Vec<u8>,
    /// CPU time.
    pub cpu: Nanos,
    /// Time it could run and did not, throttled time included (`/proc/<tid>/schedstat`, second number).
    pub run_delay: Nanos,
}

/// Threads in SCHED_IDLE, which run only when no other of their group would.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IdleThreads {
    /// How many.
    pub count: u64,
    /// Their CPU time.
    pub cpu: Nanos,
    /// Their time waiting, throttled time included.
    pub run_delay: Nanos,
}

/// A group's threads over the watch (its descendants' too).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Threads {
    /// How many there were at the end.
    pub count: u64,
    /// How many of them were looked at: beyond a bound the rest is not.
    pub looked_at: u64,
    /// Those of them that are in SCHED_IDLE.
    pub idle: IdleThreads,
    /// CPU time of those that were there all the time or began meanwhile.
    pub cpu: Nanos,
    /// Their time waiting, throttled time included.
    pub run_delay: Nanos,
    /// Those that were there at the start and not at the end: their last part is lost.
    pub ended: u64,
    /// Those with the most time, by CPU time and waiting.
    pub most: Vec<ThreadSeen>,
    /// How many could run, at moments of the watch.
    pub runnable: Vec<Runnable>,
}

/// Another group beside one of the levels of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Neighbour {
    /// Its path in the cpu hierarchy, as bytes.
    pub path: Vec<u8>,
    /// CPU time over the watch.
    pub usage: Nanos,
    /// Its weight, as the kernel shows it.
    pub share: Option<crate::ObservedShare>,
    /// CPUs that it may run on; `None`: not known.
    pub cpus: Option<CpuSet>,
}

/// The machine over the watch.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Machine {
    /// CPUs online; `None`: not known.
    pub online: Option<CpuSet>,
    /// CPU time that all of it used.
    pub series: Arc<Series>,
    /// Time in which each CPU did something, by its number, as far as ticks tell. Empty: not known.
    pub busy: Vec<(u32, Nanos)>,
    /// Wanted to run, but the hypervisor ran somebody else.
    pub steal: Option<Nanos>,
    /// `uname -r`.
    pub release: Option<String>,
    /// What a probe of the kernel said, where somebody asked for one.
    pub expiry: Option<Expiry>,
}

/// All that was seen of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Watched {
    /// Its policy, at the end.
    pub observed: Observed,
    /// Its own readings.
    pub own: Arc<Series>,
    /// The groups above that have a quota, nearest first.
    pub above: Vec<Above>,
    /// Whether limits above what is visible may exist.
    pub view_limited: bool,
    /// Whether it, or how many levels up one above it, has `cpu.idle`.
    pub idle: Option<usize>,
    /// Whether all its threads are in groups below it: those wait, not it, and only its own quota is its own affair.
    pub inner: bool,
    /// Its threads. `None`: they could not be read.
    pub threads: Option<Threads>,
    /// Time in which at least one of its tasks waited for a CPU, throttled time included (`some` of `cpu.pressure`; v2
    /// alone). `None`: this kernel counts none.
    pub pressure: Option<Nanos>,
    /// Those beside it or beside a group above that may run on its CPUs and used the most, most first.
    pub neighbours: Vec<Neighbour>,
    /// The machine.
    pub machine: Machine,
}

impl Watched {
    /// Its own limit, where it has one.
    #[must_use]
    pub fn limit(&self) -> Option<&ObservedBandwidth> {
        self.observed.bandwidth.as_ref().filter(|bandwidth| bandwidth.quota.limited().is_some())
    }

    /// Part of the time in which some task waited for a CPU. `None`: not counted.
    #[must_use]
    pub fn pressure_ratio(&self) -> Option<f64> {
        let wall = self.own.wall();
        (wall > Nanos::ZERO).then(|| Some(self.pressure?.as_secs() / wall.as_secs()))?
    }

    /// CPUs that it may run on; `None`: not known.
    #[must_use]
    pub fn width(&self) -> Option<usize> {
        let online = self.machine.online.as_ref();
        match (self.observed.effective_cpus.as_ref().filter(|cpus| !cpus.is_empty()), online) {
            (Some(own), _) => Some(own.len()),
            (None, online) => online.map(CpuSet::len),
        }
    }
}
