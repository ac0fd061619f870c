//! The one seam for whatever behaves like a cgroup: the real one, the rule model, the simulator.

use std::error::Error;

use crate::{
    Capabilities, Observed, ObservedShare, Policy, Share, Snapshot, Surroundings,
    plan::{self, PlanError, Step, Write},
};

/// Something with a CPU policy and counters.
pub trait CpuControl {
    /// What goes wrong when it is read or written.
    type Error: Error + Send + Sync + 'static;

    /// What it offers.
    fn capabilities(&self) -> Capabilities;

    /// What lies above and below, as the kernel's v1 check sees it.
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

/// Why [`apply`] failed.
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
    #[error("the kernel shows {shows} where {wanted} was written")]
    ReadBack {
        /// What was wanted.
        wanted: String,
        /// What is there.
        shows: String,
    },
}

/// Observes, plans, writes what differs, reads back. On a refusal what was written is taken back.
///
/// # Errors
/// [`ApplyError`]; after `Plan` nothing was written.
pub fn apply<C: CpuControl>(control: &mut C, policy: &Policy) -> Result<Applied, ApplyError<C::Error>> {
    let before = control.observe().map_err(ApplyError::Read)?;
    let surroundings = control.surroundings().map_err(ApplyError::Read)?;
    let steps = plan::plan(&before, policy, &control.capabilities(), &surroundings)?;
    for (done, step) in steps.iter().enumerate() {
        if let Err(cause) = control.write(&step.write) {
            let restored = done == 0 || restore(control, &before, policy);
            return Err(ApplyError::Refused { done, planned: steps.len(), restored, cause });
        }
    }
    let after =
        if steps.is_empty() { before.clone() } else { control.observe().map_err(ApplyError::Read)? };
    check_read_back(policy, &after)?;
    Ok(Applied { before, after, steps })
}

/// Plans the way back for the fields that the policy touched, and takes it.
fn restore<C: CpuControl>(control: &mut C, before: &Observed, touched: &Policy) -> bool {
    let back = Policy {
        share: touched.share.and(before.share).and_then(|share| match share {
            ObservedShare::Shares(n) => crate::Shares::new(n).ok().map(Share::Shares),
            ObservedShare::Weight(n) => crate::Weight::new(n).ok().map(Share::Weight),
        }),
        bandwidth: touched
            .bandwidth
            .and(before.bandwidth)
            .and_then(|bandwidth| bandwidth.to_bandwidth().ok()),
        cpus: touched.cpus.as_ref().and(before.cpus.clone()),
        mems: touched.mems.as_ref().and(before.mems.clone()),
    };
    let Ok(now) = control.observe() else { return false };
    let Ok(surroundings) = control.surroundings() else { return false };
    let Ok(steps) = plan::plan(&now, &back, &control.capabilities(), &surroundings) else { return false };
    steps.iter().all(|step| control.write(&step.write).is_ok())
        && control.observe().is_ok_and(|after| after == *before)
}

fn check_read_back<E: Error>(policy: &Policy, after: &Observed) -> Result<(), ApplyError<E>> {
    let differs = |wanted: String, shows: String| Err(ApplyError::ReadBack { wanted, shows });
    if let Some(wanted) = policy.bandwidth {
        let shown = after.bandwidth.map(|b| (b.quota, b.period, b.burst.unwrap_or_default()));
        if shown != Some((wanted.quota(), wanted.period(), wanted.burst())) {
            return differs(format!("{wanted:?}"), format!("{:?}", after.bandwidth));
        }
    }
    let share = match (policy.share, after.share) {
        (None, _) => true,
        (Some(Share::Shares(wanted)), Some(ObservedShare::Shares(shown))) => wanted.get() == shown,
        (Some(Share::Weight(wanted)), Some(ObservedShare::Weight(shown))) => wanted.get() == shown,
        _ => false,
    };
    if !share {
        return differs(format!("{:?}", policy.share), format!("{:?}", after.share));
    }
    for (wanted, shown) in [(&policy.cpus, &after.cpus), (&policy.mems, &after.mems)] {
        if wanted.is_some() && wanted != shown {
            return differs(format!("{wanted:?}"), format!("{shown:?}"));
        }
    }
    Ok(())
}
