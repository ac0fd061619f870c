//! All groups of a node, roughly: a look at the beginning, one in between that says which of them stand still and so deserve
//! to be watched closely, and one at the end for the rest.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::Arc,
};

use cgtune_core::{
    CpuSet, Nanos, Observed, ObservedBandwidth,
    diagnose::watched::{Above, Machine, Reading, Series, Threads, Watched},
    snapshot::CgroupId,
};

use super::threads::Roll;
use crate::{
    Error, Hierarchies, descriptors,
    detect::View,
    facts,
    scan::{Look, Scan, Seen},
};

/// How many threads of the node are looked at.
const THREADS: usize = 20_000;

/// A group's time spent standing still, so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Roughly {
    /// Its path in the cpu hierarchy.
    pub path: PathBuf,
    /// Time throttled or waiting for a CPU, whichever is more, in ms per second.
    pub stall_ms_per_s: f64,
}

#[derive(Debug)]
struct Group {
    id: CgroupId,
    bandwidth: Option<ObservedBandwidth>,
    series: Series,
    /// PSI at the first look and at the last.
    pressure: Option<(Nanos, Nanos)>,
    /// Its own threads at the beginning. `None`: they cannot be read, or the node has too many.
    own: Option<Vec<u32>>,
    /// Whether it is still there.
    here: bool,
}

/// All groups.
#[derive(Debug)]
pub struct Survey<'a> {
    hierarchies: &'a Hierarchies,
    scan: Scan,
    groups: BTreeMap<Arc<Path>, Group>,
    then: Roll,
    online: Option<CpuSet>,
}

impl<'a> Survey<'a> {
    /// Takes the first look.
    ///
    /// # Errors
    /// The top of the hierarchy cannot be read.
    pub fn begin(hierarchies: &'a Hierarchies) -> Result<Self, Error> {
        let mut survey = Self {
            hierarchies,
            scan: Scan::new(hierarchies, descriptors::raise_limit())?,
            groups: BTreeMap::new(),
            then: Roll::begin(hierarchies.host()),
            online: facts::online_cpus(hierarchies.host()),
        };
        let look = survey.scan.look()?;
        let mut left = THREADS;
        for seen in look.groups {
            let own = survey.scan.own_threads(&seen.path).filter(|own| own.len() <= left);
            for &tid in own.iter().flatten() {
                survey.then.take(hierarchies.host(), tid);
                left -= 1;
            }
            let group = Group {
                id: seen.snapshot.id,
                bandwidth: seen.bandwidth,
                series: Series { readings: vec![reading(&seen)] },
                pressure: seen.snapshot.pressure.map(|pressure| (pressure.some.total, pressure.some.total)),
                own,
                here: true,
            };
            survey.groups.insert(seen.path, group);
        }
        Ok(survey)
    }

    /// How many groups there were.
    #[must_use]
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether there was none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Looks again: those with threads or a limit of their own that stood still, worst first.
    ///
    /// # Errors
    /// As [`Survey::begin`].
    pub fn standing_still(&mut self) -> Result<Vec<Roughly>, Error> {
        let look = self.scan.look()?;
        self.note(look);
        let (_, waited) = self.waited();
        let mut found = Vec::new();
        for (path, group) in self.groups.iter().filter(|(_, group)| group.here) {
            let seconds = group.series.wall().as_secs();
            let throttled = group.series.throttled().unwrap_or(Nanos::ZERO);
            let waited = waited.get(path).map_or(Nanos::ZERO, |threads| threads.run_delay);
            if seconds > 0.0 {
                let stall_ms_per_s = throttled.max(waited).as_secs() * 1e3 / seconds;
                found.push(Roughly { path: path.to_path_buf(), stall_ms_per_s });
            }
        }
        found.sort_by(|a, b| b.stall_ms_per_s.total_cmp(&a.stall_ms_per_s));
        Ok(found)
    }

