//! What differs between kernels, as far as bandwidth control goes, and the constants that don't.
//!
//! Sources: kernel/sched/fair.c of the versions named; constants as of 6.12.

use crate::{Nanos, convert::Version};

/// CPU time that a CPU takes from the pool at once (`sched_cfs_bandwidth_slice_us`).
pub const SLICE: Nanos = Nanos::new(5_000_000);
/// CPU time that a CPU keeps when its last task sleeps (`min_cfs_rq_runtime`).
pub const KEPT: Nanos = Nanos::new(1_000_000);
/// How long the slack timer waits (`cfs_bandwidth_slack_period`).
pub const SLACK_PERIOD: Nanos = Nanos::new(5_000_000);
/// How close a refill may be for what is left to be handed out before it (`min_bandwidth_expiration`).
pub const NEAR_REFILL: Nanos = Nanos::new(2_000_000);
/// CPU time after which a running task makes room for another (EEVDF's base slice with few CPUs, 6.12).
pub const TURN: Nanos = Nanos::new(3_000_000);

/// What a throttled CPU stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Throttle {
    /// The whole run queue, at once (to 6.17).
    RunQueue,
    /// Each task when it returns to user mode (from 6.18): what it still does in the kernel is done, and charged.
    Tasks,
}

/// A kernel, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kernel {
    /// What a throttled CPU stops.
    pub throttle: Throttle,
    /// Whether what a CPU holds is lost at the end of the period (before 5.4; widely mended by backports).
    pub expires_slices: bool,
    /// Whether each group's period timer starts at a phase of its own (`init_cfs_bandwidth`, from 6.4). Before, all of the
    /// same period end theirs together, on one grid from boot.
    pub random_phase: bool,
    /// Whether throttled time passes for a CPU on which nobody waits (before 6.6), as after a throttle on the way to sleep.
    pub times_empty: bool,
    /// Time between ticks, at which limits are enforced (1/HZ).
    pub tick: Nanos,
}

impl Kernel {
    /// That version of mainline, with 250 ticks a second.
    #[must_use]
    pub fn of(version: Version) -> Self {
        Self {
            throttle: if version >= Version::new(6, 18, 0) { Throttle::Tasks } else { Throttle::RunQueue },
            expires_slices: version < Version::new(5, 4, 0),
            random_phase: version >= Version::new(6, 4, 0),
            times_empty: version < Version::new(6, 6, 0),
            tick: Nanos::new(4_000_000),
        }
    }
}
