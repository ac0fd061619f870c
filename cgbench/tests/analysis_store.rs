//! Results folders that are broken: an error that names the file and the place, and never a panic.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod toy;

use std::{fs, path::Path};

use cgbench::store::{self, Folder, StoreError};
use proptest::prelude::*;

/// A folder with one block, and that block's file.
fn folder() -> (tempfile::TempDir, std::path::PathBuf) {
    let mut records = toy::records(1, 10);
    records.blocks.truncate(1);
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::create(dir.path()).unwrap();
    folder.write_plan(&records.plan).unwrap();
    folder.write_machine(&records.machine).unwrap();
    folder.write_run(&records.run).unwrap();
    let block = folder.write_block(&records.blocks[0]).unwrap();
    (dir, block)
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{from} is not in {}", path.display());
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn a_block_is_a_file_with_a_column_a_line() {
    let (_dir, block) = folder();
    assert!(block.ends_with("blocks/000-shares.json"));
    let text = fs::read_to_string(&block).unwrap();
    for column in ["intended_ns", "start_ns", "end_ns", "cpu_ns", "kind", "bits", "at_ns", "nr_periods"] {
        let line =
            text.lines().find(|line| line.trim_start().starts_with(&format!("\"{column}\": ["))).unwrap();
        assert!(line.trim_end_matches(',').ends_with(']'), "{line}");
    }
}

#[test]
fn records_are_written_once() {
    let (dir, _) = folder();
    let records = toy::records(1, 10);
    let folder = Folder::open(dir.path());
    assert!(matches!(folder.write_block(&records.blocks[0]), Err(StoreError::Exists { .. })));
    assert!(matches!(folder.write_plan(&records.plan), Err(StoreError::Exists { .. })));
    assert!(matches!(Folder::create(dir.path()), Err(StoreError::Exists { .. })));
    folder.write_run(&records.run).unwrap();
}

#[test]
fn a_run_without_blocks_is_readable() {
    let (dir, block) = folder();
    fs::remove_file(block).unwrap();
    // As of a run that was killed before its first block was listed; nothing that is listed may be gone.
    fs::remove_file(dir.path().join("SHA256SUMS")).unwrap();
    assert_eq!(store::read(dir.path()).unwrap().blocks, []);
}

#[test]
fn a_folder_that_git_left_out_held_nothing() {
    let (dir, _) = folder();
    fs::remove_dir(dir.path().join("pilots")).unwrap();
    assert_eq!(store::read(dir.path()).unwrap().blocks.len(), 1);
    // And a run goes on in it.
    let folder = Folder::open(dir.path());
    folder.clear().unwrap();
    folder.write_pilot(&toy::records(1, 10).pilots[0]).unwrap();
    assert_eq!(store::read(dir.path()).unwrap().pilots.len(), 1);
    // What is listed is not let go that way.
    fs::remove_dir_all(dir.path().join("pilots")).unwrap();
    let error = store::read(dir.path()).unwrap_err();
    assert!(matches!(&error, StoreError::Lost { path } if path.ends_with("pilots/000.json")), "{error}");
}

#[test]
fn half_written_and_foreign_files_are_let_be() {
    let (dir, _) = folder();
    fs::write(dir.path().join("blocks/.writing-abc"), "{").unwrap();
    fs::write(dir.path().join("blocks/notes.txt"), "hm").unwrap();
    assert_eq!(store::read(dir.path()).unwrap().blocks.len(), 1);
}

#[test]
fn a_missing_file_is_named() {
    let (dir, _) = folder();
    fs::remove_file(dir.path().join("run.json")).unwrap();
    let error = store::read(dir.path()).unwrap_err();
    assert!(matches!(&error, StoreError::Read { path, .. } if path.ends_with("run.json")), "{error}");
}

#[test]
fn another_schema_is_said_before_anything_else() {
    let (dir, block) = folder();
    fs::write(&block, "{\"schema\": \"cgbench.block/2\", \"other\": true}").unwrap();
    let error = store::read(dir.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("its schema is \"cgbench.block/2\", this version reads \"cgbench.block/1\""),
        "{error}"
    );
}

#[test]
fn a_record_cut_short_is_called_that() {
    let (dir, block) = folder();
    let text = fs::read(&block).unwrap();
    fs::write(&block, &text[..text.len() / 2]).unwrap();
    let error = store::read(dir.path()).unwrap_err();
    assert!(
        matches!(&error, StoreError::CutShort { path, line, .. } if *path == block && *line > 1),
        "{error}"
    );
}

#[test]
fn a_wrong_value_is_placed() {
    let (dir, block) = folder();
    edit(&block, "\"index\": 0", "\"index\": \"none\"");
    let error = store::read(dir.path()).unwrap_err();
    assert!(matches!(error, StoreError::Json { line: 3, .. }), "{error}");
    assert!(!error.to_string().contains(" at line"), "said once: {error}");
}

#[test]
fn columns_that_do_not_fit_are_named() {
    let (dir, block) = folder();
    edit(&block, "\"bits\": [", "\"bits\": [1,");
    let error = store::read(dir.path()).unwrap_err().to_string();
    assert!(error.ends_with("column frames.bits has 41 values where 40 belong"), "{error}");
}

#[test]
fn a_counter_that_the_kernel_lacks_is_an_empty_column() {
    let mut records = toy::records(1, 10);
    records.blocks.truncate(1);
    records.blocks[0].samples.nr_throttled.clear();
    let (dir, _) = folder();
    fs::remove_dir_all(dir.path().join("blocks")).unwrap();
    fs::create_dir(dir.path().join("blocks")).unwrap();
    Folder::open(dir.path()).write_block(&records.blocks[0]).unwrap();
    assert_eq!(store::read(dir.path()).unwrap().blocks, records.blocks);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_cut_off_is_an_error(part in 0.0..0.999f64) {
        let (dir, block) = folder();
        let text = fs::read(&block).unwrap();
        fs::write(&block, &text[..(text.len() as f64 * part) as usize]).unwrap();
        let error = store::read(dir.path()).unwrap_err();
        prop_assert!(error.to_string().contains("000-shares.json"), "{}", error);
    }

    #[test]
    fn flipped_bits_never_panic(places in prop::collection::vec((0.0..1.0f64, 0..8u8), 1..4)) {
        let (dir, block) = folder();
        let mut text = fs::read(&block).unwrap();
        for (place, bit) in places {
            let at = (text.len() as f64 * place) as usize;
            text[at] ^= 1 << bit;
        }
        fs::write(&block, &text).unwrap();
        match store::read(dir.path()) {
            Ok(records) => prop_assert_eq!(records.blocks.len(), 1, "a digit may well have become another"),
            Err(error) => prop_assert!(error.to_string().contains("000-shares.json"), "{}", error),
        }
    }
}
