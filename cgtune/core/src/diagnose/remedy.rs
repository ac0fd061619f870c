//! What would help, as data: a change of which policy, by how much, at whose cost. Commands for its owner are made
//! elsewhere, from the change.

use serde::Serialize;

use super::{
    Cause, causes,
    expected::Modelled,
    finding::{Evidence, Finding, QuotaEvidence, WaitingEvidence},
    quota::SUSTAINED,
    watched::{Above, Watched},
};
use crate::{Bandwidth, Micros, ObservedBandwidth, ObservedShare, Quota, policy, sim::Spread};

/// What kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Let it save up unused quota.
    Burst,
    /// A larger quota.
    RaiseLimit,
    /// The same limit over a longer period.
    LongerPeriod,
    /// Fewer threads (GOMAXPROCS and its kin).
    FewerThreads,
    /// No quota, weights only.
    NoLimit,
    /// A larger or no quota of the group above.
    RaiseAncestor,
    /// A larger weight.
    RaiseWeight,
    /// Not `cpu.idle`, or not SCHED_IDLE.
    NotIdle,
    /// More or other CPUs.
    OtherCpus,
    /// A newer kernel.
    NewKernel,
    /// A host that is less full.
    OtherHost,
}

/// What is written, where a remedy is a write to the group, or to one above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Change {
    /// How many levels up; 0 is the group itself.
    pub levels_up: usize,
    /// Quota.
    pub quota: Option<Quota>,
    /// Period.
    pub period: Option<Micros>,
    /// Burst.
    pub burst: Option<Micros>,
    /// `cpu.idle`.
    pub idle: Option<bool>,
    /// Weight, in the layout's own unit.
    pub share: Option<crate::ObservedShare>,
    /// What a group above needs first, whose limit would hold this one where it is (and which v1 would not let it exceed).
    pub above: Option<Raised>,
}

/// What is written to a group above.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raised {
    /// How many levels above the changed group.
    pub levels_up: usize,
    /// Quota.
    pub quota: Option<Quota>,
    /// Period.
    pub period: Option<Micros>,
    /// Burst.
    pub burst: Option<Micros>,
}

/// What the model expects of a change, over all the phases that nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Expected {
    /// Throttled periods of active ones, today in the model.
    pub throttled_ratio_now: Spread<f64>,
    /// The same after the change.
    pub throttled_ratio: Spread<f64>,
    /// Throttled time in ms per second, today in the model.
    pub stall_ms_per_s_now: Spread<f64>,
    /// The same after the change.
    pub stall_ms_per_s: Spread<f64>,
}

/// One thing that would help.
#[derive(Debug, Clone, PartialEq)]
pub struct Remedy {
    /// What kind.
    pub kind: Kind,
    /// What is written; `None`: it is no write.
    pub change: Option<Change>,
    /// The number that it is about, where there is one: threads, CPUs.
    pub amount: Option<f64>,
    /// What the model expects. `None`: it says nothing of this.
    pub expected: Option<Expected>,
}

impl Kind {
    /// What it costs, and whom.
    #[must_use]
    pub const fn cost(self) -> &'static str {
        match self {
            Self::Burst => {
                "others may wait while it takes up what it saved: up to one more quota in a period"
            }
            Self::RaiseLimit => "that much more CPU may be taken from others at any time",
            Self::LongerPeriod => "a stall that still comes may last as much longer as the period",
            Self::FewerThreads => "one piece of work takes longer when CPUs are free; none of others",
            Self::NoLimit => "it may use every CPU that others leave idle; under load its weight decides",
            Self::RaiseAncestor => "everything in that group together may take that much more from others",
            Self::RaiseWeight => "its siblings get as much less whenever CPUs are short",
            Self::NotIdle => "others wait for it as for anybody else",
            Self::OtherCpus => "whoever runs on those CPUs shares them",
            Self::NewKernel => "a reboot of the node",
            Self::OtherHost => "a move of the machine, or of the load",
        }
    }
}

/// A limit is proposed this much above what is known to be wanted: the kernel hands out slices, not nanoseconds.
const ROOM: f64 = 1.1;
/// The smallest quota worth having: two slices.
const SENSIBLE_QUOTA: Micros = Micros::from_ms(10);

/// What would help against a finding, the best first.
pub(super) fn against(finding: &Finding, watched: &Watched) -> Vec<Remedy> {
    match (&finding.evidence, watched.limit()) {
        (Evidence::Quota(evidence), Some(limit)) => for_quota(finding.cause, watched, limit, evidence),
        (Evidence::Above(evidence), _) => for_ancestor(evidence.levels_up),
        (Evidence::Waiting(evidence), _) => for_waiting(finding.cause, watched, evidence),
        _ => Vec::new(),
    }
}

/// What the model expects of a group whose own quota runs out, under another one. `None`: it is another one that runs out, it shows no end to
/// what it wants, or too little is known to model it.
#[must_use]
pub fn under(watched: &Watched, bandwidth: Bandwidth) -> Option<Expected> {
    let limit = watched.limit()?;
    let findings = causes(watched);
    let (cause, evidence) = findings.iter().find_map(|finding| match &finding.evidence {
        Evidence::Quota(evidence) => Some((finding.cause, evidence)),
        _ => None,
    })?;
    modelled(cause, watched, limit, evidence)?.under(bandwidth)
}

