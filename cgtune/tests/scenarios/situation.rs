//! A tree of groups and the loads in it, as data. Which ones make a cause is [`super::variants`]' business.

use std::{fmt, time::Duration};

use cgtune_core::{Bandwidth, Micros, Quota};

use super::{Machine, draw::Draw};

/// A limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) quota_us: u64,
    pub(crate) period_us: u64,
}

impl Limit {
    pub(crate) fn of(cpus: f64, period_ms: u64) -> Self {
        let period_us = period_ms * 1000;
        Self { quota_us: (cpus * period_us as f64).round() as u64, period_us }
    }

    pub(crate) fn cpus(self) -> f64 {
        self.quota_us as f64 / self.period_us as f64
    }

    /// As the kernel takes it.
    pub(crate) fn bandwidth(self) -> anyhow::Result<Bandwidth> {
        let quota = Quota::Limited(Micros::new(self.quota_us));
        Ok(Bandwidth::new(quota, Micros::new(self.period_us), Micros::ZERO)?)
    }
}

/// How much a group counts against its siblings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// What a new group has: 1024 shares, or a weight of 100.
    Usual,
    /// 2 to 10 shares of 1024; on v2 1 of 100.
    Tiny(u32),
}

/// Which of the machine's CPUs a group may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cpus {
    All,
    /// The n-th of those that are online.
    Only(u32),
}

/// A cgroup to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    /// Its parent's place in [`Situation::groups`]; `None`: the root of what we may use.
    pub(crate) parent: Option<usize>,
    pub(crate) limit: Option<Limit>,
    pub(crate) weight: Weight,
    pub(crate) idle: bool,
    pub(crate) cpus: Cpus,
}

impl Group {
    pub(crate) const fn below(parent: Option<usize>) -> Self {
        Self { parent, limit: None, weight: Weight::Usual, idle: false, cpus: Cpus::All }
    }

    pub(crate) const fn limited(self, limit: Limit) -> Self {
        Self { limit: Some(limit), ..self }
    }
}

/// What runs in a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Load {
    /// Threads that burn all they get.
    Hog { threads: u32 },
    /// Threads that wake together, `after` and then every so often, to burn their work.
    Pulse(Pulse),
    /// The encode loop, at 29.97 frames a second.
    H264 { width: u32, height: u32, seed: u64 },
    /// A process that does nothing.
    Sleep,
}

/// `workloads pulse`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Pulse {
    pub(crate) threads: u32,
    /// CPU time that each of them burns.
    pub(crate) work_us: u64,
    pub(crate) every_us: u64,
    pub(crate) jitter: f64,
    pub(crate) seed: u64,
    /// From the start of the load to that of its first pulse.
    pub(crate) after: Duration,
}

impl Pulse {
    /// Pulses of so much work together and such an average in CPUs.
    pub(crate) fn averaging(draw: &mut Draw, threads: u32, work_us: f64, cpus: f64) -> Self {
        Self {
            threads,
            work_us: ((work_us / f64::from(threads)).round() as u64).max(1),
            every_us: (work_us / cpus).round() as u64,
            jitter: draw.between(0.15, 0.35),
            seed: draw.seed(),
            after: Duration::ZERO,
        }
    }

    /// Only one, so long after the load's start.
    pub(crate) fn once(threads: u32, work_us: f64, after: Duration) -> Self {
        Self {
            threads,
            work_us: ((work_us / f64::from(threads)).round() as u64).max(1),
            every_us: 3_600_000_000,
            jitter: 0.0,
            seed: 1,
            after,
        }
    }

    /// Its average demand in CPUs.
    pub(crate) fn cpus(&self) -> f64 {
        (u64::from(self.threads) * self.work_us) as f64 / self.every_us as f64
    }
}

/// The scheduling class of a load's threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Other,
    /// SCHED_IDLE, as `chrt --idle 0` sets it.
    Idle,
}

/// How long a load runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stays {
    /// Until the situation is taken down.
    Throughout,
    /// So long, before anybody watches.
    Before(Duration),
}

/// A load in a group.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) group: usize,
    pub(crate) load: Load,
    pub(crate) class: Class,
    pub(crate) stays: Stays,
}

