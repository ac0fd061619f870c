//! A machine as `cgtune topology --json` tells of it, read back: its CPUs, and who held some of them when it was written.
//!
//! Anybody may have written such a text. What is read back can be shown as it is, and the CPUs of each holder are CPUs of the machine.
//! The least that is one is `{"cpus":[{"cpu":0,"core":0,"socket":0,"node":0}]}`.

use cgtune_core::{
    CpuSet,
    text::Escaped,
    topology::{Machine, TopologyError},
};
use cgtune_sys::cpusets::Cpuset;
use serde::{Deserialize, Serialize};

use crate::names::{Resident, path::container_id};

/// Additive changes keep the number, others raise it.
pub const SCHEMA: &str = "cgtune.topology/1";

/// As much of an id as people write.
const ID: usize = 12;
/// How the kernel calls a group that is no partition.
const MEMBER: &str = "member";

/// A machine, and who holds CPUs of their own there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// The machine. What of the description was left out stands in its notes.
    pub machine: Machine,
    /// `None`: not known.
    pub holders: Option<Vec<Holder>>,
}

/// A cgroup that holds CPUs of its own, and who lives in it. All text in it can be shown as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Its path in the cpuset hierarchy.
    pub path: String,
    /// What it is called by those who look: the names of pod and container, and what else the group is. `None`: no name is known.
    #[serde(default)]
    pub name: Option<String>,
    /// The id of the container whose group it is.
    #[serde(default)]
    pub container: Option<String>,
    /// That container's name. `None`, here and below: no source told it.
    #[serde(default)]
    pub container_name: Option<String>,
    /// The name of the pod that it is, or lies in.
    #[serde(default)]
    pub pod: Option<String>,
    /// That pod's namespace.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The CPUs that it asks for; empty on v2: those of the group above.
    #[serde(default)]
    pub cpus: CpuSet,
    /// The CPUs that it has.
    #[serde(rename = "effective_cpus")]
    pub effective: CpuSet,
    /// What kind of partition it is, in the kernel's words; `None`: its layout has none.
    #[serde(default)]
    pub partition: Option<String>,
    /// How many processes are directly in it. `None`: it does not say.
    #[serde(default)]
    pub processes: Option<usize>,
}

/// Why a text describes no machine.
#[derive(Debug, thiserror::Error)]
pub enum DescriptionError {
    /// It is no JSON, or holds something else. Where is told by the way into it, line and column.
    #[error("{place}{source}")]
    Json {
        /// `in cpus[3].socket `; empty for the whole text.
        place: String,
        /// What was expected and found.
        source: serde_json::Error,
    },
    /// It says that it is something else.
    #[error("it is \"{}\", not \"{SCHEMA}\"", Escaped(.found.as_bytes()))]
    Schema {
        /// What it says.
        found: String,
    },
    /// There is no machine with such CPUs.
    #[error(transparent)]
    Cpus(#[from] TopologyError),
}

/// What a document says that it is. Without a word it is taken for what is meant.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    schema: Option<String>,
}

#[derive(Deserialize)]
struct Held {
    #[serde(default)]
    cpusets: Option<Vec<Holder>>,
}

impl Description {
    /// Reads the text of one.
    ///
    /// # Errors
    /// [`DescriptionError`]
    pub fn read(bytes: &[u8]) -> Result<Self, DescriptionError> {
        // One after the other, since fields that are flattened into one lose their place in the text.
        let head: Head = parsed(bytes)?;
        if let Some(found) = head.schema.filter(|schema| schema != SCHEMA) {
            return Err(DescriptionError::Schema { found });
        }
        let mut machine: Machine = parsed(bytes)?;
        machine.put_in_order();
        let cpus = machine.topology()?.all().clone();
        let both =
            machine.offline.as_ref().map(|off| off.intersection(&cpus)).filter(|both| !both.is_empty());
        if let (Some(off), Some(both)) = (&mut machine.offline, both) {
            *off = off.difference(&both);
            machine.notes.push(format!(
                "CPUs {both} are said to be online and switched off; they are taken to be online"
            ));
        }
        settle_nodes(&mut machine);
        settle_isolated(&mut machine, &cpus);
        let Held { cpusets } = parsed(bytes)?;
        let holders = cpusets.map(|all| {
            let (sound, odd): (Vec<Holder>, Vec<Holder>) =
                all.into_iter().map(Holder::fit_to_show).partition(|holder| holder.may_be(&cpus));
            machine.notes.extend(left_out(&odd));
            sound
        });
        Ok(Self { machine, holders })
    }
}

