//! What is tried: every combination of limits, periods, threads and bursts.

use anyhow::anyhow;
use cgtune_core::{
    Bandwidth, Micros, MilliCpu, Quota,
    convert::{Burst, kubelet},
};

use super::{Args, load};
use crate::{failure::Hinted, typed};

/// Most combinations that are tried at once.
const MOST: usize = 1_000;

/// What can be varied, in the order in which one is preferred for the horizontal axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dimension {
    Limit,
    Period,
    Threads,
    Burst,
}

impl Dimension {
    pub(super) const ALL: [Self; 4] = [Self::Limit, Self::Period, Self::Threads, Self::Burst];

    /// The flag that gives its values.
    pub(super) const fn flag(self) -> &'static str {
        match self {
            Self::Limit => "--cpu-limit",
            Self::Period => "--period",
            Self::Threads => "--threads",
            Self::Burst => "--burst",
        }
    }
}

/// A place in the sweep: which value of each [`Dimension`], in their order.
pub(super) type Place = [usize; 4];

/// A limit and a load that are simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tried {
    pub(super) bandwidth: Bandwidth,
    pub(super) threads: u32,
}

/// All that is tried.
#[derive(Debug)]
pub(super) struct Sweep {
    /// `None`: no limit.
    limits: Vec<Option<MilliCpu>>,
    periods: Vec<Micros>,
    threads: Vec<u32>,
    bursts: Vec<Option<Burst>>,
    rows: Vec<Tried>,
    /// Each place, and its row: places share one where what they would try is the same.
    places: Vec<(Place, usize)>,
}

impl Sweep {
    /// From what was typed; without `--threads` the load has its own.
    pub(super) fn of(args: &Args, load: &str, own_threads: u32) -> anyhow::Result<Self> {
        let threads = match (args.threads.as_slice(), load::own_threads(load)) {
            ([], _) => vec![own_threads],
            (_, Some(key)) => {
                let error = anyhow!("{load} has a number of {key}, and --threads gives another");
                return Err(Hinted::new(error, format!("leave out {key}= or --threads")).into());
            }
            (threads, None) => each_once(threads.iter().copied()),
        };
        let periods = match args.period.as_slice() {
            [] => vec![kubelet::QUOTA_PERIOD],
            texts => texts
                .iter()
                .map(|text| Micros::parse(text).map_err(|error| anyhow!("--period: {error}")))
                .collect::<Result<_, _>>()?,
        };
        let bursts = match args.burst.as_slice() {
            [] => vec![None],
            texts => texts.iter().map(|text| typed::burst(text).map(Some)).collect::<Result<_, _>>()?,
        };
        let limits =
            args.cpu_limit.iter().map(|text| limit("--cpu-limit", text)).collect::<Result<Vec<_>, _>>()?;
        let (limits, periods, bursts) = (each_once(limits), each_once(periods), each_once(bursts));
        let mut sweep = Self { limits, periods, threads, bursts, rows: Vec::new(), places: Vec::new() };
        for (t, &threads) in sweep.threads.iter().enumerate() {
            for (l, &limit) in sweep.limits.iter().enumerate() {
                for (p, &period) in sweep.periods.iter().enumerate() {
                    for (b, &burst) in sweep.bursts.iter().enumerate() {
                        let tried =
                            Tried { bandwidth: of_limit("--cpu-limit", limit, burst, period)?, threads };
                        // Of no limit nothing can be saved, and its period means nothing.
                        let same = |other: &Tried| {
                            let unlimited = |tried: &Tried| tried.bandwidth.quota() == Quota::Unlimited;
                            *other == tried
                                || unlimited(other) && unlimited(&tried) && other.threads == threads
                        };
                        let row = sweep.rows.iter().position(same).unwrap_or_else(|| {
                            sweep.rows.push(tried);
                            sweep.rows.len() - 1
                        });
                        sweep.places.push(([l, p, t, b], row));
                        if sweep.rows.len() > MOST {
                            let error = anyhow!(
                                "more than {MOST} combinations of limits, bursts, periods and threads"
                            );
                            let hint = format!("at most {MOST} are tried at once");
                            return Err(Hinted::new(error, hint).into());
                        }
                    }
                }
            }
        }
        Ok(sweep)
    }

    /// What is simulated, each once, by threads first.
    pub(super) fn rows(&self) -> &[Tried] {
        &self.rows
    }

    pub(super) fn threads(&self) -> &[u32] {
        &self.threads
    }

    pub(super) fn limits(&self) -> &[Option<MilliCpu>] {
        &self.limits
    }

    pub(super) fn periods(&self) -> &[Micros] {
        &self.periods
    }

    pub(super) fn bursts(&self) -> &[Option<Burst>] {
        &self.bursts
    }

    /// Every place with its row.
    pub(super) fn places(&self) -> &[(Place, usize)] {
        &self.places
    }

    /// How many values a dimension has.
    pub(super) fn count(&self, dimension: Dimension) -> usize {
        match dimension {
            Dimension::Limit => self.limits.len(),
            Dimension::Period => self.periods.len(),
            Dimension::Threads => self.threads.len(),
            Dimension::Burst => self.bursts.len(),
        }
    }
}

/// In their order, without those that came before.
fn each_once<T: PartialEq>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut once = Vec::new();
    for value in values {
        if !once.contains(&value) {
            once.push(value);
        }
    }
    once
}

fn limit(flag: &str, text: &str) -> anyhow::Result<Option<MilliCpu>> {
    match text {
        "max" => Ok(None),
        // As in Kubernetes a limit of 0 is none.
        text => Ok(Some(typed::quantity(flag, text)?.milli()).filter(|milli| *milli != MilliCpu::ZERO)),
    }
}

/// A limit as it is typed.
pub(super) fn bandwidth(
    flag: &str,
    text: &str,
    burst: Option<Burst>,
    period: Micros,
) -> anyhow::Result<Bandwidth> {
    of_limit(flag, limit(flag, text)?, burst, period)
}

fn of_limit(
    flag: &str,
    limit: Option<MilliCpu>,
    burst: Option<Burst>,
    period: Micros,
) -> anyhow::Result<Bandwidth> {
    let quota = limit.map_or(Quota::Unlimited, |milli| kubelet::quota(milli, period));
    let burst = match quota {
        // A list of bursts beside a limit of none: there is nothing to save.
        Quota::Unlimited => Micros::ZERO,
        Quota::Limited(_) => burst.and_then(|burst| burst.amount(quota, period)).unwrap_or(Micros::ZERO),
    };
    // What the kernel would refuse is refused in the kernel's words.
    let said = || limit.map_or_else(|| "max".to_owned(), |milli| milli.to_string());
    Bandwidth::new(quota, period, burst).map_err(|error| anyhow!("{flag} {}: {error}", said()))
}