/// All of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Situation {
    /// Parents before children.
    pub(crate) groups: Vec<Group>,
    pub(crate) loads: Vec<Placed>,
    /// The group that is to be diagnosed.
    pub(crate) watched: usize,
}

impl Situation {
    pub(crate) fn add(&mut self, group: Group) -> usize {
        self.groups.push(group);
        self.groups.len() - 1
    }

    pub(crate) fn load(&mut self, group: usize, load: Load) {
        self.loads.push(Placed { group, load, class: Class::Other, stays: Stays::Throughout });
    }

    /// One group under so many parents that limit nothing (a pod, a slice) as the draw says.
    pub(crate) fn alone(draw: &mut Draw, group: Group) -> Self {
        let mut situation = Self::default();
        let mut parent = None;
        for _ in 0..draw.whole(0, 2) {
            parent = Some(situation.add(Group::below(parent)));
        }
        situation.watched = situation.add(Group { parent, ..group });
        situation
    }

    /// A watched group beside others that hog all CPUs, all of them below one parent.
    pub(crate) fn crowded(machine: Machine, group: Group, neighbours: u32, hogs_each: u32) -> Self {
        let mut situation = Self::default();
        let parent = Some(situation.add(Group::below(None)));
        situation.watched = situation.add(Group { parent, ..group });
        for _ in 0..neighbours {
            let neighbour = situation.add(Group::below(parent));
            situation
                .load(neighbour, Load::Hog { threads: hogs_each.max(machine.cpus.div_ceil(neighbours)) });
        }
        situation
    }

    pub(crate) fn watched(&self) -> &Group {
        &self.groups[self.watched]
    }

    /// The places of a group and of those above it, nearest first.
    pub(crate) fn lineage(&self, group: usize) -> Vec<usize> {
        std::iter::successors(Some(group), |&at| self.groups[at].parent).collect()
    }

    /// The lowest limit of the watched group and those above it, in CPUs.
    pub(crate) fn effective_limit(&self) -> Option<f64> {
        let limits = self.lineage(self.watched).into_iter().filter_map(|at| self.groups[at].limit);
        limits.map(Limit::cpus).min_by(f64::total_cmp)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}/{:.0} ms", self.quota_us as f64 / 1e3, self.period_us as f64 / 1e3)
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |us: u64| us as f64 / 1e3;
        match self {
            Self::Hog { threads } => write!(f, "{threads} hogs"),
            Self::Pulse(pulse) => {
                write!(f, "{}×{:.1} ms every {:.0} ms", pulse.threads, ms(pulse.work_us), ms(pulse.every_us))
            }
            Self::H264 { width, height, .. } => write!(f, "encode {width}x{height}"),
            Self::Sleep => f.write_str("sleep"),
        }
    }
}

/// One line: the groups from the watched one up, then the others, each with its limit and loads.
impl fmt::Display for Situation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lineage = self.lineage(self.watched);
        let others = (0..self.groups.len()).filter(|at| !lineage.contains(at));
        for (n, at) in lineage.iter().copied().chain(others).enumerate() {
            let group = &self.groups[at];
            let separator = if n == 0 {
                ""
            } else if n < lineage.len() {
                " < "
            } else {
                " | "
            };
            write!(f, "{separator}[")?;
            match group.limit {
                Some(limit) => write!(f, "{limit}")?,
                None => f.write_str("max")?,
            }
            if let Weight::Tiny(shares) = group.weight {
                write!(f, ", {shares} shares")?;
            }
            if group.idle {
                f.write_str(", idle")?;
            }
            if let Cpus::Only(n) = group.cpus {
                write!(f, ", CPU {n}")?;
            }
            for placed in self.loads.iter().filter(|placed| placed.group == at) {
                write!(f, ": {}", placed.load)?;
                if placed.class == Class::Idle {
                    f.write_str(" in SCHED_IDLE")?;
                }
                if let Stays::Before(time) = placed.stays {
                    write!(f, " for {time:?} before")?;
                }
            }
            f.write_str("]")?;
        }
        Ok(())
    }
}
