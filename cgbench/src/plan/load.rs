//! What runs under the policies.

use serde::{Deserialize, Serialize};
use workloads::{h264::EncodeConfig, latency::ClockConfig};

/// A load, as it is run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Load {
    /// The encode loop.
    Encode(EncodeLoad),
}

/// The encode loop at its clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EncodeLoad {
    /// Part of the frame interval that one frame's CPU time is calibrated to.
    pub share: f64,
    /// The frame clock.
    pub clock: ClockConfig,
    /// The encode loop, at its calibrated size.
    pub encode: EncodeConfig,
}

impl Load {
    /// From one start to the next, on average; `None` for an impossible clock.
    #[must_use]
    pub fn interval_ns(&self) -> Option<u64> {
        match self {
            Self::Encode(load) => load.clock.interval_ns(),
        }
    }

    /// What takes longer than this from its intended start is late; `None` where nothing says so.
    #[must_use]
    pub fn deadline_ns(&self) -> Option<u64> {
        match self {
            Self::Encode(load) => load.clock.interval_ns(),
        }
    }

    /// Whether the same work costs more CPU time on a slower machine. A load that burns a given CPU time does not.
    #[must_use]
    pub const fn moves_with_speed(&self) -> bool {
        match self {
            Self::Encode(_) => true,
        }
    }

    /// The same load with the jitter of its clock seeded so.
    #[must_use]
    pub fn seeded(&self, seed: u64) -> Self {
        match self {
            Self::Encode(load) => {
                let clock = ClockConfig { seed, ..load.clock.clone() };
                Self::Encode(EncodeLoad { clock, ..load.clone() })
            }
        }
    }

    /// Threads that may run at once.
    #[must_use]
    pub const fn threads(&self) -> u32 {
        match self {
            Self::Encode(load) => load.encode.threads,
        }
    }
}
