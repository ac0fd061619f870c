//! How steady the machine was: the CPU time that the same frames took, block by block.
//!
//! Every block encodes the same pictures, so a frame's CPU time differs between blocks only by what the machine did: the
//! clock, a busy sibling thread, a hypervisor that runs somebody else and does not say so (no `steal`). Where a second
//! of frames takes longer than usual by more than the limit's headroom, the load needs more than its quota whatever
//! the policy does, and its throttling says nothing about bursts.
//!
//! Nothing is left out on that account: the figures over all blocks stand, and those over the steady ones beside them.

use std::collections::BTreeMap;

use super::block::measured_frames;
use crate::{
    record::{Block, Records},
    stats::quantile::at_fraction,
};

/// Fewer blocks give no usual time of a frame.
const FEWEST_BLOCKS: usize = 3;

/// The slowest second of each block, by the block's index: its CPU time over the usual one of the same frames. Blocks
/// beside a neighbour have a usual time of their own. A block is missing where there is nothing to compare with.
pub(super) fn slowest_seconds(records: &Records) -> BTreeMap<u32, f64> {
    let window = records.plan.clock.interval_ns().map_or(0, |ns| 1_000_000_000 / ns.max(1));
    let Some(window) = usize::try_from(window).ok().filter(|&window| window > 0) else {
        return BTreeMap::new();
    };
    let mut slowest = BTreeMap::new();
    for neighbour in [false, true] {
        let blocks: Vec<(u32, &[u64])> = records
            .blocks
            .iter()
            .filter(|block| block.condition.neighbour == neighbour)
            .map(|block| (block.index, measured_cpu(block)))
            .collect();
        let usual = usual_times(&blocks);
        slowest.extend(
            blocks.iter().filter_map(|(index, cpu)| Some((*index, worst_window(cpu, &usual, window)?))),
        );
    }
    slowest
}

fn measured_cpu(block: &Block) -> &[u64] {
    block.frames.cpu_ns.get(measured_frames(block)).unwrap_or_default()
}

/// The median CPU time of each frame, as far as enough blocks reach.
fn usual_times(blocks: &[(u32, &[u64])]) -> Vec<f64> {
    let mut usual = Vec::new();
    loop {
        let mut times: Vec<f64> =
            blocks.iter().filter_map(|(_, cpu)| cpu.get(usual.len())).map(|&ns| ns as f64).collect();
        times.sort_by(f64::total_cmp);
        match at_fraction(&times, 0.5) {
            Some(median) if times.len() >= FEWEST_BLOCKS => usual.push(median),
            _ => return usual,
        }
    }
}

fn worst_window(cpu: &[u64], usual: &[f64], window: usize) -> Option<f64> {
    let pairs: Vec<(f64, f64)> = cpu.iter().map(|&ns| ns as f64).zip(usual.iter().copied()).collect();
    pairs
        .windows(window.min(pairs.len().max(1)))
        .filter_map(|frames| {
            let (taken, usual) =
                frames.iter().fold((0.0, 0.0), |(a, b), (taken, usual)| (a + taken, b + usual));
            (usual > 0.0).then(|| taken / usual)
        })
        .reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_second_is_found_whatever_the_pictures_cost() {
        let pictures: Vec<u64> = (0..90).map(|i| 10_000_000 + 5_000_000 * (i % 7)).collect();
        let mut slow = pictures.clone();
        slow[40..70].iter_mut().for_each(|ns| *ns = *ns * 13 / 10);
        let blocks: Vec<(u32, &[u64])> = vec![(0, &pictures), (1, &pictures), (2, &slow)];
        let usual = usual_times(&blocks);
        assert_eq!(worst_window(&pictures, &usual, 30), Some(1.0));
        let found = worst_window(&slow, &usual, 30).unwrap();
        assert!((found - 1.3).abs() < 1e-6, "{found}");
    }

    #[test]
    fn two_blocks_say_nothing_about_the_usual() {
        assert!(usual_times(&[(0, &[1, 2]), (1, &[1, 2])]).is_empty());
        assert_eq!(worst_window(&[1, 2], &[], 30), None);
        assert_eq!(worst_window(&[], &[], 30), None);
    }
}
