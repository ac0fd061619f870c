//! How an error is said: one sentence with its causes, a hint on its own line.

use std::io::{self, Write as _};

use crate::{backend::RunError, store::StoreError};

/// Says what went wrong, why, and what to do next, on stderr. Gives the exit code: 0 when it was only the reader of our
/// output who went away.
#[must_use]
pub fn report(error: &anyhow::Error) -> u8 {
    if reader_is_gone(error) {
        return 0;
    }
    let mut stderr = anstream::stderr().lock();
    let red = anstyle::Style::new().bold().fg_color(Some(anstyle::AnsiColor::Red.into()));
    // Nowhere is left to complain to when stderr is closed as well.
    let _ = writeln!(stderr, "{red}error:{red:#} {}", sentence(error));
    if let Some(hint) = hint(error) {
        let _ = writeln!(stderr, "hint: {hint}");
    }
    2
}

/// What came of showing an answer whose exit code is the point of it: a reader who goes away does not change that.
///
/// # Errors
/// Any other failure.
pub fn shown(outcome: anyhow::Result<()>) -> anyhow::Result<()> {
    outcome.or_else(|error| if reader_is_gone(&error) { Ok(()) } else { Err(error) })
}

/// Only an error of our own output counts: a broken pipe to a load is another matter.
fn reader_is_gone(error: &anyhow::Error) -> bool {
    let kind = error
        .downcast_ref::<io::Error>()
        .map(io::Error::kind)
        .or_else(|| error.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind));
    kind == Some(io::ErrorKind::BrokenPipe)
}

/// The error and its causes, each said once.
fn sentence(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.chain().map(ToString::to_string) {
        if !parts.iter().any(|part| part.contains(&cause)) {
            parts.push(cause);
        }
    }
    parts.join(": ")
}

fn hint(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        cause
            .downcast_ref::<RunError>()
            .and_then(RunError::hint)
            .or_else(|| cause.downcast_ref::<StoreError>().and_then(StoreError::hint))
            .or_else(|| cause.downcast_ref::<cgtune_sys::Error>().and_then(cgtune_sys::Error::hint))
    })
}
