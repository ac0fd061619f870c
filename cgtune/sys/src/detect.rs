//! Where each controller lives. Per controller, never per machine: a host may keep cpu on v1 and have v2 beside it.

use std::{
    ffi::OsString,
    os::unix::ffi::OsStringExt as _,
    path::{Component, Path, PathBuf},
};

use cgtune_core::{
    Controller, Layout,
    parse::{
        ParseError,
        mountinfo::{self, CgroupMount},
        proc_cgroup,
    },
};

use crate::{
    dir::Dir,
    error::{Action, Error, Shown},
    host::HostRoot,
    members,
    tape::Tape,
};

/// How much of a hierarchy is visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// All of it: the mount point is its root.
    Whole,
    /// Only a subtree: a bind mount or a cgroup namespace. Limits above are invisible, which is not "no limit".
    Limited,
}

/// A hierarchy as mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hierarchy {
    /// Where, as reached from here.
    pub mount_point: PathBuf,
    /// Which of its groups is at the mount point.
    pub root: PathBuf,
    /// Where our cgroup namespace begins in it, when it was mounted outside that namespace: to what `/proc/<pid>/cgroup`
    /// says paths are relative there. `None` otherwise, and where it could not be found out.
    pub namespace: Option<PathBuf>,
    /// v1 or v2.
    pub layout: Layout,
    /// How much of it is visible.
    pub view: View,
    /// The tape of the node that it belongs to.
    tape: Option<Tape>,
}

impl Hierarchy {
    /// Opens a group by its path in this hierarchy. `None`: there is none.
    ///
    /// # Errors
    /// A malformed path, one outside the mount, the kernel's refusal.
    pub fn open(&self, path: &Path) -> Result<Option<Dir>, Error> {
        let outside = || Error::OutsideView { path: Shown(path.to_owned()), root: Shown(self.root.clone()) };
        if !path.is_absolute() {
            return Err(Error::BadPath(Shown(path.to_owned())));
        }
        // The kernel itself prints "/.." for a group above our cgroup namespace.
        if path.components().any(|component| component == Component::ParentDir) {
            return Err(if path.starts_with("/..") {
                outside()
            } else {
                Error::BadPath(Shown(path.to_owned()))
            });
        }
        let below = path.strip_prefix(&self.root).map_err(|_| outside())?;
        self.top()?.descend(below)
    }

    /// The group at the mount point.
    pub(crate) fn top(&self) -> Result<Dir, Error> {
        Ok(Dir::open_mount(&self.mount_point)?.on(self.tape.as_ref()))
    }

    /// A path as `/proc/<pid>/cgroup` shows it to us, as a path of this hierarchy.
    fn resolve(&self, shown: &Path) -> PathBuf {
        let Some(namespace) = &self.namespace else { return shown.to_owned() };
        let (up, rest) = way(shown);
        namespace
            .ancestors()
            .nth(up)
            .map_or_else(|| shown.to_owned(), |from| from.iter().chain(rest).collect())
    }

    /// Visits every group that can be seen, parents before children, siblings by name. One that vanishes meanwhile is
    /// passed over.
    pub(crate) fn walk(&self, mut visit: impl FnMut(&Path, &Dir)) -> Result<(), Error> {
        let mut open = vec![(self.root.clone(), self.top()?)];
        while let Some((path, dir)) = open.pop() {
            visit(&path, &dir);
            let names = match dir.children() {
                Err(Error::Gone(_)) => continue,
                names => names?,
            };
            for name in names.into_iter().rev() {
                if let Some(child) = dir.child(&name)? {
                    open.push((path.join(&name), child));
                }
            }
        }
        Ok(())
    }

    /// Finds out [`Hierarchy::namespace`]: the group that lists us, less the way that we are shown from there.
    fn find_namespace(&self, shown: &Path) -> Result<Option<PathBuf>, Error> {
        let ours = std::process::id();
        let mut found = None;
        self.walk(|path, dir| {
            if found.is_none() && members::ids(dir, "cgroup.procs").is_ok_and(|ids| ids.contains(&ours)) {
                found = Some(path.to_owned());
            }
        })?;
        let (up, rest) = way(shown);
        let began = |path: PathBuf| path.ancestors().nth(rest.components().count()).map(Path::to_owned);
        Ok(found.filter(|path| up == 0 && path.ends_with(rest)).and_then(began))
    }
}

