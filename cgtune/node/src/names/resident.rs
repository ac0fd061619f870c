//! Who lives in a cgroup, as plain data, and how much of it a path alone tells.

use std::path::Path;

use cgtune_core::text::Escaped;
use serde::{Deserialize, Serialize};

use super::{
    kubepods::{Level, Place, Qos},
    path::{components, container_id, monitored_id, unit},
    runtime::Runtime,
};

/// Who lives in a cgroup. All text in it can be shown as it is: names follow their kinds' rules, and what a path alone says is escaped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Resident {
    /// What the group is.
    pub kind: Kind,
    /// The pod that it is, or lies in.
    pub pod: Option<Pod>,
    /// The container that it is, lies in, or (a monitor) stands beside.
    pub container: Option<Container>,
    /// The systemd unit, where the group is one and none of the kubelet's and no container's.
    pub unit: Option<String>,
    /// The container in which the whole node runs to which the group belongs (kind), by its id.
    pub node: Option<String>,
}

/// What a cgroup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// The hierarchy's root.
    Root,
    /// `kubepods`: all pods of the node.
    Kubepods,
    /// All pods of a class: `burstable` or `besteffort`.
    Qos,
    /// A pod's.
    Pod,
    /// A container's; an app container where it lies in a pod, as far as is known.
    Container,
    /// A pod's sandbox: the pause container, which holds the pod's namespaces. Known only by the runtime.
    Sandbox,
    /// A monitor beside a container (conmon).
    Monitor,
    /// What a container, or a pod, has below its own group.
    Inside,
    /// A systemd unit's.
    Unit,
    /// Of nobody whom we know.
    Plain,
}

/// A pod. A name that is `None` was in no source that could be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pod {
    /// Its UID, with dashes. A static pod's is the hash of its manifest, and not that of its mirror in the API.
    pub uid: Option<String>,
    /// Its namespace.
    pub namespace: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// Its class, where its groups' paths say it.
    pub qos: Option<Qos>,
    /// The group lies beside the pod's own and its limits do not hold: a runtime with the cgroupfs driver took
    /// a kubelet's systemd slice for a name.
    pub astray: bool,
    /// Who told namespace and name; [`Source::Path`] where nobody did.
    pub source: Source,
}

/// A container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Container {
    /// Its id: 64 hex digits, except where somebody chose another (`ctr run`).
    pub id: String,
    /// Its name: in its pod, or in Docker.
    pub name: Option<String>,
    /// Who runs it.
    pub runtime: Runtime,
    /// Who told its name, or that it is a sandbox; [`Source::Path`] where nobody did.
    pub source: Source,
}

/// Where a name was found. In the order in which they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Source {
    /// The cgroup's path.
    Path,
    /// The names of folders in `/var/log/pods`.
    PodLogs,
    /// The names of links in `/var/log/containers`.
    ContainerLogs,
    /// containerd's state on disk: annotations of the OCI configuration.
    ContainerdState,
    /// CRI-O's state on disk, likewise.
    CrioState,
    /// Docker's state on disk: `config.v2.json`.
    DockerState,
    /// A runtime's answer on its CRI socket.
    Cri,
    /// containerd's own list of containers, with their labels.
    Containerd,
}

impl Source {
    /// What to call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Path => "the cgroup's path",
            Self::PodLogs => "/var/log/pods",
            Self::ContainerLogs => "/var/log/containers",
            Self::ContainerdState => "containerd's state",
            Self::CrioState => "CRI-O's state",
            Self::DockerState => "Docker's state",
            Self::Cri => "the CRI socket",
            Self::Containerd => "containerd's containers",
        }
    }
}

impl Pod {
    pub(super) fn by_path(place: &Place<'_>) -> Option<Self> {
        // The kubelet forbids underscores in names, so that slices can have them for dashes.
        let uid = Escaped(place.uid?.replace('_', "-").as_bytes()).to_string();
        Some(Self {
            uid: Some(uid),
            namespace: None,
            name: None,
            qos: Some(place.qos),
            astray: place.astray,
            source: Source::Path,
        })
    }
}

impl Container {
    fn by_path(leaf: &str, id: &str, above: Option<&&str>) -> Self {
        let runtime = Runtime::of(leaf, id, above);
        Self { id: id.to_owned(), name: None, runtime, source: Source::Path }
    }
}

