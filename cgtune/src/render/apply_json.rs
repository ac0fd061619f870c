//! `cgtune apply --json`: the format of `schemas/apply-1.schema.json`.

use std::{
    io::{self, Write},
    path::Path,
};

use cgtune_core::text::Escaped;
use cgtune_node::{change::Ready, journal::Entry};
use serde::Serialize;

use super::{
    owner::Aftermath,
    plan::{self, Line},
};

const SCHEMA: &str = "cgtune.apply/1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    /// Of the journal; null where nothing was written.
    id: Option<u64>,
    dry_run: bool,
    until: Option<&'a str>,
    cgroups: Vec<Group>,
    notes: &'a [String],
    owners: Vec<Owner<'a>>,
    overwritten_by: Vec<Overwritten<'a>>,
    lasting: Vec<Lasting<'a>>,
}

#[derive(Serialize)]
pub(super) struct Group {
    path: String,
    writes: Vec<Step>,
}

#[derive(Serialize)]
struct Step {
    file: &'static str,
    from: Option<String>,
    to: String,
    why: String,
}

#[derive(Serialize)]
struct Owner<'a> {
    name: &'a str,
    evidence: &'a str,
}

#[derive(Serialize)]
struct Overwritten<'a> {
    who: &'a str,
    what: &'a [&'static str],
    when: &'a str,
}

#[derive(Serialize)]
struct Lasting<'a> {
    owner: &'a str,
    command: Option<&'a str>,
    cannot: &'a [String],
}

impl Group {
    pub(super) fn new(path: &Path, lines: Vec<Line>) -> Self {
        let writes =
            lines.into_iter().map(|Line { file, from, to, why }| Step { file, from, to, why }).collect();
        Self { path: Escaped(path.as_os_str().as_encoded_bytes()).to_string(), writes }
    }
}

pub(crate) fn write(
    groups: &[Ready],
    entry: Option<&Entry>,
    dry_run: bool,
    notes: &[String],
    aftermath: &Aftermath,
    out: &mut dyn Write,
) -> io::Result<()> {
    let document = Document {
        schema: SCHEMA,
        id: entry.map(|entry| entry.id),
        dry_run,
        until: entry.and_then(|entry| entry.until.as_deref()),
        cgroups: groups.iter().map(|group| Group::new(group.cgroup.path(), plan::ready(group))).collect(),
        notes,
        owners: aftermath.owners.iter().map(|(name, evidence)| Owner { name, evidence }).collect(),
        overwritten_by: aftermath
            .overwrites
            .iter()
            .map(|overwrite| Overwritten {
                who: &overwrite.who,
                what: &overwrite.what,
                when: &overwrite.when,
            })
            .collect(),
        lasting: aftermath
            .lasting
            .iter()
            .map(|lasting| Lasting {
                owner: &lasting.owner,
                command: lasting.command.as_deref(),
                cannot: &lasting.cannot,
            })
            .collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}
