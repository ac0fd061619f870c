//! The signature of bandwidth control: throttled share and p99 against how much of the limit is used, for no burst, half a quota
//! of it and a whole one; the kernel's dots over the model's band, or the kernel's dots alone.

use cgtune_chart::{
    Format, Scene,
    ranges::{Dot, Horizontal, Panel, Point, Range, Ranges, Series, Track, Vertical, Words},
    scene::Ink,
};

use super::policy::colour;
use crate::{
    agree::{Agreement, BlockAgreement, Compared, Setting, grid::POLICIES},
    plan::{Condition, PolicyKind},
    record::{BackendKind, Records},
    stats::Level,
    summary::Summary,
};

/// Limits that make a curve.
const CURVE: usize = 3;

/// Draws it for the load that was measured under the most limits; `None` where none was under three.
#[must_use]
pub fn signature(all: &[&Agreement]) -> Option<Scene> {
    let settings: Vec<Setting> = all.iter().map(|one| one.setting).collect();
    let load = *settings.iter().max_by_key(|setting| limits(&settings, setting))?;
    if limits(&settings, &load) < CURVE {
        return None;
    }
    let runs: Vec<&Agreement> = all.iter().copied().filter(|one| same_load(&one.setting, &load)).collect();
    let series: Vec<Series> = POLICIES.into_iter().map(|policy| series(&runs, policy)).collect();
    let title = "What a limit does, by how much of it is used: the model's range and what the kernel did";
    let kernels = runs.iter().map(|run| run.kernel.as_str());
    let phases = runs.first().map_or(0, |run| run.phases);
    let subtitle = format!(
        "{} The model is SIMULATED: the CPU time that was measured, at {phases} phases of timer and tick.",
        about(&load, kernels)
    );
    let words = Words {
        band: "the model, over all phases".into(),
        middle: "its median".into(),
        dot: "the kernel".into(),
        astray: "the kernel, outside by more than the slack".into(),
    };
    Some(figure(title.into(), subtitle, series, words).draw())
}

/// Draws the same of what runs measured, without the model: a dot a policy and run, of the load that was measured under the most
/// limits; `None` where none was under three.
#[must_use]
pub fn sweep(runs: &[(&Records, &Summary)], format: Format) -> Option<Scene> {
    let settings: Vec<Setting> = runs.iter().map(|(records, _)| Setting::of(&records.plan)).collect();
    let load = *settings.iter().max_by_key(|setting| limits(&settings, setting))?;
    if limits(&settings, &load) < CURVE {
        return None;
    }
    let of_load: Vec<&Summary> = runs
        .iter()
        .zip(&settings)
        .filter(|(_, one)| same_load(one, &load))
        .map(|((_, summary), _)| *summary)
        .collect();
    let level = of_load.iter().map(|summary| summary.tail_level()).max()?;
    let series: Vec<(PolicyKind, Series)> = PolicyKind::ALL
        .into_iter()
        .filter(|policy| policy.limits())
        .map(|policy| (policy, measured(&of_load, policy, level)))
        .filter(|(_, series)| series.tracks.iter().any(|track| !track.dots.is_empty()))
        .collect();
    let inks: Vec<Ink> = series.iter().map(|(policy, _)| colour(*policy)).collect();
    let simulated = of_load.iter().any(|summary| summary.backend == BackendKind::Simulated);
    let (who, note) = if simulated { ("the model", "SIMULATED. ") } else { ("the kernel", "") };
    let subtitle = format!("{note}{}", about(&load, of_load.iter().map(|summary| summary.kernel.as_str())));
    let words = Words { middle: "from one limit to the next".into(), dot: who.into(), ..Words::default() };
    let series = series.into_iter().map(|(_, series)| series).collect();
    let mut figure = figure("What a limit does, by how much of it is used".into(), subtitle, series, words);
    figure.panels[1].heading = format!("{level} of a {}'s latency", load.item.name());
    Some(figure.draw_as(format, &inks))
}

/// A policy's throttled share and tail in each run.
fn measured(runs: &[&Summary], policy: PolicyKind, level: Level) -> Series {
    let (mut throttled, mut tail) = (Track::default(), Track::default());
    for measured in runs.iter().filter_map(|summary| summary.measured(Condition { policy, neighbour: false }))
    {
        let Some(used) = measured.use_of_limit() else { continue };
        let share = measured.throttling.and_then(|throttling| throttling.share);
        dot(&mut throttled, used * 100.0, share.map(|share| share * 100.0));
        dot(&mut tail, used * 100.0, measured.latency.get(level).pooled_us.map(|us| us / 1e3));
    }
    Series { name: policy.name().into(), tracks: vec![throttled, tail] }
}

/// One number: a line leads through it.
fn dot(track: &mut Track, x: f64, y: Option<f64>) {
    if let Some(y) = y {
        track.points.push(Point { x, range: Some(Range { low: y, middle: y, high: y }) });
        track.dots.push(Dot { x, y, agrees: true });
    }
}

fn figure(title: String, subtitle: String, series: Vec<Series>, words: Words) -> Ranges {
    Ranges {
        title,
        subtitle,
        x_label: "CPU used, as a part of the limit (%)".into(),
        horizontal: Horizontal::Linear,
        panels: vec![
            Panel {
                heading: "Throttled part of the active periods".into(),
                unit: " %".into(),
                vertical: Vertical::FromZero,
                when_empty: "No period was counted.".into(),
            },
            Panel {
                heading: "One frame in a hundred takes longer than".into(),
                unit: " ms".into(),
                vertical: Vertical::AsSpread,
                when_empty: "A p99 takes a thousand frames.".into(),
            },
        ],
        series,
        words,
    }
}