/// What the components up to one say, if they say anything.
struct Seat {
    kind: Kind,
    pod: Option<Pod>,
    container: Option<Container>,
    /// Where the node begins to which it belongs.
    node_ends: usize,
}

impl Seat {
    fn of(names: &[&str]) -> Option<Self> {
        let (leaf, above) = names.split_last()?;
        let container = container_id(leaf.as_ref()).map(|id| Container::by_path(leaf, id, above.last()));
        if let Some(place) = Place::of(names) {
            let kind = match place.level {
                Level::Node => Kind::Kubepods,
                Level::Qos => Kind::Qos,
                Level::Pod => Kind::Pod,
                // crun's own group below the scope is the next seat up, and the same container.
                Level::Container if container.is_none() => return None,
                Level::Container => Kind::Container,
            };
            return Some(Self { kind, pod: Pod::by_path(&place), container, node_ends: place.at });
        }
        container.map(|container| Self {
            kind: Kind::Container,
            pod: None,
            container: Some(container),
            node_ends: above.len(),
        })
    }
}

impl Resident {
    /// What a path says by itself. Pure; any path gives an answer.
    ///
    /// ```
    /// use cgtune_node::names::{Kind, Resident};
    ///
    /// let id = "0123456789abcdef".repeat(4);
    /// let found = Resident::of(format!("/kubepods/burstable/pod6c1a/{id}").as_ref());
    /// assert_eq!(found.kind, Kind::Container);
    /// assert_eq!(found.pod.and_then(|pod| pod.uid).as_deref(), Some("6c1a"));
    /// ```
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let names = components(path);
        let Some((leaf, above)) = names.split_last() else { return Self::nobody(Kind::Root) };
        // The deepest group that says something; kind nests one node's whole tree below a container of another.
        let seat = (1..=names.len()).rev().find_map(|end| Some((end, Seat::of(&names[..end])?)));
        let Some((end, seat)) = seat else { return Self::beside(leaf, above.last()) };
        let below = &names[end..];
        let node = names[..seat.node_ends].iter().rev().find_map(|name| container_id(name.as_ref()));
        let found = Self {
            kind: seat.kind,
            pod: seat.pod,
            container: seat.container,
            unit: None,
            node: node.map(str::to_owned),
        };
        match (below, found.kind) {
            ([], _) => found,
            // crun nests `<scope>/container`.
            (["container"], Kind::Container) if names[end - 1].ends_with(".scope") => found,
            ([leaf], Kind::Pod) if monitored_id(leaf).is_some() => {
                Self { pod: found.pod, node: found.node, ..Self::beside(leaf, None) }
            }
            _ => Self { kind: found.kind.below(leaf), unit: unit(leaf).map(str::to_owned), ..found },
        }
    }

    /// Whether something that has a name lives here whose name nobody told.
    #[must_use]
    pub fn is_nameless(&self) -> bool {
        let pod = self.pod.as_ref().is_some_and(|pod| pod.name.is_none());
        let container = self.container.as_ref().is_some_and(|container| container.name.is_none());
        pod || (container && self.kind != Kind::Sandbox)
    }

    /// In no pod and no container: a unit, a monitor, or nobody's.
    fn beside(leaf: &str, above: Option<&&str>) -> Self {
        if let Some(id) = monitored_id(leaf) {
            let container = Some(Container::by_path(leaf, id, above));
            return Self { container, ..Self::nobody(Kind::Monitor) };
        }
        let unit = unit(leaf).map(str::to_owned);
        let kind = if unit.is_some() { Kind::Unit } else { Kind::Plain };
        Self { unit, ..Self::nobody(kind) }
    }

    fn nobody(kind: Kind) -> Self {
        Self { kind, pod: None, container: None, unit: None, node: None }
    }
}