    /// Takes the last look. Groups that have vanished meanwhile are not among the answers.
    ///
    /// # Errors
    /// As [`Survey::begin`].
    pub fn finish(mut self) -> Result<BTreeMap<PathBuf, Watched>, Error> {
        let look = self.scan.look()?;
        self.note(look);
        let (below, waited) = self.waited();
        let host = self.hierarchies.host();
        let series: HashMap<Arc<Path>, Arc<Series>> = self
            .groups
            .iter_mut()
            .map(|(path, group)| (Arc::clone(path), Arc::new(std::mem::take(&mut group.series))))
            .collect();
        let whole = self.hierarchies.cpu().view == View::Whole;
        let machine = Machine {
            online: self.online.clone(),
            series: series.get(Path::new("/")).filter(|_| whole).cloned().unwrap_or_default(),
            // What it takes is seen by those that are watched closely.
            steal: None,
            busy: Vec::new(),
            release: facts::kernel_release_of(host),
            expiry: None,
        };
        let mut answers = BTreeMap::new();
        for (path, group) in self.groups.iter().filter(|(_, group)| group.here) {
            let ancestors = (1..).zip(path.ancestors().skip(1));
            let above = ancestors.filter_map(|(level, ancestor)| {
                let bandwidth = self.groups.get(ancestor)?.bandwidth?;
                bandwidth.quota.limited()?;
                Some(Above { level, bandwidth, series: Arc::clone(series.get(ancestor)?) })
            });
            let own = group.own.as_ref();
            let watched = Watched {
                observed: Observed { bandwidth: group.bandwidth, ..Observed::default() },
                own: Arc::clone(&series[path]),
                above: above.collect(),
                view_limited: !whole,
                idle: None,
                inner: own.is_some_and(Vec::is_empty) && below.contains(path),
                threads: own
                    .and_then(|_| waited.get(path).cloned())
                    .or_else(|| own.map(|_| Threads::default())),
                pressure: group.pressure.and_then(|(then, now)| now.checked_sub(then)),
                neighbours: Vec::new(),
                machine: machine.clone(),
            };
            answers.insert(path.to_path_buf(), watched);
        }
        Ok(answers)
    }

    /// Takes the readings of a look. A group that was made anew under its name is another one.
    fn note(&mut self, look: Look) {
        self.groups.values_mut().for_each(|group| group.here = false);
        for seen in look.groups {
            if let Some(group) = self.groups.get_mut(&seen.path).filter(|group| group.id == seen.snapshot.id)
            {
                group.series.readings.push(reading(&seen));
                group.bandwidth = seen.bandwidth;
                let now = seen.snapshot.pressure.map(|pressure| pressure.some.total);
                group.pressure = group.pressure.zip(now).map(|((then, _), now)| (then, now));
                group.here = true;
            }
        }
    }

    /// What the threads of each group waited since the beginning, those of groups below it included; and the groups that
    /// have groups below.
    fn waited(&self) -> (BTreeSet<Arc<Path>>, HashMap<Arc<Path>, Threads>) {
        let mut now = Roll::begin(self.hierarchies.host());
        let mut all: HashMap<Arc<Path>, Threads> = HashMap::new();
        let mut parents = BTreeSet::new();
        for (path, group) in &self.groups {
            if let Some((above, _)) = path.parent().and_then(|above| self.groups.get_key_value(above)) {
                parents.insert(Arc::clone(above));
            }
            let (mut cpu, mut run_delay, mut looked_at) = (Nanos::ZERO, Nanos::ZERO, 0);
            for &tid in group.own.iter().flatten() {
                let since =
                    now.take(self.hierarchies.host(), tid).and_then(|times| self.then.since(tid, times));
                let Some((used, waited)) = since else { continue };
                cpu = cpu.saturating_add(used);
                run_delay = run_delay.saturating_add(waited);
                looked_at += 1;
            }
            if looked_at == 0 {
                continue;
            }
            for ancestor in path.ancestors() {
                let Some((ancestor, _)) = self.groups.get_key_value(ancestor) else { continue };
                let threads = all.entry(Arc::clone(ancestor)).or_default();
                threads.cpu = threads.cpu.saturating_add(cpu);
                threads.run_delay = threads.run_delay.saturating_add(run_delay);
                threads.count += looked_at;
                threads.looked_at += looked_at;
            }
        }
        (parents, all)
    }
}

fn reading(seen: &Seen) -> Reading {
    let snapshot = &seen.snapshot;
    Reading {
        at: snapshot.at,
        bandwidth: snapshot.stat.bandwidth,
        bursts: snapshot.stat.bursts,
        usage: snapshot.usage_total(),
        local: snapshot.local_throttled,
    }
}
