//! The machine that is meant, for every verb that chooses among CPUs: this one, one whose /sys was captured, or one that
//! `cgtune topology --json` described.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use cgtune_core::{Topology, topology::Machine};
use cgtune_node::description::Description;
use cgtune_sys::{
    HostRoot,
    topology::{self, MachineError},
};

use crate::{failure::Hinted, named::Named};

/// Of a description: one of 65,536 CPUs is smaller.
const MOST: u64 = 64 << 20;

/// Another machine than this one.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Described {
    /// Take the CPUs of another machine, from a copy of its /sys
    #[arg(long, value_name = "DIR", conflicts_with = "topology")]
    sysfs: Option<PathBuf>,
    /// Take the CPUs from what cgtune topology --json printed; - for standard input
    #[arg(long, visible_alias = "from", value_name = "FILE")]
    topology: Option<PathBuf>,
}

impl Described {
    /// The machine that is meant; the node below `host_root` where no other is named.
    pub(crate) fn read(&self, host_root: &Path) -> anyhow::Result<Machine> {
        self.description(host_root).map(|description| description.machine)
    }

    /// The same, and what a description says of who held CPUs there. Of a node and of a copy of a /sys nothing is said of that.
    pub(crate) fn description(&self, host_root: &Path) -> anyhow::Result<Description> {
        if self.is_elsewhere() && host_root != Path::new("/") {
            let error =
                anyhow!("--host-root names one machine, and a copy of its /sys or a description another");
            return Err(Hinted::new(error, "give one of them").into());
        }
        let machine = match (&self.sysfs, &self.topology) {
            (Some(dir), _) => topology::captured(dir).and_then(|host| topology::read(&host)),
            (None, Some(file)) => return described(Named(file)),
            (None, None) => topology::read(&HostRoot::new(host_root)),
        };
        Ok(Description { machine: machine.map_err(told)?, holders: None })
    }

    /// The file that describes it.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.topology.as_deref()
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

fn described(file: Named<'_>) -> anyhow::Result<Description> {
    let bytes = file.read("what cgtune topology --json prints", MOST)?;
    Description::read(&bytes).map_err(|error| {
        let hint = "it should be what cgtune topology --json prints; \"cpus\", a list of \
                    {\"cpu\",\"core\",\"socket\",\"node\",\"uncore\"}, is enough";
        let error = anyhow::Error::new(error).context(format!("{} is no machine's description", file.name()));
        Hinted::new(error, hint).into()
    })
}
