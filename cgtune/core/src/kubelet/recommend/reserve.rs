//! Which CPUs are kept from pods: whole cores, those that devices interrupt most if a few are, else from the lowest on.

use std::cmp::Reverse;

use super::{Change, Evidence, Expected, Field, Given, Making, Reason, Remark, Reserve, Risk, amount, whole};
use crate::{CpuSet, MilliCpu, Nanos, Topology, topology::Level};

/// What is usually reserved on a machine of so many CPUs: 6 % of the first, 1 % of the second, 0.5 % of the next two, 0.25 %
/// of all others, as GKE does (cloud.google.com/kubernetes-engine/docs/concepts/plan-node-sizes).
#[must_use]
pub fn usual_reserve(cpus: usize) -> MilliCpu {
    /// Tenths of a thousandth, of the first, the second, the third and fourth, and every other CPU.
    const TENTHS: [(usize, u64); 4] = [(1, 600), (1, 100), (2, 50), (usize::MAX, 25)];
    let mut left = cpus;
    let mut tenths = 0_u64;
    for (count, each) in TENTHS {
        let taken = left.min(count);
        left -= taken;
        tenths = tenths.saturating_add(each.saturating_mul(u64::try_from(taken).unwrap_or(u64::MAX)));
    }
    MilliCpu::new(tenths.div_ceil(10))
}

/// Cores are chosen for the devices' interrupts only if together they take at least this part of them all: half.
const MOST_OF: u64 = 2;
/// Fewer hundredths of them on other CPUs than the reserved are not worth a word.
const ELSEWHERE: u64 = 5;

impl Making<'_> {
    /// What will be reserved, with the changes for it. `None`: it would be everything.
    pub(super) fn reserved(&mut self) -> Option<Reserve> {
        let (config, topology) = (self.situation.config, self.situation.topology);
        let named = |cgroup: &Option<String>| cgroup.as_ref().is_some_and(|cgroup| !cgroup.is_empty());
        let online = topology.cpus().len();
        let present = self.effective.reserved();
        let wanted = if present > MilliCpu::ZERO { present } else { usual_reserve(online) };
        let count = usize::try_from(wanted.get().div_ceil(1000)).unwrap_or(usize::MAX).max(1);
        let evidence = match present > MilliCpu::ZERO {
            true => Evidence::Reserved { amount: present },
            false => Evidence::UsualReserve { amount: wanted, cpus: online },
        };
        let named_cores = topology.whole_cores(&self.effective.reserved_system_cpus);
        let interrupted = self.interrupted_cores(count);
        // Made whole, those that are named may be everything.
        let cpus = match (named_cores.len(), &interrupted) {
            (named, _) if named > 0 && named < online => named_cores,
            (_, Some(cores)) => low_cores(topology, cores, count),
            (_, None) => low_cores(topology, &CpuSet::new(), count),
        };
        if cpus.len() == online {
            self.done.remarks.push(Remark::AllReserved { amount: wanted, cpus: online });
            return None;
        }
        if named(&config.system_reserved_cgroup) || named(&config.kube_reserved_cgroup) {
            return Some(self.amounts(cpus.len(), evidence));
        }
        let expected = Expected::Allocatable {
            before: whole(online).saturating_sub(present),
            after: whole(online - cpus.len()),
        };
        if self.effective.reserved_system_cpus != cpus {
            let to = Some(Given::Text(cpus.to_string()));
            let reason = Reason::ReserveCores { cpus: cpus.clone() };
            let change = self.change(Field::ReservedCpus, to, reason, Risk::Allocatable);
            change.evidence.push(evidence);
            change.expected.push(expected);
            let taken =
                interrupted.filter(|cores| cores.is_subset(&cpus)).and_then(|cores| self.taken(cores));
            if let Some(change) = self.done.changes.last_mut() {
                change.evidence.extend(taken);
            }
        }
        self.interrupts_elsewhere(&cpus);
        for (field, given) in [
            (Field::SystemReservedCpu, &config.system_reserved),
            (Field::KubeReservedCpu, &config.kube_reserved),
        ] {
            if given.as_ref().is_some_and(|amounts| amounts.contains_key("cpu")) {
                let reason = Reason::Overridden { cpus: cpus.len() };
                let change = self.change(field, None, reason, Risk::None);
                change.evidence.push(Evidence::ReservedCpus { cpus: cpus.clone() });
            }
        }
        Some(Reserve::Cpus(cpus))
    }

    /// The cores that take most of the devices' interrupts, no more than so many CPUs. `None`: they take less than half of all, or the
    /// machine does not show it.
    fn interrupted_cores(&self, count: usize) -> Option<CpuSet> {
        let machine = self.situation.machine?;
        let heavy = machine.interrupt_heavy();
        let cores = self.situation.topology.each(Level::Core).map(|(_, cpus)| cpus);
        let mut cores: Vec<CpuSet> = cores.filter(|core| !core.intersection(&heavy).is_empty()).collect();
        cores.sort_by_key(|core| (Reverse(machine.interrupts_on(core)), core.iter().next()));
        let mut taken = CpuSet::new();
        for core in cores {
            if taken.len() >= count {
                break;
            }
            taken = taken.union(&core);
        }
        let (on, all) = (machine.interrupts_on(&taken), machine.interrupts_on(&machine.online()));
        (on > 0 && on.saturating_mul(MOST_OF) >= all).then_some(taken)
    }

    /// What these CPUs take of the devices' interrupts.
    fn taken(&self, cpus: CpuSet) -> Option<Evidence> {
        let machine = self.situation.machine?;
        let all = machine.interrupts_on(&machine.online());
        let percent = hundredths(machine.interrupts_on(&cpus), all);
        let time = machine.interrupts_ms.map(|ms| Nanos::new(ms.saturating_mul(1_000_000)));
        Some(Evidence::Interrupts { cpus, percent, all, time })
    }

    /// Says so where devices interrupt CPUs that are not reserved.
    fn interrupts_elsewhere(&mut self, reserved: &CpuSet) {
        let Some(machine) = self.situation.machine else { return };
        let cpus = machine.interrupted().difference(reserved);
        let all = machine.interrupts_on(&machine.online());
        let percent = hundredths(machine.interrupts_on(&cpus), all);
        if percent >= ELSEWHERE {
            self.done.remarks.push(Remark::InterruptsElsewhere { cpus, percent, reserved: reserved.clone() });
        }
    }

    /// Amounts that make whole cores, where a cgroup is enforced.
    fn amounts(&mut self, cpus: usize, evidence: Evidence) -> Reserve {
        let (system, kube) = (self.effective.system_reserved, self.effective.kube_reserved);
        let missing = whole(cpus).saturating_sub(system.saturating_add(kube));
        if missing > MilliCpu::ZERO {
            let to = Some(amount(system.saturating_add(missing)));
            let online = whole(self.situation.topology.cpus().len());
            let expected = Expected::Allocatable {
                before: online.saturating_sub(system.saturating_add(kube)),
                after: online.saturating_sub(whole(cpus)),
            };
            let change: &mut Change =
                self.change(Field::SystemReservedCpu, to, Reason::WholeAmount { cpus }, Risk::Allocatable);
            change.evidence.push(evidence);
            change.expected.push(expected);
        }
        Reserve::Amount { cpus }
    }
}

