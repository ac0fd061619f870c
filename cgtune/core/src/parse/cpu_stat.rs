//! `cpu.stat` and `cpu.stat.local`, of v1 and v2 with one parser: the key says the unit
//! (`throttled_time` and `burst_time` are nanoseconds, `*_usec` microseconds).
//!
//! Sources: `cpu_cfs_stat_show` and `cpu_extra_stat_show`, kernel/sched/core.c; `cgroup_base_stat_cputime_show`,
//! kernel/cgroup/rstat.c, 6.12.

use serde::{Deserialize, Serialize};

use super::{ParseError, decimal, lines};
use crate::{Micros, Nanos};

/// How often something happened. The kernel prints its `int` counters with `%d`, so they turn negative after 2^31
/// (24.8 busy days at a 1 ms period) and come round at 2^32; here they are the unsigned number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventCount(u64);

impl EventCount {
    const ROUND: u64 = 1 << 32;

    /// A count as the kernel keeps it.
    #[must_use]
    pub const fn new(count: u64) -> Self {
        Self(count)
    }

    /// The bare number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// How often since `earlier`: across one turn of 2^32 if that is the shorter way, `None` if the count ran
    /// backwards.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Option<u64> {
        if self.0 >= earlier.0 {
            return Some(self.0 - earlier.0);
        }
        let round = self.0 + Self::ROUND;
        if earlier.0 < Self::ROUND && round - earlier.0 < Self::ROUND / 2 {
            Some(round - earlier.0)
        } else {
            None
        }
    }

    fn parse(bytes: &[u8]) -> Result<Self, ParseError> {
        const EXPECTED: &str = "a count";
        match bytes.strip_prefix(b"-") {
            None => decimal(bytes, EXPECTED).map(Self),
            Some(digits) => decimal(digits, EXPECTED)
                .ok()
                .filter(|below| (1..=Self::ROUND / 2).contains(below))
                .map(|below| Self(Self::ROUND - below))
                .ok_or_else(|| ParseError::new(EXPECTED, bytes)),
        }
    }
}

/// CPU time of the group and its descendants (v2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageCounters {
    /// All of it.
    pub usage: Nanos,
    /// In user mode.
    pub user: Nanos,
    /// In the kernel.
    pub system: Nanos,
}

/// The counters of bandwidth control. They appear together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BandwidthCounters {
    /// Periods in which the group was active; idle ones are not counted.
    pub nr_periods: EventCount,
    /// Periods at whose end some CPU of the group stood throttled.
    pub nr_throttled: EventCount,
    /// Time spent throttled, summed over CPUs: may exceed wall time.
    pub throttled: Nanos,
}

/// The counters of burst. A kernel may have burst without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BurstCounters {
    /// Periods in which more than the quota left the pool.
    pub nr_bursts: EventCount,
    /// How much more, in all.
    pub burst: Nanos,
}

/// What one `cpu.stat` holds. `None` is "not printed here": no cpu controller, a v2 root, an older kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CpuStat {
    /// CPU time (v2).
    pub usage: Option<UsageCounters>,
    /// Bandwidth control.
    pub bandwidth: Option<BandwidthCounters>,
    /// Burst.
    pub bursts: Option<BurstCounters>,
    /// Time spent waiting for a CPU, summed over entities (v1, with schedstats on).
    pub wait_sum: Option<Nanos>,
}

/// The known keys, in the kernel's order.
#[derive(Default)]
struct Fields {
    usage: Option<Nanos>,
    user: Option<Nanos>,
    system: Option<Nanos>,
    nr_periods: Option<EventCount>,
    nr_throttled: Option<EventCount>,
    throttled: Option<Nanos>,
    nr_bursts: Option<EventCount>,
    burst: Option<Nanos>,
    wait_sum: Option<Nanos>,
}

