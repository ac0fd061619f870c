//! Cgroups that we make, and remove whatever happens.
//!
//! A [`Workshop`] is a place where groups may be made: the root of the hierarchies (root user), or the v2 subtree
//! delegated to us. Its groups are named `cgtune.<boot>.<pid>.<start>-<what>`, so that what a killed run left
//! behind is recognised, and removed by the next.
//!
//! At the standard mounts cgroups-rs creates and removes (each v1 controller, or v2 at /sys/fs/cgroup); in a delegated
//! subtree and in a v2 hierarchy beside v1, which it cannot address, we do.

mod delegated;
mod name;

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

use cgroups_rs::fs::{Cgroup as Standard, hierarchies};
use cgtune_core::{Controller, Layout};

use crate::{
    Cgroup, Error, Hierarchies,
    detect::{Hierarchy, View},
    dir::Dir,
    error::{Action, Shown},
    members, process,
    process::Child,
    spawn::{self, Program},
};

use delegated::Subtree;
use name::GroupName;

/// A place where cgroups may be made.
#[derive(Debug)]
pub struct Workshop {
    hierarchies: Hierarchies,
    base: Rc<Base>,
}

#[derive(Debug)]
enum Base {
    /// The root of every hierarchy.
    Root {
        /// The v2 root, where a controller lives there, with what its `cgroup.subtree_control` lacked before we came.
        unified: Option<EnabledHere>,
    },
    /// A v2 subtree that is ours.
    Subtree(Subtree),
}

/// Controllers that we enable below a v2 group; those that were not enabled before are disabled when we leave.
#[derive(Debug)]
struct EnabledHere {
    dir: Dir,
    offered: Vec<&'static str>,
    missing: Vec<&'static str>,
}

impl EnabledHere {
    /// Notes which controllers there are, and which of them are not enabled yet.
    fn look(dir: Dir) -> Result<Self, Error> {
        let enabled = words(&dir, "cgroup.subtree_control")?;
        let offered = words(&dir, "cgroup.controllers")?;
        let offered: Vec<_> = [Controller::Cpu, Controller::Cpuset]
            .into_iter()
            .map(Controller::name)
            .filter(|name| offered.iter().any(|o| o == name))
            .collect();
        let missing = offered.iter().copied().filter(|name| !enabled.iter().any(|e| e == name)).collect();
        Ok(Self { dir, offered, missing })
    }

    /// Enables all of them, also those that were enabled when we came: who enabled them may have left since.
    fn enable(&self) -> Result<(), Error> {
        self.offered.iter().try_for_each(|name| self.dir.write("cgroup.subtree_control", &format!("+{name}")))
    }

    fn offers(&self, controller: Controller) -> bool {
        self.offered.contains(&controller.name())
    }

    /// Makes a group at a path below; its directory. What lies between is ours, and gets the controllers enabled.
    fn create(&self, relative: &Path) -> Result<PathBuf, Error> {
        let path = self.dir.path().join(relative);
        if let Some(parent) = relative.parent().filter(|parent| *parent != Path::new(""))
            && let Some(dir) = self.dir.descend(parent)?
        {
            let mut between = Self::look(dir)?;
            // They go with the group.
            between.missing.clear();
            between.enable()?;
        }
        std::fs::create_dir(&path).map_err(|error| Error::io(Action::Create, &path, error))?;
        Ok(path)
    }
}

impl Drop for EnabledHere {
    fn drop(&mut self) {
        // Another run may still need them here. A leaf needs none: it holds a process, perhaps ourselves, and no groups.
        let needed = |name: &OsString| GroupName::parse(name).is_some_and(|group| !group.is_leaf());
        if !self.dir.children().is_ok_and(|names| names.iter().any(needed)) {
            for name in &self.missing {
                let _ = self.dir.write("cgroup.subtree_control", &format!("-{name}"));
            }
        }
    }
}

fn words(dir: &Dir, file: &str) -> Result<Vec<String>, Error> {
    let bytes = dir.read(file)?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).split_whitespace().map(str::to_owned).collect())
}