/// How many hundredths of all, rounded.
fn hundredths(part: u64, all: u64) -> u64 {
    (part as f64 * 100.0 / all.max(1) as f64).round() as u64
}

/// Cores that are chosen already, and whole ones from the one with the lowest CPU on, until there are so many CPUs.
fn low_cores(topology: &Topology, chosen: &CpuSet, count: usize) -> CpuSet {
    let mut cores: Vec<CpuSet> = topology.each(Level::Core).map(|(_, cpus)| cpus).collect();
    cores.sort_by_key(|core| core.iter().next());
    let mut taken: Vec<u32> = chosen.iter().collect();
    for core in cores.into_iter().filter(|core| core.intersection(chosen).is_empty()) {
        if taken.len() >= count {
            break;
        }
        taken.extend(core.iter());
    }
    taken.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Cpu;

    #[test]
    fn what_is_usually_reserved_grows_slowly() {
        for (cpus, milli) in [(1, 60), (2, 70), (4, 80), (8, 90), (64, 230), (1024, 2630)] {
            assert_eq!(usual_reserve(cpus).get(), milli, "{cpus}");
        }
    }

    #[test]
    fn low_cores_are_taken_whole() {
        let cpu = |cpu: u32| Cpu { cpu, core: cpu % 8, socket: 0, node: 0, uncore: None };
        let topology = Topology::new((0..16).map(cpu)).unwrap();
        let low = |chosen: &str, count| low_cores(&topology, &chosen.parse().unwrap(), count).to_string();
        assert_eq!(low("", 1), "0,8");
        assert_eq!(low("", 3), "0-1,8-9");
        assert_eq!(low("5,13", 2), "5,13");
        assert_eq!(low("5,13", 3), "0,5,8,13");
    }
}
