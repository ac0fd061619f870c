//! `cpuManagerPolicyOptions`: how the static policy chooses CPUs.
//!
//! Source: pkg/kubelet/cm/cpumanager/policy_options.go, Kubernetes 1.30 to 1.36. The kubelet reads them when it starts its CPU
//! manager, and doesn't start with one that it refuses.

use std::fmt;

use crate::{
    Topology,
    convert::Version,
    kubelet::{
        gates::{Gate, Stage},
        release::Release,
    },
    text::Escaped,
    topology::Level,
};

/// One option by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyOption {
    /// `full-pcpus-only`
    FullPcpusOnly,
    /// `distribute-cpus-across-numa`
    DistributeCpusAcrossNuma,
    /// `align-by-socket`
    AlignBySocket,
    /// `distribute-cpus-across-cores`
    DistributeCpusAcrossCores,
    /// `strict-cpu-reservation`
    StrictCpuReservation,
    /// `prefer-align-cpus-by-uncorecache`
    PreferAlignCpusByUncorecache,
}

impl PolicyOption {
    /// All that a version up to 1.36 has.
    pub const ALL: [Self; 6] = [
        Self::FullPcpusOnly,
        Self::DistributeCpusAcrossNuma,
        Self::AlignBySocket,
        Self::DistributeCpusAcrossCores,
        Self::StrictCpuReservation,
        Self::PreferAlignCpusByUncorecache,
    ];

    /// As it is written in the configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FullPcpusOnly => "full-pcpus-only",
            Self::DistributeCpusAcrossNuma => "distribute-cpus-across-numa",
            Self::AlignBySocket => "align-by-socket",
            Self::DistributeCpusAcrossCores => "distribute-cpus-across-cores",
            Self::StrictCpuReservation => "strict-cpu-reservation",
            Self::PreferAlignCpusByUncorecache => "prefer-align-cpus-by-uncorecache",
        }
    }

    /// The option of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|option| option.name() == name)
    }

    /// The minor versions of Kubernetes 1 in which it became alpha, beta and generally available.
    const fn since(self) -> (u32, Option<u32>, Option<u32>) {
        match self {
            Self::FullPcpusOnly => (22, Some(23), Some(33)),
            Self::DistributeCpusAcrossNuma => (23, Some(33), None),
            Self::AlignBySocket => (25, None, None),
            Self::DistributeCpusAcrossCores => (31, None, None),
            Self::StrictCpuReservation => (32, Some(33), Some(35)),
            Self::PreferAlignCpusByUncorecache => (32, Some(34), None),
        }
    }

    /// How far it is in a version; `None` where the version does not know it.
    #[must_use]
    pub fn stage(self, version: Version) -> Option<Stage> {
        let reached = |minor: u32| version >= Version::new(1, minor, 0);
        let (alpha, beta, stable) = self.since();
        if stable.is_some_and(reached) {
            Some(Stage::Stable)
        } else if beta.is_some_and(reached) {
            Some(Stage::Beta)
        } else if reached(alpha) {
            Some(Stage::Alpha)
        } else {
            None
        }
    }

    /// The first release that knows it.
    #[must_use]
    pub const fn introduced_in(self) -> Release {
        Release::of_minor(self.since().0)
    }

    /// The gate that a version wants open for it; `None` where it wants none, or doesn't know the option.
    #[must_use]
    pub fn gate(self, version: Version) -> Option<Gate> {
        match self.stage(version)? {
            Stage::Alpha => Some(Gate::CPUManagerPolicyAlphaOptions),
            Stage::Beta => Some(Gate::CPUManagerPolicyBetaOptions),
            Stage::Stable => None,
        }
    }
}

