//! Sets of CPUs (and of memory nodes) in the kernel's list format: `0-3,7`.
//!
//! What is read is the form the kernel prints (`lib/bitmap.c`, `bitmap_print_to_pagebuf`, 6.12) plus the two
//! liberties a person takes: an unordered list and overlapping ranges. What the kernel's *parser* takes beyond
//! that (`0-1:1/2`, `N`, `all`, blanks) is refused, since we never write it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// The highest CPU or node number read. `NR_CPUS` is at most 8192 in mainline (arch/x86/Kconfig, 6.12); the
/// slack is for other architectures, the bound is there so that a short text cannot ask for gigabytes.
pub const MAX_CPU: u32 = 65_535;

/// A set of CPU numbers, ordered, without duplicates. An empty set is a value (`cpuset.cpus` of a fresh v1
/// cpuset is empty), not an absence.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct CpuSet {
    /// Bit n of word n/64. The last word is never zero, so that equality is equality of sets.
    words: Vec<u64>,
}

impl CpuSet {
    /// The empty set.
    #[must_use]
    pub const fn new() -> Self {
        Self { words: Vec::new() }
    }

    /// Adds a CPU; numbers above [`MAX_CPU`] are left out, which [`CpuSet::from_str`] reports.
    pub fn insert(&mut self, cpu: u32) {
        if cpu > MAX_CPU {
            return;
        }
        let word = (cpu / 64) as usize;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (cpu % 64);
    }

    /// Whether the CPU is in the set.
    #[must_use]
    pub fn contains(&self, cpu: u32) -> bool {
        self.words.get((cpu / 64) as usize).is_some_and(|word| word & (1 << (cpu % 64)) != 0)
    }

    /// How many CPUs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The CPU numbers, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        // A core's set on a large machine is two bits in a thousand words: what is zero is passed over at once.
        (0_u32..).zip(&self.words).filter(|&(_, &bits)| bits != 0).flat_map(|(word, &bits)| {
            let after = |&bits: &u64| Some(bits & (bits - 1)).filter(|&rest| rest != 0);
            std::iter::successors(Some(bits), after).map(move |bits| word * 64 + bits.trailing_zeros())
        })
    }

    /// The CPUs that are in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.iter().filter(|&cpu| other.contains(cpu)).collect()
    }

    /// The CPUs that are in either set.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.iter().chain(other.iter()).collect()
    }

    /// Whether all CPUs of this set are in the other.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.iter().all(|cpu| other.contains(cpu))
    }

    /// The CPUs of this set that are not in the other.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.iter().filter(|&cpu| !other.contains(cpu)).collect()
    }
}

impl FromIterator<u32> for CpuSet {
    fn from_iter<I: IntoIterator<Item = u32>>(cpus: I) -> Self {
        let mut set = Self::new();
        cpus.into_iter().for_each(|cpu| set.insert(cpu));
        set
    }
}

/// Why a CPU list was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CpuListError {
    /// One element is neither `n` nor `n-m`.
    #[error("\"{element}\" in CPU list \"{list}\" is neither a number nor a range such as 0-3")]
    Element {
        /// The element.
        element: String,
        /// The whole list.
        list: String,
    },
    /// A range that runs down.
    #[error("range \"{element}\" in CPU list \"{list}\" runs backwards")]
    Backwards {
        /// The element.
        element: String,
        /// The whole list.
        list: String,
    },
    /// A number above [`MAX_CPU`].
    #[error("CPU {cpu} in list \"{list}\" is above {MAX_CPU}, the highest number read")]
    TooHigh {
        /// The number.
        cpu: u64,
        /// The whole list.
        list: String,
    },
}

impl FromStr for CpuSet {
    type Err = CpuListError;

    /// Reads `0-3,7`; a trailing newline is the kernel's and is taken off.
    fn from_str(text: &str) -> Result<Self, CpuListError> {
        let list = text.strip_suffix('\n').unwrap_or(text);
        let mut set = Self::new();
        if list.is_empty() {
            return Ok(set);
        }
        for element in list.split(',') {
            let number = |digits: &str| -> Result<u32, CpuListError> {
                let malformed =
                    || CpuListError::Element { element: element.to_owned(), list: list.to_owned() };
                if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                    return Err(malformed());
                }
                let cpu: u64 = digits.parse().map_err(|_| malformed())?;
                u32::try_from(cpu)
                    .ok()
                    .filter(|&cpu| cpu <= MAX_CPU)
                    .ok_or_else(|| CpuListError::TooHigh { cpu, list: list.to_owned() })
            };
            let (first, last) = element.split_once('-').unwrap_or((element, element));
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return Err(CpuListError::Backwards { element: element.to_owned(), list: list.to_owned() });
            }
            (first..=last).for_each(|cpu| set.insert(cpu));
        }
        Ok(set)
    }
}

impl fmt::Display for CpuSet {
    /// The kernel's own list format; the empty set is the empty text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut cpus = self.iter().peekable();
        let mut separator = "";
        while let Some(first) = cpus.next() {
            let mut last = first;
            while cpus.peek() == Some(&(last + 1)) {
                last += 1;
                cpus.next();
            }
            match last - first {
                0 => write!(f, "{separator}{first}")?,
                _ => write!(f, "{separator}{first}-{last}")?,
            }
            separator = ",";
        }
        Ok(())
    }
}

impl fmt::Debug for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CpuSet({self})")
    }
}

impl Serialize for CpuSet {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CpuSet {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_list_is_read_in_any_order() {
        let set: CpuSet = "3-6,1-5".parse().unwrap();
        assert_eq!(set.to_string(), "1-6");
        assert_eq!("\n".parse::<CpuSet>().unwrap(), CpuSet::new());
    }

    #[test]
    fn an_enormous_range_is_refused_at_once() {
        assert!(matches!("0-4294967295".parse::<CpuSet>(), Err(CpuListError::TooHigh { .. })));
        assert!(matches!("99999999999".parse::<CpuSet>(), Err(CpuListError::TooHigh { .. })));
    }

    proptest! {
        #[test]
        fn a_formatted_set_reads_back_as_itself(cpus in proptest::collection::btree_set(0_u32..2000, 0..80)) {
            let set: CpuSet = cpus.iter().copied().collect();
            prop_assert_eq!(set.len(), cpus.len());
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), cpus.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(set.to_string().parse::<CpuSet>().unwrap(), set);
        }

        #[test]
        fn parsing_a_list_never_panics(text in "[-0-9,:/ a-z\\n]{0,40}|.{0,20}") {
            let _ = text.parse::<CpuSet>();
        }
    }
}
