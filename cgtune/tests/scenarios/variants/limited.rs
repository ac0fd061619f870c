//! Groups that their own quota throttles.

use super::super::{
    Machine,
    draw::Draw,
    situation::{Cpus, Group, Limit, Load, Pulse, Situation},
};

/// The usual period.
const PERIOD_MS: u64 = 100;

fn one(draw: &mut Draw, limit: Limit, load: Load) -> Situation {
    let mut situation = Situation::alone(draw, Group::below(None).limited(limit));
    situation.load(situation.watched, load);
    situation
}

/// The same limit twice: on the pod and on its only container.
fn in_equal_pod(limit: Limit, load: Load) -> Situation {
    let mut situation = Situation::default();
    let pod = situation.add(Group::below(None).limited(limit));
    situation.watched = situation.add(Group::below(Some(pod)).limited(limit));
    situation.load(situation.watched, load);
    situation
}

/// Pulses of so many quotas each that average such a part of the limit.
fn pulses(draw: &mut Draw, limit: Limit, threads: u32, quotas: (f64, f64), part: (f64, f64)) -> Load {
    let work_us = draw.between(quotas.0, quotas.1) * limit.quota_us as f64;
    let average = draw.between(part.0, part.1) * limit.cpus();
    Load::Pulse(Pulse::averaging(draw, threads, work_us, average))
}

// Sustained demand.

pub(super) fn hog(draw: &mut Draw, _: Machine) -> Situation {
    let limit = Limit::of(draw.between(0.2, 0.8), PERIOD_MS);
    one(draw, limit, Load::Hog { threads: 1 })
}

pub(super) fn overload(draw: &mut Draw, _: Machine) -> Situation {
    let limit = Limit::of(draw.between(0.2, 0.6), PERIOD_MS);
    let load = pulses(draw, limit, 1, (0.4, 1.5), (1.15, 1.6));
    one(draw, limit, load)
}

pub(super) fn two_hogs(draw: &mut Draw, _: Machine) -> Situation {
    let limit = Limit::of(draw.between(1.05, 1.6), PERIOD_MS);
    one(draw, limit, Load::Hog { threads: 2 })
}

pub(super) fn on_and_off(draw: &mut Draw, _: Machine) -> Situation {
    let limit = Limit::of(draw.between(0.3, 0.7), PERIOD_MS);
    // At the limit's rate the work takes three seconds.
    let (work_us, rest_us) = (3e6 * limit.cpus(), draw.between(1e6, 2e6));
    let load = Pulse {
        jitter: 0.02,
        every_us: (3e6 + rest_us) as u64,
        ..Pulse::averaging(draw, 1, work_us, limit.cpus())
    };
    one(draw, limit, Load::Pulse(load))
}

pub(super) fn hog_in_equal_pod(draw: &mut Draw, _: Machine) -> Situation {
    in_equal_pod(Limit::of(draw.between(0.2, 0.8), PERIOD_MS), Load::Hog { threads: 1 })
}

// Short bursts.

pub(super) fn bursts(draw: &mut Draw, _: Machine) -> Situation {
    let limit = Limit::of(draw.between(0.2, 0.6), PERIOD_MS);
    let load = pulses(draw, limit, 1, (1.2, 1.8), (0.35, 0.65));
    one(draw, limit, load)
}

pub(super) fn bursts_in_short_periods(draw: &mut Draw, _: Machine) -> Situation {
    let limit = Limit::of(draw.between(0.25, 0.6), draw.one(&[20, 25, 40, 50]));
    let load = pulses(draw, limit, 1, (1.3, 1.8), (0.35, 0.65));
    one(draw, limit, load)
}

pub(super) fn wide_bursts(draw: &mut Draw, _: Machine) -> Situation {
    let limit = Limit::of(draw.between(1.3, 1.6), PERIOD_MS);
    let load = pulses(draw, limit, 2, (1.15, 1.4), (0.4, 0.6));
    one(draw, limit, load)
}

