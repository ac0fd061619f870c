//! The pods of a node, as far as a recommendation depends on them.

use std::sync::Arc;

use crate::{
    Bandwidth, Micros, MilliCpu, ObservedShare, Shares,
    assign::place::{Arrival, Wanted},
    convert::{
        CpuQuantity, kubelet,
        pod::{self, Pod, QosClass, Role},
    },
    diagnose::{Watched, remedy},
};

/// A pod that runs on the node, or is to.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownPod {
    /// `namespace/name`, fit to show.
    pub name: String,
    /// Its class.
    pub qos: QosClass,
    /// Whether it names its resources as a whole; then none of its containers gets CPUs of its own. Of a running one that
    /// isn't known, and it counts as one that does not.
    pub whole: bool,
    /// What it requests in all, with what a RuntimeClass adds. `None`: of a running one, what its containers' requests make.
    pub request: Option<MilliCpu>,
    /// Its containers, without ephemeral ones, in the order in which they begin.
    pub containers: Vec<KnownContainer>,
}

/// A container of a [`KnownPod`].
#[derive(Debug, Clone, PartialEq)]
pub struct KnownContainer {
    /// Its name, fit to show.
    pub name: String,
    /// What it is to its pod.
    pub role: Role,
    /// Its CPU request. `None`: it asks for nothing, or of a running one it is not known.
    pub request: Option<MilliCpu>,
    /// Its CPU limit.
    pub limit: Option<MilliCpu>,
    /// What was measured of it. `None`: nothing was, which doesn't say that it isn't throttled.
    pub throttled: Option<Throttled>,
    /// All that was seen of it while it was watched. `None`: nothing was.
    pub watched: Option<Arc<Watched>>,
}

/// How often a container was throttled while it was watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Throttled {
    /// Periods in which it wanted to run.
    pub nr_periods: u64,
    /// Those in which its quota ran out.
    pub nr_throttled: u64,
}

impl Throttled {
    /// Whether it is often enough to do something about it: from one period in a hundred on, the share from which
    /// requests of the slowest percent are met by it.
    const fn matters(self) -> bool {
        self.nr_throttled > 0 && self.nr_throttled.saturating_mul(100) >= self.nr_periods
    }

    /// Of several. `None`: of none.
    fn together<'a>(all: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        all.into_iter().copied().reduce(|sum, more| Self {
            nr_periods: sum.nr_periods.saturating_add(more.nr_periods),
            nr_throttled: sum.nr_throttled.saturating_add(more.nr_throttled),
        })
    }
}

impl KnownPod {
    /// From a pod after defaulting.
    #[must_use]
    pub fn of(name: String, pod: &Pod) -> Self {
        let in_order = pod.init_containers().chain(pod.with_role(Role::App));
        let containers = in_order.map(|container| KnownContainer {
            name: container.name.clone(),
            role: container.role,
            request: container.resources.requests.cpu.map(CpuQuantity::milli),
            limit: container.resources.limits.cpu.map(CpuQuantity::milli),
            throttled: None,
            watched: None,
        });
        let whole = pod.whole().is_some();
        let request = pod::Effective::default().requests(pod).cpu.map(CpuQuantity::milli);
        Self { name, qos: QosClass::of(pod), whole, request, containers: containers.collect() }
    }

    /// The pod as a node looks at it when it comes. Containers that share CPUs are in its request alone; the others are called by their
    /// place, since those of running ones may not be known.
    #[must_use]
    pub fn arrival(&self) -> Arrival {
        let wanted = |(place, container): (usize, &KnownContainer)| Wanted {
            name: place.to_string(),
            role: container.role,
            request: container.request.unwrap_or_default(),
            alone: self.pinned(container).unwrap_or(0),
        };
        let containers = self.containers.iter().enumerate().map(wanted).filter(|wanted| wanted.alone > 0);
        let sum = || {
            let (mut kept, mut most) = (MilliCpu::ZERO, MilliCpu::ZERO);
            for KnownContainer { role, request, .. } in &self.containers {
                let with = kept.saturating_add(request.unwrap_or_default());
                match role {
                    Role::Init => most = most.max(with),
                    Role::Sidecar | Role::App | Role::Ephemeral => kept = with,
                }
            }
            most.max(kept)
        };
        Arrival {
            class: self.qos,
            request: self.request.unwrap_or_else(sum),
            containers: containers.collect(),
        }
    }

    /// How many CPUs of its own the static policy gives to one of its containers. `None`: it shares.
    fn pinned(&self, container: &KnownContainer) -> Option<usize> {
        container.request.filter(|_| self.qos == QosClass::Guaranteed && !self.whole).and_then(whole_cpus)
    }
}

