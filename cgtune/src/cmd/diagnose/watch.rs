//! The watch itself: how often to look, for how long, and what it cost.

use std::{collections::BTreeMap, io::IsTerminal as _, path::PathBuf, time::Duration};

use cgtune_core::{
    Micros, Nanos,
    diagnose::{Expiry, Watched},
};
use cgtune_sys::{
    Cgroup, Error, Hierarchies, HostRoot, clock,
    watch::{Survey, Watcher},
};
use indicatif::ProgressBar;

use crate::{interrupt::Interrupt, progress, target};

/// The widest step: a tenth of the usual period.
const WIDEST: Nanos = Nanos::new(10_000_000);
/// The narrowest: below, looking would cost a hundredth of a CPU.
const NARROWEST: Nanos = Nanos::new(2_000_000);
/// Looks a period.
const LOOKS: u64 = 10;
/// Of all groups so many are watched closely, those that stand still most.
const CLOSELY: usize = 32;
/// What stands still less than this, in ms per second, needs no closer look.
const CLOSER_MS_PER_S: f64 = 5.0;
/// Readings from which on a close look tells more than a rough one.
const TELLING: usize = 10;
/// The part of the watch after which it is decided which those are.
const FIRST_PART: u64 = 4;

/// How to watch.
pub(crate) struct Watch<'a> {
    pub(crate) duration: Micros,
    pub(crate) interrupt: &'a Interrupt,
}

/// What a watch took.
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
    /// What a probe of the kernel said before, where one was asked for.
    pub(crate) expiry: Option<Expiry>,
}

/// What was seen, and what that cost.
pub(crate) struct Seen {
    pub(crate) watched: BTreeMap<PathBuf, Watched>,
    pub(crate) effort: Effort,
}

impl Watch<'_> {
    /// Watches these, each closely.
    pub(crate) fn these(&self, hierarchies: &Hierarchies, cgroups: Vec<Cgroup>) -> anyhow::Result<Seen> {
        let host = hierarchies.host();
        let (before, begin) = (clock::process_cpu(), host.now());
        let mut watcher = Watcher::new(hierarchies);
        for cgroup in cgroups {
            watcher.add(cgroup).map_err(target::kernel)?;
        }
        let cgroups = watcher.len();
        // Setting up may take a while, of ten thousand threads for one.
        let bar = self.bar(host);
        let interval = self.watch(host, &mut watcher, &bar, host.now(), self.duration.to_nanos())?;
        let watched = watcher.finish().map_err(target::kernel)?;
        Ok(Seen { watched, effort: effort(host, before, begin, interval, cgroups) })
    }

    /// Watches all, and those that stand still closely. Those that vanish leave; those that are made meanwhile are not in it.
    pub(crate) fn all(&self, hierarchies: &Hierarchies) -> anyhow::Result<Seen> {
        let host = hierarchies.host();
        let (before, begin) = (clock::process_cpu(), host.now());
        let bar = self.bar(host);
        let mut survey = Survey::begin(hierarchies).map_err(target::kernel)?;
        let cgroups = survey.len();
        let first_part = Nanos::new(self.duration.to_nanos().get() / FIRST_PART);
        self.rest(host, &bar, begin, begin.saturating_add(first_part));
        let still = survey.standing_still().map_err(target::kernel)?;
        let mut watcher = Watcher::new(hierarchies);
        for group in still.iter().take_while(|group| group.stall_ms_per_s >= CLOSER_MS_PER_S).take(CLOSELY) {
            match Cgroup::open(hierarchies, &group.path).and_then(|cgroup| watcher.add(cgroup)) {
                Ok(()) | Err(Error::Gone(_) | Error::NoSuchCgroup { .. }) => {}
                Err(error) => return Err(target::kernel(error)),
            }
        }
        let rest = self.duration.to_nanos().saturating_sub(first_part);
        let interval = self.watch(host, &mut watcher, &bar, host.now(), rest)?;
        let mut watched = survey.finish().map_err(target::kernel)?;
        // What was seen closely goes before what was seen roughly, of those that are still there.
        for (path, closely) in watcher.finish().map_err(target::kernel)? {
            // Nothing, where somebody asked to stop before that began.
            if closely.own.readings.len() >= TELLING {
                watched.entry(path).and_modify(|roughly| *roughly = closely);
            }
        }
        Ok(Seen { watched, effort: effort(host, before, begin, interval, cgroups) })
    }

    /// Looks again and again, from `begin` on for so long, until that is over, nobody is left, the tape is full, or somebody asks
    /// to stop; gives the time between two looks.
    fn watch(
        &self,
        host: &HostRoot,
        watcher: &mut Watcher<'_>,
        bar: &ProgressBar,
        begin: Nanos,
        duration: Nanos,
    ) -> anyhow::Result<Nanos> {
        let end = begin.saturating_add(duration);
        let before = self.duration.to_nanos().saturating_sub(duration);
        let wanted = watcher.shortest_period().map_or(WIDEST, |period| Nanos::new(period.get() / LOOKS));
        let interval = wanted.clamp(NARROWEST, WIDEST);
        if watcher.is_empty() {
            self.rest(host, bar, begin, end);
            return Ok(interval);
        }
        let mut next = host.now();
        let mut shown = next;
        while next < end && !self.is_over(host) && watcher.anybody() {
            host.sleep_until(next);
            watcher.look().map_err(target::kernel)?;
            if next.saturating_sub(shown).get() > 100_000_000 {
                bar.set_position(before.saturating_add(next.saturating_sub(begin)).get());
                shown = next;
            }
            // Late looks are left out, not made up for.
            next =
                next.saturating_add(interval).max(host.now().saturating_add(Nanos::new(interval.get() / 4)));
        }
        if !self.is_over(host) && watcher.anybody() {
            host.sleep_until(end);
        }
        bar.finish_and_clear();
        Ok(interval)
    }

    /// Waits, in short legs.
    fn rest(&self, host: &HostRoot, bar: &ProgressBar, begin: Nanos, until: Nanos) {
        while host.now() < until && !self.is_over(host) {
            let leg = host.now().saturating_add(Nanos::new(100_000_000));
            host.sleep_until(leg.min(until));
            bar.set_position(host.now().saturating_sub(begin).get());
        }
    }

    /// Whether there is no use in going on.
    fn is_over(&self, host: &HostRoot) -> bool {
        self.interrupt.asked() || host.is_tape_full()
    }

    fn bar(&self, host: &HostRoot) -> ProgressBar {
        let duration = self.duration.to_nanos();
        let long = Duration::from_nanos(duration.get()) > progress::SHOW_AFTER;
        if long && !host.is_played() && std::io::stderr().is_terminal() {
            progress::bar(duration.get(), "watching {bar:24} {eta} left")
        } else {
            ProgressBar::hidden()
        }
    }
}

fn effort(host: &HostRoot, before: Nanos, begin: Nanos, interval: Nanos, cgroups: usize) -> Effort {
    Effort {
        expiry: None,
        wall: host.now().saturating_sub(begin),
        cpu: clock::process_cpu().saturating_sub(before),
        interval,
        cgroups,
    }
}