impl Workshop {
    /// Finds a place, and removes what dead runs left there.
    ///
    /// # Errors
    /// [`Error::NotWritable`] with the file that refused, [`Error::NotDelegated`], [`Error::Occupied`].
    pub fn open(hierarchies: Hierarchies) -> Result<Self, Error> {
        let cpu = hierarchies.cpu();
        // The root of a cgroup namespace or bind mount looks like a root, but cannot pass controllers on while it has
        // processes: it is a subtree that is ours.
        let subtree = cpu.layout == Layout::V2 && cpu.view == View::Limited;
        let base = match Self::root_refuses(&hierarchies)? {
            None if subtree => Base::Subtree(Subtree::enter(&hierarchies)?),
            None => {
                let mut carriers = Controller::ALL.into_iter().filter_map(|name| hierarchies.of(name));
                let unified = carriers.find(|hierarchy| hierarchy.layout == Layout::V2);
                let open = |unified: &Hierarchy| EnabledHere::look(Dir::open_mount(&unified.mount_point)?);
                Base::Root { unified: unified.map(open).transpose()? }
            }
            Some(refusal) if cpu.layout == Layout::V2 => match Subtree::enter(&hierarchies) {
                // Where even our own group is not ours, the root's refusal is the one to tell.
                Err(Error::NotWritable { .. }) => return Err(refusal),
                subtree => Base::Subtree(subtree?),
            },
            Some(refusal) => return Err(refusal),
        };
        let workshop = Self { hierarchies, base: Rc::new(base) };
        workshop.sweep();
        Ok(workshop)
    }

    /// The hierarchies.
    #[must_use]
    pub fn hierarchies(&self) -> &Hierarchies {
        &self.hierarchies
    }

    /// Tries, in each hierarchy that a group would need, whether one could be made at the root. `None`: it could.
    fn root_refuses(hierarchies: &Hierarchies) -> Result<Option<Error>, Error> {
        let needed = Controller::ALL.into_iter().filter_map(|controller| hierarchies.of(controller));
        for hierarchy in needed {
            if hierarchy.layout == Layout::V2 && hierarchy.root != Path::new("/") {
                continue;
            }
            // Making one is the only question that no capability, mount flag or LSM can answer wrongly.
            let probe = hierarchy.mount_point.join(GroupName::ours("probe", hierarchies)?.to_string());
            match std::fs::create_dir(&probe) {
                // Another thread of ours is asking the same.
                Err(source) if source.kind() != std::io::ErrorKind::AlreadyExists => {
                    return Ok(Some(Error::NotWritable {
                        action: Action::Create,
                        path: Shown(probe),
                        source,
                    }));
                }
                Ok(()) | Err(_) => {
                    let _ = std::fs::remove_dir(&probe);
                }
            }
        }
        Ok(None)
    }

    /// Where groups go, as a path of the cpu hierarchy.
    fn base_path(&self) -> &Path {
        match &*self.base {
            Base::Root { .. } => &self.hierarchies.cpu().root,
            Base::Subtree(subtree) => subtree.path(),
        }
    }

    /// Makes a group, with cpu, cpuset where there is one, and cpuacct on v1.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn group(&self, what: &str) -> Result<OwnedCgroup, Error> {
        self.make(Path::new(&GroupName::ours(what, &self.hierarchies)?.to_string()))
    }

    /// Makes a group inside one of ours, as a container is made inside its pod. It must be removed before its parent.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn group_in(&self, parent: &OwnedCgroup, what: &str) -> Result<OwnedCgroup, Error> {
        let parent = parent.path.strip_prefix(self.base_path()).unwrap_or(&parent.path);
        self.make(&parent.join(what))
    }

    /// Makes the group at a path below the base, all but the last component of which exist.
    fn make(&self, relative: &Path) -> Result<OwnedCgroup, Error> {
        let path = self.base_path().join(relative);
        let mut owned =
            OwnedCgroup { cgroup: None, made: Made::default(), path, _base: Rc::clone(&self.base) };
        match self
            .make_all(relative, &mut owned.made)
            .and_then(|()| Cgroup::open(&self.hierarchies, &owned.path))
        {
            Ok(cgroup) => owned.cgroup = Some(cgroup),
            Err(error) => {
                let _ = owned.dismantle();
                return Err(error);
            }
        }
        Ok(owned)
    }

    /// Makes it in every hierarchy that carries a controller of ours, noting what has been made.
    fn make_all(&self, relative: &Path, made: &mut Made) -> Result<(), Error> {
        let unified = match &*self.base {
            Base::Root { unified } => unified,
            Base::Subtree(subtree) => {
                made.below = Some(subtree.create(relative)?);
                return Ok(());
            }
        };
        if let Some(unified) = unified {
            unified.enable()?;
        }
        let standard = if hierarchies::is_cgroup2_unified_mode() { Layout::V2 } else { Layout::V1 };
        let controllers: Vec<_> = Controller::ALL
            .into_iter()
            .filter(|&controller| self.hierarchies.of(controller).is_some_and(|h| h.layout == standard))
            .map(|controller| controller.name().to_owned())
            .collect();
        if !controllers.is_empty() {
            let created =
                Standard::new_with_specified_controllers(hierarchies::auto(), relative, Some(controllers));
            made.standard = Some(created.map_err(|error| {
                Error::io(Action::Create, self.base_path().join(relative), std::io::Error::other(error))
            })?);
        }
        if let Some(unified) = unified.as_ref().filter(|_| standard == Layout::V1) {
            made.below = Some(unified.create(relative)?);
        }
        Ok(())
    }

    /// Removes groups of runs that no longer live. What cannot be removed is left for the next.
    fn sweep(&self) {
        let Ok(boot) = self.hierarchies.boot_id() else { return };
        for controller in Controller::ALL {
            let Some(hierarchy) = self.hierarchies.of(controller) else { continue };
            let Ok(Some(dir)) = hierarchy.open(self.base_path()) else { continue };
            let Ok(names) = dir.children() else { continue };
            for name in names {
                let stale = GroupName::parse(&name)
                    .is_some_and(|group| !group.is_alive(boot, self.hierarchies.host()));
                if !stale {
                    continue;
                }
                let _ = retried(|| remove_tree(&dir, &name));
            }
        }
    }
}

