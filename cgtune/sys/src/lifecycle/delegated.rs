//! A v2 subtree delegated to us (`systemd-run --user --scope -p Delegate=yes`, a container with a writable cgroup).
//!
//! A group with processes in it cannot pass controllers on ("no internal processes", cgroup-v2.rst), so on entering
//! we move ourselves into a leaf beside the groups to come, and on leaving back.

use std::{
    ffi::OsString,
    io,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
};

use cgtune_core::Controller;

use super::{EnabledHere, name::GroupName, remove_dir};
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
        let membership = hierarchies.membership(None, Controller::Cpu)?;
        let path = PathBuf::from(OsString::from_vec(membership.path));
        let open = || hierarchies.cpu().open(&path)?.ok_or_else(|| Error::Gone(Shown(path.clone())));
        let dir = open()?;
        let enabled = EnabledHere::missing(open()?)?;
        let leaf = dir.path().join(GroupName::ours("self", hierarchies)?.to_string());
        std::fs::create_dir(&leaf).map_err(|source| Error::NotWritable {
            action: Action::Create,
            path: Shown(leaf.clone()),
            source,
        })?;
        // From here on dropping it undoes it.
        let mut subtree = Self { path, enabled: None, dir, leaf };
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

    /// Makes a group at a path below the subtree; its directory. What lies between gets the controllers enabled.
    pub(super) fn create(&self, relative: &Path) -> Result<PathBuf, Error> {
        let path = self.dir.path().join(relative);
        if let Some(parent) = relative.parent().filter(|parent| *parent != Path::new(""))
            && let Some(dir) = self.dir.descend(parent)?
        {
            // Dropped with the parent itself, so nothing is to be restored.
            std::mem::ManuallyDrop::new(EnabledHere::missing(dir)?).enable()?;
        }
        std::fs::create_dir(&path).map_err(|error| Error::io(Action::Create, &path, error))?;
        Ok(path)
    }
}

impl Drop for Subtree {
    fn drop(&mut self) {
        self.enabled = None;
        let _ = move_to(self.dir.path());
        let _ = remove_dir(&self.leaf);
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
