//! A KubeletConfiguration in a file: its fields as values, with what is wrong with the file itself.
//!
//! A tree in, [`cgtune_core::kubelet`]'s values out. Fields that have nothing to do with CPU are known by name alone.
//!
//! The kubelet decodes strictly at first, and when that fails leniently (pkg/kubelet/kubeletconfig/util/codec/codec.go): a field that it
//! does not know is passed over with a line in its log, of a key that stands twice the last one counts, a value of the wrong type ends it.

mod edit;
mod flags;
mod layers;
mod yaml;

use std::{
    collections::{BTreeMap, HashMap},
    io::BufRead,
    ops::ControlFlow,
    str::FromStr,
};

use cgtune_core::kubelet::{
    Fault, Finding, GoDuration, KubeletConfig, Machine, Place, Release, check, fields,
};

pub use edit::{EditError, Edited, patch};
pub use flags::{FlagError, Flags};
pub use layers::Layers;

use crate::{
    Cursor, Entry, Error, FieldError, Format, Map, Node, Value,
    entries::{Repeat, Repeats},
    objects_with,
    quoted::{Quoted, cut},
};

const KIND: &str = "KubeletConfiguration";
const VERSION: &str = "kubelet.config.k8s.io/v1beta1";

/// Most findings that are told each for itself. To find its line each is looked up, so that without a bound a hostile file
/// could take hours.
const MOST: usize = 200;

/// A file that holds a KubeletConfiguration.
#[derive(Debug, Clone)]
pub struct KubeletFile {
    config: KubeletConfig,
    root: Node,
    /// What is wrong with the file in any release.
    findings: Vec<Finding>,
}

/// Why a file holds no KubeletConfiguration that can be judged.
#[derive(Debug, thiserror::Error)]
pub enum KubeletFileError {
    /// It cannot be read.
    #[error("it cannot be read")]
    Unreadable(#[source] Error),
    /// There is nothing in it.
    #[error("there is nothing in it")]
    Empty,
    /// It is something else.
    #[error("line {line}: expected kind {KIND}, found {kind}")]
    Kind {
        /// Of its kind.
        line: u64,
        /// What it says, fit to show.
        kind: String,
        /// The line of a document behind it that is one; the kubelet reads the first alone.
        later: Option<u64>,
    },
}

impl KubeletFile {
    /// Reads a file.
    ///
    /// # Errors
    /// It is not YAML or JSON, or something else than a KubeletConfiguration.
    pub fn read(source: impl BufRead, format: Format) -> Result<Self, KubeletFileError> {
        let mut found: Option<Result<(Node, bool), KubeletFileError>> = None;
        let (mut second, mut repeated) = (None, Vec::new());
        let repeats = Repeats::taken();
        objects_with(source, format, repeats.clone(), &mut |place, object| {
            let one = object.map_err(KubeletFileError::Unreadable).and_then(identified);
            let noted = repeats.drain();
            // The first one counts, and is judged, or tells what there is.
            match &mut found {
                None => (found, repeated) = (Some(one), noted),
                Some(first) => {
                    second.get_or_insert(place.line);
                    if let (Err(KubeletFileError::Kind { later, .. }), Ok(_)) = (first, one) {
                        later.get_or_insert(place.line);
                    }
                }
            }
            ControlFlow::Continue(())
        });
        let (root, typed) = found.unwrap_or(Err(KubeletFileError::Empty))?;
        let mut reading = Reading { findings: Vec::new() };
        if !typed {
            reading.findings.push(Finding { place: Place::at([]), fault: Fault::Untyped { field: "kind" } });
        }
        if let Some(line) = second {
            let place = Place::Line { line, path: String::new() };
            reading.findings.push(Finding { place, fault: Fault::SecondDocument });
        }
        reading.findings.extend(twice(&root, &repeated));
        reading.version(&Cursor::new(&root));
        let config = reading.config(&Cursor::new(&root));
        Ok(Self { config, root, findings: reading.findings })
    }

