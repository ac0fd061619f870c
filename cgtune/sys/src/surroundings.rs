//! What the kernel compares a group with before it takes a value, read from the groups around it.

use cgtune_core::{
    CpuSet, Layout, ObservedBandwidth, Ratio,
    layout::Knob,
    parse::{lists, scalar},
    plan::{CpusetSurroundings, ListSurroundings},
};

use crate::{
    HostRoot,
    cgroup::{bandwidth, parsed},
    dir::Dir,
    error::Error,
    facts, members,
};

/// Whether a directory is the top of its hierarchy, also where it is mounted under another name: only there v1 has
/// `release_agent`, and only there v2 lacks `cgroup.type`.
pub(crate) fn is_root(dir: &Dir, layout: Layout) -> bool {
    match layout {
        Layout::V1 => dir.has("release_agent"),
        Layout::V2 => !dir.has("cgroup.type"),
    }
}

/// The largest ratio among the nearest descendants that have a quota: an unlimited group passes the question on. What is
/// `assumed` of a group goes before what it has.
pub(crate) fn largest_below(
    dir: &Dir,
    layout: Layout,
    assumed: &dyn Fn(&Dir) -> Option<ObservedBandwidth>,
) -> Result<Option<Ratio>, Error> {
    let mut largest = None;
    let mut open = children(dir)?;
    while let Some(child) = open.pop() {
        match assumed(&child).map_or_else(|| bandwidth(&child, layout), |assumed| Ok(Some(assumed))) {
            Ok(found) => match found.and_then(|bandwidth| bandwidth.ratio()) {
                Some(ratio) => largest = largest.max(Some(ratio)),
                None => open.extend(children(&child)?),
            },
            Err(Error::Gone(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(largest)
}

/// The groups directly inside; none once the group is gone.
fn children(dir: &Dir) -> Result<Vec<Dir>, Error> {
    let names = match dir.children() {
        Err(Error::Gone(_)) => return Ok(Vec::new()),
        other => other?,
    };
    names.iter().filter_map(|name| dir.child(name).transpose()).collect()
}

/// What lies around a cpuset. `parent`: the group above, where that can be seen.
pub(crate) fn of_cpuset(
    dir: &Dir,
    parent: Option<&Dir>,
    layout: Layout,
    host: &HostRoot,
) -> Result<CpusetSurroundings, Error> {
    let inside = children(dir)?;
    let own = dir.inode()?;
    let mut beside = parent.map(children).transpose()?.unwrap_or_default();
    let mut kept = Vec::new();
    for sibling in beside.drain(..) {
        if sibling.inode()? != own {
            kept.push(sibling);
        }
    }
    let around =
        |knob, exclusive: &'static str, possible: Option<CpuSet>| -> Result<ListSurroundings, Error> {
            let file = layout.file(knob).map(|(_, name)| name);
            let list = |dir: &Dir| match parsed(dir, file, lists::parse) {
                Err(Error::Gone(_)) => Ok(CpuSet::new()),
                other => other.map(Option::unwrap_or_default),
            };
            let union = |dirs: &mut dyn Iterator<Item = &Dir>| -> Result<CpuSet, Error> {
                let mut all = CpuSet::new();
                for dir in dirs {
                    all = all.iter().chain(list(dir)?.iter()).collect();
                }
                Ok(all)
            };
            let flag = |dir: &Dir| matches!(parsed(dir, Some(exclusive), scalar::flag), Ok(Some(true)));
            let ours_is_exclusive = flag(dir);
            let above = parent.map(list).transpose()?;
            // Where something cannot be seen there is nothing to check, and the kernel has the word.
            let possible = match (possible, &above) {
                (Some(possible), _) => possible,
                (None, Some(above)) => above.clone(),
                (None, None) => list(dir)?,
            };
            Ok(ListSurroundings {
                parent: above.unwrap_or_else(|| possible.clone()),
                possible,
                children: union(&mut inside.iter())?,
                exclusive: union(&mut kept.iter().filter(|sibling| ours_is_exclusive || flag(sibling)))?,
            })
        };
    Ok(CpusetSurroundings {
        cpus: around(Knob::Cpus, "cpuset.cpu_exclusive", facts::possible_cpus(host))?,
        mems: around(Knob::Mems, "cpuset.mem_exclusive", facts::memory_nodes(host))?,
        tasks: members::ids(dir, "cgroup.procs").is_ok_and(|ids| !ids.is_empty()),
        root: is_root(dir, layout),
    })
}
