//! `/proc/cpuinfo`, as far as it says where CPUs lie.
//!
//! Lines are `key\t: value`; `processor` begins a CPU (`show_cpuinfo`, arch/x86/kernel/cpu/proc.c, 6.12). x86 alone prints `physical id` and
//! `core id`; the number of a core begins anew in each socket.

use std::collections::BTreeMap;

use super::lines;
use crate::cpus::MAX_CPU;

/// Where a CPU lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Its socket (`physical id`).
    pub socket: u32,
    /// Its core, by a number that is unique in the socket (`core id`).
    pub core: u32,
}

/// The CPUs that are described, and where those lie that say it.
///
/// One pass over the bytes, whatever they hold: the file may be one that somebody made. A number that is none, or is above [`MAX_CPU`],
/// describes no CPU; of one that comes twice the first word counts.
#[must_use]
pub fn parse(bytes: &[u8]) -> BTreeMap<u32, Option<Place>> {
    let mut found = BTreeMap::new();
    let mut keep = |one: Described| {
        if let Some(number) = one.number.filter(|number| *number <= MAX_CPU) {
            let place = one.socket.zip(one.core).map(|(socket, core)| Place { socket, core });
            found.entry(number).or_insert(place);
        }
    };
    let mut open = Described::default();
    for line in lines(bytes) {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
        let (key, value) = line.split_at(colon);
        let value = || number(value.get(1..).unwrap_or_default());
        match key.trim_ascii() {
            b"processor" => {
                keep(std::mem::replace(&mut open, Described { number: value(), ..Described::default() }));
            }
            b"physical id" => open.socket = value(),
            b"core id" => open.core = value(),
            _ => {}
        }
    }
    keep(open);
    found
}

/// What was said of a CPU so far.
#[derive(Default)]
struct Described {
    number: Option<u32>,
    socket: Option<u32>,
    core: Option<u32>,
}

fn number(bytes: &[u8]) -> Option<u32> {
    std::str::from_utf8(bytes.trim_ascii()).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cpus_of_two_sockets_lie_where_their_lines_say() {
        let text = b"processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Some CPU: 3\nphysical id\t: 0\nsiblings\t: 1\n\
            core id\t\t: 4\npower management:\n\nprocessor\t: 3\nphysical id\t: 1\ncore id\t\t: 4\n\n";
        let found = parse(text);
        assert_eq!(found[&0], Some(Place { socket: 0, core: 4 }));
        assert_eq!((found[&3], found.len()), (Some(Place { socket: 1, core: 4 }), 2));
    }

    #[test]
    fn other_architectures_say_that_cpus_are_there_and_not_where() {
        // Synthetic, in the form of arm64 (arch/arm64/kernel/cpuinfo.c), which tells features.
        let text = b"processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd\n\nprocessor\t: 1\nBogoMIPS\t: 50.00\n\n";
        assert_eq!(parse(text).into_iter().collect::<Vec<_>>(), [(0, None), (1, None)]);
        assert!(parse(b"").is_empty() && parse(b"core id\t: 1\n").is_empty());
    }

    #[test]
    fn what_cannot_be_is_no_cpu_and_the_first_word_counts() {
        let text = b"processor: 70000\nprocessor: -1\nprocessor: x\nprocessor: 2\nphysical id: 7\ncore id: 1\nprocessor: 2\n";
        assert_eq!(parse(text).into_iter().collect::<Vec<_>>(), [(2, Some(Place { socket: 7, core: 1 }))]);
    }

    proptest! {
        #[test]
        fn no_bytes_are_trouble(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = parse(&bytes);
        }
    }
}
