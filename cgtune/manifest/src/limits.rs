//! How much one object may ask for. The texts come from anywhere; without these a short one could fill the memory,
//! overflow a stack or never end.
//!
//! None of them is near what an API server stores: an object in etcd has at most 1.5 MiB (`--max-request-bytes`), and
//! a pod nests about ten deep.

/// Maps and lists inside each other, the object itself counted.
pub const MAX_DEPTH: usize = 100;

/// Bytes of source text of one object, and of the texts that its aliases stand for.
pub const MAX_BYTES: u64 = 16 << 20;

/// Values in one object, those that aliases stand for counted each time.
pub const MAX_NODES: u64 = 1_000_000;

/// Values that the aliases of a whole stream may stand for. Merging copies map entries, so that work grows with this
/// even where each object is small.
pub const MAX_ALIASED_NODES: u64 = 10_000_000;