/// How many whole CPUs an amount is; `None` where it is none, or no whole ones.
fn whole_cpus(milli: MilliCpu) -> Option<usize> {
    let whole = milli.get() > 0 && milli.get().is_multiple_of(1000);
    whole.then(|| usize::try_from(milli.get() / 1000).unwrap_or(usize::MAX))
}

impl KnownContainer {
    /// From what the group of a running container shows.
    ///
    /// The request follows from `cpu.shares`. From `cpu.weight` it doesn't, as its formula depends on the runtime; then a
    /// Guaranteed container's is its limit. One without a quota has CPUs of its own, whose number it is: from those
    /// alone the kubelet takes the quota (since 1.33), unless `cpuCFSQuota` is off, which takes it from all (`quotas`).
    /// Whether it is an init container its group doesn't show; most that are met running are none.
    #[must_use]
    pub fn running(name: String, qos: QosClass, watched: Arc<Watched>, quotas: bool) -> Self {
        let observed = &watched.observed;
        let counted = watched.own.nr_periods().zip(watched.own.nr_throttled());
        let throttled = counted.map(|(nr_periods, nr_throttled)| Throttled { nr_periods, nr_throttled });
        let limit =
            observed.bandwidth.and_then(|bandwidth| kubelet::limit_of(bandwidth.quota, bandwidth.period));
        let own = observed.cpus.as_ref().filter(|cpus| quotas && limit.is_none() && !cpus.is_empty());
        let request = match observed.share {
            Some(ObservedShare::Shares(shares)) => {
                Shares::new(shares).ok().filter(|&shares| shares > Shares::MIN).map(kubelet::request_of)
            }
            _ if qos == QosClass::Guaranteed => limit.or_else(|| own.map(|cpus| super::whole(cpus.len()))),
            _ => None,
        };
        Self { name, role: Role::App, request, limit, throttled, watched: Some(watched) }
    }
}

/// A container that is throttled and shares CPUs whatever the policy.
#[derive(Debug, Clone, PartialEq)]
pub struct ThrottledShared {
    /// Its name, with its pod's.
    pub name: String,
    /// How often.
    pub throttled: Throttled,
    /// Its limit.
    limit: Option<MilliCpu>,
    watched: Option<Arc<Watched>>,
}

impl ThrottledShared {
    /// How long it was throttled, in ms per second, summed over CPUs. `None`: not known.
    #[must_use]
    pub fn stall_ms_per_s(&self) -> Option<f64> {
        let own = &self.watched.as_ref()?.own;
        let wall = own.wall().as_secs();
        (wall > 0.0).then(|| Some(own.throttled()?.as_secs() * 1e3 / wall))?
    }

    /// What the model of the controller expects of it with the quota that the kubelet gives it in another period. `None`: it shows no
    /// end to what it wants, its own quota does not run out, or too little is known.
    #[must_use]
    pub fn in_period(&self, period: Micros) -> Option<remedy::Expected> {
        let bandwidth = Bandwidth::new(kubelet::quota(self.limit?, period), period, Micros::ZERO).ok()?;
        remedy::under(self.watched.as_ref()?, bandwidth)
    }

    /// The same without a quota.
    #[must_use]
    pub fn without_quota(&self) -> Option<remedy::Expected> {
        remedy::under(self.watched.as_ref()?, Bandwidth::unlimited())
    }
}

/// What pods want of a node.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Demand {
    /// How many there are.
    pub pods: usize,
    /// Containers that the static policy gives CPUs of their own, and how many.
    pub pinned: Vec<(String, usize)>,
    /// How many CPUs the containers of each pod that has pinned ones have of their own at once.
    pub pinned_at_once: Vec<usize>,
    /// Pods with several containers that keep CPUs of their own, and how many CPUs they have at once.
    pub several_pinned: Vec<(String, usize)>,
    /// Throttled ones that would get CPUs of their own if their pod were Guaranteed: their limit is whole.
    pub could_pin: Vec<(String, MilliCpu, Throttled)>,
    /// Throttled ones that share CPUs whatever the policy, the most often throttled first.
    pub throttled_shared: Vec<ThrottledShared>,
    /// What was measured of those that are pinned.
    measured: Vec<Throttled>,
}

impl Demand {
    /// Of all pods together.
    #[must_use]
    pub fn of(pods: &[KnownPod]) -> Self {
        let mut demand = Self { pods: pods.len(), ..Self::default() };
        for pod in pods {
            for container in &pod.containers {
                demand.add(pod, container);
            }
            let arrival = pod.arrival();
            let at_once = Some(arrival.at_once()).filter(|&cpus| cpus > 0);
            demand.pinned_at_once.extend(at_once);
            if arrival.containers.iter().filter(|container| container.role != Role::Init).count() > 1 {
                demand.several_pinned.extend(at_once.map(|cpus| (pod.name.clone(), cpus)));
            }
        }
        demand.throttled_shared.sort_by_key(|shared| std::cmp::Reverse(shared.throttled.nr_throttled));
        demand
    }

