//! Loads that burn CPU the way real programs do, and tell how long each piece of work took.
//!
//! What lives here: an H.264 encoder that encodes a clip in a loop ([`h264`]), and what a careless change to it would waste
//! ([`h264::Waste`]), the pictures it encodes ([`video`]), the open-loop frame clock and the record of each frame or job
//! ([`latency`]), the choice of a picture size that costs a wanted share of a CPU on this machine ([`calibrate`]),
//! statistics of a series of frames ([`demand`]), a service whose workers share requests that come at their own times
//! ([`service`]), threads that wake together, work and sleep again ([`pulse`]) and a plain CPU hog ([`hog`]).
//!
//! What deliberately does not: cgroups, quotas, policies, anything that limits a process. A load
//! that knew its limiter could not be used to judge it.
//!
//! ```no_run
//! use std::sync::atomic::AtomicBool;
//! use workloads::h264::{EncodeConfig, EncodeLoop};
//! use workloads::latency::{ClockConfig, MonotonicNs};
//!
//! # fn main() -> Result<(), workloads::Error> {
//! let mut encode = EncodeLoop::prepare(&EncodeConfig::default())?;
//! let stop = AtomicBool::new(false);
//! encode.run(&ClockConfig::default(), MonotonicNs::now()?, 300, &stop, &mut |frame| {
//!     println!("{} took {} ns", frame.index, frame.end_ns - frame.start_ns);
//! })?;
//! # Ok(())
//! # }
//! ```

mod arithmetic;
pub mod calibrate;
mod clock;
pub mod demand;
mod error;
pub mod gap;
pub mod h264;
pub mod hog;
pub mod latency;
pub mod pulse;
pub mod service;
pub mod video;

pub use error::Error;