/// Reads `cpu.stat` of either version.
///
/// # Errors
/// A line without a value, a known key whose value is no number, a known key twice (in one or the other unit), or
/// a group of counters that is not whole.
pub fn parse(bytes: &[u8]) -> Result<CpuStat, ParseError> {
    let mut fields = Fields::default();
    for line in lines(bytes) {
        let (key, value) = split(line)?;
        match key {
            b"usage_usec" => set(&mut fields.usage, micros(value)?, line)?,
            b"user_usec" => set(&mut fields.user, micros(value)?, line)?,
            b"system_usec" => set(&mut fields.system, micros(value)?, line)?,
            b"nr_periods" => set(&mut fields.nr_periods, EventCount::parse(value)?, line)?,
            b"nr_throttled" => set(&mut fields.nr_throttled, EventCount::parse(value)?, line)?,
            b"throttled_usec" => set(&mut fields.throttled, micros(value)?, line)?,
            b"throttled_time" => set(&mut fields.throttled, nanos(value)?, line)?,
            b"nr_bursts" => set(&mut fields.nr_bursts, EventCount::parse(value)?, line)?,
            b"burst_usec" => set(&mut fields.burst, micros(value)?, line)?,
            b"burst_time" => set(&mut fields.burst, nanos(value)?, line)?,
            b"wait_sum" => set(&mut fields.wait_sum, nanos(value)?, line)?,
            _ => {}
        }
    }
    let broken = |expected| Err(ParseError::new(expected, bytes));
    let usage = match (fields.usage, fields.user, fields.system) {
        (Some(usage), Some(user), Some(system)) => Some(UsageCounters { usage, user, system }),
        (None, None, None) => None,
        _ => return broken("usage_usec, user_usec and system_usec together"),
    };
    let bandwidth = match (fields.nr_periods, fields.nr_throttled, fields.throttled) {
        (Some(nr_periods), Some(nr_throttled), Some(throttled)) => {
            Some(BandwidthCounters { nr_periods, nr_throttled, throttled })
        }
        (None, None, None) => None,
        _ => return broken("nr_periods, nr_throttled and throttled time together"),
    };
    let bursts = match (fields.nr_bursts, fields.burst) {
        (Some(nr_bursts), Some(burst)) => Some(BurstCounters { nr_bursts, burst }),
        (None, None) => None,
        _ => return broken("nr_bursts and burst time together"),
    };
    Ok(CpuStat { usage, bandwidth, bursts, wait_sum: fields.wait_sum })
}

/// Reads `cpu.stat.local`: `throttled_usec` on v2, `throttled_time` on v1.
///
/// # Errors
/// As [`parse`]; also when neither key is there.
pub fn parse_local(bytes: &[u8]) -> Result<Nanos, ParseError> {
    let mut throttled = None;
    for line in lines(bytes) {
        match split(line)? {
            (b"throttled_usec", value) => set(&mut throttled, micros(value)?, line)?,
            (b"throttled_time", value) => set(&mut throttled, nanos(value)?, line)?,
            _ => {}
        }
    }
    throttled.ok_or_else(|| ParseError::new("throttled_usec or throttled_time", bytes))
}

fn split(line: &[u8]) -> Result<(&[u8], &[u8]), ParseError> {
    let space = line.iter().position(|&b| b == b' ').ok_or_else(|| ParseError::new("\"KEY VALUE\"", line))?;
    Ok((&line[..space], &line[space + 1..]))
}

fn set<T>(slot: &mut Option<T>, value: T, line: &[u8]) -> Result<(), ParseError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(ParseError::new("each counter once", line)),
    }
}

fn micros(value: &[u8]) -> Result<Nanos, ParseError> {
    decimal(value, "a number of microseconds").map(|us| Micros::new(us).to_nanos())
}

