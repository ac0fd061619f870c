//! What holds for any load, limit and phase.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use cgtune_core::{
    Bandwidth, Micros, Nanos, Quota,
    sim::{Counters, Crew, Demand, Job, Kernel, Machine, SystemCalls, Throttle},
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

    /// More quota means no more throttled time, but for what a tick is worth: a CPU that runs on for a tick takes its time from
    /// the next period, and where the larger quota lets one more CPU do so the sum can come out larger by that much.
    #[test]
    fn more_quota_is_no_more_throttled_time(case in case(), more in 1_u64..100_000) {
        let run_with = |quota: u64| run(&Case { quota, burst: 0, threads: 1, cpus: 1, ..case.clone() }, 5_000 * MS);
        let (less, more) = (run_with(case.quota), run_with(case.quota + more));
        let slack = case.tick * 2;
        prop_assert!(
            more.counters.throttled_ns <= less.counters.throttled_ns + slack,
            "{:?} {:?}", less.counters, more.counters
        );
    }
}
