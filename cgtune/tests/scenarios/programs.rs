//! Where the tool and the loads are.

use std::{
    ffi::OsString,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};
use serde_json::Value;

/// The two programs that a scenario needs.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    /// `cgtune`: `$CGTUNE_BIN`.
    pub(crate) cgtune: PathBuf,
    /// `workloads`: `$WORKLOADS_BIN`.
    pub(crate) workloads: PathBuf,
}

impl Programs {
    /// Where the environment says, as on a machine without the sources; else as cargo builds them, now: an older one that lies
    /// about could be another program by now.
    pub(crate) fn find() -> anyhow::Result<Self> {
        Ok(Self {
            cgtune: program("CGTUNE_BIN", "cgtune")?,
            workloads: program("WORKLOADS_BIN", "workloads")?,
        })
    }
}

/// One of them: where `variable` says, else as cargo builds it.
pub(crate) fn program(variable: &str, name: &str) -> anyhow::Result<PathBuf> {
    if let Some(path) = std::env::var_os(variable).map(PathBuf::from) {
        if !path.is_file() {
            bail!("{variable} says {}, where there is no file", path.display());
        }
        return Ok(path);
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(&cargo);
    command
        .args([
            "build",
            "--quiet",
            "--message-format=json-render-diagnostics",
            "--package",
            name,
            "--bin",
            name,
        ])
        .arg("--manifest-path")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let output = command
        .output()
        .with_context(|| format!("cannot start {} to build {name}; set {variable}", cargo.display()))?;
    if !output.status.success() {
        bail!("cargo could not build {name}; set {variable} to where it is");
    }
    // One message a line; the last executable is the program.
    let mut executables = output.stdout.split(|&byte| byte == b'\n').filter_map(|line| {
        let message: Value = serde_json::from_slice(line).ok()?;
        message.get("executable")?.as_str().map(PathBuf::from)
    });
    executables.next_back().with_context(|| format!("cargo built no program {name}"))
}
