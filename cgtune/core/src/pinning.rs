//! Whether pinned groups have their CPUs, and alone: looks at the kernel → findings.
//!
//! [`Watch::look`] takes one look after the other and [`Watch::report`] says what follows from them: how each finding was seen, for
//! how long, and whether it still is so. When to look, and how it is done, is somebody else's business. What was seen is in [`seen`].
//!
//! Two thresholds, both a thousandth of a CPU, below which nothing is worth acting on: [`WORTH_STOLEN`] and [`WORTH_INTERRUPTS`].

mod affinity;
mod culprit;
mod finding;
mod machine;
mod others;
mod remedy;
pub mod seen;
mod states;

#[cfg(test)]
mod tests;

use serde::Serialize;

pub use affinity::{Held, MOST_ENDED};
pub use culprit::Culprit;
pub use finding::{Confidence, Finding};
pub use machine::{WORTH_INTERRUPTS, WORTH_STEAL};
pub use others::{Kind, MOST_TASKS, Others, WORTH_STOLEN};
use seen::{Look, Placed};
use states::{alone, states};

use crate::{CpuSet, Nanos, text::Escaped};

/// How many different states of one group are kept: one that flaps forever fills no memory.
pub const MOST_STATES: usize = 200;

/// A name or path of the kernel's, which may hold any byte; shown escaped.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Name(pub Vec<u8>);

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Escaped(&self.0).fmt(f)
    }
}

impl Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Name {
    /// Whether a path lies in this one, or is it.
    #[must_use]
    pub fn holds(&self, other: &Self) -> bool {
        let own = self.0.strip_suffix(b"/").unwrap_or(&self.0);
        other.0.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    }
}

/// Which CPUs a group is meant to have, and who says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Intent {
    /// The CPUs.
    pub cpus: CpuSet,
    /// Who says so.
    #[serde(flatten)]
    pub source: Source,
    /// Whether they are meant for it alone. A v1 set with `cpu_exclusive` and a v2 partition always are.
    pub exclusive: bool,
}

/// Who says which CPUs are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "source", rename_all = "kebab-case")]
pub enum Source {
    /// Whoever asks.
    Asked,
    /// Our journal.
    Journal {
        /// The change that set it.
        change: u64,
    },
    /// The kubelet's static CPU manager.
    Kubelet {
        /// The pod's UID.
        pod_uid: String,
        /// The container's name.
        container: String,
    },
    /// Nobody but its own `cpuset.cpus`.
    Itself,
}

/// A group that is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// Its path in the cpu hierarchy.
    pub path: Name,
    /// What it is meant to have.
    pub intent: Intent,
}

/// A finding and when it was seen; instants are counted from the first look.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What.
    pub finding: Finding,
    /// At which look first.
    pub first_seen: Nanos,
    /// At which last.
    pub last_seen: Nanos,
    /// At how many looks.
    pub times: u64,
    /// Of how many.
    pub looks: u64,
    /// Whether it was so at the last look that could tell.
    pub still: bool,
}

/// What came of watching one group.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The group.
    pub pinned: Pinned,
    /// Its set and what is in force, at the last look at it. `None`: it was gone at the first.
    pub last: Option<Placed>,
    /// CPUs that are online and not meant for it.
    pub elsewhere: CpuSet,
    /// When it was found gone.
    pub gone: Option<Nanos>,
    /// Looks at it.
    pub looks: u64,
    /// Threads in it at the last look. `None`: they could not be read.
    pub threads: Option<u64>,
    /// Different threads that were looked at.
    pub threads_looked_at: u64,
    /// Threads that were there at the last look and were looked at, then or before.
    pub threads_had_turn: u64,
    /// Threads that were elsewhere, have ended, and are in no finding: more than [`MOST_ENDED`] were.
    pub untold_threads: u64,
    /// How often a state was seen that is in no finding: more than [`MOST_STATES`] were.
    pub untold_states: u64,
    /// What others did on its CPUs, worth a finding or not.
    pub others: Others,
    /// What was found, the gravest kind first, within it what cost most.
    pub findings: Vec<Found>,
}

