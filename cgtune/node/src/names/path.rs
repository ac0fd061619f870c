//! What a cgroup's path says. Forms: `/kubepods/burstable/pod<uid>/<id>` (cgroupfs driver), `…/cri-containerd-<id>.scope`
//! (systemd driver), `/docker/<id>`, `/system.slice/docker-<id>.scope`, CRI-O's `crio-<id>`; crun nests
//! `<scope>/container`; kind nests a whole node below a container. Sources: pkg/kubelet/cm/cgroup_manager_linux.go
//! (Kubernetes), pkg/cgroups and the systemd cgroupsPath of containerd, CRI-O's internal/config/cgmgr.

use std::path::Path;

/// Length of a container id in hex digits, in every runtime of Kubernetes and in Docker and Podman.
const ID_LENGTH: usize = 64;

/// The id of the container whose cgroup a path names, if its *last* component names one. A path may hold several ids
/// (kind runs a node as a container); the last is the innermost.
///
/// Not containers: `crio-conmon-<id>` (the monitor beside one) and what lies below a container's own cgroup.
#[must_use]
pub fn container_id(path: &Path) -> Option<&str> {
    let name = path.file_name()?.to_str()?;
    let stem = name.strip_suffix(".scope").unwrap_or(name);
    let (prefix, id) = match stem.len().checked_sub(ID_LENGTH) {
        Some(at) if stem.is_char_boundary(at) => stem.split_at(at),
        _ => return None,
    };
    let hex = id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let runtime = match prefix.strip_suffix(['-', ':']) {
        // A static pod's UID has 32 digits, so a bare run of 64 is an id.
        None => prefix.is_empty(),
        Some(runtime) => !runtime.ends_with("conmon"),
    };
    (hex && runtime).then_some(id)
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
