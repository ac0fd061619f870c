//! The machine: CPUs, groups and threads, moved from one event to the next. What a limit does stands in `bandwidth`, who runs where
//! in `run_queue`.
//!
//! Between events nothing happens but that time passes, so an hour of an idle machine costs nothing. A tick is an event only where it
//! would find a balance used up, or another thread waiting its turn.

mod bandwidth;
mod run_queue;

use super::{
    kernel::Kernel,
    load::{Crew, Job, SystemCalls, Work},
    pool::{Counters, Pool},
};
use crate::{Bandwidth, Nanos, ObservedBandwidth};

/// A group, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GroupId(usize);

/// A crew, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CrewId(usize);

/// A job that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Whose it was.
    pub crew: CrewId,
    /// When it was meant to start.
    pub intended: Nanos,
    /// When it was done.
    pub at: Nanos,
}

/// A group's part of a CPU (`struct cfs_rq`).
#[derive(Debug, Clone, Copy)]
struct Share {
    /// Time that may be used before more is pulled; below zero: used beyond what was there.
    balance: i64,
    throttled: bool,
    /// Since when a runnable thread waits for the throttle to end.
    since: Option<u64>,
}

impl Share {
    /// The kernel's first balance is a nanosecond (`init_cfs_rq_runtime`, `tg_set_cfs_bandwidth`).
    const FIRST: Self = Self { balance: 1, throttled: false, since: None };

    /// Ends a throttle; the time for which somebody waited (`unthrottle_cfs_rq`).
    fn release(&mut self, now: u64) -> u64 {
        self.throttled = false;
        self.since.take().map_or(0, |since| now - since)
    }
}

struct Group {
    parent: Option<usize>,
    weight: u64,
    pool: Pool,
    shares: Vec<Share>,
}

struct Thread {
    crew: usize,
    /// Its group and that one's ancestors, innermost first.
    path: Vec<usize>,
    allowed: Vec<bool>,
    cpu: usize,
    /// What it does, and how much of it is left; `None`: it sleeps.
    part: Option<(usize, u64)>,
    /// Weighted CPU time (`vruntime`).
    virtual_time: f64,
    /// CPU time since it was put on its CPU.
    turn: u64,
    /// When it is in the kernel.
    calls: Option<SystemCalls>,
    /// CPU time in all.
    used: u64,
}

impl Thread {
    /// CPU time until it returns to user mode; 0 there.
    fn in_kernel(&self) -> u64 {
        self.calls.map_or(0, |calls| calls.left(self.used))
    }
}

#[derive(Default)]
struct Cpu {
    running: Option<usize>,
    /// Runnable and not running, those behind a throttle included.
    queue: Vec<usize>,
    /// Up to when its thread is accounted.
    since: u64,
    /// Its next event.
    next: u64,
}

/// What happens next, and whose it is by its number.
#[derive(Clone, Copy)]
enum Due {
    /// A group's period or slack timer.
    Timer(usize),
    /// A crew's next job.
    Arrival(usize),
    /// A part that is done, or a tick.
    Cpu(usize),
}

/// A simulated machine.
pub struct Machine<'a> {
    kernel: Kernel,
    tick_phase: u64,
    now: u64,
    groups: Vec<Group>,
    threads: Vec<Thread>,
    works: Vec<Work<'a>>,
    cpus: Vec<Cpu>,
    done: Vec<(usize, u64)>,
    /// CPUs that a refill set free, while it does.
    served: Vec<usize>,
}

impl<'a> Machine<'a> {
    /// A machine of so many CPUs, whose ticks fall at `tick_phase` and every tick after.
    #[must_use]
    pub fn new(kernel: Kernel, cpus: usize, tick_phase: Nanos) -> Self {
        let idle = |_| Cpu { next: u64::MAX, ..Cpu::default() };
        Self {
            kernel,
            tick_phase: tick_phase.get() % kernel.tick.get().max(1),
            now: 0,
            groups: Vec::new(),
            threads: Vec::new(),
            works: Vec::new(),
            cpus: (0..cpus.max(1)).map(idle).collect(),
            done: Vec::new(),
            served: Vec::new(),
        }
    }

