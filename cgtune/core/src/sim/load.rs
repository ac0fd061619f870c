//! What wants CPU: crews of threads that work off jobs.
//!
//! A job arrives at its intended time whether or not the one before is done (open loop). Its stages follow one another; the parts
//! of a stage run side by side, each on one thread: a sliced encoder has a serial head, slices, and a serial tail.

use std::collections::VecDeque;

use crate::{CpuSet, Nanos};

/// CPU time of each part of a stage.
pub type Stage = Vec<Nanos>;

/// One piece of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// When it is meant to start.
    pub intended: Nanos,
    /// What it takes.
    pub demand: Demand,
}

/// What a job takes. What takes no time is done at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand {
    /// CPU time on one thread.
    Serial(Nanos),
    /// Stages, in order.
    Staged(Vec<Stage>),
}

impl Demand {
    /// CPU time in all.
    #[must_use]
    pub fn total(&self) -> Nanos {
        match self {
            Self::Serial(time) => *time,
            Self::Staged(stages) => {
                let parts = stages.iter().flatten().map(|part| part.get());
                Nanos::new(parts.fold(0, u64::saturating_add))
            }
        }
    }
}

/// Threads that share their jobs.
#[derive(Debug, Clone)]
pub struct Crew {
    /// How many.
    pub threads: u32,
    /// How many jobs may be under way at once; an encoder works at one frame after the other.
    pub at_once: usize,
    /// Where they may run; `None`: everywhere.
    pub cpus: Option<CpuSet>,
    /// What part of their time is spent in the kernel; `None`: none of it.
    pub calls: Option<SystemCalls>,
}

impl Crew {
    /// Threads that may run everywhere, at any number of jobs, in user mode alone.
    #[must_use]
    pub const fn of(threads: u32) -> Self {
        Self { threads, at_once: usize::MAX, cpus: None, calls: None }
    }
}

/// Time in the kernel, in turns with time in user mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SystemCalls {
    /// CPU time in user mode between two.
    pub every: Nanos,
    /// CPU time of each.
    pub lasting: Nanos,
}

impl SystemCalls {
    /// What is left of the call that a thread is in after so much CPU time; 0 in user mode.
    pub(super) fn left(self, used: u64) -> u64 {
        let (every, lasting) = (self.every.get(), self.lasting.get());
        let Some(round) = every.checked_add(lasting).filter(|&round| round > 0) else { return 0 };
        let at = used % round;
        if at < every { 0 } else { round - at }
    }
}

/// A crew at work.
pub(super) struct Work<'a> {
    arrivals: Box<dyn Iterator<Item = Job> + 'a>,
    next: Option<Job>,
    at_once: usize,
    /// Arrived and not begun.
    queue: VecDeque<Job>,
    /// Begun and not done, by place; places are used again.
    begun: Vec<Option<Begun>>,
    /// How many those are.
    under_way: usize,
    /// Parts that a thread may take: the place of their job and their CPU time.
    ready: VecDeque<(usize, u64)>,
    pub(super) sleeping: Vec<usize>,
}

struct Begun {
    intended: u64,
    stages: std::vec::IntoIter<Stage>,
    /// Parts of the present stage that are not done.
    open: usize,
}

impl<'a> Work<'a> {
    pub(super) fn new(crew: &Crew, mut arrivals: Box<dyn Iterator<Item = Job> + 'a>) -> Self {
        let next = arrivals.next();
        Self {
            arrivals,
            next,
            at_once: crew.at_once.max(1),
            queue: VecDeque::new(),
            begun: Vec::new(),
            under_way: 0,
            ready: VecDeque::new(),
            sleeping: Vec::new(),
        }
    }

    /// When the next job arrives.
    pub(super) fn due(&self) -> u64 {
        self.next.as_ref().map_or(u64::MAX, |job| job.intended.get())
    }

    /// Takes in what has arrived; finished jobs go to `done` with their intended start.
    pub(super) fn arrive(&mut self, now: u64, done: &mut impl FnMut(u64)) {
        while self.due() <= now {
            if let Some(job) = std::mem::replace(&mut self.next, self.arrivals.next()) {
                self.queue.push_back(job);
            }
        }
        self.begin(done);
    }

    /// Arrived and not done.
    pub(super) fn undone(&self) -> u64 {
        (self.queue.len() + self.under_way) as u64
    }

    fn begin(&mut self, done: &mut impl FnMut(u64)) {
        while self.under_way < self.at_once
            && let Some(job) = self.queue.pop_front()
        {
            let (serial, stages) = match job.demand {
                Demand::Serial(time) => (time.get(), Vec::new()),
                Demand::Staged(stages) => (0, stages),
            };
            let open = usize::from(serial > 0);
            let begun = Begun { intended: job.intended.get(), stages: stages.into_iter(), open };
            let place = match self.begun.iter().position(Option::is_none) {
                Some(free) => free,
                None => {
                    self.begun.push(None);
                    self.begun.len() - 1
                }
            };
            self.begun[place] = Some(begun);
            self.under_way += 1;
            if serial > 0 {
                self.ready.push_back((place, serial));
            } else {
                self.advance(place, done);
            }
        }
    }

    /// The next stage of a job whose present one is done.
    fn advance(&mut self, place: usize, done: &mut impl FnMut(u64)) {
        let Some(begun) = self.begun[place].as_mut() else { return };
        loop {
            match begun.stages.next() {
                Some(stage) => {
                    let parts = stage.iter().map(|part| part.get()).filter(|&part| part > 0);
                    let before = self.ready.len();
                    self.ready.extend(parts.map(|part| (place, part)));
                    begun.open = self.ready.len() - before;
                    if begun.open > 0 {
                        return;
                    }
                }
                None => {
                    done(begun.intended);
                    self.begun[place] = None;
                    self.under_way -= 1;
                    return;
                }
            }
        }
    }

    /// A part for a thread that has nothing to do.
    pub(super) fn part(&mut self) -> Option<(usize, u64)> {
        self.ready.pop_front()
    }

    pub(super) fn has_parts(&self) -> bool {
        !self.ready.is_empty()
    }

    /// A part of that job is done.
    pub(super) fn part_done(&mut self, place: usize, done: &mut impl FnMut(u64)) {
        let Some(begun) = self.begun[place].as_mut() else { return };
        begun.open -= 1;
        if begun.open == 0 {
            self.advance(place, done);
            self.begin(done);
        }
    }
}
