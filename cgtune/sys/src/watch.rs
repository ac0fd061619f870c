//! Watching groups: what a diagnosis needs, gathered at a cost that does not disturb what is watched.
//!
//! Each [`Watcher::look`] reads the fast counters of every watched group, and of each limited group above, once, on kept
//! descriptors. Slow things (policies, threads, neighbours) are read at both ends only; how many threads could run is
//! counted now and then, within a budget. Nothing is ever written. When to look is the caller's business.

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
};

use crate::{
    Cgroup, Error, Hierarchies, cgroup,
    detect::View,
    facts,
    watch::{neighbours::Beside, threads::Crew},
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
}

/// Groups under watch.
#[derive(Debug)]
pub struct Watcher<'a> {
    hierarchies: &'a Hierarchies,
    nodes: Vec<Node>,
    by_path: HashMap<PathBuf, usize>,
    groups: Vec<Group>,
    top: Option<usize>,
    beside: Beside,
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
            groups: Vec::new(),
            top: None,
            beside: Beside::default(),
            steal: facts::machine_time(hierarchies.host()).map(|time| time.steal),
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
    pub fn add(&mut self, cgroup: Cgroup) -> Result<(), Error> {
        let mut cgroup = cgroup;
        let path = cgroup.path().to_owned();
        let lineage = cgroup.lineage()?;
        let mut idle = cgroup.observe()?.idle.filter(|&idle| idle).map(|_| 0);
        let mut above = Vec::new();
        for (level, (path, bandwidth)) in lineage.iter().enumerate().skip(1) {
            if idle.is_none() && is_idle(self.hierarchies, path)? {
                idle = Some(level);
            }
            if let Some(bandwidth) = bandwidth.filter(|bandwidth| bandwidth.quota.limited().is_some()) {
                above.push((level, bandwidth, self.node(path)?));
            }
        }
        let crew = Crew::begin(&cgroup, self.hierarchies.host());
        self.beside.begin(self.hierarchies, &path);
        let node = self.keep(cgroup);
        self.groups.push(Group { node, above, idle, crew });
        Ok(())
    }

    /// The place of a group among those that are read.
    fn node(&mut self, path: &Path) -> Result<usize, Error> {
        if let Some(&node) = self.by_path.get(path) {
            return Ok(node);
        }
        Ok(self.keep(Cgroup::open(self.hierarchies, path)?))
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
        let above =
            self.groups.iter().flat_map(|group| &group.above).map(|(_, bandwidth, _)| bandwidth.period);
        let own = self.nodes.iter().filter_map(|node| {
            let bandwidth =
                cgroup::bandwidth(node.cgroup.cpu_dir(), node.cgroup.capabilities().cpu).ok()??;
            bandwidth.quota.limited().map(|_| bandwidth.period)
        });
        above.chain(own).min().map(cgtune_core::Micros::to_nanos)
    }

    /// Whether any watched group is still there.
    #[must_use]
    pub fn anybody(&self) -> bool {
        self.groups.iter().any(|group| !self.nodes[group.node].gone)
    }

    /// Reads everything that moves fast, once. A group that has vanished is read no more.
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
                group.crew.count(&node.series, self.hierarchies.host());
            }
        }
        Ok(())
    }

    /// Ends the watch. Groups that have vanished meanwhile are not among the answers.
    ///
    /// # Errors
    /// A file that cannot be read or understood.
    pub fn finish(self) -> Result<BTreeMap<PathBuf, Watched>, Error> {
        let Self { hierarchies, nodes, groups, top, beside, steal, .. } = self;
        let host = hierarchies.host();
        let (mut cgroups, series): (Vec<_>, Vec<_>) =
            nodes.into_iter().map(|node| ((node.cgroup, node.gone), Arc::new(node.series))).unzip();
        let now = facts::machine_time(host).map(|time| time.steal);
        let machine = Machine {
            online: facts::online_cpus(host),
            series: top.map(|top| Arc::clone(&series[top])).unwrap_or_default(),
            steal: now.zip(steal).and_then(|(now, then)| now.checked_sub(then)),
            release: facts::kernel_release_of(host),
        };
        let mut answers = BTreeMap::new();
        for group in groups {
            let (cgroup, gone) = &mut cgroups[group.node];
            if *gone {
                continue;
            }
            let observed = match cgroup.observe() {
                Ok(observed) => observed,
                Err(Error::Gone(_)) => continue,
                Err(error) => return Err(error),
            };
            let above = group.above.iter().map(|&(level, bandwidth, node)| Above {
                level,
                bandwidth,
                series: Arc::clone(&series[node]),
            });
            let watched = Watched {
                observed,
                own: Arc::clone(&series[group.node]),
                above: above.collect(),
                view_limited: hierarchies.cpu().view == View::Limited,
                idle: group.idle,
                threads: group.crew.end(cgroup, host),
                neighbours: beside.end(hierarchies, cgroup.path()),
                machine: machine.clone(),
            };
            answers.insert(cgroup.path().to_owned(), watched);
        }
        Ok(answers)
    }
}

/// Whether a group has `cpu.idle`. A kernel without the file has no idle groups.
fn is_idle(hierarchies: &Hierarchies, path: &Path) -> Result<bool, Error> {
    let hierarchy = hierarchies.cpu();
    let Some((_, file)) = hierarchy.layout.file(Knob::Idle) else { return Ok(false) };
    let Some(dir) = hierarchy.open(path)? else { return Ok(false) };
    Ok(dir.parse(file, scalar::flag)?.unwrap_or(false))
}