impl fmt::Display for PolicyOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What the static policy is told (`StaticPolicyOptions`). The default is the kubelet's: nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Options {
    /// Only whole cores: a count that is no multiple of the threads per core is refused.
    pub full_pcpus_only: bool,
    /// What does not fit one NUMA node is spread evenly over as few as possible.
    pub distribute_cpus_across_numa: bool,
    /// CPUs count as aligned when they lie in one socket.
    pub align_by_socket: bool,
    /// CPUs of different cores before their siblings.
    pub distribute_cpus_across_cores: bool,
    /// Reserved CPUs are taken from the shared pool too.
    pub strict_cpu_reservation: bool,
    /// As few last-level caches as possible.
    pub prefer_align_cpus_by_uncorecache: bool,
}

/// Why an option is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// A name that is none.
    #[error("\"{name}\" is no option of the static policy")]
    Unknown {
        /// The name, fit to show.
        name: String,
    },
    /// A value that Go's `strconv.ParseBool` does not take.
    #[error("\"{value}\" is neither true nor false, for the option {option}")]
    Value {
        /// The option.
        option: PolicyOption,
        /// The value, fit to show.
        value: String,
    },
}

/// Two options that the kubelet refuses together (`NewStaticPolicyOptions`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the options {0} and {1} exclude each other")]
pub struct Exclusion(
    /// The one.
    pub PolicyOption,
    /// The other.
    pub PolicyOption,
);

/// Why options don't fit a machine (`ValidateStaticPolicyOptions`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// `align-by-socket`, and the topology manager wants one NUMA node.
    #[error("align-by-socket excludes the topology manager's policy single-numa-node")]
    SingleNumaNode,
    /// `align-by-socket`, and a NUMA node holds several sockets.
    #[error(
        "align-by-socket needs no more sockets than NUMA nodes, and there are {sockets} sockets and {nodes} nodes"
    )]
    Sockets {
        /// How many sockets.
        sockets: usize,
        /// How many NUMA nodes.
        nodes: usize,
    },
}

impl Options {
    /// Reads names and values. What excludes each other is told by [`exclusions`](Self::exclusions), and what a
    /// version lacks by [`PolicyOption::gate`].
    ///
    /// ```
    /// use cgtune_core::kubelet::options::Options;
    ///
    /// let options = Options::parse([("full-pcpus-only", "true"), ("align-by-socket", "F")])?;
    /// assert!(options.full_pcpus_only && !options.align_by_socket);
    /// # Ok::<(), cgtune_core::kubelet::options::OptionError>(())
    /// ```
    ///
    /// # Errors
    /// The first name that is no option, or value that is no boolean.
    pub fn parse<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, OptionError> {
        let mut options = Self::default();
        for (name, value) in pairs {
            let option = PolicyOption::named(name)
                .ok_or_else(|| OptionError::Unknown { name: Escaped(name.as_bytes()).to_string() })?;
            options.set(
                option,
                parse_bool(value).ok_or_else(|| OptionError::Value {
                    option,
                    value: Escaped(value.as_bytes()).to_string(),
                })?,
            );
        }
        Ok(options)
    }

    /// Whether an option is on.
    #[must_use]
    pub const fn get(&self, option: PolicyOption) -> bool {
        match option {
            PolicyOption::FullPcpusOnly => self.full_pcpus_only,
            PolicyOption::DistributeCpusAcrossNuma => self.distribute_cpus_across_numa,
            PolicyOption::AlignBySocket => self.align_by_socket,
            PolicyOption::DistributeCpusAcrossCores => self.distribute_cpus_across_cores,
            PolicyOption::StrictCpuReservation => self.strict_cpu_reservation,
            PolicyOption::PreferAlignCpusByUncorecache => self.prefer_align_cpus_by_uncorecache,
        }
    }

    /// Turns an option on or off.
    pub const fn set(&mut self, option: PolicyOption, on: bool) {
        *match option {
            PolicyOption::FullPcpusOnly => &mut self.full_pcpus_only,
            PolicyOption::DistributeCpusAcrossNuma => &mut self.distribute_cpus_across_numa,
            PolicyOption::AlignBySocket => &mut self.align_by_socket,
            PolicyOption::DistributeCpusAcrossCores => &mut self.distribute_cpus_across_cores,
            PolicyOption::StrictCpuReservation => &mut self.strict_cpu_reservation,
            PolicyOption::PreferAlignCpusByUncorecache => &mut self.prefer_align_cpus_by_uncorecache,
        } = on;
    }

