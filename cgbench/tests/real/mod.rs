//! What the tests on the real kernel have in common.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::{
    fs,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use cgtune_sys::{Hierarchies, HostRoot};

/// Loads of several tests at once would measure each other, and groups left behind could not be told apart.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn cgbench() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cgbench"));
    command.env("NO_COLOR", "1").env_remove("COLUMNS");
    command
}

/// Goes before what a run is about: a picture size that any machine can encode, so that none has to be looked for.
pub(crate) const SIZED: [&str; 4] = ["run", "--quick", "--set", "load.size=256x144"];

/// A run of two policies in two short blocks each.
pub(crate) fn short_run(out: &Path) -> Command {
    let mut command = cgbench();
    command.args([
        "run",
        "--quick",
        "--policies",
        "limit,limit+burst",
        "--alone",
        "--repetitions",
        "2",
        "--frames",
        "20",
    ]);
    command.arg("--out").arg(out);
    command
}

pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Groups of ours in the cpu hierarchy.
pub(crate) fn left_behind() -> Vec<String> {
    let hierarchies = Hierarchies::detect(HostRoot::default()).expect("a mounted cpu controller");
    let mut found = Vec::new();
    hierarchies
        .walk(|path, _| {
            if path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"cgtune.")) {
                found.push(path.display().to_string());
            }
        })
        .unwrap();
    found
}

/// Starts a long run and waits until its first block is on disk.
pub(crate) fn started(out: &Path) -> Child {
    let mut command = cgbench();
    command.args(SIZED).args(["--repetitions", "50", "--frames", "20"]).arg("--out").arg(out);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    while fs::read_dir(out.join("blocks")).map_or(0, Iterator::count) < 1 {
        assert!(Instant::now() < deadline, "no block within two minutes: is this run as root?");
        std::thread::sleep(Duration::from_millis(50));
    }
    child
}

pub(crate) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}
