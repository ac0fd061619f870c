//! `/proc/<pid>/task/<tid>/stat` and `status`: one thread (`do_task_stat` and `proc_pid_status`, fs/proc/array.c, 6.12).
//!
//! A thread chooses its own name: any bytes, parentheses and blanks among them, and not always UTF-8. None of that may hide it.

use super::{ParseError, decimal, lines, lists};
use crate::CpuSet;

/// What matters here of `stat`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// The name that it gave itself, at most 15 bytes for all but kernel threads.
    pub name: Vec<u8>,
    /// `PF_*` (include/linux/sched.h).
    pub flags: u64,
    /// Time in user and kernel mode, in clock ticks.
    pub ticks: u64,
    /// When it began, in clock ticks since boot.
    pub started_ticks: u64,
    /// The CPU that it last ran on.
    pub processor: u32,
}

/// What matters here of `status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Its name; the kernel prints a newline in it as `\n`.
    pub name: Vec<u8>,
    /// The process that it belongs to.
    pub tgid: u32,
    /// The CPUs that it may run on.
    pub cpus_allowed: CpuSet,
}

/// Reads `stat`.
///
/// # Errors
/// No name in parentheses, or a field that is missing or no number.
pub fn stat(bytes: &[u8]) -> Result<Stat, ParseError> {
    let malformed = || ParseError::new("a thread's stat with its name in parentheses", bytes);
    let open = bytes.iter().position(|&b| b == b'(').ok_or_else(malformed)?;
    let close = bytes.iter().rposition(|&b| b == b')').filter(|&close| close > open).ok_or_else(malformed)?;
    let rest = bytes[close + 1..].trim_ascii();
    // The first field after the name is the third, the state.
    let field = |number: usize, what: &'static str| {
        let text = rest.split(|&b| b == b' ').nth(number - 3).ok_or_else(|| ParseError::new(what, bytes))?;
        decimal(text, what)
    };
    let processor = field(39, "the CPU that a thread last ran on")?;
    Ok(Stat {
        name: bytes[open + 1..close].to_vec(),
        flags: field(9, "a thread's flags")?,
        ticks: field(14, "a thread's user time")?.saturating_add(field(15, "a thread's system time")?),
        started_ticks: field(22, "when a thread began")?,
        processor: u32::try_from(processor).map_err(|_| malformed())?,
    })
}

/// Reads `status`.
///
/// # Errors
/// One of the lines is missing or of another form.
pub fn status(bytes: &[u8]) -> Result<Status, ParseError> {
    let value = |key: &'static str, expected| {
        let of = |line| <[u8]>::strip_prefix(line, key.as_bytes());
        lines(bytes).find_map(of).map(<[u8]>::trim_ascii).ok_or_else(|| ParseError::new(expected, bytes))
    };
    let tgid = decimal(value("Tgid:", "a line Tgid")?, "the number of a process")?;
    Ok(Status {
        name: value("Name:", "a line Name")?.to_vec(),
        tgid: u32::try_from(tgid).map_err(|_| ParseError::new("the number of a process", bytes))?,
        cpus_allowed: lists::parse(value("Cpus_allowed_list:", "a line Cpus_allowed_list")?)?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Synthetic, in the form of 6.12.
    const STAT: &[u8] =
        b"4711 (a) R (b\xff) S 1 4711 4711 0 -1 4194560 1302 0 0 0 12 34 0 0 20 0 2 0 8123456 5505024 700 \
        18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 3 0 0 0 0 0 0 0 0 0 0 0 0 0\n";

    #[test]
    fn a_name_may_look_like_the_rest_of_the_line() {
        let stat = stat(STAT).unwrap();
        assert_eq!(stat.name, b"a) R (b\xff");
        assert_eq!((stat.processor, stat.started_ticks, stat.ticks), (3, 8_123_456, 46));
        assert_eq!(stat.flags, 4_194_560);
    }

    #[test]
    fn of_a_status_three_lines_matter() {
        let text = b"Name:\tw\xff x\nUmask:\t0022\nTgid:\t4711\nCpus_allowed:\t6\nCpus_allowed_list:\t1-2\nMems_allowed_list:\t0\n";
        let expected = Status { name: b"w\xff x".to_vec(), tgid: 4711, cpus_allowed: "1-2".parse().unwrap() };
        assert_eq!(status(text).unwrap(), expected);
        assert!(status(b"Name:\tx\nTgid:\t1\n").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0..STAT.len()) {
            let _ = (stat(&bytes), status(&bytes), stat(&STAT[..cut]));
        }
    }
}