/// Takes `/../../a` apart: two levels up, then `a`. So the kernel shows, in a cgroup namespace, what lies outside it
/// (`cgroup_path_ns`, kernel/cgroup/cgroup.c).
fn way(shown: &Path) -> (usize, &Path) {
    let mut rest = shown.strip_prefix("/").unwrap_or(shown);
    let mut up = 0;
    while let Ok(deeper) = rest.strip_prefix("..") {
        (rest, up) = (deeper, up + 1);
    }
    (up, rest)
}

/// The hierarchies of the controllers that matter here.
#[derive(Debug, Clone)]
pub struct Hierarchies {
    host: HostRoot,
    cpu: Hierarchy,
    cpuacct: Option<Hierarchy>,
    cpuset: Option<Hierarchy>,
}

impl Hierarchies {
    /// Looks at the mounts.
    ///
    /// # Errors
    /// [`Error::NoController`] when no visible hierarchy carries cpu; a mountinfo that cannot be read.
    pub fn detect(host: HostRoot) -> Result<Self, Error> {
        let (path, bytes) = host.mounts();
        let bytes = bytes.map_err(|e| Error::io(Action::Read, &path, e))?;
        let mounts =
            mountinfo::parse(&bytes).map_err(|source| Error::Format { path: Shown(path), source })?;
        let find = |controller| find(&host, &mounts, controller);
        let cpu = find(Controller::Cpu)?.ok_or(Error::NoController(Controller::Cpu))?;
        let cpuacct = find(Controller::Cpuacct)?;
        let cpuset = find(Controller::Cpuset)?;
        Ok(Self { host, cpu, cpuacct, cpuset })
    }

    /// The hierarchy of a controller; `None` where it is not mounted (or, cpuacct on v2, does not exist).
    #[must_use]
    pub fn of(&self, controller: Controller) -> Option<&Hierarchy> {
        match controller {
            Controller::Cpu => Some(&self.cpu),
            Controller::Cpuacct => self.cpuacct.as_ref(),
            Controller::Cpuset => self.cpuset.as_ref(),
        }
    }

    /// The hierarchy of the cpu controller, without which there is nothing to see.
    #[must_use]
    pub fn cpu(&self) -> &Hierarchy {
        &self.cpu
    }

    /// The host's root.
    #[must_use]
    pub fn host(&self) -> &HostRoot {
        &self.host
    }

    /// Identity of the present boot.
    ///
    /// # Errors
    /// A file that cannot be read or is no UUID.
    pub fn boot_id(&self) -> Result<[u8; 16], Error> {
        const FILE: &str = "/proc/sys/kernel/random/boot_id";
        let path = self.host.join(FILE);
        let text = self.host.read_to_string(FILE).map_err(|e| Error::io(Action::Read, &path, e))?;
        let digits: String = text.trim_end().chars().filter(|&c| c != '-').collect();
        let number = (digits.len() == 32).then(|| u128::from_str_radix(&digits, 16).ok()).flatten();
        number.map(u128::to_be_bytes).ok_or_else(|| Error::Format {
            path: Shown(path),
            source: ParseError::new("a UUID", text.as_bytes()),
        })
    }

    /// Visits every group of the cpu hierarchy that can be seen, parents before children, siblings by name. One that
    /// vanishes meanwhile is passed over.
    ///
    /// # Errors
    /// The kernel's refusal to list a directory.
    pub fn walk(&self, visit: impl FnMut(&Path, &Dir)) -> Result<(), Error> {
        self.cpu.walk(visit)
    }

    /// In which group of a controller's hierarchy a process is. `None` for the pid: we ourselves.
    ///
    /// # Errors
    /// [`Error::NoSuchProcess`]; a file that cannot be read; [`Error::NoController`] when it has no line for it.
    pub fn membership(&self, pid: Option<u32>, controller: Controller) -> Result<PathBuf, Error> {
        let hierarchy = self.of(controller).ok_or(Error::NoController(controller))?;
        Ok(hierarchy.resolve(&shown_membership(&self.host, pid, controller, hierarchy.layout)?))
    }
}

