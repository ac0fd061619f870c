//! What is known about all groups, tick by tick. Pure: it reads no clock and no file.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
};

use cgtune_core::{Interval, Micros, Nanos, ObservedBandwidth, Snapshot, text::Escaped};
use cgtune_sys::scan::ThreadTimes;

use super::{
    causes::{Told, Verdicts},
    crew::Crew,
    history::History,
    names::{Known, Named},
    scanner::Tick,
};

/// One group.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) path: Arc<Path>,
    /// The path, safe to show.
    pub(crate) name: Arc<str>,
    /// Who lives there.
    pub(crate) named: Arc<Named>,
    /// What tells it from another of the same path.
    pub(crate) inode: u64,
    /// Where the group above is among the rows.
    pub(crate) parent: Option<usize>,
    pub(crate) depth: usize,
    /// Its own quota, period and burst.
    pub(crate) bandwidth: Option<ObservedBandwidth>,
    /// The smallest limit up the tree in CPUs, and the row that sets it.
    pub(crate) limit: Option<(f64, usize)>,
    /// What happened since the tick before; `None` for a group that is new.
    pub(crate) interval: Option<Interval>,
    /// Its threads and those of the groups below it, where they were read.
    pub(crate) crew: Option<Crew>,
    pub(crate) told: Told,
}

impl Row {
    /// CPUs used: by the group's counter, else by its threads.
    pub(crate) fn cpus(&self) -> Option<f64> {
        self.interval.as_ref()?.cpus_used().or_else(|| self.crew.as_ref().map(Crew::cpus))
    }

    /// CPUs used over the limit.
    pub(crate) fn used(&self) -> Option<f64> {
        Some(self.cpus()? / self.limit?.0)
    }

    /// Milliseconds throttled a second; `None` where there is nothing that could throttle.
    pub(crate) fn stall(&self) -> Option<f64> {
        self.interval.as_ref().filter(|_| self.can_throttle())?.stall_ms_per_s()
    }

    /// Whether it has a quota, or had one meanwhile: the kernel shows zeros for every other group.
    fn can_throttle(&self) -> bool {
        self.is_limited() || self.periods().is_some_and(|(_, all)| all > 0)
    }

    /// Periods that ended throttled, and active ones.
    pub(crate) fn periods(&self) -> Option<(u64, u64)> {
        self.interval.as_ref()?.bandwidth.map(|b| (b.nr_throttled, b.nr_periods))
    }

    pub(crate) fn throttled(&self) -> Option<f64> {
        self.interval.as_ref()?.throttled_ratio()
    }

    /// Milliseconds of CPU time above the quota a second.
    pub(crate) fn burst(&self) -> Option<f64> {
        let interval = self.interval.as_ref().filter(|_| self.can_throttle())?;
        Some(interval.bursts?.burst.as_secs() * 1e3 / interval.wall.as_secs())
    }

    /// Part of the time in which some task waited for a CPU.
    pub(crate) fn pressure(&self) -> Option<f64> {
        let interval = self.interval.as_ref()?;
        Some(interval.pressure?.some.as_secs() / interval.wall.as_secs())
    }

    pub(crate) fn delay(&self) -> Option<f64> {
        self.crew.as_ref().map(Crew::delay_ms_per_s)
    }

    /// Whether it has a quota of its own.
    pub(crate) fn is_limited(&self) -> bool {
        self.bandwidth.is_some_and(|bandwidth| bandwidth.quota.limited().is_some())
    }
}

/// What a group was at the tick before.
#[derive(Debug)]
struct Track {
    name: Arc<str>,
    /// As far as the path says it.
    named: Arc<Named>,
    snapshot: Snapshot,
    threads: Option<(Nanos, Vec<ThreadTimes>)>,
    history: History,
    seen: u64,
}

/// What the scan costs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cost {
    pub(crate) took: Nanos,
    pub(crate) interval: Micros,
    pub(crate) asked: Micros,
    pub(crate) reopened: usize,
    pub(crate) unreadable: usize,
    /// What else went wrong, as a sentence.
    pub(crate) trouble: Option<String>,
}

/// All groups.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// Every group at the last tick that was shown, parents before children.
    pub(crate) rows: Vec<Row>,
    /// When that was; no earlier than any reading.
    pub(crate) at: Nanos,
    pub(crate) cost: Cost,
    /// Names of threads of the group that is opened.
    pub(crate) names: HashMap<u32, Vec<u8>>,
    /// Whether the first row is the whole machine.
    pub(crate) whole: bool,
    /// CPUs that are online, where that is known.
    pub(crate) online: Option<usize>,
    tracks: HashMap<u64, Track>,
    ticks: u64,
}