/// The model of a group whose own quota runs out.
fn modelled(
    cause: Cause,
    watched: &Watched,
    limit: &ObservedBandwidth,
    evidence: &QuotaEvidence,
) -> Option<Modelled> {
    // It waits for what no quota explains.
    if cause == Cause::KernelExpiryBug || endless(cause, evidence) {
        return None;
    }
    let width = watched.width().unwrap_or(1).max(1) as f64;
    let wanting = evidence.threads_wanting.unwrap_or(1);
    Modelled::of(watched, limit, wanting.min(width as u32))
}

/// Whether it shows no end to what it wants: there is nothing to model then, and nothing to save up.
fn endless(cause: Cause, evidence: &QuotaEvidence) -> bool {
    cause == Cause::SustainedDemand || evidence.used_of_limit_ratio >= SUSTAINED
}

/// Of a group whose own quota runs out.
fn for_quota(
    cause: Cause,
    watched: &Watched,
    limit: &ObservedBandwidth,
    evidence: &QuotaEvidence,
) -> Vec<Remedy> {
    let width = watched.width().unwrap_or(1).max(1) as f64;
    let wanting = evidence.threads_wanting.unwrap_or(1);
    let endless = endless(cause, evidence);
    let asked = Asked { limit, above: &watched.above, model: modelled(cause, watched, limit, evidence) };
    let most = f64::from(wanting).min(width);
    let together = evidence.together_us.map_or(0.0, |us| us.get() as f64) / limit.period.get().max(1) as f64;
    // So that what comes together fits into one period.
    let in_one_period = (together * ROOM).max(evidence.limit_cpus).min(width);
    let remedies = match cause {
        Cause::ShortBursts => {
            vec![asked.burst(), asked.longer_period(together), asked.raise(in_one_period), asked.no_limit()]
        }
        Cause::TooManyThreads => {
            vec![
                asked.fewer_threads(evidence.limit_cpus),
                asked.burst(),
                asked.raise(most.max(in_one_period)),
                asked.no_limit(),
            ]
        }
        Cause::SustainedDemand => {
            vec![asked.raise(most.max(evidence.limit_cpus * 1.5).min(width)), asked.no_limit()]
        }
        Cause::PinnedAndLimited => vec![asked.no_limit(), asked.burst().filter(|_| !endless)],
        Cause::QuotaTooSmall => {
            vec![asked.sensible_quota(), asked.longer_period(together.max(1.0)), asked.no_limit()]
        }
        Cause::KernelExpiryBug => vec![Some(Remedy::plain(Kind::NewKernel)), asked.no_limit()],
        _ => Vec::new(),
    };
    remedies.into_iter().flatten().collect()
}

/// Of a group that a quota above it stops.
fn for_ancestor(levels_up: usize) -> Vec<Remedy> {
    let change = Change { levels_up, quota: Some(Quota::Unlimited), ..Change::default() };
    vec![Remedy { change: Some(change), ..Remedy::plain(Kind::RaiseAncestor) }]
}

/// Of a group that waits for CPUs.
fn for_waiting(cause: Cause, watched: &Watched, evidence: &WaitingEvidence) -> Vec<Remedy> {
    if cause == Cause::IdleClass {
        let change =
            watched.idle.map(|levels_up| Change { levels_up, idle: Some(false), ..Change::default() });
        return vec![Remedy { change, ..Remedy::plain(Kind::NotIdle) }];
    }
    let mut remedies = Vec::new();
    if evidence.steal_cpus.unwrap_or(0.0) * 2.0 > evidence.others_cpus.unwrap_or(0.0) {
        remedies.push(Remedy::plain(Kind::OtherHost));
    }
    // Four times as much; of less than the usual at least that, or it would hardly be felt beside groups that have it.
    let more = |n: u64, usual: u64, most: u64| n.saturating_mul(4).clamp(usual, most);
    let raised = match watched.observed.share {
        Some(ObservedShare::Shares(n)) => Some(ObservedShare::Shares(more(n, 1024, 262_144))),
        Some(ObservedShare::Weight(n)) => Some(ObservedShare::Weight(more(n, 100, 10_000))),
        None => None,
    };
    if let Some(share) = raised {
        let change = Some(Change { share: Some(share), ..Change::default() });
        remedies.push(Remedy { change, ..Remedy::plain(Kind::RaiseWeight) });
    }
    if evidence.cpus.zip(evidence.online_cpus).is_some_and(|(cpus, online)| cpus < online) {
        remedies.push(Remedy::plain(Kind::OtherCpus));
    }
    remedies
}

impl Remedy {
    const fn plain(kind: Kind) -> Self {
        Self { kind, change: None, amount: None, expected: None }
    }
}

/// A limit that is to be changed, and the model of what it does.
struct Asked<'a> {
    limit: &'a ObservedBandwidth,
    above: &'a [Above],
    model: Option<Modelled>,
}

