use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use cgtune_core::Layout;
use cgtune_sys::{Hierarchies, HostRoot};
use tempfile::TempDir;

use super::Runtime;

/// Groups are named after it, the process that made them and a number.
const PREFIX: &str = "cgtune-runtimes.";

/// A bundle to make containers of, and what the machine was like before.
pub(crate) struct World {
    pub(crate) hierarchies: Hierarchies,
    /// What runtimes see as /mnt: the bundle and their state.
    pub(crate) folder: TempDir,
    /// The v2 root's `cgroup.subtree_control`, which runtimes fill with all they know.
    passed_on: Option<(PathBuf, String)>,
    // Last: one at a time where there is something to put back.
    _one: Option<MutexGuard<'static, ()>>,
}

impl World {
    pub(crate) fn new() -> Self {
        static ONE: Mutex<()> = Mutex::new(());
        let hierarchies =
            Hierarchies::detect(HostRoot::default()).expect("this test needs a mounted cpu controller");
        let unified = hierarchies.cpu().layout == Layout::V2;
        let one = unified.then(|| ONE.lock().unwrap_or_else(PoisonError::into_inner));
        let passed_on = unified.then(|| {
            let file = hierarchies.cpu().mount_point.join("cgroup.subtree_control");
            let words = fs::read_to_string(&file).unwrap();
            (file, words)
        });
        sweep();
        let folder = tempfile::tempdir().unwrap();
        for inside in ["bin", "proc", "sys", "dev"] {
            fs::create_dir_all(folder.path().join("rootfs").join(inside)).unwrap();
        }
        fs::copy(Runtime::all()[0].busybox(), folder.path().join("rootfs/bin/busybox")).unwrap();
        Self { hierarchies, folder, passed_on, _one: one }
    }

    pub(crate) fn layout(&self) -> Layout {
        self.hierarchies.cpu().layout
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let Some((file, before)) = &self.passed_on else { return };
        for word in fs::read_to_string(file).unwrap().split_whitespace() {
            if !before.split_whitespace().any(|had| had == word) {
                fs::write(file, format!("-{word}")).unwrap();
            }
        }
    }
}

/// The name of the next group.
pub(crate) fn next_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{PREFIX}{}.{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Where cgroups are mounted: runtimes make a group in each.
fn mounts() -> Vec<PathBuf> {
    let mounts = fs::read_to_string("/proc/mounts").unwrap();
    let of = |line: &str| {
        let mut words = line.split(' ').skip(1);
        let mount = words.next()?;
        words.next()?.starts_with("cgroup").then(|| mount.into())
    };
    mounts.lines().filter_map(of).collect()
}

/// Ends who is in the group and removes it, wherever it is.
pub(crate) fn clear(name: &str) {
    for directory in mounts().into_iter().map(|mount| mount.join(name)).filter(|path| path.exists()) {
        for _ in 0..5000 {
            if end_members(&directory) && fs::remove_dir(&directory).is_ok() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}

/// Whether nobody was there.
pub(crate) fn end_members(directory: &Path) -> bool {
    let members = fs::read_to_string(directory.join("cgroup.procs")).unwrap_or_default();
    for pid in members.lines().filter_map(|pid| pid.parse().ok()) {
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::SIGKILL);
    }
    members.is_empty()
}

/// Removes what a killed run left.
fn sweep() {
    for mount in mounts() {
        for entry in fs::read_dir(&mount).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap_or_default();
            let maker = name.strip_prefix(PREFIX).and_then(|rest| rest.split('.').next());
            if maker.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
                clear(&name);
            }
        }
    }
}
