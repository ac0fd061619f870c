//! How fast the model is: simulated time over real time. One group and one thread on one CPU, as most questions have.

#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use cgtune_core::{
    Bandwidth, Micros, Nanos, Quota,
    convert::Version,
    sim::{Kernel, Pattern, Phases, Scenario, pattern::Encoder},
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Simulated in one go.
const SIMULATED: Nanos = Nanos::new(600_000_000_000);

fn scenario(pattern: Pattern, burst_ms: u64) -> Scenario {
    Scenario {
        kernel: Kernel::of(Version::new(6, 18, 0)),
        cpus: 1,
        pattern,
        calls: None,
        bandwidth: Bandwidth::new(
            Quota::Limited(Micros::from_ms(42)),
            Micros::from_ms(100),
            Micros::from_ms(burst_ms),
        )
        .unwrap(),
        above: Vec::new(),
        weight: 100,
        cpuset: None,
        neighbours: Vec::new(),
        seed: 1,
        warm_up: Nanos::ZERO,
        duration: SIMULATED,
    }
}

/// Elements are simulated seconds, so that "elem/s" is the factor over real time.
fn speed(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("simulated seconds");
    group.throughput(Throughput::Elements(SIMULATED.get() / 1_000_000_000)).sample_size(10);
    let phases = [Phases { period: 0.3, tick: 0.7 }];
    for (name, pattern, burst) in [
        ("encoder", Pattern::Encoder(Encoder::default()), 0),
        ("encoder with burst", Pattern::Encoder(Encoder::default()), 42),
        ("hog", Pattern::Hog { threads: 1 }, 0),
    ] {
        let scenario = scenario(pattern, burst);
        group.bench_function(name, |bencher| bencher.iter(|| scenario.run(&phases)));
    }
    group.finish();
}

criterion_group!(benches, speed);
criterion_main!(benches);
