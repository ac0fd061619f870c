//! One container as JSON: the format of `schemas/convert-1.schema.json`.

use std::io::{self, Write};

use cgtune_core::{
    Micros, MilliCpu, Quota, Shares, Weight,
    convert::{
        CgroupDriver, Conversion, RequestOrigin, Setting, Warning, WeightFormula, explain::Step,
        inverse::Level, target::Rendition,
    },
};
use serde::Serialize;

use super::{
    SCHEMA,
    targets::{Cannot, Targets},
};

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    assumed: Assumed,
    request_milli: MilliCpu,
    request_origin: RequestOrigin,
    limit_milli: Option<MilliCpu>,
    container: Container,
    pod: Pod,
    weights: Vec<WeightBy>,
    targets: Targets<'a>,
    cannot: Cannot<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<Vec<Explained<'a>>>,
    warnings: Vec<Said<'a>>,
}

/// The node that is meant.
#[derive(Serialize)]
pub(super) struct Assumed {
    kubernetes: String,
    runtime: String,
    driver: CgroupDriver,
    cpu_cfs_quota: bool,
    cpu_cfs_quota_period_us: Micros,
}

impl Assumed {
    pub(super) fn of(setting: &Setting) -> Self {
        Self {
            kubernetes: setting.kubernetes.to_string(),
            runtime: setting.runtime.to_string(),
            driver: setting.driver,
            cpu_cfs_quota: setting.cfs_quota,
            cpu_cfs_quota_period_us: setting.period,
        }
    }
}

#[derive(Serialize)]
struct Pod {
    shares: Shares,
    weight: Weight,
    formula: WeightFormula,
    quota_us: Option<Micros>,
    period_us: Option<Micros>,
}

/// What a container's group gets; the same in a pod.
#[derive(Serialize)]
pub(super) struct Container {
    shares: Shares,
    weight: Option<Weight>,
    formula: Option<WeightFormula>,
    quota_us: Option<Micros>,
    period_us: Option<Micros>,
    burst_us: Option<Micros>,
}

impl Container {
    pub(super) fn of(done: &Conversion) -> Self {
        let limited = done.bandwidth.quota() != Quota::Unlimited;
        Self {
            shares: done.shares,
            weight: done.weight(),
            formula: done.formula,
            quota_us: done.bandwidth.quota().limited(),
            period_us: done.sent.map(|sent| sent.period),
            burst_us: limited.then_some(done.bandwidth.burst()),
        }
    }
}

#[derive(Serialize)]
struct WeightBy {
    level: Level,
    formula: WeightFormula,
    weight: Weight,
    used_by: &'static str,
}

/// A step with the address of its source.
#[derive(Serialize)]
pub(super) struct Explained<'a> {
    #[serde(flatten)]
    step: &'a Step,
    url: String,
}

impl<'a> Explained<'a> {
    pub(super) fn all(steps: &'a [Step]) -> Vec<Self> {
        steps.iter().map(|step| Self { step, url: step.source.url() }).collect()
    }
}

/// A warning's kind and numbers, and its sentence.
#[derive(Serialize)]
pub(crate) struct Said<'a> {
    /// The container in a pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<&'a str>,
    #[serde(flatten)]
    warning: &'a Warning,
    message: String,
}

impl<'a> Said<'a> {
    pub(crate) fn of(container: Option<&'a str>, warning: &'a Warning) -> Self {
        Self { container, warning, message: warning.to_string() }
    }
}

/// Writes one document and a newline.
pub(crate) fn write(
    done: &Conversion,
    setting: &Setting,
    forms: &[Rendition],
    steps: Option<&Vec<Step>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let by = |level, formula: WeightFormula, used_by| WeightBy {
        level,
        formula,
        weight: formula.weight(done.shares),
        used_by,
    };
    let (newer, older) = (WeightFormula::Logarithmic, WeightFormula::Linear);
    let document = Document {
        schema: SCHEMA,
        assumed: Assumed::of(setting),
        request_milli: done.request,
        request_origin: done.request_origin,
        limit_milli: done.limit,
        container: Container::of(done),
        pod: pod(done, setting),
        weights: vec![
            by(Level::Container, newer, newer.used_by()),
            by(Level::Container, older, older.used_by()),
            by(Level::Pod, older, "kubelet"),
        ],
        targets: Targets(forms),
        cannot: Cannot(forms),
        explain: steps.map(|steps| Explained::all(steps)),
        warnings: done.warnings.iter().map(|warning| Said::of(None, warning)).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

/// A pod that holds this container alone.
fn pod(done: &Conversion, setting: &Setting) -> Pod {
    let sent = done.sent.filter(|sent| sent.quota != Quota::Unlimited);
    Pod {
        shares: done.shares,
        weight: done.pod_weight(),
        formula: WeightFormula::Linear,
        quota_us: sent.and_then(|sent| setting.pod_quota(sent.quota).limited()),
        period_us: sent.map(|sent| sent.period),
    }
}
