//! Which CPUs are kept from pods: whole cores, from the lowest on.

use super::{Change, Evidence, Expected, Field, Given, Making, Reason, Remark, Reserve, Risk, amount, whole};
use crate::{CpuSet, MilliCpu, Topology, topology::Level};

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
        let cpus = match named_cores.len() {
            0 => low_cores(topology, count),
            // Made whole, they would be everything.
            all if all == online => low_cores(topology, count),
            _ => named_cores,
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
        }
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

/// Whole cores from the one with the lowest CPU on, until there are so many CPUs.
fn low_cores(topology: &Topology, count: usize) -> CpuSet {
    let mut cores: Vec<CpuSet> = topology.each(Level::Core).map(|(_, cpus)| cpus).collect();
    cores.sort_by_key(|core| core.iter().next());
    let mut taken: Vec<u32> = Vec::new();
    for core in cores {
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
        assert_eq!(low_cores(&topology, 1).to_string(), "0,8");
        assert_eq!(low_cores(&topology, 3).to_string(), "0-1,8-9");
    }
}
