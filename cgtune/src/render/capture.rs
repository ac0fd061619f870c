//! What `cgtune capture` wrote, for people: how much of it there is, and what is in it.

use std::{
    io::{self, Write},
    path::Path,
};

use cgtune_core::text::{Escaped, shell};

use super::paragraph;
use crate::capture::{CONTENTS, Manifest, NOT_INSIDE};

pub(crate) fn write(manifest: &Manifest, file: &Path, size: u64, out: &mut dyn Write) -> io::Result<()> {
    let groups = manifest.cgroups.len();
    let stdout = file == Path::new("-");
    let shown =
        if stdout { "stdout".to_owned() } else { Escaped(file.as_os_str().as_encoded_bytes()).to_string() };
    writeln!(
        out,
        "{groups} cgroup{}, watched for {:.1} s: {} in {shown}",
        if groups == 1 { "" } else { "s" },
        manifest.wall_ns as f64 / 1e9,
        bytes(size),
    )?;
    indented(&format!("In it: {CONTENTS}."), out)?;
    indented(&format!("Not in it: {NOT_INSIDE}."), out)?;
    // A name that no terminal shows as it is cannot be typed either.
    match file.to_str().filter(|_| !stdout).and_then(shell::quote) {
        Some(file) => writeln!(out, "  cgtune diagnose --from {file}"),
        None => Ok(()),
    }
}

fn indented(text: &str, out: &mut dyn Write) -> io::Result<()> {
    for line in paragraph::wrap(text, paragraph::WIDTH - 2) {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

/// `312 KiB`, `1.4 MiB`.
fn bytes(size: u64) -> String {
    let size = size as f64;
    match size {
        small if small < 1024.0 * 1024.0 => format!("{:.0} KiB", (small / 1024.0).ceil()),
        large => format!("{:.1} MiB", large / 1024.0 / 1024.0),
    }
}
