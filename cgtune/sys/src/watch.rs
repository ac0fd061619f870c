//! Watching groups: what a diagnosis needs, gathered at a cost that does not disturb what is watched.
//!
//! Each [`Watcher::look`] reads the fast counters of the watched groups, and of each limited group above, once, on kept
//! descriptors. Slow things (policies, threads, neighbours) are read at both ends only; how many threads could run is
//! counted now and then, within a budget. Of thousands of groups a [`Survey`] says which deserve that.
//! Nothing is ever written. When to look is the caller's business.

mod neighbours;
mod survey;
mod threads;

pub use survey::{Roughly, Survey};

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};

use cgtune_core::{
    CpuControl as _, Nanos, ObservedBandwidth,
    diagnose::watched::{Above, Machine, Series, Watched},
    layout::Knob,
    parse::scalar,
};

use crate::{
    Cgroup, Error, Hierarchies, cgroup,
    detect::View,
    error::Shown,
    facts::{self, MachineTime},
    watch::{
        neighbours::Beside,
        threads::{Crew, Roll},
    },
};

/// A group that is read at each look.
#[derive(Debug)]
struct Node {
    cgroup: Cgroup,
    series: Series,
    gone: bool,
}

/// A group that is to be diagnosed.
#[derive(Debug)]
struct Group {
    node: usize,
    above: Vec<(usize, ObservedBandwidth, usize)>,
    /// How many levels up the first with `cpu.idle` is.
    idle: Option<usize>,
    crew: Crew,
    /// PSI when the watch began.
    pressure: Option<Nanos>,
}

/// What matters of a group above.
#[derive(Debug, Clone, Copy)]
struct Level {
    bandwidth: Option<ObservedBandwidth>,
    idle: bool,
}

/// Groups under watch.
#[derive(Debug)]
pub struct Watcher<'a> {
    hierarchies: &'a Hierarchies,
    nodes: Vec<Node>,
    by_path: HashMap<PathBuf, usize>,
    levels: HashMap<PathBuf, Level>,
    groups: Vec<Group>,
    top: Option<usize>,
    beside: Beside,
    then: Roll,
    machine: Option<MachineTime>,
}

impl<'a> Watcher<'a> {
    /// Watches nothing yet.
    #[must_use]
    pub fn new(hierarchies: &'a Hierarchies) -> Self {
        let mut watcher = Self {
            hierarchies,
            nodes: Vec::new(),
            by_path: HashMap::new(),
            levels: HashMap::new(),
            groups: Vec::new(),
            top: None,
            beside: Beside::default(),
            then: Roll::begin(hierarchies.host()),
            machine: facts::machine_time(hierarchies.host()),
        };
        // Only the root of everything counts everybody's time.
        if hierarchies.cpu().view == View::Whole {
            watcher.top = watcher.node(Path::new("/")).ok();
        }
        watcher
    }

    /// Watches a group from now on.
    ///
    /// # Errors
    /// As [`Cgroup::open`]; [`Error::Gone`] when it vanishes meanwhile.
    pub fn add(&mut self, mut cgroup: Cgroup) -> Result<(), Error> {
        let path = cgroup.path().to_owned();
        let root = self.hierarchies.cpu().root.clone();
        let mut idle = self.level(&path)?.idle.then_some(0);
        let mut above = Vec::new();
        let ancestors = path.ancestors().skip(1).take_while(|path| path.starts_with(&root));
        for (level, ancestor) in (1..).zip(ancestors) {
            let Level { bandwidth, idle: here } = self.level(ancestor)?;
            if here && idle.is_none() {
                idle = Some(level);
            }
            if let Some(bandwidth) = bandwidth.filter(|bandwidth| bandwidth.quota.limited().is_some()) {
                above.push((level, bandwidth, self.node(ancestor)?));
            }
        }
        let crew = Crew::begin(&cgroup, self.hierarchies.host(), &mut self.then);
        self.beside.begin(self.hierarchies, &path);
        let pressure = cgroup.pressure()?;
        let node = self.keep(cgroup);
        self.groups.push(Group { node, above, idle, crew, pressure });
        Ok(())
    }

    /// Quota and class of a group, read once.
    fn level(&mut self, path: &Path) -> Result<Level, Error> {
        if let Some(&level) = self.levels.get(path) {
            return Ok(level);
        }
        let hierarchy = self.hierarchies.cpu();
        let dir = hierarchy.open(path)?.ok_or_else(|| Error::Gone(Shown(path.to_owned())))?;
        // A kernel without the file has no idle groups.
        let idle =
            cgroup::parsed(&dir, hierarchy.layout.file(Knob::Idle).map(|(_, file)| file), scalar::flag)?;
        let level = Level { bandwidth: cgroup::bandwidth(&dir, hierarchy.layout)?, idle: idle == Some(true) };
        self.levels.insert(path.to_owned(), level);
        Ok(level)
    }

