//! Pods, and containers by name.

use std::{collections::BTreeMap, fmt, path::PathBuf, str::FromStr};

use cgtune_core::{layout::Controller, text::Escaped};
use cgtune_sys::Hierarchies;

use super::FindError;
use crate::names::{Answer, Ask, Container, Kind, Outcome, Pod, Register, Resident, When, valid};

/// How a person names a pod, or one container of it: `prod/web`, `prod/web/app`, and `web` where only one namespace has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodName {
    /// The namespace. `None`: whichever has it.
    pub namespace: Option<String>,
    /// The pod's name.
    pub name: String,
    /// The container's name.
    pub container: Option<String>,
}

/// What is no pod's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" names no pod: {why}", Escaped(.typed.as_bytes()))]
pub struct NoPodName {
    typed: String,
    why: String,
    /// What may have been meant.
    pub meant: Option<PodName>,
}

impl FromStr for PodName {
    type Err = NoPodName;

    fn from_str(typed: &str) -> Result<Self, NoPodName> {
        let refused = |why: String, meant| Err(NoPodName { typed: typed.to_owned(), why, meant });
        let parts: Vec<&str> = typed.split('/').collect();
        let (namespace, name, container) = match parts[..] {
            [name] => (None, name, None),
            [namespace, name] => (Some(namespace), name, None),
            [namespace, name, container] => (Some(namespace), name, Some(container)),
            _ => return refused("it has more than a namespace, a pod and a container".to_owned(), None),
        };
        let checks = [
            ("namespace", namespace, valid::label as fn(&str) -> bool),
            ("pod", Some(name), valid::subdomain),
            ("container", container, valid::label),
        ];
        for (what, text, rule) in checks {
            match text {
                Some("") => return refused(format!("the name of the {what} is empty"), None),
                Some(text) if !rule(text) => {
                    let shown = Escaped(text.as_bytes());
                    let why = format!(
                        "\"{shown}\" cannot be the name of a {what}, which has lower-case letters, digits and \"-\" (RFC 1123)"
                    );
                    let tidy = typed.to_lowercase().replace('_', "-");
                    return refused(why, if tidy == typed { None } else { tidy.parse().ok() });
                }
                _ => {}
            }
        }
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Ok(Self { namespace: owned(namespace), name: name.to_owned(), container: owned(container) })
    }
}

impl fmt::Display for PodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [self.namespace.as_deref(), Some(&self.name), self.container.as_deref()];
        f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join("/"))
    }
}

impl PodName {
    fn is_of(&self, pod: &Pod) -> bool {
        let namespace = self.namespace.is_none() || self.namespace == pod.namespace;
        namespace && pod.name.as_ref() == Some(&self.name)
    }
}

/// A container's group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// In the cpu hierarchy.
    pub path: PathBuf,
    /// Who lives there.
    pub resident: Resident,
}

/// The groups of a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodGroups {
    /// The pod.
    pub pod: Pod,
    /// Its own group. `None`: it has none, or its containers lie beside it.
    pub group: Option<PathBuf>,
    /// Its containers' groups, sandboxes left out: those with names, or if none has one all that could be containers.
    pub containers: Vec<Seat>,
}

impl PodGroups {
    fn of(seats: Vec<Seat>) -> Option<Self> {
        let pod = seats.iter().find_map(|seat| seat.resident.pod.clone())?;
        let group = seats.iter().find(|seat| seat.resident.kind == Kind::Pod).map(|seat| seat.path.clone());
        let mut containers: Vec<Seat> =
            seats.into_iter().filter(|seat| seat.resident.kind == Kind::Container).collect();
        // The one without a name beside others that have one is a sandbox of which nobody told.
        if containers.iter().any(|seat| name(seat).is_some()) {
            containers.retain(|seat| name(seat).is_some());
        }
        // crun's group below the scope is the same container.
        let mut seen: Vec<String> = Vec::new();
        containers.retain(|seat| {
            let id =
                seat.resident.container.as_ref().map(|container| container.id.clone()).unwrap_or_default();
            let new = !seen.contains(&id);
            seen.push(id);
            new
        });
        Some(Self { pod, group, containers })
    }

