//! All groups of the cpu hierarchy, read again and again at a low price: what a table of a whole node is made of.
//!
//! A [`Scan`] keeps the descriptors of each group's counters, so that a look costs a `pread` a file. A directory is listed
//! again only when its number of links has changed or a group below it has vanished. Limits change seldom, and are read
//! when a group is new and then every [`LIMITS_EVERY`] looks. Beyond a budget of descriptors, groups are opened, read and
//! closed at each look.
//!
//! Not here: rates ([`cgtune_core::Interval`]), and watching few groups closely ([`watch`](crate::watch)).

mod crew;
mod group;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use cgtune_core::{Nanos, ObservedBandwidth, Snapshot, snapshot::CgroupId};

pub use crew::ThreadTimes;

use crate::{
    Error, Hierarchies, HostRoot,
    error::Shown,
    members,
    scan::group::{Group, Open},
};

/// How many looks apart a group's limit is read. In each look it is another part's turn.
pub const LIMITS_EVERY: u64 = 5;
/// The most descriptors that are kept, however many the process may have: for each the kernel keeps a page of buffer
/// (`seq_read_iter`, fs/seq_file.c, 6.12), so these are 64 MiB.
const MOST_KEPT: usize = 16_384;
/// What is left to the rest of the process: terminal, threads, groups that are watched closely.
const LEFT_FREE: usize = 512;

/// All groups under the eyes of one reader.
#[derive(Debug)]
pub struct Scan {
    hierarchies: Hierarchies,
    boot: [u8; 16],
    groups: BTreeMap<Arc<Path>, Group>,
    budget: usize,
    kept: usize,
    looks: u64,
    buffer: Vec<u8>,
}

/// One group at one look.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Its path in the cpu hierarchy.
    pub path: Arc<Path>,
    /// The inode of the group above; `None` for the top of what is visible.
    pub parent: Option<u64>,
    /// Its limit, as old as [`LIMITS_EVERY`] looks. `None`: no bandwidth files here.
    pub bandwidth: Option<ObservedBandwidth>,
    /// Its counters. Usage is absent where no file counts it (v1 without cpuacct).
    pub snapshot: Snapshot,
}

/// All groups at one look.
#[derive(Debug)]
pub struct Look {
    /// When it began.
    pub at: Nanos,
    /// How long it took.
    pub took: Nanos,
    /// Every group that is there, ordered by path: parents before children.
    pub groups: Vec<Seen>,
    /// Groups that were opened, read and closed, beyond the budget of descriptors.
    pub reopened: usize,
    /// Groups that are there and could not be read.
    pub unreadable: usize,
    /// Why the first of those could not.
    pub why: Option<Error>,
}

impl Scan {
    /// Looks at nothing yet.
    ///
    /// `descriptors`: how many files the process may have open ([`raise_limit`](crate::descriptors::raise_limit)).
    ///
    /// # Errors
    /// A boot id that cannot be read.
    pub fn new(hierarchies: &Hierarchies, descriptors: u64) -> Result<Self, Error> {
        let most = usize::try_from(descriptors).unwrap_or(usize::MAX);
        Ok(Self {
            boot: hierarchies.boot_id()?,
            hierarchies: hierarchies.clone(),
            groups: BTreeMap::new(),
            budget: most.saturating_sub(LEFT_FREE).min(MOST_KEPT),
            kept: 0,
            looks: 0,
            buffer: Vec::new(),
        })
    }

    /// Reads every group's counters once. Those that have vanished are not among them, those that are new are.
    ///
    /// # Errors
    /// The top of the hierarchy cannot be read.
    pub fn look(&mut self) -> Result<Look, Error> {
        let at = self.host().now();
        self.looks += 1;
        let mut look =
            Look { at, took: Nanos::ZERO, groups: Vec::new(), reopened: 0, unreadable: 0, why: None };
        look.groups.reserve(self.groups.len());
        let mut to_list = self.read_known(&mut look);
        let top: Arc<Path> = self.hierarchies.cpu().root.as_path().into();
        if !self.groups.contains_key(&top) {
            let dir =
                self.hierarchies.cpu().open(&top)?.ok_or_else(|| Error::Gone(Shown(top.to_path_buf())))?;
            self.admit(&top, None, dir, &mut look)?;
            to_list.push(top);
        }
        let known = look.groups.len();
        while let Some(path) = to_list.pop() {
            let listed = self.list(&path, &mut look, &mut to_list);
            note(&mut look, listed.map(|()| true));
        }
        if look.groups.len() > known {
            look.groups.sort_by(|a, b| a.path.cmp(&b.path));
        }
        look.took = self.host().now().checked_sub(at).unwrap_or(Nanos::ZERO);
        Ok(look)
    }