/// How a group was made, and so how it is removed. On hybrid hosts it is made both ways.
#[derive(Debug, Default)]
struct Made {
    standard: Option<Standard>,
    below: Option<PathBuf>,
}

impl Made {
    /// Removes what is still there.
    fn remove(&mut self, path: &Path) -> Result<(), Error> {
        if let Some(standard) = &self.standard {
            standard
                .delete()
                .map_err(|error| Error::io(Action::Remove, path, std::io::Error::other(error)))?;
            self.standard = None;
        }
        if let Some(below) = &self.below {
            remove_dir(below)?;
            self.below = None;
        }
        Ok(())
    }
}

/// A cgroup that we made. Dropping it ends what still runs in it and removes it.
#[derive(Debug)]
pub struct OwnedCgroup {
    /// `None` only while it is being made.
    cgroup: Option<Cgroup>,
    made: Made,
    path: PathBuf,
    /// Keeps the place (and its enabled controllers) until the last group is gone.
    _base: Rc<Base>,
}

impl OwnedCgroup {
    /// The group.
    ///
    /// # Errors
    /// Never, once [`Workshop::group`] has returned it.
    pub fn cgroup(&mut self) -> Result<&mut Cgroup, Error> {
        self.cgroup.as_mut().ok_or_else(|| Error::Gone(Shown(self.path.clone())))
    }

    /// Starts a program inside.
    ///
    /// # Errors
    /// The kernel's refusal to let it in or to execute it.
    pub fn spawn(&mut self, program: &Program) -> Result<Child, Error> {
        let cgroup = self.cgroup()?;
        let places = cgroup.places();
        spawn::spawn(program, &places)
    }

    /// Ends what still runs inside and removes the group.
    ///
    /// # Errors
    /// The kernel's refusal.
    pub fn remove(mut self) -> Result<(), Error> {
        self.dismantle()
    }

    fn dismantle(&mut self) -> Result<(), Error> {
        let cgroup = self.cgroup.take();
        retried(|| {
            // Anew each time: what is forked between the list and the kill is in the next list.
            if let Some(cgroup) = &cgroup {
                kill_members(cgroup.cpu_dir());
            }
            self.made.remove(&self.path)
        })
    }
}

impl Drop for OwnedCgroup {
    fn drop(&mut self) {
        if self.cgroup.is_some() {
            let _ = self.dismantle();
        }
    }
}

fn kill_members(group: &Dir) {
    for pid in members::ids(group, "cgroup.procs").unwrap_or_default() {
        process::kill_now(pid);
    }
}

/// Ends what runs in a group and below, and removes them, the deepest first: a group with groups in it stays.
fn remove_tree(parent: &Dir, name: &OsStr) -> Result<(), Error> {
    let Some(group) = parent.child(name)? else { return Ok(()) };
    kill_members(&group);
    for child in group.children()? {
        remove_tree(&group, &child)?;
    }
    remove_dir(group.path())
}

fn remove_dir(path: &Path) -> Result<(), Error> {
    match std::fs::remove_dir(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io(Action::Remove, path, error))
        }
        _ => Ok(()),
    }
}

/// A killed process and an ended thread leave their groups a moment later (css_set release), until when removal is EBUSY.
fn retried(mut remove: impl FnMut() -> Result<(), Error>) -> Result<(), Error> {
    let mut wait = Duration::from_millis(1);
    loop {
        match remove() {
            Err(_) if wait < Duration::from_millis(500) => {
                std::thread::sleep(wait);
                wait *= 2;
            }
            result => return result,
        }
    }
}
