//! What holds for any load, limit and phase.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use cgtune_core::{
    Bandwidth, Micros, Nanos, Quota,
    convert::Version,
    sim::{Counters, Crew, Demand, Job, Kernel, Machine, SystemCalls, Throttle, kernel::SLICE},
};
use proptest::prelude::*;

const MS: u64 = 1_000_000;

#[derive(Debug, Clone)]
struct Case {
    cpus: usize,
    tick: u64,
    tick_phase: u64,
    quota: u64,
    period: u64,
    burst: u64,
    phase: u64,
    threads: u32,
    old: bool,
    calls: Option<SystemCalls>,
    /// Gap to the next job, parts, CPU time of each part.
    jobs: Vec<(u64, usize, u64)>,
}

fn case() -> impl Strategy<Value = Case> {
    let limits = (1_000_u64..200_000, 1_000_u64..=200_000, 0..=100_u64, 0..200 * MS);
    let machine = (1_usize..5, prop::sample::select(vec![MS, 4 * MS, 10 * MS]), 0..10 * MS, any::<bool>());
    let calls =
        prop::option::of((0..5 * MS, 0..5 * MS).prop_map(|(every, lasting)| SystemCalls {
            every: Nanos::new(every),
            lasting: Nanos::new(lasting),
        }));
    let jobs = prop::collection::vec((0..60 * MS, 1_usize..6, 0..40 * MS), 1..60);
    (machine, limits, 1_u32..6, calls, jobs).prop_map(
        |((cpus, tick, tick_phase, old), (quota, period, burst, phase), threads, calls, jobs)| Case {
            cpus,
            tick,
            tick_phase,
            quota,
            period,
            burst: quota * burst / 100,
            phase,
            threads,
            old,
            calls,
            jobs,
        },
    )
}

struct Ran {
    counters: Counters,
    wall: u64,
    /// Of every job, done or not.
    wanted: u64,
    done: usize,
}

fn run(case: &Case, wall: u64) -> Ran {
    let kernel = Kernel {
        throttle: if case.old { Throttle::RunQueue } else { Throttle::Tasks },
        expires_slices: case.old,
        random_phase: true,
        times_empty: case.old,
        tick: Nanos::new(case.tick),
    };
    let mut machine = Machine::new(kernel, case.cpus, Nanos::new(case.tick_phase));
    let quota = Quota::Limited(Micros::new(case.quota));
    let bandwidth = Bandwidth::new(quota, Micros::new(case.period), Micros::new(case.burst)).unwrap();
    let group = machine.group(None, bandwidth, 100, Nanos::new(case.phase));
    let mut at = 0;
    let jobs: Vec<Job> = case
        .jobs
        .iter()
        .map(|&(gap, parts, each)| {
            at += gap;
            Job { intended: Nanos::new(at), demand: Demand::Staged(vec![vec![Nanos::new(each); parts]]) }
        })
        .collect();
    let wanted = case.jobs.iter().map(|&(_, parts, each)| parts as u64 * each).sum();
    machine.crew(group, &Crew { calls: case.calls, ..Crew::of(case.threads) }, jobs.into_iter());
    let mut done = 0;
    machine.run_until(Nanos::new(wall), |job| {
        assert!(job.at >= job.intended);
        done += 1;
    });
    Ran { counters: machine.counters(group), wall, wanted, done }
}

/// Quota that one run has more than another, in µs.
fn more() -> impl Strategy<Value = u64> {
    prop_oneof![1_u64..1_000, 1_000_u64..100_000]
}

/// Throttled time until all work is done, in user mode, in ns: with the quota, and with so many µs more.
fn with_more_quota(case: &Case, more: u64) -> (u64, u64) {
    let until_done = |quota: u64| {
        let ran = run(&Case { quota, burst: 0, old: false, calls: None, ..case.clone() }, 4_000_000 * MS);
        assert_eq!(ran.done, case.jobs.len());
        ran.counters.throttled_ns
    };
    (until_done(case.quota), until_done(case.quota + more))
}

