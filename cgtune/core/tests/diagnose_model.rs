//! The diagnosis, on groups of the model: kernels and machines that are not at hand (5.3, 64 CPUs), counters that come round
//! or run backwards, a hypervisor that takes CPU away. All of this is synthetic; the real kernel is asked by the tool's
//! scenarios.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use std::sync::Arc;

use cgtune_core::{
    Bandwidth, CpuSet, Micros, Nanos, Observed, Quota, Topology,
    convert::{Version, pod::QosClass},
    diagnose::{
        Cause, Confidence, Evidence, Finding, Reading, Series, Watched, findings,
        remedy::Kind,
        watched::{Above, Machine, Runnable, Threads},
    },
    kubelet::{
        KubeletConfig, Release,
        recommend::{Demand, Expected, Field, KnownContainer, KnownPod, Remark, Situation, recommend},
    },
    parse::cpu_stat::{BandwidthCounters, EventCount},
    sim::{self, Counters, Crew, Job, Kernel},
    topology::Cpu,
};
use proptest::prelude::*;

const MS: u64 = 1_000_000;
/// How long each is watched, in ms.
const WATCH: u64 = 10_000;
/// Between two readings, in ms.
const STEP: u64 = 10;

fn ms(ms: u64) -> Nanos {
    Nanos::new(ms * MS)
}

fn limited(quota_us: u64, period_us: u64) -> Bandwidth {
    let quota = Quota::Limited(Micros::new(quota_us));
    Bandwidth::new(quota, Micros::new(period_us), Micros::ZERO).unwrap()
}

/// Threads that each work so many µs every so many ms.
fn pulses(threads: usize, each_us: u64, every_ms: u64) -> Vec<Job> {
    let job = |at| Job {
        intended: ms(at),
        demand: sim::Demand::Staged(vec![vec![Nanos::new(each_us * 1000); threads]]),
    };
    (0..WATCH + 1000).step_by(usize::try_from(every_ms).unwrap()).map(job).collect()
}

fn hog(threads: usize) -> Vec<Job> {
    vec![Job { intended: Nanos::ZERO, demand: sim::Demand::Staged(vec![vec![ms(1_000_000_000); threads]]) }]
}

fn reading(at: u64, counters: Counters, offset: u64) -> Reading {
    let count = |n: u64| EventCount::new((n + offset) % (1 << 32));
    Reading {
        at: ms(at),
        bandwidth: Some(BandwidthCounters {
            nr_periods: count(counters.nr_periods),
            nr_throttled: count(counters.nr_throttled),
            throttled: Nanos::new(counters.throttled_ns),
        }),
        bursts: None,
        usage: Some(Nanos::new(counters.usage_ns)),
        local: None,
    }
}

/// A story: a machine, the limits from the outside in, and what happens in the innermost group.
struct Story {
    kernel: (u32, u32),
    cpus: usize,
    limits: Vec<Option<Bandwidth>>,
    threads: u32,
    jobs: Vec<Job>,
    /// What others in the group above do.
    siblings: Vec<Job>,
    /// Where counters begin.
    offset: u64,
    phase: f64,
}

impl Story {
    fn of(cpus: usize, limit: Bandwidth, threads: u32, jobs: Vec<Job>) -> Self {
        let (limits, siblings) = (vec![Some(limit)], Vec::new());
        Self { kernel: (6, 12), cpus, limits, threads, jobs, siblings, offset: 0, phase: 0.3 }
    }

