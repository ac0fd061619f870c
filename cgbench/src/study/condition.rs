//! All blocks of one condition.

use cgtune_core::interval::{BandwidthDelta, BurstDelta};

use super::{block, speed};
use crate::{
    plan::Condition,
    record::{Block, Records},
    stats::{self, Level, Moments, Pool, drift::Drift, jitter::Jitter, median_interval},
    summary::{
        BlockSummary, Bursts, FrameCpu, Latency, Measured, Misses, Quantile, SetAside, Throttling, Worst,
    },
};

/// What was measured under `condition`; `None` without a block of it.
pub(super) fn measured(records: &Records, condition: Condition) -> Option<Measured> {
    let interval_us = records.plan.load.deadline_ns().map(|ns| ns as f64 / 1e3);
    let parts: Vec<block::Measured<'_>> =
        records.blocks.iter().filter(|block| block.condition == condition).map(block::Measured::of).collect();
    let blocks: Vec<&Block> = parts.iter().map(|part| part.block).collect();
    let speed_of = |block| speed::speed(block, records.pilot_of(block)?, &records.plan);
    let summaries: Vec<BlockSummary> =
        parts.iter().map(|part| part.summary(interval_us, speed_of(part.block))).collect();
    blocks.first()?;
    let frames = summaries.iter().map(|block| block.frames).sum();
    let cpu: Vec<f64> = parts.iter().flat_map(|part| part.cpu_us.iter().copied()).collect();
    Some(Measured {
        condition,
        frames,
        limit_cpus: limit_cpus(&blocks),
        throttling: throttling(&blocks),
        latency: latency(&parts, records.plan.seed),
        misses: interval_us.map(|interval| misses(&parts, interval, frames)),
        jitter: Jitter::of(parts.iter().flat_map(block::Measured::jitter_us).collect()),
        drift: drift(&summaries),
        cpus_used: cpus_used(&blocks),
        frame_cpu: Moments::of(&cpu).map(|moments| FrameCpu { mean_us: moments.mean, cv: moments.cv }),
        bursts: bursts(&blocks),
        void_blocks: summaries.iter().filter(|block| block.void == Some(true)).count() as u64,
        unwatched_blocks: summaries.iter().filter(|block| block.void.is_none()).count() as u64,
        worst: worst(&blocks),
        moved_blocks: summaries
            .iter()
            .filter(|block| block.speed.is_some_and(|s| speed::moved(&s, records.plan.limit.tolerance())))
            .count() as u64,
        set_aside: set_aside(records, condition),
        blocks: summaries,
    })
}

/// Sums over the blocks whose kernel counts periods, with the wall time of the same blocks.
fn throttling(blocks: &[&Block]) -> Option<Throttling> {
    let counted: Vec<(BandwidthDelta, f64)> = blocks
        .iter()
        .filter_map(|block| Some((block.interval.bandwidth?, block.interval.wall.as_secs())))
        .collect();
    if counted.is_empty() {
        return None;
    }
    let nr_periods = counted.iter().fold(0, |sum: u64, (delta, _)| sum.saturating_add(delta.nr_periods));
    let nr_throttled = counted.iter().fold(0, |sum: u64, (delta, _)| sum.saturating_add(delta.nr_throttled));
    let throttled_s: f64 = counted.iter().map(|(delta, _)| delta.throttled.as_secs()).sum();
    let wall_s: f64 = counted.iter().map(|(_, wall)| wall).sum();
    let shares: Vec<f64> = blocks.iter().filter_map(|block| block.interval.throttled_ratio()).collect();
    Some(Throttling {
        nr_periods,
        nr_throttled,
        share: (nr_periods > 0).then(|| nr_throttled as f64 / nr_periods as f64),
        stall_ms_per_s: (wall_s > 0.0).then(|| throttled_s * 1e3 / wall_s),
        share_over_blocks: median_interval(&shares),
    })
}