pub(super) fn bursts_in_equal_pod(draw: &mut Draw, _: Machine) -> Situation {
    let limit = Limit::of(draw.between(0.2, 0.6), PERIOD_MS);
    let load = pulses(draw, limit, 1, (1.3, 1.8), (0.35, 0.65));
    in_equal_pod(limit, load)
}

// Too many threads.

fn crowd(draw: &mut Draw, threads: (u32, u32), period_ms: u64) -> Situation {
    let limit = Limit::of(draw.between(0.5, 1.0), period_ms);
    let threads = draw.whole(threads.0, threads.1);
    let load = pulses(draw, limit, threads, (1.15, 1.9), (0.35, 0.6));
    one(draw, limit, load)
}

pub(super) fn some_threads(draw: &mut Draw, _: Machine) -> Situation {
    crowd(draw, (4, 6), PERIOD_MS)
}

pub(super) fn many_threads(draw: &mut Draw, _: Machine) -> Situation {
    crowd(draw, (8, 12), PERIOD_MS)
}

pub(super) fn threads_in_short_periods(draw: &mut Draw, _: Machine) -> Situation {
    crowd(draw, (4, 8), 50)
}

// Pinned and limited.

fn pinned(draw: &mut Draw, machine: Machine, limit: Limit, load: Load) -> Situation {
    let mut situation = one(draw, limit, load);
    situation.groups[situation.watched].cpus = Cpus::Only(draw.whole(0, machine.cpus - 1));
    situation
}

pub(super) fn pinned_pulses(draw: &mut Draw, machine: Machine) -> Situation {
    let limit = Limit::of(draw.between(0.6, 0.85), PERIOD_MS);
    let load = pulses(draw, limit, 1, (1.8, 2.8), (0.5, 0.7));
    pinned(draw, machine, limit, load)
}

pub(super) fn pinned_hog(draw: &mut Draw, machine: Machine) -> Situation {
    let limit = Limit::of(draw.between(0.6, 0.92), PERIOD_MS);
    pinned(draw, machine, limit, Load::Hog { threads: 1 })
}

pub(super) fn pinned_threads(draw: &mut Draw, machine: Machine) -> Situation {
    let limit = Limit::of(draw.between(0.6, 0.85), PERIOD_MS);
    let load = pulses(draw, limit, 2, (1.8, 2.8), (0.5, 0.7));
    pinned(draw, machine, limit, load)
}

// Quota too small.

pub(super) fn floor(draw: &mut Draw, _: Machine) -> Situation {
    let limit = Limit::of(draw.between(0.01, 0.02), PERIOD_MS);
    let (work_us, every_us) = (draw.between(2500.0, 4000.0), draw.between(1e6, 2.5e6));
    // Not the machine's average, but half the limit's at most.
    let average = (work_us / every_us).min(0.5 * limit.cpus());
    let load = Load::Pulse(Pulse::averaging(draw, 1, work_us, average));
    one(draw, limit, load)
}

pub(super) fn below_a_slice(draw: &mut Draw, _: Machine) -> Situation {
    let limit = Limit::of(draw.between(0.1, 0.2), 10);
    let load = pulses(draw, limit, 1, (2.5, 5.0), (0.35, 0.6));
    one(draw, limit, load)
}

/// A quota that is no larger than what a CPU takes at a time (5 ms, `sched_cfs_bandwidth_slice_us`). Of two threads that wake
/// together one CPU takes all that is left and uses a third. The other has the millisecond that a CPU may keep, and is then
/// throttled until the period ends, though a part of the quota comes back when the first one sleeps: the slack timer
/// hands out nothing below a slice (`do_sched_cfs_slack_timer`, kernel/sched/fair.c, 6.18). No period sees two pulses, and
/// none needs the whole quota.
pub(super) fn stranded(draw: &mut Draw, _: Machine) -> Situation {
    let limit = Limit::of(draw.between(0.044, 0.049), PERIOD_MS);
    let (work_us, part) = (draw.between(0.66, 0.76) * limit.quota_us as f64, draw.between(0.28, 0.4));
    let pulse = Pulse { jitter: 0.08, ..Pulse::averaging(draw, 2, work_us, part * limit.cpus()) };
    one(draw, limit, Load::Pulse(pulse))
}
