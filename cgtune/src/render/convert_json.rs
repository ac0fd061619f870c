//! `cgtune convert --json`: the format of `schemas/convert-1.schema.json`.

use std::io::{self, Write};

use cgtune_core::{
    Layout, Micros, MilliCpu, Quota, Shares, Weight,
    convert::{Conversion, Kubernetes, RequestOrigin, Warning, WeightFormula},
};
use serde::{Serialize, Serializer};

/// Additive changes keep the number, others raise it.
const SCHEMA: &str = "cgtune.convert/1";

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    assumed: Assumed,
    request_milli: MilliCpu,
    request_origin: RequestOrigin,
    limit_milli: Option<MilliCpu>,
    container: Container,
    pod: Group,
    targets: Targets,
    warnings: Vec<Said<'a>>,
}

#[derive(Serialize)]
struct Assumed {
    kubernetes: String,
    runtime: &'static str,
}

#[derive(Serialize)]
struct Group {
    shares: Shares,
    weight: Weight,
    formula: WeightFormula,
}

#[derive(Serialize)]
struct Container {
    #[serde(flatten)]
    group: Group,
    quota_us: Option<Micros>,
    period_us: Micros,
    burst_us: Option<Micros>,
}

#[derive(Serialize)]
struct Targets {
    v1: Files,
    v2: Files,
}

/// File names and texts, in the order in which a reader expects them.
struct Files(Vec<(&'static str, String)>);

impl Serialize for Files {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(file, text)| (file, text)))
    }
}

/// A warning's kind and numbers, and its sentence.
#[derive(Serialize)]
struct Said<'a> {
    #[serde(flatten)]
    warning: &'a Warning,
    message: String,
}

/// Writes one document and a newline.
pub(crate) fn write(done: &Conversion, out: &mut dyn Write) -> io::Result<()> {
    let bandwidth = done.bandwidth;
    let limited = bandwidth.quota() != Quota::Unlimited;
    let document = Document {
        schema: SCHEMA,
        assumed: Assumed {
            kubernetes: Kubernetes::NEWEST.to_string(),
            runtime: WeightFormula::Logarithmic.used_by(),
        },
        request_milli: done.request,
        request_origin: done.request_origin,
        limit_milli: done.limit,
        container: Container {
            group: Group {
                shares: done.shares,
                weight: done.assumed_weight(),
                formula: WeightFormula::Logarithmic,
            },
            quota_us: bandwidth.quota().limited(),
            period_us: bandwidth.period(),
            burst_us: limited.then_some(bandwidth.burst()),
        },
        pod: Group { shares: done.shares, weight: done.pod_weight(), formula: WeightFormula::Linear },
        targets: Targets { v1: Files(done.files(Layout::V1)), v2: Files(done.files(Layout::V2)) },
        warnings: done
            .warnings
            .iter()
            .map(|warning| Said { warning, message: warning.to_string() })
            .collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}
