//! Charts as scenes: no text over another, none beyond the edge, and no panic whatever the records hold.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod toy;

use cgbench::{
    chart,
    record::{FrameTable, Records, SampleTable},
    study,
};
use cgtune_chart::{Format, Scene, paint};
use proptest::prelude::*;
use workloads::latency::FrameKind;

fn scenes(records: &Records) -> [Scene; 3] {
    let summary = study::summarise(records);
    [chart::overview(&summary), chart::percentiles(records, &summary), chart::timeline(records, &summary)]
}

/// Of every chart in every format.
fn all_scenes(records: &Records) -> Vec<Scene> {
    let summary = study::summarise(records);
    let gallery = chart::Gallery::of(records, &summary);
    [Format::File, Format::Wide, Format::Narrow]
        .into_iter()
        .flat_map(|format| gallery.scenes(format))
        .collect()
}

fn assert_legible(scene: &Scene) {
    let texts: Vec<_> = scene.texts().map(|text| (text, text.extent())).collect();
    for (place, (text, extent)) in texts.iter().enumerate() {
        assert!(scene.extent().contains(extent), "beyond the edge: {:?} at {extent:?}", text.text);
        for (other, room) in &texts[place + 1..] {
            assert!(!extent.overlaps(room), "{:?} over {:?} in {:?}", text.text, other.text, scene.title);
        }
    }
}

#[test]
fn texts_neither_overlap_nor_leave_the_picture() {
    let mut partial = toy::records(6, 300);
    partial.blocks.truncate(25);
    for records in
        [toy::records(6, 300), toy::without_pinning(toy::records(2, 60)), toy::records(1, 12), partial]
    {
        for scene in all_scenes(&records) {
            assert_legible(&scene);
        }
    }
}

#[test]
fn a_run_without_blocks_gives_charts_with_a_note() {
    let mut records = toy::records(1, 1);
    records.blocks.clear();
    let [overview, percentiles, timeline] = scenes(&records);
    let says = |scene: &Scene, note: &str| scene.texts().any(|text| text.text.contains(note));
    assert!(says(&overview, "not run"));
    assert!(says(&percentiles, "No block has been measured."));
    assert!(says(&timeline, "No block with a quota has anything measured."));
    records.plan.conditions.clear();
    for scene in all_scenes(&records) {
        assert_legible(&scene);
    }
}

#[test]
fn the_timeline_shows_the_same_second_with_burst() {
    let [.., timeline] = scenes(&toy::records(3, 120));
    let has = |wanted: &str| timeline.texts().any(|text| text.text == wanted);
    assert!(has("limit") && has("limit+burst"));
}

#[test]
fn one_scene_gives_one_svg() {
    let records = toy::records(2, 60);
    for scene in scenes(&records) {
        let svg = paint::svg(&scene).unwrap();
        assert_eq!(svg, paint::svg(&scene).unwrap());
        assert_eq!(svg.matches("<svg").count(), 1);
        assert_eq!(svg.matches("<text").count(), scene.texts().count());
        assert!(svg.contains("sans-serif"));
    }
}

/// Anything, half of the time something that might be.
fn column() -> impl Strategy<Value = Vec<u64>> {
    let plausible = prop::collection::vec(0..2_000_000_000_u64, 0..40);
    prop_oneof![plausible, prop::collection::vec(any::<u64>(), 0..40)]
}

prop_compose! {
    fn ragged_frames()(
        intended_ns in column(), start_ns in column(), end_ns in column(), cpu_ns in column(), bits in column(),
        kinds in 0..40usize,
    ) -> FrameTable {
        FrameTable { intended_ns, start_ns, end_ns, cpu_ns, bits, kind: vec![FrameKind::P; kinds] }
    }
}

prop_compose! {
    fn ragged_samples()(
        at_ns in column(), nr_periods in column(), nr_throttled in column(), throttled_ns in column(),
        usage_ns in column(),
    ) -> SampleTable {
        SampleTable { at_ns, nr_periods, nr_throttled, throttled_ns, usage_ns }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn short_and_ragged_tables_never_panic(
        tables in prop::collection::vec((ragged_frames(), ragged_samples(), 0..30u32), 1..12), repetitions in 1..3u32,
    ) {
        let mut records = toy::records(repetitions, 1);
        for (block, (frames, samples, warmup)) in records.blocks.iter_mut().skip(1).zip(tables) {
            (block.frames, block.samples, block.warmup_frames) = (frames, samples, warmup);
        }
        let summary = study::summarise(&records);
        let _ = cgbench::report::markdown(&records, &summary);
        let _ = cgbench::table::terminal(&summary, true, 80);
        let _ = cgbench::report::html::page(&records, &summary);
        for scene in all_scenes(&records) {
            prop_assert!(paint::svg(&scene).is_ok());
        }
    }
}