    /// The place of a group among those that are read.
    fn node(&mut self, path: &Path) -> Result<usize, Error> {
        match self.by_path.get(path) {
            Some(&node) => Ok(node),
            None => Ok(self.keep(Cgroup::open(self.hierarchies, path)?)),
        }
    }

    fn keep(&mut self, cgroup: Cgroup) -> usize {
        if let Some(&node) = self.by_path.get(cgroup.path()) {
            return node;
        }
        self.by_path.insert(cgroup.path().to_owned(), self.nodes.len());
        self.nodes.push(Node { cgroup, series: Series::default(), gone: false });
        self.nodes.len() - 1
    }

    /// The shortest period among the limits that are watched: how often to look follows from it.
    #[must_use]
    pub fn shortest_period(&self) -> Option<Nanos> {
        let limits = self.nodes.iter().filter_map(|node| self.levels.get(node.cgroup.path())?.bandwidth);
        let limited = limits.filter(|bandwidth| bandwidth.quota.limited().is_some());
        limited.map(|bandwidth| bandwidth.period.to_nanos()).min()
    }

    /// How many groups are watched.
    #[must_use]
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Whether any watched group is still there.
    #[must_use]
    pub fn anybody(&self) -> bool {
        self.groups.iter().any(|group| !self.nodes[group.node].gone)
    }

    /// Reads the counters that move fast, once. A group that has vanished is read no more.
    ///
    /// # Errors
    /// A counter that cannot be read or understood.
    pub fn look(&mut self) -> Result<(), Error> {
        for node in self.nodes.iter_mut().filter(|node| !node.gone) {
            match node.cgroup.reading() {
                Ok(reading) => node.series.readings.push(reading),
                Err(Error::Gone(_)) => node.gone = true,
                Err(error) => return Err(error),
            }
        }
        for group in &mut self.groups {
            let node = &self.nodes[group.node];
            if !node.gone {
                group.crew.count(&node.cgroup, &node.series, self.hierarchies.host());
            }
        }
        Ok(())
    }

    /// Ends the watch with a last look. Groups that have vanished meanwhile are not among the answers.
    ///
    /// # Errors
    /// A file that cannot be read or understood.
    pub fn finish(mut self) -> Result<BTreeMap<PathBuf, Watched>, Error> {
        self.look()?;
        let Self { hierarchies, mut nodes, groups, top, mut beside, then, machine, .. } = self;
        let host = hierarchies.host();
        let series: Vec<Arc<Series>> =
            nodes.iter_mut().map(|node| Arc::new(std::mem::take(&mut node.series))).collect();
        let spent = facts::machine_time(host).zip(machine);
        let machine = Machine {
            online: facts::online_cpus(host),
            series: top.map(|top| Arc::clone(&series[top])).unwrap_or_default(),
            steal: spent.as_ref().and_then(|(now, then)| now.steal.checked_sub(then.steal)),
            busy: spent.map(|(now, then)| since(&now.each, &then.each)).unwrap_or_default(),
            release: facts::kernel_release_of(host),
            expiry: None,
        };
        let mut roll = Roll::begin(host);
        let mut answers = BTreeMap::new();
        for group in groups {
            let Group { node, above, idle, crew, pressure } = group;
            let Node { cgroup, gone, .. } = &mut nodes[node];
            if *gone {
                continue;
            }
            let (observed, now) = match cgroup.observe().and_then(|found| Ok((found, cgroup.pressure()?))) {
                Ok(found) => found,
                Err(Error::Gone(_)) => continue,
                Err(error) => return Err(error),
            };
            let inner = crew.is_inner();
            let threads = crew.end(cgroup, host, &then, &mut roll);
            let path = cgroup.path();
            let above = above.iter().map(|&(level, bandwidth, node)| Above {
                level,
                bandwidth,
                series: Arc::clone(&series[node]),
            });
            let neighbours = beside.end(hierarchies, path, observed.effective_cpus.as_ref());
            let watched = Watched {
                observed,
                own: Arc::clone(&series[node]),
                above: above.collect(),
                view_limited: hierarchies.cpu().view == View::Limited,
                idle,
                inner,
                threads,
                pressure: now.zip(pressure).and_then(|(now, then)| now.checked_sub(then)),
                neighbours,
                machine: machine.clone(),
            };
            answers.insert(path.to_owned(), watched);
        }
        Ok(answers)
    }
}

/// What each CPU that was there all the time has done since.
fn since(now: &[(u32, Nanos)], then: &[(u32, Nanos)]) -> Vec<(u32, Nanos)> {
    let before = |cpu| then.iter().find(|(number, _)| *number == cpu).map(|(_, time)| *time);
    now.iter().filter_map(|&(cpu, time)| Some((cpu, time.checked_sub(before(cpu)?)?))).collect()
}
