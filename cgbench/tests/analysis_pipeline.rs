//! From written records to what a reader sees. The records are the toy's, and say so.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod toy;

use cgbench::{
    chart,
    plan::{Condition, PolicyKind},
    record::{Disturbance, Records},
    report, store,
    study::{self, verdict::Finding},
    summary::{Row, Summary},
    table,
};

fn full() -> Records {
    toy::records(6, 300)
}

fn written(records: &Records) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let folder = store::Folder::create(dir.path()).unwrap();
    folder.write_plan(&records.plan).unwrap();
    folder.write_machine(&records.machine).unwrap();
    for pilot in &records.pilots {
        folder.write_pilot(pilot).unwrap();
    }
    for block in &records.blocks {
        folder.write_block(block).unwrap();
    }
    folder.write_run(&records.run).unwrap();
    dir
}

fn finding(summary: &Summary, policy: PolicyKind) -> Finding {
    let condition = Condition { neighbour: false, policy };
    summary.verdicts().into_iter().find(|verdict| verdict.condition == condition).unwrap().finding
}

#[test]
fn records_read_back_as_they_were_written() {
    let records = toy::records(2, 40);
    let dir = written(&records);
    assert_eq!(store::read(dir.path()).unwrap(), records);
}

#[test]
fn a_summary_reads_back_as_it_was_written() {
    let summary = study::summarise(&toy::without_pinning(toy::records(2, 40)));
    let text = serde_json::to_string(&summary).unwrap();
    assert_eq!(serde_json::from_str::<Summary>(&text).unwrap(), summary);
}

#[test]
fn the_whole_way_leaves_a_folder_with_everything() {
    let records = toy::records(1, 60);
    let dir = written(&records);
    let records = store::read(dir.path()).unwrap();
    let summary = study::summarise(&records);
    store::Folder::open(dir.path()).write_summary(&summary).unwrap();
    let charts = chart::draw_all(&records, &summary, dir.path()).unwrap();
    assert_eq!(charts.len(), 2 * chart::NAMES.len());
    for chart in &charts {
        let bytes = std::fs::read(chart).unwrap();
        match chart.extension().unwrap().to_str().unwrap() {
            "png" => assert!(bytes.starts_with(b"\x89PNG")),
            _ => assert!(
                bytes.starts_with(b"<svg role=\"img\" width=\"1200\"") && bytes.ends_with(b"</svg>\n")
            ),
        }
    }
    let report = std::fs::read_to_string(report::write(&records, &summary, dir.path()).unwrap()).unwrap();
    for name in chart::NAMES {
        assert!(report.contains(&format!("({name}.svg)")), "{name}");
    }
    let page = std::fs::read_to_string(report::html::write(&records, &summary, dir.path()).unwrap()).unwrap();
    assert!(page.starts_with("<!doctype html>"));
    let mut left: Vec<String> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    left.sort();
    assert_eq!(left, Vec::<String>::new(), "temporary files are gone");
}

#[test]
fn the_table_fits_eighty_columns() {
    let text = table::terminal(&study::summarise(&full()), false, 80);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    insta::assert_snapshot!(text);
}

#[test]
fn a_narrow_table_says_what_it_leaves_out() {
    let text = table::terminal(&study::summarise(&full()), false, 60);
    assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
    assert!(text.contains("left out for want of width"));
}

#[test]
fn colour_adds_nothing_but_colour() {
    let summary = study::summarise(&toy::without_pinning(full()));
    let coloured = table::terminal(&summary, true, 80);
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some((text, code)) = rest.split_once("\u{1b}[") {
        plain.push_str(text);
        rest = code.split_once('m').unwrap().1;
    }
    plain.push_str(rest);
    assert_ne!(coloured, plain);
    assert_eq!(plain, table::terminal(&summary, false, 80));
}

#[test]
fn the_report_of_a_full_run() {
    let records = full();
    insta::assert_snapshot!(report::markdown(&records, &study::summarise(&records)));
}

#[test]
fn missed_conditions_are_rows_with_their_reason() {
    let records = toy::without_pinning(toy::records(2, 40));
    let summary = study::summarise(&records);
    assert!(!summary.partial, "what the machine does not provide is not missing");
    assert_eq!(summary.rows.iter().filter(|row| matches!(row, Row::NotProvided { .. })).count(), 4);
    insta::assert_snapshot!(table::terminal(&summary, false, 80));
}

