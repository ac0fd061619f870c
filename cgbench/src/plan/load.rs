//! What runs under the policies.

use cgtune_core::Micros;
use serde::{Deserialize, Serialize};
use workloads::{h264::EncodeConfig, latency::ClockConfig, service::ServiceConfig};

use super::Item;

/// A load, as it is run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Load {
    /// The encode loop.
    Encode(EncodeLoad),
    /// A service.
    Service(ServiceLoad),
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

/// A service and the requests that come to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServiceLoad {
    /// A request that takes longer is late; `None`: nothing is promised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_us: Option<Micros>,
    /// The service.
    pub service: ServiceConfig,
}

impl Load {
    /// From one start to the next, on average; `None` for an impossible clock.
    #[must_use]
    pub fn interval_ns(&self) -> Option<u64> {
        match self {
            Self::Encode(load) => load.clock.interval_ns(),
            Self::Service(load) => Some(load.service.arrivals.every_ns()),
        }
    }

    /// What takes longer than this from its intended start is late; `None` where nothing says so.
    #[must_use]
    pub fn deadline_ns(&self) -> Option<u64> {
        match self {
            Self::Encode(load) => load.clock.interval_ns(),
            Self::Service(load) => load.deadline_us.map(|deadline| deadline.to_nanos().get()),
        }
    }

    /// What it does one after the other.
    #[must_use]
    pub const fn item(&self) -> Item {
        match self {
            Self::Encode(_) => Item::Frame,
            Self::Service(_) => Item::Request,
        }
    }

    /// Whether the same work costs more CPU time on a slower machine. A load that burns a given CPU time does not.
    #[must_use]
    pub const fn moves_with_speed(&self) -> bool {
        match self {
            Self::Encode(_) => true,
            Self::Service(_) => false,
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
            Self::Service(load) => {
                let service = ServiceConfig { seed, ..load.service.clone() };
                Self::Service(ServiceLoad { service, ..load.clone() })
            }
        }
    }

    /// Threads that may run at once.
    #[must_use]
    pub const fn threads(&self) -> u32 {
        match self {
            Self::Encode(load) => load.encode.threads,
            Self::Service(load) => load.service.threads,
        }
    }
}
