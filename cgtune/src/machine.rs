//! The machine that is meant, for every verb that chooses among CPUs: this one, one whose /sys was captured, or one that
//! `cgtune topology --json` described.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow};
use cgtune_core::{Topology, text::Escaped, topology::Machine};
use cgtune_sys::{
    HostRoot,
    topology::{self, MachineError},
};
use serde::Deserialize;

use crate::failure::Hinted;

/// Additive changes keep the number, others raise it.
pub(crate) const SCHEMA: &str = "cgtune.topology/1";
/// Of a description: one of 65,536 CPUs is smaller.
const MOST: u64 = 64 << 20;

/// Another machine than this one.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Described {
    /// Take the CPUs of another machine, from a copy of its /sys
    #[arg(long, value_name = "DIR", conflicts_with = "topology")]
    sysfs: Option<PathBuf>,
    /// Take the CPUs from what cgtune topology --json printed
    #[arg(long, visible_alias = "from", value_name = "FILE")]
    topology: Option<PathBuf>,
}

impl Described {
    /// The machine that is meant; the node below `host_root` where no other is named.
    pub(crate) fn read(&self, host_root: &Path) -> anyhow::Result<Machine> {
        if self.is_elsewhere() && host_root != Path::new("/") {
            let error =
                anyhow!("--host-root names one machine, and a copy of its /sys or a description another");
            return Err(Hinted::new(error, "give one of them").into());
        }
        match (&self.sysfs, &self.topology) {
            (Some(dir), _) => topology::captured(dir).and_then(|host| topology::read(&host)).map_err(told),
            (None, Some(file)) => described(file),
            (None, None) => topology::read(&HostRoot::new(host_root)).map_err(told),
        }
    }

    /// Whether it is another machine than the one that we are on, of which only the shape is known.
    pub(crate) fn is_elsewhere(&self) -> bool {
        self.sysfs.is_some() || self.topology.is_some()
    }
}

/// What CPUs are chosen from. A machine that [`Described::read`] gave has them.
pub(crate) fn cpus(machine: &Machine) -> anyhow::Result<Topology> {
    machine.topology().context("the machine cannot be as described")
}

fn told(error: MachineError) -> anyhow::Error {
    match error.hint() {
        Some(hint) => Hinted::new(error, hint).into(),
        None => error.into(),
    }
}

/// What a document says that it is. Without a word it is taken for what is meant.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    schema: Option<String>,
}

fn described(file: &Path) -> anyhow::Result<Machine> {
    let name = Escaped(file.as_os_str().as_encoded_bytes()).to_string();
    let mut bytes = Vec::new();
    fs::File::open(file)
        .and_then(|open| open.take(MOST + 1).read_to_end(&mut bytes))
        .with_context(|| format!("cannot read {name}"))?;
    if bytes.len() as u64 > MOST {
        return Err(anyhow!("{name} is larger than {} MiB", MOST >> 20));
    }
    let head: Head = parsed(&bytes, &name)?;
    if let Some(schema) = head.schema.filter(|schema| schema != SCHEMA) {
        return Err(refused(anyhow!("{name} is \"{schema}\", not \"{SCHEMA}\"")));
    }
    let mut machine: Machine = parsed(&bytes, &name)?;
    machine.put_in_order();
    let refuse = |error| refused(anyhow::Error::new(error).context(format!("{name} describes no machine")));
    machine.topology().map_err(refuse)?;
    Ok(machine)
}

/// Where it is wrong is told by line, column and path.
fn parsed<'de, T: Deserialize<'de>>(bytes: &'de [u8], name: &str) -> anyhow::Result<T> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { String::new() } else { format!(" in {path}") };
        refused(anyhow!("{name} is no machine's description:{place} {}", error.inner()))
    })?;
    json.end().map_err(|error| refused(anyhow!("{name} is no machine's description: {error}")))?;
    Ok(value)
}

fn refused(error: anyhow::Error) -> anyhow::Error {
    let hint = "it should be what cgtune topology --json prints; \"cpus\", a list of {\"cpu\",\"core\",\"socket\",\"node\",\"uncore\"}, \
                is enough";
    Hinted::new(error, hint).into()
}
