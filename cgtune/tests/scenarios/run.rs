//! One scenario from its name to what came of it.

use std::{path::Path, time::Duration};

use super::{
    Scenario, came_about,
    diagnosis::{self, Diagnosis},
    interrupt,
    measured::{Measured, Watch},
    programs::Programs,
    situation::Situation,
    stage::{self, Place, Stage},
};

/// How often a scenario is set up until it comes about.
const TRIES: u32 = 3;

/// Who judges a situation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Judge {
    /// Nobody: the counters are read and that is all.
    Nobody,
    /// `cgtune diagnose`.
    Diagnose,
}

/// What came of one try.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) scenario: Scenario,
    pub(crate) situation: Situation,
    pub(crate) measured: Measured,
    /// What was not as meant; empty: it came about.
    pub(crate) amiss: Vec<String>,
    /// `None`: nobody was asked.
    pub(crate) diagnosis: Option<Diagnosis>,
    /// Which try it was, from 1.
    pub(crate) tries: u32,
}

/// Sets a scenario up, has it judged for so long, and takes it down; again where it did not come about.
///
/// Before each try it waits up to `patience` for a quiet machine. The judge's answer never decides whether there is another try.
pub(crate) fn run(
    place: &Place,
    programs: &Programs,
    scenario: Scenario,
    judge: Judge,
    watch: Duration,
    patience: Duration,
) -> anyhow::Result<Outcome> {
    let mut tries = 1;
    loop {
        stage::await_quiet(patience)?;
        let mut outcome = once(place, programs, scenario, judge, watch)?;
        outcome.tries = tries;
        if outcome.amiss.is_empty() || tries == TRIES {
            return Ok(outcome);
        }
        tries += 1;
    }
}

fn once(
    place: &Place,
    programs: &Programs,
    scenario: Scenario,
    judge: Judge,
    watch: Duration,
) -> anyhow::Result<Outcome> {
    let situation = scenario.situation(place.machine);
    let mut stage = Stage::set(place, programs, &situation)?;
    let (measured, diagnosis) = watched(&mut stage, |path| match judge {
        Judge::Nobody => interrupt::sleep(watch).map(|()| None),
        Judge::Diagnose => diagnosis::ask(programs, path, watch).map(Some),
    })?;
    let amiss = came_about::amiss(scenario, &measured);
    Ok(Outcome { scenario, situation, measured, amiss, diagnosis, tries: 1 })
}

/// Does something with the path of the watched group, between two readings of its counters.
pub(crate) fn watched<T>(
    stage: &mut Stage,
    judge: impl FnOnce(&Path) -> anyhow::Result<T>,
) -> anyhow::Result<(Measured, T)> {
    let path = stage.path()?;
    let watch = Watch::begin(stage)?;
    let judged = judge(&path)?;
    stage.check()?;
    Ok((watch.end(stage)?, judged))
}
