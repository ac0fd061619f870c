//! A sweep as a figure: one dimension across, the others' combinations as lines.

use std::{fs, path::Path};

use anyhow::{Context as _, anyhow};
use cgtune_chart::{
    canvas::legible,
    paint,
    ranges::{Horizontal, MOST_SERIES, Panel, Point, Range, Ranges, Series, Track, Vertical, Words},
};
use cgtune_core::{Micros, MilliCpu, convert::Burst, sim::Spread};

use super::{
    Args,
    sweep::{Dimension, Sweep},
};
use crate::{
    drawn,
    failure::Hinted,
    render::simulate::{Answer, Row},
    streams::Streams,
};

/// Numbers of which the largest is more than so many times the smallest stand at distances as their ratios are.
const WIDE: f64 = 10.0;
/// Characters of a load's name that a title shows.
const LOAD: usize = 60;

/// Where to.
pub(super) struct Files<'a> {
    svg: Option<&'a Path>,
    png: Option<&'a Path>,
}

impl<'a> Files<'a> {
    /// What is asked for, once it is sure that there is room in a figure and a folder to put it: before anything is simulated.
    pub(super) fn of(args: &'a Args, sweep: &Sweep) -> anyhow::Result<Self> {
        let files = Self { svg: args.svg.as_deref(), png: args.png.as_deref() };
        let paths = [("--svg", files.svg), ("--png", files.png)];
        for (flag, path) in paths.into_iter().filter_map(|(flag, path)| Some((flag, path?))) {
            drawn::check(flag, path)?;
            room(flag, sweep)?;
            let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            if let Some(folder) = folder {
                fs::metadata(folder).with_context(|| format!("cannot write {}", drawn::shown(path)))?;
            }
        }
        Ok(files)
    }

    /// Draws the figure and writes it, each file whole or not at all.
    pub(super) fn write(
        &self,
        args: &Args,
        sweep: &Sweep,
        answer: &Answer<'_>,
        streams: &mut Streams<'_>,
    ) -> anyhow::Result<()> {
        if self.svg.is_none() && self.png.is_none() {
            return Ok(());
        }
        let scene = figure(args, sweep, answer).draw();
        if let Some(path) = self.svg {
            drawn::write(path, paint::svg(&scene)?.as_bytes(), streams)?;
        }
        if let Some(path) = self.png {
            drawn::write(path, &paint::png(&scene)?, streams)?;
        }
        Ok(())
    }
}

/// The dimension with the most values; of several the first.
fn across(sweep: &Sweep) -> Dimension {
    let most = Dimension::ALL.map(|dimension| sweep.count(dimension)).into_iter().max();
    let first = Dimension::ALL.into_iter().find(|dimension| Some(sweep.count(*dimension)) == most);
    first.unwrap_or(Dimension::Limit)
}

/// The others of which there are several.
fn varied(sweep: &Sweep) -> Vec<Dimension> {
    let across = across(sweep);
    Dimension::ALL
        .into_iter()
        .filter(|dimension| *dimension != across && sweep.count(*dimension) > 1)
        .collect()
}

fn room(flag: &str, sweep: &Sweep) -> anyhow::Result<()> {
    let varied = varied(sweep);
    let lines: usize = varied.iter().map(|dimension| sweep.count(*dimension)).product();
    if lines <= MOST_SERIES {
        return Ok(());
    }
    let counted: Vec<String> = varied
        .iter()
        .map(|dimension| format!("{} of {}", sweep.count(*dimension), dimension.flag()))
        .collect();
    let error = anyhow!("{flag}: {lines} lines ({}) are too many for one figure", counted.join(" times "));
    let others: Vec<&str> = varied.iter().map(|dimension| dimension.flag()).collect();
    let hint = format!(
        "at most {MOST_SERIES} can be told apart: give fewer values of {}, or leave out {flag}; {} has the most values and \
         goes along the axis",
        others.join(" or "),
        across(sweep).flag()
    );
    Err(Hinted::new(error, hint).into())
}

