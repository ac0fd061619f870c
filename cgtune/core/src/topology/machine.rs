//! A machine as it shows itself: its CPUs with what is known of each, its memory nodes, and what it does not show.
//!
//! This is what `cgtune topology --json` prints and what is read back from it. A choice of CPUs needs less: [`Machine::topology`].

use serde::{Deserialize, Serialize};

use super::{Cpu, Distances, Topology, TopologyError};
use crate::CpuSet;

/// A CPU takes many interrupts when it takes this many times as many as the mean CPU. Of two CPUs that is three in four.
const HEAVY_TIMES: f64 = 1.5;
/// And when it takes at least so many a second, where the time is known: fewer disturb nobody.
const HEAVY_PER_SECOND: f64 = 10.0;

/// A whole machine. Lists are `None` where the machine does not show them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The CPUs that are online, ascending.
    pub cpus: Vec<MachineCpu>,
    /// The memory nodes, ascending; those without CPUs and those without memory too. Empty: it shows none.
    #[serde(default)]
    pub nodes: Vec<Node>,
    /// The last-level caches that it shows, by their lowest CPU.
    #[serde(default)]
    pub caches: Vec<Cache>,
    /// CPUs that may ever be there (`cpu_possible_mask`), beyond those that are.
    #[serde(default)]
    pub possible: Option<CpuSet>,
    /// CPUs that are there and switched off.
    #[serde(default)]
    pub offline: Option<CpuSet>,
    /// CPUs that the scheduler leaves alone (`isolcpus=`, isolated cpuset partitions).
    #[serde(default)]
    pub isolated: Option<CpuSet>,
    /// CPUs whose tick stops while one task runs (`nohz_full=`).
    #[serde(default)]
    pub nohz_full: Option<CpuSet>,
    /// Whether cores may run several threads, in the kernel's words (`smt/control`): on, off, forceoff, notsupported, notimplemented, or
    /// how many.
    #[serde(default)]
    pub smt_control: Option<String>,
    /// Over how long the interrupts were counted, in milliseconds: since boot, or as long as was watched.
    #[serde(default)]
    pub interrupts_ms: Option<u64>,
    /// What it does not show or what had to be assumed, in sentences for people.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// A CPU that is online: where it lies ([`Cpu`]), and what else is known of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineCpu {
    /// Its number.
    pub cpu: u32,
    /// The lowest CPU of its core.
    pub core: u32,
    /// Its socket.
    pub socket: u32,
    /// Its memory node.
    pub node: u32,
    /// The lowest CPU of those that share its last-level cache.
    #[serde(default)]
    pub uncore: Option<u32>,
    /// Which kind of core. `None`: all are of one kind, or it is not shown.
    #[serde(default)]
    pub kind: Option<Kind>,
    /// How much it gets done, the strongest CPU of the machine having 1024 (`cpu_capacity`).
    #[serde(default)]
    pub capacity: Option<u32>,
    /// Its clock.
    #[serde(default)]
    pub frequency: Option<Frequency>,
    /// How many interrupts of devices it took, in [`Machine::interrupts_ms`].
    #[serde(default)]
    pub interrupts: Option<u64>,
}

/// Kinds of cores on a machine with several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The strongest.
    Big,
    /// Neither.
    Middle,
    /// The weakest.
    Little,
}

impl Kind {
    /// As it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Big => "big",
            Self::Middle => "middle",
            Self::Little => "little",
        }
    }
}

/// Bounds of a CPU's clock, in kHz (cpufreq).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Frequency {
    /// The lowest that it can (`cpuinfo_min_freq`).
    #[serde(default)]
    pub min_khz: Option<u64>,
    /// The highest that it can (`cpuinfo_max_freq`).
    #[serde(default)]
    pub max_khz: Option<u64>,
    /// The lowest that it is allowed (`scaling_min_freq`).
    #[serde(default)]
    pub limit_min_khz: Option<u64>,
    /// The highest that it is allowed (`scaling_max_freq`).
    #[serde(default)]
    pub limit_max_khz: Option<u64>,
}

/// A memory node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its number.
    pub node: u32,
    /// Its CPUs that are online.
    pub cpus: CpuSet,
    /// Its memory in bytes; 0: it has none. `None`: not shown.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    /// How far each of [`Machine::nodes`] is from here, in their order; 10 is here (ACPI SLIT). `None`: not shown.
    #[serde(default)]
    pub distances: Option<Vec<u32>>,
}

/// A last-level cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cache {
    /// The lowest CPU of those that share it.
    pub uncore: u32,
    /// Its level.
    pub level: u32,
    /// Its size. `None`: not shown.
    #[serde(default)]
    pub size_bytes: Option<u64>,
}

impl MachineCpu {
    /// Where it lies.
    #[must_use]
    pub const fn at(&self) -> Cpu {
        Cpu { cpu: self.cpu, core: self.core, socket: self.socket, node: self.node, uncore: self.uncore }
    }
}

