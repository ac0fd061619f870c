//! Flags of the kubelet's command line that say something of CPUs, as the fields that they stand for.
//!
//! All of them are deprecated, and each overrides its field, whatever file says it (`kubeletConfigFlagPrecedence`, cmd/kubelet/app/server.go;
//! `AddKubeletConfigFlags`, cmd/kubelet/app/options/options.go, Kubernetes 1.35). A map that a flag gives takes the place of the whole map of
//! the files; feature gates alone are added to theirs.

use std::{collections::BTreeMap, sync::Arc};

use cgtune_core::kubelet::options::parse_bool;

use crate::{
    Map, Node, Value,
    node::{Entry, List},
    quoted::cut,
};

/// How a flag's value is read (pflag, and k8s.io/component-base/cli/flag).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// As it is; a duration, too.
    Text,
    /// `--flag` alone is true; a value stands behind `=`.
    Bool,
    /// `a,b`; those of several flags together.
    List,
    /// `a=1,b=2`; likewise.
    Map,
    /// `a=1`, however many commas: one entry a flag.
    Entry,
    /// `A=true,B=false`.
    Gates,
}

/// Flags, their fields and forms.
const FLAGS: [(&str, &str, Form); 21] = [
    ("cgroup-driver", "cgroupDriver", Form::Text),
    ("cgroup-root", "cgroupRoot", Form::Text),
    ("cgroups-per-qos", "cgroupsPerQOS", Form::Bool),
    ("cpu-cfs-quota", "cpuCFSQuota", Form::Bool),
    ("cpu-cfs-quota-period", "cpuCFSQuotaPeriod", Form::Text),
    ("cpu-manager-policy", "cpuManagerPolicy", Form::Text),
    ("cpu-manager-policy-options", "cpuManagerPolicyOptions", Form::Entry),
    ("cpu-manager-reconcile-period", "cpuManagerReconcilePeriod", Form::Text),
    ("enforce-node-allocatable", "enforceNodeAllocatable", Form::List),
    ("fail-cgroupv1", "failCgroupV1", Form::Bool),
    ("feature-gates", "featureGates", Form::Gates),
    ("kube-reserved", "kubeReserved", Form::Map),
    ("kube-reserved-cgroup", "kubeReservedCgroup", Form::Text),
    ("kubelet-cgroups", "kubeletCgroups", Form::Text),
    ("reserved-cpus", "reservedSystemCPUs", Form::Text),
    ("system-cgroups", "systemCgroups", Form::Text),
    ("system-reserved", "systemReserved", Form::Map),
    ("system-reserved-cgroup", "systemReservedCgroup", Form::Text),
    ("topology-manager-policy", "topologyManagerPolicy", Form::Text),
    ("topology-manager-policy-options", "topologyManagerPolicyOptions", Form::Entry),
    ("topology-manager-scope", "topologyManagerScope", Form::Text),
];

/// The flags of a command line that say something of CPUs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// By field.
    fields: BTreeMap<&'static str, Flag>,
    /// How many words the command line has.
    words: u64,
    config_dir: Option<String>,
}

/// A flag, and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flag {
    name: &'static str,
    /// Its value. Its line is the word's place, counted from 1; of several the last one's.
    node: Node,
}

/// A flag that the kubelet does not start with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlagError {
    /// Nothing stands behind it.
    #[error("--{flag} needs a value")]
    Missing {
        /// The flag.
        flag: &'static str,
    },
    /// A value of another form.
    #[error("--{flag} takes {expected}, not \"{found}\"")]
    Value {
        /// The flag.
        flag: &'static str,
        /// What it takes.
        expected: &'static str,
        /// What it got, fit to show.
        found: String,
    },
}

