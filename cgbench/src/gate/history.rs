//! A history of runs: has any metric taken a step for the worse, and since which run?
//!
//! Each run is one value a metric: the median over its blocks. Pettitt's test looks for the most likely step of each series, Holm
//! adjusts over all of them. A step that stays is found again each time; when it is accepted, begin the history after it.

use serde::Serialize;

use super::{
    comparable::{self, Difference},
    judge::{Run, info},
    matrix::{Key, Matrix, Sample},
    method::{Outcome, baseline::holm},
    metric::{Metric, Unit},
    report::{Change, RunInfo, Verdict},
    settings::{Missing, Settings},
};
use crate::{
    plan::Condition,
    record::BackendKind,
    stats::changepoint::{MIN_RUNS, change_point},
    summary::figures::counted,
};

/// What was found in a history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct History {
    /// `cgbench.gate-history/1`.
    pub schema: &'static str,
    /// The verdict.
    pub verdict: Verdict,
    /// What was asked.
    pub settings: Settings,
    /// The runs, in order of time.
    pub runs: Vec<RunInfo>,
    /// In what each differs from the last one.
    pub differences: Vec<FromLast>,
    /// Why it could not be judged, or not all of it.
    pub obstacles: Vec<Gap>,
    /// A series a condition and metric.
    pub tracks: Vec<Track>,
}

impl History {
    /// The schema that this version writes.
    pub const SCHEMA: &'static str = "cgbench.gate-history/1";

    /// Whether a model measured any of it.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.runs.iter().any(|run| run.backend == BackendKind::Simulated)
    }

    /// The series with this outcome.
    pub fn with(&self, outcome: Outcome) -> impl Iterator<Item = &Track> {
        self.tracks.iter().filter(move |track| track.outcome == outcome)
    }
}

/// How a run differs from the last one of its history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FromLast {
    /// Its place.
    pub run: usize,
    /// In what: BASE is that run, NEW the last.
    pub difference: Difference,
}

/// Why a history could not be judged, or not all of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Gap {
    /// The runs differ in something that was not said to be meant.
    Incomparable {
        /// Runs that differ from the last.
        runs: u64,
    },
    /// Too few runs.
    TooFewRuns {
        /// There are.
        runs: u64,
        /// It takes at least so many, for a step in their middle.
        needed: u64,
    },
    /// The last run lacks what earlier ones have.
    Missing {
        /// Series that end before it.
        tracks: u64,
    },
    /// Series that are too short although there are runs enough: most often what was added lately.
    TooShort {
        /// Series.
        tracks: u64,
        /// Runs that each takes.
        needed: u64,
    },
    /// The last run was interrupted.
    Interrupted,
    /// There is nothing to follow.
    Nothing,
}

impl std::fmt::Display for Gap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let series = |tracks: u64| counted(tracks, "policy and metric").replace("metrics", "metric");
        match self {
            Self::Incomparable { runs } => {
                let differs = if *runs == 1 { "differs" } else { "differ" };
                write!(
                    f,
                    "{} {differs} from the last one; say --across with what is meant, if it is, or --since",
                    counted(*runs, "run")
                )
            }
            Self::TooFewRuns { runs, needed } => write!(
                f,
                "too few runs: {runs}, it takes {needed} before a step in their middle can be told from chance over all \
                 policies and metrics"
            ),
            Self::Missing { tracks } => write!(
                f,
                "the last run lacks {} that earlier ones have; --missing ignore lets that be",
                series(*tracks)
            ),
            Self::TooShort { tracks, needed } => write!(
                f,
                "fewer than {needed} runs have {}, so that a step in it cannot be told from chance; --missing ignore lets that be",
                series(*tracks)
            ),
            Self::Interrupted => {
                f.write_str("the last run was interrupted; --missing ignore judges what there is of it")
            }
            Self::Nothing => f.write_str(
                "there is nothing to follow: no condition and metric that is asked for is in the runs",
            ),
        }
    }
}

/// One metric of one condition over the runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Track {
    /// The cell.
    pub condition: Condition,
    /// The metric.
    pub metric: Metric,
    /// In what it is counted.
    pub unit: Unit,
    /// What is made of it.
    pub outcome: Outcome,
    /// Median over blocks, run by run; `None`: that run lacks it.
    pub medians: Vec<Option<f64>>,
    /// The most likely step; `None` with too few runs, or where nothing ever changed.
    pub step: Option<Step>,
}

/// The most likely step of a series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Step {
    /// The first run after it, by its place.
    pub since: usize,
    /// Median of the runs before.
    pub before: f64,
    /// Median of those after.
    pub after: f64,
    /// By how much.
    pub change: Change,
    /// Chance of so clear a step anywhere in this series, in either direction, if the order of runs meant nothing.
    pub p: f64,
    /// The same over all series together.
    pub p_adjusted: f64,
}

