//! Measures what a CPU policy does to the latency of an encode loop, in real cgroups.
//!
//! A run leaves a folder of raw records; everything after that is pure and can be done again years later:
//!
//! ```text
//! plan → runner → store ──► study ──► chart, table, report
//!                 (records)  (summary)
//!                    └────► gate: this run against another
//! ```
//!
//! Not here: how to burn CPU (`workloads`), what a kernel's files look like (`cgtune-core`, `cgtune-sys`).

pub mod agree;
pub mod backend;
pub mod chart;
pub mod cli;
pub mod cmd;
pub mod differences;
pub mod doctor;
pub mod experiment;
pub mod failure;
pub mod gate;
pub mod hog;
pub mod interrupt;
pub mod load;
pub mod merge;
pub mod order;
pub mod plan;
pub mod progress;
pub mod record;
pub mod report;
pub mod runner;
pub mod stats;
pub mod store;
pub mod study;
pub mod summary;
pub mod table;