/// What came of the watch.
#[derive(Debug, Clone, PartialEq)]
pub struct Reports {
    /// From the first look to the last.
    pub wall: Nanos,
    /// Looks in all.
    pub looks: u64,
    /// Looks at others' tasks, after the first, which only tells where they stand.
    pub others_looks: u64,
    /// Tasks of the machine at the last of them. `None`: never looked at.
    pub tasks: Option<u64>,
    /// Whether there are more tasks than are looked at.
    pub tasks_bounded: bool,
    /// Whether tasks of others were not shown, so that nothing can be said of them.
    pub tasks_hidden: bool,
    /// One for each group, in the order in which they were given.
    pub groups: Vec<Report>,
}

impl Reports {
    /// Where those whom a finding is about could go: CPUs that are online and meant neither for the group itself nor for another
    /// one alone, but for the one that they belong to.
    #[must_use]
    pub fn elsewhere(&self, report: &Report, finding: &Finding) -> CpuSet {
        let home = match finding {
            Finding::ForeignTask { group, .. } => group.as_ref(),
            _ => None,
        };
        let strangers = self.groups.iter().filter(|other| {
            let other = &other.pinned.path;
            *other != report.pinned.path && !home.is_some_and(|home| other.holds(home))
        });
        strangers
            .filter(|other| other.gone.is_none())
            .filter_map(|other| alone(&other.pinned.intent, other.last.as_ref()?))
            .fold(report.elsewhere.clone(), |rest, taken| rest.difference(taken))
    }
}

/// What a look adds to, for one group.
#[derive(Debug)]
struct Group {
    pinned: Pinned,
    last: Option<Placed>,
    elsewhere: CpuSet,
    gone: Option<Nanos>,
    looks: u64,
    states: Vec<Found>,
    /// Of groups that are not watched, which are not looked for at each look.
    beside: Vec<Found>,
    beside_looks: u64,
    untold_states: u64,
    affinity: affinity::Histories,
    others: others::Ledger,
    machine: machine::Ledger,
}

/// Looks, one after the other.
#[derive(Debug)]
pub struct Watch {
    groups: Vec<Group>,
    begun: Option<Nanos>,
    ended: Nanos,
    /// CPUs online at the last look.
    online: Option<CpuSet>,
    looks: u64,
    others_looks: u64,
    tasks: Option<u64>,
    tasks_bounded: bool,
    tasks_hidden: bool,
}

impl Watch {
    /// Watches these.
    #[must_use]
    pub fn new(groups: Vec<Pinned>) -> Self {
        let group = |pinned: Pinned| Group {
            last: None,
            elsewhere: CpuSet::new(),
            gone: None,
            looks: 0,
            states: Vec::new(),
            beside: Vec::new(),
            beside_looks: 0,
            untold_states: 0,
            affinity: affinity::Histories::default(),
            others: others::Ledger::new(pinned.intent.cpus.clone()),
            machine: machine::Ledger::default(),
            pinned,
        };
        Self {
            groups: groups.into_iter().map(group).collect(),
            begun: None,
            ended: Nanos::ZERO,
            online: None,
            looks: 0,
            others_looks: 0,
            tasks: None,
            tasks_bounded: false,
            tasks_hidden: false,
        }
    }

    /// Takes a look. `look.groups` are in the order of [`Watch::new`].
    pub fn look(&mut self, look: &Look) {
        let begun = *self.begun.get_or_insert(look.at);
        let at = look.at.saturating_sub(begun);
        self.ended = at;
        self.looks += 1;
        let online = self.online_since(look.online.as_ref());
        let online = online.as_ref();
        let paths: Vec<Name> = self.groups.iter().map(|group| group.pinned.path.clone()).collect();
        let alone: Vec<Option<CpuSet>> = self
            .groups
            .iter()
            .zip(&look.groups)
            .map(|(group, placed)| alone(&group.pinned.intent, placed.as_ref()?).cloned())
            .collect();
        let in_force = |place: usize| look.groups.get(place)?.as_ref()?.in_force();
        let overlap = |own: usize, other: usize| {
            states::overlap(&paths[own], alone[own].as_ref()?, &paths[other], in_force(other)?)
        };
        for (index, (group, placed)) in self.groups.iter_mut().zip(&look.groups).enumerate() {
            let Some(placed) = placed else {
                group.gone.get_or_insert(at);
                continue;
            };
            group.looks += 1;
            group.beside_looks += u64::from(look.beside.is_some());
            for finding in states(&group.pinned, placed, online) {
                group.untold_states += note(&mut group.states, finding, at, group.looks);
            }
            if let Some(own) = &alone[index] {
                for other in (0..alone.len()).filter(|&other| other != index) {
                    // Of two that are to be alone the first that can tell has the finding.
                    if let Some(finding) = overlap(index, other)
                        && (index < other || overlap(other, index).is_none())
                    {
                        group.untold_states += note(&mut group.states, finding, at, group.looks);
                    }
                }
                for holder in look.beside.iter().flatten().filter(|holder| !paths.contains(&holder.path)) {
                    if let Some(finding) =
                        states::overlap(&group.pinned.path, own, &holder.path, &holder.cpus)
                    {
                        group.untold_states += note(&mut group.beside, finding, at, group.beside_looks);
                    }
                }
            }
            group.affinity.look(placed, &group.pinned.intent.cpus, online, at);
            if let Some(others) = &look.others {
                group.others.look(index, others, at);
                group.machine.look(&group.pinned.intent.cpus, others, at);
            }
            if let Some(online) = online {
                group.elsewhere = online.difference(&group.pinned.intent.cpus);
            }
            group.last = Some(placed.clone());
        }
        if let Some(others) = &look.others {
            self.others_looks += u64::from(!others.first);
            (self.tasks, self.tasks_bounded) = (Some(others.tasks), others.bounded);
            self.tasks_hidden |= others.hidden;
        }
    }

