//! The figure of ranges: legible whatever it is given.

use cgtune_chart::{
    Scene, paint,
    ranges::{Dot, Horizontal, MOST_SERIES, Panel, Point, Range, Ranges, Series, Track, Vertical, Words},
    scene::Mark,
    theme,
};
use proptest::prelude::*;

fn panels() -> Vec<Panel> {
    vec![
        Panel {
            heading: "Throttled part of the active periods".into(),
            unit: " %".into(),
            vertical: Vertical::FromZero,
            when_empty: "Nothing has a limit.".into(),
        },
        Panel {
            heading: "p99 of the latency".into(),
            unit: " ms".into(),
            vertical: Vertical::AsSpread,
            when_empty: "Too few frames for a p99.".into(),
        },
    ]
}

fn figure(horizontal: Horizontal, series: Vec<Series>) -> Ranges {
    Ranges {
        title: "What burst does at a limit near the load".into(),
        subtitle: "SIMULATED".into(),
        x_label: "CPU limit (CPUs)".into(),
        horizontal,
        panels: panels(),
        series,
        words: Words::default(),
    }
}

fn at(x: f64, low: f64, middle: f64, high: f64) -> Point {
    Point { x, range: Some(Range { low, middle, high }) }
}

fn series(name: impl Into<String>, points: Vec<Point>) -> Series {
    let track = Track { points, dots: Vec::new() };
    Series { name: name.into(), tracks: vec![track.clone(), track] }
}

fn assert_legible(scene: &Scene) {
    let texts: Vec<_> = scene.texts().map(|text| (text, text.extent())).collect();
    for (place, (text, extent)) in texts.iter().enumerate() {
        assert!(scene.extent().contains(extent), "beyond the edge: {:?} at {extent:?}", text.text);
        assert!(!text.text.chars().any(char::is_control), "{:?}", text.text);
        for (other, room) in &texts[place + 1..] {
            assert!(!extent.overlaps(room), "{:?} over {:?} in {:?}", text.text, other.text, scene.title);
        }
    }
    let within = |(x, y): (f64, f64)| (0.0..=scene.width).contains(&x) && (0.0..=scene.height).contains(&y);
    for mark in &scene.marks {
        let inside = match mark {
            Mark::Area { points, .. } | Mark::Line { points, .. } => {
                points.iter().all(|&point| within(point))
            }
            Mark::Dot { at, .. } => within(*at),
            Mark::Text(_) => true,
        };
        assert!(inside, "beyond the edge: {mark:?}");
    }
}

fn says(scene: &Scene, wanted: &str) -> bool {
    scene.texts().any(|text| text.text.contains(wanted))
}

#[test]
fn an_ordinary_figure_names_its_series_in_each_panel() {
    let series = ["burst 0", "½ of the quota", "the quota"].map(|name| {
        series(
            name,
            (0..8)
                .map(|i| at(60.0 + 5.0 * f64::from(i), f64::from(i), f64::from(2 * i), f64::from(3 * i)))
                .collect(),
        )
    });
    let scene = figure(Horizontal::Linear, series.into()).draw();
    assert_legible(&scene);
    assert_eq!(scene.texts().filter(|text| text.text == "½ of the quota").count(), 2);
    assert!(says(&scene, "60") && says(&scene, "95") && !says(&scene, "measured"));
}

#[test]
fn eight_series_with_the_same_values_keep_their_names_apart() {
    for points in [vec![at(1.0, 0.0, 0.0, 0.0)], vec![at(1.0, 5.0, 5.0, 5.0), at(2.0, 100.0, 100.0, 100.0)]] {
        let all: Vec<Series> = (0..MOST_SERIES)
            .map(|i| {
                series(
                    format!("burst {i} %, period {i} ms, {i} threads and more of it still"),
                    points.clone(),
                )
            })
            .collect();
        let scene = figure(Horizontal::Linear, all).draw();
        assert_legible(&scene);
        assert_eq!(scene.texts().filter(|text| text.text.starts_with("burst")).count(), 2 * MOST_SERIES);
    }
}

#[test]
fn a_dot_that_does_not_agree_has_a_ring_and_the_legend_says_so() {
    let mut one = series("limit", vec![at(80.0, 10.0, 12.0, 14.0), at(90.0, 40.0, 42.0, 44.0)]);
    one.tracks[0].dots = vec![Dot { x: 85.0, y: 20.0, agrees: true }];
    let rings = |scene: &Scene| {
        scene
            .marks
            .iter()
            .filter(|mark| matches!(mark, Mark::Dot { ink, .. } if *ink == theme::ALARM))
            .count()
    };
    let scene = figure(Horizontal::Linear, vec![one.clone()]).draw();
    assert!(rings(&scene) == 0 && says(&scene, "measured") && !says(&scene, "not as the band"));
    one.tracks[0].dots.push(Dot { x: 85.0, y: 60.0, agrees: false });
    let scene = figure(Horizontal::Linear, vec![one]).draw();
    // In the panel and in the legend.
    assert!(rings(&scene) == 2 && says(&scene, "not as the band"));
    assert_legible(&scene);
}

