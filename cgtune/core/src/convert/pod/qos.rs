//! A pod's quality of service class.
//!
//! Source: `ComputePodQOS` in pkg/apis/core/v1/helper/qos/qos.go at 0c4236dd.

use std::fmt;

use serde::Serialize;

use crate::{
    MilliCpu,
    convert::{
        pod::{Pod, Resources},
        quantity::{CpuQuantity, Quantity},
        resources::ResourceList,
    },
};

/// The class, which decides where the pod's group lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum QosClass {
    /// Every container limits CPU and memory, and requests as much.
    Guaranteed,
    /// Something is requested or limited.
    Burstable,
    /// Nothing is.
    BestEffort,
}

impl fmt::Display for QosClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Guaranteed => "Guaranteed",
            Self::Burstable => "Burstable",
            Self::BestEffort => "BestEffort",
        })
    }
}

/// Amounts above zero of the two resources that count.
#[derive(PartialEq, Eq)]
struct Counted {
    cpu: Option<MilliCpu>,
    memory: Option<Quantity>,
}

impl Counted {
    fn of(list: &ResourceList) -> Self {
        Self {
            cpu: list.cpu.map(CpuQuantity::milli).filter(|&cpu| cpu > MilliCpu::ZERO),
            memory: list.memory().filter(|&memory| memory > Quantity::ZERO),
        }
    }

    fn is_empty(&self) -> bool {
        self.cpu.is_none() && self.memory.is_none()
    }

    fn is_full(&self) -> bool {
        self.cpu.is_some() && self.memory.is_some()
    }
}

impl QosClass {
    /// The class of a pod after defaulting. Resources of the pod as a whole, where there are any, decide alone.
    #[must_use]
    pub fn of(pod: &Pod) -> Self {
        let mut sum = Resources::default();
        let mut all_limited = true;
        match pod.whole() {
            Some(own) => {
                sum = own.clone();
                all_limited = Counted::of(&own.limits).is_full();
            }
            None => {
                for container in pod.counted() {
                    sum.requests.add(&container.resources.requests);
                    sum.limits.add(&container.resources.limits);
                    all_limited &= Counted::of(&container.resources.limits).is_full();
                }
            }
        }
        let (requests, limits) = (Counted::of(&sum.requests), Counted::of(&sum.limits));
        if requests.is_empty() && limits.is_empty() {
            Self::BestEffort
        } else if all_limited && requests == limits {
            Self::Guaranteed
        } else {
            Self::Burstable
        }
    }
}
