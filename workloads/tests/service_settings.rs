//! Loads from elsewhere that a service must be able to be: what comes when, and how much it demands.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use workloads::service::{Arrivals, Request, ServiceConfig, Spread};

const MS: u64 = 1_000_000;

fn first(config: &ServiceConfig, count: usize) -> Vec<Request> {
    config.requests().unwrap().take(count).collect()
}

fn mean_demand_ns(requests: &[Request]) -> f64 {
    requests.iter().map(|request| request.demand_ns as f64).sum::<f64>() / requests.len() as f64
}

const fn periodic(every_ns: u64) -> Arrivals {
    Arrivals::Periodic { every_ns, jitter: 0.0 }
}

/// The test in the message of Linux's commit f4183717b370 ("sched/fair: Introduce the burstable CFS controller").
#[test]
fn the_kernels_burst_test_asks_for_80_ms_of_three_workers_every_100_ms() {
    let config = ServiceConfig {
        threads: 3,
        fan_out: 3,
        demand_ns: 80 * MS,
        spread: Spread::Constant,
        arrivals: periodic(100 * MS),
        ..ServiceConfig::default()
    };
    for (request, number) in first(&config, 200).iter().zip(0..) {
        assert_eq!(*request, Request { intended_ns: number * 100 * MS, demand_ns: 80 * MS });
    }
}

#[test]
fn exponential_jobs_of_15_ms_every_103_ms_never_take_above_100_ms() {
    let config = ServiceConfig {
        threads: 1,
        fan_out: 1,
        demand_ns: 15 * MS,
        spread: Spread::Exponential,
        demand_max_ns: Some(100 * MS),
        arrivals: periodic(103 * MS),
        ..ServiceConfig::default()
    };
    let requests = first(&config, 100_000);
    assert!(requests.iter().zip(0..).all(|(request, number)| request.intended_ns == number * 103 * MS));
    assert!(requests.iter().all(|request| request.demand_ns <= 100 * MS));
    // The exponential distribution without what lies beyond 100 ms.
    let beyond = |ms: f64| (-ms / 15.0).exp();
    let mean_ns = 15e6 - 100e6 * beyond(100.0) / (1.0 - beyond(100.0));
    assert!((mean_demand_ns(&requests) / mean_ns - 1.0).abs() < 0.01);
    let above_50 = requests.iter().filter(|request| request.demand_ns > 50 * MS).count() as f64 / 1e5;
    let wanted = (beyond(50.0) - beyond(100.0)) / (1.0 - beyond(100.0));
    assert!((above_50 - wanted).abs() < 0.002, "{above_50} for {wanted}");
}

#[test]
fn a_service_of_four_threads_takes_two_fifths_of_a_cpu_at_random() {
    let config = ServiceConfig::default();
    assert_eq!((config.threads, config.fan_out, config.spread), (4, 4, Spread::Exponential));
    let requests = first(&config, 100_000);
    let demand_ns: u64 = requests.iter().map(|request| request.demand_ns).sum();
    let load = demand_ns as f64 / requests[requests.len() - 1].intended_ns as f64;
    assert!((load / 0.4 - 1.0).abs() < 0.02, "{load}");
    // Gaps without memory: e^-1 of them are longer than the mean.
    let long = requests.windows(2).filter(|pair| pair[1].intended_ns - pair[0].intended_ns > 20 * MS).count();
    assert!((long as f64 / 1e5 - (-1f64).exp()).abs() < 0.01, "{long}");
}

#[test]
fn sixteen_threads_with_a_fifth_of_a_millisecond_each_wake_every_10_ms() {
    let config = ServiceConfig {
        threads: 16,
        fan_out: 16,
        demand_ns: 16 * MS / 5,
        spread: Spread::Constant,
        arrivals: periodic(10 * MS),
        ..ServiceConfig::default()
    };
    for (request, number) in first(&config, 200).iter().zip(0..) {
        assert_eq!(*request, Request { intended_ns: number * 10 * MS, demand_ns: 3_200_000 });
    }
}

/// A change of these numbers is a change of the load: results from before and after it do not compare. It is not wrong,
/// but must be meant.
#[test]
fn the_requests_are_the_ones_they_were() {
    let of = |spread, arrivals| -> Vec<(u64, u64)> {
        let config = ServiceConfig { spread, arrivals, ..ServiceConfig::default() };
        first(&config, 3).iter().map(|request| (request.intended_ns, request.demand_ns)).collect()
    };
    let jittered = Arrivals::Periodic { every_ns: 20 * MS, jitter: 0.25 };
    assert_eq!(
        of(Spread::Exponential, Arrivals::Poisson { every_ns: 20 * MS }),
        [(27_981_622, 1_051_424), (32_611_431, 17_689_906), (63_841_114, 8_580_748)]
    );
    assert_eq!(
        of(Spread::LogNormal { cv: 0.5 }, jittered),
        [(8_567_171, 5_471_608), (21_375_544, 11_362_834), (44_704_615, 3_546_785)]
    );
}
