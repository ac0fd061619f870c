//! What is asked of the gate: the command line over the file over what is usual.

mod file;

use std::collections::{BTreeMap, BTreeSet};

pub use file::ConfigError;
use serde::{Deserialize, Serialize};

use super::{
    bound::{Bound, Target},
    comparable::Facet,
    method::Method,
    metric::Metric,
    quantity,
};
use crate::plan::Condition;

/// How the methods' opinions make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Combine {
    /// One method that alarms is enough
    #[default]
    Any,
    /// Every method that can say anything of a metric must alarm
    All,
}

/// What becomes of a condition or a metric that one side lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// The gate ends with 2: what is not measured has not passed
    #[default]
    Fail,
    /// It is said, and nothing else
    Ignore,
}

/// A margin of one metric: `throttled=2%`.
#[derive(Debug, Clone, PartialEq)]
pub struct Margin {
    /// Of which metric.
    pub metric: Metric,
    /// How much, as [`Metric::margin`].
    pub difference: f64,
}

impl Margin {
    /// `METRIC=AMOUNT`.
    ///
    /// # Errors
    /// A sentence about what is wrong in it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (metric, amount) =
            text.split_once('=').ok_or("a margin is METRIC=AMOUNT, such as throttled=2%")?;
        let metric = Metric::parse(metric.trim())?;
        Ok(Self { metric, difference: quantity::difference(metric, amount)? })
    }
}

/// What was said in one place; what was not is `None` or empty.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Layer {
    /// Which methods.
    pub methods: Option<Vec<Method>>,
    /// How they make one verdict.
    pub combine: Option<Combine>,
    /// Chance of a false alarm that is taken, over all policies and metrics together.
    pub alpha: Option<f64>,
    /// Repetition by repetition.
    pub paired: Option<bool>,
    /// Margins.
    pub margins: Vec<Margin>,
    /// Of the method `percentage`, in percent.
    pub percent: Option<f64>,
    /// Of the method `deviation`.
    pub sigmas: Option<f64>,
    /// Of the method `fixed`.
    pub bounds: Vec<Bound>,
    /// Which metrics.
    pub metrics: Option<Vec<Metric>>,
    /// Which conditions.
    pub conditions: Option<Vec<Target>>,
    /// The absolute metrics as well.
    pub absolute: Option<bool>,
    /// Differences that are meant.
    pub across: Option<Vec<Facet>>,
    /// What becomes of what is missing.
    pub missing: Option<Missing>,
    /// Seed of the permutations.
    pub seed: Option<u64>,
}

/// What is asked of the gate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settings {
    /// Which methods, in order.
    pub methods: Vec<Method>,
    /// How they make one verdict.
    pub combine: Combine,
    /// Chance of a false alarm of `baseline` over all policies and metrics together.
    pub alpha: f64,
    /// Whether repetition i of NEW is held against repetition i of BASE.
    pub paired: bool,
    /// What nobody acts on, by metric.
    pub margins: BTreeMap<Metric, f64>,
    /// Part by which a median may rise for `percentage`.
    #[serde(rename = "rise_frac")]
    pub rise: f64,
    /// Standard deviations for `deviation`.
    pub sigmas: f64,
    /// For `fixed`.
    pub bounds: Vec<Bound>,
    /// Which metrics, in the order of tables.
    pub metrics: Vec<Metric>,
    /// Which conditions; `None`: all.
    pub conditions: Option<Vec<Target>>,
    /// Differences that are meant.
    pub across: BTreeSet<Facet>,
    /// What becomes of what is missing.
    pub missing: Missing,
    /// Seed of the permutations.
    pub seed: u64,
}

/// Chance of a false alarm in a verdict that says nothing is wrong: one in a hundred. With a gate on each of twenty changes a week
/// that is one in five weeks.
const ALPHA: f64 = 0.01;
/// The usual bound of the method `percentage`: what a person notices, and hosted runners reach by themselves.
const RISE: f64 = 0.10;
/// The usual bound of the method `deviation`: 0.13 % of a normal distribution lies above.
const SIGMAS: f64 = 3.0;

