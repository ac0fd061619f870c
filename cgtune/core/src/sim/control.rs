//! A group of a simulated machine behind [`CpuControl`]: the fourth implementation, beside the real ones and the rule model.
//!
//! What may be written is the rule model's to say; what follows from it is the machine's.

use super::machine::{GroupId, Machine};
use crate::{
    Capabilities, CpuControl, Layout, Nanos, Observed, ObservedShare, Snapshot, Surroundings,
    parse::cpu_stat::{BandwidthCounters, BurstCounters, EventCount},
    plan::Write,
    rules::{Refusal, RuleModel},
    snapshot::{CgroupId, Usage},
};

/// A simulated cgroup.
pub struct SimulatedCgroup<'m, 'a> {
    machine: &'m mut Machine<'a>,
    group: GroupId,
    rules: RuleModel,
}

impl<'m, 'a> SimulatedCgroup<'m, 'a> {
    /// A group that has no limit yet, in the terms of a layout.
    pub fn new(machine: &'m mut Machine<'a>, group: GroupId, layout: Layout) -> Self {
        Self { machine, group, rules: RuleModel::new(layout, Surroundings::default()) }
    }

    /// The machine, to let time pass.
    pub const fn machine(&mut self) -> &mut Machine<'a> {
        self.machine
    }
}

impl CpuControl for SimulatedCgroup<'_, '_> {
    type Error = Refusal;

    fn capabilities(&self) -> Capabilities {
        self.rules.capabilities
    }

    fn surroundings(&mut self) -> Result<Surroundings, Refusal> {
        self.rules.surroundings()
    }

    fn observe(&mut self) -> Result<Observed, Refusal> {
        self.rules.observe()
    }

    fn write(&mut self, write: &Write) -> Result<(), Refusal> {
        self.rules.write(write)?;
        let Observed { share, bandwidth, .. } = &self.rules.observed;
        match (write, share, bandwidth) {
            (Write::Share(_), Some(ObservedShare::Weight(weight) | ObservedShare::Shares(weight)), _) => {
                self.machine.set_weight(self.group, *weight);
            }
            (Write::Quota(_) | Write::Period(_) | Write::Max { .. } | Write::Burst(_), _, Some(limits)) => {
                self.machine.set_limits(self.group, *limits);
            }
            _ => {}
        }
        Ok(())
    }

    fn sample(&mut self) -> Result<Snapshot, Refusal> {
        let counters = self.machine.counters(self.group);
        let mut snapshot = Snapshot::empty(self.machine.now(), CgroupId { inode: 1, boot: [0; 16] });
        snapshot.usage = Some(Usage::Counter(Nanos::new(counters.usage_ns)));
        snapshot.stat.bandwidth = Some(BandwidthCounters {
            nr_periods: EventCount::new(counters.nr_periods),
            nr_throttled: EventCount::new(counters.nr_throttled),
            throttled: Nanos::new(counters.throttled_ns),
        });
        snapshot.stat.bursts = Some(BurstCounters {
            nr_bursts: EventCount::new(counters.nr_bursts),
            burst: Nanos::new(counters.burst_ns),
        });
        Ok(snapshot)
    }
}
