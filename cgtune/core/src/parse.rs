//! Bytes of kernel files → values. One file per kernel format; no parser here opens anything.
//!
//! Each parser takes the bytes of the whole file and gives a value or a [`ParseError`] that shows the text it
//! stumbled over; whoever opened the file adds its name. A key that a kernel does not print is `None`, unknown
//! keys of newer kernels are passed over, a known key with a value that is no number is an error.

pub mod cpu_max;
pub mod cpu_stat;
pub mod cpuinfo;
pub mod interrupts;
pub mod lists;
pub mod mountinfo;
pub mod node;
pub mod pressure;
pub mod proc_cgroup;
pub mod scalar;
pub mod task;

use crate::text::Escaped;

/// What could not be read, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found \"{found}\"")]
pub struct ParseError {
    /// What the format asks for at this place.
    pub expected: &'static str,
    /// The offending text, escaped and cut to a line's length.
    pub found: String,
}

/// Longest piece of a broken file that an error shows.
const SHOWN: usize = 80;

impl ParseError {
    /// An error about these bytes.
    #[must_use]
    pub fn new(expected: &'static str, found: &[u8]) -> Self {
        let cut = &found[..found.len().min(SHOWN)];
        let dots = if found.len() > SHOWN { "…" } else { "" };
        Self { expected, found: format!("{}{dots}", Escaped(cut)) }
    }
}

/// The lines of a file, without their newlines; a last newline does not open an empty line.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    (!body.is_empty()).then(|| body.split(|&b| b == b'\n')).into_iter().flatten()
}

/// A plain decimal of an unsigned 64-bit number, as the kernel prints with `%llu`.
fn decimal(bytes: &[u8], expected: &'static str) -> Result<u64, ParseError> {
    std::str::from_utf8(bytes)
        .ok()
        .filter(|text| text.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| ParseError::new(expected, bytes))
}
