//! What a reader of a conversion should be told: values with their numbers, whose `Display` is the sentence.
//!
//! None of these stops the conversion; what does is a [`ConvertError`](crate::convert::ConvertError).

mod found;
mod sentence;

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{
    Micros, MilliCpu, Shares, Weight,
    convert::{
        kubernetes::{Feature, Kubernetes},
        pod::limit_range::Bound,
        runtime::Runtime,
    },
};

/// How far, in percent, the limit in force may be from the one asked for before it is worth a word.
pub const ROUNDING_PERCENT: u128 = 1;
/// CPU time that a CPU takes from the quota at once (`sched_cfs_bandwidth_slice_us`, kernel/sched/fair.c 6.12).
pub const SLICE: Micros = Micros::from_ms(5);

/// Something that will surprise whoever asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    /// The systemd driver makes whole percents of a CPU, and that moves the limit by more than [`ROUNDING_PERCENT`].
    DriverRounds {
        /// The quota that the kubelet sends.
        #[serde(rename = "quota_us")]
        quota: Micros,
        /// The quota in the file.
        #[serde(rename = "in_force_us")]
        in_force: Micros,
        /// Whether the driver asked about is systemd's; if not, this is what it would do.
        in_use: bool,
    },
    /// More threads than the quota has slices for: some CPUs hold time that others lack.
    QuotaBelowSlices {
        /// The quota.
        #[serde(rename = "quota_us")]
        quota: Micros,
        /// Threads that want to run at once.
        threads: u32,
        /// What a CPU takes at once.
        #[serde(rename = "slice_us")]
        slice: Micros,
    },
    /// A burst above the quota, held at the quota.
    BurstAboveQuota {
        /// The burst asked for.
        #[serde(rename = "asked_us")]
        asked: Micros,
        /// The quota.
        #[serde(rename = "quota_us")]
        quota: Micros,
    },
    /// The group has a burst that this quota would be below: the kernel refuses the quota.
    ResizeBelowBurst {
        /// The burst in force.
        #[serde(rename = "present_burst_us")]
        burst: Micros,
        /// The quota wanted.
        #[serde(rename = "quota_us")]
        quota: Micros,
    },
    /// A runtime whose formulas are not known.
    UnknownRuntime {
        /// It.
        #[serde(serialize_with = "shown")]
        runtime: Runtime,
        /// `cpu.weight` if it is like the newest runtimes.
        logarithmic: Weight,
        /// And if it is like older ones.
        linear: Weight,
    },
    /// A runtime that ignores `linux.resources.cpu.burst`.
    RuntimeWithoutBurst {
        /// It.
        #[serde(serialize_with = "shown")]
        runtime: Runtime,
    },
    /// The kubelet turns no limit into a quota (`cpuCFSQuota: false`).
    QuotasOff,
    /// CPUs of its own take away the quota.
    ExclusiveCpus {
        /// The limit that is no quota.
        #[serde(rename = "limit_milli")]
        limit: Option<MilliCpu>,
    },
    /// A feature that this version has not, or not by default.
    NeedsFeature {
        /// The feature.
        feature: Feature,
        /// The version asked about.
        #[serde(serialize_with = "shown")]
        kubernetes: Kubernetes,
        /// The first version that has it by default.
        #[serde(serialize_with = "shown")]
        since: Kubernetes,
    },
    /// The pod's own limit is below one of its containers', or below all of them together.
    PodLimitBelowContainers {
        /// The pod's.
        #[serde(rename = "pod_limit_milli")]
        pod: MilliCpu,
        /// The containers' in all.
        #[serde(rename = "containers_milli")]
        containers: MilliCpu,
    },
    /// The pod's own request is below its containers'.
    PodRequestBelowContainers {
        /// The pod's.
        #[serde(rename = "pod_request_milli")]
        pod: MilliCpu,
        /// The containers' in all.
        #[serde(rename = "containers_milli")]
        containers: MilliCpu,
    },
    /// What runs has other resources than its spec asks for.
    ResizePending {
        /// The limit in the spec.
        #[serde(rename = "limit_milli")]
        limit: Option<MilliCpu>,
        /// The limit that the runtime reports.
        #[serde(rename = "actual_milli")]
        actual: Option<MilliCpu>,
    },
    /// A bound of a LimitRange, at which admission refuses the pod.
    LimitRangeBroken {
        /// The LimitRange's name.
        limit_range: String,
        /// Which of its bounds.
        bound: Bound,
        /// The bound; of a ratio, in thousandths.
        #[serde(rename = "bound_milli")]
        value: MilliCpu,
        /// What breaks it; `None`: nothing is set.
        #[serde(rename = "actual_milli")]
        of: Option<MilliCpu>,
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

fn shown<S: Serializer>(what: &impl fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(what)
}
