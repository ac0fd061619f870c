//! What a node's configuration should say about CPU: from its CPUs, its pods, what was measured, and what it says today.
//!
//! A pure function ([`recommend`]) makes [`Change`]s, each with its reason, what it rests on, what is expected of it and what it risks;
//! [`Alternative`]s, which cost others something and so are not among the changes; what the release lacks; and [`Remark`]s. Nothing
//! is expected that wasn't measured or doesn't follow from a rule of kernel or kubelet ([`Expected`]).
//!
//! The decisions:
//!
//! - The static policy where somebody gains from it: Guaranteed pods with whole CPUs, or throttled containers that could become
//!   such. Where nothing is known of pods it is recommended from the machine alone, since it changes nothing for others.
//! - Not on two CPUs or on one core: whole reserved cores leave nothing to pin there.
//! - `full-pcpus-only` where cores have several threads, unless a known container asks for an odd count, which it would refuse.
//!   Then it is taken out where it is on.
//! - `strict-cpu-reservation` and the alignment by last-level cache from their beta on; `distribute-cpus-across-numa` for containers that
//!   are larger than a NUMA node, and only then.
//! - Reserved CPUs by number, as whole cores, in place of amounts: those that take half of the devices' interrupts or more where there are
//!   such, else the lowest, where most devices' interrupts begin; where a cgroup is enforced, which excludes numbers, amounts
//!   that make whole cores.
//! - The topology manager by the size of the largest pinned container against a NUMA node, or under its scope `pod` of all that a
//!   pod has pinned at once. The scope `pod` where a pod has several pinned containers, and every pod's fit a node together;
//!   `prefer-closest-numa-nodes` for what no node holds, where some nodes are nearer than others.
//! - Never `align-by-socket`: it is alpha in every release, and excludes `single-numa-node`.
//!
//! Where the pods are known, each change that decides who gets which CPUs is tried on a model of the kubelet ([`Effect`]).

mod change;
mod effect;
mod field;
mod pods;
mod reserve;
mod topology_manager;
mod words;

use crate::{
    Micros, MilliCpu, Topology,
    convert::CpuQuantity,
    diagnose::remedy,
    kubelet::{
        config::{CpuManagerPolicy, Effective, KubeletConfig},
        duration::GoDuration,
        gates::{Gate, Stage},
        options::{Options, PolicyOption},
        release::Release,
    },
    topology::{Level, Machine},
};

pub use change::{
    Alternative, Change, Evidence, Expected, Lack, Reason, Recommendation, Remark, Reserve, Risk,
};
pub use effect::{Divided, Effect, Filled, MOST_CONTAINERS, MOST_CPUS, MOST_PODS, Modelled, Refused};
pub use field::{Field, Given};
pub use pods::{Demand, KnownContainer, KnownPod, Throttled, ThrottledShared};
pub use reserve::usual_reserve;

/// What a recommendation is made from.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// Whose kubelet.
    pub release: Release,
    /// The machine's CPUs.
    pub topology: &'a Topology,
    /// What the configuration says today; empty where there is none.
    pub config: &'a KubeletConfig,
    /// What is known of the machine besides: distances, interrupts. `None`: nothing.
    pub machine: Option<&'a Machine>,
    /// The pods that run here or are to. `None`: nothing is known of them, which is not the same as none.
    pub pods: Option<&'a [KnownPod]>,
}

/// The period that is offered in place of a longer one.
const SHORTER: Micros = Micros::from_ms(20);
/// Fewest CPUs on which something is left to pin.
const FEWEST: usize = 3;

/// What a configuration should say.
#[must_use]
pub fn recommend(situation: &Situation<'_>) -> Recommendation {
    let effective = situation.config.effective(situation.release);
    let demand = situation.pods.map(Demand::of);
    let mut making = Making {
        situation,
        effective,
        demand,
        left: situation.topology.cpus().len(),
        done: Recommendation::default(),
    };
    making.enforcement();
    if making.wants_pinning() {
        making.pinning();
    }
    making.quotas();
    let mut done = making.done;
    effect::model(situation, &mut done);
    done
}

/// A recommendation that is being made.
struct Making<'a> {
    situation: &'a Situation<'a>,
    effective: Effective,
    demand: Option<Demand>,
    /// How many CPUs are left beside the reserved ones. Who wants more cannot run here, and has no say.
    left: usize,
    done: Recommendation,
}

