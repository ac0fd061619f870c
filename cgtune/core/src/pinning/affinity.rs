//! Threads that may run elsewhere than their group, and what became of that over time.

use std::collections::{HashMap, HashSet};

use serde::Serialize;

use super::{
    Finding, Found, Name,
    seen::{Placed, Task, ThreadSeen},
};
use crate::{CpuSet, Nanos};

/// How many threads of one group are kept in mind at once.
const THREADS: usize = 100_000;
/// How many threads of one group that were elsewhere and have ended are told of.
pub const MOST_ENDED: usize = 1000;
/// How many changes of one thread are kept.
const CHANGES: usize = 64;

/// How a thread's CPUs relate to its group's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// The same.
    Same,
    /// Fewer: it narrowed itself, or somebody did.
    Narrower,
    /// Some that the group does not have.
    Outside,
    /// It is in another cpuset.
    Astray,
}

/// What a thread may run on, for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// Its CPUs.
    pub cpus: CpuSet,
    /// At which look first, counted from the first look of all.
    #[serde(rename = "from_ns")]
    pub from: Nanos,
    /// At which look last.
    #[serde(rename = "to_ns")]
    pub to: Nanos,
}

#[derive(Debug)]
struct History {
    task: Task,
    group: CpuSet,
    astray: Option<Name>,
    held: Vec<Held>,
    relation: Relation,
    /// Of the last look at which it was not the same.
    odd: Option<Relation>,
    first_odd: Nanos,
    last_odd: Nanos,
    times: u64,
    looks: u64,
    last_look: Nanos,
    /// Changes that its group's set does not explain.
    drifts: u64,
}

/// The threads of one group.
#[derive(Debug, Default)]
pub(super) struct Histories {
    /// Of those that are there, by their ids.
    here: HashMap<u32, History>,
    /// Of those that have ended, where there is something to tell.
    ended: Vec<History>,
    looked_at: u64,
    untold: u64,
}

impl Histories {
    pub(super) fn look(&mut self, placed: &Placed, intended: &CpuSet, online: Option<&CpuSet>, at: Nanos) {
        let Some(threads) = &placed.threads else { return };
        let here: HashSet<u32> = threads.here.iter().copied().collect();
        let ended: Vec<u32> = self.here.keys().filter(|tid| !here.contains(tid)).copied().collect();
        for tid in ended {
            self.end(tid);
        }
        for seen in &threads.read {
            let tid = seen.task.tid;
            // An id that is used again.
            if self.here.get(&tid).is_some_and(|known| known.task.started_ticks != seen.task.started_ticks) {
                self.end(tid);
            }
            if self.here.len() >= THREADS && !self.here.contains_key(&tid) {
                continue;
            }
            let group = seen.of_group.as_ref().unwrap_or(intended);
            let relation = relation(seen, group, online);
            let history = self.here.entry(tid).or_insert_with(|| {
                self.looked_at += 1;
                History {
                    task: seen.task.clone(),
                    group: group.clone(),
                    astray: None,
                    held: Vec::new(),
                    relation,
                    odd: None,
                    first_odd: at,
                    last_odd: at,
                    times: 0,
                    looks: 0,
                    last_look: at,
                    drifts: 0,
                }
            });
            history.look(seen, group, relation, at);
        }
    }

    /// Of a thread that has ended nothing is kept but what is to be told.
    fn end(&mut self, tid: u32) {
        match self.here.remove(&tid).filter(|history| history.odd.is_some()) {
            Some(history) if self.ended.len() < MOST_ENDED => self.ended.push(history),
            Some(_) => self.untold += 1,
            None => {}
        }
    }

    /// How many were looked at in all.
    pub(super) fn looked_at(&self) -> u64 {
        self.looked_at
    }

    /// How many of those that are there were looked at.
    pub(super) fn had_turn(&self) -> u64 {
        self.here.len() as u64
    }

    /// How many were elsewhere, have ended, and are not told of.
    pub(super) fn untold(&self) -> u64 {
        self.untold
    }

    /// How many are kept in mind.
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.here.len() + self.ended.len()
    }

    pub(super) fn found(self) -> impl Iterator<Item = Found> {
        let ended = self.ended.into_iter().map(|history| (history, true));
        let mut histories: Vec<(History, bool)> =
            self.here.into_values().map(|history| (history, false)).chain(ended).collect();
        histories.sort_by_key(|(history, _)| (history.task.tid, history.task.started_ticks));
        histories.into_iter().filter_map(|(history, ended)| history.found(ended))
    }
}

/// Compared are the CPUs that are online: who is in the topmost group may run on all that there may ever be.
fn relation(seen: &ThreadSeen, group: &CpuSet, online: Option<&CpuSet>) -> Relation {
    let now = |cpus: &CpuSet| online.map_or_else(|| cpus.clone(), |online| cpus.intersection(online));
    let (cpus, group) = (now(&seen.cpus), now(group));
    if seen.astray.is_some() {
        Relation::Astray
    } else if !cpus.difference(&group).is_empty() {
        Relation::Outside
    } else if cpus != group {
        Relation::Narrower
    } else {
        Relation::Same
    }
}

impl History {
    fn look(&mut self, seen: &ThreadSeen, group: &CpuSet, relation: Relation, at: Nanos) {
        self.looks += 1;
        // Its name is the last that it gave itself.
        self.task = seen.task.clone();
        match self.held.last_mut() {
            Some(held) if held.cpus == seen.cpus => held.to = at,
            Some(_) => {
                let follows = self.relation == Relation::Same && relation == Relation::Same;
                self.drifts += u64::from(!follows && self.group == *group);
                if self.held.len() >= CHANGES {
                    self.held.remove(1);
                }
                self.held.push(Held { cpus: seen.cpus.clone(), from: at, to: at });
            }
            None => self.held.push(Held { cpus: seen.cpus.clone(), from: at, to: at }),
        }
        if relation != Relation::Same {
            if self.odd.is_none() {
                self.first_odd = at;
            }
            (self.odd, self.last_odd) = (Some(relation), at);
            self.times += 1;
        }
        self.astray = seen.astray.clone().or(self.astray.take());
        self.group = group.clone();
        self.relation = relation;
        self.last_look = at;
    }

    /// `ended`: the thread is no more, and so is what was wrong with it.
    fn found(self, ended: bool) -> Option<Found> {
        let Self { task, group, astray, held, odd, drifts, .. } = self;
        let cpus = held.last()?.cpus.clone();
        let finding = match odd? {
            _ if drifts > 0 => Finding::ThreadDrifted { task, group, cpus, held, changes: drifts },
            Relation::Astray => Finding::ThreadAstray { task, cpus, cpuset: astray.unwrap_or_default() },
            Relation::Outside => Finding::ThreadOutside { task, group, cpus },
            Relation::Narrower | Relation::Same => Finding::ThreadNarrowed { task, group, cpus },
        };
        Some(Found {
            finding,
            first_seen: self.first_odd,
            last_seen: self.last_odd,
            times: self.times,
            looks: self.looks,
            still: !ended && self.last_odd == self.last_look,
        })
    }
}
