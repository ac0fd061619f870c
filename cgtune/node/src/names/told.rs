//! What a source tells of one container, read from untrusted labels. What breaks its kind's rule is not believed.

use serde::{Deserialize, Serialize};

use super::valid;

/// What a source tells of one container. Empty parts: it does not say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Told {
    pub(crate) id: String,
    /// The container's name.
    pub(crate) name: Option<String>,
    /// It is a pod's sandbox.
    pub(crate) sandbox: bool,
    /// Its pod.
    pub(crate) pod: Option<TellingPod>,
}

/// A pod by its names; the UID where it was told too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TellingPod {
    pub(crate) uid: Option<String>,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// Labels that the kubelet gives to what it makes (pkg/kubelet/types/labels.go), and containerd's annotations of the same in the
/// OCI configuration (pkg/cri/annotations).
const POD_NAME: [&str; 2] = ["io.kubernetes.pod.name", "io.kubernetes.cri.sandbox-name"];
const POD_NAMESPACE: [&str; 2] = ["io.kubernetes.pod.namespace", "io.kubernetes.cri.sandbox-namespace"];
const POD_UID: [&str; 2] = ["io.kubernetes.pod.uid", "io.kubernetes.cri.sandbox-uid"];
const CONTAINER_NAME: [&str; 2] = ["io.kubernetes.container.name", "io.kubernetes.cri.container-name"];
/// Which label is said to hold what for a sandbox: containerd's annotation and label, CRI-O's annotation, cri-dockerd's label.
const SANDBOX: [(&str, &str); 4] = [
    ("io.kubernetes.cri.container-type", "sandbox"),
    ("io.cri-containerd.kind", "sandbox"),
    ("io.kubernetes.cri-o.ContainerType", "sandbox"),
    ("io.kubernetes.docker.type", "podsandbox"),
];

/// Whether a label is one of those that are read.
pub(crate) fn is_read(label: &str) -> bool {
    let names = [POD_NAME, POD_NAMESPACE, POD_UID, CONTAINER_NAME];
    names.as_flattened().contains(&label) || SANDBOX.iter().any(|(key, _)| *key == label)
}

impl Told {
    /// What labels or annotations tell, of whichever runtime.
    pub(crate) fn by_labels<'a>(id: &str, get: impl Fn(&str) -> Option<&'a str>) -> Self {
        let first = |keys: [&str; 2], rule: fn(&str) -> bool| {
            keys.into_iter().filter_map(&get).find(|text| rule(text)).map(str::to_owned)
        };
        let sandbox = SANDBOX.into_iter().any(|(key, value)| get(key) == Some(value));
        let names = first(POD_NAMESPACE, valid::label).zip(first(POD_NAME, valid::subdomain));
        let pod =
            names.map(|(namespace, name)| TellingPod { uid: first(POD_UID, valid::uid), namespace, name });
        // A sandbox is called POD by some: that is no name of a container.
        let name = if sandbox { None } else { first(CONTAINER_NAME, valid::label) };
        Self { id: id.to_owned(), name, sandbox, pod }
    }

    /// Whether it tells anything.
    pub(crate) fn says_something(&self) -> bool {
        self.sandbox || self.name.is_some() || self.pod.is_some()
    }

    /// Whether everything in it keeps its kind's rule, which is not certain of one that comes from a tape.
    pub(crate) fn is_valid(&self) -> bool {
        let pod = |pod: &TellingPod| {
            let uid = pod.uid.as_deref().is_none_or(valid::uid);
            uid && valid::label(&pod.namespace) && valid::subdomain(&pod.name)
        };
        let name = self.name.as_deref().is_none_or(valid::plain);
        name && valid::plain(&self.id) && self.pod.as_ref().is_none_or(pod)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(labels: &[(&'static str, &'static str)]) -> Told {
        Told::by_labels("x", |key| labels.iter().find(|(name, _)| *name == key).map(|(_, value)| *value))
    }

    #[test]
    fn labels_that_cannot_be_names_are_not_believed() {
        let found = told(&[
            ("io.kubernetes.pod.name", "web"),
            ("io.kubernetes.pod.namespace", "prod\x1b[2J"),
            ("io.kubernetes.container.name", "App"),
        ]);
        assert!(!found.says_something(), "{found:?}");
    }

    #[test]
    fn a_sandbox_has_a_pod_and_no_name() {
        let found = told(&[
            ("io.kubernetes.pod.name", "web.v2"),
            ("io.kubernetes.pod.namespace", "prod"),
            ("io.kubernetes.container.name", "POD"),
            ("io.kubernetes.docker.type", "podsandbox"),
        ]);
        assert!(found.sandbox && found.name.is_none());
        assert_eq!(found.pod.map(|pod| (pod.namespace, pod.name)), Some(("prod".into(), "web.v2".into())));
    }
}
