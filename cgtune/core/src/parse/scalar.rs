//! Files that hold one number: `cpu.cfs_quota_us`, `cpu.cfs_period_us`, `cpu.cfs_burst_us`, `cpu.shares`,
//! `cpu.weight`, `cpu.max.burst`, `cpu.idle`, `cpuacct.usage`.

use super::{ParseError, decimal};
use crate::{Micros, Quota};

fn one_line(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\n").unwrap_or(bytes)
}

/// An unsigned number.
///
/// # Errors
/// Anything but decimal digits and one newline.
pub fn unsigned(bytes: &[u8]) -> Result<u64, ParseError> {
    decimal(one_line(bytes), "a number")
}

/// Microseconds.
///
/// # Errors
/// As [`unsigned`].
pub fn micros(bytes: &[u8]) -> Result<Micros, ParseError> {
    decimal(one_line(bytes), "a number of microseconds").map(Micros::new)
}

/// `cpu.cfs_quota_us`: microseconds, or any negative number for none (`tg_get_cfs_quota` prints -1).
///
/// # Errors
/// Anything but one decimal number.
pub fn quota(bytes: &[u8]) -> Result<Quota, ParseError> {
    let text = one_line(bytes);
    let expected = "a quota in microseconds or -1";
    match text.strip_prefix(b"-") {
        Some(digits) => {
            decimal(digits, expected).map(|_| Quota::Unlimited).map_err(|_| ParseError::new(expected, text))
        }
        None => decimal(text, expected).map(|us| Quota::Limited(Micros::new(us))),
    }
}

/// `cpu.idle`: 0 or 1.
///
/// # Errors
/// Anything else.
pub fn flag(bytes: &[u8]) -> Result<bool, ParseError> {
    match one_line(bytes) {
        b"0" => Ok(false),
        b"1" => Ok(true),
        other => Err(ParseError::new("0 or 1", other)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn any_negative_quota_is_none() {
        assert_eq!(quota(b"-1\n"), Ok(Quota::Unlimited));
        assert_eq!(quota(b"-9223372036854\n"), Ok(Quota::Unlimited));
        assert_eq!(quota(b"50000\n"), Ok(Quota::Limited(Micros::new(50_000))));
    }

    #[test]
    fn garbage_is_an_error_that_shows_it() {
        for bytes in [&b""[..], b"\n", b"-\n", b"12x\n", b" 12\n", b"+5", b"1\n2\n", b"\xff\xfe", b"max"] {
            assert!(unsigned(bytes).is_err(), "{bytes:?}");
            assert!(quota(bytes).is_err(), "{bytes:?}");
        }
        assert_eq!(unsigned(b"a\x1b[2J").unwrap_err().to_string(), r#"expected a number, found "a\x1b[2J""#);
    }

    proptest! {
        #[test]
        fn scalars_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = (unsigned(&bytes), micros(&bytes), quota(&bytes), flag(&bytes));
        }

        #[test]
        fn what_the_kernel_prints_reads_back(us in any::<u64>()) {
            let printed = format!("{us}\n");
            prop_assert_eq!(micros(printed.as_bytes()), Ok(Micros::new(us)));
        }
    }
}
