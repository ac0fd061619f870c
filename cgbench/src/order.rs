//! In which order the blocks run: interleaved and seeded, so that a drift of the machine meets every condition alike.

use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_pcg::Pcg64;

use crate::plan::{Condition, Plan};

/// One block to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Its condition.
    pub condition: Condition,
    /// Which repetition of it, from 0.
    pub repetition: u32,
}

/// The order of all blocks. Repetitions come in pairs, a random order and then the same backwards: a linear drift
/// then weighs on all conditions equally.
#[must_use]
pub fn interleaved(plan: &Plan, conditions: &[Condition]) -> Vec<Slot> {
    let mut random = Pcg64::seed_from_u64(plan.seed);
    let mut order = conditions.to_vec();
    let mut slots = Vec::new();
    for repetition in 0..plan.repetitions {
        if repetition % 2 == 0 {
            order.shuffle(&mut random);
        } else {
            order.reverse();
        }
        slots.extend(order.iter().map(|&condition| Slot { condition, repetition }));
    }
    slots
}

/// In which order the points of an experiment run a repetition each: shuffled, and the next time backwards, as
/// [`interleaved`].
pub fn rounds(seed: u64, points: usize, repetitions: u32) -> impl Iterator<Item = Vec<usize>> {
    let mut random = Pcg64::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..points).collect();
    (0..repetitions).map(move |repetition| {
        if repetition % 2 == 0 {
            order.shuffle(&mut random);
        } else {
            order.reverse();
        }
        order.clone()
    })
}

/// Seed of the frame clock's jitter: the same for every condition of a repetition, so that they differ in policy alone.
#[must_use]
pub fn jitter_seed(plan: &Plan, repetition: u32) -> u64 {
    plan.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(u64::from(repetition) + 1)
}
