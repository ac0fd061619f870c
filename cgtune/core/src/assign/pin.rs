//! CPUs for one group that somebody pins by hand: chosen as the kubelet would choose, or as eru would, and looked at once more.

mod remark;

use itertools::Itertools as _;

use super::{
    NotEnough,
    fragment::{Fragment, Shared},
    policy::{Refusal, Static},
};

pub use remark::Remark;

use crate::{
    CpuSet, MilliCpu, PolicyError, Shares,
    topology::{Kind, Level, Machine},
};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// What may be chosen from; reserved CPUs are left out of it.
    pub available: CpuSet,
    /// How much: whole CPUs, or with a fraction whole ones and a part of one that is shared.
    pub amount: MilliCpu,
    /// Nodes to take from first, as the topology manager hints.
    pub nodes: Option<&'a [u32]>,
    /// Where parts already lie.
    pub shared: &'a Shared,
    /// CPUs that are taken only where nothing else is left: busy with interrupts, say.
    pub avoid: &'a CpuSet,
    /// Whether a number that is no multiple of whole cores goes through all the same, as in upstream's allocator under
    /// `distribute-cpus-across-numa`.
    pub any_count: bool,
}

/// What was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinning {
    /// CPUs for the group alone.
    pub alone: CpuSet,
    /// The one that it shares.
    pub shared: Option<u32>,
    /// The shares that its part is worth there. `None`: it has no part, and nobody competes.
    pub shares: Option<Shares>,
    /// The memory nodes of all of these.
    pub mems: CpuSet,
    /// The search for an even division ended at its bound ([`TRIES`](super::TRIES)).
    pub bounded: bool,
    /// What is worth knowing about the choice.
    pub remarks: Vec<Remark>,
}

impl Pinning {
    /// All of its CPUs.
    #[must_use]
    pub fn cpus(&self) -> CpuSet {
        self.alone.iter().chain(self.shared).collect()
    }
}

/// Why nothing is chosen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unpinned {
    /// Not a thousandth of a CPU.
    #[error("no CPU is asked for")]
    Nothing,
    /// A part of a CPU where only whole cores may be given.
    #[error("{amount} CPUs are not whole cores, as full-pcpus-only wants them")]
    Part {
        /// What was asked for.
        amount: MilliCpu,
    },
    /// The policy refuses.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No CPU has so much left, and none is left to begin with.
    #[error("no CPU that is left has room for {part} more")]
    NoRoom {
        /// What was asked for beyond whole CPUs.
        part: MilliCpu,
    },
    /// Shares that the kernel does not take.
    #[error(transparent)]
    Shares(#[from] PolicyError),
}

impl From<NotEnough> for Unpinned {
    fn from(error: NotEnough) -> Self {
        Self::Refused(error.into())
    }
}

