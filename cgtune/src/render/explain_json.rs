//! `cgtune explain --json`, in the format of `schemas/explain-1.schema.json`.

use std::io::{self, Write};

use cgtune_core::diagnose::Cause;
use serde::Serialize;

use crate::cmd::explain::Page;

const SCHEMA: &str = "cgtune.explain/1";

#[derive(Serialize)]
struct Whole {
    schema: &'static str,
    #[serde(flatten)]
    entry: Entry,
    markdown: &'static str,
}

#[derive(Serialize)]
struct List {
    schema: &'static str,
    causes: Vec<Entry>,
}

#[derive(Serialize)]
struct Entry {
    cause: Cause,
    title: &'static str,
    summary: &'static str,
}

impl From<&Page> for Entry {
    fn from(page: &Page) -> Self {
        Self { cause: page.cause, title: page.title, summary: page.summary }
    }
}

/// One cause, with its page.
pub(crate) fn page(page: &Page, out: &mut dyn Write) -> io::Result<()> {
    write(&Whole { schema: SCHEMA, entry: page.into(), markdown: page.markdown }, out)
}

/// All causes, without their pages.
pub(crate) fn list(pages: &[Page], out: &mut dyn Write) -> io::Result<()> {
    write(&List { schema: SCHEMA, causes: pages.iter().map(Entry::from).collect() }, out)
}

fn write(document: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, document)?;
    writeln!(out)
}
