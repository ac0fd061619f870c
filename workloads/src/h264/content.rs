//! Whether the default scene demands what encoding real content demands: fluctuating from frame to
//! frame, steady over a second. Tests only.
//!
//! A timing is no test, so the demand is a proxy: what there was to do, counted and weighed by
//! what it costs, roughly, on one machine. The timing itself is for `workloads h264 --stages`.

use super::slice::Work;
use super::{EncodeConfig, Encoder};
use crate::demand::{lag1, quantile, shortfall, variation};
use crate::video::Clip;

/// Work in nanoseconds of one machine: a search position, a level that is not zero, a macroblock
/// that is not skipped, and any macroblock.
fn cost_ns(work: &Work) -> f64 {
    70.0 * work.points as f64
        + 25.0 * work.levels as f64
        + 3000.0 * (work.macroblocks - work.skipped) as f64
        + 1500.0 * work.intra as f64
        + 3000.0 * work.macroblocks as f64
}

fn works(config: &EncodeConfig, frames: u32) -> Vec<Work> {
    let clip = Clip::from_scene(&config.scene, config.width, config.height, config.clip_frames);
    let mut encoder = Encoder::new(config).unwrap();
    let encode = |index: u32| {
        encoder.encode(clip.picture(index.into())).unwrap();
        encoder.work()
    };
    (0..frames).map(encode).collect()
}

#[test]
fn the_default_scene_fluctuates_within_frames_and_not_within_seconds() {
    let config = EncodeConfig { width: 640, height: 352, ..EncodeConfig::default() };
    let works = works(&config, 300);
    let costs: Vec<f64> = works.iter().map(cost_ns).collect();
    let mean = costs.iter().sum::<f64>() / costs.len() as f64;
    let mut sorted: Vec<u64> = costs.iter().map(|&cost| cost as u64).collect();
    sorted.sort_unstable();
    let p95_over_p50 = quantile(&sorted, 0.95).unwrap() as f64 / quantile(&sorted, 0.5).unwrap() as f64;
    let (cv, lag) = (variation(&costs).unwrap(), lag1(&costs).unwrap());
    let seconds: Vec<f64> = costs.chunks_exact(30).map(|c| c.iter().sum::<f64>() / 30.0 / mean).collect();
    let refill = 3.0 * 1.08 * mean;
    let (bare, spare) = (shortfall(&costs, 3, refill, 0.0), shortfall(&costs, 3, refill, refill));
    let part = |of: fn(&Work) -> u64| {
        let all: u64 = works.iter().map(|work| work.macroblocks).sum();
        works.iter().map(of).sum::<u64>() as f64 / all as f64
    };
    println!(
        "mean {:.2} ms, CV {cv:.3}, lag-1 {lag:.2}, p95/p50 {p95_over_p50:.2}, seconds {seconds:.2?}, \
         {bare:?}, {spare:?}, a macroblock: skipped {:.2}, intra {:.2}, points {:.1}, levels {:.1}",
        mean / 1e6,
        part(|work| work.skipped),
        part(|work| work.intra),
        part(|work| work.points),
        part(|work| work.levels),
    );
    assert!((0.13..0.27).contains(&cv), "CV {cv:.3}");
    assert!((0.3..0.65).contains(&lag), "lag-1 {lag:.2}");
    assert!(seconds.iter().all(|second| (0.93..1.07).contains(second)), "seconds {seconds:.2?}");
    assert!(bare.above_refill * 10 >= bare.rounds, "{bare:?}");
    assert!(spare.short * 1000 <= spare.rounds * 15, "{spare:?}");
}
