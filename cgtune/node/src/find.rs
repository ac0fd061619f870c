//! From a name to the cgroup: a search over the live hierarchy. Ids and units are in the paths themselves; pods and names
//! of containers are asked for ([`pod`], [`named_container`]).

use std::path::PathBuf;

use cgtune_core::text::Escaped;
use cgtune_sys::Hierarchies;

use crate::names::{Answer, path::container_id};

mod pod;

pub use pod::{NoPodName, PodGroups, PodName, Seat, named_container, pod};

/// Why a name leads to no cgroup.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// No container's id begins so.
    #[error("no cgroup here belongs to a container whose id begins with \"{}\"", Escaped(.0.as_bytes()))]
    NoContainer(String),
    /// Several do.
    #[error("{} containers have ids that begin with \"{prefix}\": {}", .ids.len(), shortened(.ids))]
    Ambiguous {
        /// What was asked for.
        prefix: String,
        /// The ids.
        ids: Vec<String>,
    },
    /// No pod of that name has one, as far as could be asked.
    #[error("no cgroup here belongs to a pod named {name}{}", pod::unasked(.failures))]
    NoPod {
        /// What was asked for.
        name: PodName,
        /// Who could not be asked.
        failures: Vec<Answer>,
    },
    /// Several pods have that name: one in each of several namespaces, or an old one beside its successor.
    #[error("{} pods are named {name}: {}", .candidates.len(), .candidates.join(", "))]
    Pods {
        /// What was asked for.
        name: PodName,
        /// Each pod, with its UID.
        candidates: Vec<String>,
    },
    /// No container has that name, as far as could be asked.
    #[error("no cgroup here belongs to a container named \"{}\"{}", Escaped(.name.as_bytes()), pod::unasked(.failures))]
    NoNamedContainer {
        /// What was asked for.
        name: String,
        /// Who could not be asked.
        failures: Vec<Answer>,
    },
    /// Several containers have that name.
    #[error("{} containers are named \"{name}\": {}", .candidates.len(), .candidates.join(", "))]
    NamedContainers {
        /// What was asked for.
        name: String,
        /// As each can be asked for: `pod:prod/web/app`, or its id.
        candidates: Vec<String>,
    },
    /// No systemd unit of that name has a cgroup.
    #[error("no cgroup here belongs to a unit named \"{}\"", Escaped(.0.as_bytes()))]
    NoUnit(String),
    /// The hierarchy could not be walked.
    #[error(transparent)]
    Kernel(#[from] cgtune_sys::Error),
}

/// How many ids an error shows, and how much of each.
const SHOWN: (usize, usize) = (4, 16);

fn shortened(ids: &[String]) -> String {
    let mut shown: Vec<&str> = ids.iter().take(SHOWN.0).map(|id| &id[..SHOWN.1.min(id.len())]).collect();
    if ids.len() > SHOWN.0 {
        shown.push("…");
    }
    shown.join(", ")
}

/// The cgroup of the container whose id begins with a prefix, in the cpu hierarchy.
///
/// # Errors
/// None or several, or a hierarchy that cannot be walked.
pub fn container(hierarchies: &Hierarchies, prefix: &str) -> Result<PathBuf, FindError> {
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    hierarchies.walk(|path, _| {
        if let Some(id) = container_id(path).filter(|id| id.starts_with(prefix))
            && !found.iter().any(|(known, _)| known == id)
        {
            found.push((id.to_owned(), path.to_owned()));
        }
    })?;
    match found.len() {
        0 => Err(FindError::NoContainer(prefix.to_owned())),
        1 => Ok(found.remove(0).1),
        _ => Err(FindError::Ambiguous {
            prefix: prefix.to_owned(),
            ids: found.into_iter().map(|(id, _)| id).collect(),
        }),
    }
}

/// The cgroup of a systemd unit: the first group, from the top, that bears its name.
///
/// # Errors
/// None, or a hierarchy that cannot be walked.
pub fn unit(hierarchies: &Hierarchies, name: &str) -> Result<PathBuf, FindError> {
    let mut found = None;
    hierarchies.walk(|path, _| {
        if found.is_none() && path.file_name().is_some_and(|last| last == name) {
            found = Some(path.to_owned());
        }
    })?;
    found.ok_or_else(|| FindError::NoUnit(name.to_owned()))
}
