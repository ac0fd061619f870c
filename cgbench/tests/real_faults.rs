//! What can go wrong in the middle of a run, on the kernel that runs the tests: a kill at any moment, a full disk, another run in the
//! same folder. Needs root and fails with a message without.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod real;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use cgbench::store;
use tempfile::TempDir;

use real::{SIZED, alone, cgbench, left_behind, short_run, signal, started, text};

/// The records in a folder, byte by byte.
fn records(run: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    ["blocks", "pilots"]
        .iter()
        .filter_map(|inner| fs::read_dir(run.join(inner)).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

#[test]
fn a_run_that_is_killed_again_and_again_comes_to_its_end_and_loses_no_block() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("run");
    // Six blocks of about a second and a half each, and three pilots.
    let mut command = cgbench();
    command
        .args(SIZED)
        .args(["--policies", "limit,limit+burst", "--alone", "--frames", "20"])
        .arg("--out")
        .arg(&out);
    // Killed while the doctor looks, during a pilot, during blocks, and between them.
    for after_ms in [800, 2500, 4100, 3300, 4700] {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(after_ms));
        signal(&child, "-KILL");
        child.wait().unwrap();
        let before = records(&out);
        if out.join("plan.json").exists() {
            store::read(&out).expect("what a killed run leaves can be read");
            command = cgbench();
            command.args(["run", "--resume"]).arg(&out);
        }
        for (path, bytes) in &before {
            assert_eq!(fs::read(path).unwrap(), *bytes, "{}", path.display());
        }
    }
    let before = records(&out);
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    for (path, bytes) in before {
        assert_eq!(fs::read(&path).unwrap(), bytes, "{}", path.display());
    }
    let whole = store::read(&out).unwrap();
    assert!(!whole.run.partial && !whole.run.resumed.is_empty());
    assert_eq!(whole.blocks.len(), 6);
    assert!(whole.blocks.iter().all(|block| !block.partial && block.frames.len() == 20 + 15));
    assert_eq!(left_behind(), [""; 0]);

    // It is whole: there is nothing left to do.
    let again = cgbench().args(["run", "--resume"]).arg(&out).output().unwrap();
    assert!(again.status.success(), "{}", text(&again));
    assert_eq!(store::read(&out).unwrap().blocks, whole.blocks);
}

/// A file system of a given size; unmounted when dropped.
struct Tmpfs {
    folder: TempDir,
}

impl Tmpfs {
    fn new(size: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "cgtune-test"])
            .arg(folder.path())
            .status()
            .unwrap();
        assert!(status.success(), "this test mounts a tmpfs: run it as root");
        Self { folder }
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.folder.path()).status();
    }
}

#[test]
fn a_full_disk_ends_the_run_with_the_files_name_and_keeps_what_was_finished() {
    let _alone = alone();
    // Room for two or three blocks of this plan, which take about 30 KiB each.
    let small = Tmpfs::new("112k");
    let out = small.folder.path().join("run");
    let mut command = cgbench();
    command.args(SIZED).args(["--policies", "limit", "--alone", "--repetitions", "20", "--frames", "40"]);
    let output = command.arg("--out").arg(&out).output().unwrap();
    let message = text(&output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("No space left on device"), "{message}");
    assert!(message.contains("cannot write") && message.contains("--resume"), "{message}");
    let kept = store::read(&out).expect("what was finished is whole");
    assert!(kept.blocks.len() < 20 && kept.run.partial);
    assert!(!kept.pilots.is_empty());
    assert_eq!(left_behind(), [""; 0]);

    // With room again it goes on.
    let status =
        Command::new("mount").args(["-o", "remount,size=8m"]).arg(small.folder.path()).status().unwrap();
    assert!(status.success());
    let mut child = cgbench()
        .args(["run", "--resume"])
        .arg(&out)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let more = || store::read(&out).map_or(0, |records| records.blocks.len());
    let began = std::time::Instant::now();
    while more() <= kept.blocks.len() {
        assert!(began.elapsed() < Duration::from_secs(60), "no further block within a minute");
        std::thread::sleep(Duration::from_millis(200));
    }
    signal(&child, "-INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(left_behind(), [""; 0]);
}

#[test]
fn two_runs_do_not_fill_one_folder() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("run");
    let mut first = started(&out);
    for mut second in [short_run(&out), {
        let mut resume = cgbench();
        resume.args(["run", "--resume"]).arg(&out);
        resume
    }] {
        let output = second.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", text(&output));
        assert!(text(&output).contains("is in use: another cgbench is running there"), "{}", text(&output));
    }
    signal(&first, "-INT");
    assert_eq!(first.wait().unwrap().code(), Some(130));
    store::read(&out).unwrap();
    // Now it is free, and goes on.
    let mut resumed =
        cgbench().args(["run", "--quiet", "--resume"]).arg(&out).stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(4));
    signal(&resumed, "-INT");
    assert_eq!(resumed.wait().unwrap().code(), Some(130));
    assert_eq!(left_behind(), [""; 0]);
}

#[test]
fn a_flipped_bit_is_an_error_that_says_what_to_do() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("run");
    let output = short_run(&out).args(["--set", "load.size=256x144"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let block = fs::read_dir(out.join("blocks")).unwrap().next().unwrap().unwrap().path();
    let bytes = fs::read_to_string(&block).unwrap();
    // Still JSON, and another number.
    // Its second digit: no number begins with a nought.
    let place = bytes.find("\"usage\": ").unwrap() + "\"usage\": ".len() + 1;
    let mut flipped = bytes.clone().into_bytes();
    flipped[place] ^= 1;
    fs::write(&block, flipped).unwrap();
    for verb in ["study", "chart", "report"] {
        let output = cgbench().arg(verb).arg(&out).output().unwrap();
        let message = text(&output);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains("is not what was written") && message.contains("SHA256SUMS"), "{message}");
        assert!(message.contains("hint: "), "{message}");
    }
    // As the hint says: without the file and its line that block is run again.
    let name = block.file_name().unwrap().to_string_lossy().into_owned();
    fs::remove_file(&block).unwrap();
    let sums = fs::read_to_string(out.join("SHA256SUMS")).unwrap();
    let without: String =
        sums.lines().filter(|line| !line.ends_with(&name)).map(|line| format!("{line}\n")).collect();
    fs::write(out.join("SHA256SUMS"), without).unwrap();
    let output = cgbench().args(["run", "--resume"]).arg(&out).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(store::read(&out).unwrap().blocks.len(), 4);
}