    /// How to ask for each of the containers: `pod:prod/web/app`, or by its id where it has no name.
    #[must_use]
    pub fn targets(&self) -> Vec<String> {
        let mut targets: Vec<String> = self.containers.iter().map(|seat| target(&seat.resident)).collect();
        targets.sort();
        targets
    }
}

/// The groups of a pod.
///
/// # Errors
/// No pod of that name or several, a hierarchy that cannot be walked.
pub fn pod(hierarchies: &Hierarchies, ask: &Ask, wanted: &PodName) -> Result<PodGroups, FindError> {
    let matches = |resident: &Resident| resident.pod.as_ref().is_some_and(|pod| wanted.is_of(pod));
    let (seats, failures) = search(hierarchies, ask, matches)?;
    let mut pods: BTreeMap<(Option<String>, Option<String>), Vec<Seat>> = BTreeMap::new();
    for seat in seats {
        let Some(pod) = &seat.resident.pod else { continue };
        pods.entry((pod.namespace.clone(), pod.uid.clone())).or_default().push(seat);
    }
    if pods.len() > 1 {
        let candidates = pods.keys().map(|(namespace, uid)| {
            let namespace = namespace.as_deref().unwrap_or_default();
            let uid = uid.as_ref().map(|uid| format!(" (UID {uid})")).unwrap_or_default();
            format!("{namespace}/{}{uid}", wanted.name)
        });
        return Err(FindError::Pods { name: wanted.clone(), candidates: candidates.collect() });
    }
    let groups = pods.into_values().next().and_then(PodGroups::of);
    groups.ok_or_else(|| FindError::NoPod { name: wanted.clone(), failures })
}

/// The group of the container of a name: in its pod, or in Docker.
///
/// # Errors
/// None of that name or several, a hierarchy that cannot be walked.
pub fn named_container(hierarchies: &Hierarchies, ask: &Ask, wanted: &str) -> Result<PathBuf, FindError> {
    let matches = |resident: &Resident| {
        resident.kind == Kind::Container && container_name(resident).is_some_and(|name| name == wanted)
    };
    let (seats, failures) = search(hierarchies, ask, matches)?;
    let mut found: BTreeMap<String, Seat> = BTreeMap::new();
    for seat in seats {
        if let Some(container) = &seat.resident.container {
            found.entry(container.id.clone()).or_insert(seat);
        }
    }
    if found.len() > 1 {
        let mut candidates: Vec<String> = found.values().map(|seat| target(&seat.resident)).collect();
        candidates.sort();
        candidates.dedup();
        // Of two pods of one name, or in Docker's and a pod's: only the ids differ.
        if candidates.len() < found.len() {
            candidates = found.keys().map(|id| format!("container:{id}")).collect();
        }
        return Err(FindError::NamedContainers { name: wanted.to_owned(), candidates });
    }
    let seat = found.into_values().next();
    seat.map(|seat| seat.path)
        .ok_or_else(|| FindError::NoNamedContainer { name: wanted.to_owned(), failures })
}

