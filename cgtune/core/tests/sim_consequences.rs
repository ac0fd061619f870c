//! What the controller must show, whatever the load: a test for each of its known consequences. All on a kernel with 1 ms
//! ticks, so that the numbers are round.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use cgtune_core::{
    Bandwidth, CpuControl as _, Interval, Layout, Micros, Nanos, Policy, Quota,
    control::apply,
    sim::{Counters, Crew, Demand, Done, GroupId, Job, Kernel, Machine, SimulatedCgroup, Throttle},
};

const MS: u64 = 1_000_000;

const KERNEL: Kernel = Kernel {
    throttle: Throttle::Tasks,
    expires_slices: false,
    random_phase: true,
    times_empty: false,
    tick: Nanos::new(MS),
};

fn ms(ms: u64) -> Nanos {
    Nanos::new(ms * MS)
}

fn limited(quota: u64, period: u64, burst: u64) -> Bandwidth {
    Bandwidth::new(Quota::Limited(Micros::from_ms(quota)), Micros::from_ms(period), Micros::from_ms(burst))
        .unwrap()
}

/// One stage of equal parts at a time.
fn job(at: u64, parts: usize, each: Nanos) -> Job {
    Job { intended: ms(at), demand: Demand::Staged(vec![vec![each; parts]]) }
}

/// A load that never ends.
fn hog(threads: usize) -> impl Iterator<Item = Job> {
    std::iter::once(job(0, threads, ms(1_000_000_000)))
}

fn machine<'a>(cpus: usize) -> Machine<'a> {
    Machine::new(KERNEL, cpus, Nanos::ZERO)
}

/// Counters at the end of each step of so many ms.
fn trace(machine: &mut Machine<'_>, group: GroupId, step: u64, steps: u64) -> Vec<Counters> {
    (1..=steps)
        .map(|at| {
            machine.run_until(ms(at * step), |_| {});
            machine.counters(group)
        })
        .collect()
}

/// The example at the head of `sim`.
#[test]
fn the_example_of_the_primer_is_true() {
    let kernel = Kernel { tick: ms(4), ..KERNEL };
    let mut machine = Machine::new(kernel, 1, Nanos::ZERO);
    let group = machine.group(None, limited(20, 100, 0), 100, Nanos::ZERO);
    machine.crew(group, &Crew::of(1), hog(1));
    let after = trace(&mut machine, group, 1, 199);
    let at = |ms: usize| after[ms - 1];
    assert_eq!((at(24).usage_ns, at(99).usage_ns), (24 * MS, 24 * MS));
    assert_eq!((at(100).nr_periods, at(100).nr_throttled, at(100).throttled_ns), (1, 1, 76 * MS));
    assert_eq!((at(119).usage_ns, at(120).usage_ns, at(199).usage_ns), (43 * MS, 44 * MS, 44 * MS));
}

/// The same `apply` runs on it as on a real group.
#[test]
fn apply_runs_on_a_simulated_group() {
    let mut machine = machine(1);
    let group = machine.group(None, Bandwidth::unlimited(), 100, Nanos::ZERO);
    machine.crew(group, &Crew::of(1), hog(1));
    for layout in [Layout::V1, Layout::V2] {
        let mut cgroup = SimulatedCgroup::new(&mut machine, group, layout);
        let policy = Policy { bandwidth: Some(limited(30, 100, 30)), ..Policy::default() };
        let applied = apply(&mut cgroup, &policy).unwrap();
        assert_eq!(applied.after.bandwidth, Some(limited(30, 100, 30).into()));
        let before = cgroup.sample().unwrap();
        let end = Nanos::new(cgroup.machine().now().get() + 10_000 * MS);
        cgroup.machine().run_until(end, |_| {});
        let interval = Interval::between(&before, &cgroup.sample().unwrap()).unwrap();
        let used = interval.cpus_used().unwrap();
        assert!((used - 0.3).abs() < 0.01, "{used}");
        apply(&mut cgroup, &Policy { bandwidth: Some(Bandwidth::unlimited()), ..Policy::default() }).unwrap();
    }
}

