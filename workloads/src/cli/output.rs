//! Writing to standard output and standard error. A broken pipe ends quietly: whoever read has
//! seen enough.

use std::io::{self, ErrorKind, Write};

use anyhow::Context;

/// Writes to standard output.
pub(crate) fn show(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write to standard output"),
    }
}

/// Writes a line to standard error.
pub(crate) fn warn(line: &str) {
    // Where standard error is gone too, there is nobody to tell.
    let _ = writeln!(io::stderr(), "{line}");
}
