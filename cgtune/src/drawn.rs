//! Where a picture goes that a person asked for beside the answer: a file. `-` is none, as the answer goes to standard output.

use std::{fmt::Display, path::Path};

use anyhow::{Context as _, anyhow};
use cgtune_core::text::Escaped;
use cgtune_sys::durable::{self, Existing};

use crate::{failure::Hinted, streams::Streams};

/// What can be known of the place before anything is done for the picture. `flag` is what names it.
pub(crate) fn check(flag: &str, path: &Path) -> anyhow::Result<()> {
    if path == Path::new("-") {
        let error = anyhow!("{flag} -: standard output is for the answer, and a picture is not part of it");
        return Err(Hinted::new(error, format!("name a file: {flag} FILE")).into());
    }
    if path.is_dir() {
        return Err(anyhow!("cannot write {}: it is a folder", shown(path)));
    }
    Ok(())
}

/// Writes it, whole or not at all; a file that is there is replaced, a device or FIFO written. The answer so far is told before, as both
/// may lead to the same place.
pub(crate) fn write(path: &Path, bytes: &[u8], streams: &mut Streams<'_>) -> anyhow::Result<()> {
    let told = streams.out.flush();
    durable::write(path, bytes, Existing::Replaced)
        .with_context(|| format!("cannot write {}", shown(path)))?;
    Ok(told?)
}

pub(crate) fn shown(path: &Path) -> impl Display {
    Escaped(path.as_os_str().as_encoded_bytes()).to_string()
}