    fn seen(self) -> Watched {
        let kernel = Kernel::of(Version::new(self.kernel.0, self.kernel.1, 0));
        let mut machine = sim::Machine::new(kernel, self.cpus, Nanos::ZERO);
        let mut groups = Vec::new();
        for limit in &self.limits {
            let bandwidth = limit.unwrap_or_else(Bandwidth::unlimited);
            let phase = Nanos::new((self.phase * bandwidth.period().to_nanos().get() as f64) as u64);
            groups.push(machine.group(groups.last().copied(), bandwidth, 100, phase));
        }
        let own = *groups.last().unwrap();
        machine.crew(own, &Crew::of(self.threads), self.jobs.into_iter());
        if let [.., above, _] = groups.as_slice() {
            machine.crew(*above, &Crew::of(self.threads), self.siblings.into_iter());
        }
        let mut series = vec![Series::default(); groups.len()];
        for at in (0..=WATCH).step_by(usize::try_from(STEP).unwrap()) {
            machine.run_until(ms(at), |_| {});
            for (group, series) in groups.iter().zip(&mut series) {
                series.readings.push(reading(at, machine.counters(*group), self.offset));
            }
        }
        let series: Vec<Arc<Series>> = series.into_iter().map(Arc::new).collect();
        let stalled = series.iter().filter_map(|series| series.throttled()).max().unwrap();
        let bandwidth = |limit: &Option<Bandwidth>| limit.unwrap_or_else(Bandwidth::unlimited).into();
        let above = self.limits.iter().zip(&series).rev().enumerate().skip(1);
        let above = above.filter(|(_, (limit, _))| limit.is_some()).map(|(level, (limit, series))| Above {
            level,
            bandwidth: bandwidth(limit),
            series: Arc::clone(series),
        });
        // A count at each reading: the model's threads all want to run while there is work.
        let runnable = (0..WATCH).step_by(50).map(|at| Runnable { at: ms(at), threads: self.threads });
        Watched {
            observed: Observed { bandwidth: self.limits.last().map(bandwidth), ..Observed::default() },
            own: Arc::clone(series.last().unwrap()),
            above: above.collect(),
            view_limited: false,
            idle: None,
            inner: false,
            threads: Some(Threads {
                count: u64::from(self.threads),
                looked_at: u64::from(self.threads),
                run_delay: stalled,
                runnable: runnable.collect(),
                ..Threads::default()
            }),
            pressure: None,
            neighbours: Vec::new(),
            machine: Machine {
                online: Some((0..u32::try_from(self.cpus).unwrap()).collect::<CpuSet>()),
                series: Arc::clone(&series[0]),
                busy: Vec::new(),
                steal: Some(Nanos::ZERO),
                release: Some(format!("{}.{}.0", self.kernel.0, self.kernel.1)),
                expiry: None,
            },
        }
    }
}

fn verdict(watched: &Watched) -> Finding {
    findings(watched).remove(0)
}

#[test]
fn a_burst_of_one_thread_is_short_bursts_at_every_phase_and_a_burst_is_expected_to_help() {
    for phase in [0.0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 0.99] {
        // 60 ms of work every 250 ms are 0.24 CPUs, of 0.4.
        let story = Story { phase, ..Story::of(2, limited(40_000, 100_000), 1, pulses(1, 60_000, 250)) };
        let finding = verdict(&story.seen());
        assert_eq!(
            (finding.cause, finding.confidence),
            (Cause::ShortBursts, Confidence::High),
            "phase {phase}"
        );
        let burst = &finding.remedies[0];
        assert_eq!(burst.kind, Kind::Burst);
        let expected = burst.expected.unwrap();
        assert!(expected.stall_ms_per_s.max < 10.0, "{expected:?}");
        let now = finding.stall_ms_per_s.unwrap();
        let range = expected.stall_ms_per_s_now;
        assert!(range.min * 0.8 <= now && now <= range.max * 1.25, "{now} against {range:?}");
    }
}

/// The only container of a Burstable pod, as `kubelet recommend` knows it from a watch.
fn of_the_kubelet(watched: Watched) -> KnownPod {
    let qos = QosClass::Burstable;
    let container = KnownContainer::running("main".into(), qos, Arc::new(watched), true);
    KnownPod { name: "shop/web".into(), qos, whole: false, request: None, containers: vec![container] }
}

#[test]
fn what_is_expected_of_the_kubelets_other_period_is_what_the_group_then_shows() {
    let story = |quota, period| Story::of(2, limited(quota, period), 1, pulses(1, 60_000, 250)).seen();
    let demand = Demand::of(&[of_the_kubelet(story(40_000, 100_000))]);
    let shared = &demand.throttled_shared[0];
    let stall =
        |watched: Watched| watched.own.throttled().unwrap().as_secs() * 1e3 / watched.own.wall().as_secs();
    assert_eq!(shared.stall_ms_per_s(), Some(stall(story(40_000, 100_000))));
    let then = stall(story(8_000, 20_000));
    let range = shared.in_period(Micros::from_ms(20)).unwrap().stall_ms_per_s;
    assert!(range.min * 0.8 <= then && then <= range.max * 1.25, "{then} against {range:?}");
    assert_eq!(shared.without_quota().unwrap().stall_ms_per_s.max, 0.0);
}

