//! What else is known of CPUs: which are switched off, isolated or without a tick, kinds of cores, clocks, interrupts.

use cgtune_core::{
    CpuSet,
    parse::{ParseError, interrupts as format, lists, scalar},
    topology::{Frequency, Kind, Machine},
};

use super::{
    CPUS, MachineError,
    files::{Files, sentence},
};
use crate::HostRoot;

/// Of the table of interrupts; that of 8,192 CPUs with a thousand interrupts is larger, and is left out.
const MOST: u64 = 64 << 20;
const INTERRUPTS: &str = "/proc/interrupts";

pub(super) fn read(files: &Files<'_>, machine: &mut Machine) -> Result<(), MachineError> {
    let online = machine.online();
    let list = |name: &str| files.list(&format!("{CPUS}/{name}"));
    machine.possible = list("possible")?;
    // The kernel's own list of offline CPUs goes on to those that can never be there (`print_cpus_offline`, drivers/base/cpu.c).
    let there = list("present")?;
    let off = list("offline")?;
    machine.offline = match (there, off, &machine.possible) {
        (Some(present), _, _) => Some(present.difference(&online)),
        (None, Some(off), Some(possible)) => Some(off.intersection(possible)),
        (None, off, _) => off,
    };
    machine.isolated = list("isolated")?;
    machine.nohz_full = files.parsed(&format!("{CPUS}/nohz_full"), nohz_full)?.flatten();
    machine.smt_control = files.aside(&format!("{CPUS}/smt/control"), word);
    for cpu in &mut machine.cpus {
        let folder = format!("{CPUS}/cpu{}", cpu.cpu);
        cpu.capacity = files.aside(&format!("{folder}/cpu_capacity"), capacity);
        let khz = |name: &str| files.aside(&format!("{folder}/cpufreq/{name}"), scalar::unsigned);
        let frequency = Frequency {
            min_khz: khz("cpuinfo_min_freq"),
            max_khz: khz("cpuinfo_max_freq"),
            limit_min_khz: khz("scaling_min_freq"),
            limit_max_khz: khz("scaling_max_freq"),
        };
        cpu.frequency = (frequency != Frequency::default()).then_some(frequency);
    }
    kinds(files, machine);
    match files.start(INTERRUPTS, MOST) {
        Ok(counts) => counts.iter().for_each(|counts| count(files, machine, counts)),
        // Some runtimes mount /dev/null over it.
        Err(error) => machine.notes.push(format!("interrupts are left out: {}", sentence(&error))),
    }
    Ok(())
}

/// The kernel prints " (null)" where it could and was not asked to.
fn nohz_full(bytes: &[u8]) -> Result<Option<CpuSet>, ParseError> {
    if bytes.trim_ascii() == b"(null)" {
        return Ok(Some(CpuSet::new()));
    }
    lists::parse(bytes).map(Some)
}

/// One word of the kernel's.
fn word(bytes: &[u8]) -> Result<String, ParseError> {
    let text = bytes.trim_ascii_end();
    let plain = !text.is_empty() && text.len() <= 32 && text.iter().all(u8::is_ascii_alphanumeric);
    let word = std::str::from_utf8(text).ok().filter(|_| plain);
    word.map(str::to_owned).ok_or_else(|| ParseError::new("a word", text))
}

fn capacity(bytes: &[u8]) -> Result<u32, ParseError> {
    u32::try_from(scalar::unsigned(bytes)?).map_err(|_| ParseError::new("a capacity such as 1024", bytes))
}

/// Intel's kinds of cores are perf devices (arch/x86/events/intel/core.c); elsewhere capacities tell.
fn kinds(files: &Files<'_>, machine: &mut Machine) {
    let list = |name: &str| files.aside(&format!("/sys/devices/{name}/cpus"), lists::parse);
    let (Some(big), Some(little)) = (list("cpu_core"), list("cpu_atom")) else {
        return machine.kinds_by_capacity();
    };
    let lowest = list("cpu_lowpower").unwrap_or_default();
    for cpu in &mut machine.cpus {
        cpu.kind = match cpu.cpu {
            number if big.contains(number) => Some(Kind::Big),
            number if lowest.contains(number) => Some(Kind::Little),
            number if little.contains(number) => {
                Some(if lowest.is_empty() { Kind::Little } else { Kind::Middle })
            }
            _ => None,
        };
    }
}

fn count(files: &Files<'_>, machine: &mut Machine, table: &[u8]) {
    let told = if table.len() as u64 == MOST {
        Err(format!("it is larger than {} MiB", MOST >> 20))
    } else {
        format::parse(table).map(|interrupts| interrupts.by_cpu()).map_err(|error| error.to_string())
    };
    match told {
        Ok(counts) => {
            for cpu in &mut machine.cpus {
                let place = counts.binary_search_by_key(&cpu.cpu, |(number, _)| *number);
                cpu.interrupts = place.ok().map(|place| counts[place].1);
            }
            machine.interrupts_ms = files.aside("/proc/uptime", uptime_ms);
        }
        Err(why) => {
            machine.notes.push(format!("interrupts are left out: {}: {why}", files.shown(INTERRUPTS)));
        }
    }
}

/// `1234.56 2345.67`: seconds since boot, and idle ones (proc_uptime(5)).
fn uptime_ms(bytes: &[u8]) -> Result<u64, ParseError> {
    let malformed = || ParseError::new("seconds since boot", bytes);
    let text = std::str::from_utf8(bytes).map_err(|_| malformed())?;
    let (seconds, parts) =
        text.split_ascii_whitespace().next().and_then(|word| word.split_once('.')).ok_or_else(malformed)?;
    let seconds = scalar::unsigned(seconds.as_bytes()).map_err(|_| malformed())?;
    let parts = scalar::unsigned(parts.as_bytes()).ok().filter(|parts| *parts < 100).ok_or_else(malformed)?;
    seconds.checked_mul(1000).and_then(|ms| ms.checked_add(parts * 10)).ok_or_else(malformed)
}

/// For each CPU that is online how many interrupts of devices it took since boot. `None`: the machine does not show it.
#[must_use]
pub fn interrupts(host: &HostRoot) -> Option<Vec<(u32, u64)>> {
    table(host).map(|interrupts| interrupts.by_cpu())
}

/// The interrupts of devices since boot. `None`: the machine does not show them, or more than is read.
pub(crate) fn table(host: &HostRoot) -> Option<format::Interrupts> {
    let table = host.read_start(INTERRUPTS, MOST).ok()?;
    if table.len() as u64 == MOST {
        return None;
    }
    format::parse(&table).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_prints_is_read_and_nothing_else() {
        assert_eq!(uptime_ms(b"1234.56 2345.67\n"), Ok(1_234_560));
        assert_eq!(uptime_ms(b"0.00 0.00\n"), Ok(0));
        for bytes in [&b""[..], b"1234\n", b"-1.00 1\n", b"18446744073709551615.00 1\n", b"1.234 1\n"] {
            assert!(uptime_ms(bytes).is_err(), "{bytes:?}");
        }
        assert_eq!(nohz_full(b"  (null)\n"), Ok(Some(CpuSet::new())));
        assert_eq!(nohz_full(b"1-3\n").map(|cpus| cpus.map(|cpus| cpus.len())), Ok(Some(3)));
        assert_eq!(word(b"forceoff\n"), Ok("forceoff".to_owned()));
        assert!(word(b"on off\n").is_err() && word(b"\n").is_err());
    }
}
