//! Cgroups that we make, and remove whatever happens.
//!
//! A [`Workshop`] is a place where groups may be made: the root of the hierarchies (root user), or the v2 subtree
//! delegated to us. Its groups are named `cgtune.<boot>.<pid>.<start>-<what>`, so that what a killed run left
//! behind is recognised, and removed by the next.
//!
//! At the standard mounts cgroups-rs creates and removes (each v1 controller, or the unified hierarchy); in a
//! delegated subtree, which it cannot address, we do.

mod delegated;
mod name;

use std::{
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

use cgroups_rs::fs::{Cgroup as Standard, hierarchies};
use cgtune_core::{Controller, Layout};

use crate::{
    Cgroup, Error, Hierarchies,
    detect::View,
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
        /// What the v2 root's `cgroup.subtree_control` lacked before we came.
        enabled: Option<EnabledHere>,
    },
    /// A v2 subtree that is ours.
    Subtree(Subtree),
}

/// Controllers that we enabled below a v2 group and disable when we leave.
#[derive(Debug)]
struct EnabledHere {
    dir: Dir,
    names: Vec<&'static str>,
}

impl EnabledHere {
    /// Notes which of the controllers are not enabled yet.
    fn missing(dir: Dir) -> Result<Self, Error> {
        let enabled = words(&dir, "cgroup.subtree_control")?;
        let offered = words(&dir, "cgroup.controllers")?;
        if !offered.iter().any(|name| name == Controller::Cpu.name()) {
            return Err(Error::NotDelegated(Shown(dir.path().to_owned())));
        }
        let names = [Controller::Cpu, Controller::Cpuset]
            .into_iter()
            .map(Controller::name)
            .filter(|name| offered.iter().any(|o| o == name) && !enabled.iter().any(|e| e == name))
            .collect();
        Ok(Self { dir, names })
    }

    fn enable(&self) -> Result<(), Error> {
        self.names.iter().try_for_each(|name| self.dir.write("cgroup.subtree_control", &format!("+{name}")))
    }
}

impl Drop for EnabledHere {
    fn drop(&mut self) {
        // Another run may still need them here.
        let others =
            self.dir.children().is_ok_and(|names| names.iter().any(|name| GroupName::parse(name).is_some()));
        if !others {
            for name in &self.names {
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
                let enabled = match cpu.layout {
                    Layout::V1 => None,
                    Layout::V2 => Some(EnabledHere::missing(Dir::open_mount(&cpu.mount_point)?)?),
                };
                Base::Root { enabled }
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
            if let Err(source) = std::fs::create_dir(&probe) {
                return Ok(Some(Error::NotWritable { action: Action::Create, path: Shown(probe), source }));
            }
            let _ = std::fs::remove_dir(&probe);
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
        let made = match &*self.base {
            Base::Root { enabled } => {
                if let Some(enabled) = enabled {
                    enabled.enable()?;
                }
                let controllers = Controller::ALL
                    .into_iter()
                    .filter(|&controller| self.hierarchies.of(controller).is_some())
                    .map(|controller| controller.name().to_owned())
                    .collect();
                Made::Standard(
                    Standard::new_with_specified_controllers(
                        hierarchies::auto(),
                        relative,
                        Some(controllers),
                    )
                    .map_err(|error| Error::io(Action::Create, &path, std::io::Error::other(error)))?,
                )
            }
            Base::Subtree(subtree) => Made::Below(subtree.create(relative)?),
        };
        let mut owned = OwnedCgroup { cgroup: None, made, path: path.clone(), _base: Rc::clone(&self.base) };
        let cgroup = match Cgroup::open(&self.hierarchies, &path) {
            Ok(cgroup) => cgroup,
            Err(error) => {
                let _ = owned.dismantle();
                return Err(error);
            }
        };
        owned.cgroup = Some(cgroup);
        Ok(owned)
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
                if let Ok(Some(group)) = dir.child(&name) {
                    for pid in members::ids(&group, "cgroup.procs").unwrap_or_default() {
                        process::kill_now(pid);
                    }
                }
                let _ = remove_dir(&dir.path().join(&name));
            }
        }
    }
}

/// How a group was made, and so how it is removed.
#[derive(Debug)]
enum Made {
    Standard(Standard),
    Below(PathBuf),
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
        if let Some(cgroup) = self.cgroup.take() {
            for pid in members::ids(cgroup.cpu_dir(), "cgroup.procs").unwrap_or_default() {
                process::kill_now(pid);
            }
        }
        match &self.made {
            Made::Standard(standard) => retried(|| {
                standard
                    .delete()
                    .map_err(|error| Error::io(Action::Remove, &self.path, std::io::Error::other(error)))
            }),
            Made::Below(path) => retried(|| remove_dir(path)),
        }
    }
}

impl Drop for OwnedCgroup {
    fn drop(&mut self) {
        if self.cgroup.is_some() {
            let _ = self.dismantle();
        }
    }
}

fn remove_dir(path: &Path) -> Result<(), Error> {
    match std::fs::remove_dir(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io(Action::Remove, path, error))
        }
        _ => Ok(()),
    }
}

/// A killed process leaves its groups a moment after it is reaped (css_set release), until when removal is EBUSY.
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
