//! What comes from below the scheduler: interrupts of devices, and time that a hypervisor withholds.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, Found, Name, seen::OthersSeen};
use crate::{CpuSet, Nanos};

/// How often a device has to interrupt a CPU to be told of: at ten microseconds each, a hundred times a second are a thousandth
/// of it.
pub const WORTH_INTERRUPTS: f64 = 100.0;
/// The part of a CPU that a hypervisor has to withhold to be told of. `/proc/stat` counts in hundredths of a second.
pub const WORTH_STEAL: f64 = 0.01;

/// A counter since the first look.
#[derive(Debug, Clone, Default)]
struct Counter {
    then: u64,
    now: u64,
    what: Vec<u8>,
    first: Option<Nanos>,
    last: Nanos,
    times: u64,
}

impl Counter {
    fn begin(count: u64, what: &[u8]) -> Self {
        Self { then: count, now: count, what: what.to_vec(), ..Self::default() }
    }

    fn look(&mut self, count: u64, at: Nanos) {
        if count > self.now {
            self.first.get_or_insert(at);
            self.last = at;
            self.times += 1;
        }
        // A device that was taken out and put back begins anew.
        if count < self.now {
            self.then = count.saturating_sub(self.more());
        }
        self.now = count;
    }

    fn more(&self) -> u64 {
        self.now.saturating_sub(self.then)
    }
}

/// What was counted on one group's CPUs.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    interrupts: BTreeMap<(u32, u32), Counter>,
    /// The interrupts that were shown last, and for which of the CPUs.
    numbers: BTreeSet<u32>,
    cpus: CpuSet,
    steal: BTreeMap<u32, Counter>,
    begun: Option<Nanos>,
    ended: Nanos,
    last_look: Nanos,
    looks: u64,
}

impl Ledger {
    pub(super) fn look(&mut self, cpus: &CpuSet, seen: &OthersSeen, at: Nanos) {
        self.begun.get_or_insert(seen.ended);
        self.ended = seen.ended;
        self.last_look = at;
        self.looks += u64::from(!seen.first);
        for interrupt in seen.interrupts.iter().flatten() {
            for &(cpu, count) in interrupt.counts.iter().filter(|(cpu, _)| cpus.contains(*cpu)) {
                let key = (interrupt.number, cpu);
                if let Some(counter) = self.interrupts.get_mut(&key) {
                    counter.look(count, at);
                } else if count > 0 {
                    // Most never come to most CPUs, and are not kept: one that was there before without a counter stood at 0.
                    let shown = self.numbers.contains(&interrupt.number) && self.cpus.contains(cpu);
                    let mut counter = Counter::begin(if shown { 0 } else { count }, &interrupt.what);
                    counter.look(count, at);
                    self.interrupts.insert(key, counter);
                }
            }
        }
        if let Some(interrupts) = &seen.interrupts {
            self.numbers = interrupts.iter().map(|interrupt| interrupt.number).collect();
            // The columns are the same on all lines.
            let shown = interrupts.first().into_iter().flat_map(|interrupt| &interrupt.counts);
            self.cpus = shown.map(|(cpu, _)| *cpu).filter(|cpu| cpus.contains(*cpu)).collect();
        }
        for &(cpu, steal) in seen.steal.iter().filter(|(cpu, _)| cpus.contains(*cpu)) {
            let begin = || Counter::begin(steal.get(), &[]);
            self.steal.entry(cpu).or_insert_with(begin).look(steal.get(), at);
        }
    }

    pub(super) fn found(self) -> Vec<Found> {
        let wall = self.begun.map(|begun| self.ended.saturating_sub(begun)).unwrap_or_default().as_secs();
        if wall == 0.0 {
            return Vec::new();
        }
        let (looks, last_look) = (self.looks, self.last_look);
        let found = |counter: &Counter, finding| Found {
            finding,
            first_seen: counter.first.unwrap_or_default(),
            last_seen: counter.last,
            times: counter.times,
            looks,
            still: counter.last == last_look,
        };
        let interrupts = self.interrupts.iter().filter_map(|(&(number, cpu), counter)| {
            let per_s = counter.more() as f64 / wall;
            let what = Name(counter.what.clone());
            let finding = Finding::Interrupts { cpu, number, what, count: counter.more(), per_s };
            (per_s >= WORTH_INTERRUPTS).then(|| found(counter, finding))
        });
        let steal = self.steal.iter().filter_map(|(&cpu, counter)| {
            let time = Nanos::new(counter.more());
            let ms_per_s = time.as_secs() * 1e3 / wall;
            (ms_per_s >= WORTH_STEAL * 1e3).then(|| found(counter, Finding::Steal { cpu, time, ms_per_s }))
        });
        interrupts.chain(steal).collect()
    }
}
