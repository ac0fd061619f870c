//! Work that takes the CPU and nothing else.

use std::hint::black_box;

/// Goes on with a chain of dependent multiplications: no memory traffic, so only the CPU is taken, for one to two
/// nanoseconds a round. The result has to go into the next call, or the compiler would see that nobody wants it.
pub(crate) fn compute(mut value: u64, rounds: u32) -> u64 {
    for _ in 0..rounds {
        value = value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    }
    black_box(value)
}
