//! What a change would do, by the model of the kernel's controller, fed with what the group was seen to want.
//!
//! What it wants is known only while it is not throttled. What it does right after a throttle is taken to have been wanted
//! when the throttle began, all at once: a burst then looks no better than it is. A group that wants more than its limit all
//! the time shows no end to its wants, and nothing is expected of it but what needs no model.

use super::{
    remedy::Expected,
    watched::{Series, Watched},
};
use crate::{
    Bandwidth, Nanos, ObservedBandwidth, Quota,
    convert::Version,
    sim::{Kernel, Pattern, Phases, Scenario, Spread, pattern::Recorded, scenario::Outcome},
};

/// Phases of timer and tick: 24, the least that shows their range (see the model's primer).
const PHASES: (u32, u32) = (6, 4);

/// A group as the model sees it: what it wants, under its present limit.
#[derive(Debug)]
pub(super) struct Modelled {
    scenario: Scenario,
    now: Outcomes,
}

#[derive(Debug)]
struct Outcomes {
    throttled: Spread<f64>,
    stall: Spread<f64>,
}

impl Modelled {
    /// `None`: too little is known to model it.
    pub(super) fn of(watched: &Watched, limit: &ObservedBandwidth, threads: u32) -> Option<Self> {
        let bandwidth = limit.to_bandwidth().ok()?;
        let jobs = wanted(&watched.own)?;
        let kernel = watched.machine.release.as_ref()?.parse::<Version>().ok()?;
        let online = watched.machine.online.as_ref()?.len();
        let width = u32::try_from(watched.width().unwrap_or(online)).ok()?;
        let scenario = Scenario {
            kernel: Kernel::of(kernel),
            cpus: width.max(1),
            pattern: Pattern::Recorded(Recorded { threads: threads.max(1), ..Recorded::new(jobs) }),
            calls: None,
            bandwidth,
            above: Vec::new(),
            weight: 100,
            cpuset: None,
            neighbours: Vec::new(),
            seed: 1,
            warm_up: Nanos::ZERO,
            duration: watched.own.wall(),
        };
        let now = outcomes(&scenario)?;
        Some(Self { scenario, now })
    }

    /// With another limit.
    pub(super) fn under(&self, bandwidth: Bandwidth) -> Option<Expected> {
        self.expected(&Scenario { bandwidth, ..self.scenario.clone() })
    }

    /// With another number of threads that share each piece of work.
    pub(super) fn on_threads(&self, threads: u32) -> Option<Expected> {
        let Pattern::Recorded(recorded) = &self.scenario.pattern else { return None };
        let pattern = Pattern::Recorded(Recorded { threads, ..recorded.clone() });
        self.expected(&Scenario { pattern, ..self.scenario.clone() })
    }

    fn expected(&self, changed: &Scenario) -> Option<Expected> {
        let then = if changed.bandwidth.quota() == Quota::Unlimited {
            let none = Spread { min: 0.0, median: 0.0, max: 0.0 };
            Outcomes { throttled: none, stall: none }
        } else {
            outcomes(changed)?
        };
        Some(Expected {
            throttled_ratio_now: self.now.throttled,
            throttled_ratio: then.throttled,
            stall_ms_per_s_now: self.now.stall,
            stall_ms_per_s: then.stall,
        })
    }
}

fn outcomes(scenario: &Scenario) -> Option<Outcomes> {
    let outcomes = scenario.run(&Phases::grid(PHASES.0, PHASES.1));
    Some(Outcomes {
        throttled: Spread::of(outcomes.iter().map(|outcome| outcome.throttled().unwrap_or(0.0)))?,
        stall: Spread::of(outcomes.iter().map(Outcome::stall_ms_per_s))?,
    })
}

/// What the group wanted, as pieces of work: when, and how much CPU time.
fn wanted(series: &Series) -> Option<Vec<(Nanos, Nanos)>> {
    let begin = series.readings.first()?.at;
    let mut jobs: Vec<(Nanos, Nanos)> = Vec::new();
    // Slices without use since the group last ran: a throttle if the period then ends throttled, a rest otherwise.
    let mut still: Option<Nanos> = None;
    let mut behind = false;
    for pair in series.readings.windows(2) {
        let [a, b] = pair else { continue };
        let used = b.usage?.checked_sub(a.usage?)?;
        let throttled = b.bandwidth?.nr_throttled.since(a.bandwidth?.nr_throttled)? > 0;
        let at = a.at.saturating_sub(begin);
        if throttled {
            // It had been standing still since then, or within this very slice.
            jobs.push((still.unwrap_or(at), used));
            behind = used > Nanos::ZERO;
            still = None;
        } else if used == Nanos::ZERO {
            still = still.or(Some(at));
            behind = false;
        } else {
            match jobs.last_mut().filter(|_| behind) {
                // Still catching up.
                Some((_, work)) => *work = work.saturating_add(used),
                None => jobs.push((at, used)),
            }
            still = None;
        }
    }
    jobs.retain(|&(_, work)| work > Nanos::ZERO);
    jobs.sort_by_key(|&(at, _)| at);
    Some(jobs)
}
