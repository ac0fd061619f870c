//! A measured block as the model's scenario: its limit, its neighbours, and the CPU time that was measured.

use cgtune_core::{
    Bandwidth, CpuSet, Nanos, ObservedShare,
    sim::{Kernel, Pattern, Scenario, pattern::Recorded, scenario::Neighbour},
};

use crate::{
    record::{Block, Records},
    study::measured_frames,
};

/// The part of a frame of several slices that is serial: between the 16 and 33 % that encoders show.
const SERIAL: f64 = 0.25;

/// The block's limit and scenario; `None` where it has no limit.
pub(super) fn of(records: &Records, block: &Block, kernel: Kernel) -> Option<(Bandwidth, Scenario)> {
    let bandwidth = block.observed.bandwidth?.to_bandwidth().ok()?;
    bandwidth.quota().limited()?;
    let beside = beside_frames(records, block);
    let cpu = |ns: u64| Nanos::new((ns as f64 * beside).round() as u64);
    let times = block.frames.intended_ns.iter().zip(&block.frames.cpu_ns);
    let jobs = times.map(|(&at, &ns)| (Nanos::new(at), cpu(ns))).collect();
    let load = Recorded { threads: records.plan.load.threads(), serial: SERIAL, ..Recorded::new(jobs) };
    let neighbours = block.neighbour.iter().map(|neighbour| Neighbour {
        pattern: Pattern::Hog { threads: neighbour.threads },
        bandwidth: Bandwidth::unlimited(),
        weight: weight(neighbour.observed.share),
        cpus: cpus(&neighbour.observed.cpus),
    });
    let scenario = Scenario {
        kernel,
        cpus: u32::try_from(records.machine.online_cpus.len()).unwrap_or(1),
        pattern: Pattern::Recorded(load),
        calls: None,
        bandwidth,
        above: Vec::new(),
        weight: weight(block.observed.share),
        cpuset: cpus(&block.observed.cpus),
        neighbours: neighbours.collect(),
        seed: 1,
        warm_up: Nanos::new(block.measured_from_ns),
        duration: block.interval.wall,
    };
    Some((bandwidth, scenario))
}

/// CPU time of the group over that of its frames: what the load does between frames (it reports each of them) is charged as well.
/// From the pilot, where no frame is late, so that the same frames lie within both.
fn beside_frames(records: &Records, block: &Block) -> f64 {
    let ratio = |pilot: &Block| {
        let frames: u64 = pilot.frames.cpu_ns.get(measured_frames(pilot))?.iter().sum();
        Some(pilot.interval.usage?.get() as f64 / (frames > 0).then_some(frames)? as f64)
    };
    records.pilot_of(block).and_then(ratio).unwrap_or(1.0).max(1.0)
}

fn weight(share: Option<ObservedShare>) -> u64 {
    match share {
        Some(ObservedShare::Shares(weight) | ObservedShare::Weight(weight)) => weight,
        None => 100,
    }
}

fn cpus(set: &Option<CpuSet>) -> Option<CpuSet> {
    set.clone().filter(|set| !set.is_empty())
}