impl Kind {
    /// What a group somewhere below one of this kind is.
    fn below(self, leaf: &str) -> Self {
        match self {
            _ if unit(leaf).is_some() => Self::Unit,
            Self::Pod | Self::Container => Self::Inside,
            _ => Self::Plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    const UID: &str = "6c1a4e95-6bb6-11e6-bc26-28d2444e470d";

    fn of(form: &str) -> Resident {
        let path = form.replace("ID", ID).replace("NODE", &"f".repeat(64));
        Resident::of(path.replace('U', UID).replace('V', &UID.replace('-', "_")).as_ref())
    }

    #[test]
    fn each_kind_is_told_by_its_path() {
        for (form, kind) in [
            ("/", Kind::Root),
            ("/kubepods", Kind::Kubepods),
            ("/kubepods.slice/kubepods-burstable.slice", Kind::Qos),
            ("/kubepods/podU", Kind::Pod),
            ("/kubepods/podU/ID", Kind::Container),
            ("/kubepods.slice/kubepods-podV.slice/crio-ID.scope", Kind::Container),
            ("/kubepods.slice/kubepods-podV.slice/crio-ID.scope/container", Kind::Container),
            ("/kubepods.slice/kubepods-podV.slice/crio-conmon-ID.scope", Kind::Monitor),
            ("/kubepods/podU/crio-conmon-ID", Kind::Monitor),
            ("/machine.slice/libpod-conmon-ID.scope", Kind::Monitor),
            ("/kubepods/podU/ID/worker", Kind::Inside),
            ("/kubepods/podU/ID/worker/container", Kind::Inside),
            ("/kubepods/podU/mine", Kind::Inside),
            ("/kubepods/podU/ID/system.slice/nginx.service", Kind::Unit),
            ("/docker/ID", Kind::Container),
            ("/docker/ID/init", Kind::Inside),
            ("/system.slice/nginx.service", Kind::Unit),
            ("/system.slice/nginx.service/worker", Kind::Plain),
            ("/kubepods/other", Kind::Plain),
            ("/anything", Kind::Plain),
        ] {
            assert_eq!(of(form).kind, kind, "{form}");
        }
    }

    #[test]
    fn what_lies_in_a_pod_says_which_and_in_which_container() {
        for (form, container) in [
            ("/kubepods/burstable/podU", None),
            ("/kubepods/burstable/podU/ID", Some(ID)),
            ("/kubepods/burstable/podU/ID/system.slice/nginx.service", Some(ID)),
            (
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podV.slice/crio-conmon-ID.scope",
                Some(ID),
            ),
            (
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podV.slice/crio-ID.scope/container",
                Some(ID),
            ),
        ] {
            let found = of(form);
            let pod = found.pod.unwrap();
            assert_eq!((pod.uid.as_deref(), pod.qos), (Some(UID), Some(Qos::Burstable)), "{form}");
            assert_eq!(found.container.map(|container| container.id).as_deref(), container, "{form}");
            assert!(!pod.astray && pod.source == Source::Path, "{form}");
        }
    }

    #[test]
    fn a_container_beside_its_pods_limits_is_astray() {
        let found = of("/system.slice/containerd.service/kubepods-burstable-podV.slice:cri-containerd:ID");
        let pod = found.pod.unwrap();
        assert_eq!((pod.uid.as_deref(), pod.astray, found.kind), (Some(UID), true, Kind::Container));
    }

    #[test]
    fn a_node_in_a_container_is_told_from_its_pods() {
        let node = Some("f".repeat(64));
        let found = of("/docker/NODE/kubelet/kubepods/podU/ID");
        assert_eq!((found.kind, found.node.as_ref()), (Kind::Container, node.as_ref()));
        assert_eq!(found.container.map(|container| container.id).as_deref(), Some(ID));
        let found = of("/system.slice/docker-NODE.scope/kubelet.slice/kubelet-kubepods.slice");
        assert_eq!((found.kind, found.node), (Kind::Kubepods, node.clone()));
        // The node's own services are in the container that is the node.
        let found = of("/system.slice/docker-NODE.scope/kubelet.slice/kubelet.service");
        assert_eq!(found.container.map(|container| container.id), node);
        assert_eq!((found.kind, found.unit.as_deref()), (Kind::Unit, Some("kubelet.service")));
    }

    #[test]
    fn a_uid_of_any_bytes_is_escaped() {
        let found = of("/kubepods/pod\x1b[2J");
        assert_eq!(found.pod.unwrap().uid.as_deref(), Some(r"\x1b[2J"));
    }

    proptest! {
        #[test]
        fn any_path_gives_a_resident_that_can_be_shown(
            path in "(/|kubepods|kubepods.slice|-kubepods-pod|:|burstable|podé|(crio-conmon-)?[0-9a-f]{64}(.scope)?|container|[\\x00-\\xff]{0,5}|/){0,12}"
        ) {
            let found = Resident::of(Path::new(&path));
            let shown = serde_json::to_value(&found).unwrap().to_string();
            prop_assert!(!shown.contains("\\u001b") && !shown.chars().any(char::is_control));
        }
    }
}
