//! `deviation`: NEW's mean lies more than k standard deviations of BASE's blocks above BASE's mean.
//!
//! A control chart's rule. The more restless BASE was, the more it lets pass; the number of blocks does not sharpen it. A standard deviation
//! of five blocks is itself uncertain by a third, so that its false alarms are more than the normal distribution's.

use super::{Basis, Key, Matrix, Method, Opinion, Outcome, Settings, beyond_margin, shared};
use crate::gate::matrix::Sample;

/// A standard deviation of n values is uncertain by about 1/√(2(n − 1)), which is 35 % of five.
const BLOCKS: u64 = 5;

/// The opinion on each column that both have.
pub(super) fn opinions(base: &Matrix, new: &Matrix, settings: &Settings) -> Vec<(Key, Opinion)> {
    shared(base, new, settings)
        .filter_map(|key| {
            let (base, new) = (Sample::of(&base.values(key))?, Sample::of(&new.values(key))?);
            let Some(sd) = base.sd.filter(|_| base.blocks >= BLOCKS) else {
                let basis = Basis::TooFew { base: Some(base.blocks), new: new.blocks, needed: BLOCKS };
                return Some((key, Opinion { method: Method::Deviation, outcome: Outcome::Unknown, basis }));
            };
            let away = new.mean - base.mean;
            let outcome = match beyond_margin(key, base.mean, new.mean, settings) {
                Outcome::Worse if away > settings.sigmas * sd => Outcome::Worse,
                Outcome::Better if -away > settings.sigmas * sd => Outcome::Better,
                _ => Outcome::Same,
            };
            let basis = Basis::Mean { deviations: (sd > 0.0).then(|| away / sd), most: settings.sigmas };
            Some((key, Opinion { method: Method::Deviation, outcome, basis }))
        })
        .collect()
}