impl Making<'_> {
    /// Whether somebody gains from CPUs of their own, and there are enough.
    fn wants_pinning(&mut self) -> bool {
        let topology = self.situation.topology;
        let (cpus, cores) = (topology.cpus().len(), topology.count(Level::Core));
        if cpus < FEWEST || cores < 2 {
            self.done.remarks.push(Remark::TooSmall { cpus, cores });
            return false;
        }
        let Some(demand) = &self.demand else {
            self.done.remarks.push(Remark::PodsUnknown);
            return true;
        };
        for (name, limit, _) in &demand.could_pin {
            self.done.remarks.push(Remark::CouldPin { container: name.clone(), limit: *limit });
        }
        let wanted = !demand.pinned.is_empty() || !demand.could_pin.is_empty();
        if !wanted {
            let present = self.effective.cpu_manager_policy == CpuManagerPolicy::Static;
            self.done.remarks.push(Remark::NobodyToPin { pods: demand.pods, present });
        }
        wanted
    }

    fn change(&mut self, field: Field, to: Option<Given>, reason: Reason, risk: Risk) -> &mut Change {
        let from = field.get(self.situation.config);
        self.done.changes.push(Change {
            field,
            from,
            to,
            reason,
            evidence: Vec::new(),
            expected: Vec::new(),
            risk,
        });
        // Cannot fail: it was pushed just now.
        let last = self.done.changes.len() - 1;
        &mut self.done.changes[last]
    }

    fn pinning(&mut self) {
        let Some(reserve) = self.reserved() else { return };
        self.left = self.left.saturating_sub(reserve.cpus());
        self.policy();
        self.options(&reserve);
        self.topology_manager(&reserve);
    }

    /// The static policy itself.
    fn policy(&mut self) {
        let evidence = self.evidence();
        let version = self.situation.release.version();
        let drops_quota = Gate::DisableCPUQuotaWithExclusiveCPUs;
        let known = drops_quota.stage(version).is_some();
        let expected = self.demand.as_ref().filter(|_| known && self.effective.cpu_cfs_quota);
        // Where nothing was throttled, nothing becomes better.
        let expected =
            expected.and_then(Demand::pinned_throttled).filter(|throttled| throttled.nr_throttled > 0);
        let mut expected: Vec<Expected> = expected
            .into_iter()
            .map(|Throttled { nr_periods, nr_throttled }| Expected::QuotaGone { nr_periods, nr_throttled })
            .collect();
        let could_pin = self.demand.as_ref().filter(|_| known && self.effective.cpu_cfs_quota);
        expected.extend(could_pin.and_then(Demand::could_pin_throttled).map(
            |Throttled { nr_periods, nr_throttled }| Expected::OnceGuaranteed { nr_periods, nr_throttled },
        ));
        // Without quotas there are none to take off.
        let quotas = self.effective.cpu_cfs_quota;
        if known && quotas && !self.situation.config.open(drops_quota, self.situation.release) {
            let mut without = self.situation.config.clone();
            without.feature_gates.remove(&drops_quota.to_string());
            // Where AllBeta closes it, it has to be opened itself.
            let to = (!without.open(drops_quota, self.situation.release)).then_some(Given::Bool(true));
            let change = self.change(Field::Gate(drops_quota), to, Reason::QuotaOnPinned, Risk::QuotaGone);
            change.evidence = evidence.clone();
            // The policy alone would not bring it about.
            change.expected = std::mem::take(&mut expected);
        }
        if self.effective.cpu_manager_policy != CpuManagerPolicy::Static {
            let to = Some(Given::Text(CpuManagerPolicy::Static.name().to_owned()));
            let change = self.change(Field::CpuManagerPolicy, to, Reason::Pinning, Risk::Pinning);
            change.evidence = evidence;
            change.expected = expected;
        }
        if !known && self.effective.cpu_cfs_quota {
            self.done.lacking.push(Lack::Gate { gate: drops_quota });
        }
        let left = self.left;
        let pinned = self.demand.iter().flat_map(|demand| &demand.pinned);
        for (name, cpus) in pinned.filter(|(_, cpus)| *cpus > left) {
            self.done.remarks.push(Remark::DoesNotFit { container: name.clone(), cpus: *cpus, left });
        }
    }

    /// What the static policy rests on.
    fn evidence(&self) -> Vec<Evidence> {
        let Some(demand) = &self.demand else { return vec![Evidence::PodsUnknown] };
        let mut evidence = Vec::new();
        if let Some((container, cpus)) = demand.largest() {
            let containers = demand.pinned.len();
            evidence.push(Evidence::Pinned { containers, container: container.to_owned(), cpus });
        }
        if !demand.could_pin.is_empty() {
            evidence.push(Evidence::CouldPin { containers: demand.could_pin.len() });
        }
        if let Some(Throttled { nr_periods, nr_throttled }) = demand.pinned_throttled()
            && nr_periods > 0
        {
            evidence.push(Evidence::Throttled { nr_periods, nr_throttled });
        }
        evidence
    }

    fn options(&mut self, reserve: &Reserve) {
        let topology = self.situation.topology;
        let threads = topology.per_group(Level::Core);
        let (sockets, caches) = (topology.count(Level::Socket), topology.count(Level::Uncore));
        let nodes = topology.count(Level::Node);
        let (smallest, largest) = self.node_sizes(reserve);
        if threads > 1 {
            let odd: Vec<_> = self.pinned().filter(|(_, cpus)| !cpus.is_multiple_of(threads)).collect();
            match odd.into_iter().next() {
                // Who chose it keeps it, unless it refuses a known container.
                Some((container, cpus)) if self.effective.options.full_pcpus_only => {
                    let (field, reason) = (
                        Field::Option(PolicyOption::FullPcpusOnly),
                        Reason::OddCount { container, cpus, threads },
                    );
                    let change = self.change(field, None, reason, Risk::SharedCores);
                    change.evidence.push(Evidence::Threads { threads });
                }
                Some((container, cpus)) => {
                    self.done.remarks.push(Remark::OddCount { container, cpus, threads });
                }
                None => self.option(
                    PolicyOption::FullPcpusOnly,
                    Reason::WholeCores { threads },
                    Risk::OddCounts { threads },
                    Evidence::Threads { threads },
                ),
            }
        }
        self.option(
            PolicyOption::StrictCpuReservation,
            Reason::StrictReservation { reserve: reserve.clone() },
            Risk::SmallerPool { left: topology.cpus().len().saturating_sub(reserve.cpus()) },
            Evidence::Cpus { cpus: topology.cpus().len() },
        );
        let larger = self.pinned().find(|(_, cpus)| *cpus > largest);
        match larger.filter(|_| nodes > 1) {
            Some((container, cpus)) => self.option(
                PolicyOption::DistributeCpusAcrossNuma,
                Reason::LargerThanNode { container, cpus, node: largest },
                Risk::Spread,
                Evidence::Nodes { nodes, smallest, largest },
            ),
            None if caches > sockets && caches > 1 => self.option(
                PolicyOption::PreferAlignCpusByUncorecache,
                Reason::SeveralCaches { caches, cpus: topology.per_group(Level::Uncore) },
                Risk::BestEffort,
                Evidence::Caches { caches, sockets },
            ),
            None => {}
        }
    }

    /// An option, where the release has it past alpha, it isn't on already, and nothing that is on excludes it.
    fn option(&mut self, option: PolicyOption, reason: Reason, risk: Risk, evidence: Evidence) {
        let (config, release) = (self.situation.config, self.situation.release);
        let present = self.present_options();
        if present.get(option) {
            return;
        }
        let mut with = present;
        with.set(option, true);
        if let Some(exclusion) = with.exclusions().next() {
            let other = if exclusion.0 == option { exclusion.1 } else { exclusion.0 };
            self.done.remarks.push(Remark::Excluded { option, other });
            return;
        }
        match option.stage(release.version()) {
            Some(Stage::Beta | Stage::Stable) => {}
            stage => {
                self.done.lacking.push(Lack::Option { option, alpha: stage.is_some() });
                return;
            }
        }
        if let Some(gate) = option.gate(release.version()).filter(|&gate| !config.open(gate, release)) {
            self.done.remarks.push(Remark::GateClosed { option: option.name(), gate });
            return;
        }
        let to = Some(Given::Text("true".to_owned()));
        self.change(Field::Option(option), to, reason, risk).evidence.push(evidence);
    }

    /// Options that are on, or will be by the changes so far.
    fn present_options(&self) -> Options {
        let mut options = self.effective.options;
        for change in &self.done.changes {
            if let Field::Option(option) = change.field {
                options.set(option, change.to.is_some());
            }
        }
        options
    }

    /// CPUs of the smallest and of the largest NUMA node that are not reserved; nodes without any don't count.
    fn node_sizes(&self, reserve: &Reserve) -> (usize, usize) {
        let nodes = self.situation.topology.each(Level::Node);
        let left = nodes.map(|(_, cpus)| match reserve {
            Reserve::Cpus(reserved) => cpus.difference(reserved).len(),
            Reserve::Amount { .. } => cpus.len(),
        });
        let left: Vec<usize> = left.filter(|&cpus| cpus > 0).collect();
        let size = |found: Option<&usize>| found.copied().unwrap_or(0);
        (size(left.iter().min()), size(left.iter().max()))
    }

    /// Containers that get CPUs of their own, and how many, of those that can run here.
    fn pinned(&self) -> impl Iterator<Item = (String, usize)> + use<> {
        let pinned = self.demand.iter().flat_map(|demand| &demand.pinned);
        let pinned: Vec<_> = pinned.filter(|(_, cpus)| *cpus <= self.left).cloned().collect();
        pinned.into_iter()
    }

    /// That pods do not get what is reserved.
    fn enforcement(&mut self) {
        let enforced = &self.effective.enforce_node_allocatable;
        let nothing = enforced.iter().all(|value| value == "none");
        if nothing && self.effective.cgroups_per_qos {
            let to = Some(Given::List(vec!["pods".to_owned()]));
            let change = self.change(Field::Enforce, to, Reason::Enforce, Risk::PodsHeld);
            change.evidence.push(Evidence::EnforcesNothing);
        }
    }

    /// What could be done for those that are throttled and cannot be pinned. It is done to all of a node, so it is no change.
    fn quotas(&mut self) {
        let Some(demand) = &self.demand else { return };
        let (config, release) = (self.situation.config, self.situation.release);
        let Some(shared) = demand.throttled_shared.first().cloned() else { return };
        if !self.effective.cpu_cfs_quota {
            return;
        }
        let Throttled { nr_periods, nr_throttled } = shared.throttled;
        let evidence = Evidence::ThrottledShared {
            containers: demand.throttled_shared.len(),
            container: shared.name.clone(),
            nr_periods,
            nr_throttled,
            stall_ms_per_s: shared.stall_ms_per_s().map(|stall| stall.round() as u64),
        };
        let stall = |expected| Expected::Stall { container: shared.name.clone(), expected };
        let shorter = shared.in_period(SHORTER);
        // What comes at once and took part of one quota may take several small ones.
        let longer = |then: &remedy::Expected| then.stall_ms_per_s.median >= then.stall_ms_per_s_now.median;
        if self.effective.cpu_cfs_quota_period <= SHORTER {
            // It is as short as that already.
        } else if let Some(expected) = shorter.filter(longer) {
            let container = shared.name.clone();
            self.done.remarks.push(Remark::LongerStalls { period: SHORTER, container, expected });
        } else {
            let gate = Gate::CustomCPUCFSQuotaPeriod;
            let gate = (!config.open(gate, release)).then_some(gate);
            self.done.alternatives.push(Alternative {
                field: Field::CpuCfsQuotaPeriod,
                to: Given::Text(GoDuration::from(SHORTER).to_string()),
                gate,
                reason: Reason::ShorterPeriod,
                evidence: evidence.clone(),
                expected: shorter.map(&stall),
                risk: Risk::ShorterPeriod,
            });
        }
        self.done.alternatives.push(Alternative {
            field: Field::CpuCfsQuota,
            to: Given::Bool(false),
            gate: None,
            reason: Reason::NoQuota,
            evidence,
            expected: Some(
                shared.without_quota().map_or(Expected::NoQuotas { nr_periods, nr_throttled }, stall),
            ),
            risk: Risk::NoQuota,
        });
    }
}

/// Thousandths of so many CPUs, as a quantity.
fn whole(cpus: usize) -> MilliCpu {
    MilliCpu::new(u64::try_from(cpus).unwrap_or(u64::MAX).saturating_mul(1000))
}

/// An amount as it is written in a configuration.
fn amount(cpu: MilliCpu) -> Given {
    Given::Text(CpuQuantity::from(cpu).to_string())
}