impl Flags {
    /// Reads the words of a command line. Words and flags that have nothing to do with CPUs are passed over, the program's name among them.
    ///
    /// # Errors
    /// The kubelet does not start with a value.
    pub fn read<'w>(words: impl IntoIterator<Item = &'w str>) -> Result<Self, FlagError> {
        let mut flags = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            flags.words += 1;
            let Some(flag) = word.strip_prefix("--") else { continue };
            // Behind it stand no flags.
            if flag.is_empty() {
                break;
            }
            let (name, value) =
                flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
            // As Kubernetes' own flags take them (`WordSepNormalizeFunc`).
            let name = name.replace('_', "-");
            let line = flags.words;
            let known = FLAGS.iter().find(|(flag, ..)| *flag == name);
            let Some(&(name, field, form)) = known else {
                if name == "config-dir" {
                    let next = || {
                        flags.words += 1;
                        words.next()
                    };
                    flags.config_dir = value.or_else(next).map(str::to_owned);
                }
                continue;
            };
            let value = match (value, form) {
                (Some(value), _) => value,
                (None, Form::Bool) => "true",
                (None, _) => {
                    flags.words += 1;
                    words.next().ok_or(FlagError::Missing { flag: name })?
                }
            };
            flags.take(name, field, form, value, line)?;
        }
        Ok(flags)
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The folder of drop-ins that they name.
    #[must_use]
    pub fn config_dir(&self) -> Option<&str> {
        self.config_dir.as_deref()
    }

    /// The flag that decides a field, or an entry of one, and the place of its word.
    #[must_use]
    pub fn says_of(&self, steps: &[&str]) -> Option<(&'static str, u64)> {
        let (field, key) = (steps.first()?, steps.get(1));
        let flag = self.fields.get(field)?;
        let gate = *field == "featureGates";
        let named = || flag.node.as_map().zip(key).is_none_or(|(map, key)| map.get(key).is_some());
        (!gate || named()).then_some((flag.name, flag.node.line))
    }

    pub(super) fn words(&self) -> u64 {
        self.words
    }

    /// Each field, its flag and what that says.
    pub(super) fn each(&self) -> impl Iterator<Item = (&'static str, &'static str, &Node)> {
        self.fields.iter().map(|(field, flag)| (*field, flag.name, &flag.node))
    }

    fn take(
        &mut self,
        name: &'static str,
        field: &'static str,
        form: Form,
        value: &str,
        line: u64,
    ) -> Result<(), FlagError> {
        let wrong = |expected, found: &str| FlagError::Value { flag: name, expected, found: cut(found) };
        let text = |text: &str| Node { line, value: Value::Text(Arc::from(text)) };
        let truth = |text: &str| {
            let truth = parse_bool(text).ok_or_else(|| wrong("true or false", text))?;
            Ok(Node { line, value: Value::Bool(truth) })
        };
        let pair = |pair: &str, value: &dyn Fn(&str) -> Result<Node, FlagError>| {
            let (key, said) = pair.split_once('=').ok_or_else(|| wrong("pairs such as a=1", pair))?;
            Ok(Entry { key: Arc::from(key.trim()), line, node: value(said.trim())? })
        };
        let pairs = || value.split(',').filter(|pair| !pair.is_empty());
        let before = self.fields.get(field).map(|flag| &flag.node.value);
        let value = match form {
            Form::Text => text(value).value,
            Form::Bool => truth(value)?.value,
            Form::List => {
                let there = match before {
                    Some(Value::List(list)) => list.to_vec(),
                    _ => Vec::new(),
                };
                let items = value.split(',').filter(|item| !item.is_empty()).map(text);
                Value::List(List(there.into_iter().chain(items).collect()))
            }
            Form::Map | Form::Entry | Form::Gates => {
                let new: Vec<Entry> = match form {
                    Form::Entry => vec![pair(value, &|said| Ok(text(said)))?],
                    Form::Gates => pairs().map(|one| pair(one, &truth)).collect::<Result<_, _>>()?,
                    _ => pairs().map(|one| pair(one, &|said| Ok(text(said)))).collect::<Result<_, _>>()?,
                };
                let there = match before {
                    Some(Value::Map(map)) => map.to_vec(),
                    _ => Vec::new(),
                };
                // The last word counts.
                let all: BTreeMap<Arc<str>, Entry> =
                    there.into_iter().chain(new).map(|entry| (Arc::clone(&entry.key), entry)).collect();
                Value::Map(Map(all.into_values().collect()))
            }
        };
        self.fields.insert(field, Flag { name, node: Node { line, value } });
        Ok(())
    }
}
