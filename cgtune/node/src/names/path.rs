//! What a cgroup's path says. Forms: `/kubepods/burstable/pod<uid>/<id>` (cgroupfs driver), `…/cri-containerd-<id>.scope`
//! (systemd driver), `/docker/<id>`, `/system.slice/docker-<id>.scope`, CRI-O's `crio-<id>`; crun nests
//! `<scope>/container`; kind nests a whole node below a container. Sources: pkg/kubelet/cm/cgroup_manager_linux.go
//! (Kubernetes), pkg/cgroups and the systemd cgroupsPath of containerd, CRI-O's internal/config/cgmgr.

use std::path::{Component, Path};

/// Length of a container id in hex digits, in every runtime of Kubernetes and in Docker and Podman.
const ID_LENGTH: usize = 64;

/// Types of units that have groups of their own (systemd.resource-control(5)).
const UNIT_TYPES: [&str; 6] = ["service", "scope", "slice", "socket", "mount", "swap"];
/// Longest name of a unit (`UNIT_NAME_MAX`, src/basic/unit-name.h).
const UNIT_NAME_LENGTH: usize = 255;

/// A path's components. One that is not UTF-8 is an empty one: no name that we know has such bytes.
pub(crate) fn components(path: &Path) -> Vec<&str> {
    path.components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_str().unwrap_or_default()),
            _ => None,
        })
        .collect()
}

/// The id of the container whose cgroup a path names, if its *last* component names one. A path may hold several ids
/// (kind runs a node as a container); the last is the innermost.
///
/// Not containers: `crio-conmon-<id>` (the monitor beside one) and what lies below a container's own cgroup.
#[must_use]
pub fn container_id(path: &Path) -> Option<&str> {
    let (prefix, id) = prefixed(path.file_name()?.to_str()?)?;
    let container = match prefix.strip_suffix(['-', ':']) {
        // A static pod's UID has 32 digits, so a bare run of 64 is an id.
        None => prefix.is_empty(),
        Some(runtime) => !runtime.ends_with("conmon"),
    };
    container.then_some(id)
}

/// The id of the container beside whose cgroup a component is the monitor's: `crio-conmon-<id>.scope`, `libpod-conmon-<id>.scope`.
pub(crate) fn monitored_id(name: &str) -> Option<&str> {
    let (prefix, id) = prefixed(name)?;
    prefix.strip_suffix('-')?.ends_with("conmon").then_some(id)
}

/// What stands in front of the id with which a component ends, and the id.
fn prefixed(name: &str) -> Option<(&str, &str)> {
    let stem = name.strip_suffix(".scope").unwrap_or(name);
    let (prefix, id) = stem.split_at_checked(stem.len().checked_sub(ID_LENGTH)?)?;
    is_id(id).then_some((prefix, id))
}

/// Whether a text is a container's id as runtimes make them.
pub(crate) fn is_id(text: &str) -> bool {
    text.len() == ID_LENGTH && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// The systemd unit whose group a component names, as systemctl takes it: characters that unit names may have and no others.
pub(crate) fn unit(component: &str) -> Option<&str> {
    // A name that would look like a file of the kernel's gets an underscore in front (cg_escape,
    // src/basic/cgroup-util.c); no unit's own name has one that systemd would not double.
    let name = component.strip_prefix('_').unwrap_or(component);
    let (stem, kind) = name.rsplit_once('.')?;
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    let unit = !stem.is_empty()
        && UNIT_TYPES.contains(&kind)
        && name.len() <= UNIT_NAME_LENGTH
        && name.bytes().all(valid);
    unit.then_some(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "3b2e7f9d0c1a4b5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6";

    fn id_of(form: &str) -> Option<String> {
        container_id(Path::new(&form.replace("ID", ID))).map(str::to_owned)
    }

    #[test]
    fn every_runtimes_form_is_known() {
        for form in [
            "/kubepods/burstable/pod6c1a4e95-6bb6-11e6-bc26-28d2444e470d/ID",
            "/kubepods.slice/kubepods-pod6c1a4e95_6bb6_11e6_bc26_28d2444e470d.slice/cri-containerd-ID.scope",
            "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-podx.slice/crio-ID.scope",
            "/docker/ID",
            "/system.slice/docker-ID.scope",
            "/machine.slice/libpod-ID.scope",
            "/system.slice/containerd.service/kubepods-podx.slice:cri-containerd:ID",
        ] {
            assert_eq!(id_of(form).as_deref(), Some(ID), "{form}");
        }
    }

    #[test]
    fn the_last_id_of_a_nested_node_counts() {
        let outer = "f".repeat(64);
        let path = format!(
            "/system.slice/docker-{outer}.scope/kubelet.slice/kubelet-kubepods.slice/cri-containerd-{ID}.scope"
        );
        assert_eq!(container_id(Path::new(&path)), Some(ID));
    }

    #[test]
    fn monitors_children_and_look_alikes_are_no_containers() {
        for form in [
            "/x/crio-conmon-ID.scope",
            "/x/crio-ID.scope/container",
            "/x/podID0",
            "/x/xID",
            "/",
            "/x/ID.slice",
        ] {
            assert_eq!(id_of(form), None, "{form}");
        }
    }

    proptest! {
        #[test]
        fn any_path_is_read_without_panic(path in "(/|[a-zé0-9.:-]{0,70}){0,6}") {
            let _ = container_id(Path::new(&path));
        }
    }
}
