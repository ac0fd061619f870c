//! The limit that is really in force: the smallest up the tree.
//!
//! A group runs only when every level lets it, so the smallest ratio of quota to period on the path is the most it
//! can get on average, on v1 and v2 alike.

use crate::ObservedBandwidth;

/// The smallest limit on a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EffectiveLimit {
    /// Quota over period.
    pub cpus: f64,
    /// Which group sets it: its place on the path, 0 being the group itself.
    pub level: usize,
}

/// Finds it on a path given from the group upward. Among equals the nearest counts: with a one-container pod both levels
/// have the same limit, and either may throttle first. `None`: no level has a quota.
#[must_use]
pub fn effective(path: &[Option<ObservedBandwidth>]) -> Option<EffectiveLimit> {
    let mut smallest: Option<(crate::Ratio, usize)> = None;
    for (level, ratio) in path.iter().enumerate().filter_map(|(level, b)| Some((level, b.as_ref()?.ratio()?)))
    {
        if smallest.is_none_or(|(least, _)| ratio < least) {
            smallest = Some((ratio, level));
        }
    }
    let (_, level) = smallest?;
    let bandwidth = path.get(level)?.as_ref()?;
    Some(EffectiveLimit { cpus: bandwidth.cpus()?, level })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Micros, Quota};

    fn limited(us: u64) -> Option<ObservedBandwidth> {
        Some(ObservedBandwidth {
            quota: Quota::Limited(Micros::new(us)),
            period: Micros::from_ms(100),
            burst: None,
        })
    }

    const NONE: Option<ObservedBandwidth> =
        Some(ObservedBandwidth { quota: Quota::Unlimited, period: Micros::from_ms(100), burst: None });

    #[test]
    fn an_ancestors_smaller_limit_wins_and_equals_are_ones_own() {
        let level = |path: &[_]| effective(path).map(|limit| limit.level);
        assert_eq!(level(&[limited(50_000), limited(40_000), NONE, None]), Some(1));
        assert_eq!(level(&[limited(40_000), limited(40_000)]), Some(0));
        assert_eq!(level(&[NONE, limited(40_000)]), Some(1));
        assert_eq!(level(&[NONE, None]), None, "no quota anywhere");
    }
}
