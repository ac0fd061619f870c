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
    let threads = watched.threads.as_ref()?;
    let wanting = threads.runnable.iter().map(|count| count.threads).max().unwrap_or(1);
    let at_once = watched.width().unwrap_or(1).max(1) as f64;
    // Throttled time counts CPUs, run delay counts threads.
    let held = throttled.get() as f64 * (f64::from(wanting) / at_once).max(1.0);
    Some((threads.run_delay.get() as f64 - held * MARGIN).max(0.0))
}

/// The finding, if it waits at all. `throttled`: time throttled by whatever quota.
pub(super) fn finding(watched: &Watched, throttled: Nanos) -> Option<Finding> {
    let wall = watched.own.wall().get() as f64;
    let waited = run_delay(watched, throttled)?;
    if wall <= 0.0 {
        return None;
    }
    let own =
        watched.own.usage().map(Nanos::get).or(watched.threads.as_ref().map(|threads| threads.cpu.get()))?;
    let all = watched.machine.series.usage().map(|usage| usage.get() as f64);
    let others = all.map(|all| (all - own as f64).max(0.0));
    let steal = watched.machine.steal.map_or(0.0, |steal| steal.get() as f64);
    if let Some(others) = others
        && others + steal < OTHERS_COUNT * (others + steal + own as f64)
    {
        return None;
    }
    // Nobody waits longer for others than those have run. Where they cannot be seen, what waits beyond its own CPUs'
    // worth waits for its siblings.
    let cost = match others {
        Some(others) => waited.min(others + steal),
        None => waited.min((watched.width().unwrap_or(1) as f64 * wall - own as f64).max(0.0)),
    };
    let idle_threads = watched.threads.as_ref().map(|threads| threads.idle_policy);
    let all_idle = watched
        .threads
        .as_ref()
        .is_some_and(|threads| threads.looked_at > 0 && threads.idle_policy * 2 > threads.looked_at);
    let cause = if watched.idle.is_some() || all_idle { Cause::IdleClass } else { Cause::Starved };
    let evidence = WaitingEvidence {
        run_delay_ms_per_s: Some(waited / wall * 1e3),
        used_cpus: watched.own.cpus_used().or_else(|| used_by_threads(watched)),
        others_cpus: others.map(|others| others / wall),
        steal_cpus: watched.machine.steal.map(|steal| steal.get() as f64 / wall),
        cpus: watched.width(),
        online_cpus: watched.machine.online.as_ref().map(CpuSet::len),
        share: watched.observed.share,
        idle_levels_up: watched.idle,
        idle_threads,
        threads: watched.threads.as_ref().map(|threads| threads.count),
        neighbours: watched.neighbours.iter().map(|neighbour| shown(neighbour, wall)).collect(),
    };
    let confidence = match (others, throttled.get() as f64 > waited) {
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

fn shown(neighbour: &Neighbour, wall: f64) -> NeighbourEvidence {
    NeighbourEvidence {
        path: Escaped(&neighbour.path).to_string(),
        used_cpus: neighbour.usage.get() as f64 / wall,
        share: neighbour.share,
    }
}
