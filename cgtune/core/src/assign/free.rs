//! What is free and what has been taken so far (upstream's `cpuAccumulator`).

use crate::{
    CpuSet, Topology,
    topology::{Groups, Level},
};

/// The CPUs that may still be taken, and how many are wanted.
#[derive(Debug, Clone)]
pub(super) struct Free<'t> {
    topology: &'t Topology,
    /// For each CPU of the topology.
    is_free: Vec<bool>,
    /// For each level how many CPUs of each of its groups are free.
    counts: [Vec<usize>; 4],
    taken: CpuSet,
    needed: usize,
}

impl<'t> Free<'t> {
    /// Numbers that the topology doesn't know are left out.
    pub(super) fn new(topology: &'t Topology, available: &CpuSet, needed: usize) -> Self {
        let is_free: Vec<bool> = topology.cpus().iter().map(|cpu| available.contains(cpu.cpu)).collect();
        let counts = Level::ALL.map(|level| {
            let members = topology.groups(level).members.iter();
            members.map(|places| places.iter().filter(|&&place| is_free[place]).count()).collect()
        });
        Self { topology, is_free, counts, taken: CpuSet::new(), needed }
    }

    pub(super) const fn topology(&self) -> &'t Topology {
        self.topology
    }

    pub(super) const fn needed(&self) -> usize {
        self.needed
    }

    pub(super) const fn is_satisfied(&self) -> bool {
        self.needed == 0
    }

    /// How many are free at all.
    pub(super) fn len(&self) -> usize {
        self.counts(Level::Socket).iter().sum()
    }

    pub(super) fn into_taken(self) -> CpuSet {
        self.taken
    }

    /// How many CPUs of a group are free. Groups are counted as in [`Groups`].
    pub(super) fn count(&self, level: Level, group: usize) -> usize {
        self.counts(level)[group]
    }

    fn counts(&self, level: Level) -> &[usize] {
        &self.counts[level as usize]
    }

    fn groups(&self, level: Level) -> &'t Groups {
        self.topology.groups(level)
    }

    /// Whether all CPUs of a group are free.
    pub(super) fn is_whole(&self, level: Level, group: usize) -> bool {
        self.count(level, group) == self.groups(level).members[group].len()
    }

    /// The free CPUs of a group, as places, ascending by number.
    pub(super) fn places(&self, level: Level, group: usize) -> impl Iterator<Item = usize> + '_ {
        self.groups(level).members[group].iter().copied().filter(|&place| self.is_free[place])
    }

    /// The free CPUs of a group.
    pub(super) fn cpus(&self, level: Level, group: usize) -> CpuSet {
        self.places(level, group).map(|place| self.topology.cpus()[place].cpu).collect()
    }

    /// Takes free CPUs.
    pub(super) fn take(&mut self, places: impl IntoIterator<Item = usize>) {
        for place in places {
            debug_assert!(self.is_free[place] && self.needed > 0, "only what is free and wanted is taken");
            self.is_free[place] = false;
            for level in Level::ALL {
                let group = self.groups(level).of[place];
                self.counts[level as usize][group] -= 1;
            }
            self.taken.insert(self.topology.cpus()[place].cpu);
            self.needed -= 1;
        }
    }

    /// Takes all CPUs of those of these groups that are whole and no larger than what is still needed.
    pub(super) fn take_whole(&mut self, level: Level, groups: impl IntoIterator<Item = usize>) {
        for group in groups {
            let size = self.groups(level).members[group].len();
            if self.needed >= size && self.is_whole(level, group) {
                self.take(self.groups(level).members[group].iter().copied());
            }
        }
    }

    /// Sorts groups by the number of their free CPUs, then by their own number.
    pub(super) fn sort(&self, level: Level, groups: &mut [usize]) {
        groups.sort_by_key(|&group| (self.count(level, group), group));
    }

    /// All groups of a level that have a free CPU, sorted.
    pub(super) fn sorted(&self, level: Level) -> Vec<usize> {
        let mut groups: Vec<usize> =
            (0..self.groups(level).ids.len()).filter(|&group| self.count(level, group) > 0).collect();
        self.sort(level, &mut groups);
        groups
    }

    /// The groups of one level inside those of another: for each of the outer ones, in their order, the inner ones that have
    /// a free CPU there, sorted by all of their free CPUs. One that lies in several comes where it comes first.
    pub(super) fn sorted_inside(&self, outer_level: Level, outer: &[usize], level: Level) -> Vec<usize> {
        let mut met = vec![false; self.groups(level).ids.len()];
        let mut all = Vec::new();
        for &group in outer {
            let mut inside = Vec::new();
            for place in self.places(outer_level, group) {
                let inner = self.groups(level).of[place];
                if !std::mem::replace(&mut met[inner], true) {
                    inside.push(inner);
                }
            }
            self.sort(level, &mut inside);
            all.extend(inside);
        }
        all
    }
}