    /// Those that are on.
    pub fn on(&self) -> impl Iterator<Item = PolicyOption> + use<> {
        let options = *self;
        PolicyOption::ALL.into_iter().filter(move |&option| options.get(option))
    }

    /// Every pair of options that the kubelet refuses together.
    pub fn exclusions(&self) -> impl Iterator<Item = Exclusion> + use<> {
        use PolicyOption::{
            DistributeCpusAcrossCores as Cores, DistributeCpusAcrossNuma as Numa, FullPcpusOnly as Full,
            PreferAlignCpusByUncorecache as Uncore,
        };
        let options = *self;
        [(Full, Cores), (Numa, Cores), (Uncore, Cores), (Uncore, Numa)]
            .into_iter()
            .filter(move |&(one, other)| options.get(one) && options.get(other))
            .map(|(one, other)| Exclusion(one, other))
    }

    /// Whether they can be used on a machine, and under the topology manager's policy.
    ///
    /// # Errors
    /// What they don't fit.
    pub fn fit(&self, topology: &Topology, single_numa_node: bool) -> Result<(), Unfit> {
        let (sockets, nodes) = (topology.count(Level::Socket), topology.count(Level::Node));
        match self.align_by_socket {
            true if single_numa_node => Err(Unfit::SingleNumaNode),
            true if sockets > nodes => Err(Unfit::Sockets { sockets, nodes }),
            _ => Ok(()),
        }
    }
}

/// As Go's `strconv.ParseBool`.
#[must_use]
pub fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::Cpu;

    #[test]
    fn an_option_moves_up_with_the_versions() {
        let stage = |option: PolicyOption, minor| option.stage(Version::new(1, minor, 0));
        assert_eq!(stage(PolicyOption::StrictCpuReservation, 31), None);
        assert_eq!(stage(PolicyOption::StrictCpuReservation, 32), Some(Stage::Alpha));
        assert_eq!(stage(PolicyOption::StrictCpuReservation, 34), Some(Stage::Beta));
        assert_eq!(stage(PolicyOption::StrictCpuReservation, 35), Some(Stage::Stable));
        assert_eq!(stage(PolicyOption::AlignBySocket, 36), Some(Stage::Alpha));
        let uncore = PolicyOption::PreferAlignCpusByUncorecache;
        assert_eq!(uncore.gate(Version::new(1, 33, 9)), Some(Gate::CPUManagerPolicyAlphaOptions));
        assert_eq!(uncore.gate(Version::new(1, 34, 0)), Some(Gate::CPUManagerPolicyBetaOptions));
        assert_eq!(PolicyOption::FullPcpusOnly.gate(Version::new(1, 33, 0)), None);
    }

    #[test]
    fn an_error_shows_what_was_typed_escaped() {
        let error = Options::parse([("full-pcpus-only", "\x1b[2J")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            r#""\x1b[2J" is neither true nor false, for the option full-pcpus-only"#
        );
    }

    #[test]
    fn aligning_by_socket_needs_nodes_for_the_sockets() {
        let cpu = |cpu, socket, node| Cpu { cpu, core: cpu, socket, node, uncore: None };
        let options = Options { align_by_socket: true, ..Options::default() };
        let two = Topology::new([cpu(0, 0, 0), cpu(1, 1, 1)]).unwrap();
        assert_eq!(options.fit(&two, false), Ok(()));
        assert_eq!(options.fit(&two, true), Err(Unfit::SingleNumaNode));
        let one = Topology::new([cpu(0, 0, 0), cpu(1, 1, 0)]).unwrap();
        assert_eq!(options.fit(&one, false), Err(Unfit::Sockets { sockets: 2, nodes: 1 }));
        assert_eq!(Options::default().fit(&one, true), Ok(()));
    }
}