#[test]
fn a_hog_gets_its_quota_and_is_throttled_in_every_period() {
    let mut machine = machine(1);
    let group = machine.group(None, limited(50, 100, 0), 100, Nanos::ZERO);
    machine.crew(group, &Crew::of(1), hog(1));
    machine.run_until(ms(10_000), |_| {});
    let end = machine.counters(group);
    assert!((98..=100).contains(&end.nr_periods), "{end:?}");
    assert!(end.nr_throttled * 100 >= end.nr_periods * 98, "{end:?}");
    let share = end.usage_ns as f64 / ms(10_000).get() as f64;
    assert!((share - 0.5).abs() < 0.005, "{share}");
    let stalled = end.throttled_ns as f64 / ms(10_000).get() as f64;
    assert!((stalled - 0.5).abs() < 0.01, "{stalled}");
}

/// 1a: a throttle that the slack timer ends adds time and no count.
#[test]
fn a_throttle_cured_by_slack_adds_time_but_no_count() {
    let mut machine = machine(3);
    let quota = Bandwidth::new(Quota::Limited(Micros::new(21_190)), Micros::from_ms(100), Micros::ZERO);
    let group = machine.group(None, quota.unwrap(), 100, Nanos::ZERO);
    let pinned = |cpu: &str| Crew { cpus: Some(cpu.parse().unwrap()), ..Crew::of(1) };
    // CPU 0 runs out at 11 ms, just after the others took a slice each; at 11.4 ms these sleep and give back 2.6 ms each, which
    // 5 ms later is handed out.
    let late = |cpu: &str| {
        (pinned(cpu), [Job { intended: Nanos::new(9_900_000), ..job(0, 1, Nanos::new(1_500_000)) }])
    };
    for (crew, jobs) in [(pinned("0"), [job(0, 1, ms(15))]), late("1"), late("2")] {
        machine.crew(group, &crew, jobs.into_iter());
    }
    machine.run_until(ms(250), |_| {});
    let end = machine.counters(group);
    assert_eq!(end.nr_throttled, 0, "{end:?}");
    assert!((5 * MS..6 * MS).contains(&end.throttled_ns), "{end:?}");
}

/// 1b: one on the way to sleep counts and takes no time.
#[test]
fn a_throttle_on_the_way_to_sleep_counts_but_takes_no_time() {
    let mut machine = machine(1);
    let group = machine.group(None, limited(10, 100, 0), 100, Nanos::ZERO);
    // Exactly the quota in each period, and at first the nanosecond that each CPU begins with.
    let each = |at| Nanos::new(10 * MS + u64::from(at == 0));
    machine.crew(group, &Crew::of(1), (0..10).map(move |at| job(at * 100, 1, each(at))));
    machine.run_until(ms(1000), |_| {});
    let end = machine.counters(group);
    assert!(end.nr_throttled > 0 && end.throttled_ns == 0, "{end:?}");
}

/// 2: a tick too much is taken, and paid back from the next refill.
#[test]
fn what_is_overrun_is_paid_back() {
    let kernel = Kernel { tick: ms(4), ..KERNEL };
    let mut machine = Machine::new(kernel, 1, ms(1));
    let group = machine.group(None, limited(10, 100, 0), 100, Nanos::ZERO);
    machine.crew(group, &Crew::of(1), hog(1));
    let periods = trace(&mut machine, group, 100, 50);
    let used: Vec<u64> = periods.windows(2).map(|pair| pair[1].usage_ns - pair[0].usage_ns).collect();
    assert!(used.iter().any(|&used| used > 10 * MS), "{used:?}");
    assert!(used.iter().all(|&used| used <= 14 * MS), "{used:?}");
    let mean = used.iter().sum::<u64>() / used.len() as u64;
    assert!(mean.abs_diff(10 * MS) < MS / 5, "{mean}");
}

/// 2: across the boundary of two periods twice the quota can be used in 100 ms.
#[test]
fn a_window_across_a_boundary_may_see_twice_the_quota() {
    let mut machine = machine(1);
    let group = machine.group(None, limited(40, 100, 0), 100, ms(50));
    machine.crew(group, &Crew::of(1), [job(105, 1, ms(40)), job(155, 1, ms(40))].into_iter());
    let mut done = Vec::new();
    machine.run_until(ms(300), |job: Done| done.push(job.at.get() / MS));
    assert!(done[1] <= 200, "both within the 100 ms from 105 on: {done:?}");
}