    /// Its fields.
    #[must_use]
    pub const fn config(&self) -> &KubeletConfig {
        &self.config
    }

    /// The tree.
    #[must_use]
    pub const fn root(&self) -> &Node {
        &self.root
    }

    /// Everything that is to be said of it in a release, by line.
    #[must_use]
    pub fn check(&self, release: Release, machine: Machine<'_>) -> Vec<Finding> {
        let mut findings = self.findings.clone();
        findings.extend(check(&self.config, release, machine));
        let mut more = findings.len().saturating_sub(MOST);
        findings.truncate(MOST);
        let mut names = self.names(release);
        // What a mistyped name may have meant is sought for those alone that are told.
        let told = names.by_ref().take(MOST - findings.len()).map(|(key, since)| {
            let fault = match since {
                Some(since) => Fault::LaterField { since, release },
                None => Fault::UnknownField { like: fields::like(key) },
            };
            Finding { place: Place::at([key]), fault }
        });
        findings.extend(told);
        more += names.count();
        if more > 0 {
            findings.push(Finding { place: Place::at([]), fault: Fault::More { more } });
        }
        findings.sort_by_cached_key(|finding| {
            (self.line(&finding.place), finding.severity(), self.path(&finding.place), finding.fault.kind())
        });
        findings
    }

    /// The line that a finding is about; of the nearest thing around it where it is not given.
    #[must_use]
    pub fn line(&self, place: &Place) -> u64 {
        let steps = match place {
            Place::Line { line, .. } => return *line,
            Place::At(steps) => steps,
        };
        let (mut line, mut node) = (self.root.line(), &self.root);
        for step in steps {
            let next = match node.value() {
                Value::Map(map) => {
                    map.iter().find(|entry| entry.key() == step).map(|entry| (entry.line(), entry.node()))
                }
                Value::List(list) => {
                    step.parse().ok().and_then(|index: usize| list.get(index)).map(|node| (node.line(), node))
                }
                _ => None,
            };
            match next {
                Some(next) => (line, node) = next,
                None => break,
            }
        }
        line
    }

    /// The line on which the file says something of a field, or an entry of one: also `null`, and something else where a map could be. `None`:
    /// it says nothing, and laid over another file it leaves what is there.
    #[must_use]
    pub fn says_of(&self, steps: &[&str]) -> Option<u64> {
        let (mut line, mut node) = (self.root.line(), &self.root);
        for step in steps {
            let Value::Map(map) = node.value() else { return Some(line) };
            let entry = map.iter().find(|entry| entry.key() == *step)?;
            (line, node) = (entry.line(), entry.node());
        }
        Some(line)
    }

    /// The way to what a finding is about, fit to show; empty for the whole file.
    #[must_use]
    pub fn path(&self, place: &Place) -> String {
        match place {
            Place::Line { path, .. } => path.clone(),
            Place::At(steps) => {
                let mut path = String::new();
                for step in steps {
                    let plain =
                        step.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
                    match step {
                        step if step.parse::<usize>().is_ok() => path += &format!("[{step}]"),
                        step if !plain || step.is_empty() => path += &format!("[{}]", Quoted(step)),
                        step if path.is_empty() => path += &cut(step),
                        step => path += &format!(".{}", cut(step)),
                    }
                }
                path
            }
        }
    }

