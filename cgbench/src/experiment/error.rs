//! What can be wrong with an experiment's text.

use std::{io, path::PathBuf};

use super::{SHIPPED, Setting};

/// Why there is no experiment.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// Neither a plan that comes with cgbench nor a file.
    #[error("there is no plan \"{name}\": cgbench has {}, and takes a path to a .toml file", names())]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The file cannot be read.
    #[error("cannot read the plan {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Something in the text.
    #[error("{origin}, line {line}, column {column}: {what}")]
    Text {
        /// Where the text comes from.
        origin: String,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong there.
        what: String,
    },
    /// Something that was set on the command line.
    #[error("cannot set {name} to \"{value}\": {what}")]
    Setting {
        /// What.
        name: String,
        /// To what.
        value: String,
        /// Why not.
        what: String,
    },
    /// A value that cannot be used.
    #[error("{origin}{}: {what}", of_point(label))]
    Value {
        /// Where the text comes from.
        origin: String,
        /// In which point, where it has several.
        label: Option<String>,
        /// What is wrong.
        what: String,
    },
    /// A sweep that is too wide.
    #[error(
        "the sweep has {points} points, more than the {most} that are allowed: vary fewer things at once"
    )]
    TooMany {
        /// How many.
        points: usize,
        /// How many may be.
        most: usize,
    },
}

fn names() -> String {
    SHIPPED.iter().map(|shipped| shipped.name).collect::<Vec<_>>().join(", ")
}

fn of_point(label: &Option<String>) -> String {
    label.as_ref().map_or_else(String::new, |label| format!(", at {label}"))
}

impl ExperimentError {
    /// From what the TOML reader says, with the place in the text.
    pub(super) fn text(origin: &str, text: &str, error: &toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let before = text.get(..at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        Self::Text { origin: origin.to_owned(), line, column, what: one_line(error.message()) }
    }

    pub(super) fn setting(setting: &Setting, what: String) -> Self {
        Self::Setting { name: setting.name.clone(), value: setting.value.clone(), what }
    }
}

/// A message of several lines as one.
pub(super) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