fn latency(parts: &[block::Measured<'_>], seed: u64) -> Latency {
    let pool = Pool::new(parts.iter().map(|part| part.latencies_us.as_slice()));
    let bands = pool.bands(&Level::REPORTED.map(Level::fraction), seed);
    let quantile = |place: usize| {
        let level = Level::REPORTED[place];
        let pooled_us = pool.quantile(level);
        let of_blocks: Vec<f64> = parts
            .iter()
            .filter_map(|part| Pool::new([part.latencies_us.as_slice()]).quantile(level))
            .collect();
        Quantile {
            pooled_us,
            band_us: pooled_us.and(bands.as_ref()).and_then(|bands| bands.get(place)).copied(),
            over_blocks_us: median_interval(&of_blocks),
            needed_frames: level.needed(),
        }
    };
    Latency {
        p50: quantile(0),
        p95: quantile(1),
        p99: quantile(2),
        p999: quantile(3),
        max_us: pool.sorted().last().copied(),
    }
}

fn misses(parts: &[block::Measured<'_>], interval_us: f64, frames: u64) -> Misses {
    let late = parts.iter().map(|part| part.late(interval_us));
    let (late, longest_streak) =
        late.fold((0, 0), |(sum, longest), (late, streak)| (sum + late, longest.max(streak)));
    Misses { late, frames, longest_streak }
}

/// Of the blocks' medians over their places in the run.
fn drift(blocks: &[BlockSummary]) -> Option<Drift> {
    let medians: Vec<(f64, f64)> =
        blocks.iter().filter_map(|block| Some((f64::from(block.index), block.p50_us?))).collect();
    stats::drift::drift(&medians)
}

fn cpus_used(blocks: &[&Block]) -> Option<f64> {
    let counted = blocks
        .iter()
        .filter_map(|block| Some((block.interval.usage?.as_secs(), block.interval.wall.as_secs())));
    let (usage, wall) = counted.fold((0.0, 0.0), |(usage, wall), (u, w)| (usage + u, wall + w));
    (wall > 0.0).then(|| usage / wall)
}

fn bursts(blocks: &[&Block]) -> Option<Bursts> {
    let counted: Vec<BurstDelta> = blocks.iter().filter_map(|block| block.interval.bursts).collect();
    (!counted.is_empty()).then(|| Bursts {
        nr_bursts: counted.iter().fold(0, |sum: u64, delta| sum.saturating_add(delta.nr_bursts)),
        burst_us: counted.iter().fold(0, |sum: u64, delta| sum.saturating_add(delta.burst.get())) / 1000,
    })
}

/// The limit over the blocks' time: each has that of the pilot before it. `None` if one has none.
fn limit_cpus(blocks: &[&Block]) -> Option<f64> {
    let (mut entitled, mut wall) = (0.0, 0.0);
    for block in blocks {
        let seconds = block.interval.wall.as_secs();
        entitled += block.observed.bandwidth?.cpus()? * seconds;
        wall += seconds;
    }
    (wall > 0.0).then(|| entitled / wall)
}

fn set_aside(records: &Records, condition: Condition) -> Option<SetAside> {
    let tries: Vec<&Block> = records.set_aside.iter().filter(|block| block.condition == condition).collect();
    let deltas = || tries.iter().filter_map(|block| block.interval.bandwidth);
    (!tries.is_empty()).then(|| SetAside {
        tries: tries.len() as u64,
        nr_periods: deltas().fold(0, |sum: u64, delta| sum.saturating_add(delta.nr_periods)),
        nr_throttled: deltas().fold(0, |sum: u64, delta| sum.saturating_add(delta.nr_throttled)),
    })
}

fn worst(blocks: &[&Block]) -> Option<Worst> {
    blocks
        .iter()
        .filter_map(|block| block.disturbance)
        .map(|disturbance| Worst { steal: disturbance.steal, foreign: disturbance.foreign })
        .reduce(|a, b| Worst { steal: a.steal.max(b.steal), foreign: a.foreign.max(b.foreign) })
}
