//! What a reader of a conversion should be told: values with their numbers, whose `Display` is the sentence.
//!
//! None of these stops the conversion; what does is a [`ConvertError`](crate::convert::ConvertError).

use std::fmt;

use serde::Serialize;

use crate::{
    Micros, MilliCpu, Shares,
    convert::{
        container::{ContainerCpu, Conversion},
        kubelet,
        quantity::CpuQuantity,
    },
    policy::DEFAULT_PERIOD,
};

/// How far, in percent, the limit in force may be from the one asked for before it is worth a word.
pub const ROUNDING_PERCENT: u128 = 1;

/// Something that will surprise whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Warning {
    /// The API server refuses a request above the limit (`ValidateResourceRequirements`).
    RequestAboveLimit {
        /// The request.
        #[serde(rename = "request_milli")]
        request: MilliCpu,
        /// The limit.
        #[serde(rename = "limit_milli")]
        limit: MilliCpu,
    },
    /// More than the largest number of shares can say.
    RequestBeyondShares {
        /// The request.
        #[serde(rename = "request_milli")]
        request: MilliCpu,
        /// What it is held at.
        shares: Shares,
    },
    /// A limit that is written, and is zero.
    LimitIsZero,
    /// The quota would be under the kubelet's smallest, and is raised to it.
    LimitBelowFloor {
        /// The limit asked for.
        #[serde(rename = "limit_milli")]
        limit: MilliCpu,
        /// The quota that is written.
        #[serde(rename = "quota_us")]
        quota: Micros,
        /// The smallest limit that needs no raising at this period.
        #[serde(rename = "smallest_milli")]
        smallest: MilliCpu,
    },
    /// Rounding moves the limit by more than [`ROUNDING_PERCENT`].
    LimitRounded {
        /// The limit asked for, in billionths of a CPU.
        asked_nano: u64,
        /// The limit that the container gets.
        #[serde(rename = "in_force_milli")]
        in_force: MilliCpu,
    },
    /// A period other than 100 ms.
    CustomPeriod {
        /// The period.
        #[serde(rename = "period_us")]
        period: Micros,
    },
    /// A burst, of which Kubernetes knows nothing.
    BurstNotInKubernetes {
        /// The burst.
        #[serde(rename = "burst_us")]
        burst: Micros,
    },
}

impl Warning {
    /// Everything to be said about a conversion, in the order of the files.
    pub(super) fn all(asked: &ContainerCpu, done: &Conversion) -> Vec<Self> {
        let mut found = Vec::new();
        if let (Some(request), Some(limit)) = (asked.request, asked.limit)
            && request.milli() > limit.milli()
        {
            found.push(Self::RequestAboveLimit { request: request.milli(), limit: limit.milli() });
        }
        if done.request > kubelet::request_of(Shares::MAX) {
            found.push(Self::RequestBeyondShares { request: done.request, shares: done.shares });
        }
        match asked.limit {
            Some(limit) if limit.milli() == MilliCpu::ZERO => found.push(Self::LimitIsZero),
            Some(limit) => found.extend(Self::of_limit(limit, done)),
            None => {}
        }
        if done.bandwidth.period() != DEFAULT_PERIOD {
            found.push(Self::CustomPeriod { period: done.bandwidth.period() });
        }
        if done.bandwidth.burst() != Micros::ZERO {
            found.push(Self::BurstNotInKubernetes { burst: done.bandwidth.burst() });
        }
        found
    }

    /// How the limit in force differs from a limit above zero that was asked for.
    fn of_limit(limit: CpuQuantity, done: &Conversion) -> Option<Self> {
        let period = done.bandwidth.period();
        let quota = done.bandwidth.quota().limited()?;
        if kubelet::of_period(limit.milli(), period) < kubelet::SMALLEST_QUOTA {
            let smallest = kubelet::smallest_limit(period)?;
            return Some(Self::LimitBelowFloor { limit: limit.milli(), quota, smallest });
        }
        // Both as billionths of a microsecond per period: no division, so nothing is lost. Above the floor the
        // truncation of the quota is below 0.1 %, so what is found here is the rounding to thousandths.
        let asked = limit.asked_nano().saturating_mul(u128::from(period.get()));
        let got = u128::from(quota.get()) * 1_000_000_000;
        (got.abs_diff(asked).saturating_mul(100) > asked.saturating_mul(ROUNDING_PERCENT)).then(|| {
            Self::LimitRounded {
                asked_nano: u64::try_from(limit.asked_nano()).unwrap_or(u64::MAX),
                in_force: limit.milli(),
            }
        })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RequestAboveLimit { request, limit } => write!(
                f,
                "the request of {request} is above the limit of {limit}, and the API server refuses such a container; lower the \
                 request or raise the limit"
            ),
            Self::RequestBeyondShares { request, shares } => write!(
                f,
                "a request of {request} is more than shares can say: it weighs {} shares, as one of {} would; asking for more \
                 changes nothing",
                shares.get(),
                kubelet::request_of(*shares)
            ),
            Self::LimitIsZero => {
                write!(
                    f,
                    "to Kubernetes a limit of 0 is no limit; leave it out, or write {} or more",
                    kubelet::SMALLEST_LIMIT
                )
            }
            Self::LimitBelowFloor { limit, quota, smallest } => write!(
                f,
                "a limit of {limit} needs less than the smallest quota and gets that, {quota}; write {smallest} or more, or \
                 it looks tighter than it is"
            ),
            Self::LimitRounded { asked_nano, in_force } => {
                let change = (in_force.get() as f64 * 1e8 / *asked_nano as f64) - 100.0;
                write!(
                    f,
                    "the limit is rounded to {in_force} ({change:+.1} %), because Kubernetes keeps whole thousandths of a CPU; \
                     write {in_force}, which is what the container gets"
                )
            }
            Self::CustomPeriod { period } => write!(
                f,
                "a period of {period} is a setting of the whole node (cpuCFSQuotaPeriod) and needs kubelet ≥ {}, or the feature \
                 gate {} before; elsewhere the quota is that for {}",
                kubelet::CUSTOM_PERIOD_SINCE,
                kubelet::CUSTOM_PERIOD_GATE,
                kubelet::QUOTA_PERIOD
            ),
            Self::BurstNotInKubernetes { burst } => write!(
                f,
                "Kubernetes has no field for a burst: to get {burst}, write the file once the container runs, or let an NRI \
                 plugin set it (v2); raise the pod group's burst as well, since its equal quota throttles too; needs Linux \
                 5.14 or a backport"
            ),
        }
    }
}
