//! LimitRanges of a namespace: defaults for containers, and bounds.
//!
//! Source: `mergePodResourceRequirements` and `PodValidateLimitFunc` in plugin/pkg/admission/limitranger/admission.go, and
//! `SetDefaults_LimitRangeItem` in pkg/apis/core/v1/defaults.go at 023f88a3. Only what concerns CPU is checked.

use crate::{
    MilliCpu,
    convert::{
        pod::{Effective, Pod, Resources, Role},
        quantity::CpuQuantity,
        resources::ResourceList,
        warning::Warning,
    },
};

/// One LimitRange.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitRange {
    /// Its name.
    pub name: String,
    /// Its namespace; one without is taken to be for the pods at hand.
    pub namespace: Option<String>,
    /// `spec.limits[]`.
    pub items: Vec<Item>,
}

/// What an item of a LimitRange is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Each container.
    Container,
    /// All containers of a pod together.
    Pod,
}

/// One of `spec.limits[]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is about.
    pub scope: Scope,
    /// `default`: limits.
    pub default: ResourceList,
    /// `defaultRequest`.
    pub default_request: ResourceList,
    /// `min`.
    pub min: ResourceList,
    /// `max`.
    pub max: ResourceList,
    /// `maxLimitRequestRatio`, of CPU: a plain number that is written as a quantity.
    pub max_ratio: Option<CpuQuantity>,
}

impl Item {
    /// Fills in what follows from the rest, as the API server does when it stores one (`SetDefaults_LimitRangeItem`): a
    /// default limit from the maximum; a default request from the default limit, else from the minimum.
    pub fn complete(&mut self) {
        if self.scope != Scope::Container {
            return;
        }
        let fill = |into: &mut ResourceList, from: &ResourceList| {
            let mut filled = from.clone();
            filled.replace(into);
            *into = filled;
        };
        fill(&mut self.default, &self.max);
        fill(&mut self.default_request, &self.default);
        fill(&mut self.default_request, &self.min);
    }
}

impl LimitRange {
    /// Whether it is for pods of this namespace.
    #[must_use]
    pub fn covers(&self, namespace: Option<&str>) -> bool {
        match (self.namespace.as_deref(), namespace) {
            (Some(own), Some(pods)) => own == pods,
            (Some(own), None) => own == "default",
            (None, _) => true,
        }
    }

    /// Gives containers the defaults that they lack. Comes after the API server's own defaulting.
    pub fn apply(&self, pod: &mut Pod) {
        for item in self.items.iter().filter(|item| item.scope == Scope::Container) {
            for container in pod.containers.iter_mut().filter(|container| container.role != Role::Ephemeral) {
                let Resources { requests, limits } = &mut container.resources;
                for (into, from) in [(requests, &item.default_request), (limits, &item.default)] {
                    let mut filled = from.clone();
                    filled.replace(into);
                    *into = filled;
                }
            }
        }
    }

    /// The bounds that a pod breaks, each with the container's name where it is about one.
    #[must_use]
    pub fn broken_by(&self, pod: &Pod) -> Vec<(Option<String>, Warning)> {
        let mut found = Vec::new();
        for item in &self.items {
            match item.scope {
                Scope::Container => {
                    for container in pod.counted() {
                        let broken = self.bounds(item, &container.resources);
                        found.extend(
                            broken.into_iter().map(|warning| (Some(container.name.clone()), warning)),
                        );
                    }
                }
                Scope::Pod => {
                    let effective = Effective { overhead: false, ..Effective::default() };
                    let all = Resources { requests: effective.requests(pod), limits: effective.limits(pod) };
                    found.extend(self.bounds(item, &all).into_iter().map(|warning| (None, warning)));
                }
            }
        }
        found
    }

    fn bounds(&self, item: &Item, resources: &Resources) -> Vec<Warning> {
        let milli = |list: &ResourceList| list.cpu.map(CpuQuantity::milli);
        let (request, limit) = (milli(&resources.requests), milli(&resources.limits));
        let broken = |bound, value: MilliCpu, of| Warning::LimitRangeBroken {
            limit_range: self.name.clone(),
            bound,
            value,
            of,
        };
        let mut found = Vec::new();
        if let Some(min) = milli(&item.min) {
            let below = |amount: Option<MilliCpu>| amount.is_some_and(|amount| amount < min);
            if request.is_none() || below(request) {
                found.push(broken(Bound::MinRequest, min, request));
            }
            if below(limit) {
                found.push(broken(Bound::MinLimit, min, limit));
            }
        }
        if let Some(max) = milli(&item.max) {
            if limit.is_none_or(|limit| limit > max) {
                found.push(broken(Bound::MaxLimit, max, limit));
            }
            if request.is_some_and(|request| request > max) {
                found.push(broken(Bound::MaxRequest, max, request));
            }
        }
        if let (Some(ratio), Some(request), Some(limit)) = (item.max_ratio, request, limit)
            && u128::from(limit.get()) * 1000 > u128::from(ratio.milli().get()) * u128::from(request.get())
        {
            found.push(broken(Bound::Ratio, ratio.milli(), Some(limit)));
        }
        found
    }
}

/// Which bound of a LimitRange.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// `min`, by the request.
    MinRequest,
    /// `min`, by the limit.
    MinLimit,
    /// `max`, by the limit.
    MaxLimit,
    /// `max`, by the request.
    MaxRequest,
    /// `maxLimitRequestRatio`.
    Ratio,
}
