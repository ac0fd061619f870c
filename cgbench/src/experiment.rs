//! Experiments as data: a TOML text says which policies, loads, limits and repetitions, and what is varied; each combination of what
//! is varied is a *point*, which becomes a [`Plan`](crate::plan::Plan) with a results folder of its own.
//!
//! ```toml
//! name = "burst-sweep"
//! about = "throttling and tail against how much of the limit is used"
//! repetitions = 5
//! policies = ["limit", "limit+half-burst", "limit+burst"]
//!
//! [load]
//! kind = "encode"
//! fps = "60000/1001"
//! frames = 300
//!
//! [limit]
//! headroom = 1.08
//!
//! [sweep]
//! "limit.headroom" = [1.02, 1.1, 1.3]
//! ```
//!
//! Whatever can be written there can be set on the command line, by the same dotted names ([`Experiment::read`]).

mod error;
mod point;
mod settings;
mod shipped;
mod spec;

pub use error::ExperimentError;
pub use point::Point;
pub(crate) use point::slug;
pub use settings::Setting;
pub use shipped::{SHIPPED, Shipped};

use spec::Spec;

/// An experiment, with all its points.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    /// Its name.
    pub name: String,
    /// What it is for, in a sentence.
    pub about: String,
    /// What it needs from the machine for all its cells.
    pub requires: Vec<String>,
    /// The points, in the order in which they are said.
    pub points: Vec<Point>,
    /// The text that says it all, the settings put in.
    pub text: String,
}

impl Experiment {
    /// Reads an experiment's text, with `settings` in place of what it says. `origin` is where the text comes from.
    ///
    /// # Errors
    /// [`ExperimentError`]: no TOML, an unknown or impossible setting (with line and column where it stands in the text).
    pub fn read(origin: &str, text: &str, settings: &[Setting]) -> Result<Self, ExperimentError> {
        // First as it stands: what is wrong in it has a line.
        let _: Spec = toml::from_str(text).map_err(|error| ExperimentError::text(origin, text, &error))?;
        let mut table: toml::Table =
            toml::from_str(text).map_err(|error| ExperimentError::text(origin, text, &error))?;
        for setting in settings {
            setting.put(&mut table).map_err(|what| ExperimentError::setting(setting, what))?;
        }
        let whole = table.clone();
        let variations = point::variations(&mut table)?;
        let wrong =
            |label: Option<String>, what| ExperimentError::Value { origin: origin.to_owned(), label, what };
        let base = Spec::deserialised(&table).map_err(|what| wrong(None, what))?;
        let mut points = Vec::new();
        for (label, varied) in variations {
            let point = Spec::deserialised(&varied).and_then(|spec| Point::of(&spec, &base, label.clone()));
            points.push(point.map_err(|what| wrong(label, what))?);
        }
        // As it was written, unless something else was asked for.
        let text = if settings.is_empty() { text.to_owned() } else { whole.to_string() };
        Ok(Self { name: base.name, about: base.about, requires: base.requires, points, text })
    }

    /// One of those that come with cgbench, or a file.
    ///
    /// # Errors
    /// As [`Self::read`]; a file that cannot be read, a name that is neither.
    pub fn find(name: &str, settings: &[Setting]) -> Result<Self, ExperimentError> {
        if let Some(shipped) = SHIPPED.iter().find(|shipped| shipped.name == name) {
            return Self::read(&format!("the plan {name}"), shipped.text, settings);
        }
        let path = std::path::Path::new(name);
        if path.extension().is_none() && !path.exists() {
            return Err(ExperimentError::Unknown { name: name.to_owned() });
        }
        let text = std::fs::read_to_string(path)
            .map_err(|source| ExperimentError::Read { path: path.to_owned(), source })?;
        Self::read(name, &text, settings)
    }
}
