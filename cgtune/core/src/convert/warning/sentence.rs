//! The sentence of each warning, and what to do.

use std::fmt;

use super::Warning;
use crate::{
    MilliCpu,
    convert::{
        kubelet,
        kubernetes::{Availability, Feature},
        pod::limit_range::Bound,
    },
    text::Escaped,
};

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
                let limit_range = Escaped(limit_range.as_bytes());
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