/// 3: what CPUs hold back throttles a wide and shallow load below its limit.
#[test]
fn a_wide_load_is_throttled_below_its_limit() {
    let run = |cpus: usize, each: Nanos| {
        let mut machine = machine(cpus);
        let group = machine.group(None, limited(20, 100, 0), 100, Nanos::ZERO);
        // Every CPU needs a little, again and again: 16 ms of the 20 in all.
        machine.crew(
            group,
            &Crew::of(u32::try_from(cpus).unwrap()),
            (0..200).map(|at| job(at * 50, cpus, each)),
        );
        machine.run_until(ms(10_000), |_| {});
        machine.counters(group)
    };
    let wide = run(16, Nanos::new(MS / 2));
    assert!(wide.nr_throttled > 0, "{wide:?}");
    assert!(wide.usage_ns <= 10_000 * MS / 5, "{wide:?}");
    let narrow = run(1, ms(8));
    assert_eq!(narrow.nr_throttled, 0, "{narrow:?}");
}

/// 4: n threads use the quota up in an nth of the time, and wait for the rest of the period.
#[test]
fn threads_burn_the_quota_in_parallel() {
    for threads in [1_u64, 2, 4] {
        let mut machine = machine(4);
        let group = machine.group(None, limited(40, 100, 0), 100, Nanos::ZERO);
        machine.crew(
            group,
            &Crew::of(u32::try_from(threads).unwrap()),
            hog(usize::try_from(threads).unwrap()),
        );
        machine.run_until(ms(10_000), |_| {});
        let end = machine.counters(group);
        let waited = end.throttled_ns as f64 / MS as f64 / threads as f64 / end.nr_periods as f64;
        let expected = 100.0 - 40.0 / threads as f64;
        assert!((waited - expected).abs() < 3.0, "{threads}: {waited} for {expected}");
    }
}

/// 5: a burst is full after two refills without use, and no sooner.
#[test]
fn a_burst_fills_in_two_idle_refills() {
    let run = |idle: u64| {
        let mut machine = machine(1);
        let group = machine.group(None, limited(20, 100, 20), 100, Nanos::ZERO);
        // Empties the pool, waits, and asks for two quotas at once.
        let jobs = [job(0, 1, ms(40)), job(200 + idle * 100 + 1, 1, ms(39))];
        machine.crew(group, &Crew::of(1), jobs.into_iter());
        let mut done = Vec::new();
        machine.run_until(ms(2000), |job: Done| done.push((job.at.get() - job.intended.get()) / MS));
        done[1]
    };
    assert!(run(2) < 50, "{}", run(2));
    assert!(run(0) >= 50, "{}", run(0));
}

/// 6: each level has its own pool, and all must agree.
#[test]
fn every_level_has_its_own_pool() {
    let mut machine = machine(2);
    let pod = machine.group(None, limited(30, 100, 0), 100, ms(13));
    let a = machine.group(Some(pod), limited(80, 100, 0), 100, ms(57));
    let b = machine.group(Some(pod), limited(10, 100, 0), 100, Nanos::ZERO);
    machine.crew(a, &Crew::of(1), hog(1));
    machine.crew(b, &Crew::of(1), hog(1));
    machine.run_until(ms(20_000), |_| {});
    let (pod, a, b) = (machine.counters(pod), machine.counters(a), machine.counters(b));
    let share = |counters: Counters| counters.usage_ns as f64 / (20_000 * MS) as f64;
    assert!((share(pod) - 0.30).abs() < 0.005, "{pod:?}");
    assert!(share(b) < 0.102, "{b:?}");
    assert_eq!(pod.usage_ns, a.usage_ns + b.usage_ns);
    // The pod throttles the first container; its own limit never does.
    assert!(pod.nr_throttled > 190 && a.nr_throttled == 0, "{pod:?} {a:?}");
}

/// 7: burst time is what left the pool, which may wait on a CPU unused.
#[test]
fn burst_time_is_what_left_the_pool() {
    let mut machine = machine(4);
    let group = machine.group(None, limited(10, 100, 10), 100, Nanos::ZERO);
    // Four CPUs draw slices of 5 ms, and have used 3 ms of each when the period ends.
    machine.crew(group, &Crew::of(4), (0..20).map(|at| job(at * 300 + 97, 4, ms(4))));
    machine.run_until(ms(6_000), |_| {});
    let end = machine.counters(group);
    assert!(end.nr_bursts > 0, "{end:?}");
    // 12 ms were used by then, 2 more than the quota.
    assert!(end.burst_ns / end.nr_bursts > 2 * MS, "{end:?}");
}
