//! What holds for every verb: help, exit codes, colours, and readers that go away.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

mod tool;

use std::process::{Command, Stdio};

use tool::{fails, succeeds, tool};

const CONVERT: [&str; 3] = ["convert", "--cpu-limit", "5m"];

#[test]
fn help_fits_a_terminal_and_shows_examples() {
    for args in [&["--help"][..], &["convert", "--help"], &["completions", "--help"]] {
        let (help, err) = succeeds(args);
        assert_eq!(err, "");
        assert!(help.ends_with('\n'), "{help:?}");
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
    insta::assert_snapshot!("help", succeeds(&["--help"]).0);
    insta::assert_snapshot!("help_convert", succeeds(&["convert", "--help"]).0);
}

#[test]
fn wrong_use_ends_with_2() {
    for args in [&[][..], &["throttle"], &["convert", "--nonsense"], &["completions", "cmd.exe"]] {
        let (out, err) = fails(args);
        assert_eq!(out, "", "{args:?}");
        assert!(!err.is_empty(), "{args:?}");
    }
}

#[test]
fn completions_and_manual_pages_know_every_verb() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(succeeds(&["completions", shell]).0.contains("convert"), "{shell}");
    }
    assert!(succeeds(&["man"]).0.contains("convert"));
    let dir = tempfile::tempdir().unwrap();
    succeeds(&["man", dir.path().to_str().unwrap()]);
    let page = std::fs::read_to_string(dir.path().join("cgtune-convert.1")).unwrap();
    assert!(page.contains("cpu\\-request"), "{page}");
    let (_, err) = fails(&["man", "/nowhere/at/all"]);
    assert!(err.starts_with("error: cannot write manual pages to /nowhere/at/all: "), "{err}");
}

#[test]
fn nothing_is_coloured_unless_a_terminal_wants_it() {
    let plain = |command: &mut assert_cmd::Command| command.args(CONVERT).output().unwrap();
    assert!(!plain(&mut tool()).stdout.contains(&0x1b));
    assert!(!plain(tool().env_remove("NO_COLOR")).stdout.contains(&0x1b), "a pipe is no terminal");
    let forced = plain(tool().env_remove("NO_COLOR").env("CLICOLOR_FORCE", "1"));
    assert!(forced.stdout.contains(&0x1b) && forced.stderr.contains(&0x1b));
}

#[test]
fn a_reader_that_went_away_ends_the_tool_quietly() {
    for args in [
        &CONVERT[..],
        &["convert", "--cpu-limit", "1", "--json"],
        &["explain", "starved"],
        &["completions", "bash"],
        &["man"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("cgtune"));
        let output = command.args(args).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!((output.status.code(), output.stderr), (Some(0), vec![]), "{args:?}");
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("cgtune"));
    let output = command.args(CONVERT).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.starts_with("error: cannot write the answer: No space left on device"), "{err}");
}
