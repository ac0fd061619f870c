//! Names in the kubelet's log folders. Only the names of folders and links are read, never what they hold.
//!
//! `/var/log/pods/<namespace>_<pod>_<uid>/<container>/` (`BuildPodLogsDirectory`, pkg/kubelet/kuberuntime/helpers.go) and
//! `/var/log/containers/<pod>_<namespace>_<container>-<id>.log` (`LegacyLogSymlink`, legacy.go beside it). No name of Kubernetes has
//! an underscore. Both live on for a while after their container.

use std::io;

use cgtune_sys::HostRoot;

use super::{
    path::is_id,
    told::{TellingPod, Told},
    valid,
};

const PODS: &str = "/var/log/pods";
const CONTAINERS: &str = "/var/log/containers";
/// How many entries of a folder are looked at. A node has some hundred pods; ended ones leave theirs for a while.
const ENTRIES: usize = 100_000;

/// The pods that have a folder.
pub(crate) fn pods(host: &HostRoot) -> io::Result<Vec<TellingPod>> {
    entries(host, PODS, pod)
}

/// The containers that have a link, each with its pod.
pub(crate) fn containers(host: &HostRoot) -> io::Result<Vec<Told>> {
    entries(host, CONTAINERS, container)
}

fn entries<T>(host: &HostRoot, folder: &str, read: impl Fn(&str) -> Option<T>) -> io::Result<Vec<T>> {
    let names = host.list(folder)?;
    Ok(names.iter().take(ENTRIES).filter_map(|name| read(name.to_str()?)).collect())
}

fn pod(folder: &str) -> Option<TellingPod> {
    let mut parts = folder.splitn(3, '_');
    let (namespace, name, uid) = (parts.next()?, parts.next()?, parts.next()?);
    let valid = valid::label(namespace) && valid::subdomain(name) && valid::uid(uid);
    valid.then(|| TellingPod {
        uid: Some(uid.to_owned()),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    })
}

fn container(link: &str) -> Option<Told> {
    let (names, id) = link.strip_suffix(".log")?.rsplit_once('-')?;
    let mut parts = names.splitn(3, '_');
    let (pod, namespace, name) = (parts.next()?, parts.next()?, parts.next()?);
    let valid = is_id(id) && valid::subdomain(pod) && valid::label(namespace) && valid::label(name);
    valid.then(|| Told {
        id: id.to_owned(),
        name: Some(name.to_owned()),
        sandbox: false,
        pod: Some(TellingPod { uid: None, namespace: namespace.to_owned(), name: pod.to_owned() }),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pods_folder_is_its_namespace_its_name_and_its_uid() {
        let found = pod("kube-system_etcd-node.example_d41d8cd98f00b204e9800998ecf8427e").unwrap();
        assert_eq!((found.namespace.as_str(), found.name.as_str()), ("kube-system", "etcd-node.example"));
        assert_eq!(found.uid.as_deref(), Some("d41d8cd98f00b204e9800998ecf8427e"));
        for other in ["", "prod_web", "prod_web_", "_web_1", "prod_we\x1bb_1", "prod_web_1_2"] {
            assert_eq!(pod(other), None, "{other:?}");
        }
    }

    #[test]
    fn folders_are_read_as_the_kubelet_names_them() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../core/tests/vectors/cgroup_naming.json")).unwrap();
        for row in vectors["pod_log_dirs"]["derived_rows"].as_array().unwrap() {
            let found = pod(row["dir"].as_str().unwrap());
            // Before 1.14 a folder was a UID alone, which names nobody.
            let expected = row["pod"].as_str().map(|name| TellingPod {
                uid: row["uid"].as_str().map(str::to_owned),
                namespace: row["namespace"].as_str().unwrap().to_owned(),
                name: name.to_owned(),
            });
            assert_eq!(found, expected, "{row}");
        }
    }

    #[test]
    fn a_containers_link_ends_with_its_id() {
        let id = "0123456789abcdef".repeat(4);
        let found = container(&format!("web-0_prod_side-car-{id}.log")).unwrap();
        assert_eq!((found.id.as_str(), found.name.as_deref()), (id.as_str(), Some("side-car")));
        for other in
            [format!("web_prod_app-{id}"), "web_prod_app-1.log".to_owned(), format!("web_app-{id}.log")]
        {
            assert_eq!(container(&other), None, "{other:?}");
        }
    }

    proptest! {
        #[test]
        fn any_entry_is_read_without_panic(name in "([a-zé]|_|-|\\.log|\\.|[0-9a-f]{64}){0,8}") {
            let _ = (pod(&name), container(&name));
        }
    }
}
