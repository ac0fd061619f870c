//! A v2 subtree delegated to us (`systemd-run --user --scope -p Delegate=yes`, a container with a writable cgroup).
//!
//! A group with processes in it cannot pass controllers on ("no internal processes", cgroup-v2.rst), so on entering
//! we move ourselves into a leaf beside the groups to come, and on leaving back.

use std::{
    io,
    path::{Path, PathBuf},
};

use cgtune_core::Controller;

use super::{EnabledHere, name::GroupName, remove_dir, retried};
use crate::{
    Error, Hierarchies,
    dir::Dir,
    error::{Action, Shown},
    members,
};

/// The subtree, with us in a leaf of it.
#[derive(Debug)]
pub(super) struct Subtree {
    path: PathBuf,
    // Dropped in this order: controllers off, then we can move back.
    enabled: Option<EnabledHere>,
    dir: Dir,
    leaf: PathBuf,
}

impl Subtree {
    pub(super) fn enter(hierarchies: &Hierarchies) -> Result<Self, Error> {
        let path = hierarchies.membership(None, Controller::Cpu)?;
        let open = || hierarchies.cpu().open(&path)?.ok_or_else(|| Error::Gone(Shown(path.clone())));
        let dir = open()?;
        // Permission first: a session's group that is root's lacks the controllers as well, which is not the point.
        let leaf = dir.path().join(GroupName::leaf(hierarchies)?.to_string());
        std::fs::create_dir(&leaf).map_err(|source| Error::NotWritable {
            action: Action::Create,
            path: Shown(leaf.clone()),
            source,
        })?;
        // From here on dropping it undoes it.
        let mut subtree = Self { path: path.clone(), enabled: None, dir, leaf };
        let enabled = EnabledHere::look(open()?)?;
        if !enabled.offers(Controller::Cpu) {
            return Err(Error::NotDelegated(Shown(subtree.dir.path().to_owned())));
        }
        let ours = std::process::id();
        let others =
            members::ids(&subtree.dir, "cgroup.procs")?.into_iter().filter(|&pid| pid != ours).count();
        if others > 0 {
            return Err(Error::Occupied { path: Shown(subtree.path.clone()), others });
        }
        move_to(&subtree.leaf)?;
        enabled.enable()?;
        subtree.enabled = Some(enabled);
        Ok(subtree)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes a group at a path below the subtree; its directory.
    pub(super) fn create(&self, relative: &Path) -> Result<PathBuf, Error> {
        self.enabled.as_ref().ok_or_else(|| Error::Gone(Shown(self.path.clone())))?.create(relative)
    }
}

impl Drop for Subtree {
    fn drop(&mut self) {
        self.enabled = None;
        let _ = move_to(self.dir.path());
        let _ = retried(|| remove_dir(&self.leaf));
    }
}

fn move_to(group: &Path) -> Result<(), Error> {
    let procs = group.join("cgroup.procs");
    std::fs::write(&procs, "0").map_err(|source: io::Error| Error::NotWritable {
        action: Action::Write("0".to_owned()),
        path: Shown(procs),
        source,
    })
}
