//! The bar that a long wait or a long computation shows on stderr, where that is a terminal.

use std::{
    io::{self, IsTerminal as _},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

/// What is over sooner shows no bar.
pub(crate) const SHOW_AFTER: Duration = Duration::from_secs(2);

/// A bar of the usual looks, hidden where stderr is no terminal. The template is indicatif's, with a `{bar:24}`.
pub(crate) fn bar(length: u64, template: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.set_style(style.progress_chars("━╸─"));
    bar
}

/// A time that is left, as `1:05`.
pub(crate) fn minutes(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// A computation's bar, shown once it takes long. Only the thread that owns it can draw, and that is on purpose: `main`
/// holds stderr's lock, so a bar that another thread draws waits for ever.
///
/// The template's `{prefix}` is the time that is left if the rest is as fast: the bar's own estimate would begin when it
/// is first shown.
pub(crate) struct Computation {
    template: &'static str,
    all: u64,
    since: Instant,
    bar: Option<ProgressBar>,
}

impl Computation {
    pub(crate) fn new(all: u64, template: &'static str) -> Self {
        Self { template, all, since: Instant::now(), bar: None }
    }

    /// So much of it is done.
    pub(crate) fn at(&mut self, done: u64) {
        let elapsed = self.since.elapsed();
        if elapsed < SHOW_AFTER || done == 0 || !io::stderr().is_terminal() {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| bar(self.all, self.template));
        let left = elapsed.as_secs_f64() * self.all.saturating_sub(done) as f64 / done as f64;
        bar.set_prefix(minutes(left.ceil() as u64));
        bar.set_position(done);
    }
}

impl Drop for Computation {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