    /// Reads the groups that were there before; gives those whose directory must be listed anew.
    fn read_known(&mut self, look: &mut Look) -> Vec<Arc<Path>> {
        let (mut to_list, mut gone) = (Vec::new(), Vec::new());
        for (place, (path, group)) in self.groups.iter_mut().enumerate() {
            let renew = (self.looks + place as u64).is_multiple_of(LIMITS_EVERY);
            look.reopened += usize::from(!group.is_kept());
            match group.read(&self.hierarchies, path, renew, &mut self.buffer) {
                Ok((snapshot, listing)) => {
                    if listing {
                        to_list.push(Arc::clone(path));
                    }
                    look.groups.push(group.seen(path, snapshot));
                }
                Err(Error::Gone(_)) => gone.push(Arc::clone(path)),
                failed => {
                    note(look, failed.map(|_| true));
                }
            }
        }
        for path in gone {
            if let Some(group) = self.groups.remove(&path) {
                self.kept -= group.descriptors();
            }
            // Another may have been made under the name since, which leaves the number of links as it was.
            if let Some((above, _)) = path.parent().and_then(|above| self.groups.get_key_value(above))
                && !to_list.contains(above)
            {
                to_list.push(Arc::clone(above));
            }
        }
        to_list
    }

    /// Finds groups that are new in a directory.
    fn list(&mut self, path: &Arc<Path>, look: &mut Look, to_list: &mut Vec<Arc<Path>>) -> Result<(), Error> {
        let Some(group) = self.groups.get(path) else { return Ok(()) };
        let parent = Some(group.id.inode);
        let opened;
        let dir = match group.dir() {
            Some(dir) => dir,
            None => {
                let Some(dir) = self.hierarchies.cpu().open(path)? else { return Ok(()) };
                opened = dir;
                &opened
            }
        };
        // Before the list: what is added meanwhile is then found at the next look.
        let (_, links) = dir.inode_and_links()?;
        let mut new = Vec::new();
        for name in dir.children()? {
            let path: Arc<Path> = path.join(&name).into();
            if !self.groups.contains_key(&path)
                && let Some(child) = dir.child(&name)?
            {
                new.push((path, child));
            }
        }
        let mut all = true;
        for (path, dir) in new {
            let admitted = self.admit(&path, parent, dir, look);
            all &= matches!(admitted, Ok(_) | Err(Error::Gone(_)));
            if note(look, admitted) {
                to_list.push(path);
            }
        }
        // What could not be read is tried again at the next look.
        if let Some(group) = self.groups.get_mut(path) {
            group.listed(all.then_some(links));
        }
        Ok(())
    }

    /// Takes a group in; gives whether it has groups below it.
    fn admit(
        &mut self,
        path: &Arc<Path>,
        parent: Option<u64>,
        dir: crate::dir::Dir,
        look: &mut Look,
    ) -> Result<bool, Error> {
        let (inode, links) = dir.inode_and_links()?;
        let id = CgroupId { inode, boot: self.boot };
        let open = Open::new(&self.hierarchies, path, dir)?;
        let room = self.budget - self.kept;
        let (group, snapshot) =
            Group::new(id, parent, open, room, self.hierarchies.host(), &mut self.buffer)?;
        look.reopened += usize::from(!group.is_kept());
        look.groups.push(group.seen(path, snapshot));
        self.kept += group.descriptors();
        self.groups.insert(Arc::clone(path), group);
        Ok(links != group::LINKS_WITHOUT_CHILDREN)
    }

    /// The threads in a group and in those below it. `None`: more than `most`, gone, or not in our pid namespace.
    #[must_use]
    pub fn threads(&self, path: &Path, most: usize) -> Option<Vec<ThreadTimes>> {
        let below =
            self.groups.range::<Path, _>((std::ops::Bound::Included(path), std::ops::Bound::Unbounded));
        let below = below.take_while(|(other, _)| other.starts_with(path));
        crew::of(below.map(|(path, group)| (&**path, group)), &self.hierarchies, most)
    }

    /// The ids of the threads in a group, without those below it. `None`: gone, or not in our pid namespace.
    #[must_use]
    pub fn own_threads(&self, path: &Path) -> Option<Vec<u32>> {
        let ids = crew::ids(path, self.groups.get(path)?, &self.hierarchies);
        members::together(std::iter::once(ids), usize::MAX)
    }

    /// The node that is read.
    #[must_use]
    pub fn host(&self) -> &HostRoot {
        self.hierarchies.host()
    }

    /// How many descriptors are kept.
    #[must_use]
    pub fn descriptors(&self) -> usize {
        self.kept
    }
}

/// Counts a group that could not be read; one that vanished simply leaves.
fn note(look: &mut Look, result: Result<bool, Error>) -> bool {
    match result {
        Ok(answer) => answer,
        Err(Error::Gone(_)) => false,
        Err(error) => {
            look.unreadable += 1;
            look.why.get_or_insert(error);
            false
        }
    }
}