#[test]
fn a_missing_value_leaves_a_gap() {
    let points = |gap| {
        vec![
            at(1.0, 1.0, 2.0, 3.0),
            at(2.0, 1.0, 2.0, 3.0),
            gap,
            at(4.0, 1.0, 2.0, 3.0),
            at(5.0, 1.0, 2.0, 3.0),
        ]
    };
    let bands = |gap| {
        let scene = figure(Horizontal::Linear, vec![series("a", points(gap))]).draw();
        assert_legible(&scene);
        scene
            .marks
            .iter()
            .filter(|mark| matches!(mark, Mark::Area { ink, .. } if ink.rgb == theme::SERIES[0].rgb))
            .count()
    };
    assert_eq!(bands(at(3.0, 1.0, 2.0, 3.0)), 2);
    assert_eq!(bands(Point { x: 3.0, range: None }), 4);
    assert_eq!(bands(at(3.0, 1.0, f64::NAN, 3.0)), 4);
}

#[test]
fn an_empty_panel_says_why() {
    for horizontal in [Horizontal::Linear, Horizontal::Named(Vec::new())] {
        for all in
            [Vec::new(), vec![series("a", Vec::new())], vec![Series { name: "b".into(), tracks: Vec::new() }]]
        {
            let scene = figure(horizontal.clone(), all).draw();
            assert_legible(&scene);
            assert!(says(&scene, "Nothing has a limit.") && says(&scene, "Too few frames for a p99."));
        }
    }
    let scene = Ranges { panels: Vec::new(), ..figure(Horizontal::Linear, Vec::new()) }.draw();
    assert!(says(&scene, "nothing to show"));
    assert_legible(&scene);
}

#[test]
fn a_panel_whose_values_lie_far_apart_is_logarithmic_and_says_so() {
    let scene = |high| {
        figure(
            Horizontal::Linear,
            vec![series("a", vec![at(1.0, 10.0, 10.0, 10.0), at(2.0, high, high, high)])],
        )
        .draw()
    };
    assert!(!says(&scene(200.0), "logarithmic"));
    assert!(says(&scene(201.0), "p99 of the latency (logarithmic)"));
    assert!(!says(&scene(201.0), "periods (logarithmic)"), "that one begins at zero");
}

#[test]
fn things_with_names_stand_in_their_order() {
    let names: Vec<String> = ["360m", "420m", "max"].map(str::to_owned).into();
    let scene = figure(
        Horizontal::Named(names),
        vec![series(
            "a",
            vec![
                at(0.0, 1.0, 2.0, 3.0),
                at(1.0, 1.0, 2.0, 3.0),
                Point { x: 2.0, range: None },
                at(9.0, 1.0, 2.0, 3.0),
            ],
        )],
    )
    .draw();
    assert_legible(&scene);
    let place = |name| scene.texts().find(|text| text.text == name).unwrap().at.0;
    assert!(place("360m") < place("420m") && place("420m") < place("max"));
}

#[test]
fn what_a_name_holds_cannot_break_the_picture() {
    let mut figure = figure(
        Horizontal::Named(vec!["\u{1b}[2J".into()]),
        vec![series("a\u{0}b\n<b>&\"\u{202e}", vec![at(0.0, 1.0, 2.0, 3.0)])],
    );
    (figure.title, figure.subtitle, figure.x_label) = ("\u{7}t".into(), "\u{8}s".into(), "\u{1b}x".into());
    figure.words.band = "\u{1}".into();
    figure.panels[0].heading = "\u{2}".into();
    let scene = figure.draw();
    assert_legible(&scene);
    let svg = paint::svg(&scene).unwrap();
    assert!(!svg.chars().any(|c| c.is_control() && c != '\n'));
    assert!(svg.contains(r"a\x00b\x0a&lt;b&gt;&amp;"), "{svg}");
}

#[test]
fn both_formats_are_made() {
    let scene = figure(Horizontal::Linear, vec![series("a", vec![at(1.0, 1.0, 2.0, 3.0)])]).draw();
    assert!(paint::svg(&scene).unwrap().starts_with("<svg"));
    assert!(paint::png(&scene).unwrap().starts_with(b"\x89PNG"));
}

/// Anything, half of the time something that might be.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..1e4_f64, any::<f64>()]
}

prop_compose! {
    fn track()(
        points in prop::collection::vec((number(), prop::option::of((number(), number(), number()))), 0..12),
        dots in prop::collection::vec((number(), number(), any::<bool>()), 0..12),
    ) -> Track {
        Track {
            points: points
                .into_iter()
                .map(|(x, range)| Point { x, range: range.map(|(low, middle, high)| Range { low, middle, high }) })
                .collect(),
            dots: dots.into_iter().map(|(x, y, agrees)| Dot { x, y, agrees }).collect(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn odd_input_is_drawn_or_left_out(
        all in prop::collection::vec((".{0,60}", prop::collection::vec(track(), 0..4)), 0..=MOST_SERIES),
        horizontal in prop_oneof![
            Just(Horizontal::Linear),
            Just(Horizontal::Logarithmic),
            prop::collection::vec(".{0,40}", 0..12).prop_map(Horizontal::Named),
        ],
        title in ".{0,120}", label in ".{0,120}", unit in ".{0,20}",
    ) {
        let all = all.into_iter().map(|(name, tracks)| Series { name, tracks }).collect();
        let mut figure = figure(horizontal, all);
        (figure.title, figure.x_label, figure.words.astray) = (title.clone(), label, title);
        figure.panels[0].unit = unit;
        let scene = figure.draw();
        assert_legible(&scene);
        prop_assert!(paint::svg(&scene).is_ok());
    }
}
