//! Debian's runc and crun, and containers made by them. Needs root, and fails with a message without.

mod container;
mod oci;
mod world;

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use cgtune_core::{
    Layout, ObservedBandwidth, Quota, Surroundings, convert::WeightFormula, plan::Write,
    rules::write_bandwidth,
};

pub(crate) use self::{container::Container, oci::Cpu, world::World};

/// Debian releases whose versions don't move any more. The test bed adds newer ones with `CGTUNE_RUNTIMES`, a folder of roots.
const SUITES: [&str; 2] = ["bookworm", "trixie"];

/// In a mount namespace of its own, the runtime's root with the machine's cgroups in it. crun refuses a host whose v2 hierarchy
/// has a controller while others are on v1, so the v2 mount is covered there; runc would make an empty group in it.
const ENTER: &str = r#"
root=$1 world=$2; shift 2
mount --bind "$root" "$root" && mount -t proc proc "$root/proc" && mount --rbind /sys "$root/sys" || exit
[ ! -d "$root/sys/fs/cgroup/unified" ] || mount -t tmpfs none "$root/sys/fs/cgroup/unified" || exit
mount --bind "$world" "$root/mnt" && exec chroot "$root" "$@"
"#;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    Runc,
    Crun,
}

/// One low-level runtime in one version.
#[derive(Debug, Clone)]
pub(crate) struct Runtime {
    pub(crate) name: Name,
    pub(crate) version: (u32, u32, u32),
    root: PathBuf,
}

impl Runtime {
    /// Those of every root.
    pub(crate) fn all() -> &'static [Self] {
        static ALL: OnceLock<Vec<Runtime>> = OnceLock::new();
        ALL.get_or_init(|| {
            let both = |root: PathBuf| [Name::Runc, Name::Crun].map(|name| Self::find(name, &root));
            roots().into_iter().flat_map(both).collect()
        })
    }

    fn find(name: Name, root: &Path) -> Self {
        let mut runtime = Self { name, version: (0, 0, 0), root: root.to_owned() };
        let folder = tempfile::tempdir().unwrap();
        let said = runtime.call(folder.path(), &["--version"]).unwrap();
        // "runc version 1.3.6+ds1", "crun version 1.23"
        let first = said.lines().next().unwrap().rsplit(' ').next().unwrap();
        let mut numbers = first.split(['.', '+', '-']).map_while(|part| part.parse().ok());
        let mut number = || numbers.next().unwrap_or(0);
        runtime.version = (number(), number(), number());
        assert!(runtime.version > (0, 0, 0), "which version is this: {said}");
        runtime
    }

    /// Runs it to its end, with `folder` as /mnt: what it printed, or why it failed. What it starts keeps running.
    pub(crate) fn call(&self, folder: &Path, args: &[&str]) -> Result<String, String> {
        // A file: a container holds its output open, so that the end of a pipe would never come.
        let shown = folder.join("shown");
        let output = File::create(&shown).unwrap();
        let mut command = Command::new("/usr/bin/unshare");
        command.args(["--mount", "sh", "-ec", ENTER, "sh"]).arg(&self.root).arg(folder);
        match self.name {
            Name::Runc => command.args(["runc", "--root", "/mnt/runc"]),
            Name::Crun => command.args(["crun", "--cgroup-manager=cgroupfs", "--root", "/mnt/crun"]),
        };
        let status = command
            .args(args)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .status()
            .expect("this test needs util-linux's unshare");
        let said = fs::read_to_string(&shown).unwrap();
        if status.success() { Ok(said) } else { Err(said) }
    }

    pub(crate) fn busybox(&self) -> PathBuf {
        self.root.join("usr/bin/busybox")
    }

    /// How it weighs containers, by the versions that [`WeightFormula`] names.
    pub(crate) fn formula(&self) -> WeightFormula {
        let since = match self.name {
            Name::Runc => (1, 3, 2),
            Name::Crun => (1, 23, 0),
        };
        if self.version >= since { WeightFormula::Logarithmic } else { WeightFormula::Linear }
    }

    /// Whether it knows a burst at all.
    pub(crate) fn takes_burst(&self) -> bool {
        self.version
            >= match self.name {
                Name::Runc => (1, 2, 0),
                Name::Crun => (1, 11, 0),
            }
    }

    /// crun 1.8.1 writes -1 to v1's quota as 2^64 − 1, which the kernel refuses (ERANGE); 1.21 writes -1. It cannot
    /// take a quota away.
    pub(crate) fn has_no_minus_one(&self, layout: Layout) -> bool {
        layout == Layout::V1 && self.name == Name::Crun && self.version < (1, 21, 0)
    }

    /// Where its writes lead by the kernel's rules as we know them, and whether it ends with an error.
    pub(crate) fn writes(
        &self,
        layout: Layout,
        now: ObservedBandwidth,
        to: ObservedBandwidth,
    ) -> (ObservedBandwidth, bool) {
        let rule = |at, write: &Write| {
            let lost = matches!(write, Write::Quota(Quota::Unlimited)) && self.has_no_minus_one(layout);
            write_bandwidth(layout, at, write, &Surroundings::default()).ok().filter(|_| !lost)
        };
        let joint = layout.joint_quota_and_period();
        let (quota, period) = (to.quota, to.period);
        let limit = if joint { Write::Max { quota, period } } else { Write::Quota(quota) };
        let period = (!joint).then_some(Write::Period(period));
        let burst = to.burst.filter(|_| self.takes_burst()).map(Write::Burst);
        let order = |order: &[&Option<Write>]| order.iter().copied().flatten().cloned().collect::<Vec<_>>();
        let limit = Some(limit);
        // runc tries again after the quota what is refused before it, and goes back where it fails; crun does neither.
        let (first, then) = match self.name {
            Name::Runc => (order(&[&period, &burst]), order(&[&limit, &period, &burst])),
            Name::Crun => (vec![], order(&[&period, &limit, &burst])),
        };
        let mut at = first.iter().fold(now, |at, write| rule(at, write).unwrap_or(at));
        for write in &then {
            match rule(at, write) {
                Some(next) => at = next,
                None if self.name == Name::Runc => return (now, true),
                None => return (at, true),
            }
        }
        (at, false)
    }
}

impl std::fmt::Display for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = if self.name == Name::Runc { "runc" } else { "crun" };
        let (major, minor, patch) = self.version;
        f.pad(&format!("{name} {major}.{minor}.{patch}"))
    }
}

fn roots() -> Vec<PathBuf> {
    assert!(
        nix::unistd::geteuid().is_root(),
        "this test makes containers with runc and crun: run it as root"
    );
    if let Some(folder) = std::env::var_os("CGTUNE_RUNTIMES") {
        let mut roots: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        roots.sort();
        assert!(!roots.is_empty(), "CGTUNE_RUNTIMES={} holds no root", folder.display());
        return roots;
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testbed/runtimes");
    SUITES
        .map(|suite| {
            let output = Command::new(script).arg(suite).output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success(),
                "this test needs Debian's runc and crun ({script} {suite}): {said}"
            );
            PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end())
        })
        .to_vec()
}