/// The groups whose residents match. What no path and no file leads to is asked for at the sockets.
fn search(
    hierarchies: &Hierarchies,
    ask: &Ask,
    matches: impl Fn(&Resident) -> bool,
) -> Result<(Vec<Seat>, Vec<Answer>), FindError> {
    let mut paths = Vec::new();
    hierarchies.walk(|path, _| paths.push(path.to_owned()))?;
    let mut register = Register::read(hierarchies.host(), &paths, ask);
    let mut found = seats(&paths, &register, &matches);
    // A pod's group alone: its containers may run elsewhere.
    let container = |seat: &Seat| seat.resident.kind == Kind::Container;
    if !found.iter().any(container) && ask.sockets == When::Needed {
        let always = Ask { sockets: When::Always, ..ask.clone() };
        register = Register::read(hierarchies.host(), &paths, &always);
        found = seats(&paths, &register, &matches);
    }
    for unseated in register.unseated() {
        // The kernel says in which group a process is, whatever the runtime was told.
        let Ok(path) = hierarchies.membership(Some(unseated.pid), Controller::Cpu) else { continue };
        let resident = register.seat(&path, &unseated.id);
        if matches(&resident) {
            found.push(Seat { path, resident });
        }
    }
    Ok((found, register.failures().cloned().collect()))
}

fn seats(paths: &[PathBuf], register: &Register, matches: impl Fn(&Resident) -> bool) -> Vec<Seat> {
    let seats = paths.iter().map(|path| Seat { path: path.clone(), resident: register.resident(path) });
    seats.filter(|seat| matches(&seat.resident)).collect()
}

fn container_name(resident: &Resident) -> Option<&str> {
    resident.container.as_ref()?.name.as_deref()
}

fn name(seat: &Seat) -> Option<&str> {
    container_name(&seat.resident)
}

/// How to ask for a container.
fn target(resident: &Resident) -> String {
    let parts = |pod: &Pod, container: &Container| -> Option<String> {
        let (namespace, name) = (pod.namespace.as_ref()?, pod.name.as_ref()?);
        Some(format!("pod:{namespace}/{name}/{}", container.name.as_ref()?))
    };
    let named = resident.pod.as_ref().zip(resident.container.as_ref());
    named.and_then(|(pod, container)| parts(pod, container)).unwrap_or_else(|| {
        let id = resident.container.as_ref().map(|container| container.id.as_str()).unwrap_or_default();
        format!("container:{id}")
    })
}

/// `; could not ask …`.
pub(super) fn unasked(failures: &[Answer]) -> String {
    let told: Vec<String> = failures
        .iter()
        .filter_map(|answer| match &answer.outcome {
            Outcome::Failed(why) => Some(format!("{} ({}: {why})", answer.source.name(), answer.place)),
            _ => None,
        })
        .collect();
    if told.is_empty() { String::new() } else { format!("; could not ask {}", told.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_is_named_with_or_without_its_namespace_and_container() {
        let of = |namespace: Option<&str>, name: &str, container: Option<&str>| PodName {
            namespace: namespace.map(str::to_owned),
            name: name.to_owned(),
            container: container.map(str::to_owned),
        };
        for (typed, name) in [
            ("web", of(None, "web", None)),
            ("prod/web.v2", of(Some("prod"), "web.v2", None)),
            ("prod/web/app", of(Some("prod"), "web", Some("app"))),
        ] {
            assert_eq!(typed.parse(), Ok(name.clone()));
            assert_eq!(name.to_string(), typed);
        }
    }

    #[test]
    fn what_cannot_be_a_name_is_refused_with_what_was_meant() {
        for (typed, says, meant) in [
            ("", "the name of the pod is empty", None),
            ("prod/", "the name of the pod is empty", None),
            ("/web", "the name of the namespace is empty", None),
            ("a/b/c/d", "more than", None),
            ("prod/Web", "\"Web\" cannot be the name of a pod", Some("prod/web")),
            ("Prod/web_1", "\"Prod\" cannot be the name of a namespace", Some("prod/web-1")),
            ("prod/-web", "\"-web\" cannot", None),
            ("a.b/web", "cannot be the name of a namespace", None),
            ("prod/\x1b[2J", "\"\\x1b[2J\" cannot", None),
        ] {
            let error = typed.parse::<PodName>().unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
            assert!(!error.to_string().contains('\x1b'));
            assert_eq!(error.meant.map(|name| name.to_string()).as_deref(), meant, "{typed}");
        }
    }
}
