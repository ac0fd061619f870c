//! What a reader of a conversion should be told: values with their numbers, whose `Display` is the sentence.
//!
//! None of these stops the conversion; what does is a [`ConvertError`](crate::convert::ConvertError).

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{
    Micros, MilliCpu, Quota, Shares, Weight,
    convert::{
        burst::Burst,
        container::{ContainerCpu, Conversion},
        kubelet,
        kubernetes::{Availability, Feature, Kubernetes},
        pod::{Pod, Role, limit_range::Bound},
        quantity::CpuQuantity,
        resources::ResourceList,
        runtime::Runtime,
        setting::Setting,
        systemd::{self, CgroupDriver},
        weight::WeightFormula,
    },
    policy::DEFAULT_PERIOD,
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

impl Warning {
    /// Everything to be said about a conversion, in the order of the files.
    pub(super) fn of_container(asked: &ContainerCpu, setting: &Setting, done: &Conversion) -> Vec<Self> {
        let mut found = Vec::new();
        if let (Some(request), Some(limit)) = (asked.request, asked.limit)
            && limit.milli() > MilliCpu::ZERO
            && request.milli() > limit.milli()
        {
            found.push(Self::RequestAboveLimit { request: request.milli(), limit: limit.milli() });
        }
        if done.request > kubelet::request_of(Shares::MAX) {
            found.push(Self::RequestBeyondShares { request: done.request, shares: done.shares });
        }
        if done.formula.is_none() {
            let [logarithmic, linear] = [WeightFormula::Logarithmic, WeightFormula::Linear]
                .map(|formula| formula.weight(done.shares));
            found.push(Self::UnknownRuntime { runtime: setting.runtime.clone(), logarithmic, linear });
        }
        match asked.limit.or(asked.pod_limit) {
            Some(limit) if limit.milli() == MilliCpu::ZERO => found.push(Self::LimitIsZero),
            Some(limit) if asked.exclusive => found.push(Self::ExclusiveCpus { limit: Some(limit.milli()) }),
            Some(_) if done.sent.is_none() => found.push(Self::QuotasOff),
            Some(limit) => found.extend(Self::of_limit(limit, done)),
            None => {}
        }
        if let Some(quota) = done.sent.and_then(|sent| sent.quota.limited()) {
            found.extend(Self::of_quota(quota, asked, setting, done));
        }
        if setting.period != DEFAULT_PERIOD {
            match setting.kubernetes.has(Feature::CustomCPUCFSQuotaPeriod) {
                Availability::On => found.push(Self::CustomPeriod { period: setting.period }),
                _ => found.push(Self::needs(Feature::CustomCPUCFSQuotaPeriod, setting.kubernetes)),
            }
        }
        if done.bandwidth.burst() != Micros::ZERO {
            found.push(Self::BurstNotInKubernetes { burst: done.bandwidth.burst() });
            if setting.runtime.writes_burst() == Some(false) {
                found.push(Self::RuntimeWithoutBurst { runtime: setting.runtime.clone() });
            }
        }
        found
    }

    /// What is to be said about a pod as a whole, after defaulting.
    pub(super) fn of_pod(pod: &Pod) -> Vec<Self> {
        let Some(own) = pod.whole() else { return Vec::new() };
        let milli = |list: &ResourceList| list.cpu.map(CpuQuantity::milli);
        let sum = |of: fn(&crate::convert::pod::Container) -> &ResourceList| {
            let running = pod.containers.iter().filter(|c| matches!(c.role, Role::App | Role::Sidecar));
            let amounts = running.filter_map(|container| milli(of(container)));
            amounts.fold(MilliCpu::ZERO, MilliCpu::saturating_add)
        };
        let mut found = Vec::new();
        let containers = sum(|container| &container.resources.limits);
        if let Some(limit) = milli(&own.limits).filter(|&limit| limit < containers) {
            found.push(Self::PodLimitBelowContainers { pod: limit, containers });
        }
        let containers = sum(|container| &container.resources.requests);
        if let Some(request) = milli(&own.requests).filter(|&request| request < containers) {
            found.push(Self::PodRequestBelowContainers { pod: request, containers });
        }
        found
    }

    /// That a version lacks a feature, or has it behind a gate.
    pub(super) fn needs(feature: Feature, kubernetes: Kubernetes) -> Self {
        Self::NeedsFeature { feature, kubernetes, since: Kubernetes::new(feature.since()) }
    }

    /// What follows from a quota as it is sent.
    fn of_quota(quota: Micros, asked: &ContainerCpu, setting: &Setting, done: &Conversion) -> Vec<Self> {
        let mut found = Vec::new();
        if let Some(in_force) = systemd::rounded(Quota::Limited(quota), setting.period).quota.limited() {
            let in_use = setting.driver == CgroupDriver::Systemd;
            let change = u128::from(in_force.get().abs_diff(quota.get())) * 100;
            if change > u128::from(quota.get()) * ROUNDING_PERCENT && setting.runtime.rounds_for_systemd() {
                found.push(Self::DriverRounds { quota, in_force, in_use });
            }
        }
        if let Some(threads) = asked.threads
            && quota.get() < SLICE.get().saturating_mul(u64::from(threads))
        {
            found.push(Self::QuotaBelowSlices { quota, threads, slice: SLICE });
        }
        let wanted =
            asked.burst.and_then(|burst| Burst::amount(burst, Quota::Limited(quota), setting.period));
        if let Some(wanted) = wanted.filter(|&wanted| wanted > quota) {
            found.push(Self::BurstAboveQuota { asked: wanted, quota });
        }
        if let Some(burst) = asked.present_burst
            && let Some(quota) = done.bandwidth.quota().limited()
            && burst > quota
        {
            found.push(Self::ResizeBelowBurst { burst, quota });
        }
        found
    }

    /// How the limit in force differs from a limit above zero that was asked for.
    fn of_limit(limit: CpuQuantity, done: &Conversion) -> Option<Self> {
        // Before any driver rounds it.
        let sent = done.sent?;
        let (quota, period) = (sent.quota.limited()?, sent.period);
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
                Feature::CustomCPUCFSQuotaPeriod.since(),
                Feature::CustomCPUCFSQuotaPeriod,
                kubelet::QUOTA_PERIOD
            ),
            Self::DriverRounds { quota, in_force, in_use } => {
                let change = in_force.get() as f64 * 100.0 / quota.get() as f64 - 100.0;
                let would = if *in_use { "makes" } else { "would make" };
                write!(
                    f,
                    "the systemd driver {would} {in_force} of the quota of {quota} ({change:+.1} %), because it rounds up to a whole \
                     percent of a CPU; a limit in steps of 10m stays as it is"
                )
            }
            Self::QuotaBelowSlices { quota, threads, slice } => write!(
                f,
                "{threads} threads share a quota of {quota}, and a CPU takes {slice} of it at once: where all of them run together, \
                 fewer than {threads} get anything, and what an idle CPU holds is missing elsewhere; use fewer threads, or a longer period"
            ),
            Self::BurstAboveQuota { asked, quota } => write!(
                f,
                "a burst of {asked} is above the quota of {quota}, and the kernel refuses that; it is held at {quota} here, the same as \
                 --burst 100%"
            ),
            Self::ResizeBelowBurst { burst, quota } => write!(
                f,
                "the group has a burst of {burst}, and the kernel refuses a quota below it: this resize to {quota} fails half way, \
                 in place or not; lower the burst to {quota} or less first"
            ),
            Self::UnknownRuntime { runtime, logarithmic, linear } if logarithmic == linear => write!(
                f,
                "how {runtime} turns shares into a weight is not known here, but the formulas agree on {}",
                linear.get()
            ),
            Self::UnknownRuntime { runtime, logarithmic, linear } => write!(
                f,
                "how {runtime} turns shares into a weight is not known here, and the formulas differ: {} by the newer one, {} by \
                 the older; where one must be written, it is the newer",
                logarithmic.get(),
                linear.get()
            ),
            Self::RuntimeWithoutBurst { runtime } => write!(
                f,
                "{runtime} ignores linux.resources.cpu.burst: write the file once the container runs, or take a newer runtime"
            ),
            Self::QuotasOff => {
                write!(
                    f,
                    "with cpuCFSQuota: false the kubelet turns no limit into a quota: the limit has no effect"
                )
            }
            Self::ExclusiveCpus { limit } => {
                let limit = limit.map_or_else(String::new, |limit| format!(" of {limit}"));
                write!(
                    f,
                    "the static CPU manager gives it whole CPUs of its own, and since {} the limit{limit} is then no quota",
                    Feature::DisableCPUQuotaWithExclusiveCPUs.since()
                )
            }
            Self::NeedsFeature { feature, kubernetes, since } => {
                let has = match kubernetes.has(*feature) {
                    Availability::Absent => "does not have it",
                    _ => "has it only behind the feature gate",
                };
                let then = match feature {
                    Feature::CustomCPUCFSQuotaPeriod => {
                        "a kubelet with another period than 100ms does not start then"
                    }
                    Feature::PodLevelResources => {
                        "the pod's own resources are left out here, as they are there"
                    }
                    Feature::SidecarContainers => {
                        "restartPolicy of an init container is taken for Always all the same"
                    }
                    _ => "nothing is assumed of it",
                };
                write!(
                    f,
                    "{feature} is on by default from Kubernetes {since}, and {kubernetes} {has}: {then}"
                )
            }
            Self::PodLimitBelowContainers { pod, containers } => write!(
                f,
                "the pod's own limit of {pod} is below its containers' {containers} in all: the pod's quota throttles first, and the API \
                 server refuses a container limit above the pod's"
            ),
            Self::PodRequestBelowContainers { pod, containers } => write!(
                f,
                "the pod's own request of {pod} is below its containers' {containers} in all, and the API server refuses such a pod"
            ),
            Self::ResizePending { limit, actual } => {
                let shown = |amount: &Option<MilliCpu>| {
                    amount.map_or_else(|| "none".to_owned(), |amount| amount.to_string())
                };
                write!(
                    f,
                    "the spec's limit is {}, and what runs has {}: a resize is pending, was refused, or is not possible",
                    shown(limit),
                    shown(actual)
                )
            }
            Self::LimitRangeBroken { limit_range, bound, value, of } => {
                let of = of.map_or_else(|| "nothing is set".to_owned(), |of| format!("{of} is set"));
                let limit_range = crate::text::Escaped(limit_range.as_bytes());
                match bound {
                    Bound::Ratio => write!(
                        f,
                        "LimitRange {limit_range} lets the limit be at most {value} times the request, and the limit is {of}",
                        of = of.trim_end_matches(" is set")
                    ),
                    _ => {
                        let (which, side) = match bound {
                            Bound::MinRequest => ("request", "at least"),
                            Bound::MinLimit => ("limit", "at least"),
                            Bound::MaxRequest => ("request", "at most"),
                            _ => ("limit", "at most"),
                        };
                        write!(
                            f,
                            "LimitRange {limit_range} wants a {which} of {side} {value}, and {of}: admission refuses it"
                        )
                    }
                }
            }
            Self::BurstNotInKubernetes { burst } => write!(
                f,
                "Kubernetes has no field for a burst: to get {burst}, write the file once the container runs, or let an NRI \
                 plugin set it (v2); raise the pod group's burst as well, since its equal quota throttles too; needs Linux \
                 5.14 or a backport"
            ),
        }
    }
}