impl Model {
    /// `whole`: the hierarchy is visible from its root. `asked`: the interval that was asked for.
    pub(crate) fn new(whole: bool, online: Option<usize>, asked: Micros) -> Self {
        let cost = Cost { asked, interval: asked, ..Cost::default() };
        Self { whole, online, cost, ..Self::default() }
    }

    /// Takes a tick in. With `freeze` what is shown stays as it is; the history goes on.
    pub(crate) fn take(&mut self, tick: Tick, verdicts: &Verdicts, known: &Known, freeze: bool) {
        self.ticks += 1;
        let Tick { look, interval, mut threads, names } = tick;
        let mut rows: Vec<Row> = Vec::with_capacity(look.groups.len());
        let mut places: HashMap<u64, usize> = HashMap::with_capacity(look.groups.len());
        for group in look.groups {
            let inode = group.snapshot.id.inode;
            let now = threads.remove(&group.path);
            let (interval, crew) = self.track(inode, &group.path, group.snapshot, now);
            let Some(Track { name, named, .. }) = self.tracks.get(&inode) else { continue };
            let parent = group.parent.and_then(|parent| places.get(&parent).copied());
            let place = rows.len();
            places.insert(inode, place);
            let own = group.bandwidth.as_ref().and_then(ObservedBandwidth::cpus).map(|cpus| (cpus, place));
            let above = parent.and_then(|parent| rows[parent].limit);
            // Among equals the nearest counts, as in `limit::effective`.
            let limit = match (own, above) {
                (Some(own), Some(above)) if above.0 < own.0 => Some(above),
                (own, above) => own.or(above),
            };
            rows.push(Row {
                name: Arc::clone(name),
                named: Arc::clone(known.get(&group.path).unwrap_or(named)),
                inode,
                parent,
                depth: parent.map_or(0, |parent| rows[parent].depth + 1),
                bandwidth: group.bandwidth,
                limit,
                interval,
                crew,
                told: verdicts.told.get(&group.path).copied().unwrap_or_default(),
                path: group.path,
            });
        }
        let ticks = self.ticks;
        self.tracks.retain(|_, track| track.seen == ticks);
        if freeze {
            return;
        }
        self.rows = rows;
        self.names = names;
        // The end of the look: no reading is later.
        self.at = look.at.saturating_add(look.took);
        let why = look.why.map(|error| crate::failure::sentence(&error.into()));
        self.cost = Cost {
            took: look.took,
            interval,
            asked: self.cost.asked,
            reopened: look.reopened,
            unreadable: look.unreadable,
            trouble: why.or_else(|| verdicts.trouble.clone()),
        };
    }

    /// What happened to a group since the tick before.
    fn track(
        &mut self,
        inode: u64,
        path: &Path,
        snapshot: Snapshot,
        threads: Option<(Nanos, Vec<ThreadTimes>)>,
    ) -> (Option<Interval>, Option<Crew>) {
        let fresh = |snapshot, threads, seen| Track {
            name: Escaped(path.as_os_str().as_encoded_bytes()).to_string().into(),
            named: Arc::new(Named::by_path(path)),
            snapshot,
            threads,
            history: History::default(),
            seen,
        };
        let Some(track) = self.tracks.get_mut(&inode) else {
            self.tracks.insert(inode, fresh(snapshot, threads, self.ticks));
            return (None, None);
        };
        track.seen = self.ticks;
        // Of a counter that ran backwards nothing is known at this moment; the next one is measured from here.
        let interval = Interval::between(&track.snapshot, &snapshot).ok();
        if let Some(interval) = &interval {
            track.history.push(snapshot.at, interval);
        }
        let crew = track.threads.as_ref().zip(threads.as_ref()).and_then(|((then, before), (at, now))| {
            let wall = at.checked_sub(*then)?.as_secs();
            (wall > 0.0).then(|| Crew::between(before, now, wall))
        });
        track.snapshot = snapshot;
        track.threads = threads;
        (interval, crew)
    }

    /// The minute behind a row.
    pub(crate) fn history(&self, row: &Row) -> Option<&History> {
        self.tracks.get(&row.inode).map(|track| &track.history)
    }

    /// The row with an inode.
    pub(crate) fn find(&self, inode: u64) -> Option<&Row> {
        self.rows.iter().find(|row| row.inode == inode)
    }

