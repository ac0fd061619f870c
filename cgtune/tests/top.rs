//! `cgtune top` without a terminal and without rights, on the machine that it runs on.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod tool;

use serde_json::Value;
use tool::{fails, schema, succeeds, tool};

fn published() -> Value {
    serde_json::from_str(include_str!("../schemas/top-1.schema.json")).unwrap()
}

#[test]
fn every_line_of_the_stream_is_what_the_schema_says() {
    let (out, err) = succeeds(&["top", "--json", "--ticks", "3", "--interval", "100ms"]);
    assert_eq!((out.lines().count(), err.as_str()), (3, ""));
    for line in out.lines() {
        let document: Value = serde_json::from_str(line).unwrap();
        schema::assert_describes(published(), &document);
        assert_eq!(document["scan"]["interval_asked_us"], 100_000);
    }
}

#[test]
fn one_frame_is_text_of_80_columns_without_escapes() {
    let (out, err) = succeeds(&["top", "--once", "--interval", "100ms", "--tree", "--sort", "cpu"]);
    assert_eq!(err, "");
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].contains("cgroups, ") && lines[0].contains("scan "), "{out}");
    assert_eq!(lines[1], "tree by CPU, most first");
    assert!(lines[2].starts_with("CGROUP ") && lines[2].contains("▼CPU/LIMIT"), "{out}");
    assert!(lines.len() > 3, "the root is a cgroup, too: {out}");
    for line in lines {
        assert!(line.chars().count() <= 80 && !line.contains('\x1b'), "{line}");
    }
}

#[test]
fn where_no_table_can_live_it_says_what_to_do_instead() {
    let (out, err) = fails(&["top"]);
    assert_eq!(out, "");
    assert!(err.contains("needs a terminal") && err.contains("--once") && err.contains("--json"), "{err}");
}

#[test]
fn wrong_use_is_told_with_what_to_write_instead() {
    for (args, expected) in [
        (&["--interval", "1"][..], "1us, 1ms or 1s"),
        (&["--interval", "10ms"], "anything from 100ms to 1h"),
        (&["--ticks", "0"], "0 is not in 1"),
        (&["--sort", "memory"], "stall"),
        (&["--once", "--json"], "cannot be used with"),
        (&["--host-root", "/nonexistent"], "mountinfo"),
    ] {
        let line: Vec<&str> = ["top", "--json"]
            .iter()
            .take(if args[0] == "--once" { 1 } else { 2 })
            .chain(args)
            .copied()
            .collect();
        let (_, err) = fails(&line);
        let said = err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains(expected), "{args:?}: {said}");
    }
}

#[test]
fn a_reader_that_went_away_ends_the_stream_quietly() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("cgtune"));
    command
        .args(["top", "--json", "--interval", "100ms"])
        .stdout(writer)
        .stderr(std::process::Stdio::piped());
    let output = command.output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), vec![]));
}

#[test]
fn the_help_fits_a_terminal() {
    let out = tool().args(["top", "--help"]).output().unwrap();
    let help = String::from_utf8(out.stdout).unwrap();
    assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
}
