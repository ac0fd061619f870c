//! A toy that makes records: one thread, one token bucket, a seeded load. Its numbers are **synthetic**: they look
//! plausible and prove nothing about any kernel. `machine.kernel` says so in every output made from it.

#![allow(dead_code, reason = "each test binary uses its part")]

use cgbench::{
    plan::{Condition, EncodeLoad, Instrument, LimitRule, Load, Plan, PolicyKind},
    record::{
        BackendKind, Block, Disturbance, FrameTable, Machine, Missed, Neighbour, Records, RunRecord,
        SampleTable,
    },
};
use cgtune_core::{
    Interval, Micros, Nanos, Observed, ObservedBandwidth, ObservedShare, Quota,
    interval::{BandwidthDelta, BurstDelta},
};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use workloads::{
    h264::EncodeConfig,
    latency::{ClockConfig, FrameKind, FrameRecord, Schedule},
};

pub(crate) mod runs;

const PERIOD_NS: u64 = 100_000_000;
const WARMUP: u32 = 30;
const POLICIES: [PolicyKind; 5] = [
    PolicyKind::Shares,
    PolicyKind::Limit,
    PolicyKind::LimitBurst,
    PolicyKind::Pinned,
    PolicyKind::PinnedLimit,
];
const MEAN_CPU_NS: f64 = 12.8e6;

/// Records of all ten conditions.
pub(crate) fn records(repetitions: u32, frames: u32) -> Records {
    let conditions: Vec<Condition> = [false, true]
        .into_iter()
        .flat_map(|neighbour| POLICIES.map(|policy| Condition { neighbour, policy }))
        .collect();
    let plan = Plan {
        schema: Plan::SCHEMA.into(),
        name: "toy".into(),
        point: None,
        seed: 7,
        conditions: conditions.clone(),
        repetitions,
        merged: Vec::new(),
        frames,
        warmup_frames: WARMUP,
        reruns: 30,
        limit: LimitRule::of_need(1.08, Micros::from_ms(100)),
        neighbour_threads: 2,
        cpus: None,
        instrument: Instrument::Full,
        pilot: None,
        load: Load::Encode(EncodeLoad {
            share: 0.4,
            clock: ClockConfig::default(),
            encode: EncodeConfig::default(),
        }),
    };
    let mut pilots = Vec::new();
    let mut blocks = Vec::new();
    for repetition in 0..repetitions {
        let unlimited = Condition { neighbour: false, policy: PolicyKind::Shares };
        pilots.push(block(&plan, repetition, unlimited, repetition));
        for &condition in &conditions {
            let index = u32::try_from(blocks.len()).unwrap();
            blocks.push(block(&plan, index, condition, repetition));
        }
    }
    Records::new(plan, machine(), run(), pilots, blocks)
}

/// What the toy encodes, to change it.
pub(crate) fn encoder(plan: &mut Plan) -> &mut EncodeLoad {
    let Load::Encode(load) = &mut plan.load else { unreachable!("the toy encodes") };
    load
}

pub(crate) fn machine() -> Machine {
    Machine {
        schema: Machine::SCHEMA.into(),
        kernel: "synthetic (a toy of the tests)".into(),
        cpu_model: Some("none".into()),
        online_cpus: [0, 1].into_iter().collect(),
        memory_bytes: None,
        slice_us: Some(5000),
        cpu_layout: "v1".into(),
        cpuset_layout: Some("v1".into()),
        burst: true,
        hypervisor: None,
        governor: None,
        kept_awake: true,
    }
}

fn run() -> RunRecord {
    RunRecord {
        schema: RunRecord::SCHEMA.into(),
        backend: BackendKind::Kernel,
        version: "0.1.0".into(),
        command: vec!["cgbench".into(), "run".into(), "--plan".into(), "toy".into()],
        started: "2026-01-02T03:04:05Z".into(),
        seconds: 1234.5,
        partial: false,
        missed: Vec::new(),
        resumed: Vec::new(),
    }
}

/// The same records as of a kernel without cpusets for this run.
pub(crate) fn without_pinning(mut records: Records) -> Records {
    records.blocks.retain(|block| !block.condition.policy.pins());
    records.run.missed = records
        .plan
        .conditions
        .iter()
        .filter(|condition| condition.policy.pins())
        .map(|&condition| Missed { condition, reason: "no cpuset controller in reach".into() })
        .collect();
    records
}