/// A CPU that nodes list and that says itself that it lies on another one: what it says itself is what CPUs are chosen by.
fn settle_nodes(machine: &mut Machine) {
    let Machine { cpus, nodes, notes, .. } = machine;
    for node in nodes {
        let stray = cpus.iter().filter(|cpu| cpu.node != node.node && node.cpus.contains(cpu.cpu));
        let stray: CpuSet = stray.map(|cpu| cpu.cpu).collect();
        if !stray.is_empty() {
            node.cpus = node.cpus.difference(&stray);
            let node = node.node;
            notes.push(format!(
                "CPUs {stray} are said to lie on node {node} and elsewhere; they are taken to lie elsewhere"
            ));
        }
    }
}

/// Isolated CPUs that the machine can never have.
fn settle_isolated(machine: &mut Machine, online: &CpuSet) {
    let Machine { isolated, offline, possible, notes, .. } = machine;
    let Some(isolated) = isolated else { return };
    let there = offline.iter().chain(possible.iter()).fold(online.clone(), |all, cpus| all.union(cpus));
    let beyond = isolated.difference(&there);
    if !beyond.is_empty() {
        *isolated = isolated.intersection(&there);
        notes.push(format!(
            "CPUs {beyond} are said to be isolated, and the machine has none of them; they are left out"
        ));
    }
}

/// Where it is wrong is told by the way into it, line and column.
fn parsed<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, DescriptionError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let place = if path == "." { String::new() } else { format!("in {path} ") };
        DescriptionError::Json { place, source: error.into_inner() }
    })?;
    json.end().map_err(|source| DescriptionError::Json { place: String::new(), source })?;
    Ok(value)
}

/// A note on holders that cannot be, which cost no answer about the machine.
fn left_out(odd: &[Holder]) -> Option<String> {
    let first = odd.first()?;
    let more = match odd.len() {
        1 => String::new(),
        several => format!(" and {} more", several - 1),
    };
    Some(format!(
        "of the cgroups with CPUs of their own {}{more} cannot be, and is left out: a path begins with /, and its CPUs ({}) are online",
        first.path, first.effective
    ))
}

impl Holder {
    /// A group and who lives in it, who is called `name`.
    #[must_use]
    pub fn of(cpuset: &Cpuset, resident: &Resident, name: Option<String>) -> Self {
        let pod = resident.pod.as_ref();
        Self {
            path: Escaped(cpuset.path.as_os_str().as_encoded_bytes()).to_string(),
            name,
            container: container_id(&cpuset.path).map(str::to_owned),
            container_name: resident.container.as_ref().and_then(|container| container.name.clone()),
            pod: pod.and_then(|pod| pod.name.clone()),
            namespace: pod.and_then(|pod| pod.namespace.clone()),
            cpus: cpuset.cpus.clone(),
            effective: cpuset.effective.clone(),
            partition: cpuset.partition.as_ref().map(ToString::to_string),
            processes: cpuset.processes,
        }
    }

