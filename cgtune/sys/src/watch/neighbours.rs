//! Who else used CPU: the groups beside a watched one and beside those above it.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use cgtune_core::{
    Controller, CpuSet, Layout, Nanos, ObservedShare,
    diagnose::watched::Neighbour,
    layout::Knob,
    parse::{ParseError, cpu_stat, lists, scalar},
};

use crate::{Hierarchies, detect::Hierarchy};

/// How many groups of one parent are read.
const CHILDREN: usize = 500;
/// How many are told.
const MOST: usize = 3;

/// CPU time of all groups beside the watched ones, by parent, when the watch began.
#[derive(Debug, Default)]
pub(super) struct Beside {
    then: HashMap<PathBuf, BTreeMap<PathBuf, Nanos>>,
    /// The same at the end, read when first asked for.
    now: HashMap<PathBuf, BTreeMap<PathBuf, Nanos>>,
}

impl Beside {
    pub(super) fn begin(&mut self, hierarchies: &Hierarchies, path: &Path) {
        for parent in parents(hierarchies, path) {
            if !self.then.contains_key(parent) {
                self.then.insert(parent.to_owned(), usages(hierarchies, parent));
            }
        }
    }

    /// Those that used the most, most first, of those that may run on the same CPUs.
    pub(super) fn end(
        &mut self,
        hierarchies: &Hierarchies,
        path: &Path,
        own: Option<&CpuSet>,
    ) -> Vec<Neighbour> {
        let mut found = Vec::new();
        for parent in parents(hierarchies, path) {
            let Some(then) = self.then.get(parent) else { continue };
            let now = self.now.entry(parent.to_owned()).or_insert_with(|| usages(hierarchies, parent));
            for (other, now) in now {
                let before = then.get(other).copied().unwrap_or(Nanos::ZERO);
                if let Some(usage) = now.checked_sub(before).filter(|&usage| usage > Nanos::ZERO)
                    && !path.starts_with(other)
                {
                    found.push((other.clone(), usage));
                }
            }
        }
        found.sort_by_key(|&(_, usage)| std::cmp::Reverse(usage));
        let neighbour = |(path, usage): (PathBuf, Nanos)| {
            let cpus = cpus(hierarchies, &path);
            let apart = own.zip(cpus.as_ref()).is_some_and(|(own, cpus)| own.intersection(cpus).is_empty());
            (!apart).then(|| Neighbour {
                usage,
                share: share(hierarchies, &path),
                cpus,
                path: path.into_os_string().into_encoded_bytes(),
            })
        };
        found.into_iter().filter_map(neighbour).take(MOST).collect()
    }
}

fn parents<'p>(hierarchies: &Hierarchies, path: &'p Path) -> impl Iterator<Item = &'p Path> {
    let root = hierarchies.cpu().root.clone();
    path.ancestors().skip(1).take_while(move |above| above.starts_with(&root))
}

fn usages(hierarchies: &Hierarchies, parent: &Path) -> BTreeMap<PathBuf, Nanos> {
    let layout = hierarchies.cpu().layout;
    let hierarchy = match layout {
        Layout::V1 => hierarchies.of(Controller::Cpuacct),
        Layout::V2 => Some(hierarchies.cpu()),
    };
    let dir = hierarchy.and_then(|hierarchy| hierarchy.open(parent).ok().flatten());
    let (Some(dir), Some((_, file))) = (dir, layout.file(Knob::Usage)) else { return BTreeMap::new() };
    let names = dir.children().unwrap_or_default();
    let usage = |name: std::ffi::OsString| {
        let child = dir.child(&name).ok()??;
        let usage = match layout {
            Layout::V1 => Nanos::new(child.parse(file, scalar::unsigned).ok()??),
            Layout::V2 => child.parse(file, cpu_stat::parse).ok()??.usage?.usage,
        };
        Some((parent.join(&name), usage))
    };
    names.into_iter().take(CHILDREN).filter_map(usage).collect()
}

/// A value of a group, where it can be read.
fn read<T>(
    hierarchy: &Hierarchy,
    path: &Path,
    knob: Knob,
    parser: impl FnOnce(&[u8]) -> Result<T, ParseError>,
) -> Option<T> {
    let (_, file) = hierarchy.layout.file(knob)?;
    hierarchy.open(path).ok()??.parse(file, parser).ok()?
}

/// CPUs that a group may run on.
fn cpus(hierarchies: &Hierarchies, path: &Path) -> Option<CpuSet> {
    let cpus = read(hierarchies.of(Controller::Cpuset)?, path, Knob::EffectiveCpus, lists::parse)?;
    // Empty: nobody may run there yet, so nobody has.
    Some(cpus).filter(|cpus| !cpus.is_empty())
}

fn share(hierarchies: &Hierarchies, path: &Path) -> Option<ObservedShare> {
    let hierarchy = hierarchies.cpu();
    let number = read(hierarchy, path, Knob::Share, scalar::unsigned)?;
    Some(match hierarchy.layout {
        Layout::V1 => ObservedShare::Shares(number),
        Layout::V2 => ObservedShare::Weight(number),
    })
}
