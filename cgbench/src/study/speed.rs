//! How steady the machine was: the CPU time of a block's frames against that of the same pictures in its pilot.
//!
//! A frame's CPU time differs between the two only by what the machine did: the clock, a busy sibling thread, a
//! hypervisor that runs somebody else and does not say so (no `steal`). Where a second of frames takes longer by more
//! than the limit's headroom, the load needs more than its quota whatever the policy does, and its throttling says
//! nothing about bursts. Where a whole block is faster by more than that, the quota was measured in a slow moment and
//! is too generous.
//!
//! The judgement looks at CPU time alone, never at latency or throttling, so that it cannot choose a result.

use std::fmt;

use crate::{
    plan::Plan,
    record::Block,
    study::is_void,
    summary::{Speed, figures::percent},
};

/// Why a block is run again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Unsteady {
    /// The hypervisor or other programs took more than the bounds allow.
    Disturbed {
        /// Part of the machine taken by the hypervisor.
        steal: f64,
        /// Part used by others.
        foreign: f64,
    },
    /// The machine's speed was not the pilot's.
    Moved(Speed),
}

impl Unsteady {
    /// Judges a block; `None`: steady, or nothing to judge by.
    #[must_use]
    pub fn of(block: &Block, pilot: Option<&Block>, plan: &Plan) -> Option<Self> {
        if let Some(seen) = block.disturbance.filter(is_void) {
            return Some(Self::Disturbed { steal: seen.steal, foreign: seen.foreign });
        }
        speed(block, pilot?, plan).filter(|speed| moved(speed, plan.limit.tolerance())).map(Self::Moved)
    }
}

impl fmt::Display for Unsteady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disturbed { steal, foreign } => write!(
                f,
                "the hypervisor took {} of the machine and other programs {}",
                percent(*steal),
                percent(*foreign)
            ),
            Self::Moved(speed) => write!(
                f,
                "the same pictures took {:.2} × the pilot's CPU time, {:.2} × in the slowest second",
                speed.mean, speed.slowest_second
            ),
        }
    }
}

/// Whether the machine was slower for a second, or faster all along, by more than the headroom.
pub(crate) fn moved(speed: &Speed, tolerance: f64) -> bool {
    let tolerance = tolerance.max(1.0);
    speed.slowest_second > tolerance || speed.mean < tolerance.recip()
}

/// How fast the machine was during `block`; `None` where the pilot ran another load, or without a second of frames that both have.
pub(crate) fn speed(block: &Block, pilot: &Block, plan: &Plan) -> Option<Speed> {
    if *plan.pilot_load() != plan.load {
        return None;
    }
    let second = plan.load.interval_ns().filter(|&ns| ns > 0).map(|ns| 1_000_000_000 / ns)?;
    let second = usize::try_from(second).ok().filter(|&frames| frames > 0)?;
    against(&block.frames.cpu_ns, &pilot.frames.cpu_ns, second)
}

fn against(taken: &[u64], pilot: &[u64], second: usize) -> Option<Speed> {
    let pairs: Vec<(f64, f64)> = taken.iter().zip(pilot).map(|(&a, &b)| (a as f64, b as f64)).collect();
    let ratio = |pairs: &[(f64, f64)]| {
        let (taken, usual) = pairs.iter().fold((0.0, 0.0), |(a, b), (taken, usual)| (a + taken, b + usual));
        (usual > 0.0).then(|| taken / usual)
    };
    let slowest_second = pairs.windows(second).filter_map(ratio).reduce(f64::max)?;
    Some(Speed { slowest_second, mean: ratio(&pairs)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_second_is_found_whatever_the_pictures_cost() {
        let pictures: Vec<u64> = (0..90).map(|i| 10_000_000 + 5_000_000 * (i % 7)).collect();
        let mut slow = pictures.clone();
        slow[40..70].iter_mut().for_each(|ns| *ns = *ns * 13 / 10);
        let same = against(&pictures, &pictures, 30).unwrap();
        assert_eq!(same, Speed { slowest_second: 1.0, mean: 1.0 });
        let found = against(&slow, &pictures, 30).unwrap();
        assert!((found.slowest_second - 1.3).abs() < 1e-6, "{found:?}");
        assert!(moved(&found, 1.08) && !moved(&same, 1.08));
    }

    #[test]
    fn a_block_that_is_faster_than_its_pilot_has_moved_too() {
        let (fast, slow) = (vec![9_u64; 60], vec![10_u64; 60]);
        let found = against(&fast, &slow, 30).unwrap();
        assert!(moved(&found, 1.08) && !moved(&found, 1.2), "{found:?}");
        // A limit below the need leaves no headroom to judge by, and is no reason to call every block unsteady.
        assert!(!moved(&Speed { slowest_second: 1.0, mean: 1.0 }, 0.7));
    }

    #[test]
    fn less_than_a_second_of_frames_says_nothing() {
        assert_eq!(against(&[1; 29], &[1; 40], 30), None);
        assert_eq!(against(&[1; 40], &[], 30), None);
        assert_eq!(against(&[1; 40], &[0; 40], 30), None);
    }
}
