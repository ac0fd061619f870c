//! `/proc/interrupts`: a line an interrupt, a column a CPU that is online, and then what it is for.
//!
//! Source: `show_interrupts`, kernel/irq/proc.c; `arch_show_interrupts` of each architecture, 6.12. The interrupts of devices are
//! numbered; those with a name are the CPU's own affair (its timer) or come from other CPUs.

use super::{ParseError, lines};

/// For each CPU that is online how many interrupts of devices it took since boot, ascending by number.
///
/// # Errors
/// No line that names CPUs first, or an interrupt of a device with fewer numbers than there are CPUs.
pub fn parse(bytes: &[u8]) -> Result<Vec<(u32, u64)>, ParseError> {
    let mut lines = lines(bytes);
    let head = lines.next().unwrap_or_default();
    let mut cpus = words(head)
        .map(|word| word.strip_prefix("CPU")?.parse().ok().map(|cpu| (cpu, 0)))
        .collect::<Option<Vec<(u32, u64)>>>()
        .filter(|cpus| !cpus.is_empty())
        .ok_or_else(|| ParseError::new("a line of CPUs such as \"CPU0 CPU1\"", head))?;
    for line in lines {
        let mut words = words(line);
        let of_device = words.next().and_then(|name| name.strip_suffix(':')).is_some_and(is_number);
        if !of_device {
            continue;
        }
        for (_, count) in &mut cpus {
            let more: Option<u64> = words.next().and_then(|word| word.parse().ok());
            let more = more.ok_or_else(|| ParseError::new("a count for each CPU", line))?;
            *count = count.saturating_add(more);
        }
    }
    cpus.sort_unstable();
    Ok(cpus)
}

fn words(line: &[u8]) -> impl Iterator<Item = &str> {
    // A device may have any name; what is no text ends the words that matter.
    let text = line.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    text.split_ascii_whitespace()
}

fn is_number(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
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
    fn interrupts_of_devices_are_summed_and_those_of_cpus_are_not() {
        assert_eq!(parse(TWO), Ok(vec![(0, 1378), (1, 39616)]));
        assert_eq!(
            parse(b" CPU2  CPU9\n  7: 18446744073709551615 1 \xff\n  8: 1 1\n"),
            Ok(vec![(2, u64::MAX), (9, 2)])
        );
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