impl Default for Settings {
    fn default() -> Self {
        Self::of(Layer::default(), Layer::default())
    }
}

impl Settings {
    /// From what was typed, what the file says, and what is usual. Margins and bounds of both places hold; of one metric's margins the
    /// typed one.
    #[must_use]
    pub fn of(typed: Layer, file: Layer) -> Self {
        let bounds: Vec<Bound> = file.bounds.into_iter().chain(typed.bounds).collect();
        let usual = || match bounds.is_empty() {
            true => vec![Method::Baseline],
            false => vec![Method::Baseline, Method::Fixed],
        };
        let mut methods = typed.methods.or(file.methods).unwrap_or_else(usual);
        methods.sort_unstable();
        methods.dedup();
        let absolute = typed.absolute.or(file.absolute).unwrap_or(false);
        let usual = || if absolute { Metric::ALL.to_vec() } else { Metric::usual() };
        let mut metrics = typed.metrics.or(file.metrics).unwrap_or_else(usual);
        // A bound on a metric asks for it.
        metrics.extend(bounds.iter().map(|bound| bound.metric));
        metrics.sort_unstable();
        metrics.dedup();
        let set = file.margins.iter().chain(&typed.margins).map(|margin| (margin.metric, margin.difference));
        let margins = Metric::ALL.map(|metric| (metric, metric.margin())).into_iter().chain(set).collect();
        Self {
            methods,
            combine: typed.combine.or(file.combine).unwrap_or_default(),
            alpha: typed.alpha.or(file.alpha).unwrap_or(ALPHA),
            paired: typed.paired.or(file.paired).unwrap_or(false),
            margins,
            rise: typed.percent.or(file.percent).map_or(RISE, |percent| percent / 100.0),
            sigmas: typed.sigmas.or(file.sigmas).unwrap_or(SIGMAS),
            bounds,
            metrics,
            conditions: typed.conditions.or(file.conditions),
            across: typed.across.or(file.across).unwrap_or_default().into_iter().collect(),
            missing: typed.missing.or(file.missing).unwrap_or_default(),
            seed: typed.seed.or(file.seed).unwrap_or(1),
        }
    }

    /// What nobody acts on.
    #[must_use]
    pub fn margin(&self, metric: Metric) -> f64 {
        self.margins.get(&metric).copied().unwrap_or_else(|| metric.margin())
    }

    /// Whether a condition is asked for.
    #[must_use]
    pub fn asks_for(&self, condition: Condition) -> bool {
        self.conditions.as_ref().is_none_or(|targets| targets.iter().any(|target| target.means(condition)))
    }
}

/// A chance above 0 and at most one half.
///
/// # Errors
/// A sentence with the form that is meant.
pub fn alpha(value: f64) -> Result<f64, String> {
    // Below, the draws of the test cannot tell.
    if (0.0001..=0.5).contains(&value) {
        Ok(value)
    } else {
        Err(format!("{value} is no chance of a false alarm: from 0.0001 to 0.5, such as 0.01"))
    }
}

/// A percentage above 0.
///
/// # Errors
/// A sentence with the form that is meant.
pub fn percent(value: f64) -> Result<f64, String> {
    if value > 0.0 && value <= 1e6 {
        Ok(value)
    } else {
        Err(format!("{value} is no percentage above 0: write 10"))
    }
}

/// A number of standard deviations above 0.
///
/// # Errors
/// A sentence with the form that is meant.
pub fn sigmas(value: f64) -> Result<f64, String> {
    if value > 0.0 && value <= 1e3 {
        Ok(value)
    } else {
        Err(format!("{value} is no number of standard deviations: write 3"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_asks_for_its_metric() {
        let layer = Layer { bounds: vec![Bound::parse("limit p95<=40ms").unwrap()], ..Layer::default() };
        assert!(Settings::of(layer, Layer::default()).metrics.contains(&Metric::P95));
    }
}