    /// The CPUs that are online, and were at the look before. One that came back since is in no set yet: before 6.10 or so the kernel
    /// gives it back a moment later (`cpuset_hotplug_workfn`, kernel/cgroup/cpuset.c, 6.1).
    fn online_since(&mut self, now: Option<&CpuSet>) -> Option<CpuSet> {
        let before = std::mem::replace(&mut self.online, now.cloned());
        now.map(|now| before.map_or_else(|| now.clone(), |before| now.intersection(&before)))
    }

    /// Whether any group is still there.
    #[must_use]
    pub fn anybody(&self) -> bool {
        self.groups.iter().any(|group| group.gone.is_none())
    }

    /// Threads and tasks that are kept in mind.
    #[cfg(test)]
    fn kept(&self) -> usize {
        self.groups.iter().map(|group| group.affinity.kept() + group.others.kept()).sum()
    }

    /// What follows from all looks so far.
    #[must_use]
    pub fn report(self) -> Reports {
        let groups = self.groups.into_iter().map(Group::report).collect();
        Reports {
            wall: self.ended,
            looks: self.looks,
            others_looks: self.others_looks,
            tasks: self.tasks,
            tasks_bounded: self.tasks_bounded,
            tasks_hidden: self.tasks_hidden,
            groups,
        }
    }
}

impl Group {
    fn report(self) -> Report {
        let looks = self.looks;
        let mut findings = Vec::new();
        for (seen, looks) in [(self.states, looks), (self.beside, self.beside_looks)] {
            // `looks` held the number of the last look at which it was seen.
            let told =
                |found: Found| Found { still: found.looks == looks && self.gone.is_none(), looks, ..found };
            findings.extend(seen.into_iter().map(told));
        }
        let threads_looked_at = self.affinity.looked_at();
        let (threads_had_turn, untold_threads) = (self.affinity.had_turn(), self.affinity.untold());
        findings.extend(self.affinity.found());
        let (others, stole) = self.others.found();
        findings.extend(stole);
        findings.extend(self.machine.found());
        findings.sort_by(|a, b| {
            let by_rank = a.finding.rank().cmp(&b.finding.rank());
            by_rank
                .then_with(|| b.finding.cost().total_cmp(&a.finding.cost()))
                .then_with(|| b.still.cmp(&a.still))
        });
        Report {
            threads: self.last.as_ref().and_then(|placed| Some(placed.threads.as_ref()?.here.len() as u64)),
            pinned: self.pinned,
            last: self.last,
            elsewhere: self.elsewhere,
            gone: self.gone,
            looks,
            threads_looked_at,
            threads_had_turn,
            untold_threads,
            untold_states: self.untold_states,
            others,
            findings,
        }
    }
}

/// Adds a state that was seen; `look` is the number of the look. Returns how many had no room: it, or none.
fn note(states: &mut Vec<Found>, finding: Finding, at: Nanos, look: u64) -> u64 {
    if let Some(found) = states.iter_mut().find(|found| found.finding == finding) {
        (found.last_seen, found.looks) = (at, look);
        found.times += 1;
    } else if states.len() < MOST_STATES {
        states.push(Found { finding, first_seen: at, last_seen: at, times: 1, looks: look, still: true });
    } else {
        return 1;
    }
    0
}
