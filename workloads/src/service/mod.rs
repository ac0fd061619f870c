//! A service under open-loop load: requests come at their times, whatever became of those before, and worker threads
//! share them.
//!
//! A request is cut into pieces of equal demand (`fan_out`), each done by any free worker; it ends with its last piece.
//! Pieces wait in one queue, first come, first served. A late request is queued at once and none is dropped, so a latency
//! counted from the intended start holds all the waiting.
//!
//! When requests come and what they demand is a function of the configuration alone ([`Requests`]).
//!
//! Not here: the clock of periodic arrivals ([`crate::latency`]), how anything is shown.
//!
//! ```
//! use std::sync::atomic::AtomicBool;
//! use workloads::latency::MonotonicNs;
//! use workloads::service::{Arrivals, Service, ServiceConfig};
//!
//! # fn main() -> Result<(), workloads::Error> {
//! let config = ServiceConfig {
//!     demand_ns: 200_000,
//!     arrivals: Arrivals::Poisson { every_ns: 2_000_000 },
//!     ..ServiceConfig::default()
//! };
//! let mut service = Service::prepare(&config)?;
//! service.run(MonotonicNs::now()?, 10, &AtomicBool::new(false), &mut |request| {
//!     println!("{} took {} ns", request.index, request.latency_ns());
//! })?;
//! # Ok(())
//! # }
//! ```

mod config;
mod dispatch;
mod piece;
mod queue;
mod requests;
mod workers;

pub use config::{Arrivals, ServiceConfig, Spread};
pub use requests::{Request, Requests};
pub use workers::Service;