impl Asked<'_> {
    fn remedy(&self, kind: Kind, change: Change, bandwidth: Option<Bandwidth>) -> Remedy {
        let expected = bandwidth.and_then(|bandwidth| self.model.as_ref()?.under(bandwidth));
        let change = Change { above: self.raised(&change), ..change };
        Remedy { kind, change: Some(change), amount: None, expected }
    }

    /// What the nearest group above that is no larger than the new limit needs.
    fn raised(&self, change: &Change) -> Option<Raised> {
        let own = self.limit.cpus()?;
        let period = change.period.unwrap_or(self.limit.period).get().max(1) as f64;
        let new = match change.quota.unwrap_or(self.limit.quota) {
            // A group without limit leaves those above it theirs, but for one that has no other in it.
            Quota::Unlimited => own,
            Quota::Limited(quota) => quota.get() as f64 / period,
        };
        // Ratios are compared as the kernel rounds them: a pod's quota may be a microsecond off.
        let close = |a: f64, b: f64| (a - b).abs() <= 1e-3 * b;
        let holds =
            |above: &&Above| above.bandwidth.cpus().is_some_and(|cpus| cpus < new || close(cpus, new));
        let above = self.above.iter().find(holds)?;
        let cpus = above.bandwidth.cpus()?;
        if close(cpus, own) {
            let Change { quota, period, burst, .. } = *change;
            return Some(Raised { levels_up: above.level, quota, period, burst });
        }
        // Others have their part of it: it gets as much more as the group does.
        let wanted = (cpus + new - own) * above.bandwidth.period.get() as f64;
        // Rounded up, but not for what arithmetic adds to a whole microsecond.
        let quota = (wanted - 1e-3).ceil() as u64;
        let quota = Some(Quota::Limited(Micros::new(quota)));
        (new > own).then_some(Raised { levels_up: above.level, quota, period: None, burst: None })
    }

    /// One whole quota of burst, the most the kernel takes; `None`: it has that, or the kernel has no burst.
    fn burst(&self) -> Option<Remedy> {
        let quota = self.limit.quota.limited()?;
        self.limit.burst.filter(|&burst| burst < quota)?;
        let bandwidth = Bandwidth::new(self.limit.quota, self.limit.period, quota).ok()?;
        Some(self.remedy(Kind::Burst, Change { burst: Some(quota), ..Change::default() }, Some(bandwidth)))
    }

    /// A period in which so many present periods' worth of work fits; `None`: it would be the same one.
    fn longer_period(&self, periods: f64) -> Option<Remedy> {
        let quota = self.limit.quota.limited()?;
        let limit = self.limit.cpus()?;
        let wanted = (periods / limit * ROOM).ceil().clamp(2.0, 1e3) as u64;
        let period = Micros::new(self.limit.period.get().saturating_mul(wanted)).min(policy::MAX_PERIOD);
        let quota = Micros::new(quota.get().saturating_mul(period.get()) / self.limit.period.get().max(1));
        if period <= self.limit.period {
            return None;
        }
        let burst = self.limit.burst.unwrap_or(Micros::ZERO).min(quota);
        let bandwidth = Bandwidth::new(Quota::Limited(quota), period, burst).ok()?;
        let change = Change { quota: Some(Quota::Limited(quota)), period: Some(period), ..Change::default() };
        Some(self.remedy(Kind::LongerPeriod, change, Some(bandwidth)))
    }

    /// So many CPUs; `None`: no more than now.
    fn raise(&self, cpus: f64) -> Option<Remedy> {
        // Whole hundredths of a CPU: what a person would write.
        let cpus = (cpus * 100.0).ceil() / 100.0;
        if cpus <= self.limit.cpus()? {
            return None;
        }
        let quota = Quota::Limited(Micros::new((cpus * self.limit.period.get() as f64).round() as u64));
        let bandwidth =
            Bandwidth::new(quota, self.limit.period, self.limit.burst.unwrap_or(Micros::ZERO)).ok();
        let change = Change { quota: Some(quota), ..Change::default() };
        Some(Remedy { amount: Some(cpus), ..self.remedy(Kind::RaiseLimit, change, bandwidth) })
    }

    /// A quota that is more than what the kernel hands out at a time.
    fn sensible_quota(&self) -> Option<Remedy> {
        self.raise(SENSIBLE_QUOTA.get() as f64 / self.limit.period.get().max(1) as f64)
    }

    /// As many threads as the limit has CPUs.
    fn fewer_threads(&self, limit_cpus: f64) -> Option<Remedy> {
        let threads = limit_cpus.floor().max(1.0);
        let expected = self.model.as_ref().and_then(|model| model.on_threads(threads as u32));
        Some(Remedy { amount: Some(threads), expected, ..Remedy::plain(Kind::FewerThreads) })
    }

    /// No quota; weights alone.
    fn no_limit(&self) -> Option<Remedy> {
        let change = Change { quota: Some(Quota::Unlimited), burst: Some(Micros::ZERO), ..Change::default() };
        Some(self.remedy(Kind::NoLimit, change, Some(Bandwidth::unlimited())))
    }
}
