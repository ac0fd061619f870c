//! What an object is to us: something that makes pods, a LimitRange, or nothing.
//!
//! A tree in, [`cgtune_core`]'s values out; every mistake in the object is reported, not the first alone. Defaulting and
//! arithmetic are core's.

mod limit_range;
mod pod;
mod resources;

use cgtune_core::convert::pod::{LimitRange, Pod};

use crate::{Cursor, FieldError, Node};

/// One object of a manifest.
#[derive(Debug, Clone, PartialEq)]
pub enum Object {
    /// A pod, or something that makes pods.
    Workload(Box<Workload>),
    /// Defaults and bounds of a namespace.
    LimitRange(LimitRange),
    /// Anything else, by its kind as written.
    Other(String),
}

/// A pod, or something that makes pods.
#[derive(Debug, Clone, PartialEq)]
pub struct Workload {
    /// `Pod`, `Deployment`, …
    pub kind: &'static str,
    /// `metadata.namespace`.
    pub namespace: Option<String>,
    /// `metadata.name`, or `metadata.generateName`.
    pub name: Option<String>,
    /// The UID by which the kubelet names the pod's group; `None` where it isn't known yet.
    pub uid: Option<String>,
    /// How many pods there are to be; `None` for a DaemonSet.
    pub replicas: Option<u64>,
    /// The pod, before any defaulting.
    pub pod: Pod,
    /// What is probably a mistake, and does no harm to the reading.
    pub notes: Vec<FieldError>,
}

/// How a kind leads to its pod.
struct Kind {
    name: &'static str,
    /// API groups in which a kind of that name is this one.
    groups: &'static [&'static str],
    /// The fields down to the pod's template, or to the pod itself.
    template: &'static [&'static str],
    /// The fields down to the number of pods.
    replicas: Option<&'static [&'static str]>,
}

/// Groups of Kubernetes in which some kind makes pods.
const OWN_GROUPS: &[&str] = &["", "apps", "extensions", "batch"];
const APPS: &[&str] = &["apps", "extensions"];

const KINDS: [Kind; 9] = [
    Kind { name: "Pod", groups: &[""], template: &[], replicas: None },
    Kind { name: "PodTemplate", groups: &[""], template: &["template"], replicas: None },
    Kind {
        name: "ReplicationController",
        groups: &[""],
        template: &["spec", "template"],
        replicas: Some(&["spec", "replicas"]),
    },
    Kind {
        name: "Deployment",
        groups: APPS,
        template: &["spec", "template"],
        replicas: Some(&["spec", "replicas"]),
    },
    Kind {
        name: "StatefulSet",
        groups: APPS,
        template: &["spec", "template"],
        replicas: Some(&["spec", "replicas"]),
    },
    Kind {
        name: "ReplicaSet",
        groups: APPS,
        template: &["spec", "template"],
        replicas: Some(&["spec", "replicas"]),
    },
    Kind { name: "DaemonSet", groups: APPS, template: &["spec", "template"], replicas: None },
    Kind {
        name: "Job",
        groups: &["batch"],
        template: &["spec", "template"],
        replicas: Some(&["spec", "parallelism"]),
    },
    Kind {
        name: "CronJob",
        groups: &["batch"],
        template: &["spec", "jobTemplate", "spec", "template"],
        replicas: Some(&["spec", "jobTemplate", "spec", "parallelism"]),
    },
];

/// Everything that is wrong with an object.
#[derive(Debug, Default)]
struct Faults(Vec<FieldError>);

impl Faults {
    /// The value, or `None` with the fault kept.
    fn kept<T>(&mut self, result: Result<T, FieldError>) -> Option<T> {
        result.map_err(|fault| self.0.push(fault)).ok()
    }
}

impl Object {
    /// Reads an object.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(node: &Node) -> Result<Self, Vec<FieldError>> {
        let object = Cursor::new(node);
        let mut faults = Faults::default();
        let read = read(&object, &mut faults);
        match read {
            Some(object) if faults.0.is_empty() => Ok(object),
            _ => Err(faults.0),
        }
    }
}

fn read(object: &Cursor<'_>, faults: &mut Faults) -> Option<Object> {
    let kind = faults.kept(object.field("kind").and_then(|kind| kind.text()))?;
    let version = faults.kept(text(object, "apiVersion"))?;
    // "v1" has no group; an object without a version is taken by its kind alone.
    let group = version.as_deref().map(|version| version.rsplit_once('/').map_or("", |(group, _)| group));
    let of = |groups: &[&str]| group.is_none_or(|group| groups.contains(&group));
    if kind == "LimitRange" && of(&[""]) {
        return limit_range::read(object, faults).map(Object::LimitRange);
    }
    match KINDS.iter().find(|known| known.name == kind) {
        Some(known) if of(known.groups) => {
            workload(known, object, faults).map(|found| Object::Workload(Box::new(found)))
        }
        // Somebody else's kind may have the same name; Kubernetes' own groups have but one.
        Some(known) if of(OWN_GROUPS) => {
            let right = known.groups.first().copied().unwrap_or_default();
            let right = if right.is_empty() { "v1".to_owned() } else { format!("{right}/v1") };
            let version = object.field("apiVersion");
            let text = format!("there is no {kind} in this version; write {right}");
            faults.kept(version.and_then(|version| Err::<(), _>(version.error(text))));
            None
        }
        _ => Some(Object::Other(kind.to_owned())),
    }
}

fn workload(kind: &Kind, object: &Cursor<'_>, faults: &mut Faults) -> Option<Workload> {
    let metadata = faults.kept(object.optional("metadata"))?;
    let mut said = |name: &str| metadata.as_ref().and_then(|metadata| faults.kept(text(metadata, name))?);
    let namespace = said("namespace");
    let name = said("name").or_else(|| said("generateName"));
    let uid = match (&metadata, kind.name) {
        (Some(metadata), "Pod") => faults.kept(pod::uid(metadata)).flatten(),
        _ => None,
    };
    let replicas = match kind.replicas {
        Some(fields) => faults.kept(replicas(object, fields)),
        None if kind.name == "Pod" => Some(1),
        None => None,
    };
    let template = kind.template.iter().try_fold(object.clone(), |at, field| at.field(field));
    let template = faults.kept(template)?;
    let mut notes = Vec::new();
    let pod = pod::read(&template, &mut notes, faults)?;
    Some(Workload { kind: kind.name, namespace, name, uid, replicas, pod, notes })
}

/// One pod, unless it says otherwise.
fn replicas(object: &Cursor<'_>, fields: &[&str]) -> Result<u64, FieldError> {
    let mut at = object.clone();
    for field in fields {
        match at.optional(field)? {
            Some(found) => at = found,
            None => return Ok(1),
        }
    }
    at.unsigned()
}

/// A text that may be missing.
fn text(map: &Cursor<'_>, name: &str) -> Result<Option<String>, FieldError> {
    map.optional(name)?.map(|found| found.text().map(str::to_owned)).transpose()
}
