//! Does a remedy do what was expected of it? Each command that `cgtune diagnose` shows for the verdict is run, word for word, the
//! kernel's counters are read while it is in force, and it is undone again.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, bail};

use super::{
    Scenario, came_about,
    diagnosis::{self, Expected, Offered},
    interrupt,
    measured::Measured,
    programs::Programs,
    run::watched,
    stage::{self, Place, Stage},
};

/// From a change to the moment from which on a watch tells of it.
const SETTLE: Duration = Duration::from_secs(1);
/// How far outside the expected range a stall may lie: 10 ms/s, which nobody would act on, or this part of what it was before.
pub(crate) const SLACK_MS_PER_S: f64 = 10.0;
pub(crate) const SLACK_OF_BEFORE: f64 = 0.15;

/// What came of one remedy.
#[derive(Debug, Clone)]
pub(crate) struct Tried {
    pub(crate) scenario: Scenario,
    pub(crate) offered: Offered,
    /// Milliseconds a second that it stood still before, and with the remedy: throttled, or waiting where that was the finding.
    pub(crate) before: f64,
    pub(crate) after: f64,
    /// Throttled periods of those in which it was active.
    pub(crate) ratios: [Option<f64>; 2],
    /// Whether others disturbed it.
    pub(crate) amiss: Vec<String>,
}

impl Tried {
    /// Whether it came as expected; `None`: nothing was expected.
    pub(crate) fn held(&self) -> Option<bool> {
        let Expected { stall, .. } = self.offered.expected?;
        let slack = SLACK_MS_PER_S.max(SLACK_OF_BEFORE * self.before);
        Some(self.after >= stall[0] - slack && self.after <= stall[1] + slack)
    }

    /// Whether it helped at all: a quarter less, or hardly anything left.
    pub(crate) fn helped(&self) -> bool {
        self.after <= SLACK_MS_PER_S || self.after <= 0.75 * self.before
    }
}

/// Those that nobody disturbed.
pub(crate) fn fair(tried: &[Tried]) -> impl Iterator<Item = &Tried> {
    tried.iter().filter(|tried| tried.amiss.is_empty())
}

/// How many came as expected, of how many of which something was.
pub(crate) fn held(tried: &[Tried]) -> (usize, usize) {
    fair(tried).filter_map(Tried::held).fold((0, 0), |(held, all), one| (held + usize::from(one), all + 1))
}

/// Whether those of which something was expected came so in 9 of 10.
pub(crate) fn pass(tried: &[Tried]) -> bool {
    let (held, all) = held(tried);
    all > 0 && held * 10 >= all * 9
}

/// Sets a scenario up, asks what would help, and tries each command that is cgtune's own.
pub(crate) fn run(
    place: &Place,
    programs: &Programs,
    scenario: Scenario,
    watch: Duration,
    patience: Duration,
) -> anyhow::Result<Vec<Tried>> {
    stage::await_quiet(patience)?;
    let situation = scenario.situation(place.machine);
    let mut stage = Stage::set(place, programs, &situation)?;
    let journal = tempfile::tempdir().context("cannot make a folder for the journal")?;
    let (before, diagnosis) = watched(&mut stage, |path| diagnosis::ask(programs, path, watch))?;
    let mut answers = Vec::new();
    for offered in diagnosis.offered {
        // One after the other, as a shell would.
        let commands: Vec<&str> = offered.command.split(" && ").collect();
        for command in &commands {
            cgtune(programs, journal.path(), command.split(' ').skip(1).chain(["--yes"]))?;
        }
        interrupt::sleep(SETTLE)?;
        let (after, ()) = watched(&mut stage, |_| interrupt::sleep(watch))?;
        for _ in &commands {
            cgtune(programs, journal.path(), ["undo"].into_iter())?;
        }
        interrupt::sleep(SETTLE)?;
        answers.push(Tried {
            scenario,
            before: cost(scenario, &before),
            after: cost(scenario, &after),
            ratios: [before.own().throttled_ratio(), after.own().throttled_ratio()],
            amiss: came_about::disturbed(scenario, &after),
            offered,
        });
    }
    Ok(answers)
}

/// What the scenario's cause costs: time throttled, on whichever level, or waiting.
fn cost(scenario: Scenario, measured: &Measured) -> f64 {
    use super::Cause::{AncestorLimit, IdleClass, Starved};
    match scenario.cause() {
        Starved | IdleClass | AncestorLimit => measured.run_delay_ms_per_s,
        // Where the pod has the same quota either may throttle first.
        _ => measured.own().stall_ms_per_s.max(measured.stall_above()),
    }
}

fn cgtune<'a>(
    programs: &Programs,
    journal: &Path,
    words: impl Iterator<Item = &'a str>,
) -> anyhow::Result<()> {
    let mut command = Command::new(&programs.cgtune);
    command.args(words).arg("--journal").arg(journal).env("NO_COLOR", "1").stdin(Stdio::null());
    let output = command.output().with_context(|| format!("cannot start {}", programs.cgtune.display()))?;
    if !output.status.success() {
        bail!("{command:?} ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
