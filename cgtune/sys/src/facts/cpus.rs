//! What the CPUs of this machine do by themselves: share cores, change their clock, stay out of the scheduler's hands.

use std::collections::BTreeMap;

use cgtune_core::{CpuSet, parse::lists};

use super::number;
use crate::HostRoot;

const CPUS: &str = "/sys/devices/system/cpu";

/// Whether two hardware threads of one core are online anywhere (`smt/active`). A virtual machine says what its host shows it.
#[must_use]
pub fn smt_active(host: &HostRoot) -> Option<bool> {
    number(host, &format!("{CPUS}/smt/active")).map(|active| active != 0)
}

/// The frequency governors of these CPUs and how many of them have each. Empty where none can be read: cpufreq is not
/// there, as in most virtual machines.
#[must_use]
pub fn governors(host: &HostRoot, cpus: &CpuSet) -> BTreeMap<String, usize> {
    let mut governors = BTreeMap::new();
    for cpu in cpus.iter() {
        if let Ok(text) = host.read_to_string(format!("{CPUS}/cpu{cpu}/cpufreq/scaling_governor")) {
            *governors.entry(text.trim().to_owned()).or_default() += 1;
        }
    }
    governors
}

/// The lowest and the highest frequency that these CPUs run at now, in kHz (`scaling_cur_freq`). `None`: not shown here.
#[must_use]
pub fn frequencies_khz(host: &HostRoot, cpus: &CpuSet) -> Option<(u64, u64)> {
    let read = |cpu| number(host, &format!("{CPUS}/cpu{cpu}/cpufreq/scaling_cur_freq"));
    let range = |range: Option<(u64, u64)>, khz: u64| {
        range.map_or(Some((khz, khz)), |(low, high)| Some((low.min(khz), high.max(khz))))
    };
    cpus.iter().filter_map(read).fold(None, range)
}

/// Whether CPUs may run faster than their rated clock for a while: `intel_pstate/no_turbo` says when not, or `cpufreq/boost`
/// of the other drivers.
#[must_use]
pub fn turbo(host: &HostRoot) -> Option<bool> {
    let forbidden = number(host, &format!("{CPUS}/intel_pstate/no_turbo")).map(|no_turbo| no_turbo != 0);
    forbidden
        .map(|no_turbo| !no_turbo)
        .or_else(|| number(host, &format!("{CPUS}/cpufreq/boost")).map(|boost| boost != 0))
}

/// CPUs that the scheduler leaves alone (`isolcpus=`, isolated cpuset partitions): only who pins itself there runs there.
#[must_use]
pub fn isolated(host: &HostRoot) -> Option<CpuSet> {
    lists::parse(&host.read(format!("{CPUS}/isolated")).ok()?).ok()
}

/// CPUs whose tick stops while one task runs (`nohz_full=`). `None` also where the kernel prints "(null)": it could, and was not asked to.
#[must_use]
pub fn nohz_full(host: &HostRoot) -> Option<CpuSet> {
    lists::parse(&host.read(format!("{CPUS}/nohz_full")).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A synthetic node: what the files say is made up.
    fn node(files: &[(&str, &str)]) -> (tempfile::TempDir, HostRoot) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join("sys/devices/system/cpu").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let host = HostRoot::new(folder.path());
        (folder, host)
    }

    #[test]
    fn governors_are_counted_and_frequencies_are_a_range() {
        let (_folder, host) = node(&[
            ("cpu0/cpufreq/scaling_governor", "performance\n"),
            ("cpu0/cpufreq/scaling_cur_freq", "2400000\n"),
            ("cpu1/cpufreq/scaling_governor", "powersave\n"),
            ("cpu1/cpufreq/scaling_cur_freq", "800000\n"),
            ("cpu2/cpufreq/scaling_governor", "performance\n"),
        ]);
        let cpus: CpuSet = "0-3".parse().unwrap();
        let expected = [("performance".to_owned(), 2), ("powersave".to_owned(), 1)];
        assert_eq!(governors(&host, &cpus), expected.into());
        assert_eq!(frequencies_khz(&host, &cpus), Some((800_000, 2_400_000)));
    }

    #[test]
    fn either_driver_tells_of_turbo() {
        for (file, text, expected) in [
            ("intel_pstate/no_turbo", "0\n", Some(true)),
            ("intel_pstate/no_turbo", "1\n", Some(false)),
            ("cpufreq/boost", "1\n", Some(true)),
            ("cpufreq/boost", "0\n", Some(false)),
            ("cpufreq/boost", "odd\n", None),
        ] {
            let (_folder, host) = node(&[(file, text)]);
            assert_eq!(turbo(&host), expected, "{file}: {text}");
        }
    }

    #[test]
    fn a_node_that_shows_nothing_is_not_known() {
        let (_folder, host) = node(&[("nohz_full", "(null)\n")]);
        let cpus: CpuSet = "0-3".parse().unwrap();
        assert_eq!((smt_active(&host), turbo(&host)), (None, None));
        assert_eq!((isolated(&host), nohz_full(&host)), (None, None));
        assert!(governors(&host, &cpus).is_empty());
        assert_eq!(frequencies_khz(&host, &cpus), None);
    }

    #[test]
    fn an_empty_list_is_known_to_be_empty() {
        let (_folder, host) = node(&[("isolated", "\n"), ("nohz_full", "1-3\n"), ("smt/active", "1\n")]);
        assert_eq!(isolated(&host), Some(CpuSet::new()));
        assert_eq!(nohz_full(&host).map(|cpus| cpus.len()), Some(3));
        assert_eq!(smt_active(&host), Some(true));
    }
}
