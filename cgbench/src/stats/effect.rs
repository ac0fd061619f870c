//! How clearly two samples stand apart, without a unit: the probability of superiority and Cliff's delta.

use serde::{Deserialize, Serialize};

/// How far `b` stands above `a`. Of the samples themselves: with few blocks it says little about more of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// The part of all pairs in which the value of `b` is greater, half of the equal ones included: 0.5 is no
    /// difference, 1 all of `b` above all of `a` (A of Vargha and Delaney 2000).
    pub superiority: f64,
    /// The part in which it is greater less that in which it is smaller, from −1 to 1 (Cliff 1993): 2 A − 1.
    pub delta: f64,
    /// The usual word for that.
    pub size: Size,
}

/// Words for |delta|, with the bounds of Romano, Kromrey, Coraggio and Skowronek (2006), who carried Cohen's words
/// for normal distributions (d of 0.2, 0.5 and 0.8) over. They are a habit, not a measure of what matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Size {
    /// Below 0.147.
    Negligible,
    /// Below 0.33.
    Small,
    /// Below 0.474.
    Medium,
    /// From there on.
    Large,
}

impl Size {
    /// Of a delta of either sign.
    #[must_use]
    pub fn of(delta: f64) -> Self {
        match delta.abs() {
            size if size < 0.147 => Self::Negligible,
            size if size < 0.33 => Self::Small,
            size if size < 0.474 => Self::Medium,
            _ => Self::Large,
        }
    }
}

/// Compares `b` with `a`, pair by pair. `None` where one of them is empty or holds a NaN.
///
/// ```
/// # use cgbench::stats::effect::{Size, effect};
/// let found = effect(&[1.0, 2.0], &[2.0, 3.0]).unwrap();
/// assert_eq!((found.superiority, found.delta, found.size), (0.875, 0.75, Size::Large));
/// ```
#[must_use]
pub fn effect(a: &[f64], b: &[f64]) -> Option<Effect> {
    let pairs = a.len() * b.len();
    if pairs == 0 || a.iter().chain(b).any(|value| value.is_nan()) {
        return None;
    }
    let (mut greater, mut smaller) = (0_u64, 0_u64);
    for b in b {
        for a in a {
            greater += u64::from(b > a);
            smaller += u64::from(b < a);
        }
    }
    let delta = (greater as f64 - smaller as f64) / pairs as f64;
    Some(Effect { superiority: (1.0 + delta) / 2.0, delta, size: Size::of(delta) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::rank::mann_whitney, *};

    #[test]
    fn the_words_begin_at_their_bounds() {
        let words = [0.0, 0.146, 0.147, -0.329, 0.33, 0.473, -0.474, 1.0].map(Size::of);
        use Size::{Large, Medium, Negligible, Small};
        assert_eq!(words, [Negligible, Negligible, Small, Small, Medium, Medium, Large, Large]);
    }

    #[test]
    fn nothing_compares_with_nothing() {
        assert_eq!(effect(&[], &[1.0]), None);
        assert_eq!(effect(&[f64::NAN], &[1.0]), None);
    }

    proptest! {
        #[test]
        fn superiority_is_u_over_the_pairs(
            a in prop::collection::vec(-5i8..5, 1..12), b in prop::collection::vec(-5i8..5, 1..12),
        ) {
            let [a, b] = [a, b].map(|values| values.into_iter().map(f64::from).collect::<Vec<_>>());
            let (effect, test) = (effect(&a, &b).unwrap(), mann_whitney(&a, &b).unwrap());
            prop_assert!((effect.superiority - test.u / (a.len() * b.len()) as f64).abs() < 1e-12);
        }
    }
}