impl From<Cpu> for MachineCpu {
    fn from(cpu: Cpu) -> Self {
        let Cpu { cpu, core, socket, node, uncore } = cpu;
        Self { cpu, core, socket, node, uncore, ..Self::default() }
    }
}

impl Machine {
    /// What CPUs are chosen from: those that are online.
    ///
    /// # Errors
    /// As [`Topology::new`].
    pub fn topology(&self) -> Result<Topology, TopologyError> {
        Topology::new(self.cpus.iter().map(MachineCpu::at))
    }

    /// Sorts CPUs, nodes and caches, of a description that anybody may have written.
    pub fn put_in_order(&mut self) {
        self.cpus.sort_by_key(|cpu| cpu.cpu);
        self.caches.sort_by_key(|cache| cache.uncore);
        // The distances of each node are in the order of all; where that is not theirs, nobody knows which is meant.
        if !self.nodes.is_sorted_by_key(|node| node.node) {
            self.nodes.iter_mut().for_each(|node| node.distances = None);
            self.nodes.sort_by_key(|node| node.node);
        }
    }

    /// The CPUs that are online.
    #[must_use]
    pub fn online(&self) -> CpuSet {
        self.cpus.iter().map(|cpu| cpu.cpu).collect()
    }

    /// How far its nodes are from each other. `None`: it does not show it, or has one.
    #[must_use]
    pub fn distances(&self) -> Option<Distances> {
        Distances::of(self)
    }

    /// The CPUs of a kind.
    #[must_use]
    pub fn of_kind(&self, kind: Kind) -> CpuSet {
        self.cpus.iter().filter(|cpu| cpu.kind == Some(kind)).map(|cpu| cpu.cpu).collect()
    }

    /// The CPUs that take many more interrupts of devices than the others do: one and a half times the mean, and ten a second where the
    /// time is known. Empty also where none are counted.
    #[must_use]
    pub fn interrupt_heavy(&self) -> CpuSet {
        let counted: Vec<(u32, f64)> =
            self.cpus.iter().filter_map(|cpu| Some((cpu.cpu, cpu.interrupts? as f64))).collect();
        let mean = counted.iter().map(|(_, count)| count).sum::<f64>() / counted.len().max(1) as f64;
        let seconds = self.interrupts_ms.map_or(0.0, |ms| ms as f64 / 1e3);
        let least = (mean * HEAVY_TIMES).max(HEAVY_PER_SECOND * seconds).max(1.0);
        counted.into_iter().filter(|(_, count)| *count >= least).map(|(cpu, _)| cpu).collect()
    }

    /// The CPUs that take enough interrupts of devices to disturb who runs there: ten a second, or where the time is not known many more than
    /// the others ([`interrupt_heavy`](Self::interrupt_heavy)).
    #[must_use]
    pub fn interrupted(&self) -> CpuSet {
        let Some(ms) = self.interrupts_ms else { return self.interrupt_heavy() };
        let least = (HEAVY_PER_SECOND * ms as f64 / 1e3).max(1.0);
        let disturbed =
            self.cpus.iter().filter(|cpu| cpu.interrupts.is_some_and(|count| count as f64 >= least));
        disturbed.map(|cpu| cpu.cpu).collect()
    }

    /// How many interrupts of devices these CPUs took together.
    #[must_use]
    pub fn interrupts_on(&self, cpus: &CpuSet) -> u64 {
        let on = self.cpus.iter().filter(|cpu| cpus.contains(cpu.cpu));
        on.filter_map(|cpu| cpu.interrupts).fold(0, u64::saturating_add)
    }

