//! Why a cgroup's threads stand still: from what was seen of it over a while ([`Watched`]) to findings, ranked by the
//! time they cost.

pub mod cause;
pub mod watched;

pub use cause::Cause;
pub use watched::{Reading, Series, Watched};
