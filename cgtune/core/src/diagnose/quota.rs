//! A group whose own quota runs out: why, episode by episode.

use super::{
    Cause, Expiry,
    episodes::{Episode, cells, episodes},
    finding::{Confidence, Evidence, Finding, QuotaEvidence},
    watched::{Series, Watched},
};
use crate::{Micros, Nanos, ObservedBandwidth, convert::Version, sim::kernel::SLICE};

/// From this part of the limit on there is nothing to save up: no burst helps.
pub(super) const SUSTAINED: f64 = 0.95;
/// From this part on, if no period ended but throttled: at the ends of a short watch a part of a period is missing.
const NEARLY: f64 = 0.8;
/// So many periods in a row, and no other, make it endless.
const ENDLESS: u64 = 3;
/// More threads than this many times the limit use up the quota together. Two on one CPU's worth are too many, two on
/// one and a half are not.
const THREADS_OVER_LIMIT: f64 = 1.75;
/// Throttled periods that used less of their quota than this lost the rest to other CPUs.
const STRANDED: f64 = 0.8;
/// Where the kernel takes back what is not used, those that used less than this lost the rest to that.
const TAKEN_BACK: f64 = 0.95;
/// Episodes that make a finding sure.
const MANY: u64 = 5;
/// CPUs from which on the old kernels' expiry of slices shows (each may lose 5 ms a period).
const EXPIRY_CPUS: usize = 8;

/// What a group's own quota did to it.
#[derive(Debug, Clone)]
pub(super) struct Throttling<'a> {
    limit: &'a ObservedBandwidth,
    /// The readings that tell of it: the group's own, or those of one above with the same limit and nobody else in it.
    series: &'a Series,
    /// Throttled time, in ns.
    stall: u64,
}

impl<'a> Throttling<'a> {
    /// `None`: no quota of its own, or no counters.
    pub(super) fn of(watched: &'a Watched, as_own: Option<&'a Series>) -> Option<Self> {
        let limit = watched.limit()?;
        let throttled = watched.own.throttled()?;
        let mut series = &*watched.own;
        let mut stall = throttled;
        if let Some(above) = as_own
            && let Some(there) = above.throttled()
        {
            // Either may throttle first; what stood still is counted once.
            stall = watched.own.local().unwrap_or_else(|| throttled.max(there)).max(throttled);
            if there > throttled {
                series = above;
            }
        }
        // Before 6.6 the clock also runs for a CPU on which nobody waits; who waited is in the threads' run delay.
        if times_empty(watched)
            && let Some(threads) = watched
                .threads
                .as_ref()
                .filter(|threads| threads.ended == 0 && threads.count == threads.looked_at)
        {
            stall = stall.min(threads.run_delay);
        }
        Some(Self { limit, series, stall: stall.get() })
    }

    /// Throttled time.
    pub(super) fn stall(&self) -> Nanos {
        Nanos::new(self.stall)
    }

    /// Its findings, each with the part of the throttled time that its episodes account for.
    pub(super) fn findings(&self, watched: &Watched) -> Vec<Finding> {
        let wall = self.series.wall().as_secs();
        let limit_cpus = self.limit.cpus().unwrap_or(0.0);
        let used_cpus = self.series.cpus_used().or_else(|| used_by_threads(watched)).unwrap_or(0.0);
        let of_limit = if limit_cpus > 0.0 { used_cpus / limit_cpus } else { 0.0 };
        let runnable = watched.threads.as_ref().map_or(&[][..], |threads| &threads.runnable);
        let cells = cells(self.series).unwrap_or_default();
        let episodes = episodes(&cells, self.limit, runnable);
        let width = watched.width();
        let whole = self.whole(watched, &episodes, of_limit);
        // Runs of which nothing was counted share what the counted ones say.
        let usual_wanting = median(episodes.iter().filter_map(|episode| episode.wanting));
        let cause_of = |episode: &Episode| {
            let wanting = episode.wanting.or(usual_wanting).unwrap_or(1);
            let at_once =
                width.map_or(wanting, |width| wanting.min(u32::try_from(width).unwrap_or(u32::MAX)));
            whole.unwrap_or_else(|| {
                if !episode.fits(self.limit, u64::from(at_once)) {
                    Cause::SustainedDemand
                } else if at_once >= 2 && f64::from(at_once) > THREADS_OVER_LIMIT * limit_cpus {
                    Cause::TooManyThreads
                } else {
                    Cause::ShortBursts
                }
            })
        };
        let counted: u64 = episodes.iter().map(|episode| episode.stall).sum();
        let mut findings = Vec::new();
        for cause in Cause::ALL {
            let own: Vec<&Episode> = episodes.iter().filter(|episode| cause_of(episode) == cause).collect();
            let stall: u64 = own.iter().map(|episode| episode.stall).sum();
            if own.is_empty() {
                continue;
            }
            // What was counted outside runs (cured before the period's end) follows the same division.
            let part = if counted > 0 {
                stall as f64 / counted as f64
            } else {
                own.len() as f64 / episodes.len() as f64
            };
            let stall_ms_per_s = self.stall as f64 * part / 1e6 / wall.max(1e-9);
            let number = own.iter().map(|episode| episode.periods).sum::<u64>();
            let evidence = QuotaEvidence {
                limit_cpus,
                quota_us: self.limit.quota.limited().unwrap_or(Micros::ZERO),
                period_us: self.limit.period,
                burst_us: self.limit.burst,
                used_cpus,
                used_of_limit_ratio: of_limit,
                nr_periods: self.series.nr_periods().unwrap_or(0),
                nr_throttled: self.series.nr_throttled().unwrap_or(0),
                used_when_throttled_ratio: median_of(own.iter().map(|episode| episode.of_quota)),
                episodes: own.len() as u64,
                together_us: median(own.iter().map(|episode| episode.together))
                    .map(|ns| Micros::new(ns / 1000)),
                longest_periods: own.iter().map(|episode| episode.periods).max().unwrap_or(0),
                threads_wanting: median(own.iter().filter_map(|episode| episode.wanting)).or(usual_wanting),
                cpus: width,
                online_cpus: watched.machine.online.as_ref().map(crate::CpuSet::len),
                kernel_expiry: watched.machine.expiry,
            };
            let seen = if number >= MANY { Confidence::High } else { Confidence::Medium };
            let confidence = match cause {
                Cause::KernelExpiryBug if watched.machine.expiry == Some(Expiry::Expires) => seen,
                Cause::KernelExpiryBug => Confidence::Medium,
                _ if self.is_rough() => Confidence::Low,
                Cause::TooManyThreads if evidence.threads_wanting.is_none() => Confidence::Low,
                _ if number < 2 => Confidence::Low,
                _ => seen,
            };
            findings.push(Finding {
                cause,
                stall_ms_per_s: Some(stall_ms_per_s),
                confidence,
                evidence: Evidence::Quota(evidence),
                remedies: Vec::new(),
            });
        }
        findings
    }