#[test]
fn a_shorter_period_is_not_offered_where_it_makes_the_stall_longer() {
    let cpu = |cpu| Cpu { cpu, core: cpu, socket: 0, node: 0, uncore: None };
    let topology = Topology::new((0..4).map(cpu)).unwrap();
    let offered = |watched: Watched| {
        let (config, pods) = (KubeletConfig::default(), [of_the_kubelet(watched)]);
        let situation = Situation {
            release: Release::NEWEST,
            topology: &topology,
            machine: None,
            config: &config,
            pods: Some(&pods),
        };
        let done = recommend(&situation);
        let shorter = done.alternatives.iter().find(|one| one.field == Field::CpuCfsQuotaPeriod).cloned();
        let said = done.remarks.iter().any(|remark| matches!(remark, Remark::LongerStalls { .. }));
        (shorter.map(|one| one.expected), said)
    };
    // One thread's 35 ms are nearly two quotas of 20 ms, and nine of 4 ms.
    let burst = Story::of(2, limited(20_000, 100_000), 1, pulses(1, 35_000, 600)).seen();
    assert_eq!(offered(burst), (None, true));
    let threads = Story::of(8, limited(150_000, 100_000), 8, pulses(8, 30_000, 500)).seen();
    assert_eq!(offered(threads), (None, true));
    // As long as it wants more than it gets, each stall is shorter, and nothing is modelled.
    let endless = Story::of(2, limited(20_000, 100_000), 1, hog(1)).seen();
    assert_eq!(offered(endless), (Some(None), false));
}

#[test]
fn of_a_container_without_an_end_to_its_wants_only_the_rule_is_expected() {
    let pods = [of_the_kubelet(Story::of(2, limited(50_000, 100_000), 1, hog(1)).seen())];
    let cpu = |cpu| Cpu { cpu, core: cpu, socket: 0, node: 0, uncore: None };
    let topology = Topology::new((0..4).map(cpu)).unwrap();
    let config = KubeletConfig::default();
    let (release, pods) = (Release::NEWEST, Some(&pods[..]));
    let done = recommend(&Situation { release, topology: &topology, machine: None, config: &config, pods });
    let [shorter, none] = done.alternatives.as_slice() else { panic!("{:?}", done.alternatives) };
    assert_eq!(shorter.expected, None);
    assert!(matches!(none.expected, Some(Expected::NoQuotas { nr_throttled: 90.., .. })), "{none:?}");
}

#[test]
fn a_hog_is_sustained_demand_whatever_the_period() {
    for (quota, period) in [(50_000, 100_000), (10_000, 20_000), (300_000, 1_000_000)] {
        let watched = Story::of(2, limited(quota, period), 1, hog(1)).seen();
        assert_eq!(verdict(&watched).cause, Cause::SustainedDemand, "{quota}/{period}");
    }
}

#[test]
fn sixteen_threads_on_sixty_four_cpus_under_two_are_too_many() {
    // 16 × 18 ms every 400 ms are 0.72 CPUs, of 2.
    let watched = Story::of(64, limited(200_000, 100_000), 16, pulses(16, 18_000, 400)).seen();
    let finding = verdict(&watched);
    assert_eq!(finding.cause, Cause::TooManyThreads, "{:?}", finding.evidence);
    assert_eq!((finding.remedies[0].kind, finding.remedies[0].amount), (Kind::FewerThreads, Some(2.0)));
    let expected = finding.remedies[0].expected.unwrap();
    assert!(expected.stall_ms_per_s.max < expected.stall_ms_per_s_now.median / 5.0, "{expected:?}");
}

/// What the old kernels take away: each of 32 CPUs gets a slice of 5 ms, uses a fifth of a millisecond and loses the rest.
#[test]
fn expired_slices_are_named_on_the_kernels_that_expire_them_and_nowhere_else() {
    let story = |kernel| Story { kernel, ..Story::of(32, limited(30_000, 100_000), 64, pulses(64, 200, 90)) };
    let old = verdict(&story((5, 3)).seen());
    assert_eq!(old.cause, Cause::KernelExpiryBug, "{:?}", old.evidence);
    assert_eq!(old.remedies[0].kind, Kind::NewKernel);
    assert_ne!(verdict(&story((5, 4)).seen()).cause, Cause::KernelExpiryBug);
}

#[test]
fn a_pod_of_one_container_with_its_quota_is_no_ancestor_problem() {
    for phase in [0.0, 0.2, 0.5, 0.8] {
        let limit = Some(limited(40_000, 100_000));
        let story = Story {
            limits: vec![limit, limit],
            phase,
            ..Story::of(2, limited(1000, 1000), 1, pulses(1, 60_000, 250))
        };
        let found = findings(&story.seen());
        assert_eq!(found[0].cause, Cause::ShortBursts, "phase {phase}");
        assert!(found.iter().all(|finding| finding.cause != Cause::AncestorLimit), "phase {phase}");
    }
}