    fn add(&mut self, pod: &KnownPod, container: &KnownContainer) {
        let name = format!("{}/{}", pod.name, container.name);
        let throttled = container.throttled.filter(|throttled| throttled.matters());
        match (pod.pinned(container), container.limit) {
            (Some(cpus), _) => {
                self.pinned.push((name, cpus));
                self.measured.extend(container.throttled);
            }
            (None, Some(limit)) if !pod.whole && whole_cpus(limit).is_some() => {
                self.could_pin.extend(throttled.map(|throttled| (name, limit, throttled)));
            }
            _ => self.throttled_shared.extend(throttled.map(|throttled| ThrottledShared {
                name,
                throttled,
                limit: container.limit,
                watched: container.watched.clone(),
            })),
        }
    }

    /// The pinned container with the most CPUs.
    #[must_use]
    pub fn largest(&self) -> Option<(&str, usize)> {
        self.pinned.iter().max_by_key(|(_, cpus)| *cpus).map(|(name, cpus)| (name.as_str(), *cpus))
    }

    /// What was measured of all pinned containers together. `None`: nothing was.
    #[must_use]
    pub fn pinned_throttled(&self) -> Option<Throttled> {
        Throttled::together(&self.measured)
    }

    /// What was measured of all together that would get CPUs of their own if their pods were Guaranteed. `None`: there are none.
    #[must_use]
    pub fn could_pin_throttled(&self) -> Option<Throttled> {
        Throttled::together(self.could_pin.iter().map(|(_, _, throttled)| throttled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Observed, ObservedBandwidth, Quota, diagnose::watched};

    fn observed(share: ObservedShare, quota: Quota, cpus: &str) -> Observed {
        Observed {
            share: Some(share),
            bandwidth: Some(ObservedBandwidth { quota, period: Micros::from_ms(100), burst: None }),
            cpus: Some(cpus.parse().unwrap()),
            ..Observed::default()
        }
    }

    /// Of which nothing but this was seen.
    fn seen(observed: Observed) -> Watched {
        Watched {
            observed,
            own: Arc::default(),
            above: Vec::new(),
            view_limited: false,
            idle: None,
            inner: false,
            threads: None,
            pressure: None,
            neighbours: Vec::new(),
            machine: watched::Machine::default(),
        }
    }

    /// As `policy::exclusive` and the kubelet have it.
    #[test]
    fn a_pod_that_names_its_resources_as_a_whole_has_nothing_pinned() {
        use crate::convert::{
            pod::{Container, Resources},
            resources::ResourceList,
        };
        let amounts = || ResourceList {
            cpu: Some("2".parse().unwrap()),
            others: [("memory".to_owned(), "1Gi".parse().unwrap())].into(),
        };
        let resources = || Resources { requests: amounts(), limits: amounts() };
        let mut pod = Pod {
            containers: vec![Container {
                name: "a".into(),
                role: Role::App,
                resources: resources(),
                status: None,
            }],
            ..Pod::default()
        };
        let demand = |pod: &Pod| Demand::of(&[KnownPod::of("shop/a".into(), pod)]);
        assert_eq!(demand(&pod).pinned, [("shop/a/a".to_owned(), 2)]);
        pod.resources = Some(resources());
        let known = KnownPod::of("shop/a".into(), &pod);
        assert_eq!((known.qos, demand(&pod).pinned), (QosClass::Guaranteed, Vec::new()));
        assert!(demand(&pod).pinned_at_once.is_empty());
    }

    #[test]
    fn a_running_container_asks_for_what_its_group_shows() {
        let of = |qos, observed: &Observed| {
            let watched = Arc::new(seen(observed.clone()));
            let found = KnownContainer::running("a".into(), qos, watched, true);
            (found.request.map(MilliCpu::get), found.limit.map(MilliCpu::get))
        };
        let two = Quota::Limited(Micros::from_ms(200));
        let (guaranteed, burstable) = (QosClass::Guaranteed, QosClass::Burstable);
        let v1 = observed(ObservedShare::Shares(2048), two, "");
        assert_eq!(of(guaranteed, &v1), (Some(2000), Some(2000)));
        let v2 = observed(ObservedShare::Weight(174), two, "");
        assert_eq!((of(guaranteed, &v2), of(burstable, &v2)), ((Some(2000), Some(2000)), (None, Some(2000))));
        let pinned = observed(ObservedShare::Weight(174), Quota::Unlimited, "2-3");
        assert_eq!(of(guaranteed, &pinned), (Some(2000), None));
        assert_eq!(of(burstable, &pinned), (None, None));
        let nothing = observed(ObservedShare::Shares(2), Quota::Unlimited, "");
        assert_eq!(of(QosClass::BestEffort, &nothing), (None, None));
    }
}
