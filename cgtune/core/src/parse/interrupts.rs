//! `/proc/interrupts`: how often each CPU was interrupted, by whom (`show_interrupts`, kernel/irq/proc.c, 6.12).

use super::{ParseError, lines};

/// One interrupt of a device. Those of the architecture (timer ticks, calls between CPUs) have no number, and every CPU has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interrupt {
    /// Its number.
    pub number: u32,
    /// Chip, line and devices, as the kernel prints them, with single blanks.
    pub what: Vec<u8>,
    /// How often each CPU took it since boot, by CPU number.
    pub counts: Vec<(u32, u64)>,
}

/// Reads the lines that have a number. A line of which the kernel printed fewer counts than CPUs is passed over.
///
/// # Errors
/// A first line that doesn't name CPUs.
pub fn parse(bytes: &[u8]) -> Result<Vec<Interrupt>, ParseError> {
    let mut lines = lines(bytes);
    let head = lines.next().unwrap_or_default();
    let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse().ok();
    let words = |line: &[u8]| -> Vec<Vec<u8>> {
        line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).map(<[u8]>::to_vec).collect()
    };
    let cpus: Option<Vec<u32>> = words(head).iter().map(|word| number(word.strip_prefix(b"CPU")?)).collect();
    let cpus = cpus.filter(|cpus| !cpus.is_empty()).ok_or_else(|| ParseError::new("CPU0 CPU1 …", head))?;
    let interrupt = |line: &[u8]| {
        let words = words(line);
        let number = number(words.first()?.strip_suffix(b":")?)?;
        let counts = words.get(1..=cpus.len())?.iter().zip(&cpus);
        let counts = counts.map(|(word, &cpu)| {
            let count: u64 = std::str::from_utf8(word).ok()?.parse().ok()?;
            Some((cpu, count))
        });
        Some(Interrupt {
            number,
            counts: counts.collect::<Option<_>>()?,
            what: words[cpus.len() + 1..].join(&b' '),
        })
    };
    Ok(lines.filter_map(interrupt).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_interrupts_of_devices_are_counted_by_cpu() {
        // Part of a real one, 6.18.44; CPU1 was offline on another.
        let text = b"           CPU0       CPU2       \n 24:          1          0  IO-APIC   5-edge      ACPI:Ged\n \
            36:          0      40156 PCI-MSIX-0000:00:02.0   1-edge      virtio1-req.0\nLOC:      91954     101401   Local timer interrupts\nERR:          0\n";
        let found = parse(text).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[1].counts, [(0, 0), (2, 40156)]);
        assert_eq!(found[1].what, b"PCI-MSIX-0000:00:02.0 1-edge virtio1-req.0");
        assert!(parse(b"").is_err() && parse(b"nonsense\n 1: 2\n").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in "( |CPU[0-9]{1,2}|[0-9]{1,3}:|[0-9]{1,20}|\n|é){0,40}") {
            let _ = parse(text.as_bytes());
        }
    }
}
