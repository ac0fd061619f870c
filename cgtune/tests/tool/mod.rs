//! Runs the built tool as a user would, in an environment that is the same everywhere.

#![allow(dead_code, reason = "each test program uses the part it needs")]

pub(crate) mod schema;

use assert_cmd::Command;

/// The tool, with nothing of the caller's terminal in its environment.
pub(crate) fn tool() -> Command {
    let mut tool = Command::new(assert_cmd::cargo::cargo_bin!("cgtune"));
    tool.env_clear().env("NO_COLOR", "1").env("COLUMNS", "80");
    tool
}

fn run(args: &[&str], code: i32) -> (String, String) {
    let output = tool().args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(code), "{args:?}\n{out}{err}");
    (out, err)
}

/// Stdout and stderr of a run that must end with exit code 0.
pub(crate) fn succeeds(args: &[&str]) -> (String, String) {
    run(args, 0)
}

/// Stdout and stderr of a run that must end with exit code 2.
pub(crate) fn fails(args: &[&str]) -> (String, String) {
    run(args, 2)
}