fn nanos(value: &[u8]) -> Result<Nanos, ParseError> {
    decimal(value, "a number of nanoseconds").map(Nanos::new)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const V1: &[u8] =
        b"nr_periods 25\nnr_throttled 7\nthrottled_time 312500123\nnr_bursts 2\nburst_time 9000000\n";
    const V2: &[u8] =
        b"usage_usec 900\nuser_usec 600\nsystem_usec 300\nnice_usec 0\ncore_sched.force_idle_usec 0\n\
        nr_periods 25\nnr_throttled 7\nthrottled_usec 312500\nnr_bursts 2\nburst_usec 9000\n";

    #[test]
    fn both_versions_come_out_in_nanoseconds() {
        let (v1, v2) = (parse(V1).unwrap(), parse(V2).unwrap());
        assert_eq!(v1.bandwidth.unwrap().throttled, Nanos::new(312_500_123));
        assert_eq!(v2.bandwidth.unwrap().throttled, Nanos::new(312_500_000));
        assert_eq!(v1.bursts, v2.bursts);
        assert_eq!((v1.usage, v2.usage.unwrap().usage), (None, Nanos::new(900_000)));
    }

    #[test]
    fn absent_is_not_zero() {
        assert_eq!(parse(b"usage_usec 1\nuser_usec 1\nsystem_usec 0\n").unwrap().bandwidth, None);
        assert_eq!(parse(b"nr_periods 0\nnr_throttled 0\nthrottled_time 0\n").unwrap().bursts, None);
        assert_eq!(parse(b""), Ok(CpuStat::default()));
    }

    #[test]
    fn a_count_printed_negative_is_the_unsigned_one() {
        let stat = parse(b"nr_periods -2147483648\nnr_throttled -1\nthrottled_time 0\n").unwrap();
        let counters = stat.bandwidth.unwrap();
        assert_eq!((counters.nr_periods.get(), counters.nr_throttled.get()), (1 << 31, (1 << 32) - 1));
        assert_eq!(EventCount::new(4).since(counters.nr_throttled), Some(5));
        assert_eq!(EventCount::new(4).since(EventCount::new(9)), None, "a reset is no turn");
    }

    #[test]
    fn garbage_is_an_error_that_shows_the_line() {
        let broken: [&[u8]; 8] = [
            b"nr_periods",
            b"nr_periods x\n",
            b"nr_periods 1\nnr_throttled 1\n",
            b"nr_periods 1\nnr_periods 1\nnr_throttled 0\nthrottled_time 0\n",
            b"nr_periods 1\nnr_throttled 0\nthrottled_time 0\nthrottled_usec 0\n",
            b"nr_periods 99999999999999999999\nnr_throttled 0\nthrottled_time 0\n",
            b"nr_periods -99999999999\nnr_throttled 0\nthrottled_time 0\n",
            b"\0\0\0\0",
        ];
        for bytes in broken {
            assert!(parse(bytes).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
        assert!(parse(b"nr_periods x\n").unwrap_err().to_string().contains("found \"x\""));
    }

    #[test]
    fn the_local_file_has_one_number() {
        assert_eq!(parse_local(b"throttled_time 28000000000\n"), Ok(Nanos::new(28_000_000_000)));
        assert_eq!(parse_local(b"throttled_usec 5\n"), Ok(Nanos::new(5000)));
        assert!(parse_local(b"").is_err());
    }

    proptest! {
        #[test]
        fn parsing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (parse(&bytes), parse_local(&bytes));
        }

        #[test]
        fn nearly_right_files_never_panic(text in "((nr_|usage_|burst_|throttled_|)(periods|usec|time|bursts|throttled) -?[0-9]{0,24}\n){0,9}") {
            let _ = (parse(text.as_bytes()), parse_local(text.as_bytes()));
        }

        #[test]
        fn what_the_kernel_prints_reads_back(periods in any::<i32>(), throttled in any::<i32>(), time in any::<u64>()) {
            let printed = format!("nr_periods {periods}\nnr_throttled {throttled}\nthrottled_time {time}\n");
            let counters = parse(printed.as_bytes()).unwrap().bandwidth.unwrap();
            prop_assert_eq!(counters.nr_periods.get(), u64::from(periods.cast_unsigned()));
            prop_assert_eq!(counters.nr_throttled.get(), u64::from(throttled.cast_unsigned()));
            prop_assert_eq!(counters.throttled, Nanos::new(time));
        }
    }
}