    /// Whether several periods lie between two readings, as of one among thousands that was not watched closely.
    fn is_rough(&self) -> bool {
        let steps = self.series.readings.len().saturating_sub(1).max(1) as u64;
        self.series.wall().get() / steps > self.limit.period.to_nanos().get()
    }

    /// A cause that holds for all that happened, whatever each episode looks like.
    fn whole(&self, watched: &Watched, episodes: &[Episode], of_limit: f64) -> Option<Cause> {
        let limit_cpus = self.limit.cpus()?;
        let online = watched.machine.online.as_ref().map(crate::CpuSet::len);
        if let (Some(width), Some(online)) = (watched.width(), online)
            && width < online
            // As many CPUs as the limit gives, rounded up: what it is pinned to holds it as well as the quota does.
            && (width as f64) < limit_cpus + 1.0
        {
            return Some(Cause::PinnedAndLimited);
        }
        let used_when_throttled = median_of(episodes.iter().map(|episode| episode.of_quota));
        if used_when_throttled.is_some_and(|part| part < TAKEN_BACK) && expires(watched, online) {
            return Some(Cause::KernelExpiryBug);
        }
        // Where no period ended otherwise, what it wants has no end that was seen: what came together is only the least.
        let never_done = self.series.nr_periods().is_some_and(|all| all >= ENDLESS)
            && self.series.nr_throttled() == self.series.nr_periods();
        if of_limit >= SUSTAINED || (never_done && of_limit >= NEARLY) {
            return Some(Cause::SustainedDemand);
        }
        if self.is_rough() {
            // Only totals are known, and so only that the average is no reason.
            return Some(Cause::ShortBursts);
        }
        let below_a_slice = self.limit.quota.limited().is_some_and(|quota| quota.to_nanos() < SLICE);
        let stranded = used_when_throttled.is_some_and(|part| part < STRANDED);
        (stranded || below_a_slice).then_some(Cause::QuotaTooSmall)
    }
}

fn version(watched: &Watched) -> Option<Version> {
    watched.machine.release.as_ref()?.parse().ok()
}

/// Whether throttled time passes for empty CPUs too; where the version is not known it is taken to.
fn times_empty(watched: &Watched) -> bool {
    version(watched).is_none_or(|version| crate::sim::Kernel::of(version).times_empty)
}

/// Whether the kernel takes unused slices away: what a probe says, else what the version and the machine let fear (512ac999d275,
/// 4.18, until de53fd7aedb1, 5.4; backports differ).
fn expires(watched: &Watched, online: Option<usize>) -> bool {
    match watched.machine.expiry {
        Some(Expiry::Expires) => true,
        Some(Expiry::Kept) => false,
        Some(Expiry::Unclear) | None => {
            version(watched).is_some_and(|v| v >= Version::new(4, 18, 0) && v < Version::new(5, 4, 0))
                && online.is_some_and(|online| online >= EXPIRY_CPUS)
        }
    }
}

/// CPUs used by the threads, where no counter says.
pub(super) fn used_by_threads(watched: &Watched) -> Option<f64> {
    let wall = watched.own.wall().as_secs();
    (wall > 0.0).then(|| Some(watched.threads.as_ref()?.cpu.as_secs() / wall))?
}

/// The middle one; of an even number the lower of the two.
fn median<T: Ord + Copy>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}

fn median_of(values: impl Iterator<Item = f64>) -> Option<f64> {
    crate::sim::Spread::of(values).map(|spread| spread.median)
}
