//! A containerd of our own, started by hand: its root, state and socket in a temporary folder, its groups below one of ours. It
//! needs root, and fails with a message without.
//!
//! Whatever it made is gone afterwards, also where a test fails: containers, processes (by id), mounts, groups.

pub(crate) mod pods;
mod programs;

use std::{
    ffi::OsString,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use nix::{
    mount::{MntFlags, umount2},
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// The image that pods and containers are made of: busybox, linked statically, and nothing else.
pub(crate) const IMAGE: &str = "cgtune.test/busybox:1";
/// Where v1 controllers are mounted; runc makes a group in each.
const MOUNTS: &str = "/sys/fs/cgroup";

/// One test at a time: the names of groups are the process's.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) struct Containerd {
    daemon: Child,
    folder: tempfile::TempDir,
    /// Where programs are looked for.
    path: OsString,
    containers: Vec<String>,
    pods: Vec<String>,
    _alone: MutexGuard<'static, ()>,
}

impl Containerd {
    pub(crate) fn start() -> Self {
        let alone = alone();
        assert!(nix::unistd::geteuid().is_root(), "this test makes containers: run it as root");
        let path = programs::path();
        let folder = tempfile::Builder::new().prefix("cgtune-containerd-").tempdir().unwrap();
        let at = folder.path().display();
        let config = format!(
            r#"
version = 2
root = "{at}/root"
state = "{at}/state"
[grpc]
  address = "{at}/socket"
[ttrpc]
  address = "{at}/ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{IMAGE}"
  restrict_oom_score_adj = true
  disable_cgroup = false
  disable_tcp_service = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{at}/cni"
    conf_dir = "{at}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        Root = "{at}/runc"
"#
        );
        fs::write(folder.path().join("config.toml"), config).unwrap();
        let log = fs::File::create(folder.path().join("log")).unwrap();
        let daemon = Command::new(programs::find("containerd", &path))
            .env("PATH", &path)
            .arg("--config")
            .arg(folder.path().join("config.toml"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut containerd =
            Self { daemon, folder, path, containers: Vec::new(), pods: Vec::new(), _alone: alone };
        containerd.wait_until_it_answers();
        containerd.import_image();
        containerd
    }

    fn wait_until_it_answers(&mut self) {
        let end = Instant::now() + Duration::from_secs(30);
        while !self.ctr_command(&["plugins", "ls"]).output().unwrap().status.success() {
            let ended = self.daemon.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < end, "containerd did not start:\n{}", self.log());
            thread::sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.path("socket")
    }

    /// The group in which all of ours lie, and below it `kubepods` as with the cgroupfs driver and a cgroupRoot.
    pub(crate) fn top() -> String {
        format!("/cgtune-names-{}", std::process::id())
    }

    /// A node's root, as a folder: this machine's /proc and /sys, and of /run only this containerd's state.
    pub(crate) fn node(&self) -> PathBuf {
        let node = self.path("node");
        fs::create_dir_all(node.join("run")).unwrap();
        for name in ["proc", "sys"] {
            symlink(Path::new("/").join(name), node.join(name)).unwrap();
        }
        symlink(self.path("state"), node.join("run/containerd")).unwrap();
        node
    }

    /// The UID of a pod of ours, which no other process's test has.
    pub(crate) fn pod_uid(number: u8) -> String {
        format!("{:08x}-6bb6-11e6-bc26-28d2444e47{number:02x}", std::process::id())
    }

    fn ctr_command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(programs::find("ctr", &self.path));
        command.arg("--address").arg(self.socket()).args(["--namespace", "k8s.io"]).args(args);
        command
    }

    fn ctr(&self, args: &[&str]) {
        let output = self.ctr_command(args).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "ctr {args:?}: {error}\n{}", self.log());
    }

    /// A root folder that holds busybox.
    fn rootfs(&self, name: &str) -> PathBuf {
        let rootfs = self.path(name);
        fs::create_dir_all(rootfs.join("bin")).unwrap();
        for folder in ["proc", "sys", "dev", "etc", "tmp"] {
            fs::create_dir_all(rootfs.join(folder)).unwrap();
        }
        fs::copy(programs::find("busybox", &self.path), rootfs.join("bin/busybox")).unwrap();
        rootfs
    }

    /// A tarball as `docker save` makes them: a layer, a configuration, and a manifest that names both.
    fn import_image(&self) {
        let rootfs = self.rootfs("layer");
        let image = self.path("image");
        fs::create_dir_all(&image).unwrap();
        let run = |command: &mut Command| {
            let output = command.output().unwrap();
            assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        let layer = image.join("layer.tar");
        run(Command::new("tar").arg("-C").arg(&rootfs).arg("-cf").arg(&layer).arg("."));
        let digest = run(Command::new("sha256sum").arg(&layer));
        let digest = digest.split_whitespace().next().unwrap();
        let config = serde_json::json!({
            "architecture": if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" },
            "os": "linux",
            "config": { "Entrypoint": ["/bin/busybox", "sleep", "3600"] },
            "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{digest}")] },
        });
        fs::write(image.join("config.json"), config.to_string()).unwrap();
        let manifest =
            serde_json::json!([{ "Config": "config.json", "RepoTags": [IMAGE], "Layers": ["layer.tar"] }]);
        fs::write(image.join("manifest.json"), manifest.to_string()).unwrap();
        let tarball = self.path("image.tar");
        run(Command::new("tar").arg("-C").arg(&image).arg("-cf").arg(&tarball).arg("."));
        self.ctr(&["images", "import", "--snapshotter", "native", tarball.to_str().unwrap()]);
    }

    /// A container as `ctr` makes it, with labels, in a group of our choice. It is busy, under a limit of 0.2 CPUs.
    pub(crate) fn run_container(&mut self, id: &str, cgroup: &str, labels: &[(&str, &str)]) {
        let rootfs = self.rootfs(&format!("rootfs-{}", &id[..8]));
        let runc = self.path("runc");
        let mut args: Vec<String> =
            ["run", "--detach", "--rootfs", "--cpus", "0.2", "--cgroup", cgroup].map(str::to_owned).into();
        args.extend(["--runc-root".to_owned(), runc.to_str().unwrap().to_owned()]);
        for (key, value) in labels {
            args.extend(["--label".to_owned(), format!("{key}={value}")]);
        }
        args.extend([rootfs.to_str().unwrap().to_owned(), id.to_owned()]);
        args.extend(["/bin/busybox", "sh", "-c", "while :; do :; done"].map(str::to_owned));
        self.containers.push(id.to_owned());
        self.ctr(&args.iter().map(String::as_str).collect::<Vec<_>>());
    }

    pub(crate) fn remove_container(&mut self, id: &str) {
        let quietly = |args: &[&str]| {
            let _ = self.ctr_command(args).output();
        };
        quietly(&["tasks", "kill", "--signal", "SIGKILL", id]);
        // It takes a moment until the end is seen.
        for _ in 0..50 {
            if self.ctr_command(&["tasks", "delete", id]).output().unwrap().status.success() {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        quietly(&["containers", "delete", id]);
        self.containers.retain(|known| known != id);
    }

    /// Processes of ours: their command lines name our folder.
    fn processes(&self) -> Vec<i32> {
        let needle = self.folder.path().to_str().unwrap().as_bytes().to_owned();
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let ours = entries.filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let line = fs::read(entry.path().join("cmdline")).ok()?;
            line.windows(needle.len()).any(|part| part == needle).then_some(pid)
        });
        ours.collect()
    }

    fn unmount(&self) {
        let Ok(mounts) = fs::read_to_string("/proc/self/mountinfo") else { return };
        let ours = mounts
            .lines()
            .filter_map(|line| line.split(' ').nth(4))
            .filter(|path| Path::new(path).starts_with(self.folder.path()));
        for path in ours.collect::<Vec<_>>().into_iter().rev() {
            let _ = umount2(path, MntFlags::MNT_DETACH);
        }
    }
}

