//! The watch itself: how often to look, for how long, and what it cost.

use std::{collections::BTreeMap, io::IsTerminal as _, path::PathBuf, time::Duration};

use cgtune_core::{Micros, Nanos, diagnose::Watched};
use cgtune_sys::{
    Cgroup, Error, Hierarchies, HostRoot, clock,
    watch::{Pace, Watcher},
};

use crate::{interrupt::Interrupt, progress, target};

/// The widest step: a tenth of the usual period.
const WIDEST: Nanos = Nanos::new(10_000_000);
/// The narrowest: below, looking would cost a hundredth of a CPU.
const NARROWEST: Nanos = Nanos::new(2_000_000);
/// Looks a period.
const LOOKS: u64 = 10;
/// Of all groups so many are watched finely, those that stand still most.
const FINE: usize = 32;
/// The part of the watch after which it is decided which those are.
const FIRST_PART: u64 = 4;

/// How to watch.
pub(crate) struct Watch<'a> {
    pub(crate) duration: Micros,
    pub(crate) interrupt: &'a Interrupt,
}

/// What a watch cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Effort {
    /// From the first look to the last.
    pub(crate) wall: Nanos,
    /// CPU time that watching took, setting up and reading at both ends included.
    pub(crate) cpu: Nanos,
    /// Between two looks.
    pub(crate) interval: Nanos,
    /// Groups that were read.
    pub(crate) cgroups: usize,
}

/// What was seen, and what that cost.
pub(crate) struct Seen {
    pub(crate) watched: BTreeMap<PathBuf, Watched>,
    pub(crate) effort: Effort,
}

impl Watch<'_> {
    /// Watches these, each finely.
    pub(crate) fn these(&self, hierarchies: &Hierarchies, cgroups: Vec<Cgroup>) -> anyhow::Result<Seen> {
        let before = clock::process_cpu();
        let mut watcher = Watcher::new(hierarchies);
        for cgroup in cgroups {
            watcher.add(cgroup, Pace::Fine).map_err(target::kernel)?;
        }
        self.run(hierarchies.host(), watcher, before, None)
    }

    /// Watches all, and those that stand still finely. Those that vanish leave; those that are made meanwhile are not in it.
    pub(crate) fn all(&self, hierarchies: &Hierarchies) -> anyhow::Result<Seen> {
        let before = clock::process_cpu();
        cgtune_sys::facts::raise_descriptor_limit();
        let mut paths = Vec::new();
        hierarchies.walk(|path, _| paths.push(path.to_owned())).map_err(target::kernel)?;
        let mut watcher = Watcher::new(hierarchies);
        for path in paths {
            let added = Cgroup::open(hierarchies, &path).and_then(|cgroup| watcher.add(cgroup, Pace::Coarse));
            match added {
                Ok(()) | Err(Error::Gone(_) | Error::NoSuchCgroup { .. }) => {}
                Err(error) => return Err(target::kernel(error)),
            }
        }
        self.run(hierarchies.host(), watcher, before, Some(FINE))
    }

    /// `refine`: after a first part look closer at so many.
    fn run(
        &self,
        host: &HostRoot,
        mut watcher: Watcher<'_>,
        before: Nanos,
        refine: Option<usize>,
    ) -> anyhow::Result<Seen> {
        let begin = host.now();
        let duration = self.duration.to_nanos();
        let end = begin.saturating_add(duration);
        let cgroups = watcher.len();
        watcher.look(Pace::Coarse).map_err(target::kernel)?;
        let bar = (Duration::from_nanos(duration.get()) > progress::SHOW_AFTER
            && !host.is_played()
            && std::io::stderr().is_terminal())
        .then(|| progress::bar(duration.get(), "watching {bar:24} {eta} left"));
        let mut refining =
            refine.map(|most| (most, begin.saturating_add(Nanos::new(duration.get() / FIRST_PART))));
        let mut interval = interval(&watcher);
        let mut next = begin;
        let mut shown = begin;
        loop {
            next =
                next.saturating_add(interval).max(host.now().saturating_add(Nanos::new(interval.get() / 4)));
            if next >= end || self.interrupt.asked() || host.is_tape_full() || !watcher.anybody() {
                break;
            }
            host.sleep_until(next);
            if let Some((most, at)) = refining
                && next >= at
            {
                watcher.refine(most).map_err(target::kernel)?;
                interval = self::interval(&watcher);
                refining = None;
            } else {
                watcher.look(Pace::Fine).map_err(target::kernel)?;
            }
            if let Some(bar) = &bar
                && next.saturating_sub(shown).get() > 100_000_000
            {
                bar.set_position(next.saturating_sub(begin).get());
                shown = next;
            }
        }
        if !self.interrupt.asked() && !host.is_tape_full() && watcher.anybody() {
            host.sleep_until(end);
        }
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        let wall = host.now().saturating_sub(begin);
        let watched = watcher.finish().map_err(target::kernel)?;
        let cpu = clock::process_cpu().saturating_sub(before);
        Ok(Seen { watched, effort: Effort { wall, cpu, interval, cgroups } })
    }
}

fn interval(watcher: &Watcher<'_>) -> Nanos {
    let wanted = watcher.shortest_period().map_or(WIDEST, |period| Nanos::new(period.get() / LOOKS));
    wanted.clamp(NARROWEST, WIDEST)
}
