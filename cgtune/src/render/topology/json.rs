//! `cgtune topology --json`: the format of `schemas/topology-1.schema.json`, which `--from` reads back.

use std::io::{self, Write};

use cgtune_core::topology::Machine;
use cgtune_node::description::{Holder, SCHEMA};
use serde::Serialize;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    #[serde(flatten)]
    machine: &'a Machine,
    /// `null`: not known, as of a copy of a /sys.
    cpusets: Option<&'a [Holder]>,
}

pub(crate) fn write(machine: &Machine, holders: Option<&[Holder]>, out: &mut dyn Write) -> io::Result<()> {
    let document = Document { schema: SCHEMA, machine, cpusets: holders };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}
