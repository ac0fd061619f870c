//! From records as files to the HTML page: 40 blocks of 10,000 frames, ten conditions. The records are the tests' toy's.
//!
//! `cargo bench -p cgbench --bench report`

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a benchmark that cannot go on has failed, and says how large the page is"
)]

#[path = "../tests/toy/mod.rs"]
mod toy;

use std::{hint::black_box, time::Duration};

use cgbench::{record::Records, report::html, store, study};
use criterion::{Criterion, criterion_group, criterion_main};

/// The records as files.
fn written(records: &Records) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let folder = store::Folder::create(dir.path()).unwrap();
    folder.write_plan(&records.plan).unwrap();
    folder.write_machine(&records.machine).unwrap();
    records.pilots.iter().for_each(|pilot| folder.write_pilot(pilot).unwrap());
    for block in &records.blocks {
        folder.write_block(block).unwrap();
    }
    folder.write_run(&records.run).unwrap();
    dir
}

fn report(criterion: &mut Criterion) {
    let records = toy::records(4, 10_000);
    let summary = study::summarise(&records);
    eprintln!("{} blocks, {} bytes of HTML", records.blocks.len(), html::page(&records, &summary).len());
    // Bands take five blocks: fewer, longer ones of the same 400,000 frames.
    let banded = toy::records(5, 8_000);
    let mut group = criterion.benchmark_group("report");
    group.sample_size(10).measurement_time(Duration::from_secs(20));
    for (name, records) in [("40 × 10,000", &records), ("50 × 8,000, with bands", &banded)] {
        let folder = written(records);
        group.bench_function(format!("read, {name}"), |b| {
            b.iter(|| store::read(black_box(folder.path())).unwrap());
        });
        group.bench_function(format!("study, {name}"), |b| b.iter(|| study::summarise(black_box(records))));
        let summary = study::summarise(records);
        group
            .bench_function(format!("page, {name}"), |b| b.iter(|| html::page(black_box(records), &summary)));
    }
    group.finish();
}

criterion_group!(benches, report);
criterion_main!(benches);
