//! Watching groups: what a diagnosis needs, gathered at a cost that does not disturb what is watched.
//!
//! Each [`Watcher::look`] reads the fast counters of the watched groups, and of each limited group above, once, on kept
//! descriptors. Slow things (policies, threads, neighbours) are read at both ends only; how many threads could run is
//! counted now and then, within a budget. Of thousands of groups only those that stand still are looked at finely.
//! Nothing is ever written. When to look is the caller's business.

mod neighbours;
mod threads;

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
    snapshot::CgroupId,
};

use crate::{
    Cgroup, Error, Hierarchies, cgroup,
    detect::View,
    error::Shown,
    facts,
    watch::{
        neighbours::Beside,
        threads::{Crew, Roll},
    },
};

/// How often a group is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pace {
    /// At both ends of the watch, and where it is [refined](Watcher::refine).
    Coarse,
    /// At each look.
    Fine,
}

/// What stalls less than this, in ms per second, needs no closer look.
const CLOSER_MS_PER_S: f64 = 5.0;

/// A group that is read.
#[derive(Debug)]
struct Node {
    path: PathBuf,
    id: CgroupId,
    /// Kept open where it is read at each look. Thousands of groups would take more descriptors than a process may have.
    kept: Option<Cgroup>,
    pace: Pace,
    series: Series,
    gone: bool,
}

impl Node {
    fn new(cgroup: Cgroup, pace: Pace) -> Self {
        Self {
            path: cgroup.path().to_owned(),
            id: cgroup.id(),
            kept: (pace == Pace::Fine).then_some(cgroup),
            pace,
            series: Series::default(),
            gone: false,
        }
    }

