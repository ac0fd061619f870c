//! From two runs to a [`Report`]: pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    comparable,
    matrix::{Key, Matrix, Sample},
    method::{self, Basis, Method, Opinion, Outcome, baseline},
    report::{Change, Lack, Line, Obstacle, Report, RunInfo, Side, Verdict},
    settings::{Missing, Settings},
};
use crate::{
    plan::Condition,
    record::Records,
    stats::{
        power::{Demand, Spread, detectable_shift},
        shift::hodges_lehmann,
    },
    study::is_void,
};

/// Of an interval that is shown.
const CONFIDENCE: f64 = 0.95;

/// A run and what it is called.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Its folder.
    pub name: &'a str,
    /// Its records.
    pub records: &'a Records,
}

/// Judges NEW, against BASE or against bounds alone.
#[must_use]
pub fn judge(base: Option<Run<'_>>, new: Run<'_>, settings: &Settings) -> Report {
    let differences =
        base.map(|base| comparable::differences(base.records, new.records, settings)).unwrap_or_default();
    let mut report = Report {
        schema: Report::SCHEMA,
        verdict: Verdict::Undecided,
        settings: settings.clone(),
        base: base.map(info),
        new: info(new),
        differences,
        obstacles: Vec::new(),
        missing: Vec::new(),
        lines: Vec::new(),
    };
    let refused = report.differences.iter().filter(|difference| !difference.accepted).count() as u64;
    if refused > 0 {
        report.obstacles.push(Obstacle::Incomparable { differences: refused });
    }
    if settings.paired && !comparable::paired(&report.differences) {
        report.obstacles.push(Obstacle::NotPaired);
    }
    if !report.obstacles.is_empty() {
        return report;
    }
    let of = |run: Run<'_>| Matrix::of(run.records, &settings.metrics);
    let (base_numbers, new_numbers) = (base.map(of), of(new));
    report.lines = lines(base_numbers.as_ref(), &new_numbers, settings);
    report.missing = lacks(base, new, base_numbers.as_ref(), &new_numbers, settings);
    report.obstacles = obstacles(&report);
    report.verdict = if report.with(Outcome::Worse).next().is_some() {
        Verdict::Regression
    } else if report.obstacles.is_empty() {
        Verdict::Pass
    } else {
        Verdict::Undecided
    };
    report
}

pub(super) fn info(run: Run<'_>) -> RunInfo {
    let Records { plan, machine, run: record, blocks, .. } = run.records;
    let missed = |condition| record.missed.iter().any(|missed| missed.condition == condition);
    let provided = plan.conditions.iter().filter(|condition| !missed(**condition)).count() as u64;
    let whole = blocks.iter().filter(|block| !block.partial).count() as u64;
    let planned = provided * u64::from(plan.repetitions);
    RunInfo {
        name: run.name.to_owned(),
        started: record.started.clone(),
        plan: plan.name.clone(),
        backend: record.backend,
        kernel: machine.kernel.clone(),
        version: record.version.clone(),
        blocks: whole,
        blocks_planned: planned,
        interrupted_blocks: blocks.len() as u64 - whole,
        void_blocks: blocks.iter().filter(|block| block.disturbance.as_ref().is_some_and(is_void)).count()
            as u64,
        partial: record.partial || whole < planned,
    }
}

/// A line a column: of those that both have, and without BASE of all.
fn lines(base: Option<&Matrix>, new: &Matrix, settings: &Settings) -> Vec<Line> {
    let mut opinions = method::opinions(base, new, settings);
    let tested: BTreeMap<Key, Option<baseline::Chances>> =
        base.map(|base| baseline::tested(base, new, settings).into_iter().collect()).unwrap_or_default();
    let demand = Demand { alpha: settings.alpha, hypotheses: (tested.len() as u64).max(1), power: 0.8 };
    let wanted = |key: &Key| settings.asks_for(key.condition) && settings.metrics.contains(&key.metric);
    new.keys()
        .filter(wanted)
        .filter_map(|key| {
            let opinions = opinions.remove(&key).unwrap_or_default();
            let old = base.map(|base| base.values(key)).unwrap_or_default();
            let values = new.values(key);
            // Without BASE there is nothing to say of a column without a bound.
            if old.is_empty() && opinions.is_empty() {
                return None;
            }
            Some(Line {
                condition: key.condition,
                metric: key.metric,
                unit: key.metric.unit(),
                outcome: outcome(&opinions, settings),
                base: Sample::of(&old),
                new: Sample::of(&values)?,
                shift: change(key, &old, &values),
                p_adjusted: tested.get(&key).copied().flatten().map(|chances| chances.worse_adjusted),
                detectable: detectable(key, &old, &values, demand, settings),
                opinions,
            })
        })
        .collect()
}

