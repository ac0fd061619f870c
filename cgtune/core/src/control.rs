//! The one seam for whatever behaves like a cgroup: the real one, the rule model, the simulator.

use std::error::Error;

use serde::{Deserialize, Serialize};

use crate::{
    Capabilities, Observed, Policy, Snapshot, Surroundings,
    plan::{self, Difference, Goal, PlanError, Step, Write},
};

/// Something with a CPU policy and counters.
pub trait CpuControl {
    /// What goes wrong when it is read or written.
    type Error: Error + Send + Sync + 'static;

    /// What it offers.
    fn capabilities(&self) -> Capabilities;

    /// What lies above, below and beside, as the kernel's checks see it.
    ///
    /// # Errors
    /// When a group on the path cannot be read.
    fn surroundings(&mut self) -> Result<Surroundings, Self::Error>;

    /// What is set now.
    ///
    /// # Errors
    /// When a file cannot be read or holds something else than its format.
    fn observe(&mut self) -> Result<Observed, Self::Error>;

    /// One write.
    ///
    /// # Errors
    /// The kernel's refusal, with file and value.
    fn write(&mut self, write: &Write) -> Result<(), Self::Error>;

    /// The counters now.
    ///
    /// # Errors
    /// When the group has vanished or a file holds something else than its format.
    fn sample(&mut self) -> Result<Snapshot, Self::Error>;
}

/// What [`apply`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// What was set before.
    pub before: Observed,
    /// What was read back.
    pub after: Observed,
    /// The writes, in order. Empty when nothing differed.
    pub steps: Vec<Step>,
}

/// A change that is legal and not made yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// What is set now.
    pub before: Observed,
    /// Where it leads.
    pub goal: Goal,
    /// The writes, in order. Empty when nothing differs.
    pub steps: Vec<Step>,
}

impl Planned {
    /// Every state on the way, the first and the last included.
    #[must_use]
    pub fn states(&self) -> Vec<Observed> {
        let mut states = vec![self.before.clone()];
        for step in &self.steps {
            let next = step.write.leaves(&states[states.len() - 1]);
            states.push(next);
        }
        states
    }
}

/// Why a change failed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError<E: Error + 'static> {
    /// The group could not be read.
    #[error("cannot read the present policy")]
    Read(#[source] E),
    /// The kernel would refuse the end state.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A write was refused. What had been written before it was taken back, as far as `restored` says.
    #[error("write {} of {} was refused ({})", .done + 1, .planned, if *.restored { "the earlier state is restored" } else { "the earlier state could NOT be restored" })]
    Refused {
        /// How many writes had succeeded.
        done: usize,
        /// How many were planned.
        planned: usize,
        /// Whether the state is again what it was.
        restored: bool,
        /// The refusal.
        #[source]
        cause: E,
    },
    /// Every write succeeded, but the kernel shows something else.
    #[error("the kernel shows {what} {shows} where {wanted} was written")]
    ReadBack {
        /// Which value.
        what: &'static str,
        /// What was wanted.
        wanted: String,
        /// What is there.
        shows: String,
    },
}

/// Observes and plans; writes nothing.
///
/// # Errors
/// [`ApplyError::Read`], [`ApplyError::Plan`].
pub fn prepare<C: CpuControl>(control: &mut C, goal: Goal) -> Result<Planned, ApplyError<C::Error>> {
    let before = control.observe().map_err(ApplyError::Read)?;
    let surroundings = control.surroundings().map_err(ApplyError::Read)?;
    let steps = plan::plan(&before, &goal, &control.capabilities(), &surroundings)?;
    Ok(Planned { before, goal, steps })
}

/// Writes what was planned and reads back. On a refusal what was written is taken back.
///
/// # Errors
/// [`ApplyError`].
pub fn carry_out<C: CpuControl>(
    control: &mut C,
    planned: &Planned,
) -> Result<Observed, ApplyError<C::Error>> {
    let written = write_all(control, &planned.steps, &mut || false);
    if let Err(Halt { done, cause: Some(cause) }) = written {
        let restored = done == 0 || take_back(control, planned);
        return Err(ApplyError::Refused { done, planned: planned.steps.len(), restored, cause });
    }
    read_back(control, &planned.goal)
}

/// Writing ended before the last step.
#[derive(Debug)]
pub struct Halt<E> {
    /// How many writes had succeeded.
    pub done: usize,
    /// The refusal; `None`: somebody asked to stop.
    pub cause: Option<E>,
}

/// Writes one step after the other and takes nothing back.
///
/// # Errors
/// [`Halt`] at the first refusal, or when `stop` says so between two writes.
pub fn write_all<C: CpuControl>(
    control: &mut C,
    steps: &[Step],
    stop: &mut dyn FnMut() -> bool,
) -> Result<(), Halt<C::Error>> {
    for (done, step) in steps.iter().enumerate() {
        if stop() {
            return Err(Halt { done, cause: None });
        }
        control.write(&step.write).map_err(|cause| Halt { done, cause: Some(cause) })?;
    }
    Ok(())
}

/// What the kernel shows, which must be what was wanted.
///
/// # Errors
/// [`ApplyError::Read`], [`ApplyError::ReadBack`].
pub fn read_back<C: CpuControl>(control: &mut C, goal: &Goal) -> Result<Observed, ApplyError<C::Error>> {
    let after = control.observe().map_err(ApplyError::Read)?;
    match goal.differences(&after).into_iter().next() {
        None => Ok(after),
        Some(Difference { what, wanted, there }) => {
            let shows = there.unwrap_or_else(|| "no such file".to_owned());
            Err(ApplyError::ReadBack { what, wanted, shows })
        }
    }
}

/// Observes, plans, writes what differs, reads back. On a refusal what was written is taken back.
///
/// # Errors
/// [`ApplyError`]; after `Plan` nothing was written.
pub fn apply<C: CpuControl>(control: &mut C, policy: &Policy) -> Result<Applied, ApplyError<C::Error>> {
    let planned = prepare(control, Goal::from(policy))?;
    let after = carry_out(control, &planned)?;
    Ok(Applied { before: planned.before, after, steps: planned.steps })
}

/// Plans the way back to what was there before, and takes it; whether it is there again.
fn take_back<C: CpuControl>(control: &mut C, planned: &Planned) -> bool {
    let back = planned.goal.back_to(&planned.before);
    let Ok(way) = prepare(control, back) else { return false };
    way.steps.iter().all(|step| control.write(&step.write).is_ok())
        && control.observe().is_ok_and(|after| way.goal.is_met_by(&after))
}
