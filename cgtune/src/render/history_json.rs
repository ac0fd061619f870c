//! `cgtune history --json` and `cgtune undo --json`: a list of changes, in the format of `schemas/history-1.schema.json`
//! and `schemas/undo-1.schema.json`.

use std::io::{self, Write};

use cgtune_node::journal::{Entry, State};
use serde::Serialize;

use super::{apply_json::Group, plan};

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    changes: Vec<Change<'a>>,
}

#[derive(Serialize)]
struct Change<'a> {
    id: u64,
    at: &'a str,
    until: Option<&'a str>,
    state: State,
    command: &'a [String],
    cgroups: Vec<Group>,
}

pub(crate) fn write(schema: &'static str, entries: &[Entry], out: &mut dyn Write) -> io::Result<()> {
    let change = |entry| {
        let Entry { id, at, until, state, command, groups, .. }: &Entry = entry;
        let cgroups =
            groups.iter().map(|group| Group::new(&group.path, plan::journalled(&group.planned))).collect();
        Change { id: *id, at, until: until.as_deref(), state: *state, command, cgroups }
    };
    let document = Document { schema, changes: entries.iter().map(change).collect() };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}
