//! A group that is not throttled and waits all the same: for CPUs that others use.

use super::{
    Cause,
    finding::{Confidence, Evidence, Finding, NeighbourEvidence, WaitingEvidence},
    quota::used_by_threads,
    watched::{Neighbour, Watched},
};
use crate::{CpuSet, Nanos, text::Escaped};

/// Others that have less than this part of what it and they use together hold nobody up: whatever waits, waits for its
/// own siblings.
const OTHERS_COUNT: f64 = 0.15;
/// Throttled time is known by sampling how many threads it held, so more than it is taken off.
const MARGIN: f64 = 1.25;

/// Run delay outside throttling, in ns, summed over threads. `None`: the threads could not be read.
pub(super) fn run_delay(watched: &Watched, throttled: Nanos) -> Option<f64> {
    Some(outside(watched, throttled, watched.threads.as_ref()?.run_delay))
}

/// Threads that wanted to run when any did, on average.
fn wanting(watched: &Watched) -> f64 {
    let counts = watched.threads.iter().flat_map(|threads| &threads.runnable);
    let (sum, number) = counts
        .filter(|count| count.threads > 0)
        .fold((0.0, 0.0), |(sum, number), count| (sum + f64::from(count.threads), number + 1.0));
    if number > 0.0 { sum / number } else { 1.0 }
}

/// What of a run delay is not throttled time.
fn outside(watched: &Watched, throttled: Nanos, run_delay: Nanos) -> f64 {
    let wanting = wanting(watched);
    let at_once = watched.width().unwrap_or(1).max(1) as f64;
    // Throttled time counts CPUs, run delay counts threads.
    let held = throttled.get() as f64 * (wanting / at_once).max(1.0);
    (run_delay.get() as f64 - held * MARGIN).max(0.0)
}

/// Who waits, and what they used and waited, in ns.
struct Waiters {
    cause: Cause,
    used: f64,
    waited: f64,
}

fn waiters(watched: &Watched, throttled: Nanos) -> Option<Waiters> {
    let cause = if watched.idle.is_some() { Cause::IdleClass } else { Cause::Starved };
    let Some(threads) = &watched.threads else {
        // Threads in another pid namespace are counted by nobody, but PSI still says for how long some waited.
        let waited = watched.pressure?.saturating_sub(throttled).get() as f64;
        return Some(Waiters { cause, used: watched.own.usage()?.get() as f64, waited });
    };
    // Threads in SCHED_IDLE wait for those of their own group too, so those count among the others.
    let idle = threads.idle;
    if idle.count > 0 && idle.run_delay.get() > threads.run_delay.get() / 2 {
        let waited = outside(watched, throttled, idle.run_delay);
        return Some(Waiters { cause: Cause::IdleClass, used: idle.cpu.get() as f64, waited });
    }
    let used = watched.own.usage().unwrap_or(threads.cpu).get() as f64;
    // While so many share its CPUs, one runs and the others wait for it, not for strangers.
    let width = watched.width().unwrap_or(1).max(1) as f64;
    let for_its_own = used * ((wanting(watched) - width) / width).max(0.0);
    let waited = (run_delay(watched, throttled)? - for_its_own).max(0.0);
    Some(Waiters { cause, used, waited })
}

/// What the CPUs that it may run on did, in ns.
fn busy(watched: &Watched) -> Option<f64> {
    let machine = &watched.machine;
    let own = watched.observed.effective_cpus.as_ref().filter(|cpus| !cpus.is_empty());
    if let (Some(own), Some(online)) = (own, &machine.online)
        && own.len() < online.len()
        && !machine.busy.is_empty()
    {
        let there = machine.busy.iter().filter(|(cpu, _)| own.contains(*cpu));
        return Some(there.map(|(_, busy)| busy.get() as f64).sum());
    }
    machine.series.usage().map(|usage| usage.get() as f64)
}

/// The finding, if it waits at all. `throttled`: time throttled by whatever quota.
pub(super) fn finding(watched: &Watched, throttled: Nanos) -> Option<Finding> {
    let wall = watched.own.wall().get() as f64;
    let Waiters { cause, used, waited } = waiters(watched, throttled)?;
    if wall <= 0.0 {
        return None;
    }
    let others = busy(watched).map(|busy| (busy - used).max(0.0));
    let steal = watched.machine.steal.map_or(0.0, |steal| steal.get() as f64);
    if let Some(others) = others
        && others + steal < OTHERS_COUNT * (others + steal + used)
    {
        return None;
    }
    // Nobody waits longer for others than those have run. Where they cannot be seen, what waits beyond its own CPUs'
    // worth waits for its siblings.
    let cost = match others {
        Some(others) => waited.min(others + steal),
        None => waited.min((watched.width().unwrap_or(1) as f64 * wall - used).max(0.0)),
    };
    let evidence = WaitingEvidence {
        run_delay_ms_per_s: watched.threads.as_ref().map(|_| waited / wall * 1e3),
        pressure_some_ratio: watched.pressure_ratio(),
        used_cpus: watched.own.cpus_used().or_else(|| used_by_threads(watched)),
        others_cpus: others.map(|others| others / wall),
        steal_cpus: watched.machine.steal.map(|steal| steal.get() as f64 / wall),
        cpus: watched.width(),
        online_cpus: watched.machine.online.as_ref().map(CpuSet::len),
        share: watched.observed.share,
        idle_levels_up: watched.idle,
        idle_threads: watched.threads.as_ref().map(|threads| threads.idle.count),
        threads: watched.threads.as_ref().map(|threads| threads.count),
        neighbours: watched.neighbours.iter().map(|neighbour| shown(neighbour, watched)).collect(),
    };
    let confidence = match (others, throttled.get() as f64 > waited) {
        _ if watched.threads.is_none() => Confidence::Low,
        (Some(_), false) => Confidence::High,
        (Some(_), true) => Confidence::Medium,
        (None, _) => Confidence::Low,
    };
    Some(Finding {
        cause,
        stall_ms_per_s: Some(cost / wall * 1e3),
        confidence,
        remedies: Vec::new(),
        evidence: Evidence::Waiting(evidence),
    })
}

fn shown(neighbour: &Neighbour, watched: &Watched) -> NeighbourEvidence {
    let both = watched.observed.effective_cpus.as_ref().zip(neighbour.cpus.as_ref());
    NeighbourEvidence {
        path: Escaped(&neighbour.path).to_string(),
        used_cpus: neighbour.usage.as_secs() / watched.own.wall().as_secs(),
        shared_cpus: both.map(|(own, theirs)| own.intersection(theirs).len()),
        share: neighbour.share,
    }
}
