//! `cpu.max` (v2): `max 100000` or `50000 100000`, quota and period in microseconds.
//! Source: `cpu_max_show`, `cpu_period_quota_print`, kernel/sched/core.c, 6.12.

use super::{ParseError, decimal};
use crate::{Micros, Quota};

/// Quota and period.
///
/// # Errors
/// Anything but the kernel's own two words. (Its *parser* takes more: a missing or bad second word; we never write that.)
pub fn parse(bytes: &[u8]) -> Result<(Quota, Micros), ParseError> {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let expected = "\"max PERIOD\" or \"QUOTA PERIOD\" in microseconds";
    let malformed = || ParseError::new(expected, line);
    let space = line.iter().position(|&b| b == b' ').ok_or_else(malformed)?;
    let (quota, period) = (&line[..space], &line[space + 1..]);
    let quota = match quota {
        b"max" => Quota::Unlimited,
        digits => Quota::Limited(Micros::new(decimal(digits, expected).map_err(|_| malformed())?)),
    };
    Ok((quota, Micros::new(decimal(period, expected).map_err(|_| malformed())?)))
}

/// The text that `cpu.max` takes; [`parse`] reads it back.
#[must_use]
pub fn format(quota: Quota, period: Micros) -> String {
    match quota {
        Quota::Unlimited => format!("max {}", period.get()),
        Quota::Limited(quota) => format!("{} {}", quota.get(), period.get()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn garbage_is_an_error() {
        for bytes in
            [&b""[..], b"max", b"max \n", b"50000", b"-1 100000", b"50000 100000 7", b"0x10 1", b"  1 2"]
        {
            assert!(parse(bytes).is_err(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn format_then_parse_is_identity(quota in proptest::option::of(any::<u64>()), period in any::<u64>()) {
            let quota = quota.map_or(Quota::Unlimited, |us| Quota::Limited(Micros::new(us)));
            let text = format(quota, Micros::new(period)) + "\n";
            prop_assert_eq!(parse(text.as_bytes()), Ok((quota, Micros::new(period))));
        }

        #[test]
        fn parsing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = parse(&bytes);
        }
    }
}
