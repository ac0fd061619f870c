//! Threads that may run elsewhere than their group, and what became of that over time.

use std::collections::HashMap;

use serde::Serialize;

use super::{
    Finding, Found, Name,
    seen::{Placed, Task, ThreadSeen},
};
use crate::{CpuSet, Nanos};

/// How many threads are remembered of one group.
const THREADS: usize = 100_000;
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
    threads: HashMap<(u32, u64), History>,
}

impl Histories {
    pub(super) fn look(&mut self, placed: &Placed, intended: &CpuSet, online: Option<&CpuSet>, at: Nanos) {
        for seen in placed.threads.iter().flat_map(|threads| &threads.read) {
            let key = (seen.task.tid, seen.task.started_ticks);
            if self.threads.len() >= THREADS && !self.threads.contains_key(&key) {
                continue;
            }
            let group = seen.of_group.as_ref().unwrap_or(intended);
            let relation = relation(seen, group, online);
            let history = self.threads.entry(key).or_insert_with(|| History {
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
            });
            history.look(seen, group, relation, at);
        }
    }

    /// How many were looked at.
    pub(super) fn len(&self) -> u64 {
        self.threads.len() as u64
    }

    pub(super) fn found(self) -> impl Iterator<Item = Found> {
        let mut histories: Vec<History> = self.threads.into_values().collect();
        histories.sort_by_key(|history| history.task.tid);
        histories.into_iter().filter_map(History::found)
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

    fn found(self) -> Option<Found> {
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
            still: self.last_odd == self.last_look,
        })
    }
}
