//! Work that takes the CPU and nothing else.

use std::hint::black_box;

/// Goes on with a chain of dependent multiplications: no memory traffic, so only the CPU is taken, for about two
/// nanoseconds a round. The result has to go into the next call, or the compiler would see that nobody wants it.
///
/// The shift is there because multiplying and adding alone are linear: the compiler makes eight such rounds one.
pub(crate) fn compute(mut value: u64, rounds: u32) -> u64 {
    for _ in 0..rounds {
        value = (value ^ (value >> 29)).wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    }
    black_box(value)
}
