//! One group's bandwidth: the pool, its timers, and the counters. `struct cfs_bandwidth`, without the CPUs.

use std::collections::VecDeque;

use super::kernel::{NEAR_REFILL, SLACK_PERIOD, SLICE};
use crate::{Micros, ObservedBandwidth};

/// Counters as `cpu.stat` has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Periods in which the group was active.
    pub nr_periods: u64,
    /// Those in which a CPU of it was throttled when they ended.
    pub nr_throttled: u64,
    /// Time that runnable tasks waited for it, summed over CPUs, in ns.
    pub throttled_ns: u64,
    /// Periods in which more than the quota was taken.
    pub nr_bursts: u64,
    /// How much more, in ns.
    pub burst_ns: u64,
    /// CPU time used, in ns.
    pub usage_ns: u64,
}

impl std::ops::Sub for Counters {
    type Output = Self;

    /// What came since.
    fn sub(self, before: Self) -> Self {
        Self {
            nr_periods: self.nr_periods - before.nr_periods,
            nr_throttled: self.nr_throttled - before.nr_throttled,
            throttled_ns: self.throttled_ns - before.throttled_ns,
            nr_bursts: self.nr_bursts - before.nr_bursts,
            burst_ns: self.burst_ns - before.burst_ns,
            usage_ns: self.usage_ns - before.usage_ns,
        }
    }
}

/// What a limit does with time.
#[derive(Debug)]
pub(super) struct Pool {
    /// `None`: no limit.
    quota: Option<u64>,
    period: u64,
    burst: u64,
    /// What is left.
    runtime: u64,
    /// What was there after the last refill, before the burst's cap counts.
    snapshot: u64,
    idle: bool,
    /// Whether the period timer runs.
    armed: bool,
    /// When it fires next; its grid also while it is off.
    expiry: u64,
    /// When what is left is handed out, if that is due.
    slack: Option<u64>,
    /// CPUs that wait for time, in the order in which they ran out.
    waiting: VecDeque<usize>,
    pub(super) counters: Counters,
}

impl Pool {
    /// Full, with its timer off. `phase` is where in time its periods begin.
    pub(super) fn new(limits: ObservedBandwidth, phase: u64) -> Self {
        let mut pool = Self {
            quota: None,
            period: 1,
            burst: 0,
            runtime: 0,
            snapshot: 0,
            idle: false,
            armed: false,
            expiry: 0,
            slack: None,
            waiting: VecDeque::new(),
            counters: Counters::default(),
        };
        pool.set(limits);
        pool.expiry = phase % pool.period;
        pool
    }

    /// New limits, as the kernel sets them (`tg_set_cfs_bandwidth`): refilled at once, and nobody waits any more. The next period
    /// ends when it would have anyhow.
    pub(super) fn set(&mut self, limits: ObservedBandwidth) {
        self.quota = limits.quota.limited().map(|quota| quota.to_nanos().get());
        self.period = limits.period.to_nanos().get().max(1);
        self.burst = limits.burst.unwrap_or(Micros::ZERO).to_nanos().get();
        self.waiting.clear();
        match self.quota {
            Some(quota) => self.refill(quota),
            None => (self.armed, self.slack) = (false, None),
        }
    }

    pub(super) const fn is_limited(&self) -> bool {
        self.quota.is_some()
    }

    /// The next moment at which something happens of itself.
    pub(super) fn next(&self) -> u64 {
        let period = if self.armed { self.expiry } else { u64::MAX };
        period.min(self.slack.unwrap_or(u64::MAX))
    }

    /// Takes up to `wanted` out (`__assign_cfs_rq_runtime`); starts the timer if it is off, on its old grid and without a
    /// refill (`start_cfs_bandwidth`).
    pub(super) fn take(&mut self, now: u64, wanted: u64) -> u64 {
        if self.quota.is_none() {
            return wanted;
        }
        self.arm(now);
        let taken = self.runtime.min(wanted);
        if taken > 0 {
            self.runtime -= taken;
            self.idle = false;
        }
        taken
    }

    fn arm(&mut self, now: u64) {
        if !self.armed {
            self.armed = true;
            if self.expiry <= now {
                self.expiry += ((now - self.expiry) / self.period + 1) * self.period;
            }
        }
    }

    /// Takes back what a CPU doesn't need (`return_cfs_rq_runtime`); may start the slack timer.
    pub(super) fn give_back(&mut self, now: u64, time: u64) {
        if self.quota.is_none() {
            return;
        }
        self.runtime += time;
        if self.runtime > SLICE.get()
            && !self.waiting.is_empty()
            && self.slack.is_none()
            && !self.refill_within(now, SLACK_PERIOD.get() + NEAR_REFILL.get())
        {
            self.slack = Some(now + SLACK_PERIOD.get());
        }
    }

    fn refill_within(&self, now: u64, span: u64) -> bool {
        self.armed && self.expiry < now + span
    }

    /// A CPU has run out.
    pub(super) fn wait(&mut self, cpu: usize) {
        self.waiting.push_back(cpu);
    }

    /// The CPU that ran out first.
    pub(super) fn first_waiting(&self) -> Option<usize> {
        self.waiting.front().copied()
    }

    /// That one goes on.
    pub(super) fn served(&mut self) {
        self.waiting.pop_front();
    }

    /// Whether the slack timer is due, and there is something to hand out (`do_sched_cfs_slack_timer`).
    pub(super) fn slack_due(&mut self, now: u64) -> bool {
        if self.slack.is_none_or(|due| due > now) {
            return false;
        }
        self.slack = None;
        !self.refill_within(now, NEAR_REFILL.get()) && self.runtime > SLICE.get()
    }

    /// Whether a period ends now: counts it and refills (`do_sched_cfs_period_timer`). `true`: CPUs wait to be served.
    pub(super) fn period_due(&mut self, now: u64) -> bool {
        let Some(quota) = self.quota.filter(|_| self.armed && self.expiry <= now) else { return false };
        let overrun = (now - self.expiry) / self.period + 1;
        self.expiry += overrun * self.period;
        self.counters.nr_periods += overrun;
        self.refill(quota);
        let throttled = !self.waiting.is_empty();
        if self.idle && !throttled {
            self.armed = false;
            return false;
        }
        if !throttled {
            self.idle = true;
            return false;
        }
        self.counters.nr_throttled += overrun;
        self.idle = false;
        true
    }

    /// Once, however many periods went by (`__refill_cfs_bandwidth_runtime`).
    fn refill(&mut self, quota: u64) {
        self.runtime += quota;
        let used = self.snapshot.saturating_sub(self.runtime);
        if used > 0 {
            self.counters.nr_bursts += 1;
            self.counters.burst_ns += used;
        }
        self.runtime = self.runtime.min(quota + self.burst);
        self.snapshot = self.runtime;
    }
}
