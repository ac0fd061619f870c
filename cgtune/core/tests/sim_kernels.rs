//! What differs between kernels must be seen: the same load under the same limit on two of them. All with 1 ms ticks.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use cgtune_core::{
    Bandwidth, Micros, Nanos, Quota,
    convert::Version,
    sim::{
        Counters, Crew, Demand, Job, Kernel, Machine, Pattern, Phases, Scenario, Spread, SystemCalls,
        pattern::Encoder,
    },
};

const MS: u64 = 1_000_000;

fn ms(ms: u64) -> Nanos {
    Nanos::new(ms * MS)
}

fn kernel(version: (u32, u32)) -> Kernel {
    Kernel { tick: ms(1), ..Kernel::of(Version::new(version.0, version.1, 0)) }
}

fn limited(quota: u64) -> Bandwidth {
    Bandwidth::new(Quota::Limited(Micros::from_ms(quota)), Micros::from_ms(100), Micros::ZERO).unwrap()
}

/// One crew in a group of 10 ms in every 100, for so long.
fn run(kernel: Kernel, crew: &Crew, jobs: Vec<Job>, until: Nanos) -> Counters {
    let mut machine = Machine::new(kernel, 1, Nanos::ZERO);
    let group = machine.group(None, limited(10), 100, Nanos::ZERO);
    machine.crew(group, crew, jobs.into_iter());
    machine.run_until(until, |_| {});
    machine.counters(group)
}

fn job(at: u64, each: Nanos) -> Job {
    Job { intended: ms(at), demand: Demand::Serial(each) }
}

/// Before 5.4 what a CPU keeps is lost at the end of the period, so that a load on many CPUs is throttled well below its limit
/// (the bug that de53fd7aedb1 mended).
#[test]
fn slices_expire_before_5_4() {
    let of = |version| {
        let mut machine = Machine::new(kernel(version), 16, Nanos::ZERO);
        let group = machine.group(None, limited(20), 100, Nanos::ZERO);
        // 14.4 of 20 ms.
        let jobs = (0..50).map(|at| Job {
            intended: ms(at * 100 + 50),
            demand: Demand::Staged(vec![vec![Nanos::new(900_000); 16]]),
        });
        machine.crew(group, &Crew::of(16), jobs);
        machine.run_until(ms(5_000), |_| {});
        machine.counters(group)
    };
    let (old, new) = (of((5, 3)), of((5, 4)));
    assert!(old.nr_throttled > 40, "{old:?}");
    assert!(new.nr_throttled < 5, "{new:?}");
}

/// From 6.18 a system call is finished, and charged, before the task parks; until 6.17 it is stopped in the middle. The average holds.
#[test]
fn a_system_call_is_finished_from_6_18_on() {
    let calls = SystemCalls { every: ms(1), lasting: ms(7) };
    let crew = Crew { calls: Some(calls), ..Crew::of(1) };
    let after = |minor, until| run(kernel(minor), &crew, vec![job(0, ms(100_000))], until);
    // 10 ms are used up in the second call, which is over at 16 ms.
    let (old, new) = (after((6, 17), ms(90)), after((6, 18), ms(90)));
    assert_eq!((old.usage_ns, new.usage_ns), (11 * MS, 16 * MS));
    let (old, new) = (after((6, 17), ms(100)), after((6, 18), ms(100)));
    // The clock starts when it parks.
    assert_eq!((old.throttled_ns, new.throttled_ns), (89 * MS, 84 * MS));
    let (old, new) = (after((6, 17), ms(100_000)), after((6, 18), ms(100_000)));
    for end in [old, new] {
        let share = end.usage_ns as f64 / (100_000 * MS) as f64;
        assert!((share - 0.1).abs() < 0.001, "{end:?}");
    }
}

/// In user mode the two are the same.
#[test]
fn without_system_calls_6_17_and_6_18_are_the_same() {
    let jobs = || (0..200).map(|at| job(at * 25, Nanos::new(2_400_000))).collect();
    let of = |minor| run(kernel(minor), &Crew::of(1), jobs(), ms(5_000));
    assert_eq!(of((6, 17)), of((6, 18)));
}

/// A throttle on the way to sleep took time until 6.5, and takes none since (79462e8c879a).
#[test]
fn nobody_waits_after_a_throttle_on_the_way_to_sleep() {
    // The nanosecond that each CPU begins with, and exactly the quota.
    let jobs = || vec![job(0, Nanos::new(10 * MS + 1))];
    let (old, new) = (
        run(kernel((6, 5)), &Crew::of(1), jobs(), ms(300)),
        run(kernel((6, 6)), &Crew::of(1), jobs(), ms(300)),
    );
    assert_eq!((old.nr_throttled, new.nr_throttled), (1, 1));
    assert!(old.throttled_ns > 80 * MS, "{old:?}");
    assert_eq!(new.throttled_ns, 0);
}

/// Before 6.4 a container's periods end with its pod's, so that two equal limits are as good as one; since then each has a phase of
/// its own, and what the one lets through may meet the other's empty pool.
#[test]
fn equal_limits_in_a_row_cost_more_with_phases_of_their_own() {
    let throttled = |minor, above: Vec<Bandwidth>| {
        let scenario = Scenario {
            kernel: kernel(minor),
            cpus: 2,
            pattern: Pattern::Encoder(Encoder::default()),
            calls: None,
            bandwidth: limited(42),
            above,
            weight: 100,
            cpuset: None,
            neighbours: Vec::new(),
            seed: 1,
            warm_up: ms(1_000),
            duration: ms(30_000),
        };
        let outcomes = scenario.run(&Phases::grid(6, 4));
        Spread::of(outcomes.iter().map(|outcome| outcome.latencies.quantile(0.98).unwrap().get()))
            .unwrap()
            .median
    };
    let alone = throttled((6, 3), Vec::new());
    let (old, new) = (throttled((6, 3), vec![limited(42)]), throttled((6, 4), vec![limited(42)]));
    assert!(old.abs_diff(alone) < alone / 10, "{alone} {old}");
    assert!(new > old + old / 20, "{old} {new}");
}
