//! Pressure stall information: `cpu.pressure`, `/proc/pressure/cpu` (`psi_show`, kernel/sched/psi.c, 6.12).

use serde::{Deserialize, Serialize};

use super::{ParseError, decimal, lines};
use crate::{Micros, Nanos};

/// One line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stall {
    /// Share of the last 10 s, in percent.
    pub avg10: f64,
    /// Share of the last 60 s, in percent.
    pub avg60: f64,
    /// Share of the last 300 s, in percent.
    pub avg300: f64,
    /// Time stalled, since the group was made.
    pub total: Nanos,
}

/// Both lines. For the CPU of a whole system `full` is undefined and, since 5.13, printed as zeros.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pressure {
    /// At least one task waited for a CPU.
    pub some: Stall,
    /// Every task that could run waited; absent before 5.13.
    pub full: Option<Stall>,
}

/// Reads a pressure file.
///
/// # Errors
/// Anything but the kernel's lines; the line `some` must be there.
pub fn parse(bytes: &[u8]) -> Result<Pressure, ParseError> {
    let (mut some, mut full) = (None, None);
    for line in lines(bytes) {
        let (slot, rest) = match (line.strip_prefix(b"some "), line.strip_prefix(b"full ")) {
            (Some(rest), _) => (&mut some, rest),
            (_, Some(rest)) => (&mut full, rest),
            _ => return Err(ParseError::new("a line \"some …\" or \"full …\"", line)),
        };
        if slot.replace(stall(rest, line)?).is_some() {
            return Err(ParseError::new("each line once", line));
        }
    }
    let some = some.ok_or_else(|| ParseError::new("a line \"some …\"", bytes))?;
    Ok(Pressure { some, full })
}

fn stall(rest: &[u8], line: &[u8]) -> Result<Stall, ParseError> {
    let malformed = || ParseError::new("avg10=N avg60=N avg300=N total=N", line);
    let mut words = rest.split(|&b| b == b' ');
    let mut value = |key: &[u8]| words.next().and_then(|word| word.strip_prefix(key)).ok_or_else(malformed);
    let mut average = |key: &[u8]| -> Result<f64, ParseError> {
        let text = std::str::from_utf8(value(key)?).map_err(|_| malformed())?;
        if !text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return Err(malformed());
        }
        text.parse().map_err(|_| malformed())
    };
    let (avg10, avg60, avg300) = (average(b"avg10=")?, average(b"avg60=")?, average(b"avg300=")?);
    let total = Micros::new(decimal(value(b"total=")?, "total=N").map_err(|_| malformed())?).to_nanos();
    Ok(Stall { avg10, avg60, avg300, total })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_lines_are_read() {
        let text = b"some avg10=1.50 avg60=0.00 avg300=0.12 total=12345\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
        let pressure = parse(text).unwrap();
        assert_eq!((pressure.some.avg10, pressure.some.total), (1.5, Nanos::new(12_345_000)));
        assert_eq!(pressure.full.unwrap().total, Nanos::new(7000));
    }

    #[test]
    fn an_older_kernel_has_no_full_line_which_is_not_zero() {
        assert_eq!(parse(b"some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n").unwrap().full, None);
    }

    #[test]
    fn garbage_is_an_error() {
        for bytes in [
            &b""[..],
            b"some\n",
            b"some avg10=nan avg60=0 avg300=0 total=0",
            b"none avg10=0",
            b"some avg10=1 total=2",
        ] {
            assert!(parse(bytes).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = parse(&bytes);
        }
    }
}
