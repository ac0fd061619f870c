//! The machine: CPUs, groups and threads, moved from one event to the next.
//!
//! Between events nothing happens but that time passes, so an hour of an idle machine costs nothing. A tick is an event only where it
//! would find a balance used up, or another thread waiting its turn.

use super::{
    kernel::{KEPT, Kernel, SLICE, TURN, Throttle},
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

    /// Hands what is there to the CPUs that wait, in the order in which they ran out: to each what it owes and a nanosecond
    /// (`distribute_cfs_runtime`). What is not enough for one is taken all the same, and it waits on.
    fn distribute(&mut self, group: usize) {
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

    /// Where a thread that wakes goes: where it was, if that is idle; another idle CPU; the least busy one
    /// (`select_task_rq_fair`, much simplified).
    fn place(&self, thread: usize) -> usize {
        let Thread { allowed, cpu: before, .. } = &self.threads[thread];
        let load = |cpu: usize| usize::from(self.cpus[cpu].running.is_some()) + self.cpus[cpu].queue.len();
        let order = std::iter::once(*before).chain(0..self.cpus.len());
        order.filter(|&cpu| allowed[cpu]).min_by_key(|&cpu| load(cpu)).unwrap_or(*before)
    }

    /// A thread becomes runnable on a CPU (`enqueue_task_fair`).
    fn enqueue(&mut self, thread: usize, cpu: usize) {
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

    /// A group's threads that are runnable on a CPU and not behind a throttle below that group.
    fn runnable(&self, group: usize, cpu: usize) -> impl Iterator<Item = usize> {
        let Cpu { running, queue, .. } = &self.cpus[cpu];
        queue.iter().chain(running).copied().filter(move |&thread| {
            let path = &self.threads[thread].path;
            let Some(at) = path.iter().position(|&level| level == group) else { return false };
            path[..at].iter().all(|&level| !self.groups[level].shares[cpu].throttled)
        })
    }

    /// Whether every level lets a thread run.
    fn eligible(&self, thread: usize) -> bool {
        let Thread { path, cpu, .. } = &self.threads[thread];
        path.iter().all(|&group| !self.groups[group].shares[*cpu].throttled) || self.goes_on(thread)
    }

    /// Whether a thread runs on although it is throttled: it is in the kernel, and parks when it returns from there.
    fn goes_on(&self, thread: usize) -> bool {
        self.kernel.throttle == Throttle::Tasks && self.threads[thread].in_kernel() > 0
    }

    /// From now on somebody waits for a throttle to end (`record_throttle_clock`).
    fn waits(&mut self, group: usize, cpu: usize) {
        self.groups[group].shares[cpu].since.get_or_insert(self.now);
    }

    /// Takes time out of the pool, up to a balance of `target` (`__assign_cfs_rq_runtime`); whether there is some now.
    fn pull(&mut self, group: usize, cpu: usize, target: u64) -> bool {
        let Group { pool, shares, .. } = &mut self.groups[group];
        let wanted = i64::try_from(target).unwrap_or(i64::MAX) - shares[cpu].balance;
        let taken = pool.take(self.now, u64::try_from(wanted).unwrap_or(0));
        shares[cpu].balance += i64::try_from(taken).unwrap_or(0);
        shares[cpu].balance > 0
    }

    /// `throttle_cfs_rq`: unless a nanosecond is left for it.
    fn throttle(&mut self, group: usize, cpu: usize) {
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

    /// A thread's part of its CPU by weight, among those that are runnable there. A group's weight is spread over the CPUs by where
    /// its runnable threads are (`calc_group_shares`).
    fn part_of_cpu(&self, thread: usize) -> f64 {
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

    /// The last steps of a thread that sleeps (`dequeue_task_fair`): charge, and give back.
    fn fall_asleep(&mut self, thread: usize, cpu: usize) {
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
    fn tick(&mut self, thread: usize, cpu: usize) {
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

    /// Puts the right thread on a CPU.
    fn reschedule(&mut self, cpu: usize) {
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
    fn plan(&mut self, cpu: usize) {
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
