//! The reference runs that are committed: whole, and still saying what their summaries say; and the model against them.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::{Path, PathBuf};

use cgbench::{
    agree::{Agreement, Metric, Miss, Verdict},
    store, study,
};
use cgtune_core::{
    Nanos,
    convert::Version,
    sim::{Kernel, Phases},
};

/// Folders of runs in the repository.
fn references() -> Vec<PathBuf> {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
    let folders = std::fs::read_dir(results).unwrap().map(|entry| entry.unwrap().path());
    // Runs of one's own land here as well, named by their time.
    folders
        .filter(|path| path.is_dir() && !path.file_name().unwrap().as_encoded_bytes()[0].is_ascii_digit())
        // A grid is a folder of runs, compared with the model and not summarised.
        .filter(|path| path.join(store::PLAN).exists())
        .collect()
}

#[test]
fn a_reference_run_is_whole_and_says_what_its_summary_says() {
    let references = references();
    assert!(!references.is_empty());
    for folder in references {
        let records = store::read(&folder).unwrap();
        assert_eq!(
            u32::try_from(records.blocks.len()).unwrap(),
            records.plan.blocks(),
            "{}",
            folder.display()
        );
        let summary = serde_json::to_value(study::summarise(&records)).unwrap();
        let written: serde_json::Value =
            serde_json::from_slice(&std::fs::read(folder.join("summary.json")).unwrap()).unwrap();
        assert_eq!(summary, written, "{}", folder.display());
    }
}

/// The thresholds are those of `cgbench agree --check`, set before this was compared.
#[test]
fn the_model_agrees_with_what_the_kernel_did() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results/encoder-linux-6.18");
    let records = store::read(&folder).unwrap();
    let kernel = Kernel { tick: Nanos::new(4_000_000), ..Kernel::of(Version::new(6, 18, 0)) };
    let agreement = Agreement::of(&records, kernel, &Phases::grid(6, 4));
    let verdict = Verdict::of([&agreement].into_iter());
    assert_eq!(
        verdict.throttled.of, 30,
        "three policies with a limit, alone and beside the neighbour, five times"
    );
    assert!(verdict.bursts.of == 10 && verdict.burst_ms.of == 10 && verdict.p99_ms.of == 6);
    assert!(verdict.throttled.enough() && verdict.bursts.enough() && verdict.p99_ms.enough(), "{verdict}");
    // Alone the burst time agrees as well. Beside a busy neighbour the kernel takes more above its quota than the model, which is
    // a limit of the model: docs/simulation.md.
    let alone = |miss: &&Miss| miss.metric == Metric::BurstMs && !miss.condition.neighbour;
    assert_eq!(agreement.misses.iter().find(alone), None);
    let outside: usize = [verdict.throttled, verdict.bursts, verdict.burst_ms, verdict.p99_ms]
        .iter()
        .map(|tally| tally.of - tally.agree)
        .sum();
    assert_eq!(agreement.misses.len(), outside, "each miss is listed");
}

/// As `cgbench agree results/agree-… --check` says.
#[test]
fn the_model_agrees_with_each_grid() {
    let results = Path::new(env!("CARGO_MANIFEST_DIR")).join("../results");
    let folders = std::fs::read_dir(results).unwrap().map(|entry| entry.unwrap().path());
    let grids: Vec<PathBuf> =
        folders.filter(|path| path.file_name().unwrap().as_encoded_bytes().starts_with(b"agree-")).collect();
    assert!(!grids.is_empty());
    for grid in grids {
        let of = |folder: &PathBuf| {
            let records = store::read(folder).unwrap();
            let version: Version = records.machine.kernel.parse().unwrap();
            let kernel = Kernel { tick: Nanos::new(4_000_000), ..Kernel::of(version) };
            Agreement::of(&records, kernel, &Phases::grid(8, 6))
        };
        let agreements: Vec<Agreement> = store::runs(&grid).unwrap().iter().map(of).collect();
        let verdict = Verdict::of(agreements.iter());
        assert!(verdict.throttled.of >= 24, "{}: {verdict}", grid.display());
        assert!(verdict.agrees, "{}: {verdict}", grid.display());
    }
}