    /// Fields that a release does not have, with the one that brought them, if one did.
    fn names(&self, release: Release) -> impl Iterator<Item = (&str, Option<Release>)> {
        let entries = self.root.as_map().map_or(&[][..], |map| map);
        let fields = entries.iter().map(Entry::key).filter(|key| !["apiVersion", "kind"].contains(key));
        fields
            .map(|key| (key, fields::since(key)))
            .filter(move |(_, since)| since.is_none_or(|since| since > release))
    }
}

/// The tree, if it may be a KubeletConfiguration, and whether it says so.
fn identified(node: Node) -> Result<(Node, bool), KubeletFileError> {
    let line = node.line();
    // A document that is no map is no object, which the readers have told by now.
    let Some(map) = node.as_map() else {
        let kind = node.value().kind().to_owned();
        return Err(KubeletFileError::Kind { line, kind, later: None });
    };
    let typed = match map.given("kind") {
        Some(kind) if kind.as_text() == Some(KIND) => true,
        Some(kind) => {
            let said = kind
                .as_text()
                .map_or_else(|| kind.value().kind().to_owned(), |text| Quoted(text).to_string());
            return Err(KubeletFileError::Kind { line: kind.line(), kind: said, later: None });
        }
        // Without a kind it may be anything; the names of its fields decide.
        None if known(map) => false,
        None => return Err(KubeletFileError::Kind { line, kind: "none".to_owned(), later: None }),
    };
    Ok((node, typed))
}

/// Keys that stand twice, with the way to the one that counts.
fn twice(root: &Node, repeated: &[Repeat]) -> Vec<Finding> {
    let mut paths: HashMap<(u64, &str), Option<String>> =
        repeated.iter().map(|repeat| ((repeat.line, &*repeat.key), None)).collect();
    if !repeated.is_empty() {
        walk(root, "", &mut paths);
    }
    let finding = |Repeat { key, line, before, merged }: &Repeat| {
        let path = paths.get(&(*line, &**key)).cloned().flatten().unwrap_or_else(|| cut(key));
        let fault = Fault::Repeated { before: *before, merged: *merged };
        Finding { place: Place::Line { line: *line, path }, fault }
    };
    repeated.iter().map(finding).collect()
}

/// Finds the ways to entries, by their lines and keys. The tree is no deeper than the readers let through.
fn walk<'a>(node: &'a Node, above: &str, paths: &mut HashMap<(u64, &'a str), Option<String>>) {
    match node.value() {
        Value::Map(map) => {
            for entry in map.iter() {
                let key = cut(entry.key());
                let path = if above.is_empty() { key } else { format!("{above}.{key}") };
                walk(entry.node(), &path, paths);
                if let Some(found) = paths.get_mut(&(entry.line(), entry.key())) {
                    found.get_or_insert(path);
                }
            }
        }
        Value::List(list) => {
            for (index, node) in list.iter().enumerate() {
                walk(node, &format!("{above}[{index}]"), paths);
            }
        }
        _ => {}
    }
}

/// Whether at least half of the fields are those of a KubeletConfiguration.
fn known(map: &Map) -> bool {
    let all = map.iter().filter(|entry| entry.key() != "apiVersion").count();
    let known = map.iter().filter(|entry| fields::since(entry.key()).is_some()).count();
    known > 0 && known * 2 >= all
}

fn gate(value: &Cursor<'_>) -> Result<bool, FieldError> {
    value.boolean()
}

/// Takes fields, and keeps what does not fit.
struct Reading {
    findings: Vec<Finding>,
}

impl Reading {
    fn kept<T>(&mut self, result: Result<T, FieldError>) -> Option<T> {
        let wrong = |FieldError { path, line, problem }| Finding {
            place: Place::Line { line, path },
            fault: Fault::Type { what: problem.to_string() },
        };
        result.map_err(|error| self.findings.push(wrong(error))).ok()
    }

    fn version(&mut self, root: &Cursor<'_>) {
        let Some(given) = self.kept(root.optional("apiVersion")) else { return };
        let fault = match given.map(|version| version.text()) {
            None => Fault::Untyped { field: "apiVersion" },
            Some(Ok(VERSION)) => return,
            Some(Ok(other)) => Fault::OtherVersion { found: cut(other) },
            Some(Err(error)) => {
                self.kept::<()>(Err(error));
                return;
            }
        };
        self.findings.push(Finding { place: Place::at(["apiVersion"]), fault });
    }