/// The path that the kernel shows us for a process, which is relative to our cgroup namespace.
fn shown_membership(
    host: &HostRoot,
    pid: Option<u32>,
    controller: Controller,
    layout: Layout,
) -> Result<PathBuf, Error> {
    let who = pid.map_or_else(|| "self".to_owned(), |pid| pid.to_string());
    let file = format!("/proc/{who}/cgroup");
    let path = host.join(&file);
    let bytes = match (host.read(file), pid) {
        (Ok(bytes), _) => bytes,
        // ESRCH: the process ended between open and read.
        (Err(e), Some(pid))
            if e.kind() == std::io::ErrorKind::NotFound || e.raw_os_error() == Some(nix::libc::ESRCH) =>
        {
            return Err(Error::NoSuchProcess(pid));
        }
        (Err(e), _) => return Err(Error::io(Action::Read, path, e)),
    };
    let lines = proc_cgroup::parse(&bytes).map_err(|source| Error::Format { path: Shown(path), source })?;
    lines
        .into_iter()
        .find(|line| match layout {
            Layout::V1 => line.controllers.iter().any(|name| name == controller.name()),
            Layout::V2 => line.hierarchy == 0,
        })
        .map(|line| PathBuf::from(OsString::from_vec(line.path)))
        .ok_or(Error::NoController(controller))
}

fn find(host: &HostRoot, mounts: &[CgroupMount], controller: Controller) -> Result<Option<Hierarchy>, Error> {
    // The same hierarchy may be mounted several times: its own root first, writable first.
    let mut carriers: Vec<&CgroupMount> = Vec::new();
    for mount in mounts {
        let carries = match mount.layout {
            Layout::V1 => mount.controllers.contains(&controller),
            Layout::V2 => {
                carries_v2(host, &mount.mount_point, controller)
                    || (controller == Controller::Cpu && withholds_cpu(host, &mount.mount_point))
            }
        };
        if carries {
            carriers.push(mount);
        }
    }
    carriers.sort_by_key(|mount| (mount.root != Path::new("/"), mount.read_only));
    let Some(mount) = carriers.first() else { return Ok(None) };
    let mount_point = host.join(&mount.mount_point);
    let tape = host.tape().cloned();
    let dir = Dir::open_mount(&mount_point)?.on(tape.as_ref());
    // Only levels up: the group in which our cgroup namespace lies, as on the host's mount seen from a pod. Its own
    // name is not shown, and "/" serves as well as any.
    let (up, rest) = way(&mount.root);
    let above = up > 0 && rest == Path::new("");
    let root = if above { PathBuf::from("/") } else { mount.root.clone() };
    // Files that only the root of a hierarchy has (v1), or that only it lacks (v2: cgroup.type is CFTYPE_NOT_ON_ROOT).
    let whole = match mount.layout {
        Layout::V1 => root == Path::new("/") && dir.has("cgroup.sane_behavior"),
        Layout::V2 => root == Path::new("/") && !dir.has("cgroup.type"),
    };
    let view = if whole { View::Whole } else { View::Limited };
    let mut hierarchy = Hierarchy { mount_point, root, namespace: None, layout: mount.layout, view, tape };
    if above {
        let shown = shown_membership(host, None, controller, mount.layout)?;
        hierarchy.namespace = hierarchy.find_namespace(&shown)?;
    }
    Ok(Some(hierarchy))
}

/// Whether a v2 mount has a controller to give. cpuacct has no v2 form: usage is in `cpu.stat` there.
fn carries_v2(host: &HostRoot, mount_point: &Path, controller: Controller) -> bool {
    host.read_to_string(mount_point.join("cgroup.controllers"))
        .is_ok_and(|names| names.split_whitespace().any(|name| name == controller.name()))
}

/// Whether a v2 mount shows a subtree to which cpu has not been passed on (a rootless container): there is no quota to set in
/// it, but usage and pressure are there. Where v1 has the controller, v2 has nothing to withhold.
fn withholds_cpu(host: &HostRoot, mount_point: &Path) -> bool {
    let on_v1 = shown_membership(host, None, Controller::Cpu, Layout::V1);
    host.exists(mount_point.join("cgroup.type")) && matches!(on_v1, Err(Error::NoController(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_above_our_namespace_is_found_from_where_that_begins() {
        let hierarchy = Hierarchy {
            mount_point: "/sys/fs/cgroup".into(),
            root: "/".into(),
            namespace: Some("/kubepods/pod1/a".into()),
            layout: Layout::V2,
            view: View::Whole,
            tape: None,
        };
        for (shown, path) in [
            ("/", "/kubepods/pod1/a"),
            ("/b/c", "/kubepods/pod1/a/b/c"),
            ("/../b", "/kubepods/pod1/b"),
            ("/../../../init.scope", "/init.scope"),
            ("/../../..", "/"),
            ("/../../../..", "/../../../.."),
        ] {
            assert_eq!(hierarchy.resolve(Path::new(shown)), Path::new(path), "{shown}");
        }
        let whole = Hierarchy { namespace: None, ..hierarchy };
        assert_eq!(whole.resolve(Path::new("/../b")), Path::new("/../b"), "outside stays outside");
    }
}
