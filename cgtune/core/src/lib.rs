//! The pure part of cgtune: what CPU bandwidth control *is*, and what follows from what was read.
//!
//! Here live units, policies and their rules, the kernel's file names and formats (as data), parsers,
//! the order of writes, snapshots and the intervals between them, and the formulas of Kubernetes and its
//! runtimes. Deliberately absent: paths, file descriptors, clocks, threads, the environment and any decision
//! on how something is printed. Everything in this crate can be tested without a kernel.
//!
//! The flow of reading: bytes → [`parse`] → [`Snapshot`] → [`Interval::between`].
//! The flow of writing: [`Observed`] + [`Policy`] + [`Surroundings`] → [`plan::plan`] → [`Step`](plan::Step)s →
//! [`control::apply`] on anything that implements [`CpuControl`].
//!
//! ```
//! use cgtune_core::{Bandwidth, Micros, Quota};
//!
//! // 500m at the default period, allowed to save up one whole quota.
//! let half_a_cpu = Bandwidth::new(Quota::Limited(Micros::from_ms(50)), Micros::from_ms(100), Micros::from_ms(50))?;
//! assert_eq!(half_a_cpu.cpus(), Some(0.5));
//! // The kernel refuses a burst above the quota, and so do we, before it is asked.
//! assert!(Bandwidth::new(Quota::Limited(Micros::from_ms(50)), Micros::from_ms(100), Micros::from_ms(51)).is_err());
//! # Ok::<(), cgtune_core::PolicyError>(())
//! ```

pub mod assign;
pub mod control;
pub mod convert;
pub mod cpus;
pub mod diagnose;
pub mod interval;
pub mod kubelet;
pub mod layout;
pub mod limit;
pub mod observed;
pub mod parse;
pub mod pinning;
pub mod plan;
pub mod policy;
pub mod rules;
pub mod sim;
pub mod snapshot;
pub mod text;
pub mod topology;
pub mod units;

pub use control::CpuControl;
pub use cpus::CpuSet;
pub use interval::{Discontinuity, Interval};
pub use layout::{Capabilities, Controller, Layout};
pub use observed::{Observed, ObservedBandwidth, ObservedShare};
pub use plan::Surroundings;
pub use policy::{Bandwidth, Policy, PolicyError, Quota, Ratio, Share, Shares, Weight};
pub use snapshot::Snapshot;
pub use topology::Topology;
pub use units::{Micros, MilliCpu, Nanos};
