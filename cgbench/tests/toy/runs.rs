//! Whole runs of the toy that differ: other noise, more work, a burst that is gone. Synthetic, like all of the toy.

use cgbench::{
    plan::{Condition, PolicyKind},
    record::{Block, Records},
};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// A run of its own: the same pictures and jitter as any other of the toy's, its own phases, neighbours and clock speed (± 1 % a block).
pub(crate) fn run(number: u32, repetitions: u32, frames: u32) -> Records {
    let mut records = super::records(repetitions, frames);
    let plan = records.plan.clone();
    for block in &mut records.blocks {
        *block = noisy(&plan, block, block.condition, number);
    }
    records
}

/// The same run where `limit+burst` has a limit without burst, as of a kernel that takes the setting and does nothing.
pub(crate) fn without_burst(mut records: Records, number: u32) -> Records {
    let plan = records.plan.clone();
    for block in records.blocks.iter_mut().filter(|block| block.condition.policy.bursts()) {
        let limit = Condition { policy: PolicyKind::Limit, ..block.condition };
        *block = Block { condition: block.condition, ..noisy(&plan, block, limit, number) };
    }
    records
}

/// The same run where the pictures of each block took so much more CPU time than those of its pilot.
pub(crate) fn with_work(mut records: Records, factor: f64) -> Records {
    for block in &mut records.blocks {
        scale(block, factor);
    }
    records
}

fn noisy(plan: &cgbench::plan::Plan, block: &Block, condition: Condition, number: u32) -> Block {
    let mut made = super::block(plan, block.index + 7919 * (number + 1), condition, block.repetition);
    made.index = block.index;
    made.disturbance = block.disturbance;
    let mut speed = Pcg64Mcg::seed_from_u64(u64::from(number) << 32 | u64::from(block.index));
    scale(&mut made, 1.0 + 0.01 * (speed.random_range(0.0..1.0) + speed.random_range(0.0..1.0) - 1.0_f64));
    made
}

fn scale(block: &mut Block, factor: f64) {
    for ns in &mut block.frames.cpu_ns {
        *ns = (*ns as f64 * factor) as u64;
    }
}