    /// Says of each CPU which kind it is by its capacity, where these differ.
    ///
    /// Two are alike where the kernel's scheduler takes them for alike: one is not 5 % above the other (`capacity_greater`,
    /// kernel/sched/fair.c, 6.12).
    pub fn kinds_by_capacity(&mut self) {
        let greater = |one: u32, other: u32| u64::from(one) * 1024 > u64::from(other) * 1078;
        let capacities = || self.cpus.iter().filter_map(|cpu| cpu.capacity);
        let (Some(least), Some(most)) = (capacities().min(), capacities().max()) else { return };
        if !greater(most, least) {
            return;
        }
        for cpu in &mut self.cpus {
            cpu.kind = cpu.capacity.map(|capacity| match capacity {
                strong if !greater(most, strong) => Kind::Big,
                weak if !greater(weak, least) => Kind::Little,
                _ => Kind::Middle,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of_capacities(capacities: &[u32]) -> Machine {
        let cpus = (0..).zip(capacities).map(|(cpu, &capacity)| MachineCpu {
            cpu,
            core: cpu,
            capacity: Some(capacity),
            ..MachineCpu::default()
        });
        Machine { cpus: cpus.collect(), ..Machine::default() }
    }

    #[test]
    fn kinds_follow_from_capacities_that_the_kernel_takes_for_different() {
        let mut three = of_capacities(&[250, 250, 871, 1024, 1010]);
        three.kinds_by_capacity();
        assert_eq!(three.of_kind(Kind::Little).to_string(), "0-1");
        assert_eq!(three.of_kind(Kind::Middle).to_string(), "2");
        assert_eq!(three.of_kind(Kind::Big).to_string(), "3-4");
        let mut one = of_capacities(&[1024, 1000]);
        one.kinds_by_capacity();
        assert!(one.cpus.iter().all(|cpu| cpu.kind.is_none()));
    }

    #[test]
    fn a_cpu_is_heavy_by_its_share_and_only_if_that_is_many() {
        let mut machine = of_capacities(&[0; 4]);
        assert!(machine.interrupt_heavy().is_empty(), "nothing was counted");
        for (cpu, count) in machine.cpus.iter_mut().zip([10, 9000, 20, 400]) {
            cpu.interrupts = Some(count);
        }
        assert_eq!(machine.interrupt_heavy().to_string(), "1");
        assert_eq!(machine.interrupted().to_string(), "1", "as long as nobody knows since when");
        machine.interrupts_ms = Some(3_600_000);
        assert!(machine.interrupt_heavy().is_empty(), "9000 in an hour are few");
        machine.interrupts_ms = Some(60_000);
        assert_eq!(machine.interrupt_heavy().to_string(), "1");
        machine.interrupts_ms = Some(10_000);
        assert_eq!(machine.interrupted().to_string(), "1,3", "40 a second disturb as well");
        assert_eq!(machine.interrupts_on(&"0,3,7".parse().unwrap()), 410);
    }

    #[test]
    fn the_least_that_is_read_is_a_list_of_cpus() {
        let text = r#"{"cpus":[{"cpu":1,"core":1,"socket":0,"node":0},{"cpu":3,"core":1,"socket":0,"node":0,"uncore":null}]}"#;
        let machine: Machine = serde_json::from_str(text).unwrap();
        assert_eq!(machine.topology().unwrap().all().to_string(), "1,3");
        assert_eq!((machine.offline, machine.nodes.len()), (None, 0));
    }

    fn list() -> impl Strategy<Value = CpuSet> {
        proptest::collection::vec(0_u32..9000, 0..9).prop_map(|cpus| cpus.into_iter().collect())
    }

    fn cpu() -> impl Strategy<Value = MachineCpu> {
        let kind =
            proptest::option::of(proptest::sample::select(vec![Kind::Big, Kind::Middle, Kind::Little]));
        let khz = || proptest::option::of(any::<u64>());
        let frequency = proptest::option::of((khz(), khz(), khz(), khz()).prop_map(
            |(min_khz, max_khz, limit_min_khz, limit_max_khz)| Frequency {
                min_khz,
                max_khz,
                limit_min_khz,
                limit_max_khz,
            },
        ));
        let at = (any::<u32>(), any::<u32>(), any::<u32>(), any::<u32>(), proptest::option::of(any::<u32>()));
        let more = (kind, proptest::option::of(any::<u32>()), frequency, proptest::option::of(any::<u64>()));
        (at, more).prop_map(|((cpu, core, socket, node, uncore), (kind, capacity, frequency, interrupts))| {
            MachineCpu { cpu, core, socket, node, uncore, kind, capacity, frequency, interrupts }
        })
    }

    fn machine() -> impl Strategy<Value = Machine> {
        let number = || proptest::option::of(any::<u64>());
        let distances = proptest::option::of(proptest::collection::vec(any::<u32>(), 0..4));
        let node = (any::<u32>(), list(), number(), distances)
            .prop_map(|(node, cpus, memory_bytes, distances)| Node { node, cpus, memory_bytes, distances });
        let cache = (any::<u32>(), any::<u32>(), number()).prop_map(|(uncore, level, size_bytes)| Cache {
            uncore,
            level,
            size_bytes,
        });
        let lists = [(); 4].map(|()| proptest::option::of(list()));
        let texts = (proptest::option::of(any::<String>()), proptest::collection::vec(any::<String>(), 0..3));
        let parts = (
            proptest::collection::vec(cpu(), 0..6),
            proptest::collection::vec(node, 0..3),
            proptest::collection::vec(cache, 0..3),
            lists,
            texts,
            number(),
        );
        parts.prop_map(|(cpus, nodes, caches, lists, (smt_control, notes), interrupts_ms)| {
            let [possible, offline, isolated, nohz_full] = lists;
            Machine {
                cpus,
                nodes,
                caches,
                possible,
                offline,
                isolated,
                nohz_full,
                smt_control,
                interrupts_ms,
                notes,
            }
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(machine in machine()) {
            let text = serde_json::to_string(&machine).unwrap();
            prop_assert_eq!(serde_json::from_str::<Machine>(&text).unwrap(), machine);
        }
    }
}
