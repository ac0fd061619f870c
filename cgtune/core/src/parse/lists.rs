//! `cpuset.cpus`, `cpuset.mems` and their effective twins; `/sys/devices/system/cpu/online` has the same format.

use super::ParseError;
use crate::CpuSet;

/// A list of CPUs or nodes; the empty file is the empty set.
///
/// # Errors
/// Anything that is no such list.
pub fn parse(bytes: &[u8]) -> Result<CpuSet, ParseError> {
    std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| ParseError::new("a list such as 0-3,7", bytes.strip_suffix(b"\n").unwrap_or(bytes)))
}