    /// Makes a group. `phase` is where its periods begin.
    pub fn group(
        &mut self,
        parent: Option<GroupId>,
        bandwidth: Bandwidth,
        weight: u64,
        phase: Nanos,
    ) -> GroupId {
        self.groups.push(Group {
            parent: parent.map(|parent| parent.0),
            weight: weight.max(1),
            pool: Pool::new(bandwidth.into(), phase.get()),
            shares: vec![Share::FIRST; self.cpus.len()],
        });
        GroupId(self.groups.len() - 1)
    }

    /// Puts a crew into a group, with its jobs in the order of their arrival.
    pub fn crew(&mut self, group: GroupId, crew: &Crew, jobs: impl Iterator<Item = Job> + 'a) -> CrewId {
        let mut path = vec![group.0];
        while let Some(parent) = path.last().and_then(|&at| self.groups[at].parent) {
            path.push(parent);
        }
        let number = self.works.len();
        let mut work = Work::new(crew, Box::new(jobs));
        let everywhere = |cpu: usize| {
            u32::try_from(cpu).is_ok_and(|cpu| crew.cpus.as_ref().is_none_or(|cpus| cpus.contains(cpu)))
        };
        for _ in 0..crew.threads.max(1) {
            let thread = self.threads.len();
            self.threads.push(Thread {
                crew: number,
                path: path.clone(),
                allowed: (0..self.cpus.len()).map(everywhere).collect(),
                cpu: thread % self.cpus.len(),
                part: None,
                virtual_time: 0.0,
                turn: 0,
                calls: crew.calls,
                used: 0,
            });
            work.sleeping.push(thread);
        }
        self.works.push(work);
        CrewId(number)
    }

    /// Now.
    #[must_use]
    pub const fn now(&self) -> Nanos {
        Nanos::new(self.now)
    }

    /// A group's counters now.
    #[must_use]
    pub fn counters(&self, group: GroupId) -> Counters {
        self.groups[group.0].pool.counters
    }

    /// Gives a group other limits while it runs: the pool is refilled, and whoever waits goes on (`tg_set_cfs_bandwidth`). What
    /// is given need not be a policy: the kernel, too, goes through states that nobody would ask for.
    pub fn set_limits(&mut self, group: GroupId, limits: ObservedBandwidth) {
        (0..self.cpus.len()).for_each(|cpu| self.account(cpu));
        let Group { pool, shares, .. } = &mut self.groups[group.0];
        pool.set(limits);
        for share in shares {
            pool.counters.throttled_ns += share.release(self.now);
            *share = Share::FIRST;
        }
        (0..self.cpus.len()).for_each(|cpu| self.reschedule(cpu));
    }

    /// Gives a group another weight.
    pub fn set_weight(&mut self, group: GroupId, weight: u64) {
        (0..self.cpus.len()).for_each(|cpu| self.account(cpu));
        self.groups[group.0].weight = weight.max(1);
    }

    /// Jobs of a crew that have arrived and are not done.
    #[must_use]
    pub fn undone(&self, crew: CrewId) -> u64 {
        self.works[crew.0].undone()
    }

    /// Runs until then; every job that is done on the way goes to `done`.
    pub fn run_until(&mut self, end: Nanos, mut done: impl FnMut(Done)) {
        let end = end.get();
        loop {
            let (next, due) = self.due();
            if next > end {
                break;
            }
            self.now = next;
            match due {
                Due::Timer(group) => self.timers(group),
                Due::Arrival(crew) => self.arrival(crew),
                Due::Cpu(cpu) => self.cpu_event(cpu),
            }
            if !self.done.is_empty() {
                for (crew, intended) in self.done.drain(..) {
                    done(Done {
                        crew: CrewId(crew),
                        intended: Nanos::new(intended),
                        at: Nanos::new(self.now),
                    });
                }
            }
        }
        self.now = end.max(self.now);
        (0..self.cpus.len()).for_each(|cpu| self.account(cpu));
    }