    /// Does something with the open group. `None`: it has vanished, and from now on counts as such.
    fn with<T>(
        &mut self,
        hierarchies: &Hierarchies,
        act: impl FnOnce(&mut Cgroup) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        if self.gone {
            return Ok(None);
        }
        let done = match &mut self.kept {
            Some(cgroup) => act(cgroup),
            None => match Cgroup::open(hierarchies, &self.path) {
                Ok(mut cgroup) if cgroup.id() == self.id => {
                    let done = act(&mut cgroup);
                    self.kept = (self.pace == Pace::Fine).then_some(cgroup);
                    done
                }
                Ok(_) | Err(Error::NoSuchCgroup { .. }) => Err(Error::Gone(Shown(self.path.clone()))),
                Err(error) => Err(error),
            },
        };
        match done {
            Ok(done) => Ok(Some(done)),
            Err(Error::Gone(_)) => {
                self.gone = true;
                self.kept = None;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// A group that is to be diagnosed.
#[derive(Debug)]
struct Group {
    node: usize,
    above: Vec<(usize, ObservedBandwidth, usize)>,
    /// How many levels up the first with `cpu.idle` is.
    idle: Option<usize>,
    crew: Crew,
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
    steal: Option<Nanos>,
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
            steal: facts::machine_time(hierarchies.host()).map(|time| time.steal),
        };
        // Only the root of everything counts everybody's time.
        if hierarchies.cpu().view == View::Whole {
            watcher.top = watcher.node(Path::new("/"), Pace::Fine).ok();
        }
        watcher
    }

    /// Watches a group from now on.
    ///
    /// # Errors
    /// As [`Cgroup::open`]; [`Error::Gone`] when it vanishes meanwhile.
    pub fn add(&mut self, cgroup: Cgroup, pace: Pace) -> Result<(), Error> {
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
                above.push((level, bandwidth, self.node(ancestor, pace)?));
            }
        }
        let crew = Crew::begin(&cgroup, self.hierarchies.host(), &mut self.then);
        self.beside.begin(self.hierarchies, &path);
        let node = self.keep(cgroup, pace);
        self.groups.push(Group { node, above, idle, crew });
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
    fn node(&mut self, path: &Path, pace: Pace) -> Result<usize, Error> {
        match self.by_path.get(path) {
            Some(&node) => {
                self.nodes[node].pace = self.nodes[node].pace.max(pace);
                Ok(node)
            }
            None => Ok(self.keep(Cgroup::open(self.hierarchies, path)?, pace)),
        }
    }

    fn keep(&mut self, cgroup: Cgroup, pace: Pace) -> usize {
        if let Some(&node) = self.by_path.get(cgroup.path()) {
            self.nodes[node].pace = self.nodes[node].pace.max(pace);
            return node;
        }
        self.by_path.insert(cgroup.path().to_owned(), self.nodes.len());
        self.nodes.push(Node::new(cgroup, pace));
        self.nodes.len() - 1
    }

    /// The shortest period among the limits that are read at each look: how often to look follows from it.
    #[must_use]
    pub fn shortest_period(&self) -> Option<Nanos> {
        let fine = self.nodes.iter().filter(|node| node.pace == Pace::Fine);
        let limits = fine.filter_map(|node| self.levels.get(&node.path)?.bandwidth);
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

    /// Reads the counters that move fast, of those groups that have at least this pace, once. A group that has vanished is
    /// read no more.
    ///
    /// # Errors
    /// A counter that cannot be read or understood.
    pub fn look(&mut self, pace: Pace) -> Result<(), Error> {
        for node in self.nodes.iter_mut().filter(|node| node.pace >= pace) {
            let reading = node.with(self.hierarchies, Cgroup::reading)?;
            node.series.readings.extend(reading);
        }
        for group in &mut self.groups {
            let node = &self.nodes[group.node];
            if let Some(cgroup) = &node.kept {
                group.crew.count(cgroup, &node.series, self.hierarchies.host());
            }
        }
        Ok(())
    }

    /// Looks at all, and from now on more often at those that stand still most: at most so many.
    ///
    /// # Errors
    /// As [`Watcher::look`].
    pub fn refine(&mut self, most: usize) -> Result<(), Error> {
        self.look(Pace::Coarse)?;
        let host = self.hierarchies.host();
        let mut now = Roll::begin(host);
        let mut waiting: Vec<(f64, usize)> = Vec::new();
        for (number, group) in self.groups.iter().enumerate() {
            let node = &self.nodes[group.node];
            let seconds = node.series.wall().as_secs();
            if node.gone || seconds <= 0.0 {
                continue;
            }
            let own = node.series.throttled().max(node.series.local()).unwrap_or(Nanos::ZERO);
            let threads = group.crew.run_delay(host, &self.then, &mut now).unwrap_or(Nanos::ZERO);
            let stall = own.max(threads).as_secs() * 1e3 / seconds;
            if stall >= CLOSER_MS_PER_S {
                waiting.push((stall, number));
            }
        }
        waiting.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (_, number) in waiting.into_iter().take(most) {
            let Group { node, above, .. } = &self.groups[number];
            for &node in std::iter::once(node).chain(above.iter().map(|(_, _, node)| node)) {
                self.nodes[node].pace = Pace::Fine;
            }
        }
        Ok(())
    }

    /// Ends the watch with a last look. Groups that have vanished meanwhile are not among the answers.
    ///
    /// # Errors
    /// A file that cannot be read or understood.
    pub fn finish(mut self) -> Result<BTreeMap<PathBuf, Watched>, Error> {
        self.look(Pace::Coarse)?;
        let Self { hierarchies, mut nodes, groups, top, mut beside, then, steal, .. } = self;
        let host = hierarchies.host();
        let series: Vec<Arc<Series>> =
            nodes.iter_mut().map(|node| Arc::new(std::mem::take(&mut node.series))).collect();
        let now = facts::machine_time(host).map(|time| time.steal);
        let machine = Machine {
            online: facts::online_cpus(host),
            series: top.map(|top| Arc::clone(&series[top])).unwrap_or_default(),
            steal: now.zip(steal).and_then(|(now, then)| now.checked_sub(then)),
            release: facts::kernel_release_of(host),
        };
        let mut roll = Roll::begin(host);
        let mut answers = BTreeMap::new();
        for group in groups {
            let Group { node, above, idle, crew } = group;
            let ended = nodes[node].with(hierarchies, |cgroup| {
                Ok((cgroup.observe()?, crew.end(cgroup, host, &then, &mut roll)))
            })?;
            let Some((observed, threads)) = ended else { continue };
            let path = &nodes[node].path;
            let above = above.iter().map(|&(level, bandwidth, node)| Above {
                level,
                bandwidth,
                series: Arc::clone(&series[node]),
            });
            let watched = Watched {
                observed,
                own: Arc::clone(&series[node]),
                above: above.collect(),
                view_limited: hierarchies.cpu().view == View::Limited,
                idle,
                threads,
                neighbours: beside.end(hierarchies, path),
                machine: machine.clone(),
            };
            answers.insert(path.clone(), watched);
        }
        Ok(answers)
    }
}
