//! `cgtune visit-cpus`: the load of `diagnose --probe-kernel`, in a cgroup that the probe made. Not for people.

use anyhow::{Context as _, anyhow};
use cgtune_core::{
    CpuSet, Nanos,
    diagnose::expiry::{PERIOD, Probe, VISIT},
};
use cgtune_sys::{affinity, clock};

use crate::{exit::Exit, streams::Streams};

/// Use a little CPU time on one CPU after the other, for a minute at most
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which CPUs
    cpus: CpuSet,
}

/// Whoever started it ends it; where that one was killed it ends itself.
const LONGEST: Nanos = Nanos::new(60_000_000_000);

pub(crate) fn run(args: &Args, _: &mut Streams<'_>) -> anyhow::Result<Exit> {
    let probe = Probe::on(args.cpus.len()).context("it takes two CPUs")?;
    let begun = clock::now();
    std::thread::scope(|scope| {
        let mut first = begun;
        let mut visitors = Vec::new();
        for cpu in args.cpus.iter().take(probe.cpus()) {
            let visits = move || visit([cpu].into_iter().collect(), first, begun.saturating_add(LONGEST));
            visitors.push(scope.spawn(visits));
            first = first.saturating_add(probe.step());
        }
        for visitor in visitors {
            visitor.join().map_err(|_| anyhow!("a thread has panicked"))??;
        }
        Ok(Exit::Done)
    })
}

/// Visits one CPU in every period.
fn visit(cpu: CpuSet, first: Nanos, end: Nanos) -> anyhow::Result<()> {
    affinity::set(None, &cpu).with_context(|| format!("cannot go to CPU {cpu}"))?;
    let mut next = first;
    let mut spent = clock::thread_cpu();
    while next < end {
        clock::sleep_until(next);
        // What going to sleep took belongs to the visit before, and is made up for: emulated, it is a quarter of one.
        spent = spent.saturating_add(VISIT.to_nanos()).max(clock::thread_cpu());
        while clock::thread_cpu() < spent {
            std::hint::spin_loop();
        }
        // Whoever was throttled meanwhile must not make up for it: that would use the quota up.
        while next <= clock::now() {
            next = next.saturating_add(PERIOD.to_nanos());
        }
    }
    Ok(())
}
