//! `percentage`: the median over blocks rises by more than so many percent.
//!
//! What dashboards do. It knows no chance: with a spread between blocks of that size it alarms by itself.

use super::{Basis, Key, Matrix, Method, Opinion, Outcome, Settings, beyond_margin, shared};
use crate::gate::matrix::Sample;

/// A median of fewer is a value that somebody picked.
const BLOCKS: u64 = 3;

/// The opinion on each column that both have.
pub(super) fn opinions(base: &Matrix, new: &Matrix, settings: &Settings) -> Vec<(Key, Opinion)> {
    shared(base, new, settings)
        .filter_map(|key| {
            let (base, new) = (Sample::of(&base.values(key))?, Sample::of(&new.values(key))?);
            if base.blocks.min(new.blocks) < BLOCKS {
                let basis = Basis::TooFew { base: Some(base.blocks), new: new.blocks, needed: BLOCKS };
                return Some((key, Opinion { method: Method::Percentage, outcome: Outcome::Unknown, basis }));
            }
            let change = (base.median > 0.0).then(|| new.median / base.median - 1.0);
            let outcome = match beyond_margin(key, base.median, new.median, settings) {
                Outcome::Worse if change.is_none_or(|change| change > settings.rise) => Outcome::Worse,
                Outcome::Better if change.is_some_and(|change| change < -settings.rise) => Outcome::Better,
                _ => Outcome::Same,
            };
            let basis = Basis::Median { change, most: settings.rise };
            Some((key, Opinion { method: Method::Percentage, outcome, basis }))
        })
        .collect()
}
