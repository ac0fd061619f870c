//! The methods by which a change is called a regression. Each looks at the same numbers and gives an [`Opinion`] a column.
//!
//! The four are those of the literature on performance regressions; how often each sees a change on a noisy machine, and alarms at
//! none, is measured by `cgbench/examples/detection.rs` and told in docs/gate.md.

pub mod baseline;
pub mod deviation;
pub mod fixed;
pub mod percentage;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    matrix::{Key, Matrix},
    metric::Scale,
    settings::{Combine, Settings},
};

/// A method.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// A test of NEW's blocks against BASE's, with one bound on all false alarms together
    Baseline,
    /// The median over blocks rises by more than a percentage
    Percentage,
    /// The mean over blocks lies more than so many standard deviations of BASE's blocks above BASE's mean
    Deviation,
    /// The median over blocks exceeds a bound that was given; needs no BASE
    Fixed,
}

impl Method {
    /// The name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Percentage => "percentage",
            Self::Deviation => "deviation",
            Self::Fixed => "fixed",
        }
    }
}

/// What a method, or all of them together, makes of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A regression.
    Worse,
    /// An improvement; never an alarm.
    Better,
    /// Neither could be shown.
    Same,
    /// There are too few blocks to say.
    Unknown,
}

/// What one method makes of one column, and by what.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Opinion {
    /// Which method.
    pub method: Method,
    /// What it says.
    pub outcome: Outcome,
    /// By what.
    pub basis: Basis,
}

/// By what a method says something.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Basis {
    /// A test, one-sided each way.
    Test {
        /// Chance of at least such a worsening anywhere in the family, if there were none beyond the margins.
        p_worse_adjusted: f64,
        /// The same of an improvement.
        p_better_adjusted: f64,
        /// As if this were the only column.
        p_worse: f64,
        /// The bound on the adjusted ones.
        alpha: f64,
    },
    /// The change of the median.
    Median {
        /// As a part of BASE's; `None`: that is zero.
        change: Option<f64>,
        /// The most that is let be.
        most: f64,
    },
    /// The distance of the means.
    Mean {
        /// In standard deviations of BASE's blocks; `None`: those are all equal.
        deviations: Option<f64>,
        /// The most that is let be.
        most: f64,
    },
    /// A bound.
    Bound {
        /// As it was given.
        bound: String,
        /// The median over blocks.
        median: f64,
    },
    /// Too few blocks.
    TooFew {
        /// In BASE; `None`: the method needs none.
        base: Option<u64>,
        /// In NEW.
        new: u64,
        /// On each side of which there are some.
        needed: u64,
    },
}

/// The opinions of the methods that are asked, column by column; a column that a method has nothing to do with has none of it.
/// Columns of one side only are judged by `fixed` alone, and only those of NEW.
#[must_use]
pub fn opinions(base: Option<&Matrix>, new: &Matrix, settings: &Settings) -> BTreeMap<Key, Vec<Opinion>> {
    let mut found: BTreeMap<Key, Vec<Opinion>> = BTreeMap::new();
    for &method in &settings.methods {
        let of_method = match (method, base) {
            (Method::Fixed, _) => fixed::opinions(new, settings),
            (_, None) => Vec::new(),
            (Method::Baseline, Some(base)) => baseline::opinions(base, new, settings),
            (Method::Percentage, Some(base)) => percentage::opinions(base, new, settings),
            (Method::Deviation, Some(base)) => deviation::opinions(base, new, settings),
        };
        for (key, opinion) in of_method {
            found.entry(key).or_default().push(opinion);
        }
    }
    found
}

/// One outcome of several opinions. What cannot tell has no voice; of nothing it is [`Outcome::Unknown`].
#[must_use]
pub fn together(opinions: &[Opinion], combine: Combine) -> Outcome {
    let voices: Vec<Outcome> = opinions
        .iter()
        .map(|opinion| opinion.outcome)
        .filter(|outcome| *outcome != Outcome::Unknown)
        .collect();
    let says = |outcome: Outcome| match combine {
        Combine::Any => voices.contains(&outcome),
        Combine::All => voices.iter().all(|voice| *voice == outcome),
    };
    if voices.is_empty() {
        Outcome::Unknown
    } else if says(Outcome::Worse) {
        Outcome::Worse
    } else if says(Outcome::Better) {
        Outcome::Better
    } else {
        Outcome::Same
    }
}

/// The columns that both have, of conditions that are asked for.
fn shared<'a>(base: &'a Matrix, new: &'a Matrix, settings: &'a Settings) -> impl Iterator<Item = Key> + 'a {
    base.keys()
        .filter(|key| settings.asks_for(key.condition) && settings.metrics.contains(&key.metric))
        .filter(|key| new.column(*key).is_some())
}

/// Whether NEW's number lies above BASE's, or below it, by more than anybody acts on. So a share that goes from 0.1 to 0.2 % is no
/// doubling, and a counter that was zero in every block of BASE may be one in NEW.
fn beyond_margin(key: Key, base: f64, new: f64, settings: &Settings) -> Outcome {
    let scale = key.metric.scale();
    let margin = scale.unsaid(settings.margin(key.metric));
    match (scale.place(base), scale.place(new)) {
        (Some(base), Some(new)) if new - base > margin => Outcome::Worse,
        (Some(base), Some(new)) if base - new > margin => Outcome::Better,
        _ => Outcome::Same,
    }
}

/// The numbers of a column on its metric's scale, a cell a row.
fn placed(matrix: &Matrix, key: Key) -> Vec<Option<f64>> {
    let scale: Scale = key.metric.scale();
    let column = matrix.column(key).unwrap_or_default();
    column.iter().map(|cell| cell.and_then(|value| scale.place(value))).collect()
}
