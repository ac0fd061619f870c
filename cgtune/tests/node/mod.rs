//! What the tests of changes on a real kernel share: groups, the tool, and a way to kill it at a chosen system call.
//! They need root (or a delegated v2 subtree) and fail with a message without.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use cgtune_core::{
    Bandwidth, CpuControl as _, Layout, Micros, Observed, Policy, Quota, Share, Shares, Weight,
    control::apply,
};
use cgtune_sys::{
    Hierarchies, HostRoot,
    lifecycle::{OwnedCgroup, Workshop},
};
use nix::{
    sys::{
        ptrace::{self, Options},
        signal::Signal,
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};

/// The tool where anybody may start it, as long as the folder is kept: as built it may lie where nobody may look.
pub(crate) fn for_anybody() -> (tempfile::TempDir, PathBuf) {
    let public = tempfile::Builder::new().prefix("cgtune-").tempdir_in("/tmp").unwrap();
    let tool = public.path().join("cgtune");
    std::fs::copy(binary(), &tool).unwrap();
    for file in [public.path(), &tool] {
        std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    (public, tool)
}

/// One test at a time: the workshop sweeps what it takes for left behind, and timing matters to some.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The tool under test: where the tests run on another machine than the one that built them, `CGTUNE_BIN` says.
pub(crate) fn binary() -> OsString {
    std::env::var_os("CGTUNE_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_cgtune").into())
}

pub(crate) fn limited(quota_ms: u64, period_ms: u64, burst_ms: u64) -> Bandwidth {
    Bandwidth::new(
        Quota::Limited(Micros::from_ms(quota_ms)),
        Micros::from_ms(period_ms),
        Micros::from_ms(burst_ms),
    )
    .unwrap()
}

pub(crate) fn bandwidth(bandwidth: Bandwidth) -> Policy {
    Policy { bandwidth: Some(bandwidth), ..Policy::default() }
}

/// A group of our own, a journal of its own, and the tool.
pub(crate) struct Node {
    pub(crate) workshop: Workshop,
    pub(crate) group: OwnedCgroup,
    pub(crate) journal: tempfile::TempDir,
}

impl Node {
    /// A group with 40 ms of every 100 ms, a burst of 10 ms, and a cpuset of its own.
    pub(crate) fn new(what: &str) -> Self {
        let hierarchies =
            Hierarchies::detect(HostRoot::default()).expect("this test needs a mounted cpu controller");
        let workshop =
            Workshop::open(hierarchies).expect("this test needs permission to make cgroups: run it as root");
        let group = workshop.group(what).unwrap();
        let mut node = Self { workshop, group, journal: tempfile::tempdir().unwrap() };
        node.reset();
        node
    }

    pub(crate) fn layout(&mut self) -> Layout {
        self.group.cgroup().unwrap().capabilities().cpu
    }

    pub(crate) fn reset(&mut self) {
        let share = match self.layout() {
            Layout::V1 => Share::Shares(Shares::new(1024).unwrap()),
            Layout::V2 => Share::Weight(Weight::new(100).unwrap()),
        };
        let policy = Policy {
            share: Some(share),
            bandwidth: Some(limited(40, 100, 10)),
            idle: Some(false),
            cpus: Some("0-1".parse().unwrap()),
            mems: Some("0".parse().unwrap()),
        };
        apply(self.group.cgroup().unwrap(), &policy).unwrap();
    }

    pub(crate) fn observed(&mut self) -> Observed {
        // What is in force follows from what is set, a moment later on some kernels.
        Observed { effective_cpus: None, ..self.group.cgroup().unwrap().observe().unwrap() }
    }

    /// What is told to undo a change of this journal.
    pub(crate) fn undo_command(&self, change: u64) -> String {
        format!("cgtune undo {change} --journal {}", self.journal.path().display())
    }

    pub(crate) fn path(&mut self) -> PathBuf {
        self.group.cgroup().unwrap().path().to_owned()
    }

    /// A command line of the tool on this journal; `TARGET` stands for the group.
    pub(crate) fn args(&mut self, args: &[&str]) -> Vec<OsString> {
        let path = self.path();
        let of = |arg: &&str| if *arg == "TARGET" { path.clone().into_os_string() } else { arg.into() };
        let mut line: Vec<OsString> = args.iter().map(of).collect();
        line.extend(["--journal".into(), self.journal.path().as_os_str().to_owned()]);
        line
    }

    pub(crate) fn command(&mut self, args: &[&str]) -> Command {
        let mut command = Command::new(binary());
        command.env("NO_COLOR", "1").stdin(Stdio::null()).args(self.args(args));
        command
    }

    pub(crate) fn run(&mut self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs it; stdout and stderr together, after a check of the exit code.
    pub(crate) fn expect(&mut self, code: i32, args: &[&str]) -> String {
        let output = self.run(args);
        let text = text(&output);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
        text
    }
}

pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// How a traced run ended.
pub(crate) struct Traced {
    /// Stops at the beginning and the end of system calls.
    pub(crate) stops: u32,
    /// Whether it was killed rather than ended by itself.
    pub(crate) killed: bool,
}

/// Runs the tool, stopped at the beginning and the end of each system call, and kills it (SIGKILL) at the stop at which
/// `kill` says so. These
/// are all the moments that can be told apart from outside: between two of them it changes nothing but its own memory.
#[allow(clippy::zombie_processes, reason = "waited for with waitpid, which tells stops from ends")]
pub(crate) fn traced(args: &[OsString], mut kill: impl FnMut(u32) -> bool) -> Traced {
    // The shell stops itself, so that nothing is missed before we are attached.
    let child = Command::new("/bin/sh")
        .args(["-c", "kill -STOP $$; exec \"$@\"", "sh"])
        .arg(binary())
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    assert!(matches!(waitpid(pid, Some(WaitPidFlag::WUNTRACED)).unwrap(), WaitStatus::Stopped(..)));
    ptrace::attach(pid).unwrap();
    waitpid(pid, None).unwrap();
    ptrace::setoptions(pid, Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_EXITKILL).unwrap();
    nix::sys::signal::kill(pid, Signal::SIGCONT).unwrap();
    let (mut stops, mut execed) = (0, false);
    let mut deliver = None;
    loop {
        ptrace::syscall(pid, deliver.take()).unwrap();
        match waitpid(pid, None).unwrap() {
            WaitStatus::PtraceSyscall(_) if execed => {
                if kill(stops) {
                    nix::sys::signal::kill(pid, Signal::SIGKILL).unwrap();
                    let status = waitpid(pid, None).unwrap();
                    assert!(matches!(status, WaitStatus::Signaled(_, Signal::SIGKILL, _)), "{status:?}");
                    return Traced { stops, killed: true };
                }
                stops += 1;
            }
            WaitStatus::PtraceSyscall(_) => {}
            WaitStatus::Stopped(_, Signal::SIGTRAP) => execed = true,
            WaitStatus::Stopped(_, Signal::SIGSTOP | Signal::SIGCONT) => {}
            WaitStatus::Stopped(_, signal) => deliver = Some(signal),
            WaitStatus::Exited(..) | WaitStatus::Signaled(..) => return Traced { stops, killed: false },
            other => panic!("{other:?}"),
        }
    }
}

/// Numbers that look random and are the same in every run (SplitMix64).
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.next() % u64::from(end.max(1))).unwrap()
    }
}

/// The entries of a journal, without its lock.
pub(crate) fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    found.sort();
    found
}