/// Looks for steps in runs that are in order of time.
#[must_use]
pub fn follow(runs: &[Run<'_>], settings: &Settings) -> History {
    let mut history = History {
        schema: History::SCHEMA,
        verdict: Verdict::Undecided,
        settings: settings.clone(),
        runs: runs.iter().map(|run| info(*run)).collect(),
        differences: Vec::new(),
        obstacles: Vec::new(),
        tracks: Vec::new(),
    };
    let Some(last) = runs.last() else {
        history.obstacles.push(Gap::Nothing);
        return history;
    };
    let from_last = |(place, run): (usize, &Run<'_>)| {
        let found = comparable::differences(run.records, last.records, settings);
        found.into_iter().map(move |difference| FromLast { run: place, difference })
    };
    history.differences = runs.iter().enumerate().flat_map(from_last).collect();
    let mut refused: Vec<usize> = history
        .differences
        .iter()
        .filter(|found| !found.difference.accepted)
        .map(|found| found.run)
        .collect();
    refused.dedup();
    if !refused.is_empty() {
        history.obstacles.push(Gap::Incomparable { runs: refused.len() as u64 });
        return history;
    }
    let numbers: Vec<Matrix> = runs.iter().map(|run| Matrix::of(run.records, &settings.metrics)).collect();
    history.tracks = tracks(&numbers, settings);
    history.obstacles = gaps(&history);
    history.verdict = if history.with(Outcome::Worse).next().is_some() {
        Verdict::Regression
    } else if history.obstacles.is_empty() {
        Verdict::Pass
    } else {
        Verdict::Undecided
    };
    history
}

fn tracks(numbers: &[Matrix], settings: &Settings) -> Vec<Track> {
    let keys: std::collections::BTreeSet<Key> =
        numbers.iter().flat_map(Matrix::keys).filter(|key| settings.asks_for(key.condition)).collect();
    let series: Vec<(Key, Vec<Option<f64>>)> = keys
        .into_iter()
        .map(|key| {
            let median = |matrix: &Matrix| Sample::of(&matrix.values(key)).map(|sample| sample.median);
            (key, numbers.iter().map(median).collect())
        })
        .collect();
    let steps: Vec<Option<Step>> =
        series.iter().map(|(key, medians)| step(*key, medians, settings.seed)).collect();
    let adjusted = holm(&steps.iter().map(|step| step.map(|step| step.p)).collect::<Vec<_>>());
    series
        .into_iter()
        .zip(steps.into_iter().zip(adjusted))
        .map(|((key, medians), (step, adjusted))| {
            let step = step.zip(adjusted).map(|(step, p_adjusted)| Step { p_adjusted, ..step });
            let outcome = outcome(key, &medians, step.as_ref(), settings);
            let (condition, metric) = (key.condition, key.metric);
            Track { condition, metric, unit: metric.unit(), outcome, medians, step }
        })
        .collect()
}

fn step(key: Key, medians: &[Option<f64>], seed: u64) -> Option<Step> {
    let scale = key.metric.scale();
    let present: Vec<(usize, f64)> =
        medians.iter().enumerate().filter_map(|(i, m)| Some((i, (*m)?))).collect();
    let placed: Vec<f64> = present.iter().filter_map(|(_, median)| scale.place(*median)).collect();
    // A value without a place would move those behind it.
    let found = (placed.len() == present.len()).then(|| change_point(&placed, seed)).flatten()?;
    let median = |part: &[(usize, f64)]| {
        Sample::of(&part.iter().map(|(_, median)| *median).collect::<Vec<_>>()).map(|sample| sample.median)
    };
    let interval = found.shift.interval.map(|(low, high)| (scale.said(low), scale.said(high)));
    Some(Step {
        since: present.get(found.at)?.0,
        before: median(present.get(..found.at)?)?,
        after: median(present.get(found.at..)?)?,
        change: Change { shift: scale.said(found.shift.shift), interval },
        p: found.p,
        p_adjusted: found.p,
    })
}

fn outcome(key: Key, medians: &[Option<f64>], step: Option<&Step>, settings: &Settings) -> Outcome {
    if medians.iter().flatten().count() < MIN_RUNS {
        return Outcome::Unknown;
    }
    let margin = settings.margin(key.metric);
    match step {
        Some(step) if step.p_adjusted <= settings.alpha && step.change.shift > margin => Outcome::Worse,
        Some(step) if step.p_adjusted <= settings.alpha && step.change.shift < -margin => Outcome::Better,
        _ => Outcome::Same,
    }
}

fn gaps(history: &History) -> Vec<Gap> {
    let mut found = Vec::new();
    if history.tracks.is_empty() {
        found.push(Gap::Nothing);
        return found;
    }
    let needed = runs_needed(history.settings.alpha, history.tracks.len() as u64);
    let runs = history.runs.len() as u64;
    if runs < needed {
        found.push(Gap::TooFewRuns { runs, needed });
    }
    if history.settings.missing == Missing::Ignore {
        return found;
    }
    let too_short = |track: &&Track| (track.medians.iter().flatten().count() as u64) < needed;
    let short = history.tracks.iter().filter(too_short).count() as u64;
    if short > 0 && runs >= needed {
        found.push(Gap::TooShort { tracks: short, needed });
    }
    if history.runs.last().is_some_and(|run| run.partial) {
        found.push(Gap::Interrupted);
    }
    let ended =
        history.tracks.iter().filter(|track| track.medians.last().is_some_and(Option::is_none)).count()
            as u64;
    if ended > 0 {
        found.push(Gap::Missing { tracks: ended });
    }
    found
}

/// Runs from which on a step in their middle can have a p of alpha over so many series: of n values, two of the
/// C(n, n/2) choices of the lower half are the clearest steps, and Holm multiplies by the number of series. An odd run more makes
/// no step clearer: on either side of the middle one it is the same.
///
/// ```
/// # use cgbench::gate::history::runs_needed;
/// assert_eq!((runs_needed(0.05, 1), runs_needed(0.01, 1), runs_needed(0.01, 20)), (8, 10, 16));
/// ```
#[must_use]
pub fn runs_needed(alpha: f64, tracks: u64) -> u64 {
    let clearest = |n: u64| {
        let half = n / 2;
        (0..half).fold(2.0 * tracks as f64, |p, i| p * (i + 1) as f64 / (half + i + 1) as f64)
    };
    (MIN_RUNS as u64..200).find(|&n| clearest(n) <= alpha).unwrap_or(200)
}
