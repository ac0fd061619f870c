//! `cgtune topology --json`: the format of `schemas/topology-1.schema.json`, which `--from` reads back.

use std::io::{self, Write};

use cgtune_core::{CpuSet, topology::Machine};
use cgtune_node::names::path::container_id;
use serde::Serialize;

use crate::{cmd::topology::Holder, machine::SCHEMA, render::stat_json::name};

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    #[serde(flatten)]
    machine: &'a Machine,
    /// `null`: not known, as of a machine that isn't this one.
    cpusets: Option<Vec<Cpuset<'a>>>,
}

#[derive(Serialize)]
struct Cpuset<'a> {
    path: String,
    container: Option<&'a str>,
    /// Names are null where no source told them.
    container_name: Option<&'a str>,
    pod: Option<&'a str>,
    namespace: Option<&'a str>,
    cpus: &'a CpuSet,
    effective_cpus: &'a CpuSet,
    partition: Option<String>,
    processes: Option<usize>,
}

pub(crate) fn write(machine: &Machine, holders: Option<&[Holder]>, out: &mut dyn Write) -> io::Result<()> {
    let cpusets = holders.map(|holders| holders.iter().map(cpuset).collect());
    serde_json::to_writer_pretty(&mut *out, &Document { schema: SCHEMA, machine, cpusets })?;
    writeln!(out)
}

fn cpuset(holder: &Holder) -> Cpuset<'_> {
    let Holder { cpuset, resident } = holder;
    let pod = resident.pod.as_ref();
    Cpuset {
        path: name(&cpuset.path),
        container: container_id(&cpuset.path),
        container_name: resident.container.as_ref().and_then(|container| container.name.as_deref()),
        pod: pod.and_then(|pod| pod.name.as_deref()),
        namespace: pod.and_then(|pod| pod.namespace.as_deref()),
        cpus: &cpuset.cpus,
        effective_cpus: &cpuset.effective,
        partition: cpuset.partition.as_ref().map(ToString::to_string),
        processes: cpuset.processes,
    }
}