proptest! {
    #[test]
    fn time_is_given_once(case in case()) {
        let ran = run(&case, 5_000 * MS);
        let Counters { nr_periods, nr_throttled, throttled_ns, usage_ns, nr_bursts, burst_ns } = ran.counters;
        prop_assert!(nr_throttled <= nr_periods);
        prop_assert!(nr_bursts <= nr_periods);
        prop_assert!(burst_ns <= nr_bursts * case.burst * 1000);
        prop_assert!(usage_ns <= ran.wall * case.cpus as u64);
        prop_assert!(usage_ns <= ran.wanted);
        // Every part that is done was given its time, and nothing else was.
        if ran.done == case.jobs.len() {
            prop_assert_eq!(usage_ns, ran.wanted);
        }
        // What was there at first, what came in with each refill; and what may be owed: of each CPU a tick and the first
        // nanosecond, of each thread a system call.
        let refills = (nr_periods + 1) * case.quota * 1000;
        let call = case.calls.map_or(0, |calls| calls.lasting.get());
        let owed = case.cpus as u64 * (case.tick + 1) + u64::from(case.threads) * call;
        prop_assert!(usage_ns <= refills + owed, "{usage_ns} > {refills} + {owed}");
        prop_assert!(throttled_ns <= ran.wall * case.cpus as u64);
    }

    #[test]
    fn a_load_that_fits_without_a_limit_is_done_at_last(case in case()) {
        let unlimited = Case { quota: 200_000, period: 1_000, burst: 0, ..case.clone() };
        let ran = run(&unlimited, 60_000 * MS);
        prop_assert_eq!(ran.done, case.jobs.len());
        prop_assert_eq!(ran.counters.nr_throttled, 0);
    }

    /// On one CPU more quota means no more throttled time until all is done, but for what a tick is worth: where the last wait
    /// begins a tick later, that tick is owed, and waited for at the rate of the quota.
    #[test]
    fn more_quota_is_no_more_throttled_time_on_one_cpu(case in case(), more in more()) {
        // Of more CPUs than there are, only the slices are scarce.
        let case = Case { cpus: 1, period: case.period.max(case.quota + more), ..case };
        let (less, more) = with_more_quota(&case, more);
        let ticks = 2 + case.tick / (case.quota * 1000);
        prop_assert!(more <= less + ticks * case.period.max(case.tick / 1000) * 1000, "{less} {more}");
    }

    /// On any number of CPUs more quota means no less work done, but for a tick and a slice on each CPU.
    #[test]
    fn more_quota_is_no_less_work(case in case(), more in more(), end in 100_u64..5_000) {
        let run_with = |quota: u64| run(&Case { quota, burst: 0, old: false, ..case.clone() }, end * MS);
        let (less, more) = (run_with(case.quota), run_with(case.quota + more));
        let slack = case.cpus as u64 * (case.tick + SLICE.get());
        prop_assert!(
            more.counters.usage_ns + slack >= less.counters.usage_ns,
            "{:?} {:?}", less.counters, more.counters
        );
    }
}

/// On several CPUs more quota can mean more throttled time, as in this case that was drawn: 7 % more of it, and 1.2 s more of waiting.
/// The counter sums over CPUs, a quota below a tick is overrun on each CPU that happens to run when the pool is empty, and which those
/// are changes with every µs.
#[test]
fn on_several_cpus_more_quota_can_be_more_throttled_time() {
    let case = Case {
        cpus: 4,
        tick: 10 * MS,
        tick_phase: 7_543_813,
        quota: 6_456,
        period: 194_528,
        burst: 0,
        phase: 55_799_905,
        threads: 5,
        old: false,
        calls: None,
        jobs: vec![
            (45_541_754, 3, 12_831_339),
            (14_198_672, 3, 27_862_387),
            (0, 2, 4_528_001),
            (0, 4, 8_440_812),
        ],
    };
    let (less, more) = with_more_quota(&case, 447);
    assert_eq!((less / MS, more / MS), (13_494, 14_660));
}

/// The same without chance: what a group may take before it is throttled decides on how many CPUs it then waits. Under 9 ms a serial
/// head of 15 ms waits alone; under 18 ms it is done, and the four parts after it wait, each on a CPU.
#[test]
fn a_group_that_gets_further_may_wait_on_more_cpus() {
    let waited = |quota: u64| {
        let kernel = Kernel { tick: Nanos::new(MS), ..Kernel::of(Version::new(6, 18, 0)) };
        let mut machine = Machine::new(kernel, 4, Nanos::ZERO);
        let limit =
            Bandwidth::new(Quota::Limited(Micros::from_ms(quota)), Micros::from_ms(100), Micros::ZERO);
        let group = machine.group(None, limit.unwrap(), 100, Nanos::ZERO);
        let [head, part] = [15, 10].map(|ms| Nanos::new(ms * MS));
        let job = Job { intended: Nanos::ZERO, demand: Demand::Staged(vec![vec![head], vec![part; 4]]) };
        machine.crew(group, &Crew::of(4), std::iter::once(job));
        machine.run_until(Nanos::new(100 * MS), |_| {});
        machine.counters(group).throttled_ns / MS
    };
    assert!(waited(9) < 100 && waited(18) > 300, "{} {}", waited(9), waited(18));
}