fn figure(args: &Args, sweep: &Sweep, answer: &Answer<'_>) -> Ranges {
    let across = across(sweep);
    let scale = Scale::of(sweep, across);
    let varied = varied(sweep);
    let mut series: Vec<(Vec<usize>, Series)> = Vec::new();
    for (place, row) in sweep.places() {
        let key: Vec<usize> = varied.iter().map(|dimension| place[*dimension as usize]).collect();
        let index = series.iter().position(|(other, _)| *other == key).unwrap_or_else(|| {
            let names: Vec<String> =
                varied.iter().map(|dimension| named(sweep, *dimension, place[*dimension as usize])).collect();
            let name = names.join(", ");
            series.push((key, Series { name, tracks: vec![Track::default(), Track::default()] }));
            series.len() - 1
        });
        let (Some(row), Some(&x)) = (answer.rows.get(*row), scale.values.get(place[across as usize])) else {
            continue;
        };
        for (track, value) in series[index].1.tracks.iter_mut().zip([throttled(row), tail(row)]) {
            track.points.push(Point { x, range: value });
        }
    }
    Ranges {
        title: title(answer, across),
        subtitle: subtitle(args, sweep, answer, &varied, across),
        x_label: scale.label,
        horizontal: scale.horizontal,
        panels: vec![
            Panel {
                heading: "Throttled part of the active periods".into(),
                unit: " %".into(),
                vertical: Vertical::FromZero,
                when_empty: "Nothing has a limit here, or the load never ran: there are no periods.".into(),
            },
            Panel {
                heading: "p99 latency, from a piece of work's intended start to its end".into(),
                unit: " ms".into(),
                vertical: Vertical::AsSpread,
                when_empty:
                    "Too few pieces of work were done for a p99: it takes a thousand in each way to begin. \
                             A longer --for may give them."
                        .into(),
            },
        ],
        series: series.into_iter().map(|(_, series)| series).collect(),
        words: Words {
            band: format!("smallest to largest of {} ways to begin", answer.phases),
            middle: "the middle one".into(),
            ..Words::default()
        },
    }
}

fn range(spread: Option<Spread<f64>>, unit: f64) -> Option<Range> {
    spread.map(|Spread { min, median, max }| Range {
        low: min * unit,
        middle: median * unit,
        high: max * unit,
    })
}

fn throttled(row: &Row) -> Option<Range> {
    range(row.throttled(), 100.0)
}

fn tail(row: &Row) -> Option<Range> {
    range(row.p99_us(), 1e-3)
}

/// The horizontal scale, with a number for each value in the order in which they were typed.
struct Scale {
    horizontal: Horizontal,
    label: String,
    values: Vec<f64>,
}

impl Scale {
    fn of(sweep: &Sweep, across: Dimension) -> Self {
        let (label, values): (&str, Option<Vec<f64>>) = match across {
            Dimension::Limit => (
                "CPU limit (CPUs)",
                sweep.limits().iter().map(|limit| limit.map(|milli| milli.get() as f64 / 1e3)).collect(),
            ),
            Dimension::Period => {
                ("period (ms)", Some(sweep.periods().iter().map(|period| ms(*period)).collect()))
            }
            Dimension::Threads => {
                ("threads", Some(sweep.threads().iter().map(|threads| f64::from(*threads)).collect()))
            }
            Dimension::Burst => bursts(sweep.bursts()),
        };
        let count = sweep.count(across);
        let Some(values) = values else {
            // Not all are numbers of one kind: "max", or a time among parts of the quota.
            let mut order: Vec<usize> = (0..count).collect();
            if across == Dimension::Limit {
                // By size, and none last; bursts of several kinds have no order but that in which they were typed.
                order.sort_by_key(|place| {
                    sweep.limits().get(*place).copied().flatten().map_or(u64::MAX, MilliCpu::get)
                });
            }
            let names = order.iter().map(|place| value(sweep, across, *place)).collect();
            let rank = |place| order.iter().position(|other| *other == place).unwrap_or(place);
            let values = (0..count).map(|place| rank(place) as f64).collect();
            return Self { horizontal: Horizontal::Named(names), label: label.into(), values };
        };
        let (low, high) =
            values.iter().fold((f64::MAX, 0.0_f64), |(low, high), x| (low.min(*x), high.max(*x)));
        let wide = low > 0.0 && high > low * WIDE;
        let horizontal = if wide { Horizontal::Logarithmic } else { Horizontal::Linear };
        Self { horizontal, label: label.into(), values }
    }
}

