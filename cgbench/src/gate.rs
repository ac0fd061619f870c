//! A regression gate: NEW against BASE, against bounds, or at the end of a history of runs.
//!
//! ```text
//! records ── metric ──► matrix ── method ──► judge ──► report ── render ──► text, JSON, Markdown, JUnit, …
//!                                              ▲
//!                                  comparable, settings
//! ```
//!
//! Pure: files and exit codes are `cmd`'s. An alarm is for what got worse; what got better is told and never fails. What cannot
//! be judged is no pass.

pub mod bound;
pub mod comparable;
pub mod escape;
pub mod history;
pub mod judge;
pub mod matrix;
pub mod method;
pub mod metric;
pub mod quantity;
pub mod render;
pub mod report;
pub mod settings;

pub use judge::{Run, judge};
pub use report::{Report, Verdict};
pub use settings::Settings;
