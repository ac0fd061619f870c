//! The kubelet's tree, by path alone: which of its groups a path is, and of which pod.
//!
//! Shapes: pkg/kubelet/cm/cgroup_manager_linux.go (both drivers; a cgroupRoot goes in front, so that kind has
//! `kubelet-kubepods.slice`). Who owns such a group is [`owner::kubelet`](crate::owner::kubelet)'s business.

use serde::Serialize;

use super::path::container_id;

/// Which of the kubelet's groups, from the top.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// `kubepods`: all pods of the node.
    Node,
    /// `burstable` or `besteffort`.
    Qos,
    /// A pod's.
    Pod,
    /// A container's.
    Container,
}

/// A pod's quality of service, as its path says: Guaranteed pods have no level of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Qos {
    /// Neither of the two below.
    Guaranteed,
    /// Some requests, or unequal limits.
    Burstable,
    /// No request and no limit.
    BestEffort,
}

/// What a path alone says.
pub(crate) struct Place<'a> {
    /// The component that is `kubepods`, or bears its name.
    pub(crate) at: usize,
    /// Which group it is.
    pub(crate) level: Level,
    /// The pod's class.
    pub(crate) qos: Qos,
    /// The pod's UID, as the path spells it: slices have underscores for dashes.
    pub(crate) uid: Option<&'a str>,
    /// A container beside its pod's group: the pod's limits do not hold for it.
    pub(crate) astray: bool,
}

/// Part of a slice's name, or a component, without its type.
fn stem(name: &str) -> &str {
    name.strip_suffix(".slice").unwrap_or(name)
}

/// What stands behind `kubepods` and a dash in the name of a slice.
fn behind_kubepods(name: &str) -> Option<&str> {
    let stem = stem(name);
    stem.strip_prefix("kubepods-").or_else(|| stem.rsplit_once("-kubepods-").map(|(_, rest)| rest))
}

impl Qos {
    fn named(name: &str) -> Option<Self> {
        match name {
            "burstable" => Some(Self::Burstable),
            "besteffort" => Some(Self::BestEffort),
            _ => None,
        }
    }

    /// `burstable-pod<uid>` or `pod<uid>`, as systemd's slices have it.
    fn of_slice(rest: &str) -> (Self, Option<&str>) {
        let (qos, pod) = match rest.split_once('-') {
            Some((qos, pod)) if Self::named(qos).is_some() => (Self::named(qos), Some(pod)),
            _ => (Self::named(rest), Some(rest)),
        };
        (qos.unwrap_or(Self::Guaranteed), pod.and_then(|pod| pod.strip_prefix("pod")))
    }
}

impl<'a> Place<'a> {
    /// The place of a group by its path's components; `None`: it is none of the kubelet's.
    pub(crate) fn of(names: &[&'a str]) -> Option<Self> {
        Self::stray(names).or_else(|| {
            let is_root = |name: &&str| {
                *name == "kubepods" || *name == "kubepods.slice" || name.ends_with("-kubepods.slice")
            };
            // kind nests: a node's whole tree hangs below a container of another.
            let at = names.iter().rposition(is_root)?;
            let mut rest = &names[at + 1..];
            let mut qos = Qos::Guaranteed;
            if let Some((first, below)) = rest.split_first()
                && let Some(class) = Qos::named(behind_kubepods(first).unwrap_or(first))
            {
                (qos, rest) = (class, below);
                if rest.is_empty() {
                    return Some(Self { at, level: Level::Qos, qos, uid: None, astray: false });
                }
            }
            let (first, below) = match rest.split_first() {
                None => return Some(Self { at, level: Level::Node, qos, uid: None, astray: false }),
                Some(split) => split,
            };
            let uid = match behind_kubepods(first) {
                Some(slice) => Qos::of_slice(slice).1,
                None => first.strip_prefix("pod"),
            }?;
            let level = match below {
                [] => Level::Pod,
                [leaf] | [leaf, "container"] if container_id(leaf.as_ref()).is_some() => Level::Container,
                // What a container makes inside its own group is its own.
                _ => return None,
            };
            Some(Self { at, level, qos, uid: Some(uid), astray: false })
        })
    }

    /// `…/kubepods-burstable-pod<uid>.slice:cri-containerd:<id>`: a runtime with the cgroupfs driver below a kubelet
    /// with systemd's takes the triple for a name, and the container lands beside its pod's limits.
    fn stray(names: &[&'a str]) -> Option<Self> {
        let last = names.last()?;
        let (slice, _) = last.split_once(':')?;
        container_id(last.as_ref())?;
        let (qos, uid) = Qos::of_slice(behind_kubepods(slice)?);
        Some(Self { at: names.len() - 1, level: Level::Container, qos, uid: Some(uid?), astray: true })
    }
}
