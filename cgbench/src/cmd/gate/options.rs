//! What `gate` and `compare` share.

use std::{fs, path::PathBuf};

use crate::gate::{
    Settings,
    bound::{Bound, Target},
    comparable::Facet,
    method::Method,
    metric::Metric,
    settings::{self, Combine, Layer, Margin, Missing},
};

/// How it is judged.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "How it is judged")]
pub(in crate::cmd) struct Options {
    /// Methods, one or several: baseline, percentage, deviation, fixed [default: baseline, and fixed where there are bounds]
    #[arg(long = "method", value_name = "LIST", value_delimiter = ',', value_enum)]
    methods: Option<Vec<Method>>,
    /// Whether one alarming method is enough, or all must alarm [default: any]
    #[arg(long, value_enum)]
    combine: Option<Combine>,
    /// Chance of a false alarm of baseline, over all policies and metrics together [default: 0.01]
    #[arg(long, value_name = "P", value_parser = |text: &str| number(text, settings::alpha))]
    alpha: Option<f64>,
    /// Hold repetition i of NEW against repetition i of BASE, which have the same pictures and jitter
    #[arg(long)]
    paired: bool,
    /// A worsening below which nobody acts, such as throttled=2%, stall=2ms/s, work=2% (the defaults); repeatable
    #[arg(long = "margin", value_name = "METRIC=AMOUNT", value_delimiter = ',', value_parser = Margin::parse)]
    margins: Vec<Margin>,
    /// Rise of the median that percentage lets pass, in percent [default: 10]
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    percent: Option<f64>,
    /// Standard deviations that deviation lets pass [default: 3]
    #[arg(long, value_name = "K", value_parser = |text: &str| number(text, settings::sigmas))]
    sigmas: Option<f64>,
    /// The most that a median may be, such as 'limit+burst throttled<=1%' or '*,neighbour p95-ratio<=1.5'; repeatable
    #[arg(long = "bound", value_name = "BOUND", value_parser = Bound::parse)]
    bounds: Vec<Bound>,
    /// Only these metrics: throttled, stall, p95-ratio, p50-ratio, work, p50, p95, p99, late, frame-cpu
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = Metric::parse)]
    metrics: Option<Vec<Metric>>,
    /// Only this condition, such as limit+burst or '*,neighbour'; repeatable
    #[arg(long = "condition", value_name = "POLICY", value_parser = Target::parse)]
    conditions: Option<Vec<Target>>,
    /// Absolute times as well: p50, p95, p99, late frames, CPU time of a frame; they compare on one machine only
    #[arg(long)]
    absolute: bool,
    /// Differences between the runs that are meant: backends, kernels, machines, plans, loads, seeds
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_enum)]
    across: Option<Vec<Facet>>,
    /// What becomes of what one side lacks, and of interrupted runs [default: fail; compare: ignore]
    #[arg(long, value_enum)]
    missing: Option<Missing>,
    /// Seed of the permutations [default: 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Read settings from this TOML file; what is typed goes before it
    #[arg(long, value_name = "FILE.toml")]
    config: Option<PathBuf>,
}

fn number(text: &str, check: fn(f64) -> Result<f64, String>) -> Result<f64, String> {
    check(text.trim().parse().map_err(|_| "not a number".to_owned())?)
}

fn percent(text: &str) -> Result<f64, String> {
    number(text.trim().trim_end_matches('%'), settings::percent)
}

impl Options {
    /// The settings, for runs of which one is BASE or none is.
    ///
    /// # Errors
    /// A file that cannot be read or used; methods and bounds that do not fit together.
    pub(in crate::cmd) fn settings(&self, has_base: bool, missing: Missing) -> anyhow::Result<Settings> {
        let file = match &self.config {
            None => Layer::default(),
            Some(path) => {
                let text = fs::read_to_string(path).map_err(|error| {
                    anyhow::Error::new(error).context(format!("cannot read {}", path.display()))
                })?;
                Layer::from_toml(path, &text)?
            }
        };
        let named = self.methods.is_some() || file.methods.is_some();
        let missing = self.missing.or(file.missing).unwrap_or(missing);
        let typed = Layer { missing: Some(missing), ..self.typed() };
        let mut settings = Settings::of(typed, file);
        if !named && !has_base {
            settings.methods.retain(|method| *method == Method::Fixed);
        }
        let asks = |method| settings.methods.contains(&method);
        if !self.bounds.is_empty() && !asks(Method::Fixed) {
            anyhow::bail!("--bound is for the method fixed, which is not among --method");
        }
        if asks(Method::Fixed) && settings.bounds.is_empty() {
            anyhow::bail!("the method fixed needs a --bound, such as --bound 'limit+burst throttled<=1%'");
        }
        if let Some(method) = settings.methods.iter().find(|method| !has_base && **method != Method::Fixed) {
            anyhow::bail!("the method {} needs two runs: cgbench gate BASE NEW", method.name());
        }
        if settings.methods.is_empty() {
            anyhow::bail!("one run alone is judged by bounds: add --bound, or name BASE before it");
        }
        Ok(settings)
    }

    /// What only a comparison of two runs, or bounds, can use.
    ///
    /// # Errors
    /// If any of it is typed.
    pub(in crate::cmd) fn none_for_two_runs(&self) -> anyhow::Result<()> {
        let typed = self.methods.is_some()
            || self.combine.is_some()
            || self.paired
            || self.percent.is_some()
            || self.sigmas.is_some()
            || !self.bounds.is_empty();
        if typed {
            anyhow::bail!(
                "a history is judged by its steps alone: methods and their settings are for gate BASE NEW"
            );
        }
        Ok(())
    }

    fn typed(&self) -> Layer {
        Layer {
            methods: self.methods.clone(),
            combine: self.combine,
            alpha: self.alpha,
            paired: self.paired.then_some(true),
            margins: self.margins.clone(),
            percent: self.percent,
            sigmas: self.sigmas,
            bounds: self.bounds.clone(),
            metrics: self.metrics.clone(),
            conditions: self.conditions.clone(),
            absolute: self.absolute.then_some(true),
            across: self.across.clone(),
            missing: None,
            seed: self.seed,
        }
    }
}