/// Frames one after the other, on a CPU whose pool is refilled each period.
pub(crate) fn block(plan: &Plan, index: u32, condition: Condition, repetition: u32) -> Block {
    let content = 1000 + u64::from(repetition);
    let mut load = Pcg64Mcg::seed_from_u64(content);
    let mut noise = Pcg64Mcg::seed_from_u64(content * 100 + u64::from(index));
    let quota = if condition.policy.limits() { 41_500_000_i64 } else { i64::MAX / 4 };
    let burst = if condition.policy.bursts() { quota } else { 0 };
    let mut pool = Bucket::new(quota, burst, noise.random_range(0..PERIOD_NS));
    let Load::Encode(encode) = &plan.load else { unreachable!("the toy encodes") };
    let clock = ClockConfig { seed: content, ..encode.clock.clone() };
    let schedule = Schedule::new(&clock).unwrap();
    let mut frames = FrameTable::default();
    let mut now = 0;
    let mut level = 1.0;
    for (i, intended_ns) in (0..plan.warmup_frames + plan.frames).zip(schedule) {
        level = 0.6 * level + 0.4 * (0.72 + 0.56 * load.random_range(0.0..1.0_f64));
        let intra = i % 60 == 0;
        let mut cpu =
            MEAN_CPU_NS * level * if intra { 1.35 } else { 1.0 } * (0.9 + 0.2 * load.random_range(0.0..1.0));
        if condition.policy.pins() {
            cpu *= 0.97;
        }
        let start_ns = intended_ns.max(now) + noise.random_range(20_000..90_000);
        let mut end_ns = pool.run(start_ns, cpu as u64);
        if condition.neighbour && !condition.policy.pins() {
            // Waits for the hog: a slice now and then, seldom two.
            let slices = f64::floor(-2.2 * f64::ln(1.0 - 0.98 * noise.random_range(0.0..1.0)));
            end_ns += (slices * 3.0e6) as u64;
        }
        now = end_ns;
        let kind = if intra { FrameKind::I } else { FrameKind::P };
        frames.push(&FrameRecord {
            index: i,
            intended_ns,
            start_ns,
            end_ns,
            cpu_ns: cpu as u64,
            kind,
            bits: if intra { 90_000 } else { 12_000 },
            scene_cut: false,
        });
    }
    let measured_from_ns = frames.intended_ns.get(plan.warmup_frames as usize).copied().unwrap_or(0);
    let samples = pool.samples(now);
    let wall = now.saturating_sub(measured_from_ns).max(1);
    let usage = frames.cpu_ns.iter().skip(plan.warmup_frames as usize).sum();
    let limited = condition.policy.limits();
    let since = samples.at_ns.partition_point(|&at| at < measured_from_ns);
    let delta = |column: &[u64]| column.last().zip(column.get(since)).map_or(0, |(last, first)| last - first);
    let bandwidth = BandwidthDelta {
        nr_periods: if limited { delta(&samples.nr_periods) } else { 0 },
        nr_throttled: delta(&samples.nr_throttled),
        throttled: Nanos::new(delta(&samples.throttled_ns)),
    };
    Block {
        schema: Block::SCHEMA.into(),
        index,
        condition,
        repetition,
        attempt: 0,
        pilot: Some(repetition),
        observed: observed(condition),
        neighbour: condition.neighbour.then(|| Neighbour {
            threads: plan.neighbour_threads,
            observed: Observed::default(),
            usage_ns: Some(wall),
        }),
        interval: Interval {
            wall: Nanos::new(wall),
            bandwidth: Some(bandwidth),
            bursts: Some(BurstDelta { nr_bursts: pool.bursts, burst: Nanos::new(pool.bursts * 3_000_000) }),
            local_throttled: None,
            usage: Some(Nanos::new(usage)),
            pressure: None,
        },
        warmup_frames: plan.warmup_frames,
        measured_from_ns,
        frames,
        samples,
        disturbance: Some(Disturbance { steal: 0.0004, foreign: 0.006 + 0.001 * f64::from(index % 5) }),
        instrument_cpu_ns: Some(9_000_000),
        partial: false,
    }
}

fn observed(condition: Condition) -> Observed {
    let quota = match condition.policy.limits() {
        true => Quota::Limited(Micros::new(41_500)),
        false => Quota::Unlimited,
    };
    let burst = Micros::new(if condition.policy.bursts() { 41_500 } else { 0 });
    Observed {
        share: Some(ObservedShare::Shares(1024)),
        bandwidth: Some(ObservedBandwidth { quota, period: Micros::from_ms(100), burst: Some(burst) }),
        ..Observed::default()
    }
}

/// One pool, one CPU.
struct Bucket {
    quota: i64,
    burst: i64,
    pool: i64,
    next: u64,
    periods: u64,
    throttled: u64,
    bursts: u64,
    /// When each throttled span ended, and how long it was.
    spans: Vec<(u64, u64)>,
    boundaries: Vec<u64>,
}

impl Bucket {
    fn new(quota: i64, burst: i64, phase: u64) -> Self {
        Self {
            quota,
            burst,
            pool: quota + burst,
            next: phase,
            periods: 0,
            throttled: 0,
            bursts: 0,
            spans: Vec::new(),
            boundaries: Vec::new(),
        }
    }

    fn refill(&mut self) {
        self.pool = (self.pool + self.quota).min(self.quota + self.burst);
        self.boundaries.push(self.next);
        self.next += PERIOD_NS;
        self.periods += 1;
    }

    /// Runs `cpu` nanoseconds from `start`; when they are done.
    fn run(&mut self, start: u64, cpu: u64) -> u64 {
        let (mut now, mut left) = (start, cpu);
        while self.next <= now {
            self.refill();
        }
        while left > 0 {
            let able = left.min(self.pool.max(0).unsigned_abs()).min(self.next - now);
            now += able;
            left -= able;
            self.pool -= i64::try_from(able).unwrap();
            if left == 0 {
                break;
            }
            if self.pool <= 0 {
                self.throttled += 1;
                self.spans.push((self.next, self.next - now));
                now = self.next;
            }
            self.refill();
        }
        self.bursts += u64::from(self.burst > 0 && self.pool < self.burst);
        now
    }

    /// Counters every 10 ms and a bit, as somebody who sleeps in between reads them.
    fn samples(&self, until: u64) -> SampleTable {
        let mut table = SampleTable::default();
        for at in (0..=until).step_by(10_137_000) {
            let ended = self.spans.partition_point(|(end, _)| *end <= at);
            table.at_ns.push(at);
            table.nr_periods.push(self.boundaries.partition_point(|end| *end <= at) as u64);
            table.nr_throttled.push(ended as u64);
            table.throttled_ns.push(self.spans[..ended].iter().map(|(_, span)| span).sum());
            table.usage_ns.push(at / 3);
        }
        table
    }
}
