//! Statistics of latencies and of blocks, pure. What is estimated, from how much, and where no estimate is possible.
//!
//! The unit of evidence is a *block* (one policy, once), never a frame: frames follow one another and resemble
//! their neighbours. So every band and interval here comes from resampling or ordering whole blocks. Nothing is
//! ever dropped as an outlier: the tail is what is being measured.
//!
//! One sample: quantiles and bands ([`quantile`], [`bootstrap`]), the median over blocks ([`median`]), mean and spread
//! ([`moments`]), jitter ([`mod@jitter`]). Two: whether ([`rank`], in pairs [`paired`]), by how much ([`shift`]), how clearly
//! ([`mod@effect`]). Many metrics at once, with one bound on false alarms ([`family`]), and what could have been found
//! ([`power`]). Over time: steps ([`changepoint`]) and drift ([`mod@drift`]). A p value says how it was come by ([`Method`]);
//! whatever is drawn has a seed.
//!
//! Not here: which metrics are compared, and what a difference is worth.

pub mod bootstrap;
pub mod changepoint;
mod choices;
pub mod drift;
pub mod effect;
pub mod family;
pub mod jitter;
pub mod level;
pub mod median;
pub mod method;
mod midrank;
pub mod moments;
mod null;
pub mod paired;
pub mod power;
pub mod quantile;
pub mod rank;
pub mod shift;
mod tails;
mod welch;

pub use bootstrap::{Band, Pool};
pub use level::Level;
pub use median::{MedianInterval, median_interval};
pub use method::Method;
pub use moments::Moments;
