//! A group that stands still because one above it ran out of quota.

use super::{
    Cause,
    finding::{AboveEvidence, Confidence, Evidence, Finding, MeasuredBy},
    watched::{Above, Series, Watched},
};
use crate::Nanos;

/// Others in a group above that use less of what it uses than this do not count: it is ours alone.
const ALONE: f64 = 0.1;

/// What the groups above did to it.
#[derive(Debug, Clone)]
pub(super) struct FromAbove<'a> {
    /// One that has the same limit and nobody else in it: its throttling is the group's own (a pod of one container).
    pub(super) as_own: Option<&'a Series>,
    /// The one that throttles it most.
    cause: Option<(&'a Above, Nanos, MeasuredBy)>,
}

impl<'a> FromAbove<'a> {
    pub(super) fn of(watched: &'a Watched) -> Self {
        let own_ratio = watched.limit().and_then(crate::ObservedBandwidth::ratio);
        let own_stall = watched.own.throttled().unwrap_or(Nanos::ZERO);
        let mut as_own = None;
        let mut worst: Option<(&Above, Nanos)> = None;
        for above in &watched.above {
            let Some(throttled) = above.series.throttled().filter(|&time| time > Nanos::ZERO) else {
                continue;
            };
            let as_wide = own_ratio.zip(above.bandwidth.ratio()).is_some_and(|(own, there)| there >= own);
            if as_wide && siblings(above, watched).is_none_or(|part| part < ALONE) {
                as_own = as_own.or(Some(&*above.series));
            } else if worst.is_none_or(|(_, most)| throttled > most) {
                worst = Some((above, throttled));
            }
        }
        let cause = worst.and_then(|(above, throttled)| {
            let waited = watched.threads.as_ref().map(|threads| threads.run_delay);
            let (time, by) = match (watched.own.local(), waited) {
                (Some(local), _) => (local.saturating_sub(own_stall), MeasuredBy::Local),
                // Whoever is throttled waits: no more than the threads waited, and no more than was throttled there.
                (None, Some(waited)) => {
                    (throttled.min(waited.saturating_sub(own_stall)), MeasuredBy::RunDelay)
                }
                (None, None) => (throttled, MeasuredBy::Above),
            };
            (time > Nanos::ZERO).then_some((above, time, by))
        });
        Self { as_own, cause }
    }

    /// Time throttled by an ancestor.
    pub(super) fn stall(&self) -> Nanos {
        self.cause.map_or(Nanos::ZERO, |(_, time, _)| time)
    }

    pub(super) fn finding(&self, watched: &Watched) -> Option<Finding> {
        let (above, time, measured_by) = self.cause?;
        let used = above.series.cpus_used();
        let own = watched.own.cpus_used();
        let evidence = AboveEvidence {
            levels_up: above.level,
            limit_cpus: above.bandwidth.cpus()?,
            used_cpus: used,
            siblings_cpus: used.zip(own).map(|(used, own)| (used - own).max(0.0)),
            nr_periods: above.series.nr_periods().unwrap_or(0),
            nr_throttled: above.series.nr_throttled().unwrap_or(0),
            own_limit_cpus: watched.limit().and_then(crate::ObservedBandwidth::cpus),
            own_nr_throttled: watched.own.nr_throttled(),
            measured_by,
        };
        let confidence = match measured_by {
            MeasuredBy::Local => Confidence::High,
            MeasuredBy::RunDelay => Confidence::Medium,
            MeasuredBy::Above => Confidence::Low,
        };
        Some(Finding {
            cause: Cause::AncestorLimit,
            stall_ms_per_s: Some(time.as_secs() * 1e3 / watched.own.wall().as_secs().max(1e-9)),
            confidence,
            remedies: Vec::new(),
            evidence: Evidence::Above(evidence),
        })
    }
}

/// The part of what a group above used that others used. `None`: usage is not counted.
fn siblings(above: &Above, watched: &Watched) -> Option<f64> {
    let (there, own) = (above.series.usage()?, watched.own.usage()?);
    (there > Nanos::ZERO).then(|| 1.0 - own.as_secs() / there.as_secs())
}
