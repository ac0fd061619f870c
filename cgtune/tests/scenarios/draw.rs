//! Numbers from a seed.

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

/// A source of parameters. The same name and seed give the same numbers everywhere.
#[derive(Debug)]
pub(crate) struct Draw(Pcg64Mcg);

impl Draw {
    /// Scenarios of one seed must not resemble each other, hence the name (FNV-1a, as good as any to spread it).
    pub(crate) fn new(name: &str, seed: u64) -> Self {
        let spread = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        let name = name.bytes().fold(0xcbf2_9ce4_8422_2325, spread);
        Self(Pcg64Mcg::seed_from_u64(name.rotate_left(32) ^ seed))
    }

    /// A number from a range.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0.random_range(low..=high)
    }

    /// A whole number from a range, both ends included.
    pub(crate) fn whole(&mut self, low: u32, high: u32) -> u32 {
        self.0.random_range(low..=high)
    }

    /// One of several.
    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.0.random_range(0..of.len())]
    }

    /// A seed for a load of its own.
    pub(crate) fn seed(&mut self) -> u64 {
        u64::from(self.0.random_range(1..u32::MAX))
    }
}