/// The groups of ours in every hierarchy: below our top, and the few that bear the UID of a pod of ours beside it.
fn groups() -> Vec<PathBuf> {
    let top = Containerd::top();
    let astray = format!("{:08x}_6bb6_11e6", std::process::id());
    let ours = |name: &str| name == &top[1..] || (name.starts_with("cgtune") && name.contains(&astray));
    let mut found = Vec::new();
    let mut open = vec![PathBuf::from(MOUNTS)];
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            let is_ours = entry.file_name().to_str().is_some_and(ours);
            if is_ours { &mut found } else { &mut open }.push(entry.path());
        }
    }
    found
}

/// Removes a group of ours and all below it; what still lives there is ended first.
fn remove_group(group: &Path) {
    let Ok(entries) = fs::read_dir(group) else { return };
    for child in entries.flatten().filter(|entry| entry.path().is_dir()) {
        remove_group(&child.path());
    }
    for _ in 0..50 {
        for pid in fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default().lines() {
            if let Ok(pid) = pid.parse() {
                let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
            }
        }
        if fs::remove_dir(group).is_ok() {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

impl Drop for Containerd {
    fn drop(&mut self) {
        for pod in std::mem::take(&mut self.pods) {
            let _ = self.take_away(&pod);
        }
        for id in std::mem::take(&mut self.containers) {
            self.remove_container(&id);
        }
        let daemon = Pid::from_raw(i32::try_from(self.daemon.id()).unwrap_or(i32::MAX));
        let _ = kill(daemon, Signal::SIGTERM);
        let _ = self.daemon.wait();
        for pid in self.processes() {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
        groups().iter().for_each(|group| remove_group(group));
        self.unmount();
        // Sockets of the shims and pipes of ctr have their folders there whatever the state's folder is. What is not empty stays.
        for folder in ["/run/containerd/s", "/run/containerd/fifo", "/run/containerd"] {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// What is left behind: groups, mounts and the folder, none of which there should be.
pub(crate) fn leftovers(folder: &Path) -> Vec<String> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mounts = mounts.lines().filter(|line| line.contains(folder.to_str().unwrap())).map(str::to_owned);
    let groups = groups().into_iter().chain(folder.exists().then(|| folder.to_owned()));
    groups.map(|path| path.display().to_string()).chain(mounts).collect()
}
