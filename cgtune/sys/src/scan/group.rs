//! One group of a scan: how its counters are reached.

use std::{path::Path, sync::Arc};

use cgtune_core::{
    Controller, Layout, Nanos, ObservedBandwidth, Snapshot,
    layout::Knob,
    parse::{cpu_stat, pressure, scalar},
    snapshot::{CgroupId, Usage},
};

use super::Seen;
use crate::{Error, Hierarchies, HostRoot, cgroup, dir::Dir, error::Shown, kept::KeptFile};

/// Links of a directory without directories in it.
pub(super) const LINKS_WITHOUT_CHILDREN: u64 = 2;

/// A group's open files.
#[derive(Debug)]
pub(super) struct Open {
    dir: Dir,
    layout: Layout,
    stat: Option<KeptFile>,
    /// On v1; on v2 it is in `stat`.
    usage: Option<KeptFile>,
    pressure: Option<KeptFile>,
}

impl Open {
    /// Opens what there is to read in a directory that is open.
    pub(super) fn new(hierarchies: &Hierarchies, path: &Path, dir: Dir) -> Result<Self, Error> {
        let layout = hierarchies.cpu().layout;
        let kept = |knob| match layout.file(knob) {
            Some((Controller::Cpu, name)) => KeptFile::open(&dir, name),
            Some((controller, name)) => {
                // A path that lies outside another controller's view is no error of this group.
                let beside = hierarchies.of(controller).and_then(|other| other.open(path).ok().flatten());
                beside.map_or(Ok(None), |dir| KeptFile::open(&dir, name))
            }
            None => Ok(None),
        };
        let stat = kept(Knob::Stat)?;
        let usage = if layout == Layout::V1 { kept(Knob::Usage).unwrap_or(None) } else { None };
        // The file may open and then fail to read: PSI is compiled in, but psi=1 was not given.
        let pressure =
            kept(Knob::Pressure)?.filter(|file| file.parse_through(&mut Vec::new(), |_| Ok(())).is_ok());
        Ok(Self { dir, layout, stat, usage, pressure })
    }

    fn descriptors(&self) -> usize {
        1 + [&self.stat, &self.usage, &self.pressure].into_iter().flatten().count()
    }

    fn snapshot(&self, id: CgroupId, host: &HostRoot, buffer: &mut Vec<u8>) -> Result<Snapshot, Error> {
        let stat = match &self.stat {
            Some(file) => file.parse_through(buffer, cpu_stat::parse)?,
            None => cpu_stat::CpuStat::default(),
        };
        // The instant belongs to the counters that rates are made of, so it is taken beside them.
        let at = host.now();
        let usage = match (stat.usage, &self.usage) {
            (Some(counters), _) => Some(counters.usage),
            (None, Some(file)) => Some(Nanos::new(file.parse_through(buffer, scalar::unsigned)?)),
            (None, None) => None,
        };
        let pressure =
            self.pressure.as_ref().map(|file| file.parse_through(buffer, pressure::parse)).transpose()?;
        Ok(Snapshot { stat, usage: usage.map(Usage::Counter), pressure, ..Snapshot::empty(at, id) })
    }

    fn bandwidth(&self) -> Result<Option<ObservedBandwidth>, Error> {
        cgroup::bandwidth(&self.dir, self.layout)
    }
}

/// A group that a scan knows.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) id: CgroupId,
    parent: Option<u64>,
    /// `None`: opened anew at each look.
    open: Option<Open>,
    /// Links of the directory when it was listed. `None`: to be listed.
    links: Option<u64>,
    bandwidth: Option<ObservedBandwidth>,
}

impl Group {
    /// A group that was found, with its first counters. It keeps its files open if there is room for so many.
    pub(super) fn new(
        id: CgroupId,
        parent: Option<u64>,
        open: Open,
        room: usize,
        host: &HostRoot,
        buffer: &mut Vec<u8>,
    ) -> Result<(Self, Snapshot), Error> {
        let snapshot = open.snapshot(id, host, buffer)?;
        let bandwidth = open.bandwidth()?;
        let open = (open.descriptors() <= room).then_some(open);
        Ok((Self { id, parent, open, links: Some(LINKS_WITHOUT_CHILDREN), bandwidth }, snapshot))
    }

    /// Its counters, and whether its directory must be listed anew.
    pub(super) fn read(
        &mut self,
        hierarchies: &Hierarchies,
        path: &Path,
        renew: bool,
        buffer: &mut Vec<u8>,
    ) -> Result<(Snapshot, bool), Error> {
        let gone = || Error::Gone(Shown(path.to_owned()));
        let reopened;
        let open = match &self.open {
            Some(open) => open,
            None => {
                let dir = hierarchies.cpu().open(path)?.ok_or_else(gone)?;
                reopened = Open::new(hierarchies, path, dir)?;
                &reopened
            }
        };
        let (inode, links) = open.dir.inode_and_links()?;
        if inode != self.id.inode {
            return Err(gone());
        }
        let snapshot = open.snapshot(self.id, hierarchies.host(), buffer)?;
        if renew {
            self.bandwidth = open.bandwidth()?;
        }
        // One link: a file system that does not count directories (a captured node on btrfs or an overlay).
        Ok((snapshot, links == 1 || self.links != Some(links)))
    }

    pub(super) fn seen(&self, path: &Arc<Path>, snapshot: Snapshot) -> Seen {
        Seen { path: Arc::clone(path), parent: self.parent, bandwidth: self.bandwidth, snapshot }
    }

    pub(super) fn listed(&mut self, links: Option<u64>) {
        self.links = links;
    }

    pub(super) fn dir(&self) -> Option<&Dir> {
        self.open.as_ref().map(|open| &open.dir)
    }

    pub(super) fn is_kept(&self) -> bool {
        self.open.is_some()
    }

    pub(super) fn descriptors(&self) -> usize {
        self.open.as_ref().map_or(0, Open::descriptors)
    }
}
