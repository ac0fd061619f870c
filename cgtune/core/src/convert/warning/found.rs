//! When a warning is due: detection makes values, and says nothing.

use super::{ROUNDING_PERCENT, SLICE, Warning};
use crate::{
    Micros, MilliCpu, Quota, Shares,
    convert::{
        burst::Burst,
        container::{ContainerCpu, Conversion},
        kubelet,
        kubernetes::{Availability, Feature, Kubernetes},
        pod::{self, Pod, Role},
        quantity::CpuQuantity,
        resources::ResourceList,
        setting::Setting,
        systemd::{self, CgroupDriver},
        weight::WeightFormula,
    },
    policy::DEFAULT_PERIOD,
};

impl Warning {
    /// Everything to be said about a conversion, in the order of the files.
    pub(in crate::convert) fn of_container(
        asked: &ContainerCpu,
        setting: &Setting,
        done: &Conversion,
    ) -> Vec<Self> {
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
    pub(in crate::convert) fn of_pod(pod: &Pod) -> Vec<Self> {
        let Some(own) = pod.whole() else { return Vec::new() };
        let milli = |list: &ResourceList| list.cpu.map(CpuQuantity::milli);
        let sum = |of: fn(&pod::Container) -> &ResourceList| {
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
    pub(in crate::convert) fn needs(feature: Feature, kubernetes: Kubernetes) -> Self {
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
