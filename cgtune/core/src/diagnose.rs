//! Why a cgroup's threads stand still: from what was seen of it over a while to findings, ranked by the time they cost.

pub mod cause;

pub use cause::Cause;
