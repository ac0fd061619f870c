//! What the gate found: data, complete enough that every format is made from it alone.

use serde::Serialize;

use super::{
    comparable::Difference,
    matrix::{Key, Sample},
    method::{Method, Opinion, Outcome},
    metric::{Metric, Unit},
    settings::Settings,
};
use crate::{plan::Condition, record::BackendKind};

/// The verdict on a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing is worse, as far as these blocks can tell.
    Pass,
    /// Something is.
    Regression,
    /// It could not be judged, and that is no pass.
    Undecided,
}

impl Verdict {
    /// The exit code of `cgbench gate`.
    #[must_use]
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Regression => 1,
            Self::Undecided => 2,
        }
    }
}

/// What the gate found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// `cgbench.gate/1`.
    pub schema: &'static str,
    /// The verdict.
    pub verdict: Verdict,
    /// What was asked.
    pub settings: Settings,
    /// What NEW is held against; `None`: bounds alone.
    pub base: Option<RunInfo>,
    /// What is judged.
    pub new: RunInfo,
    /// In what the two differ.
    pub differences: Vec<Difference>,
    /// Why it could not be judged, or not all of it.
    pub obstacles: Vec<Obstacle>,
    /// What one side lacks.
    pub missing: Vec<Lack>,
    /// A line a condition and metric; none where the runs may not be compared.
    pub lines: Vec<Line>,
}

impl Report {
    /// The schema that this version writes.
    pub const SCHEMA: &'static str = "cgbench.gate/1";

    /// The lines with this outcome.
    pub fn with(&self, outcome: Outcome) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.outcome == outcome)
    }

    /// Whether a model measured any of it.
    #[must_use]
    pub fn is_simulated(&self) -> bool {
        self.base.iter().chain([&self.new]).any(|run| run.backend == BackendKind::Simulated)
    }
}

/// One of the runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunInfo {
    /// What it is called: its folder.
    pub name: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// Name of its plan.
    pub plan: String,
    /// Who measured.
    pub backend: BackendKind,
    /// `uname -r`.
    pub kernel: String,
    /// Version of cgbench.
    pub version: String,
    /// Whole blocks.
    pub blocks: u64,
    /// Blocks that the plan asks for, without those the machine does not provide.
    pub blocks_planned: u64,
    /// Blocks that were interrupted, and are not counted in.
    pub interrupted_blocks: u64,
    /// Blocks that were disturbed, and are counted in.
    pub void_blocks: u64,
    /// Whether blocks are missing.
    pub partial: bool,
}

/// A condition and a metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// The cell.
    pub condition: Condition,
    /// The metric.
    pub metric: Metric,
    /// In what it is counted.
    pub unit: Unit,
    /// What is made of it.
    pub outcome: Outcome,
    /// BASE's blocks; `None` without BASE, or where that lacks it.
    pub base: Option<Sample>,
    /// NEW's blocks.
    pub new: Sample,
    /// How far NEW lies above BASE; `None` without BASE.
    pub shift: Option<Change>,
    /// Chance of at least such a worsening anywhere in the family, if nothing were worse by more than its margin; `None` where it
    /// cannot be tested.
    pub p_adjusted: Option<f64>,
    /// The smallest worsening that so many blocks of such a spread find in four cases of five, its margin included, as
    /// [`Change::shift`]; `None` where none is found, or without BASE.
    pub detectable: Option<f64>,
    /// Opinions of the methods that were asked.
    pub opinions: Vec<Opinion>,
}

impl Line {
    /// Which column.
    #[must_use]
    pub fn key(&self) -> Key {
        Key { condition: self.condition, metric: self.metric }
    }
}

/// A difference: in the metric's unit, or as a part where it is a factor (0.05 is 5 % more).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Change {
    /// The Hodges–Lehmann shift: the median of all differences between a block of NEW and one of BASE.
    pub shift: f64,
    /// Its 95 % interval, of this column alone; `None` with too few blocks.
    pub interval: Option<(f64, f64)>,
}

/// Which run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What NEW is held against.
    Base,
    /// What is judged.
    New,
}

impl Side {
    /// The name in sentences.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "BASE",
            Self::New => "NEW",
        }
    }
}

/// What one side lacks and the other has, or a bound asks for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Lack {
    /// Which side lacks it.
    pub side: Side,
    /// The cell; `None`: a bound that fits none.
    pub condition: Option<Condition>,
    /// The metric; `None`: all of the cell.
    pub metric: Option<Metric>,
    /// Why.
    pub reason: String,
}

impl std::fmt::Display for Lack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} lacks ", self.side.name())?;
        match (self.condition, self.metric) {
            (Some(condition), Some(metric)) => write!(f, "{condition}: {metric}")?,
            (Some(condition), None) => write!(f, "{condition}")?,
            (None, _) => write!(f, "what a bound asks for")?,
        }
        write!(f, " ({})", super::escape::terminal(&self.reason))
    }
}

/// Why it could not be judged, or not all of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Obstacle {
    /// The runs differ in something that was not said to be meant.
    Incomparable {
        /// How many such differences.
        differences: u64,
    },
    /// `--paired`, and repetitions do not belong together.
    NotPaired,
    /// Too few blocks for a method.
    TooFewBlocks {
        /// Which method.
        method: Method,
        /// Of what.
        condition: Condition,
        /// In BASE; `None` without.
        base: Option<u64>,
        /// In NEW.
        new: u64,
        /// It takes.
        needed: u64,
    },
    /// One side lacks what the other has.
    Missing {
        /// How much.
        lacks: u64,
    },
    /// A run was interrupted.
    Partial {
        /// Which.
        side: Side,
        /// Whole blocks that there are.
        blocks: u64,
        /// That the plan asks for.
        planned: u64,
    },
    /// There is nothing to judge by.
    Nothing,
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Incomparable { differences } => {
                let number = if *differences == 1 { "one thing".into() } else { format!("{differences} things") };
                write!(f, "the runs differ in {number}; say --across with what is meant, if it is")
            }
            Self::NotPaired => f.write_str(
                "--paired needs the same plan, load and seed on both sides: repetitions of these runs do not belong together",
            ),
            Self::TooFewBlocks { method, condition, base, new, needed } => {
                let method = method.name();
                match base {
                    Some(base) => write!(
                        f,
                        "too few blocks of {condition} for {method}: {base} in BASE and {new} in NEW, it takes {needed} each \
                         (cgbench run --repetitions {needed})"
                    ),
                    None => write!(f, "too few blocks of {condition} for {method}: {new} in NEW, it takes {needed}"),
                }
            }
            Self::Missing { lacks } => {
                let number = if *lacks == 1 { "one thing is".into() } else { format!("{lacks} things are") };
                write!(f, "{number} there on one side only; --missing ignore lets that be")
            }
            Self::Partial { side, blocks, planned } => {
                write!(f, "{} was interrupted: {blocks} of {planned} blocks", side.name())
            }
            Self::Nothing => f.write_str("there is nothing to judge: no condition and metric that is asked for is in the runs"),
        }
    }
}