fn same_load(one: &Setting, other: &Setting) -> bool {
    Setting { headroom: 0.0, ..*one } == Setting { headroom: 0.0, ..*other }
}

/// Under how many limits a load was measured.
fn limits(all: &[Setting], load: &Setting) -> usize {
    let same = all.iter().filter(|one| same_load(one, load));
    let mut headrooms: Vec<f64> = same.map(|one| one.headroom).collect();
    headrooms.sort_by(f64::total_cmp);
    headrooms.dedup();
    headrooms.len()
}

fn series(runs: &[&Agreement], policy: PolicyKind) -> Series {
    let condition = Condition { policy, neighbour: false };
    let (mut throttled, mut tail) = (Track::default(), Track::default());
    for run in runs {
        let blocks: Vec<&BlockAgreement> =
            run.blocks.iter().filter(|block| block.condition == condition).collect();
        for block in &blocks {
            add(&mut throttled, block.use_of_limit, &block.throttled, 100.0);
        }
        let mean = blocks.iter().map(|block| block.use_of_limit).sum::<f64>() / blocks.len().max(1) as f64;
        let p99 = run.cells.iter().find(|cell| cell.condition == condition).and_then(|cell| cell.p99_ms);
        if let Some(p99) = p99 {
            add(&mut tail, mean, &p99, 1.0);
        }
    }
    let name = match policy {
        PolicyKind::LimitHalfBurst => "burst of half a quota",
        PolicyKind::LimitBurst => "burst of a quota",
        _ => "no burst",
    };
    Series { name: name.into(), tracks: vec![throttled, tail] }
}

fn add(track: &mut Track, used: f64, compared: &Compared, scale: f64) {
    let x = used * 100.0;
    let model = compared.model;
    let range = Range { low: model.min * scale, middle: model.median * scale, high: model.max * scale };
    track.points.push(Point { x, range: Some(range) });
    track.dots.push(Dot { x, y: compared.kernel * scale, agrees: compared.agrees });
}

/// The load, and what it ran on.
fn about<'a>(load: &Setting, kernels: impl Iterator<Item = &'a str>) -> String {
    let Setting { item, fps, share, threads, period_us, .. } = load;
    let s = if *threads == 1 { "" } else { "s" };
    let mut kernels: Vec<&str> = kernels.collect();
    kernels.sort_unstable();
    kernels.dedup();
    format!(
        "{fps:.2} {}s a second, {:.0} % of the interval each, {threads} thread{s}, period {} ms; Linux {}.",
        item.name(),
        share * 100.0,
        *period_us as f64 / 1e3,
        kernels.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use cgtune_chart::{paint, scene::Mark};
    use cgtune_core::sim::Spread;

    use super::*;
    use crate::agree::{CellAgreement, Slack};
    use crate::plan::Item;

    /// Made up: it looks plausible and proves nothing about any kernel.
    fn run(headroom: f64, fps: f64) -> Agreement {
        let compared = |kernel: f64, slack| {
            let model = Spread { min: kernel * 0.8, median: kernel * 0.95, max: kernel * 1.1 };
            Compared::new(kernel, model, slack)
        };
        let conditions = POLICIES.map(|policy| Condition { policy, neighbour: false });
        let over = |place: usize| ((1.0 / headroom - 0.7) * [1.5, 0.5, 0.2][place]).max(0.0);
        let block = |(place, condition)| BlockAgreement {
            index: 0,
            condition,
            use_of_limit: 1.0 / headroom + place as f64 * 0.004,
            throttled: compared(over(place), Slack::THROTTLED),
            bursts: None,
            burst_ms: None,
        };
        let cell = |(place, condition)| CellAgreement {
            condition,
            frames: 1_040,
            p99_ms: Some(compared(19.0 + over(place) * 120.0, Slack::LATENCY)),
        };
        Agreement {
            schema: Agreement::SCHEMA,
            kernel: "0.0-synthetic".into(),
            setting: Setting { item: Item::Frame, fps, share: 0.4, threads: 1, period_us: 100_000, headroom },
            phases: 48,
            blocks: conditions.into_iter().enumerate().map(block).collect(),
            cells: conditions.into_iter().enumerate().map(cell).collect(),
            misses: Vec::new(),
        }
    }

    fn texts(scene: &Scene) -> Vec<String> {
        let text = |mark: &Mark| match mark {
            Mark::Text(text) => Some(text.text.clone()),
            _ => None,
        };
        scene.marks.iter().filter_map(text).collect()
    }

    #[test]
    fn a_load_under_three_limits_is_a_curve_and_others_are_not_drawn() {
        let runs: Vec<Agreement> =
            [(1.02, 60.0), (1.1, 60.0), (1.6, 60.0), (1.08, 30.0)].map(|(q, fps)| run(q, fps)).into();
        let all: Vec<&Agreement> = runs.iter().collect();
        let scene = signature(&all).unwrap();
        let texts = texts(&scene).join("\n");
        for part in
            ["no burst", "burst of half a quota", "burst of a quota", "60.00 frames a second", "SIMULATED"]
        {
            assert!(texts.contains(part), "{part}: {texts}");
        }
        assert!(!texts.contains("30.00"), "{texts}");
        assert!(paint::png(&scene).unwrap().len() > 10_000);
        assert_eq!(signature(&all[2..]), None);
        assert_eq!(signature(&[]), None);
    }
}