#[test]
fn a_pod_that_runs_out_by_its_own_small_limit_or_by_a_sibling_is_an_ancestor_problem() {
    let above = Some(limited(40_000, 100_000));
    let alone =
        Story { limits: vec![above, None], ..Story::of(2, limited(1000, 1000), 1, pulses(1, 60_000, 250)) };
    let wide = Story {
        limits: vec![above, Some(limited(80_000, 100_000))],
        ..Story::of(2, limited(1000, 1000), 1, hog(1))
    };
    let crowded = Story {
        limits: vec![above, above],
        siblings: hog(1),
        ..Story::of(2, limited(1000, 1000), 1, pulses(1, 5_000, 100))
    };
    for story in [alone, wide, crowded] {
        let finding = verdict(&story.seen());
        assert_eq!(finding.cause, Cause::AncestorLimit, "{:?}", finding.evidence);
        let Evidence::Above(evidence) = finding.evidence else { panic!("{:?}", finding.evidence) };
        assert_eq!(evidence.levels_up, 1);
    }
}

#[test]
fn a_limit_above_that_would_hold_it_goes_along() {
    let above = |pod: u64, kind| {
        let limits = vec![Some(limited(pod, 100_000)), Some(limited(40_000, 100_000))];
        let story = Story { limits, ..Story::of(2, limited(1000, 1000), 1, pulses(1, 60_000, 250)) };
        let remedies = verdict(&story.seen()).remedies;
        let change = remedies.iter().find(|remedy| remedy.kind == kind).unwrap().change.unwrap();
        (change, change.above)
    };
    // The same limit: whatever helps must be done to both.
    for kind in [Kind::Burst, Kind::LongerPeriod, Kind::RaiseLimit, Kind::NoLimit] {
        let (own, raised) = above(40_000, kind);
        let raised = raised.unwrap();
        assert_eq!(raised.levels_up, 1);
        assert_eq!(
            (raised.quota, raised.period, raised.burst),
            (own.quota, own.period, own.burst),
            "{kind:?}"
        );
    }
    // A pod with some room for another container: it gets as much more.
    let (own, raised) = above(50_000, Kind::RaiseLimit);
    let more = own.quota.unwrap().limited().unwrap().get() - 40_000;
    assert!(more > 10_000, "or the pod would not be in its way: {own:?}");
    assert_eq!(raised.unwrap().quota, Some(Quota::Limited(Micros::new(50_000 + more))));
    assert_eq!(above(50_000, Kind::Burst).1, None);
    assert_eq!(above(190_000, Kind::RaiseLimit).1, None, "room enough");
}

#[test]
fn counters_that_come_round_change_nothing() {
    let story =
        |offset| Story { offset, ..Story::of(2, limited(40_000, 100_000), 1, pulses(1, 60_000, 250)) };
    let plain = findings(&story(0).seen());
    // The kernel prints an int: past 2^31 it is negative, and at 2^32 it begins again.
    for offset in [(1 << 31) - 20, (1 << 32) - 20] {
        assert_eq!(findings(&story(offset).seen()), plain, "{offset}");
    }
}

#[test]
fn counters_that_run_backwards_or_are_not_there_leave_it_unknown_and_say_which() {
    let whole = || Story::of(2, limited(40_000, 100_000), 1, pulses(1, 60_000, 250)).seen();
    let missing = |watched: &Watched| match verdict(watched).evidence {
        Evidence::Missing(evidence) => evidence.missing.join("; "),
        other => panic!("{other:?}"),
    };
    let mut backwards = whole();
    let mut series = (*backwards.own).clone();
    series.readings.last_mut().unwrap().bandwidth =
        series.readings[0].bandwidth.map(|b| BandwidthCounters { throttled: Nanos::ZERO, ..b });
    series.readings[0].bandwidth = series.readings[500].bandwidth;
    backwards.own = Arc::new(series);
    assert!(missing(&backwards).contains("backwards"), "{}", missing(&backwards));

    let mut without = whole();
    let mut series = (*without.own).clone();
    series.readings.iter_mut().for_each(|reading| reading.bandwidth = None);
    without.own = Arc::new(series);
    assert!(missing(&without).contains("nr_throttled"));

    let mut hidden = Story { limits: vec![None], ..Story::of(2, limited(1000, 1000), 1, hog(1)) }.seen();
    hidden.threads = None;
    assert!(missing(&hidden).contains("schedstat"));
    hidden.view_limited = true;
    assert!(missing(&hidden).contains("cpu.stat.local"));
}

