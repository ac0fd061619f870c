//! Settings from a TOML file; whatever is wrong in it is told with its line.
//!
//! ```toml
//! methods = ["baseline", "fixed"]
//! alpha = 0.01
//! margins = ["throttled=5%", "stall=4ms/s"]
//! bounds = ["limit+burst throttled<=1%"]
//! across = ["kernels"]
//! ```

use std::{ops::Range, path::Path};

use serde::Deserialize;
use toml::Spanned;

use super::{Combine, Layer, Margin, Missing, alpha, percent, sigmas};
use crate::gate::{
    bound::{Bound, Target},
    comparable::Facet,
    method::Method,
    metric::Metric,
};

/// A file of settings that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}, line {line}, column {column}: {what}")]
pub struct ConfigError {
    /// Which file.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// Character in the line, from 1.
    pub column: usize,
    /// What is wrong there.
    pub what: String,
}

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    methods: Option<Vec<Method>>,
    combine: Option<Combine>,
    alpha: Option<Spanned<f64>>,
    paired: Option<bool>,
    margins: Vec<Spanned<String>>,
    percent: Option<Spanned<f64>>,
    sigmas: Option<Spanned<f64>>,
    bounds: Vec<Spanned<String>>,
    metrics: Option<Vec<Spanned<String>>>,
    conditions: Option<Vec<Spanned<String>>>,
    absolute: Option<bool>,
    across: Option<Vec<Facet>>,
    missing: Option<Missing>,
    seed: Option<u64>,
}

/// What is wrong, and where.
type Wrong = (Range<usize>, String);

impl Layer {
    /// What the text of a file says.
    ///
    /// # Errors
    /// What is wrong, with line and column.
    pub fn from_toml(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let placed = |(span, what): Wrong| {
            let before = text.get(..span.start.min(text.len())).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
            ConfigError { path: path.display().to_string(), line, column, what }
        };
        let file: File = toml::from_str(text)
            .map_err(|error| placed((error.span().unwrap_or(0..0), error.message().to_owned())))?;
        file.layer().map_err(placed)
    }
}

impl File {
    fn layer(self) -> Result<Layer, Wrong> {
        Ok(Layer {
            methods: self.methods,
            combine: self.combine,
            alpha: self.alpha.map(|value| checked(&value, alpha)).transpose()?,
            paired: self.paired,
            margins: parsed(&self.margins, Margin::parse)?,
            percent: self.percent.map(|value| checked(&value, percent)).transpose()?,
            sigmas: self.sigmas.map(|value| checked(&value, sigmas)).transpose()?,
            bounds: parsed(&self.bounds, Bound::parse)?,
            metrics: self.metrics.map(|names| parsed(&names, Metric::parse)).transpose()?,
            conditions: self.conditions.map(|names| parsed(&names, Target::parse)).transpose()?,
            absolute: self.absolute,
            across: self.across,
            missing: self.missing,
            seed: self.seed,
        })
    }
}

fn checked(value: &Spanned<f64>, check: fn(f64) -> Result<f64, String>) -> Result<f64, Wrong> {
    check(*value.get_ref()).map_err(|what| (value.span(), what))
}

fn parsed<T>(texts: &[Spanned<String>], parse: fn(&str) -> Result<T, String>) -> Result<Vec<T>, Wrong> {
    texts.iter().map(|text| parse(text.get_ref()).map_err(|what| (text.span(), what))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::settings::Settings;

    fn file(text: &str) -> Result<Layer, ConfigError> {
        Layer::from_toml(Path::new("gate.toml"), text)
    }

    #[test]
    fn a_file_may_set_everything() {
        let layer = file(
            "methods = [\"baseline\", \"fixed\"]\ncombine = \"all\"\nalpha = 0.05\npaired = true\n\
             margins = [\"throttled=5%\", \"stall=4ms/s\"]\npercent = 20\nsigmas = 4\n\
             bounds = [\"limit+burst throttled<=1%\"]\nmetrics = [\"throttled\", \"work\"]\n\
             conditions = [\"limit+burst\", \"*,neighbour\"]\nabsolute = true\nacross = [\"machines\"]\n\
             missing = \"ignore\"\nseed = 9\n",
        )
        .unwrap();
        let settings = Settings::of(Layer::default(), layer);
        assert_eq!(settings.methods, [Method::Baseline, Method::Fixed]);
        assert_eq!((settings.combine, settings.missing, settings.seed), (Combine::All, Missing::Ignore, 9));
        assert_eq!((settings.alpha, settings.rise, settings.sigmas, settings.paired), (0.05, 0.2, 4.0, true));
        assert_eq!(settings.margin(Metric::Throttled), 0.05);
        assert_eq!(settings.metrics, [Metric::Throttled, Metric::Work]);
        assert!(settings.across.contains(&Facet::Machines));
    }

    #[test]
    fn what_is_typed_goes_before_the_file() {
        let typed = Layer { alpha: Some(0.02), ..Layer::default() };
        let settings = Settings::of(typed, file("alpha = 0.05\nsigmas = 2").unwrap());
        assert_eq!((settings.alpha, settings.sigmas), (0.02, 2.0));
    }

    #[test]
    fn garbage_is_refused_with_its_place() {
        for (text, line, said) in [
            ("alpha = 0.01\nbeta = 2\n", 2, "unknown field `beta`"),
            ("\n\nalpha = 2\n", 3, "no chance of a false alarm"),
            ("alpha = \"much\"", 1, "invalid type"),
            ("bounds = [\n  \"limit throttled<=1%\",\n  \"limt throttled<=1%\",\n]\n", 3, "no policy"),
            ("margins = [\"throttled=2\"]", 1, "write 1%"),
            ("methods = [\"guess\"]", 1, "unknown variant"),
            ("sigmas = -1", 1, "standard deviations"),
            ("percent = nan", 1, "no percentage"),
            ("metrics = [\"p42\"]", 1, "no metric"),
            ("[[[", 1, ""),
        ] {
            let error = file(text).unwrap_err();
            assert_eq!(error.line, line, "{text}: {error}");
            assert!(error.to_string().contains(said), "{text}: {error}");
        }
    }
}
