//! The results folder: what a run leaves, and what is derived from it.
//!
//! ```text
//! plan.json  machine.json            written once, before the first block
//! run.json                           replaced after each block: a run that was cut off is still readable
//! pilots/000.json …  blocks/000-limit-neighbour.json …   one each, written once, never changed
//! summary.json  report.md  report.html  *.svg  *.png   derived; may be made again from the above at any time
//! ```
//!
//! Every file is written beside its place, synced and renamed: a reader sees a whole file or none.

mod error;
mod json;
mod read;
mod write;

pub use error::StoreError;
pub use read::{read, runs};
pub use write::Folder;
pub(crate) use write::write_file;

/// The file of the plan.
pub const PLAN: &str = "plan.json";
/// The file of the machine's facts.
pub const MACHINE: &str = "machine.json";
/// The file about the run as a whole.
pub const RUN: &str = "run.json";
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
