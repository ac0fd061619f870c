//! Reading a machine's shape: from the node, or from a /sys that was captured elsewhere.
//!
//! What must be there to say anything (which CPUs, their cores and sockets) is an error where it is broken, with path and value. What
//! only adds to the picture (caches, clocks, interrupts) is left out then, and a note says so. Only files at known places are
//! read and no folder is descended into, so that a captured tree with links in a circle leads nowhere; a link that
//! leads nowhere is told from a file that is not there.
//!
//! Formats: Documentation/ABI/stable/sysfs-devices-system-cpu, sysfs-devices-node, Documentation/admin-guide/cputopology.rst, 6.12.

mod caches;
mod cpus;
mod fallback;
mod files;
mod more;
mod nodes;

use std::path::Path;

use cgtune_core::{
    CpuSet,
    topology::{Machine, MachineCpu, TopologyError},
};

use crate::{Error, HostRoot, error::Shown};
use files::Files;

pub use more::interrupts;
pub(crate) use more::table;

const CPUS: &str = "/sys/devices/system/cpu";

/// Why a machine's shape cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// A folder that is no captured /sys.
    #[error("{dir} holds no captured /sys: there is neither {0} nor {1}", .tried[0], .tried[1])]
    NoTree {
        /// The folder.
        dir: Shown,
        /// What was looked for.
        tried: [Shown; 2],
    },
    /// Nothing tells which CPUs there are.
    #[error("nothing here says which CPUs there are; looked for {}", .tried.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    NoCpus {
        /// What was looked for.
        tried: Vec<Shown>,
    },
    /// A file that must be there is not.
    #[error("CPU {cpu} is online, but there is no {path}")]
    Missing {
        /// The CPU.
        cpu: u32,
        /// The file.
        path: Shown,
    },
    /// A symbolic link whose end is not there.
    #[error("{path} is a link that leads nowhere")]
    BrokenLink {
        /// The link.
        path: Shown,
    },
    /// Two files that cannot both be right.
    #[error("{first} says \"{first_value}\", but {second} says \"{second_value}\", and {why}")]
    Contradiction {
        /// One file.
        first: Shown,
        /// What it says.
        first_value: String,
        /// Another one.
        second: Shown,
        /// What that says.
        second_value: String,
        /// Why they cannot.
        why: &'static str,
    },
    /// What the files say of CPUs cannot be.
    #[error("what {path} says cannot be")]
    Impossible {
        /// The folder with the files.
        path: Shown,
        /// Why.
        #[source]
        source: TopologyError,
    },
    /// A file cannot be read, or holds something else.
    #[error(transparent)]
    File(#[from] Error),
}

impl MachineError {
    /// What the person can do next, where there is something to say.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoTree { .. } => {
                "the folder should be a copy of /sys, or hold one under the name sys; docs/topology.md has a command that makes one"
                    .to_owned()
            }
            Self::NoCpus { .. } => {
                "this may be a container that shows no /sys; run it on the node, or give a captured tree or what cgtune topology --json \
                 printed there"
                    .to_owned()
            }
            Self::Missing { .. } | Self::BrokenLink { .. } => {
                "if this is a copy of /sys, it is not whole; docs/topology.md has a command that makes one".to_owned()
            }
            Self::Contradiction { .. } | Self::Impossible { .. } => {
                "if CPUs were switched on or off meanwhile, try again; if this is a copy, it may be damaged".to_owned()
            }
            Self::File(error) => return error.hint(),
        })
    }
}

/// A captured /sys: the folder itself is it (`DIR/devices/system/cpu`), or has it under the name sys.
///
/// # Errors
/// [`MachineError::NoTree`]
pub fn captured(dir: &Path) -> Result<HostRoot, MachineError> {
    let hosts = [HostRoot::of_sys(dir), HostRoot::new(dir)];
    let tried = hosts.each_ref().map(|host| Shown(host.join(CPUS)));
    hosts
        .into_iter()
        .find(|host| host.is_dir(CPUS))
        .ok_or_else(|| MachineError::NoTree { dir: Shown(dir.to_owned()), tried })
}

/// Reads the machine's shape. What it does not show stands in [`Machine::notes`].
///
/// # Errors
/// [`MachineError`]
pub fn read(host: &HostRoot) -> Result<Machine, MachineError> {
    let files = Files::new(host);
    let mut machine = Machine::default();
    let online = files.list(&format!("{CPUS}/online"))?.filter(|online| !online.is_empty());
    let online = match online {
        Some(online) => Some(online),
        None => cpus::with_topology(host),
    };
    let shown = online.as_ref().is_some_and(|online| cpus::any_shown(host, online));
    match online {
        Some(online) if shown => cpus::read(&files, &online, &mut machine)?,
        online => fallback::read(host, online, &mut machine)?,
    }
    nodes::read(&files, &mut machine)?;
    caches::read(&files, &mut machine)?;
    more::read(&files, &mut machine)?;
    machine.notes.extend(files.notes());
    machine.topology().map_err(|source| MachineError::Impossible { path: Shown(host.join(CPUS)), source })?;
    Ok(machine)
}

/// CPUs as the machine lists them when nothing else is known: each is a core of its own, all on one socket and node.
fn bare(cpus: &CpuSet) -> Vec<MachineCpu> {
    cpus.iter().map(|cpu| MachineCpu { cpu, core: cpu, ..MachineCpu::default() }).collect()
}
