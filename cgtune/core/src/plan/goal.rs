//! Where a plan leads: what is wanted, or an earlier state to go back to.

use serde::{Deserialize, Serialize};

use crate::{CpuSet, Observed, ObservedBandwidth, ObservedShare, Policy, Share};

/// The state that a plan leads to; what is `None` is left as it is.
///
/// Wider than a [`Policy`]: an earlier state may be one that nobody would choose (a stale burst under no quota), and to
/// go back is to go back to exactly that.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    /// Relative weight.
    pub share: Option<ObservedShare>,
    /// Quota, period and burst; with no burst, that is left as it is.
    pub bandwidth: Option<ObservedBandwidth>,
    /// `cpu.idle`.
    pub idle: Option<bool>,
    /// CPUs.
    pub cpus: Option<CpuSet>,
    /// Memory nodes.
    pub mems: Option<CpuSet>,
}

impl From<&Policy> for Goal {
    fn from(policy: &Policy) -> Self {
        Self {
            share: policy.share.map(|share| match share {
                Share::Shares(shares) => ObservedShare::Shares(shares.get()),
                Share::Weight(weight) => ObservedShare::Weight(weight.get()),
            }),
            bandwidth: policy.bandwidth.map(ObservedBandwidth::from),
            idle: policy.idle,
            cpus: policy.cpus.clone(),
            mems: policy.mems.clone(),
        }
    }
}

impl Goal {
    /// The way back: of what this goal touches, what was there before.
    #[must_use]
    pub fn back_to(&self, before: &Observed) -> Self {
        // The kernel forgets the share when a group becomes idle, so whoever touches the one touches the other.
        let share = self.share.is_some() || self.idle.is_some();
        Self {
            share: before.share.filter(|_| share && before.idle != Some(true)),
            bandwidth: self.bandwidth.and(before.bandwidth),
            idle: self.idle.and(before.idle),
            cpus: self.cpus.as_ref().and(before.cpus.clone()),
            mems: self.mems.as_ref().and(before.mems.clone()),
        }
    }

    /// Whether there is a value that both set, so that the later one hides what the earlier one left.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        // As on the way back: who sets the one of the two sets the other.
        let weighs = |goal: &Self| goal.share.is_some() || goal.idle.is_some();
        weighs(self) && weighs(other)
            || self.bandwidth.is_some() && other.bandwidth.is_some()
            || self.cpus.is_some() && other.cpus.is_some()
            || self.mems.is_some() && other.mems.is_some()
    }

    /// Whether `observed` is what this goal asks for.
    #[must_use]
    pub fn is_met_by(&self, observed: &Observed) -> bool {
        self.differences(observed).is_empty()
    }

    /// Where `observed` differs: what it is about, what is wanted and what is there.
    #[must_use]
    pub fn differences(&self, observed: &Observed) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut compare = |what, wanted: Option<String>, there: Option<String>| {
            if let Some(wanted) = wanted.filter(|wanted| there.as_ref() != Some(wanted)) {
                found.push(Difference { what, wanted, there });
            }
        };
        let number = |share| match share {
            ObservedShare::Shares(n) | ObservedShare::Weight(n) => n.to_string(),
        };
        let there = observed.bandwidth;
        compare("idle", self.idle.map(|idle| idle.to_string()), observed.idle.map(|idle| idle.to_string()));
        compare(
            if matches!(self.share, Some(ObservedShare::Weight(_))) { "weight" } else { "shares" },
            self.share.map(number),
            observed.share.map(number),
        );
        compare("quota", self.bandwidth.map(|b| b.quota.to_string()), there.map(|b| b.quota.to_string()));
        compare("period", self.bandwidth.map(|b| b.period.to_string()), there.map(|b| b.period.to_string()));
        // No burst is what a kernel without burst has.
        let wanted = self.bandwidth.and_then(|bandwidth| bandwidth.burst).map(|burst| burst.to_string());
        let burst = there.map(|bandwidth| bandwidth.burst.unwrap_or_default().to_string());
        compare("burst", wanted, burst);
        let list = |list: &Option<CpuSet>| list.as_ref().map(ToString::to_string);
        compare("cpuset.mems", list(&self.mems), list(&observed.mems));
        compare("cpuset.cpus", list(&self.cpus), list(&observed.cpus));
        found
    }
}

/// One value that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which value: `quota`, `period`, `burst`, `shares`, `weight`, `idle`, `cpuset.cpus`, `cpuset.mems`.
    pub what: &'static str,
    /// What it should be.
    pub wanted: String,
    /// What it is; `None`: there is no such file.
    pub there: Option<String>,
}
