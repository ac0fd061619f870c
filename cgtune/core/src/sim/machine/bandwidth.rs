//! What a limit does: time out of the pool, throttles, and their ends.

use super::{Cpu, Group, Machine};
use crate::sim::kernel::{KEPT, SLICE, Throttle};

impl Machine<'_> {
    /// Hands what is there to the CPUs that wait, in the order in which they ran out: to each what it owes and a nanosecond
    /// (`distribute_cfs_runtime`). What is not enough for one is taken all the same, and it waits on.
    pub(super) fn distribute(&mut self, group: usize) {
        let mut served = std::mem::take(&mut self.served);
        while let Some(cpu) = self.groups[group].pool.first_waiting() {
            if !self.pull(group, cpu, 1) {
                break;
            }
            let Group { pool, shares, .. } = &mut self.groups[group];
            pool.counters.throttled_ns += shares[cpu].release(self.now);
            pool.served();
            served.push(cpu);
        }
        // Who runs again may ask for more: only when everybody had his part.
        for cpu in served.drain(..) {
            self.reschedule(cpu);
        }
        self.served = served;
    }

    /// A group's threads that are runnable on a CPU and not behind a throttle below that group.
    pub(super) fn runnable(&self, group: usize, cpu: usize) -> impl Iterator<Item = usize> {
        let Cpu { running, queue, .. } = &self.cpus[cpu];
        queue.iter().chain(running).copied().filter(move |&thread| {
            let path = &self.threads[thread].path;
            let Some(at) = path.iter().position(|&level| level == group) else { return false };
            path[..at].iter().all(|&level| !self.groups[level].shares[cpu].throttled)
        })
    }

    /// Whether a thread runs on although it is throttled: it is in the kernel, and parks when it returns from there.
    pub(super) fn goes_on(&self, thread: usize) -> bool {
        self.kernel.throttle == Throttle::Tasks && self.threads[thread].in_kernel() > 0
    }

    /// From now on somebody waits for a throttle to end (`record_throttle_clock`).
    pub(super) fn waits(&mut self, group: usize, cpu: usize) {
        self.groups[group].shares[cpu].since.get_or_insert(self.now);
    }

    /// Takes time out of the pool, up to a balance of `target` (`__assign_cfs_rq_runtime`); whether there is some now.
    pub(super) fn pull(&mut self, group: usize, cpu: usize, target: u64) -> bool {
        let Group { pool, shares, .. } = &mut self.groups[group];
        let wanted = i64::try_from(target).unwrap_or(i64::MAX) - shares[cpu].balance;
        let taken = pool.take(self.now, u64::try_from(wanted).unwrap_or(0));
        shares[cpu].balance += i64::try_from(taken).unwrap_or(0);
        shares[cpu].balance > 0
    }

    /// `throttle_cfs_rq`: unless a nanosecond is left for it.
    pub(super) fn throttle(&mut self, group: usize, cpu: usize) {
        if self.groups[group].shares[cpu].throttled || self.pull(group, cpu, 1) {
            return;
        }
        let Group { pool, shares, .. } = &mut self.groups[group];
        shares[cpu].throttled = true;
        pool.wait(cpu);
        if self.kernel.times_empty || self.runnable(group, cpu).any(|thread| !self.goes_on(thread)) {
            self.waits(group, cpu);
        }
    }

    /// The last steps of a thread that sleeps (`dequeue_task_fair`): charge, and give back.
    pub(super) fn fall_asleep(&mut self, thread: usize, cpu: usize) {
        for level in 0..self.threads[thread].path.len() {
            let group = self.threads[thread].path[level];
            if !self.groups[group].pool.is_limited() || self.groups[group].shares[cpu].throttled {
                continue;
            }
            if self.groups[group].shares[cpu].balance <= 0 {
                self.pull(group, cpu, SLICE.get());
            }
            if self.runnable(group, cpu).next().is_some() {
                continue;
            }
            let Group { pool, shares, .. } = &mut self.groups[group];
            let spare = shares[cpu].balance - i64::try_from(KEPT.get()).unwrap_or(0);
            if spare > 0 {
                pool.give_back(self.now, u64::try_from(spare).unwrap_or(0));
                shares[cpu].balance -= spare;
            }
            if shares[cpu].balance <= 0 {
                // Nobody waits; it counts all the same.
                self.throttle(group, cpu);
            }
        }
    }

    /// `task_tick_fair`: asks for more time where it is used up, and makes room for others. Or the return to user mode of a thread
    /// that was throttled in the kernel, which then waits (`throttle_cfs_rq_work`).
    pub(super) fn tick(&mut self, thread: usize, cpu: usize) {
        let mut throttled = false;
        for level in 0..self.threads[thread].path.len() {
            let group = self.threads[thread].path[level];
            let Group { pool, shares, .. } = &self.groups[group];
            let spent = pool.is_limited() && !shares[cpu].throttled && shares[cpu].balance <= 0;
            if spent && !self.pull(group, cpu, SLICE.get()) {
                self.throttle(group, cpu);
            }
            if self.groups[group].shares[cpu].throttled {
                throttled = true;
                if !self.goes_on(thread) {
                    self.waits(group, cpu);
                }
            }
        }
        if throttled || !self.cpus[cpu].queue.is_empty() {
            self.reschedule(cpu);
        } else {
            self.plan(cpu);
        }
    }
}
