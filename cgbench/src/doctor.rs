//! `doctor`: is this machine fit for measuring latency, and what can be done about it if not?
//!
//! [`examine`] looks and listens, and gives a [`Doctor`]: a record like any other. What follows from that is pure:
//! [`findings`] judges it, [`text`] shows it. It needs no permission; where no cgroup can be made it says so and goes on.
//!
//! ```
//! use cgbench::doctor::{Doctor, Severity, findings, verdict};
//!
//! /// Whether what was measured beside this record can be believed.
//! fn believable(doctor: &Doctor) -> bool {
//!     verdict(&findings(doctor)) < Severity::Unfit
//! }
//! ```

mod cgroups;
mod examine;
pub mod finding;
mod noise;
mod sentence;
mod span;
pub mod text;

use std::collections::BTreeMap;

use cgtune_core::CpuSet;
use serde::{Deserialize, Serialize};

pub use cgroups::{Cgroups, Own, Refusal};
pub use examine::{examine, seconds};
pub use finding::{Finding, Severity, findings, verdict};
pub use noise::{CpuNoise, Noise, Sleeps};

/// What is known of the machine. `None` is "could not be read".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Doctor {
    /// `cgbench.doctor/1`.
    pub schema: String,
    /// When the look began: RFC 3339, UTC.
    pub taken: String,
    /// The kernel and what it runs in.
    pub system: System,
    /// The CPUs.
    pub cpus: Cpus,
    /// What can be put in force here.
    pub cgroups: Cgroups,
    /// What one sleep costs; `None`: interrupted.
    pub sleeps: Option<Sleeps>,
    /// Who else takes the CPUs; `None`: interrupted, or no CPU could be listened on.
    pub noise: Option<Noise>,
}

impl Doctor {
    /// The schema that this version writes.
    pub const SCHEMA: &'static str = "cgbench.doctor/1";
}

/// The kernel and what it runs in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct System {
    /// `uname -r`.
    pub kernel: Option<String>,
    /// Hypervisor, as the CPU's flags and DMI tell; `None`: none seen.
    pub hypervisor: Option<String>,
    /// Files that container runtimes leave; none is no proof of none.
    pub container_marks: Vec<String>,
    /// Whether we are root.
    pub root: bool,
    /// Ticks a second (CONFIG_HZ).
    pub tick_hz: Option<u32>,
    /// What the time is read from.
    pub clocksource: Option<String>,
    /// The scheduler's base slice (debugfs).
    pub base_slice_ns: Option<u64>,
    /// Slice that a CPU takes from a group's pool (`kernel.sched_cfs_bandwidth_slice_us`).
    pub bandwidth_slice_us: Option<u64>,
    /// Whether pressure stall information is provided.
    pub psi: bool,
    /// Threads running or waiting, over 1, 5 and 15 minutes, before we began.
    pub load_average: Option<[f64; 3]>,
    /// Memory in all.
    pub memory_bytes: Option<u64>,
    /// Of it to be had without swapping.
    pub memory_available_bytes: Option<u64>,
}

/// The CPUs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cpus {
    /// Of /proc/cpuinfo.
    pub model: Option<String>,
    /// Those that are online.
    pub online: Option<CpuSet>,
    /// Those that we may run on.
    pub allowed: Option<CpuSet>,
    /// Those that the scheduler leaves alone.
    pub isolated: Option<CpuSet>,
    /// Those whose tick can stop while one task runs.
    pub nohz_full: Option<CpuSet>,
    /// Whether cores run two threads.
    pub smt_active: Option<bool>,
    /// Frequency governors of the CPUs online, with how many have each; empty: none shown.
    pub governors: BTreeMap<String, usize>,
    /// Lowest and highest frequency before we began, in kHz.
    pub frequencies_khz: Option<(u64, u64)>,
    /// Whether CPUs may exceed their rated clock.
    pub turbo: Option<bool>,
}
