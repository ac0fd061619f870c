//! Where a report goes: stdout, and files for the pages of a CI.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::gate::{Report, history::History, render};

/// Where it goes.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Where it goes")]
pub(in crate::cmd) struct Outputs {
    /// Print JSON (cgbench.gate/1; with --history cgbench.gate-history/1)
    #[arg(long)]
    json: bool,
    /// Write Markdown for the page of a CI job, such as "$GITHUB_STEP_SUMMARY"; - prints it in place of the text
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Add to the file of --markdown instead of replacing it
    #[arg(long, requires = "markdown")]
    append: bool,
    /// Write JUnit's XML, a test case a policy and metric
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write NEW's medians for github-action-benchmark (tool: customSmallerIsBetter)
    #[arg(long, value_name = "FILE")]
    benchmark_json: Option<PathBuf>,
    /// Annotations: github prints workflow commands (::error …), gitlab writes gl-code-quality-report.json
    #[arg(long, value_name = "CI", value_enum)]
    annotations: Option<Annotations>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Annotations {
    /// Workflow commands on stdout
    Github,
    /// A Code Quality report
    Gitlab,
}

/// The name that GitLab's documentation gives the Code Quality report.
const CODE_QUALITY: &str = "gl-code-quality-report.json";

impl Outputs {
    /// What stdout cannot hold at once.
    ///
    /// # Errors
    /// Two answers for one stdout; a format that a history has not.
    pub(in crate::cmd) fn check(&self, of_history: bool) -> anyhow::Result<()> {
        let on_stdout = self.markdown.as_deref() == Some(Path::new("-"));
        if self.json && (on_stdout || self.annotations == Some(Annotations::Github)) {
            anyhow::bail!(
                "--json has stdout for itself: give --markdown a file, and leave --annotations github out"
            );
        }
        if self.append && on_stdout {
            anyhow::bail!("--append is for a file, not for --markdown -");
        }
        let others = self.junit.is_some() || self.benchmark_json.is_some() || self.annotations.is_some();
        if of_history && others {
            anyhow::bail!(
                "a history is shown as text, --json or --markdown; the other formats are for gate BASE NEW"
            );
        }
        Ok(())
    }

    /// Writes all that is asked for; files first, so that a reader of stdout who goes away costs none of them.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(in crate::cmd) fn write(&self, report: &Report) -> anyhow::Result<()> {
        if let Some(path) = &self.junit {
            put(path, &render::junit::junit(report), false)?;
        }
        if let Some(path) = &self.benchmark_json {
            put(path, &pretty(&render::benchmark::benchmark(report))?, false)?;
        }
        if self.annotations == Some(Annotations::Gitlab) {
            put(Path::new(CODE_QUALITY), &pretty(&render::annotations::gitlab(report))?, false)?;
        }
        self.show(report, render::markdown::markdown, render::text::text)?;
        if self.annotations == Some(Annotations::Github) {
            anstream::stdout().lock().write_all(render::annotations::github(report).as_bytes())?;
        }
        Ok(())
    }

    /// The same of a history.
    ///
    /// # Errors
    /// As [`Outputs::write`].
    pub(super) fn write_history(&self, history: &History) -> anyhow::Result<()> {
        self.show(history, render::history::markdown::markdown, render::history::text::text)
    }

    /// Writes the Markdown that is asked for, and on stdout one of JSON, Markdown and text.
    fn show<T: Serialize>(
        &self,
        found: &T,
        markdown: impl Fn(&T) -> String,
        text: impl Fn(&T, bool, usize) -> String,
    ) -> anyhow::Result<()> {
        let on_stdout = self.markdown.as_deref() == Some(Path::new("-"));
        if let Some(path) = self.markdown.as_deref().filter(|_| !on_stdout) {
            put(path, &markdown(found), self.append)?;
        }
        let shown = if self.json {
            render::json::json(found)?
        } else if on_stdout {
            markdown(found)
        } else {
            text(found, super::super::coloured(), super::super::console_width())
        };
        Ok(anstream::stdout().lock().write_all(shown.as_bytes())?)
    }
}

fn pretty<T: Serialize>(value: &T) -> serde_json::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// In place and not by renaming: a CI's summary file may be mounted, and stays the same file.
fn put(path: &Path, text: &str, append: bool) -> anyhow::Result<()> {
    let mut open = fs::OpenOptions::new();
    open.create(true).write(true).append(append).truncate(!append);
    let written = open.open(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| anyhow::Error::new(error).context(format!("cannot write {}", path.display())))
}
