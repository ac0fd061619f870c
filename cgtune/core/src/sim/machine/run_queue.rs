//! Who runs where: waking, picking, turns, and moving to an idle CPU.

use super::{Cpu, Group, Machine, Thread};
use crate::sim::kernel::{SLICE, TURN};

impl Machine<'_> {
    /// Where a thread that wakes goes: where it was, if that is idle; another idle CPU; the least busy one
    /// (`select_task_rq_fair`, much simplified).
    pub(super) fn place(&self, thread: usize) -> usize {
        let Thread { allowed, cpu: before, .. } = &self.threads[thread];
        let load = |cpu: usize| usize::from(self.cpus[cpu].running.is_some()) + self.cpus[cpu].queue.len();
        let order = std::iter::once(*before).chain(0..self.cpus.len());
        order.filter(|&cpu| allowed[cpu]).min_by_key(|&cpu| load(cpu)).unwrap_or(*before)
    }

    /// A thread becomes runnable on a CPU (`enqueue_task_fair`).
    pub(super) fn enqueue(&mut self, thread: usize, cpu: usize) {
        for level in 0..self.threads[thread].path.len() {
            let group = self.threads[thread].path[level];
            if !self.groups[group].pool.is_limited() {
                continue;
            }
            let first = self.runnable(group, cpu).next().is_none();
            let share = self.groups[group].shares[cpu];
            if !share.throttled && first && share.balance <= 0 && !self.pull(group, cpu, SLICE.get()) {
                self.throttle(group, cpu);
            }
            if self.groups[group].shares[cpu].throttled && !self.goes_on(thread) {
                self.waits(group, cpu);
            }
        }
        let least = self.least_virtual_time(cpu);
        let waking = &mut self.threads[thread];
        waking.cpu = cpu;
        waking.turn = 0;
        // A thread that slept has no claim to the time that it didn't want.
        waking.virtual_time = waking.virtual_time.max(least);
        self.cpus[cpu].queue.push(thread);
        self.reschedule(cpu);
    }

    fn least_virtual_time(&self, cpu: usize) -> f64 {
        let Cpu { running, queue, .. } = &self.cpus[cpu];
        let times = queue.iter().chain(running).map(|&thread| self.threads[thread].virtual_time);
        let least = times.fold(f64::INFINITY, f64::min);
        if least.is_finite() { least } else { 0.0 }
    }

    /// Whether every level lets a thread run.
    pub(super) fn eligible(&self, thread: usize) -> bool {
        let Thread { path, cpu, .. } = &self.threads[thread];
        path.iter().all(|&group| !self.groups[group].shares[*cpu].throttled) || self.goes_on(thread)
    }

    /// A thread's part of its CPU by weight, among those that are runnable there. A group's weight is spread over the CPUs by where
    /// its runnable threads are (`calc_group_shares`).
    pub(super) fn part_of_cpu(&self, thread: usize) -> f64 {
        let Thread { path, cpu, .. } = &self.threads[thread];
        let on = |cpu: &Cpu| cpu.queue.iter().chain(&cpu.running).copied().collect::<Vec<usize>>();
        let here = on(&self.cpus[*cpu]);
        let everywhere: Vec<usize> = self.cpus.iter().flat_map(on).collect();
        let within = |threads: &[usize], group: usize| {
            threads.iter().filter(|&&other| self.threads[other].path.contains(&group)).count()
        };
        let weight = |group: usize| {
            let part = within(&here, group) as f64 / within(&everywhere, group).max(1) as f64;
            self.groups[group].weight as f64 * part
        };
        let mates = here.iter().filter(|&&other| self.threads[other].path[0] == path[0]).count().max(1);
        let mut part = 1.0 / mates as f64;
        for &group in path {
            let parent = self.groups[group].parent;
            let level = |other: usize| {
                self.threads[other].path.iter().copied().find(|&level| self.groups[level].parent == parent)
            };
            let mut siblings: Vec<usize> = here.iter().filter_map(|&other| level(other)).collect();
            siblings.sort_unstable();
            siblings.dedup();
            let all: f64 = siblings.into_iter().map(weight).sum();
            if all > 0.0 {
                part *= weight(group) / all;
            }
        }
        part.max(1e-6)
    }

    /// Puts the right thread on a CPU.
    pub(super) fn reschedule(&mut self, cpu: usize) {
        self.account(cpu);
        if let Some(thread) = self.cpus[cpu].running {
            if self.eligible(thread) && !self.makes_room(thread, cpu) {
                self.plan(cpu);
                return;
            }
            self.cpus[cpu].running = None;
            self.cpus[cpu].queue.push(thread);
        }
        let eligible = |&at: &usize| self.eligible(self.cpus[cpu].queue[at]);
        let time = |at: usize| self.threads[self.cpus[cpu].queue[at]].virtual_time;
        let next =
            (0..self.cpus[cpu].queue.len()).filter(eligible).min_by(|&a, &b| time(a).total_cmp(&time(b)));
        match next {
            Some(at) => {
                let thread = self.cpus[cpu].queue.swap_remove(at);
                self.threads[thread].turn = 0;
                self.cpus[cpu].running = Some(thread);
            }
            None => self.steal(cpu),
        }
        self.cpus[cpu].since = self.now;
        self.plan(cpu);
    }

    /// Whether a running thread has had its turn, and another has had less.
    fn makes_room(&self, thread: usize, cpu: usize) -> bool {
        let Thread { turn, virtual_time, .. } = self.threads[thread];
        let less = |&other: &usize| self.eligible(other) && self.threads[other].virtual_time < virtual_time;
        turn >= TURN.get() && self.cpus[cpu].queue.iter().any(less)
    }

    /// An idle CPU takes a waiting thread from another (`newidle_balance`, simplified).
    fn steal(&mut self, cpu: usize) {
        for other in 0..self.cpus.len() {
            let waits = |&at: &usize| {
                let thread = self.cpus[other].queue[at];
                let Thread { path, allowed, .. } = &self.threads[thread];
                allowed[cpu]
                    && self.eligible(thread)
                    && path.iter().all(|&group| !self.groups[group].shares[cpu].throttled)
            };
            if other != cpu
                && self.cpus[other].running.is_some()
                && let Some(at) = (0..self.cpus[other].queue.len()).find(waits)
            {
                let thread = self.cpus[other].queue.swap_remove(at);
                self.plan(other);
                self.enqueue(thread, cpu);
                return;
            }
        }
    }

    /// When the next thing happens on a CPU.
    pub(super) fn plan(&mut self, cpu: usize) {
        let Cpu { running, queue, since, .. } = &self.cpus[cpu];
        let Some(thread) = *running else {
            self.cpus[cpu].next = u64::MAX;
            return;
        };
        let Thread { part, path, turn, .. } = &self.threads[thread];
        let mut next = since + part.map_or(0, |(_, left)| left);
        for &group in path {
            let Group { pool, shares, .. } = &self.groups[group];
            if shares[cpu].throttled {
                next = next.min(since + self.threads[thread].in_kernel());
            } else if pool.is_limited() {
                let spent = since + u64::try_from(shares[cpu].balance).unwrap_or(0);
                if spent < next {
                    next = next.min(self.tick_from(spent));
                }
            }
        }
        if queue.iter().any(|&other| self.eligible(other)) {
            next = next.min(self.tick_from(since + TURN.get().saturating_sub(*turn)));
        }
        self.cpus[cpu].next = next;
    }

    /// The first tick after now, and not before that time.
    fn tick_from(&self, time: u64) -> u64 {
        let tick = self.kernel.tick.get().max(1);
        let time = time.max(self.now + 1);
        let behind = (time + tick - self.tick_phase) % tick;
        if behind == 0 { time } else { time + tick - behind }
    }
}