#[test]
fn a_partial_run_says_so_everywhere() {
    let mut records = toy::records(6, 40);
    records.blocks.truncate(13);
    let summary = study::summarise(&records);
    assert_eq!((summary.partial, summary.blocks, summary.blocks_planned), (true, 13, 60));
    let mark = "PARTIAL: 13 of 60 blocks";
    assert!(table::terminal(&summary, false, 80).contains(mark));
    assert!(report::markdown(&records, &summary).contains(mark));
    for scene in [
        chart::overview(&summary),
        chart::percentiles(&records, &summary),
        chart::timeline(&records, &summary),
        chart::heatmap(&records, &summary),
        chart::cost(&records, &summary),
    ] {
        assert!(scene.texts().any(|text| text.text.contains(mark)), "{}", scene.title);
    }
}

#[test]
fn conditions_without_a_block_are_rows_too() {
    let mut records = toy::records(1, 40);
    records.blocks.retain(|block| block.condition.policy == PolicyKind::Limit);
    let summary = study::summarise(&records);
    assert_eq!(summary.rows.iter().filter(|row| matches!(row, Row::NotRun { .. })).count(), 8);
    assert!(matches!(finding(&summary, PolicyKind::Limit), Finding::NoReference { .. }));
    assert!(table::terminal(&summary, false, 80).contains("not run"));
}

#[test]
fn disturbed_blocks_are_counted_in_and_marked() {
    let clean = toy::records(2, 40);
    let mut records = clean.clone();
    records.blocks[1].disturbance = Some(Disturbance { steal: 0.02, foreign: 0.0 });
    records.blocks[2].disturbance = None;
    let (before, after) = (study::summarise(&clean), study::summarise(&records));
    let frames = |summary: &Summary| summary.all_measured().map(|measured| measured.frames).sum::<u64>();
    assert_eq!(frames(&before), frames(&after));
    let notes = table::notes(&after).join("\n");
    assert!(notes.contains("disturbed, and counted in: 1 block"), "{notes}");
    assert!(notes.contains("not known whether disturbed: 1 block"), "{notes}");
}

#[test]
fn counters_that_the_kernel_lacks_are_dashes_and_never_zeros() {
    let mut records = toy::records(2, 40);
    for block in &mut records.blocks {
        block.interval.bandwidth = None;
        block.interval.usage = None;
    }
    let summary = study::summarise(&records);
    let limit = summary.measured(Condition { neighbour: false, policy: PolicyKind::Limit }).unwrap();
    assert_eq!((limit.throttling, limit.cpus_used), (None, None));
    assert!(
        table::terminal(&summary, false, 80)
            .lines()
            .any(|line| line.starts_with("limit ") && line.contains('–'))
    );
}

#[test]
fn warm_up_frames_are_not_counted() {
    let mut records = toy::records(1, 40);
    for block in &mut records.blocks {
        let warm = block.warmup_frames as usize;
        block.frames.end_ns[..warm].iter_mut().for_each(|end| *end += 10_000_000_000);
    }
    assert_eq!(study::summarise(&records), study::summarise(&toy::records(1, 40)));
}

#[test]
fn the_limit_stalls_and_burst_absorbs_it() {
    let summary = study::summarise(&full());
    assert!(matches!(finding(&summary, PolicyKind::Shares), Finding::Reference { .. }));
    assert!(matches!(finding(&summary, PolicyKind::Limit), Finding::Stalls { .. }));
    assert!(matches!(finding(&summary, PolicyKind::LimitBurst), Finding::Absorbs { .. }));
    assert!(matches!(finding(&summary, PolicyKind::PinnedLimit), Finding::Stalls { .. }));
}

#[test]
fn two_blocks_make_no_claim_about_latency() {
    let summary = study::summarise(&toy::records(2, 300));
    let verdicts: Vec<String> = summary.verdicts().iter().map(ToString::to_string).collect();
    assert!(verdicts[1].contains("no claim from fewer than 5 blocks"), "{}", verdicts[1]);
    let summary = study::summarise(&toy::records(2, 40));
    assert!(matches!(
        finding(&summary, PolicyKind::Limit),
        Finding::TooFewFrames { frames: 80, needed: 200, .. }
    ));
}

#[test]
fn quantiles_come_only_with_their_samples() {
    let summary = study::summarise(&toy::records(1, 250));
    let latency = summary.all_measured().next().unwrap().latency;
    assert!(latency.p95.pooled_us.is_some());
    assert_eq!((latency.p99.pooled_us, latency.p99.needed_frames), (None, 1_000));
    assert_eq!((latency.p999.pooled_us, latency.p999.needed_frames), (None, 10_000));
    assert_eq!(latency.p95.band_us, None, "one block has no band");
}
