//! `/proc/interrupts`: a line an interrupt, a column a CPU that is online, and then what it is for.
//!
//! Source: `show_interrupts`, kernel/irq/proc.c; `arch_show_interrupts` of each architecture, 6.12. The interrupts of devices are
//! numbered; those with a name are the CPU's own affair (its timer) or come from other CPUs.

use super::{ParseError, lines};

/// The interrupts of devices since boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interrupts {
    /// The CPUs that are online, in the order of the columns.
    pub cpus: Vec<u32>,
    /// Each of the numbered ones.
    pub of_devices: Vec<Interrupt>,
}

/// One interrupt of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interrupt {
    /// Its number.
    pub number: u32,
    /// Chip, line and devices, as the kernel prints them, with single blanks.
    pub what: Vec<u8>,
    /// How often each CPU took it since boot, in the order of the columns.
    pub counts: Vec<(u32, u64)>,
}

impl Interrupts {
    /// How many each CPU took of all of them, ascending by number.
    #[must_use]
    pub fn by_cpu(&self) -> Vec<(u32, u64)> {
        let mut cpus: Vec<(u32, u64)> = self.cpus.iter().map(|&cpu| (cpu, 0)).collect();
        for interrupt in &self.of_devices {
            for ((_, sum), (_, count)) in cpus.iter_mut().zip(&interrupt.counts) {
                *sum = sum.saturating_add(*count);
            }
        }
        cpus.sort_unstable();
        cpus
    }
}

/// Reads the lines that have a number.
///
/// # Errors
/// No line that names CPUs first, or an interrupt of a device with fewer counts than there are CPUs.
pub fn parse(bytes: &[u8]) -> Result<Interrupts, ParseError> {
    let mut lines = lines(bytes);
    let head = lines.next().unwrap_or_default();
    let cpus: Option<Vec<u32>> = words(head).map(|word| number(word.strip_prefix(b"CPU")?)).collect();
    let cpus = cpus
        .filter(|cpus| !cpus.is_empty())
        .ok_or_else(|| ParseError::new("a line of CPUs such as \"CPU0 CPU1\"", head))?;
    let mut of_devices = Vec::new();
    for line in lines {
        let mut words = words(line);
        let Some(number) = words.next().and_then(|name| number(name.strip_suffix(b":")?)) else { continue };
        let counts: Option<Vec<(u32, u64)>> =
            cpus.iter().map(|&cpu| Some((cpu, count(words.next()?)?))).collect();
        let counts = counts.ok_or_else(|| ParseError::new("a count for each CPU", line))?;
        of_devices.push(Interrupt { number, counts, what: words.collect::<Vec<_>>().join(&b' ') });
    }
    Ok(Interrupts { cpus, of_devices })
}

/// A device may have any name: words are bytes.
fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty())
}

fn number(digits: &[u8]) -> Option<u32> {
    count(digits)?.try_into().ok()
}

fn count(digits: &[u8]) -> Option<u64> {
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| all)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lines of `cat /proc/interrupts` on Linux 6.18.44, x86-64, two CPUs.
    const TWO: &[u8] = b"           CPU0       CPU1       \n \
24:          1          0  IO-APIC   5-edge      ACPI:Ged\n \
36:          0      39616 PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0\n \
41:       1377          0 PCI-MSIX-0000:00:04.0   1-edge      virtio3-rx\n\
LOC:      90938     100276   Local timer interrupts\n\
RES:      20343      17621   Rescheduling interrupts\n\
ERR:          0\nMIS:          0\n";

    #[test]
    fn interrupts_of_devices_are_read_and_those_of_cpus_are_not() {
        let found = parse(TWO).unwrap();
        assert_eq!(found.of_devices.len(), 3);
        assert_eq!(found.of_devices[1].counts, [(0, 0), (1, 39616)]);
        assert_eq!(found.of_devices[1].what, b"PCI-MSIX-0000:00:02.0 1-edge virtio1-req.0");
        assert_eq!(found.by_cpu(), [(0, 1378), (1, 39616)]);
    }

    #[test]
    fn a_device_may_have_any_name_and_a_cpu_no_interrupt() {
        let found = parse(b" CPU9  CPU2\n  7: 18446744073709551615 1 \xff\n  8: 1 1\n").unwrap();
        assert_eq!(found.by_cpu(), [(2, 2), (9, u64::MAX)]);
        assert_eq!(parse(b"CPU0\n").unwrap().by_cpu(), [(0, 0)]);
    }

    #[test]
    fn a_line_that_is_cut_off_is_an_error() {
        for bytes in
            [&b""[..], b"\n", b"24: 1 0\n", b"CPU0 CPU1\n 24: 1\n", b"CPU0\n 24: x\n", b"CPU0 CPUx\n"]
        {
            assert!(parse(bytes).is_err(), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn parsing_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..60), text in "CPU0 CPU1\n[ 0-9:\\-a-z\n]{0,40}") {
            let _ = (parse(&bytes), parse(text.as_bytes()));
        }
    }
}