    /// The value of a field, taken by `take`, if it is given.
    fn field<'a, T>(
        &mut self,
        root: &Cursor<'a>,
        name: &str,
        take: impl Fn(&mut Self, &Cursor<'a>) -> Option<T>,
    ) -> Option<T> {
        let found = self.kept(root.optional(name))??;
        take(self, &found)
    }

    fn text(&mut self, root: &Cursor<'_>, name: &str) -> Option<String> {
        self.field(root, name, |this, found| this.kept(found.text()).map(str::to_owned))
    }

    fn boolean(&mut self, root: &Cursor<'_>, name: &str) -> Option<bool> {
        self.field(root, name, |this, found| this.kept(found.boolean()))
    }

    fn duration(&mut self, root: &Cursor<'_>, name: &str) -> Option<GoDuration> {
        self.field(root, name, |this, found| {
            let text = this.kept(found.text())?;
            this.kept(GoDuration::from_str(text).map_err(|error| found.error(error)))
        })
    }

    fn map<T>(
        &mut self,
        root: &Cursor<'_>,
        name: &str,
        take: impl Fn(&Cursor<'_>) -> Result<T, FieldError>,
    ) -> Option<BTreeMap<String, T>> {
        self.field(root, name, |this, found| {
            let entries = this.kept(found.entries())?;
            let mut map = BTreeMap::new();
            for (key, value) in entries {
                if let Some(value) = this.kept(take(&value)) {
                    map.insert(key.to_owned(), value);
                }
            }
            Some(map)
        })
    }

    fn texts(&mut self, root: &Cursor<'_>, name: &str) -> Option<BTreeMap<String, String>> {
        self.map(root, name, |value| value.text().map(str::to_owned))
    }

    fn list(&mut self, root: &Cursor<'_>, name: &str) -> Option<Vec<String>> {
        self.field(root, name, |this, found| {
            let items = this.kept(found.items())?;
            Some(items.filter_map(|item| this.kept(item.text()).map(str::to_owned)).collect())
        })
    }

    fn config(&mut self, root: &Cursor<'_>) -> KubeletConfig {
        KubeletConfig {
            cpu_manager_policy: self.text(root, "cpuManagerPolicy"),
            cpu_manager_policy_options: self.texts(root, "cpuManagerPolicyOptions"),
            cpu_manager_reconcile_period: self.duration(root, "cpuManagerReconcilePeriod"),
            topology_manager_policy: self.text(root, "topologyManagerPolicy"),
            topology_manager_scope: self.text(root, "topologyManagerScope"),
            topology_manager_policy_options: self.texts(root, "topologyManagerPolicyOptions"),
            cpu_cfs_quota: self.boolean(root, "cpuCFSQuota"),
            cpu_cfs_quota_period: self.duration(root, "cpuCFSQuotaPeriod"),
            reserved_system_cpus: self.text(root, "reservedSystemCPUs"),
            system_reserved: self.texts(root, "systemReserved"),
            kube_reserved: self.texts(root, "kubeReserved"),
            enforce_node_allocatable: self.list(root, "enforceNodeAllocatable"),
            system_reserved_cgroup: self.text(root, "systemReservedCgroup"),
            kube_reserved_cgroup: self.text(root, "kubeReservedCgroup"),
            cgroup_driver: self.text(root, "cgroupDriver"),
            cgroups_per_qos: self.boolean(root, "cgroupsPerQOS"),
            cgroup_root: self.text(root, "cgroupRoot"),
            system_cgroups: self.text(root, "systemCgroups"),
            kubelet_cgroups: self.text(root, "kubeletCgroups"),
            fail_cgroup_v1: self.boolean(root, "failCgroupV1"),
            single_process_oom_kill: self.boolean(root, "singleProcessOOMKill"),
            memory_reservation_policy: self.text(root, "memoryReservationPolicy"),
            feature_gates: self.map(root, "featureGates", gate).unwrap_or_default(),
        }
    }
}
