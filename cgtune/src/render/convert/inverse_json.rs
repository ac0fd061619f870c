//! The way back as JSON.

use std::{io, io::Write};

use cgtune_core::{
    Micros, MilliCpu, Shares, Weight,
    convert::{
        CgroupDriver, WeightFormula,
        inverse::{CpuRange, Fit, Level},
    },
};
use serde::Serialize;

use super::{
    SCHEMA,
    inverse::{Answer, writer},
};
use crate::render::stat::name;

#[derive(Serialize)]
struct Document {
    schema: &'static str,
    inverse: Found,
    candidates: Vec<Way>,
    #[serde(skip_serializing_if = "Option::is_none")]
    judgement: Option<Judged>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<Limit>,
}

#[derive(Serialize)]
struct Found {
    #[serde(skip_serializing_if = "Option::is_none")]
    cgroup: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<Level>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<Weight>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shares: Option<Shares>,
}

#[derive(Serialize)]
struct Way {
    level: Level,
    formula: Option<WeightFormula>,
    used_by: &'static str,
    shares: SharesRange,
    /// `null`: no whole thousandth of a CPU gives it.
    request: Option<CpuRange>,
}

#[derive(Serialize)]
struct SharesRange {
    min: Shares,
    max: Shares,
}

#[derive(Serialize)]
struct Judged {
    formula: Option<WeightFormula>,
    fits: Vec<FitOf>,
}

#[derive(Serialize)]
struct FitOf {
    formula: WeightFormula,
    fit: Fit,
}

#[derive(Serialize)]
struct Limit {
    quota_us: Option<Micros>,
    period_us: Micros,
    limit_milli: Option<MilliCpu>,
    ranges: Vec<RangeOf>,
}

#[derive(Serialize)]
struct RangeOf {
    driver: CgroupDriver,
    limit: Option<CpuRange>,
}

/// Writes one document and a newline.
pub(crate) fn write(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        schema: SCHEMA,
        inverse: Found {
            cgroup: answer.path.as_deref().map(|path| name(path).to_string()),
            level: answer.level,
            weight: answer.weight,
            shares: answer.shares,
        },
        candidates: answer
            .candidates
            .iter()
            .map(|way| Way {
                level: way.level,
                formula: way.formula,
                used_by: writer(way),
                shares: SharesRange { min: *way.shares.start(), max: *way.shares.end() },
                request: way.request,
            })
            .collect(),
        judgement: answer.judgement.as_ref().map(|judgement| Judged {
            formula: judgement.formula(),
            fits: judgement.fits.iter().map(|&(formula, fit)| FitOf { formula, fit }).collect(),
        }),
        limit: answer.quota.as_ref().map(|limit| Limit {
            quota_us: limit.quota.limited(),
            period_us: limit.period,
            limit_milli: limit.limit,
            ranges: limit.ranges.iter().map(|&(driver, limit)| RangeOf { driver, limit }).collect(),
        }),
    };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}
