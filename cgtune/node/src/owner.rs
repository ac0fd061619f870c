//! Who owns a cgroup's files: who will write over a change made by hand, and by which command of the owner's own it
//! would last.
//!
//! What a path says comes first and is pure; what is visible below the host's root confirms it or not, and the wording
//! says which ([`Presence`]). Owners hold a record of the values and write them again from there; [agents](Agent) keep
//! none and change what suits them. Nothing here writes, and nothing here runs a command: it is shown.
//!
//! A path is made of names that anybody may have chosen. What is shown of them went through
//! [`Escaped`](cgtune_core::text::Escaped), and what goes into a command through
//! [`shell`](cgtune_core::text::shell).

use std::path::Path;

use cgtune_core::{CpuSet, Micros, Quota};
use cgtune_sys::HostRoot;
use serde::Serialize;

use crate::names::path::components as names;

pub mod agents;
pub mod kubelet;
pub mod presence;
pub mod runtime;
pub mod unit;
mod update;

pub use agents::Agent;
pub use kubelet::Kubelet;
pub use presence::Presence;
pub use runtime::Container;
pub use unit::Unit;

/// Everybody who has a say in a group's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ownership {
    /// Who keeps a record of what the files should hold; the most specific first: the container's runtime, the
    /// kubelet, systemd.
    pub owners: Vec<Owner>,
    /// Who else is there and known to write such files.
    pub agents: Vec<Agent>,
}

/// One who keeps a record of what a group's files should hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Owner {
    /// What to call it: `docker`, `kubelet`, `systemd`.
    pub name: String,
    /// Why we think so, and how sure that is.
    pub evidence: String,
    /// What it owns here.
    pub role: Role,
}

/// What an owner owns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// A container's group, by its runtime.
    Container(Container),
    /// A group below `kubepods`, by the kubelet.
    Kubelet(Kubelet),
    /// A unit's group, by systemd.
    Unit(Unit),
}

/// Which kinds of files a change writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Touched {
    /// `cpu.shares` or `cpu.weight`.
    pub share: bool,
    /// Quota or period.
    pub quota: bool,
    /// `cpu.cfs_burst_us` or `cpu.max.burst`.
    pub burst: bool,
    /// `cpu.idle`.
    pub idle: bool,
    /// `cpuset.cpus` or `cpuset.mems`.
    pub cpuset: bool,
}

/// The values that should last. Only those that [`Wanted::touched`] names count.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Wanted {
    /// What is changed at all.
    pub touched: Touched,
    /// `cpu.shares` (v1).
    pub shares: Option<u64>,
    /// `cpu.weight` (v2).
    pub weight: Option<u64>,
    /// Quota.
    pub quota: Option<Quota>,
    /// Period; where a quota comes without one, it is that of a new group.
    pub period: Option<Micros>,
    /// Burst.
    pub burst: Option<Micros>,
    /// `cpu.idle`.
    pub idle: Option<bool>,
    /// CPUs.
    pub cpus: Option<CpuSet>,
    /// Memory nodes.
    pub mems: Option<CpuSet>,
}

/// Somebody who will write over touched files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Overwrite {
    /// Who.
    pub who: String,
    /// What of the touched: `quota`, `burst`, `weight` (shares, on v1), `cpuset`, `idle`. Never empty.
    pub what: Vec<&'static str>,
    /// On which occasion.
    pub when: String,
}

/// How an owner is told, so that it writes the wanted values itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lasting {
    /// Who is told.
    pub owner: String,
    /// A line for a POSIX shell; names that we do not know are in `<>`. `None`: no command expresses any of it.
    pub command: Option<String>,
    /// What of the wish the command does not express, or expresses otherwise.
    pub cannot: Vec<String>,
}

const QUOTA: &str = "quota";
const BURST: &str = "burst";
const WEIGHT: &str = "weight";
const CPUSET: &str = "cpuset";
const IDLE: &str = "idle";