/// In a container beside it, with the cgroups of the node and without its /proc.
#[test]
fn where_no_thread_can_be_read_psi_tells_those_who_wait_from_the_healthy() {
    let demand = || pulses(1, 20_000, 100);
    let seen = |pressure, others: u64| {
        let mut watched =
            Story { limits: vec![None], ..Story::of(2, limited(1000, 1000), 1, demand()) }.seen();
        (watched.threads, watched.pressure) = (None, Some(ms(pressure)));
        // Others run beside it all the while, or nobody does.
        let mut machine = (*watched.own).clone();
        for reading in &mut machine.readings {
            let used = reading.usage.unwrap().get() + others * reading.at.get();
            reading.usage = Some(Nanos::new(used));
        }
        watched.machine.series = Arc::new(machine);
        watched
    };
    let told = |watched: &Watched| {
        let finding = verdict(watched);
        (finding.cause, finding.confidence)
    };
    assert_eq!(told(&seen(4000, 1)), (Cause::Starved, Confidence::Low));
    let Evidence::Waiting(evidence) = verdict(&seen(4000, 1)).evidence else { panic!() };
    assert_eq!(evidence.run_delay_ms_per_s, None);
    assert!((evidence.pressure_some_ratio.unwrap() - 4000.0 / WATCH as f64).abs() < 0.01, "{evidence:?}");
    assert_eq!(told(&seen(5, 1)), (Cause::Healthy, Confidence::Medium));
    assert_eq!(told(&seen(4000, 0)), (Cause::Healthy, Confidence::Medium), "they wait for each other");
}

/// No hypervisor takes CPU away here, so this is made up.
#[test]
fn what_the_hypervisor_takes_is_starvation() {
    let mut watched =
        Story { limits: vec![None], ..Story::of(2, limited(1000, 1000), 1, pulses(1, 20_000, 100)) }.seen();
    watched.machine.steal = Some(ms(3000));
    if let Some(threads) = &mut watched.threads {
        threads.run_delay = ms(2000);
    }
    let finding = verdict(&watched);
    assert_eq!(finding.cause, Cause::Starved);
    assert_eq!(finding.remedies[0].kind, Kind::OtherHost);
}

fn arbitrary_series() -> impl Strategy<Value = Series> {
    let counters = (any::<u64>(), any::<u64>(), any::<u64>(), any::<Option<u64>>(), any::<bool>());
    let small =
        (0..40_u64, 0..40_u64, 0..400_000_000_u64, proptest::option::of(0..400_000_000_u64), any::<bool>());
    let one = prop_oneof![counters, small];
    proptest::collection::vec((any::<u32>(), one), 0..40).prop_map(|readings| Series {
        readings: readings
            .into_iter()
            .map(|(at, (periods, throttled, time, usage, there))| Reading {
                at: Nanos::new(u64::from(at)),
                bandwidth: there.then_some(BandwidthCounters {
                    nr_periods: EventCount::new(periods),
                    nr_throttled: EventCount::new(throttled),
                    throttled: Nanos::new(time),
                }),
                bursts: None,
                usage: usage.map(Nanos::new),
                local: None,
            })
            .collect(),
    })
}

proptest! {
    #[test]
    fn whatever_was_read_there_is_a_verdict_and_the_costs_are_ranked(
        own in arbitrary_series(),
        pod in arbitrary_series(),
        quota in 1000_u64..10_000_000,
        period in 1000_u64..1_000_000,
        run_delay in any::<u64>(),
        wanting in any::<u32>(),
        readable in any::<bool>(),
        pressure in any::<Option<u64>>(),
    ) {
        let bandwidth = limited(quota, period).into();
        let watched = Watched {
            observed: Observed { bandwidth: Some(bandwidth), ..Observed::default() },
            own: Arc::new(own),
            above: vec![Above { level: 1, bandwidth, series: Arc::new(pod.clone()) }],
            view_limited: false,
            idle: None,
            inner: false,
            threads: readable.then(|| Threads {
                count: 3,
                looked_at: 3,
                run_delay: Nanos::new(run_delay),
                runnable: vec![Runnable { at: Nanos::new(5), threads: wanting }],
                ..Threads::default()
            }),
            pressure: pressure.map(Nanos::new),
            neighbours: Vec::new(),
            machine: Machine { series: Arc::new(pod), online: Some([0, 1].into_iter().collect()), ..Machine::default() },
        };
        let found = findings(&watched);
        prop_assert!(!found.is_empty());
        let costs: Vec<f64> = found.iter().filter_map(|finding| finding.stall_ms_per_s).collect();
        prop_assert!(costs.iter().all(|cost| cost.is_finite() && *cost >= 0.0), "{costs:?}");
        prop_assert!(costs.windows(2).all(|pair| pair[0] >= pair[1]), "{costs:?}");
    }
}