/// What is known of the machine besides where its CPUs lie, and matters to these.
#[must_use]
pub fn of_machine(machine: &Machine, cpus: &CpuSet) -> Vec<Remark> {
    let interrupts = machine.interrupt_heavy().intersection(cpus);
    let of = |list: &Option<CpuSet>| {
        list.as_ref().map(|list| list.intersection(cpus)).filter(|_| cpus.len() > 1).unwrap_or_default()
    };
    // Alone there it is what somebody wanted it for.
    let (isolated, nohz_full) = (of(&machine.isolated), of(&machine.nohz_full));
    let of_these = machine.cpus.iter().filter(|cpu| cpus.contains(cpu.cpu));
    let kinds: Vec<Kind> = of_these.filter_map(|cpu| cpu.kind).sorted().dedup().collect();
    [
        (!interrupts.is_empty()).then_some(Remark::Interrupts { cpus: interrupts }),
        (!isolated.is_empty()).then_some(Remark::Isolated { cpus: isolated }),
        (!nohz_full.is_empty()).then_some(Remark::NohzFull { cpus: nohz_full }),
        (kinds.len() > 1).then_some(Remark::Kinds(kinds)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Chooses.
///
/// # Errors
/// There is not enough, or not as it must be.
pub fn pin(policy: &Static<'_>, ask: &Ask<'_>) -> Result<Pinning, Unpinned> {
    let Fragment { whole, part } = Fragment::of(ask.amount);
    if ask.amount == MilliCpu::ZERO {
        return Err(Unpinned::Nothing);
    }
    if part > MilliCpu::ZERO && policy.options().full_pcpus_only {
        return Err(Unpinned::Part { amount: ask.amount });
    }
    let available = ask.available.intersection(policy.topology().all()).difference(policy.reserved());
    let for_alone = available.difference(&ask.shared.cpus());
    if !ask.any_count {
        policy.check_whole_cores(&for_alone, whole)?;
    }
    let mut choice = Choice { policy, avoid: ask.avoid.clone(), bounded: false };
    let mut alone = choice.take(&for_alone, whole, ask.nodes)?;
    let in_whole_cores = |cpus: &CpuSet| policy.topology().whole_cores(cpus) == *cpus;
    if policy.options().full_pcpus_only && !ask.any_count && !in_whole_cores(&alone) {
        // Upstream counts halves of cores, too, and then breaks its own promise.
        let all = policy.topology().all();
        let broken = policy.topology().whole_cores(&all.difference(&for_alone));
        let whole_cores = all.difference(&broken);
        if whole_cores.len() < whole {
            let per_core = policy.topology().per_group(Level::Core);
            let available = whole_cores.len();
            return Err(Refusal::NoWholeCores { available, requested: whole, per_core }.into());
        }
        // Half a core to be avoided is a core to be avoided.
        choice.avoid = policy.topology().whole_cores(ask.avoid);
        alone = choice.take(&whole_cores, whole, ask.nodes)?;
    }
    let shared = match part {
        MilliCpu::ZERO => None,
        part => Some(shared(ask, &mut choice, part, &available, &alone)?),
    };
    let bounded = choice.bounded;
    let shares = shared.map(|_| Fragment { whole, part }.shares()).transpose()?;
    let mut pinning = Pinning { alone, shared, shares, mems: CpuSet::new(), bounded, remarks: Vec::new() };
    let cpus = pinning.cpus();
    pinning.mems = policy.topology().groups_of(Level::Node, &cpus).into_iter().collect();
    pinning.remarks = remarks(policy, ask, &cpus);
    Ok(pinning)
}

/// Takes CPUs, and remembers how.
struct Choice<'a, 't> {
    policy: &'a Static<'t>,
    avoid: CpuSet,
    bounded: bool,
}

impl Choice<'_, '_> {
    /// So many of these, and of those to be avoided only what is missing.
    fn take(&mut self, from: &CpuSet, count: usize, nodes: Option<&[u32]>) -> Result<CpuSet, NotEnough> {
        let good = from.difference(&self.avoid);
        let first = count.min(good.len());
        if first < count && from.len() < count {
            return Err(NotEnough { requested: count, available: from.len() });
        }
        let mut taken = self.choose(&good, first, nodes)?;
        if first < count {
            taken = taken.union(&self.choose(&from.difference(&good), count - first, nodes)?);
        }
        Ok(taken)
    }

    fn choose(&mut self, from: &CpuSet, count: usize, nodes: Option<&[u32]>) -> Result<CpuSet, NotEnough> {
        let chosen = self.policy.choose(from, count, nodes)?;
        self.bounded |= chosen.bounded;
        Ok(chosen.cpus)
    }
}

/// The CPU for a part: one where parts lie already, near the others; a new one near them; then one farther away.
fn shared(
    ask: &Ask<'_>,
    choice: &mut Choice<'_, '_>,
    part: MilliCpu,
    available: &CpuSet,
    alone: &CpuSet,
) -> Result<u32, Unpinned> {
    let topology = choice.policy.topology();
    let near = topology.groups_of(Level::Node, alone);
    let near = if near.is_empty() { ask.nodes.map(<[u32]>::to_vec) } else { Some(near) };
    let is_near = |cpu: &u32| match &near {
        Some(nodes) => topology.get(*cpu).is_some_and(|cpu| nodes.contains(&cpu.node)),
        None => true,
    };
    let lying = ask.shared.cpus().intersection(available);
    let new = available.difference(&lying).difference(alone);
    let (lying_near, new_near): (CpuSet, CpuSet) =
        (lying.iter().filter(is_near).collect(), new.iter().filter(is_near).collect());
    if let Some(cpu) = ask.shared.best(part, &lying_near) {
        return Ok(cpu);
    }
    let far = ask.shared.best(part, &lying).filter(|_| new_near.is_empty());
    if let Some(cpu) = far {
        return Ok(cpu);
    }
    let from = if new_near.is_empty() { &new } else { &new_near };
    if from.is_empty() {
        return Err(Unpinned::NoRoom { part });
    }
    let one = choice.take(from, 1, None)?;
    one.iter().next().ok_or(Unpinned::NoRoom { part })
}

fn remarks(policy: &Static<'_>, ask: &Ask<'_>, cpus: &CpuSet) -> Vec<Remark> {
    let topology = policy.topology();
    let some = |set: CpuSet, remark: fn(CpuSet) -> Remark| (!set.is_empty()).then(|| remark(set));
    let siblings = topology.whole_cores(cpus).difference(cpus);
    let beside = |others: &CpuSet| topology.whole_cores(others).intersection(cpus);
    let reserved = beside(&siblings.intersection(policy.reserved()));
    let others = siblings.difference(policy.reserved());
    let (nodes, caches) = (topology.groups_of(Level::Node, cpus), topology.groups_of(Level::Uncore, cpus));
    let elsewhere = ask.nodes.map(|nodes| cpus.difference(&policy.aligned(nodes)));
    let even = topology.groups(Level::Core).members.iter().map(Vec::len).all_equal();
    let knows_caches = topology.cpus().iter().all(|cpu| cpu.uncore.is_some());
    [
        some(reserved, |cpus| Remark::Reserved { cpus }),
        (!others.is_empty()).then(|| Remark::Siblings { cpus: beside(&others), siblings: others }),
        elsewhere.and_then(|cpus| some(cpus, |cpus| Remark::Elsewhere { cpus })),
        (nodes.len() > 1).then_some(Remark::Nodes(nodes)),
        (caches.len() > 1 && knows_caches).then_some(Remark::Caches(caches)),
        some(cpus.intersection(ask.avoid), |cpus| Remark::Avoided { cpus }),
        (!even).then_some(Remark::Uneven { per_core: topology.per_group(Level::Core) }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Topology,
        assign::{Uncore, policy::Reserve},
        kubelet::Options,
        topology::Cpu,
    };

    /// Two nodes of two cores of two threads: 0, 1, 4, 5 and 2, 3, 6, 7.
    fn topology() -> Topology {
        let cpu = |cpu: u32| Cpu { cpu, core: cpu % 4, socket: cpu % 4 / 2, node: cpu % 4 / 2, uncore: None };
        Topology::new((0..8).map(cpu)).unwrap()
    }

    #[derive(Default)]
    struct Case {
        options: Options,
        nodes: Option<Vec<u32>>,
        shared: Shared,
        avoid: &'static str,
    }

    impl Case {
        /// CPU 0 is reserved.
        fn pin(&self, milli: u64) -> Result<Pinning, Unpinned> {
            let topology = topology();
            let reserve = Reserve { count: 1, list: Some("0".parse().unwrap()) };
            let policy = Static::new(&topology, reserve, self.options, Uncore::Ignored, false).unwrap();
            let ask = Ask {
                available: topology.all().clone(),
                amount: MilliCpu::new(milli),
                nodes: self.nodes.as_deref(),
                shared: &self.shared,
                avoid: &self.avoid.parse().unwrap(),
                any_count: false,
            };
            pin(&policy, &ask)
        }

        fn cpus(&self, milli: u64) -> (String, Option<u32>, Option<u64>) {
            let found = self.pin(milli).unwrap();
            (found.alone.to_string(), found.shared, found.shares.map(Shares::get))
        }
    }

    #[test]
    fn an_amount_with_a_fraction_gets_whole_cpus_and_shares_of_one_near_by() {
        let case = Case::default();
        assert_eq!(case.cpus(2000), ("1,5".to_owned(), None, None));
        assert_eq!(
            case.cpus(1200),
            ("4".to_owned(), Some(1), Some(205)),
            "4 is what the reserved CPU leaves of its core"
        );
        assert_eq!(case.cpus(500), ("".to_owned(), Some(4), Some(512)));
    }

    #[test]
    fn parts_come_together_where_they_fit_and_nobody_gets_their_cpu_alone() {
        let mut case = Case::default();
        case.shared.give(4, MilliCpu::new(500));
        assert_eq!(case.cpus(1500), ("1".to_owned(), Some(4), Some(512)));
        assert_eq!(case.cpus(1600).1, Some(5), "600 more do not fit");
        assert!(matches!(case.pin(7000), Err(Unpinned::Refused(Refusal::NotEnough(_)))), "six are left");
        assert_eq!(
            case.pin(6600),
            Err(Unpinned::NoRoom { part: MilliCpu::new(600) }),
            "on CPU 4 there are 500"
        );
    }

    #[test]
    fn what_matters_later_is_said() {
        let mut case = Case::default();
        let remarks = case.pin(1000).unwrap().remarks;
        assert_eq!(remarks, [Remark::Reserved { cpus: "4".parse().unwrap() }]);
        case.nodes = Some(vec![0]);
        case.avoid = "1,5";
        let remarks = case.pin(4000).unwrap().remarks;
        let set = |list: &str| list.parse().unwrap();
        let expected = [
            Remark::Reserved { cpus: set("4") },
            Remark::Siblings { cpus: set("3"), siblings: set("7") },
            Remark::Elsewhere { cpus: set("2-3,6") },
            Remark::Nodes(vec![0, 1]),
        ];
        assert_eq!(remarks, expected, "1 and 5 were avoided");
    }

    #[test]
    fn what_is_to_be_avoided_is_taken_last_and_no_more_of_it_than_must_be() {
        let case = Case { avoid: "4-5", ..Case::default() };
        assert_eq!(case.cpus(5000).0, "1-3,6-7", "five of seven are good");
        let six: CpuSet = case.cpus(6000).0.parse().unwrap();
        assert!("1-3,6-7".parse::<CpuSet>().unwrap().is_subset(&six), "{six}");
        let options = Options { full_pcpus_only: true, ..Options::default() };
        // 1 and 2 are halves of two cores: the other halves are no whole cores either.
        let halves = Case { options, avoid: "1-2", ..Case::default() };
        assert_eq!(halves.cpus(2000).0, "3,7");
        assert_eq!(halves.cpus(6000).0, "1-3,5-7", "nothing else is left");
    }

    #[test]
    fn a_part_stays_near_its_cpus_before_it_joins_others_far_away() {
        let mut case = Case { nodes: Some(vec![1]), ..Case::default() };
        case.shared.give(1, MilliCpu::new(500));
        let (alone, shared, _) = case.cpus(1200);
        assert_eq!((alone.as_str(), shared), ("2", Some(6)), "CPU 1 is on the other node");
    }

    #[test]
    fn whole_cores_are_whole_cores() {
        let options = Options { full_pcpus_only: true, ..Options::default() };
        let case = Case { options, ..Case::default() };
        assert_eq!(case.cpus(2000).0, "1,5");
        assert!(matches!(case.pin(3000), Err(Unpinned::Refused(Refusal::NoMultiple { .. }))));
        assert!(matches!(case.pin(1500), Err(Unpinned::Part { .. })));
        assert_eq!(Case::default().pin(0), Err(Unpinned::Nothing));
    }
}
