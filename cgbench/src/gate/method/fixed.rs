//! `fixed`: the median over NEW's blocks exceeds a bound that a person gave. Needs no BASE, and knows no chance: a bound belongs well above
//! what the metric usually does.

use super::{Basis, Key, Matrix, Method, Opinion, Outcome, Settings};
use crate::gate::matrix::Sample;

/// The opinion on each column that has a bound; of several bounds the one that is exceeded, or the first.
pub(super) fn opinions(new: &Matrix, settings: &Settings) -> Vec<(Key, Opinion)> {
    let of = |key: Key| {
        let median = Sample::of(&new.values(key))?.median;
        let bounds = || {
            settings
                .bounds
                .iter()
                .filter(|bound| bound.metric == key.metric && bound.target.means(key.condition))
        };
        let exceeded = bounds().find(|bound| median > bound.most);
        let outcome = if exceeded.is_some() { Outcome::Worse } else { Outcome::Same };
        let bound = exceeded.or_else(|| bounds().next())?.to_string();
        let basis = Basis::Bound { bound, median };
        Some((key, Opinion { method: Method::Fixed, outcome, basis }))
    };
    new.keys().filter(|key| settings.asks_for(key.condition)).filter_map(of).collect()
}
