//! The results folder: what a run leaves, and what is derived from it.
//!
//! ```text
//! experiment.toml                     what was asked for; of several points, in the folder above theirs
//! doctor.json                         how fit the machine was before the first block; doctor-1.json when the run went on
//! plan.json  machine.json            written once, before the first block
//! run.json                           replaced after each block: a run that was cut off is still readable
//! pilots/000.json …  blocks/000-limit-neighbour.json …   one each, written once, never changed
//! SHA256SUMS                          of all that is written once, as sha256sum(1) checks it
//! summary.json  report.md  report.html  *.svg  *.png   derived; may be made again from the above at any time
//! ```
//!
//! Whoever runs blocks holds a lock on the folder itself (flock(2)). A record that is not what was written is an error, not a number.
//!
//! Every file is written beside its place, synced and renamed: a reader sees a whole file or none.

mod error;
mod json;
mod lock;
mod read;
mod sums;
mod write;

pub use error::StoreError;
pub use lock::Lock;
pub use read::{read, read_plan, runs};
pub use write::Folder;
pub(crate) use write::write_file;

/// The file of the experiment.
pub const EXPERIMENT: &str = "experiment.toml";
/// The file of the plan.
pub const PLAN: &str = "plan.json";
/// The file of the machine's facts.
pub const MACHINE: &str = "machine.json";
/// The file about the run as a whole.
pub const RUN: &str = "run.json";
/// What the doctor found before the first block; a run that goes on has another for each time.
pub const DOCTOR: &str = "doctor.json";
/// The folder of the pilots.
pub const PILOTS: &str = "pilots";
/// The folder of the blocks.
pub const BLOCKS: &str = "blocks";
/// The file of the summary.
pub const SUMMARY: &str = "summary.json";
/// The report.
pub const REPORT: &str = "report.md";
/// The report as one page with everything in it; of several runs in the folder that holds theirs.
pub const REPORT_PAGE: &str = "report.html";
