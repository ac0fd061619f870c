//! The whole main job on the kernel that runs the tests: a run, an interrupted one, a killed one, one without
//! permission. Needs root (or a delegated v2 subtree) and fails with a message without.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "tests fail by panicking"
)]

mod real;

use std::{
    fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    process::Command,
};

use cgbench::{agree::grid, store};
use tempfile::TempDir;

use real::{alone, cgbench, left_behind, short_run, signal, started, text};

#[test]
fn a_run_leaves_records_summary_charts_and_report_and_no_cgroup() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("run");
    let output = short_run(&out).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("limit+burst"), "{}", text(&output));

    let records = store::read(&out).unwrap();
    assert_eq!(records.blocks.len(), 4);
    for block in &records.blocks {
        assert_eq!(block.frames.len(), 20 + block.warmup_frames as usize);
        let bandwidth = block.observed.bandwidth.unwrap();
        let quota = bandwidth.quota.limited().expect("both policies have a quota");
        let burst = bandwidth.burst.unwrap();
        assert_eq!(burst == quota, block.condition.policy.bursts(), "{block:?}");
        assert!(block.interval.bandwidth.unwrap().nr_periods > 0);
        assert!(!block.samples.at_ns.is_empty());
    }
    for file in
        ["plan.json", "machine.json", "run.json", "summary.json", "report.md", "timeline.svg", "timeline.png"]
    {
        assert!(out.join(file).metadata().is_ok_and(|meta| meta.len() > 0), "{file}");
    }
    assert_eq!(left_behind(), [""; 0]);

    // The stages after the records run again from the files alone, and give the same.
    let summary = fs::read(out.join("summary.json")).unwrap();
    let again = cgbench().arg("report").arg(&out).output().unwrap();
    assert!(again.status.success(), "{}", text(&again));
    assert_eq!(fs::read(out.join("summary.json")).unwrap(), summary);

    // A folder that holds a run is not written over.
    let second = short_run(&out).output().unwrap();
    assert_eq!(second.status.code(), Some(2), "{}", text(&second));
}

#[test]
fn ctrl_c_keeps_what_was_measured_and_leaves_nothing_running() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("run");
    let mut child = started(&out);
    signal(&child, "-INT");
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert_eq!(left_behind(), [""; 0]);
    let records = store::read(&out).unwrap();
    assert!(records.run.partial && !records.blocks.is_empty());
    assert!(fs::read_to_string(out.join("report.md")).unwrap().contains("PARTIAL"));
}

#[test]
fn what_a_killed_run_leaves_behind_is_removed_by_the_next() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let killed = folder.path().join("killed");
    let mut child = started(&killed);
    signal(&child, "-KILL");
    child.wait().unwrap();
    assert!(!store::read(&killed).unwrap().blocks.is_empty(), "finished blocks are whole");
    let output = short_run(&folder.path().join("next")).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(left_behind(), [""; 0]);
}

#[test]
fn without_permission_one_message_names_the_file_and_the_ways_on() {
    let folder = TempDir::new().unwrap();
    // Where nobody may read it: the build's own folder may be closed to others.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let binary = folder.path().join("cgbench");
    fs::copy(env!("CARGO_BIN_EXE_cgbench"), &binary).unwrap();
    let nobody = 65_534;
    let output = Command::new(&binary)
        .args(["run", "--quick", "--backend", "kernel", "--out", "run"])
        .current_dir(folder.path())
        .env("NO_COLOR", "1")
        .uid(nobody)
        .gid(nobody)
        .output()
        .expect("this test starts a process as another user: run it as root");
    let message = text(&output);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(
        message.starts_with("error: no permission to make cgroups: cannot create the cgroup /sys/fs/cgroup"),
        "{message}"
    );
    assert!(
        message.contains("sudo") && message.contains("systemd-run --user --scope -p Delegate=yes"),
        "{message}"
    );
    assert_eq!(message.matches("error:").count(), 1, "{message}");
    assert!(!folder.path().join("run").exists(), "nothing is written before the permission is known");
}

/// Whether the model agrees is for a quiet machine and the whole grid to say.
#[test]
fn agree_measures_a_grid_and_compares_it_as_it_compares_its_records() {
    let _alone = alone();
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("grid");
    let mut command = cgbench();
    command
        .args(["agree", "--quick", "--frames", "30", "--phases", "24", "--json", "--quiet", "--out"])
        .arg(&out);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["schema"], "cgbench.agree/1");
    let runs = value["runs"].as_array().unwrap();
    assert_eq!(runs.len(), grid::QUICK.len());
    for (run, point) in runs.iter().zip(grid::QUICK) {
        let blocks = run["agreement"]["blocks"].as_array().unwrap();
        let policies: Vec<&str> =
            blocks.iter().map(|block| block["condition"]["policy"].as_str().unwrap()).collect();
        for policy in grid::POLICIES {
            assert!(policies.contains(&policy.name()), "{policies:?}");
        }
        let records = store::read(&out.join(point.name())).unwrap();
        for block in &records.blocks {
            assert_eq!(block.frames.len(), 30 + records.plan.warmup_frames as usize);
            let bandwidth = block.observed.bandwidth.unwrap();
            let quota = bandwidth.quota.limited().unwrap();
            assert_eq!(
                bandwidth.burst,
                Some(records.plan.limit.burst(block.condition.policy, quota)),
                "{block:?}"
            );
        }
    }
    assert_eq!(value["verdict"]["throttled"]["of"], 12);
    assert_eq!(value["verdict"]["p99_ms"]["of"], 0, "30 frames carry no p99");
    assert_eq!(left_behind(), [""; 0]);

    // The same from the records alone.
    let again = cgbench().args(["agree", "--phases", "24", "--json"]).arg(&out).output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", text(&again));
    let again: serde_json::Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(again["verdict"], value["verdict"]);

    // A folder that holds a grid is not written over, nor is it measured first.
    let second = command.output().unwrap();
    assert_eq!(second.status.code(), Some(2), "{}", text(&second));
}

#[test]
fn the_hog_check_passes_on_this_kernel() {
    let _alone = alone();
    let output = cgbench().args(["check", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["passes"], true);
}
