//! Who runs a block: the seam between the plan of an experiment and a kernel, or a model of one.

mod keeper;
pub mod kernel;
pub mod model;
mod policy;
mod sampler;

use std::sync::atomic::AtomicBool;

use cgtune_core::{Bandwidth, MilliCpu, control::ApplyError};
use cgtune_sys::process::Exit;

use crate::{
    order::Slot,
    plan::{Condition, Load, Plan},
    record::{BackendKind, Block, Machine},
};

pub use policy::NEIGHBOUR_REQUEST;

/// What the load is entitled to, derived from its measured need.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entitlement {
    /// Its CPU request, which becomes shares or weight.
    pub request: MilliCpu,
    /// Its limit, without burst.
    pub limit: Bandwidth,
}

/// One block to run.
#[derive(Debug, Clone, Copy)]
pub struct BlockOrder<'a> {
    /// The experiment.
    pub plan: &'a Plan,
    /// What runs: the plan's load, or its pilot's.
    pub load: &'a Load,
    /// Place in the order.
    pub index: u32,
    /// Condition and repetition.
    pub slot: Slot,
    /// Which try of it, from 0.
    pub attempt: u32,
    /// The pilot that the entitlement follows from; a pilot's own index. `None` where there is none.
    pub pilot: Option<u32>,
    /// What the load gets. `None` for the pilot, which runs without any policy of ours.
    pub entitlement: Option<Entitlement>,
}

/// Runs blocks.
pub trait Backend {
    /// Which kind it is; every record says so.
    fn kind(&self) -> BackendKind;

    /// Facts about the machine.
    fn machine(&self) -> Machine;

    /// Whether a condition can be run here; the reason if not.
    ///
    /// # Errors
    /// The reason, as a sentence for people.
    fn provides(&self, plan: &Plan, condition: Condition) -> Result<(), String>;

    /// Runs one block. `None`: stopped before anything was measured. `progress` is told the seconds since the block began.
    ///
    /// # Errors
    /// Whatever kept the block from being measured.
    fn run(
        &mut self,
        order: &BlockOrder<'_>,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(f64),
    ) -> Result<Option<Block>, RunError>;
}

/// Why a run failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The kernel.
    #[error(transparent)]
    Kernel(#[from] cgtune_sys::Error),
    /// A policy could not be put in force.
    #[error("cannot put the policy \"{condition}\" in force")]
    Policy {
        /// For which condition.
        condition: Condition,
        /// Why.
        #[source]
        cause: Box<ApplyError<cgtune_sys::Error>>,
    },
    /// A policy that no kernel accepts.
    #[error("the plan asks for an impossible policy")]
    Impossible(#[from] cgtune_core::PolicyError),
    /// The load ended before it should have.
    #[error("the load ended early ({0})")]
    LoadEnded(Exit),
    /// The load sent something else than its protocol.
    #[error("the load sent \"{0}\", which is not of its protocol")]
    Protocol(String),
    /// The load did not become ready.
    #[error("the load was not ready within {0} s")]
    NotReady(u64),
    /// The warm-up was all that there was.
    #[error(
        "the load was done before its warm-up was over, so that nothing was measured: its requests came faster than on average; give \
         it more of them (load.requests), or less warm-up (load.warmup)"
    )]
    NothingMeasured,
    /// Talking to the load.
    #[error("cannot talk to the load")]
    Pipe(#[from] std::io::Error),
    /// The counters do not fit together.
    #[error("the counters of the load's cgroup make no interval")]
    Counters(#[from] cgtune_core::Discontinuity),
    /// There is nothing to check throttling by.
    #[error(
        "this kernel counts no periods: cpu.stat has no nr_periods (a kernel built without CONFIG_CFS_BANDWIDTH)"
    )]
    NotCounted,
    /// The load used no CPU time in the pilot, so no quota follows from it.
    #[error("the pilot measured no CPU use: is anything encoded?")]
    NoUse,
    /// The model.
    #[error("the model cannot run this: {0}")]
    Model(String),
    /// The results folder.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
}

impl RunError {
    /// What to do next, where there is something to say.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Kernel(error) => error.hint(),
            Self::Store(error) => error.hint(),
            _ => None,
        }
    }
}
