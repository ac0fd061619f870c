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
        with("--burst", "101%"),
        with("--burst", "20 ms"),
        with("--period", "20"),
        with("--period", "2s"),
        vec!["--cpu-request", "1", "--burst", "50%"],
    ] {
        let (out, err) = fails(&[&["convert"], args.as_slice()].concat());
        assert_eq!(out, "", "{args:?}");
        told += &format!("$ cgtune convert {}\n{err}\n", args.join(" ").escape_debug());
    }
    insta::assert_snapshot!(told);
}
