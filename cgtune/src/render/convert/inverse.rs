//! The way back as text: what a weight, shares or a quota may have come from.

use std::{
    io::{self, Write},
    path::PathBuf,
};

use cgtune_core::{
    Micros, MilliCpu, Quota, Shares, Weight,
    convert::{
        CgroupDriver, Setting, WeightFormula,
        inverse::{self, Candidate, CpuRange, Fit, Judgement, Level},
    },
};

use crate::{
    render::{
        paragraph::{WIDTH, wrap},
        stat::name,
    },
    streams::HEADING,
};

/// What was found, and what it may have come from.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The cgroup, where one was read.
    pub(crate) path: Option<PathBuf>,
    /// Where it lies.
    pub(crate) level: Option<Level>,
    /// Whether it is idle, so that its share says nothing.
    pub(crate) idle: bool,
    /// `cpu.weight`.
    pub(crate) weight: Option<Weight>,
    /// `cpu.shares`.
    pub(crate) shares: Option<Shares>,
    /// How the share may have come about.
    pub(crate) candidates: Vec<Candidate>,
    /// What the groups of a pod say together.
    pub(crate) judgement: Option<Judgement>,
    /// The quota, where one was asked about or read.
    pub(crate) quota: Option<Limit>,
}

/// A quota and the limits behind it.
#[derive(Debug)]
pub(crate) struct Limit {
    pub(crate) quota: Quota,
    pub(crate) period: Micros,
    /// What it amounts to; `None`: no quota.
    pub(crate) limit: Option<MilliCpu>,
    /// The limits that become it, by driver; `None`: no whole thousandth does.
    pub(crate) ranges: Vec<(CgroupDriver, Option<CpuRange>)>,
}

impl Answer {
    pub(crate) fn of_weight(weight: Weight) -> Self {
        Self { weight: Some(weight), ..Self::default() }
    }

    pub(crate) fn of_shares(shares: Shares) -> Self {
        Self { shares: Some(shares), ..Self::default() }
    }

    pub(crate) fn of_quota(quota: Quota, setting: &Setting) -> Self {
        let by = |driver| {
            let setting = Setting { driver, ..setting.clone() };
            (driver, inverse::of_quota(quota, &setting).and_then(|(_, range)| range))
        };
        let limit = inverse::of_quota(quota, setting).map(|(limit, _)| limit);
        let ranges = [CgroupDriver::Cgroupfs, CgroupDriver::Systemd];
        let ranges = if limit.is_some() { ranges.map(by).to_vec() } else { Vec::new() };
        Self { quota: Some(Limit { quota, period: setting.period, limit, ranges }), ..Self::default() }
    }

    /// Whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.weight.is_none() && self.shares.is_none() && self.quota.is_none()
    }
}

/// Where a group lies, in a word.
pub(super) fn place(level: Level) -> &'static str {
    match level {
        Level::Pod => "pod group",
        Level::Container => "container",
        Level::Unit => "unit",
    }
}

/// Who writes a weight there by that formula.
pub(super) fn writer(candidate: &Candidate) -> &'static str {
    match (candidate.level, candidate.formula) {
        (Level::Pod, _) => "the kubelet, all versions",
        (_, Some(formula)) => formula.used_by(),
        (_, None) => "as it was sent",
    }
}

pub(crate) fn write(answer: &Answer, out: &mut dyn Write) -> io::Result<()> {
    if let Some(path) = &answer.path {
        let place = answer.level.map_or("of whom, its path does not tell", |level| match level {
            Level::Pod => "a pod's, or above pods",
            Level::Container => "a container's",
            Level::Unit => "a systemd unit's",
        });
        let idle = if answer.idle { "; idle: its share says nothing" } else { "" };
        writeln!(out, "{}\n  {place}{idle}\n", name(path))?;
    }
    if let Some(weight) = answer.weight {
        writeln!(out, "{HEADING}cpu.weight {}{HEADING:#} may come from a request of", weight.get())?;
    }
    if let Some(shares) = answer.shares {
        writeln!(out, "{HEADING}cpu.shares {}{HEADING:#} come from a request of", shares.get())?;
    }
    for candidate in &answer.candidates {
        write_candidate(candidate, out)?;
    }
    if let Some(judgement) = &answer.judgement {
        write_judgement(judgement, out)?;
    }
    if let Some(limit) = &answer.quota {
        if answer.weight.is_some() || answer.shares.is_some() {
            writeln!(out)?;
        }
        write_limit(limit, out)?;
    }
    Ok(())
}

fn write_candidate(candidate: &Candidate, out: &mut dyn Write) -> io::Result<()> {
    let request = candidate.request.map_or_else(|| "no whole thousandth".to_owned(), range);
    let (first, last) = (candidate.shares.start().get(), candidate.shares.end().get());
    let shares = if first == last { format!("{first} shares") } else { format!("{first} to {last} shares") };
    let how = match candidate.formula {
        Some(formula) => format!("{}, {formula}: {}; {shares}", place(candidate.level), writer(candidate)),
        None => format!("{shares}, a pod's or a container's"),
    };
    for (i, line) in wrap(&how, WIDTH - 26).iter().enumerate() {
        let request = if i == 0 { request.as_str() } else { "" };
        writeln!(out, "  {request:<22}  {line}")?;
    }
    Ok(())
}

/// `976m to 1000m`, in thousandths throughout, so that both ends compare at a glance.
fn range(range: CpuRange) -> String {
    let milli = |cpu: MilliCpu| format!("{}m", cpu.get());
    match range.max {
        None => format!("{} or more", milli(range.min)),
        Some(max) if max == range.min => milli(max),
        Some(max) => format!("{} to {}", milli(range.min), milli(max)),
    }
}

fn write_judgement(judgement: &Judgement, out: &mut dyn Write) -> io::Result<()> {
    let text = match judgement.formula() {
        Some(formula) => format!(
            "The pod's group and its containers fit the {formula} formula alone: {}.",
            match formula {
                WeightFormula::Linear => "an older runtime",
                _ => "a newer runtime",
            }
        ),
        None if judgement.fits.iter().all(|(_, fit)| *fit == Fit::Impossible) => {
            "The pod's group and its containers fit neither formula: somebody else wrote one of them."
                .to_owned()
        }
        None => "The pod's group and its containers fit both formulas.".to_owned(),
    };
    writeln!(out)?;
    wrap(&text, WIDTH).iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn write_limit(limit: &Limit, out: &mut dyn Write) -> io::Result<()> {
    let (Quota::Limited(quota), Some(amount)) = (limit.quota, limit.limit) else {
        return writeln!(out, "no quota: no limit, or the kubelet's cpuCFSQuota is off");
    };
    let milli = amount.get();
    writeln!(
        out,
        "{HEADING}{quota} of every {}{HEADING:#} is {milli}m, and comes from a limit of",
        limit.period
    )?;
    for (driver, found) in &limit.ranges {
        let found = found.map_or_else(|| "no whole thousandth".to_owned(), range);
        let rounding = match driver {
            CgroupDriver::Cgroupfs => "",
            CgroupDriver::Systemd => ", which rounds up to whole percents",
        };
        writeln!(out, "  {found:<22}  {driver} driver{rounding}")?;
    }
    Ok(())
}