    /// What comes next; of what comes at once timers first, then arrivals.
    fn due(&self) -> (u64, Due) {
        let (mut next, mut due) = (u64::MAX, Due::Cpu(0));
        for (at, group) in self.groups.iter().enumerate() {
            let time = group.pool.next();
            if time < next {
                (next, due) = (time, Due::Timer(at));
            }
        }
        for (at, work) in self.works.iter().enumerate() {
            let time = work.due();
            if time < next {
                (next, due) = (time, Due::Arrival(at));
            }
        }
        for (at, cpu) in self.cpus.iter().enumerate() {
            if cpu.next < next {
                (next, due) = (cpu.next, Due::Cpu(at));
            }
        }
        (next, due)
    }

    /// Jobs of a crew that arrive.
    fn arrival(&mut self, crew: usize) {
        let (works, done) = (&mut self.works, &mut self.done);
        works[crew].arrive(self.now, &mut |intended| done.push((crew, intended)));
        self.wake(crew);
    }

    /// A group's period or slack timer.
    fn timers(&mut self, group: usize) {
        // What runs has used time up to now.
        (0..self.cpus.len()).for_each(|cpu| self.account(cpu));
        let slack = self.groups[group].pool.slack_due(self.now);
        let period = self.groups[group].pool.period_due(self.now);
        if period && self.kernel.expires_slices {
            for share in &mut self.groups[group].shares {
                share.balance = share.balance.min(0);
            }
        }
        if slack || period {
            self.distribute(group);
        }
        (0..self.cpus.len()).for_each(|cpu| self.plan(cpu));
    }

    /// Threads for parts that are ready.
    fn wake(&mut self, crew: usize) {
        while self.works[crew].has_parts()
            && let Some(thread) = self.works[crew].sleeping.pop()
        {
            let part = self.works[crew].part();
            self.threads[thread].part = part;
            let cpu = self.place(thread);
            self.account(cpu);
            self.enqueue(thread, cpu);
        }
    }

    /// Charges what the running thread has used (`update_curr`, without asking for more).
    fn account(&mut self, cpu: usize) {
        let used = self.now - self.cpus[cpu].since;
        if used == 0 {
            return;
        }
        let here = &mut self.cpus[cpu];
        here.since = self.now;
        let Some(thread) = here.running else { return };
        let alone = here.queue.is_empty();
        let weighted = if alone { used as f64 } else { used as f64 / self.part_of_cpu(thread) };
        let running = &mut self.threads[thread];
        running.virtual_time += weighted;
        running.turn += used;
        running.used += used;
        if let Some((_, left)) = &mut running.part {
            *left = left.saturating_sub(used);
        }
        for &group in &running.path {
            let Group { pool, shares, .. } = &mut self.groups[group];
            pool.counters.usage_ns += used;
            if pool.is_limited() {
                shares[cpu].balance -= i64::try_from(used).unwrap_or(0);
            }
        }
    }

    /// What is due on a CPU: a part that is done, or a tick.
    fn cpu_event(&mut self, cpu: usize) {
        self.account(cpu);
        let Some(thread) = self.cpus[cpu].running else {
            self.plan(cpu);
            return;
        };
        if let Some((place, 0)) = self.threads[thread].part {
            self.part_done(thread, place, cpu);
        } else {
            self.tick(thread, cpu);
        }
    }

    fn part_done(&mut self, thread: usize, place: usize, cpu: usize) {
        let crew = self.threads[thread].crew;
        let (works, done) = (&mut self.works, &mut self.done);
        works[crew].part_done(place, &mut |intended| done.push((crew, intended)));
        self.threads[thread].part = self.works[crew].part();
        if self.threads[thread].part.is_none() {
            self.works[crew].sleeping.push(thread);
            self.cpus[cpu].running = None;
            self.fall_asleep(thread, cpu);
        }
        // The next stage may want more threads than this one.
        self.wake(crew);
        self.reschedule(cpu);
    }
}
