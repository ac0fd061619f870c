//! Files of a memory node: `meminfo` and `distance`. Source: drivers/base/node.c, 6.12.

use super::{ParseError, decimal, lines};

/// All memory of the node in bytes: `Node 0 MemTotal:  16304744 kB`. 0 where it has none.
///
/// # Errors
/// There is no such line, or another unit.
pub fn memory_bytes(meminfo: &[u8]) -> Result<u64, ParseError> {
    const EXPECTED: &str = "a line such as \"Node 0 MemTotal: 16304744 kB\"";
    for line in lines(meminfo) {
        let words: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
        if let [b"Node", _, b"MemTotal:", kib, b"kB"] = words.as_slice() {
            return decimal(kib, EXPECTED)?.checked_mul(1024).ok_or_else(|| ParseError::new(EXPECTED, line));
        }
    }
    Err(ParseError::new(EXPECTED, meminfo))
}

/// How far the nodes that are online are, in their order: `10 21`.
///
/// # Errors
/// Anything but numbers.
pub fn distances(distance: &[u8]) -> Result<Vec<u32>, ParseError> {
    const EXPECTED: &str = "distances such as \"10 21\"";
    let line = distance.strip_suffix(b"\n").unwrap_or(distance);
    line.split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .map(|word| u32::try_from(decimal(word, EXPECTED)?).map_err(|_| ParseError::new(EXPECTED, line)))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_kernels_own_lines_are_read() {
        let meminfo = b"Node 1 MemTotal:           2048 kB\nNode 1 MemFree:           7 kB\n";
        assert_eq!(memory_bytes(meminfo), Ok(2048 * 1024));
        assert_eq!(memory_bytes(b"Node 2 MemTotal: 0 kB\n"), Ok(0));
        assert_eq!(distances(b"10 21 31\n"), Ok(vec![10, 21, 31]));
    }

    #[test]
    fn what_is_no_number_or_too_large_a_one_is_an_error() {
        for bytes in [
            &b""[..],
            b"Node 0 MemTotal: -1 kB\n",
            b"Node 0 MemTotal: 18446744073709551615 kB\n",
            b"Node 0 MemFree: 1 kB\n",
        ] {
            assert!(memory_bytes(bytes).is_err(), "{bytes:?}");
        }
        assert!(distances(b"10 -1\n").is_err());
        assert!(distances(b"10 4294967296\n").is_err());
    }

    proptest! {
        #[test]
        fn parsing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (memory_bytes(&bytes), distances(&bytes));
        }
    }
}
