//! What is worth knowing about a choice, in words.

use itertools::Itertools as _;

use crate::{CpuSet, topology::Kind};

/// Something about a choice that may matter later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remark {
    /// Somebody else may run on the sibling of a chosen CPU, and takes part of their common core.
    Siblings {
        /// The chosen ones.
        cpus: CpuSet,
        /// Their siblings that were not chosen.
        siblings: CpuSet,
    },
    /// Memory of one node is far from CPUs of another.
    Nodes(Vec<u32>),
    /// Data goes back and forth between last-level caches.
    Caches(Vec<u32>),
    /// The nodes that were named did not have enough.
    Elsewhere {
        /// What lies elsewhere.
        cpus: CpuSet,
    },
    /// Nothing else was left.
    Avoided {
        /// What should have been avoided.
        cpus: CpuSet,
    },
    /// A reserved CPU has a chosen sibling: the system runs on the same core.
    Reserved {
        /// The chosen ones.
        cpus: CpuSet,
    },
    /// Devices interrupt there more than elsewhere.
    Interrupts {
        /// The chosen ones.
        cpus: CpuSet,
    },
    /// The scheduler moves nothing there and nothing away (`isolcpus=`, an isolated partition).
    Isolated {
        /// The chosen ones.
        cpus: CpuSet,
    },
    /// They have no tick while one thread runs (`nohz_full=`), which costs more at each way into the kernel, and is no gain where several
    /// run (Documentation/timers/no_hz.rst, 6.12).
    NohzFull {
        /// The chosen ones.
        cpus: CpuSet,
    },
    /// Cores of different strength.
    Kinds(Vec<Kind>),
    /// Cores have different numbers of threads online, by kind or because one is switched off. The kubelet reckons with the average, and
    /// takes no other core for a whole one.
    Uneven {
        /// How many threads it takes a core to have.
        per_core: usize,
    },
}

impl Remark {
    /// What it is about, in one word, for programs.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Siblings { .. } => "siblings",
            Self::Nodes(_) => "nodes",
            Self::Caches(_) => "caches",
            Self::Elsewhere { .. } => "elsewhere",
            Self::Avoided { .. } => "avoided",
            Self::Reserved { .. } => "reserved",
            Self::Interrupts { .. } => "interrupts",
            Self::Isolated { .. } => "isolated",
            Self::NohzFull { .. } => "nohz_full",
            Self::Kinds(_) => "kinds",
            Self::Uneven { .. } => "uneven",
        }
    }
}

impl std::fmt::Display for Remark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Siblings { cpus, siblings } => {
                let were = if siblings.len() == 1 { "was" } else { "were" };
                // Of one CPU, or with one, it is one core.
                let core = if cpus.len() > 1 && siblings.len() > 1 { "cores" } else { "a core" };
                write!(
                    f,
                    "{} {core} with {}, which {were} not chosen: who runs there takes part of {} speed",
                    which(cpus, "shares", "share"),
                    named(siblings),
                    its(cpus)
                )
            }
            Self::Nodes(nodes) => write!(
                f,
                "the CPUs lie on NUMA nodes {}: memory of one is farther from the CPUs of another",
                nodes.iter().copied().collect::<CpuSet>()
            ),
            Self::Caches(caches) => write!(f, "the CPUs lie under {} last-level caches", caches.len()),
            Self::Elsewhere { cpus } => {
                write!(
                    f,
                    "the nodes asked for have too few free CPUs: {} elsewhere",
                    which(cpus, "lies", "lie")
                )
            }
            Self::Avoided { cpus } => {
                write!(
                    f,
                    "{} been avoided, and nothing else is left",
                    which(cpus, "should have", "should have")
                )
            }
            Self::Interrupts { cpus } => {
                write!(
                    f,
                    "{} many more interrupts than others: each of them stops what runs there",
                    which(cpus, "takes", "take")
                )
            }
            Self::Isolated { cpus } => write!(
                f,
                "{} isolated: the scheduler moves no thread there and none away, so that all threads of a group may \
                 stay on one CPU",
                which(cpus, "is", "are")
            ),
            Self::NohzFull { cpus } => write!(
                f,
                "{} {} tick while one thread runs (nohz_full): with several nothing is gained, and each way into the \
                 kernel costs more there",
                which(cpus, "stops", "stop"),
                its(cpus)
            ),
            Self::Kinds(kinds) => write!(
                f,
                "the CPUs are of different kinds ({}): a thread's speed depends on where it is put",
                kinds.iter().map(|kind| kind.name()).join(", ")
            ),
            Self::Uneven { per_core } => write!(
                f,
                "cores have different numbers of threads online; the kubelet reckons with their average, {per_core}, and takes no \
                 other core for a whole one"
            ),
            Self::Reserved { cpus } => write!(
                f,
                "{} with a reserved CPU: what the system runs there takes part of {} speed",
                which(cpus, "is on a core", "are on cores"),
                its(cpus)
            ),
        }
    }
}

fn named(cpus: &CpuSet) -> String {
    format!("{} {cpus}", if cpus.len() == 1 { "CPU" } else { "CPUs" })
}

/// CPUs as the subject of a sentence, with its verb.
fn which(cpus: &CpuSet, one: &str, several: &str) -> String {
    format!("{} {}", named(cpus), if cpus.len() == 1 { one } else { several })
}

fn its(cpus: &CpuSet) -> &'static str {
    if cpus.len() == 1 { "its" } else { "their" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cpu_and_several_are_spoken_of_as_such() {
        let set = |list: &str| list.parse::<CpuSet>().unwrap();
        let said = |cpus, siblings| {
            let remark = Remark::Siblings { cpus: set(cpus), siblings: set(siblings) }.to_string();
            remark.split_once(':').unwrap().0.to_owned()
        };
        assert_eq!(said("4-5", "12-13"), "CPUs 4-5 share cores with CPUs 12-13, which were not chosen");
        assert_eq!(said("2", "7"), "CPU 2 shares a core with CPU 7, which was not chosen");
        assert_eq!(said("2", "7,9"), "CPU 2 shares a core with CPUs 7,9, which were not chosen");
        let elsewhere = |cpus| Remark::Elsewhere { cpus: set(cpus) }.to_string();
        assert!(elsewhere("0,4").ends_with(": CPUs 0,4 lie elsewhere"), "{}", elsewhere("0,4"));
        assert!(elsewhere("4").ends_with(": CPU 4 lies elsewhere"), "{}", elsewhere("4"));
        let reserved = Remark::Reserved { cpus: set("4-5") }.to_string();
        assert!(reserved.starts_with("CPUs 4-5 are on cores with a reserved CPU: "), "{reserved}");
        assert!(Remark::Nodes(vec![0, 1, 2, 9]).to_string().contains("NUMA nodes 0-2,9: "));
    }
}