/// A column that no method has to do with passes: it is shown, and nobody asked for more.
fn outcome(opinions: &[Opinion], settings: &Settings) -> Outcome {
    if opinions.is_empty() { Outcome::Same } else { method::together(opinions, settings.combine) }
}

fn on_scale(key: Key, values: &[f64]) -> Vec<f64> {
    values.iter().filter_map(|value| key.metric.scale().place(*value)).collect()
}

fn change(key: Key, base: &[f64], new: &[f64]) -> Option<Change> {
    let scale = key.metric.scale();
    let found = hodges_lehmann(&on_scale(key, base), &on_scale(key, new), CONFIDENCE)?;
    let interval = found.interval.map(|(low, high)| (scale.said(low), scale.said(high)));
    Some(Change { shift: scale.said(found.shift), interval })
}

/// The margin comes on top: less than that is no regression at any number of blocks.
fn detectable(key: Key, base: &[f64], new: &[f64], demand: Demand, settings: &Settings) -> Option<f64> {
    let scale = key.metric.scale();
    let spread = |values: &[f64]| Spread::of(&on_scale(key, values));
    let shift = detectable_shift(spread(base)?, spread(new)?, demand)?;
    Some(scale.said(scale.unsaid(settings.margin(key.metric)) + shift))
}

/// Conditions that one side lacks, metrics of the others, and bounds that fit nothing.
fn lacks(
    base: Option<Run<'_>>,
    new: Run<'_>,
    base_numbers: Option<&Matrix>,
    new_numbers: &Matrix,
    settings: &Settings,
) -> Vec<Lack> {
    let mut found = Vec::new();
    if let (Some(base), Some(base_numbers)) = (base, base_numbers) {
        for (side, run, numbers, others) in
            [(Side::Base, base, base_numbers, new_numbers), (Side::New, new, new_numbers, base_numbers)]
        {
            let has = measured(run.records);
            let lacking: BTreeSet<Condition> = others
                .keys()
                .map(|key| key.condition)
                .filter(|condition| settings.asks_for(*condition) && !has.contains(condition))
                .collect();
            for &condition in &lacking {
                let reason = why(run.records, condition);
                found.push(Lack { side, condition: Some(condition), metric: None, reason });
            }
            let of_others = others.keys().filter(|key| settings.asks_for(key.condition));
            for key in of_others.filter(|key| has.contains(&key.condition) && numbers.column(*key).is_none())
            {
                found.push(Lack {
                    side,
                    condition: Some(key.condition),
                    metric: Some(key.metric),
                    reason: "not counted there, or too few frames".to_owned(),
                });
            }
        }
    }
    if settings.methods.contains(&Method::Fixed) {
        let fits = |bound: &super::bound::Bound| {
            new_numbers
                .keys()
                .filter(|key| settings.asks_for(key.condition))
                .any(|key| bound.metric == key.metric && bound.target.means(key.condition))
        };
        for bound in settings.bounds.iter().filter(|bound| !fits(bound)) {
            let reason = format!("{bound}: no such number was measured");
            found.push(Lack { side: Side::New, condition: None, metric: Some(bound.metric), reason });
        }
    }
    found
}

fn measured(records: &Records) -> BTreeSet<Condition> {
    records.blocks.iter().filter(|block| !block.partial).map(|block| block.condition).collect()
}

fn why(records: &Records, condition: Condition) -> String {
    let missed = records.run.missed.iter().find(|missed| missed.condition == condition);
    match missed {
        Some(missed) => format!("not provided there: {}", missed.reason),
        None if records.plan.conditions.contains(&condition) => {
            "the run ended before its first block".to_owned()
        }
        None => "its plan does not ask for it".to_owned(),
    }
}

fn obstacles(report: &Report) -> Vec<Obstacle> {
    let mut found = Vec::new();
    let mut said = BTreeSet::new();
    for line in &report.lines {
        for opinion in &line.opinions {
            if let Basis::TooFew { base, new, needed } = opinion.basis
                && said.insert((opinion.method, line.condition))
            {
                let (method, condition) = (opinion.method, line.condition);
                found.push(Obstacle::TooFewBlocks { method, condition, base, new, needed });
            }
        }
    }
    if !report.missing.is_empty() && report.settings.missing == Missing::Fail {
        found.push(Obstacle::Missing { lacks: report.missing.len() as u64 });
    }
    let sides = [(Side::Base, report.base.as_ref()), (Side::New, Some(&report.new))];
    for (side, run) in sides.into_iter().filter_map(|(side, run)| Some((side, run?))) {
        if run.partial && report.settings.missing == Missing::Fail {
            found.push(Obstacle::Partial { side, blocks: run.blocks, planned: run.blocks_planned });
        }
    }
    if report.lines.iter().all(|line| line.opinions.is_empty()) {
        found.push(Obstacle::Nothing);
    }
    found
}