    /// What it is called; its path, where nobody told a name.
    #[must_use]
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.path)
    }

    /// Whether it takes its CPUs away from the groups beside it, or is meant to.
    #[must_use]
    pub fn is_partition(&self) -> bool {
        self.partition.as_deref().is_some_and(|state| state != MEMBER)
    }

    /// Whether anybody runs on its CPUs: nobody runs directly in a group that only hands them on.
    #[must_use]
    pub fn is_lived_in(&self) -> bool {
        self.processes != Some(0) || self.is_partition()
    }

    /// As somebody wrote it, without what could steer a terminal.
    fn fit_to_show(self) -> Self {
        let fit = |text: String| Escaped(text.as_bytes()).to_string();
        let called = self.called();
        Self {
            path: fit(self.path),
            name: self.name.or(called).map(fit),
            container: self.container.map(fit),
            container_name: self.container_name.map(fit),
            pod: self.pod.map(fit),
            namespace: self.namespace.map(fit),
            partition: self.partition.map(fit),
            ..self
        }
    }

    /// Descriptions of earlier versions hold the parts of a name alone.
    fn called(&self) -> Option<String> {
        let container = self.container_name.clone();
        let (Some(namespace), Some(pod)) = (&self.namespace, &self.pod) else { return container };
        let id = || self.container.as_ref().map(|id| id.chars().take(ID).collect());
        let container = container.or_else(id).map_or_else(String::new, |container| format!("/{container}"));
        Some(format!("{namespace}/{pod}{container}"))
    }

    fn may_be(&self, cpus: &CpuSet) -> bool {
        self.path.starts_with('/') && self.effective.is_subset(cpus)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CPUS: &str =
        r#""cpus":[{"cpu":0,"core":0,"socket":0,"node":0},{"cpu":1,"core":1,"socket":0,"node":0}]"#;

    fn read(cpusets: &str) -> Result<Description, DescriptionError> {
        Description::read(format!("{{{CPUS},\"cpusets\":{cpusets}}}").as_bytes())
    }

    #[test]
    fn without_a_word_of_holders_nothing_is_known_of_them() {
        assert_eq!(Description::read(format!("{{{CPUS}}}").as_bytes()).unwrap().holders, None);
        assert_eq!(read("null").unwrap().holders, None);
        assert_eq!(read("[]").unwrap().holders, Some(Vec::new()));
    }

    #[test]
    fn a_holder_of_an_earlier_version_is_called_by_what_it_holds() {
        let id = "3b2e7f9d0c1a4b5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6";
        let text = format!(
            r#"[{{"path":"/a","container":"{id}","container_name":null,"pod":"web","namespace":"prod","cpus":"1","effective_cpus":"1",
                "partition":null,"processes":2}},{{"path":"/b","effective_cpus":"0"}}]"#
        );
        let holders = read(&text).unwrap().holders.unwrap();
        assert_eq!((holders[0].title(), holders[1].title()), ("prod/web/3b2e7f9d0c1a", "/b"));
    }

    #[test]
    fn what_cannot_be_is_left_out_with_a_note_and_what_is_kept_is_fit_to_show() {
        let text = r#"[{"path":"/a\u001b[2J","name":"n\u202e","effective_cpus":"0"},{"path":"/far\u001b","effective_cpus":"1-2"},
            {"path":"no/path","effective_cpus":"0"}]"#;
        let Description { machine, holders } = read(text).unwrap();
        let holders = holders.unwrap();
        assert_eq!(
            (holders.len(), holders[0].path.as_str(), holders[0].title()),
            (1, r"/a\x1b[2J", r"n\xe2\x80\xae")
        );
        assert_eq!(machine.notes.len(), 1);
        assert!(machine.notes[0].contains(r"/far\x1b and 1 more cannot be"), "{:?}", machine.notes);
    }

    #[test]
    fn a_cpu_is_online_or_switched_off() {
        let text = format!(r#"{{{CPUS},"offline":"1-3"}}"#);
        let Description { machine, .. } = Description::read(text.as_bytes()).unwrap();
        assert_eq!(machine.offline.unwrap().to_string(), "2-3");
        assert!(
            machine.notes[0].starts_with("CPUs 1 are said to be online and switched off"),
            "{:?}",
            machine.notes
        );
    }

    #[test]
    fn a_cpu_lies_on_one_node_and_what_is_isolated_is_there() {
        let read = |more: &str| Description::read(format!("{{{CPUS},{more}}}").as_bytes()).unwrap().machine;
        let machine =
            read(r#""nodes":[{"node":0,"cpus":"0"},{"node":9,"cpus":"1"}],"isolated":"0-99","offline":"2""#);
        assert_eq!(machine.nodes[1].cpus, CpuSet::new());
        assert_eq!(machine.isolated.unwrap().to_string(), "0-2");
        let [stray, beyond] = &machine.notes[..] else { panic!("{:?}", machine.notes) };
        assert!(stray.starts_with("CPUs 1 are said to lie on node 9 and elsewhere"), "{stray}");
        assert!(beyond.starts_with("CPUs 3-99 are said to be isolated"), "{beyond}");
        let machine = read(r#""nodes":[{"node":0,"cpus":"0-1"}],"isolated":"1,3","possible":"0-3""#);
        assert_eq!(machine.notes, Vec::<String>::new());
    }

    #[test]
    fn what_is_wrong_with_a_holder_is_told_with_its_place() {
        let error = read(r#"[{"path":"/a","effective_cpus":"0-"}]"#).unwrap_err().to_string();
        assert!(error.starts_with("in cpusets[0].effective_cpus ") && error.contains("line 1"), "{error}");
        let error = Description::read(br#"{"schema":"cgtune.stat/1","cpusets":7}"#).unwrap_err().to_string();
        assert_eq!(error, r#"it is "cgtune.stat/1", not "cgtune.topology/1""#);
    }
}
