//! `cgtune explain` without a cause: all of them, a line each.

use std::io::{self, Write};

use crate::{cmd::explain::Page, streams::HEADING};

pub(crate) fn list(pages: &[Page], out: &mut dyn Write) -> io::Result<()> {
    let width = pages.iter().map(|page| page.cause.name().len()).max().unwrap_or_default();
    for page in pages {
        let (name, pad) = (page.cause.name(), width - page.cause.name().len());
        writeln!(out, "{HEADING}{name}{HEADING:#}{:pad$}  {}", "", page.title)?;
    }
    writeln!(out, "\nA page of each: cgtune explain CAUSE")
}
