//! Keeps the CPUs awake while blocks run.
//!
//! A virtual CPU that goes idle between two frames is given to somebody else by its host and comes back cold, late and
//! with its time charged to us, which no counter shows (`steal` stays 0); a real one falls into a sleep state and a
//! lower clock. Either way a second of frames may take half as much CPU time again, and a block then tells of the host
//! instead of the policy. One busy thread a CPU, in a group that runs only when nobody else wants to (`cpu.idle`), stops
//! that: whatever wakes up preempts it at once. Even such a group is owed a little (EEVDF, 6.6): at a tick within a long
//! frame it gets its turn, which would last to the next tick, so each thread yields every few microseconds.

use cgtune_core::{CpuControl as _, Snapshot, plan::Write};
use cgtune_sys::lifecycle::{OwnedCgroup, Workshop};
use workloads::hog::Manner;

use super::RunError;
use crate::load::Load;

/// The idle-class spinner. Dropping it ends it.
pub(super) struct Keeper {
    // Before its group: that can only go when nobody is in it.
    _load: Load,
    group: OwnedCgroup,
}

impl Keeper {
    /// Starts it. `None`: this kernel has no idle groups (before 5.15), and nothing else would yield as promptly.
    pub(super) fn start(workshop: &Workshop, threads: u32) -> Result<Option<Self>, RunError> {
        let mut group = workshop.group("keeper")?;
        if group.cgroup()?.observe()?.idle.is_none() {
            return Ok(None);
        }
        group.cgroup()?.write(&Write::Idle(true))?;
        let load = Load::hog(&mut group, threads, Manner::Polite)?;
        Ok(Some(Self { _load: load, group }))
    }

    /// Its counters: what it used is nobody's disturbance.
    pub(super) fn sample(&mut self) -> Result<Snapshot, RunError> {
        Ok(self.group.cgroup()?.sample()?)
    }
}
