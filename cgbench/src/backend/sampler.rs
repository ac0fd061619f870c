//! Reads the load's counters while a block runs, on a thread of its own and on absolute deadlines.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use cgtune_core::{CpuControl as _, Nanos, Snapshot};
use cgtune_sys::{Cgroup, Hierarchies, clock};

use crate::record::SampleTable;

/// Time between readings. Each costs a small virtual machine, its timer's interrupt included, more than 100 µs, so there are few. Less
/// than the shortest usual period (20 ms), and no divisor of any: readings that drift against the period find when it ends to within
/// a millisecond or two, as the chart of the worst second does. No multiple of a tick either (1, 10/3, 4, 10 ms): a thread that always
/// runs as the tick does is charged whole ticks by the kernels that account so.
pub(super) const EVERY: Nanos = Nanos::new(15_700_000);

/// A running sampler.
pub(super) struct Sampler {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<SampleTable>,
}

impl Sampler {
    /// Starts sampling at `origin`, to which the instants of the table relate.
    pub(super) fn start(
        hierarchies: &Hierarchies,
        path: &Path,
        origin: Nanos,
    ) -> Result<Self, cgtune_sys::Error> {
        let mut cgroup = Cgroup::open(hierarchies, path)?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut table = SampleTable::default();
            let mut next = origin;
            while !stopped.load(Ordering::Relaxed) {
                clock::sleep_until(next);
                // A group that vanishes under us ends the block elsewhere; here it ends the table.
                let Ok(snapshot) = cgroup.sample() else { break };
                push(&mut table, &snapshot, origin);
                // Missed deadlines are left out, not caught up: a burst of readings would disturb and tell nothing.
                while next <= snapshot.at {
                    next = next.saturating_add(EVERY);
                }
            }
            table
        });
        Ok(Self { stop, thread })
    }

    /// Stops and gives what was read.
    pub(super) fn finish(self) -> SampleTable {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default()
    }
}

fn push(table: &mut SampleTable, snapshot: &Snapshot, origin: Nanos) {
    table.at_ns.push(snapshot.at.checked_sub(origin).unwrap_or_default().get());
    if let Some(bandwidth) = snapshot.stat.bandwidth {
        table.nr_periods.push(bandwidth.nr_periods.get());
        table.nr_throttled.push(bandwidth.nr_throttled.get());
        table.throttled_ns.push(bandwidth.throttled.get());
    }
    if let Some(usage) = snapshot.usage_total() {
        table.usage_ns.push(usage.get());
    }
}
