//! The signature of bandwidth control: throttled share and p99 against how much of the limit is used, for no burst, half a quota
//! of it and a whole one; the kernel's dots over the model's band.

use cgtune_chart::{
    Scene,
    ranges::{Dot, Horizontal, Panel, Point, Range, Ranges, Series, Track, Vertical, Words},
};

use crate::{
    agree::{Agreement, BlockAgreement, Compared, Setting, grid::POLICIES},
    plan::{Condition, PolicyKind},
};

/// Limits that make a curve.
const CURVE: usize = 3;

/// Draws it for the load that was measured under the most limits; `None` where none was under three.
#[must_use]
pub fn signature(all: &[&Agreement]) -> Option<Scene> {
    let load = all.iter().max_by_key(|one| limits(all, &one.setting))?.setting;
    if limits(all, &load) < CURVE {
        return None;
    }
    let runs: Vec<&Agreement> = all.iter().copied().filter(|one| same_load(&one.setting, &load)).collect();
    let series: Vec<Series> = POLICIES.into_iter().map(|policy| series(&runs, policy)).collect();
    let figure = Ranges {
        title: "What a limit does, by how much of it is used: the model's range and what the kernel did"
            .into(),
        subtitle: subtitle(&runs, &load),
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
        words: Words {
            band: "the model, over all phases".into(),
            middle: "its median".into(),
            dot: "the kernel".into(),
            astray: "the kernel, outside by more than the slack".into(),
        },
    };
    Some(figure.draw())
}

fn same_load(one: &Setting, other: &Setting) -> bool {
    Setting { headroom: 0.0, ..*one } == Setting { headroom: 0.0, ..*other }
}

/// Under how many limits a load was measured.
fn limits(all: &[&Agreement], load: &Setting) -> usize {
    let same = all.iter().filter(|one| same_load(&one.setting, load));
    let mut headrooms: Vec<f64> = same.map(|one| one.setting.headroom).collect();
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

fn subtitle(runs: &[&Agreement], load: &Setting) -> String {
    let Setting { fps, share, threads, period_us, .. } = load;
    let s = if *threads == 1 { "" } else { "s" };
    let mut kernels: Vec<&str> = runs.iter().map(|run| run.kernel.as_str()).collect();
    kernels.sort_unstable();
    kernels.dedup();
    let phases = runs.first().map_or(0, |run| run.phases);
    format!(
        "An encoder of {fps:.2} frames a second, {:.0} % of the interval each, {threads} thread{s}, period {} ms; Linux {}. The \
         model is SIMULATED: the CPU time that was measured, at {phases} phases of timer and tick.",
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
            setting: Setting { fps, share: 0.4, threads: 1, period_us: 100_000, headroom },
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