/// As numbers, where all of them are of one kind.
fn bursts(bursts: &[Option<Burst>]) -> (&'static str, Option<Vec<f64>>) {
    let all = |of: &dyn Fn(Burst) -> Option<f64>| -> Option<Vec<f64>> {
        bursts.iter().map(|burst| burst.map_or(Some(0.0), of)).collect()
    };
    let percent = all(&|burst| match burst {
        Burst::OfQuota(percent) => percent.to_string().trim_end_matches('%').parse().ok(),
        Burst::Time(_) | Burst::Cpu(_) => None,
    });
    let time = all(&|burst| match burst {
        Burst::Time(time) => Some(ms(time)),
        Burst::OfQuota(_) | Burst::Cpu(_) => None,
    });
    match (percent, time) {
        (Some(percent), _) => ("burst (% of quota)", Some(percent)),
        (None, Some(time)) => ("burst (ms)", Some(time)),
        (None, None) => ("burst", None),
    }
}

fn ms(time: Micros) -> f64 {
    time.get() as f64 / 1e3
}

/// A value as it is written below the axis.
fn value(sweep: &Sweep, dimension: Dimension, place: usize) -> String {
    let value = match dimension {
        Dimension::Limit => sweep.limits().get(place).map(|limit| {
            limit.map_or_else(|| "no limit".to_owned(), |milli| format!("{}", milli.get() as f64 / 1e3))
        }),
        Dimension::Period => sweep.periods().get(place).map(|period| format!("{} ms", ms(*period))),
        Dimension::Threads => sweep.threads().get(place).map(ToString::to_string),
        Dimension::Burst => sweep.bursts().get(place).map(|burst| match burst {
            None => "0 %".to_owned(),
            Some(Burst::OfQuota(percent)) => percent.to_string().replace('%', " %"),
            Some(Burst::Time(time)) => format!("{} ms", ms(*time)),
            Some(Burst::Cpu(cpu)) => format!("{cpu} CPU"),
        }),
    };
    value.unwrap_or_default()
}

/// A value with what it is of, as part of a line's name.
fn named(sweep: &Sweep, dimension: Dimension, place: usize) -> String {
    let value = value(sweep, dimension, place);
    match dimension {
        Dimension::Limit if value.starts_with(|c: char| c.is_ascii_digit()) => format!("limit {value} CPUs"),
        Dimension::Limit => value,
        Dimension::Period => format!("period {value}"),
        Dimension::Threads if value == "1" => "1 thread".into(),
        Dimension::Threads => format!("{value} threads"),
        Dimension::Burst => format!("burst {value}"),
    }
}

fn title(answer: &Answer<'_>, across: Dimension) -> String {
    let across = match across {
        Dimension::Limit => "CPU limit",
        Dimension::Period => "period",
        Dimension::Threads => "threads",
        Dimension::Burst => "burst",
    };
    format!("SIMULATED: {}, throttling and p99 latency by {across}", short(answer.load))
}

/// A load's name, or its beginning.
fn short(load: &str) -> String {
    let load = legible(load);
    if load.chars().count() <= LOAD { load } else { load.chars().take(LOAD).chain(['…']).collect() }
}

/// Everything that decides and isn't varied.
fn subtitle(
    args: &Args,
    sweep: &Sweep,
    answer: &Answer<'_>,
    varied: &[Dimension],
    across: Dimension,
) -> String {
    let fixed: Vec<String> = Dimension::ALL
        .into_iter()
        .filter(|dimension| *dimension != across && !varied.contains(dimension))
        .map(|dimension| named(sweep, dimension, 0))
        .collect();
    let above = args.above.as_deref().map_or_else(String::new, |above| format!(" under {above} above"));
    let beside: Vec<String> = args.neighbour.iter().map(|load| short(load)).collect();
    let beside = if beside.is_empty() { String::new() } else { format!(" beside {}", beside.join(" and ")) };
    format!(
        "A model of Linux {} at {} Hz, {} CPUs{above}{beside}, not measured; {} of each of {} ways to begin (phases of timer \
         and tick). Throughout: {}.",
        answer.kernel,
        answer.hz,
        answer.cpus,
        answer.duration,
        answer.phases,
        fixed.join(", ")
    )
}