    /// A row and those above it, itself first.
    pub(crate) fn lineage<'m>(&'m self, row: &'m Row) -> impl Iterator<Item = &'m Row> {
        std::iter::successors(Some(row), |row| row.parent.and_then(|parent| self.rows.get(parent)))
    }

    /// The groups that stand still most, worst first: what is worth watching closely. One without a limit above others only adds
    /// up what they wait.
    pub(crate) fn worst(&self, most: usize) -> Vec<Arc<Path>> {
        let cost = |row: &Row| row.stall().unwrap_or(0.0).max(row.delay().unwrap_or(0.0));
        let parents: HashSet<usize> = self.rows.iter().filter_map(|row| row.parent).collect();
        let own = |&(place, row): &(usize, &Row)| row.is_limited() || !parents.contains(&place);
        let inner = self.rows.iter().enumerate().filter(own).map(|(_, row)| row);
        let mut worst: Vec<(f64, &Row)> =
            inner.map(|row| (cost(row), row)).filter(|(cost, _)| *cost >= 1.0).collect();
        worst.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        worst.truncate(most);
        worst.into_iter().map(|(_, row)| Arc::clone(&row.path)).collect()
    }

    /// The groups that have been throttled longest since they were made: all that one reading can tell.
    pub(crate) fn worst_ever(&self, most: usize) -> Vec<Arc<Path>> {
        let total = |row: &Row| self.tracks.get(&row.inode)?.snapshot.stat.bandwidth.map(|b| b.throttled);
        let mut worst: Vec<_> = self.rows.iter().filter_map(|row| Some((total(row)?, row))).collect();
        worst.retain(|(total, row)| *total > Nanos::ZERO && row.is_limited());
        worst.sort_by_key(|(total, _)| std::cmp::Reverse(*total));
        worst.truncate(most);
        worst.into_iter().map(|(_, row)| Arc::clone(&row.path)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cmd::top::synthetic;

    fn row<'m>(model: &'m Model, path: &str) -> &'m Row {
        model.rows.iter().find(|row| &*row.name == path).unwrap()
    }

    #[test]
    fn the_smallest_limit_up_the_tree_counts_and_among_equals_the_nearest() {
        let model = synthetic::model();
        let limit =
            |path: &str| row(&model, path).limit.map(|(cpus, by)| (cpus, model.rows[by].name.to_string()));
        assert_eq!(limit("/kubepods"), None);
        let app = "/kubepods/burstable/podweb/app";
        assert_eq!(limit(app), Some((0.44, app.to_owned())));
        let id = "/kubepods/burstable/poddb/3b2e7f9d0c1a4b5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6";
        assert_eq!(limit(id), Some((4.0, "/kubepods/burstable/poddb".to_owned())));
        assert_eq!(row(&model, app).periods(), Some((7, 10)));
        assert!((row(&model, app).stall().unwrap() - 385.0).abs() < 1e-6);
        assert_eq!(row(&model, "/kubepods").stall(), None, "nothing there could throttle");
    }

    #[test]
    fn what_is_worth_a_close_watch_is_limited_or_has_nothing_below_it() {
        let worst = synthetic::model().worst(8);
        let worst: Vec<_> = worst.iter().map(|path| path.to_str().unwrap()).collect();
        assert_eq!(worst, ["/kubepods/burstable/podweb/app", "/kubepods/burstable/podweb"]);
    }

    #[test]
    fn a_pause_freezes_what_is_shown_and_not_the_history() {
        let mut model = synthetic::model();
        let (at, rows) = (model.at, model.rows.len());
        let mut tick = synthetic::tick(140);
        tick.look.groups.pop();
        model.take(tick, &synthetic::verdicts(), &Known::new(), true);
        assert_eq!((model.at, model.rows.len()), (at, rows));
        model.take(synthetic::tick(141), &synthetic::verdicts(), &Known::new(), false);
        let app = row(&model, "/kubepods/burstable/podweb/app");
        let minute = model.history(app).unwrap().throttled(model.at, 60);
        assert_eq!(minute.iter().rev().take(40).flatten().count(), 40, "{minute:?}");
    }

    #[test]
    fn a_group_made_anew_has_no_figures_until_its_second_reading() {
        let mut model = synthetic::model();
        let mut tick = synthetic::tick(140);
        tick.look.groups[7].snapshot.id.inode = 99;
        model.take(tick, &synthetic::verdicts(), &Known::new(), false);
        let app = row(&model, "/kubepods/burstable/podweb/app");
        assert!(app.interval.is_none() && app.cpus().is_none() && app.limit.is_some());
    }
}
