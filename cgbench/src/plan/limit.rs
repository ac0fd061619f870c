//! Quota, period and burst of the limited policies.

use cgtune_core::Micros;
use serde::{Deserialize, Serialize};

use super::PolicyKind;

/// How the limit of the limited policies comes about.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LimitRule {
    /// How much.
    #[serde(flatten)]
    pub quota: QuotaRule,
    /// The period.
    pub period_us: Micros,
    /// What `limit+burst` may save, as a part of the quota; no kernel takes more than the whole.
    #[serde(default = "whole", skip_serializing_if = "is_whole")]
    pub burst_frac: f64,
}

/// Where the quota comes from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum QuotaRule {
    /// From what a pilot measures just before.
    OfNeed {
        /// Quota over measured mean CPU use: 1.08 leaves 8 % that an average would call free.
        headroom: f64,
    },
    /// The same on every machine and day.
    Fixed {
        /// So much in every period.
        quota_us: Micros,
    },
}

/// How much slower than its pilot a block may be where no headroom says it: that of the usual plan.
const USUAL_TOLERANCE: f64 = 1.08;

const fn whole() -> f64 {
    1.0
}

// By reference, as serde asks for it.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn is_whole(part: &f64) -> bool {
    *part == whole()
}

impl LimitRule {
    /// So many times the measured need in every `period`, with whole bursts.
    #[must_use]
    pub const fn of_need(headroom: f64, period: Micros) -> Self {
        Self { quota: QuotaRule::OfNeed { headroom }, period_us: period, burst_frac: whole() }
    }

    /// Quota over need, where it is of the need.
    #[must_use]
    pub const fn headroom(&self) -> Option<f64> {
        match self.quota {
            QuotaRule::OfNeed { headroom } => Some(headroom),
            QuotaRule::Fixed { .. } => None,
        }
    }

    /// How much slower than in its pilot a second of a steady block may be: what the limit has to spare.
    #[must_use]
    pub const fn tolerance(&self) -> f64 {
        match self.quota {
            QuotaRule::OfNeed { headroom } => headroom,
            QuotaRule::Fixed { .. } => USUAL_TOLERANCE,
        }
    }

    /// How much a policy may save of `quota`.
    #[must_use]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a part of a quota, which is small"
    )]
    #[allow(clippy::cast_precision_loss, reason = "a quota is far below 2^52 µs")]
    pub fn burst(&self, policy: PolicyKind, quota: Micros) -> Micros {
        match policy {
            PolicyKind::Shares
            | PolicyKind::Limit
            | PolicyKind::SharedCore
            | PolicyKind::Pinned
            | PolicyKind::PinnedLimit => Micros::ZERO,
            PolicyKind::LimitHalfBurst => Micros::new(quota.get() / 2),
            PolicyKind::LimitBurst => Micros::new((quota.get() as f64 * self.burst_frac).round() as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_of_the_need_is_written_as_it_always_was() {
        let rule = LimitRule::of_need(1.08, Micros::from_ms(100));
        let text = serde_json::to_string(&rule).unwrap();
        assert_eq!(text, r#"{"headroom":1.08,"period_us":100000}"#);
        assert_eq!(serde_json::from_str::<LimitRule>(&text).unwrap(), rule);
    }

    #[test]
    fn a_fixed_quota_travels_too() {
        let rule = LimitRule {
            quota: QuotaRule::Fixed { quota_us: Micros::from_ms(50) },
            period_us: Micros::from_ms(100),
            burst_frac: 0.25,
        };
        let text = serde_json::to_string(&rule).unwrap();
        assert_eq!(text, r#"{"quota_us":50000,"period_us":100000,"burst_frac":0.25}"#);
        assert_eq!(serde_json::from_str::<LimitRule>(&text).unwrap(), rule);
        assert_eq!(rule.burst(PolicyKind::LimitBurst, Micros::from_ms(50)), Micros::new(12_500));
        assert_eq!(rule.burst(PolicyKind::LimitHalfBurst, Micros::from_ms(50)), Micros::from_ms(25));
        assert_eq!(rule.burst(PolicyKind::Limit, Micros::from_ms(50)), Micros::ZERO);
    }
}
