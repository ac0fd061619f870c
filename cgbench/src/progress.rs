//! What a run shows while it runs: a bar with the time left on a terminal, a line a block elsewhere. All on stderr.

use std::{io::IsTerminal as _, io::Write as _, time::Duration};

use cgtune_core::{Bandwidth, text::Escaped};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{plan::Condition, record::Missed, runner::Watcher, study::Unsteady};

/// Shows progress.
pub struct Progress {
    bar: ProgressBar,
    lines: bool,
    quiet: bool,
    blocks: u32,
    /// Of several plans, which one runs.
    place: Option<String>,
    /// Seconds that the run takes in all, and those of the pilots and blocks that are over.
    total: f64,
    past: f64,
    /// Seconds of the one that runs.
    current: f64,
}

/// The bar counts milliseconds.
const PER_SECOND: f64 = 1000.0;

impl Progress {
    /// A bar if stderr is a terminal, lines if not, nothing if `quiet`.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let bar = if quiet || !terminal { ProgressBar::hidden() } else { ProgressBar::no_length() };
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, lines: !terminal, quiet, blocks: 0, place: None, total: 0.0, past: 0.0, current: 0.0 }
    }

    /// A step without a known length: calibrating, drawing.
    pub fn step(&self, text: &str) {
        match &self.place {
            Some(place) => self.bar.set_message(format!("{place}: {text}")),
            None => self.bar.set_message(text.to_owned()),
        }
        self.line(text);
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// A line that stays.
    pub fn say(&self, text: &str) {
        self.bar.println(text);
        self.line(text);
    }

    /// What ran is over.
    fn next(&mut self) {
        self.past += std::mem::take(&mut self.current);
    }

    fn line(&self, text: &str) {
        if self.lines && !self.quiet {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds of a bar")]
    fn measure(&self, seconds: f64) {
        let style = ProgressStyle::with_template("{bar:24} {percent:>3} % {msg}  {prefix}");
        self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─"));
        self.bar.set_length((seconds * PER_SECOND) as u64);
        self.bar.set_position(0);
    }

    /// The bar stands at so many seconds of its length; the time left follows from the plan, not from the past pace.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "milliseconds of a bar"
    )]
    fn at(&self, seconds: f64) {
        let position = (seconds * PER_SECOND) as u64;
        self.bar.set_position(position.min(self.bar.length().unwrap_or(position)));
        let left = (self.bar.length().unwrap_or(0) as f64 / PER_SECOND - seconds).max(0.0).round() as u64;
        self.bar.set_prefix(format!("{}:{:02} left", left / 60, left % 60));
    }
}

impl Watcher for Progress {
    fn begin(&mut self, blocks: u32, seconds: f64) {
        (self.blocks, self.total) = (blocks, seconds);
        self.measure(seconds);
    }

    fn missed(&mut self, missed: &Missed) {
        self.say(&format!("not provided here: {}: {}", missed.condition, missed.reason));
    }

    fn point(&mut self, name: &str) {
        let name = Escaped(name.as_bytes()).to_string();
        self.line(&name);
        self.place = Some(name);
    }

    fn pilot(&mut self) {
        self.next();
        self.step("pilot: what does the load need?");
    }

    fn limit(&mut self, limit: Bandwidth) {
        let cpus = limit.cpus().unwrap_or(0.0);
        self.say(&format!("limit: {} of every {} ({cpus:.3} CPUs)", limit.quota(), limit.period()));
    }

    fn block(&mut self, done: u32, condition: Condition) {
        self.next();
        self.step(&format!("block {}/{}: {condition}", done + 1, self.blocks));
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds of a bar")]
    fn again(&mut self, condition: Condition, reason: &Unsteady, seconds: f64) {
        self.total += seconds;
        self.bar.set_length((self.total * PER_SECOND) as u64);
        self.say(&format!("again: {condition}: {reason}"));
    }

    fn tick(&mut self, seconds: f64) {
        self.current = seconds;
        self.at(self.past + seconds);
    }
}
