//! `cgtune convert` as its users meet it: text, JSON and errors, each as a snapshot at 80 columns without colour.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod tool;

use tool::{fails, succeeds};

/// Both streams of a run, one under the other.
fn shown(args: &[&str]) -> String {
    let (out, err) = succeeds(args);
    for line in out.lines().chain(err.lines()) {
        assert!(line.chars().count() <= 80, "{line}");
    }
    format!("{out}--- stderr\n{err}")
}

fn convert(args: &[&str]) -> String {
    shown(&[&["convert"], args].concat())
}

#[test]
fn request_limit_and_burst_as_text() {
    insta::assert_snapshot!(convert(&["--cpu-request", "500m", "--cpu-limit", "2", "--burst", "50%"]));
}

#[test]
fn a_request_alone_has_no_quota() {
    insta::assert_snapshot!(convert(&["--cpu-request", "100m"]));
}

#[test]
fn a_limit_alone_is_the_request_too() {
    insta::assert_snapshot!(convert(&["--cpu-limit", "500m"]));
}

#[test]
fn every_warning_is_said_below_the_answer() {
    insta::assert_snapshot!(convert(&[
        "--cpu-request",
        "300",
        "--cpu-limit",
        "40.5m",
        "--period",
        "50ms",
        "--burst",
        "10m"
    ]));
}

#[test]
fn a_limit_under_the_floor_is_raised_and_said() {
    insta::assert_snapshot!(convert(&["--cpu-limit", "5m"]));
}

#[test]
fn a_limit_of_zero_is_no_limit() {
    insta::assert_snapshot!(convert(&["--cpu-request", "0", "--cpu-limit", "0"]));
}

#[test]
fn request_limit_and_burst_as_json() {
    let args = ["convert", "--cpu-request", "500m", "--cpu-limit", "2", "--burst", "20ms", "--json"];
    let (out, err) = succeeds(&args);
    assert_eq!(err, "", "warnings are in the document");
    insta::assert_snapshot!(out);
}

#[test]
fn no_limit_as_json_is_null() {
    insta::assert_snapshot!(succeeds(&["convert", "--cpu-request", "1", "--json"]).0);
}

#[test]
fn wrong_use_is_told_with_what_to_write_instead() {
    let limit = |value: &'static str| vec!["--cpu-limit", value];
    let with = |flag: &'static str, value: &'static str| vec!["--cpu-limit", "500m", flag, value];
    let mut told = String::new();
    for args in [
        vec![],
        limit("1K"),
        limit("-1"),
        limit("1,5"),
        limit("500ms"),
        limit("m"),
        limit("10P"),
        limit("9P"),
        limit("\u{1b}[2J"),
        limit("--json"),
        with("--burst", "20"),
        with("--burst", "20 ms"),
        with("--period", "20"),
        with("--period", "2s"),
        with("--runtime", "containerd@2.1"),
        with("--runtime", "runc@new"),
        with("--kubernetes", "new"),
        with("--driver", "openrc"),
        with("--target", "lxc"),
        with("--threads", "0"),
        with("--present-burst", "20"),
        vec!["--from-weight", "0"],
        vec!["--from-shares", "1"],
        vec!["--from-quota", "50000"],
        vec!["--from-weight", "39", "--from-shares", "1024"],
        vec!["--cpu-request", "1", "--burst", "50%"],
    ] {
        let (out, err) = fails(&[&["convert"], args.as_slice()].concat());
        assert_eq!(out, "", "{args:?}");
        told += &format!("$ cgtune convert {}\n{err}\n", args.join(" ").escape_debug());
    }
    insta::assert_snapshot!(told);
}

#[test]
fn an_older_runtime_under_the_systemd_driver() {
    insta::assert_snapshot!(convert(&[
        "--cpu-limit",
        "333m",
        "--driver",
        "systemd",
        "--runtime",
        "runc@1.3.1"
    ]));
}

#[test]
fn an_unknown_runtime_gets_the_formulas_side_by_side() {
    insta::assert_snapshot!(convert(&["--cpu-request", "500m", "--runtime", "runsc@20260101.0"]));
}

#[test]
fn a_node_that_surprises_is_told_of() {
    insta::assert_snapshot!(convert(&[
        "--cpu-limit",
        "100m",
        "--burst",
        "20ms",
        "--period",
        "50ms",
        "--kubernetes",
        "1.33",
        "--threads",
        "4",
        "--present-burst",
        "6ms",
        "--runtime",
        "crun@1.8.1",
    ]));
    insta::assert_snapshot!(convert(&["--cpu-limit", "100m", "--cpu-cfs-quota=false"]));
}

#[test]
fn every_number_is_explained() {
    insta::assert_snapshot!(convert(&[
        "--cpu-request",
        "0.3325",
        "--cpu-limit",
        "333m",
        "--driver",
        "systemd",
        "--burst",
        "50%",
        "--explain"
    ]));
}

#[test]
fn every_target_says_what_it_cannot() {
    // A command is one line, however long.
    let (out, err) = succeeds(&[
        "convert",
        "--cpu-request",
        "500m",
        "--cpu-limit",
        "2",
        "--burst",
        "50%",
        "--target",
        "all",
    ]);
    insta::assert_snapshot!(format!("{out}--- stderr\n{err}"));
    let (one, _) = succeeds(&["convert", "--cpu-limit", "2", "--target", "docker"]);
    assert_eq!(one, "docker run --cpu-period 100000 --cpu-quota 200000 --cpu-shares 2048 '<image>'\n");
}

#[test]
fn the_way_back_is_a_range() {
    let told: String = [
        ["--from-weight", "39"],
        ["--from-weight", "10000"],
        ["--from-shares", "42"],
        ["--from-quota", "34ms"],
        ["--from-quota", "33.3ms"],
        ["--from-quota", "max"],
    ]
    .iter()
    .map(|args| format!("$ cgtune convert {}\n{}\n", args.join(" "), convert(args)))
    .collect();
    insta::assert_snapshot!(told);
}
