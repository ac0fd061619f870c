//! Statistics of latencies, pure. What is estimated, from how much, and where no estimate is possible.
//!
//! The unit of evidence is a *block* (one policy, once), never a frame: frames follow one another and resemble
//! their neighbours. So every band and interval here comes from resampling or ordering whole blocks. Nothing is
//! ever dropped as an outlier: the tail is what is being measured.
//!
//! Not here: comparisons of two samples (rank tests and shifts), which are a stage of their own.

pub mod bootstrap;
pub mod level;
pub mod median;
pub mod moments;
pub mod quantile;

pub use bootstrap::{Band, Pool};
pub use level::Level;
pub use median::{MedianInterval, median_interval};
pub use moments::Moments;
