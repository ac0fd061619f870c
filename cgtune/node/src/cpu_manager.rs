//! What the kubelet's static CPU manager has given away, as its state file says.
//!
//! `/var/lib/kubelet/cpu_manager_state` (`CPUManagerCheckpointV2`, pkg/kubelet/cm/cpumanager/state/checkpoint.go, Kubernetes 1.36):
//! `{"policyName":"static","defaultCpuSet":"0,4-7","entries":{"<pod uid>":{"<container>":"1-3"}},"checksum":…}`. Before 1.17 entries
//! were `{"<container id>":"1-3"}`: whose these are is passed over, and which CPUs is not. The checksum is the kubelet's own affair.

use std::{collections::BTreeMap, io};

use cgtune_core::CpuSet;
use cgtune_sys::HostRoot;
use serde::Deserialize;

/// Where it is by default (`--root-dir`).
pub const STATE: &str = "/var/lib/kubelet/cpu_manager_state";
/// Most bytes that are read of it: a node has some hundred pods, an entry some hundred bytes.
pub const LARGEST: u64 = 4 << 20;

/// What was given away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CpuManager {
    /// `none` or `static`.
    pub policy: String,
    /// The CPUs of everybody else. `None`: it does not say, as under the policy none.
    pub shared: Option<CpuSet>,
    /// Exclusive CPUs by pod UID and container name.
    pub entries: BTreeMap<String, BTreeMap<String, CpuSet>>,
    /// All exclusive CPUs, an old kubelet's as well.
    pub alone: CpuSet,
}

impl CpuManager {
    /// What of a machine's CPUs is given to nobody alone. Under the policy none that is all of them.
    ///
    /// A shared pool that is empty is all given away, but for what the kubelet keeps to itself (`strict-cpu-reservation`).
    #[must_use]
    pub fn not_given_away(&self, all: &CpuSet) -> CpuSet {
        let left = all.difference(&self.alone);
        match &self.shared {
            Some(shared) => left.intersection(shared),
            None => left,
        }
    }
}

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CpuManagerError {
    /// It is there and cannot be read.
    #[error("the CPU manager's state cannot be read")]
    Read(#[source] io::Error),
    /// It is not what the kubelet writes.
    #[error("the CPU manager's state is not what a kubelet writes")]
    Format(#[source] serde_json::Error),
    /// It is longer than any node's.
    #[error("the CPU manager's state is longer than {LARGEST} bytes")]
    TooLong,
    /// A list of CPUs in it is none.
    #[error("a list of CPUs in the CPU manager's state")]
    List(#[from] cgtune_core::cpus::CpuListError),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object with policyName and defaultCpuSet")]
struct Written {
    policy_name: String,
    #[serde(default)]
    default_cpu_set: String,
    #[serde(default)]
    entries: Option<BTreeMap<String, Entry>>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "an entry holds neither a pod's lists of CPUs nor a container's")]
enum Entry {
    OfPod(BTreeMap<String, String>),
    /// Of an old kubelet, by container id.
    OfContainer(String),
}

/// Reads it. `None`: this node has none.
///
/// # Errors
/// It is there, and cannot be read or understood.
pub fn read(host: &HostRoot) -> Result<Option<CpuManager>, CpuManagerError> {
    match host.read_start(STATE, LARGEST + 1) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CpuManagerError::Read(error)),
        Ok(bytes) if bytes.len() as u64 > LARGEST => Err(CpuManagerError::TooLong),
        Ok(bytes) => parse(&bytes).map(Some),
    }
}

/// The text of it, as of a file that was copied from a node.
///
/// # Errors
/// It cannot be understood.
pub fn parse(bytes: &[u8]) -> Result<CpuManager, CpuManagerError> {
    let Written { policy_name, default_cpu_set, entries } =
        serde_json::from_slice(bytes).map_err(CpuManagerError::Format)?;
    let (mut given, mut alone) = (BTreeMap::new(), CpuSet::new());
    for (uid, entry) in entries.into_iter().flatten() {
        let containers = match entry {
            Entry::OfPod(containers) => containers,
            Entry::OfContainer(list) => {
                alone = alone.union(&list.parse()?);
                continue;
            }
        };
        let lists = containers.into_iter().map(|(name, list)| Ok((name, list.parse()?)));
        let lists: BTreeMap<String, CpuSet> = lists.collect::<Result<_, CpuManagerError>>()?;
        alone = lists.values().fold(alone, |alone, cpus| alone.union(cpus));
        given.insert(uid, lists);
    }
    let shared = match default_cpu_set.as_str() {
        "" => None,
        list => Some(list.parse()?),
    };
    Ok(CpuManager { policy: policy_name, shared, entries: given, alone })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusive_cpus_are_read_by_pod_and_container() {
        // Synthetic, in the form of Kubernetes 1.36.
        let text = br#"{"policyName":"static","defaultCpuSet":"0,4-7","entries":{"6c1a":{"app":"1-2","side":"3"}},"checksum":7}"#;
        let state = parse(text).unwrap();
        assert_eq!((state.policy.as_str(), state.shared), ("static", "0,4-7".parse().ok()));
        assert_eq!(state.entries["6c1a"]["app"], "1-2".parse().unwrap());
    }

    #[test]
    fn the_policy_none_gives_nothing_away_and_an_old_kubelets_entries_are_passed_over() {
        let none = parse(br#"{"policyName":"none","defaultCpuSet":"","checksum":7}"#).unwrap();
        assert_eq!((none.shared, none.entries.len()), (None, 0));
        let old =
            parse(br#"{"policyName":"static","defaultCpuSet":"0","entries":{"c0ffee":"1-2"}}"#).unwrap();
        assert_eq!((old.entries.len(), old.alone), (0, "1-2".parse().unwrap()));
    }

    #[test]
    fn what_a_container_has_alone_is_not_left_whatever_the_pool_says() {
        let all: CpuSet = "0-3".parse().unwrap();
        let left = |pool: &str, given: &str| {
            let text = format!(r#"{{"policyName":"static","defaultCpuSet":"{pool}","entries":{given}}}"#);
            parse(text.as_bytes()).unwrap().not_given_away(&all).to_string()
        };
        assert_eq!(left("", r#"{"u":{"a":"0","b":"1"}}"#), "2-3", "the pool is empty");
        assert_eq!(left("", r#"{"u":{"a":"0-3"}}"#), "");
        assert_eq!(left("", "null"), "0-3", "nobody has any yet");
        assert_eq!(left("0-63", "{}"), "0-3", "the machine has no more");
        assert_eq!(left("2-3", r#"{"u":{"a":"1"}}"#), "2-3", "0 is kept from all: strict-cpu-reservation");
    }

    #[test]
    fn what_is_no_state_says_why() {
        for (text, why) in [
            ("", "not what a kubelet writes"),
            ("[]", "not what a kubelet writes"),
            (
                r#"{"policyName":"static","entries":{"c0ffee":"x"}}"#,
                "a list of CPUs in the CPU manager's state",
            ),
            (
                r#"{"policyName":"static","entries":{"a":{"b":"x"}}}"#,
                "a list of CPUs in the CPU manager's state",
            ),
            (r#"{"policyName":"static","defaultCpuSet":"7-1"}"#, "a list of CPUs in the CPU manager's state"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_node_without_a_kubelet_has_none() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(&HostRoot::new(folder.path())).unwrap().is_none());
    }
}
