//! Bounds that a person sets: `limit+burst throttled<=1%`.

use serde::Serialize;

use super::{metric::Metric, quantity};
use crate::plan::{Condition, PolicyKind};

/// The most that the median over blocks may be.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(into = "String")]
pub struct Bound {
    /// For which conditions.
    pub target: Target,
    /// For which metric.
    pub metric: Metric,
    /// The most, in the metric's unit.
    pub most: f64,
    /// As it was typed.
    text: String,
}

/// Which conditions are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct Target {
    /// The policy; `None`: each.
    pub policy: Option<PolicyKind>,
    /// Alone or beside the neighbour.
    pub neighbour: bool,
}

impl Target {
    /// Whether it means this one.
    #[must_use]
    pub fn means(self, condition: Condition) -> bool {
        self.neighbour == condition.neighbour && self.policy.is_none_or(|policy| policy == condition.policy)
    }

    /// `limit+burst`, `limit+burst,neighbour`, `*`, `*,neighbour`.
    ///
    /// # Errors
    /// A sentence with the policies there are.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (policy, neighbour) = match text.split_once(',') {
            None => (text.trim(), false),
            Some((policy, rest)) if rest.trim() == "neighbour" => (policy.trim(), true),
            Some((_, rest)) => {
                return Err(format!(
                    "after the comma may stand neighbour, not \"{}\"",
                    super::escape::terminal(rest.trim())
                ));
            }
        };
        if policy == "*" {
            return Ok(Self { policy: None, neighbour });
        }
        let known = PolicyKind::ALL.into_iter().find(|kind| kind.name() == policy);
        known.map(|policy| Self { policy: Some(policy), neighbour }).ok_or_else(|| {
            let names: Vec<_> = PolicyKind::ALL.iter().map(|kind| kind.name()).collect();
            format!("no policy \"{}\"; there are {} and *", super::escape::terminal(policy), names.join(", "))
        })
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let policy = self.policy.map_or("*", PolicyKind::name);
        write!(f, "{policy}{}", if self.neighbour { ",neighbour" } else { "" })
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}

impl Bound {
    /// `TARGET METRIC<=VALUE`.
    ///
    /// # Errors
    /// A sentence about what is wrong in it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let form = "a bound is POLICY[,neighbour] METRIC<=VALUE, such as limit+burst throttled<=1%";
        let (left, most) = text.split_once("<=").ok_or(form)?;
        let (target, metric) = left.trim().rsplit_once(char::is_whitespace).ok_or(form)?;
        let metric = Metric::parse(metric)?;
        Ok(Self {
            target: Target::parse(target)?,
            metric,
            most: quantity::value(metric, most)?,
            text: text.trim().to_owned(),
        })
    }
}

impl From<Bound> for String {
    fn from(bound: Bound) -> Self {
        bound.text
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bound_says_for_whom_of_what_and_how_much() {
        let bound = Bound::parse("limit+burst, neighbour throttled <= 1%").unwrap();
        let meant = Condition { neighbour: true, policy: PolicyKind::LimitBurst };
        assert!(bound.target.means(meant) && !bound.target.means(Condition { neighbour: false, ..meant }));
        assert_eq!((bound.metric, bound.most), (Metric::Throttled, 0.01));
        let each = Bound::parse("* p95-ratio<=1.5").unwrap();
        assert!(each.target.means(Condition { neighbour: false, policy: PolicyKind::Pinned }));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, said) in [
            ("limit throttled", "METRIC<=VALUE"),
            ("limit<=1%", "METRIC<=VALUE"),
            ("limt throttled<=1%", "no policy \"limt\""),
            ("limit throtled<=1%", "no metric \"throtled\""),
            ("limit,friend throttled<=1%", "\"friend\""),
            ("limit throttled<=1", "write 1%"),
        ] {
            let error = Bound::parse(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_bound_or_an_error(text in "\\PC{0,40}") {
            if let Ok(bound) = Bound::parse(&text) {
                prop_assert_eq!(Bound::parse(&bound.to_string()).unwrap(), bound);
            }
        }
    }
}