/// Finds who owns the group. `host`: where the node's /proc, /run … are. Never writes.
#[must_use]
pub fn of(path: &Path, host: &HostRoot) -> Ownership {
    let names = names(path);
    let seen = presence::Seen::on(host);
    let owners = [
        Container::of(&names, host).map(Container::owner),
        Kubelet::of(&names, &seen, host).map(Kubelet::owner),
        Unit::of(&names, seen.systemd).map(Unit::owner),
    ];
    Ownership { owners: owners.into_iter().flatten().collect(), agents: agents::on(host, &seen) }
}

impl Ownership {
    /// Who will overwrite which of the touched files, and when.
    #[must_use]
    pub fn overwrites(&self, touched: &Touched) -> Vec<Overwrite> {
        let owners = self.owners.iter().flat_map(|owner| match &owner.role {
            Role::Container(container) => container.overwrites(touched),
            Role::Kubelet(kubelet) => kubelet.overwrites(touched),
            Role::Unit(unit) => unit.overwrites(touched),
        });
        let agents = self.agents.iter().filter_map(|agent| agent.overwrite(&self.owners, touched));
        owners.chain(agents).collect()
    }

    /// The owners' own commands that make the wanted policy last, each with what it cannot express.
    #[must_use]
    pub fn lasting(&self, goal: &Wanted) -> Vec<Lasting> {
        self.owners
            .iter()
            .flat_map(|owner| match &owner.role {
                Role::Container(container) => container.lasting(goal),
                Role::Kubelet(kubelet) => vec![kubelet.lasting(goal)],
                Role::Unit(unit) => vec![unit.lasting(goal)],
            })
            .collect()
    }
}

impl Touched {
    /// Those of the given kinds that are touched, in the given order.
    fn among(&self, kinds: &[&'static str]) -> Vec<&'static str> {
        let touched = |kind: &&&'static str| match **kind {
            QUOTA => self.quota,
            BURST => self.burst,
            WEIGHT => self.share,
            CPUSET => self.cpuset,
            IDLE => self.idle,
            _ => false,
        };
        kinds.iter().filter(touched).copied().collect()
    }
}

impl Wanted {
    /// The quota and its period, where one of them is touched.
    fn bandwidth(&self) -> Option<(Quota, Micros)> {
        let quota = self.quota.filter(|_| self.touched.quota)?;
        Some((quota, self.period.unwrap_or(cgtune_core::policy::DEFAULT_PERIOD)))
    }

    fn wanted<T>(touched: bool, value: Option<T>) -> Option<T> {
        value.filter(|_| touched)
    }

    fn period(&self) -> Option<Micros> {
        Self::wanted(self.touched.quota, self.period)
    }

    fn shares(&self) -> Option<u64> {
        Self::wanted(self.touched.share, self.shares)
    }

    fn weight(&self) -> Option<u64> {
        Self::wanted(self.touched.share, self.weight)
    }

    fn burst(&self) -> Option<Micros> {
        Self::wanted(self.touched.burst, self.burst)
    }

    fn idle(&self) -> Option<bool> {
        Self::wanted(self.touched.idle, self.idle)
    }

    fn cpus(&self) -> Option<&CpuSet> {
        Self::wanted(self.touched.cpuset, self.cpus.as_ref())
    }

    fn mems(&self) -> Option<&CpuSet> {
        Self::wanted(self.touched.cpuset, self.mems.as_ref())
    }
}

impl Overwrite {
    /// `None`: nothing of what is touched.
    fn new(who: impl Into<String>, what: Vec<&'static str>, when: impl Into<String>) -> Option<Self> {
        (!what.is_empty()).then(|| Self { who: who.into(), what, when: when.into() })
    }
}

/// `quota, burst and weight`.
fn listed(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [word] => (*word).to_owned(),
        [words @ .., last] => format!("{} and {last}", words.join(", ")),
    }
}

/// The container in which a component lives: the last one above it. A whole node may be a container (kind).
fn around(names: &[&str]) -> Option<String> {
    names.iter().rev().find_map(|name| crate::names::path::container_id(Path::new(name))).map(str::to_owned)
}
