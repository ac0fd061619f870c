//! Names in the state that runtimes keep on disk, one small JSON file a container, asked for by the container's id.
//!
//! containerd's shim keeps the OCI configuration beside the running task, with the CRI plugin's annotations; CRI-O beside
//! the container's storage; Docker its own description. All of them are root's.

use std::{
    collections::{BTreeMap, HashMap},
    io,
    path::{Path, PathBuf},
};

use cgtune_sys::HostRoot;
use serde::{Deserialize, Serialize};

use super::{
    resident::Source,
    runtime::Runtime,
    told::{self, Told},
    valid,
};

/// As much of a file as is read. An OCI configuration has some ten kilobytes; environment and annotations can make it many times that.
const SIZE: u64 = 4 << 20;

/// A folder with a folder for each container.
#[derive(Debug)]
struct Place {
    folder: &'static str,
    file: &'static str,
    source: Source,
}

const fn containerd(folder: &'static str) -> Place {
    Place { folder, file: "config.json", source: Source::ContainerdState }
}

const fn crio(folder: &'static str) -> Place {
    Place { folder, file: "userdata/config.json", source: Source::CrioState }
}

/// Where runtimes keep state: of containerd the tasks of the CRI's namespace, as packaged, in k3s and RKE2, in k0s and in
/// MicroK8s; of CRI-O its two roots; Docker's.
const PLACES: [Place; 7] = [
    containerd("/run/containerd/io.containerd.runtime.v2.task/k8s.io"),
    containerd("/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io"),
    containerd("/run/k0s/containerd/io.containerd.runtime.v2.task/k8s.io"),
    containerd("/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task/k8s.io"),
    crio("/var/lib/containers/storage/overlay-containers"),
    crio("/run/containers/storage/overlay-containers"),
    Place { folder: "/var/lib/docker/containers", file: "config.v2.json", source: Source::DockerState },
];

/// The states that are there on a node, found once and asked often.
#[derive(Debug)]
pub(crate) struct States<'a> {
    host: &'a HostRoot,
    present: Vec<&'static Place>,
    /// The first failure of each place.
    pub(crate) failures: Vec<(Source, PathBuf, io::Error)>,
    /// How many containers each source told of.
    pub(crate) told: HashMap<Source, usize>,
}

impl<'a> States<'a> {
    pub(crate) fn on(host: &'a HostRoot) -> Self {
        let mut found = Self { host, present: Vec::new(), failures: Vec::new(), told: HashMap::new() };
        for place in &PLACES {
            match host.enter(place.folder) {
                Ok(()) => found.present.push(place),
                Err(error) if is_absence(&error) => {}
                Err(error) => found.failures.push((place.source, host.join(place.folder), error)),
            }
        }
        found
    }

    /// What is known of a container. Where its runtime is known by its group's name, no other's state is looked at.
    pub(crate) fn ask(&mut self, id: &str, runtime: Runtime) -> Option<(Told, Source)> {
        // It becomes part of a path.
        if !valid::plain(id) {
            return None;
        }
        for place in &self.present {
            if !keeps(place.source, runtime) {
                continue;
            }
            let file = Path::new(place.folder).join(id).join(place.file);
            match read(self.host, &file, id, place.source) {
                Ok(Some(told)) => {
                    *self.told.entry(place.source).or_default() += 1;
                    return Some((told, place.source));
                }
                Ok(None) => {}
                Err(error) => {
                    if !self.failures.iter().any(|(source, ..)| *source == place.source) {
                        self.failures.push((place.source, self.host.join(file), error));
                    }
                }
            }
        }
        None
    }
}

/// Whether a source may know a container of a runtime.
fn keeps(source: Source, runtime: Runtime) -> bool {
    match runtime {
        // A bare id below a pod is said to be containerd's; below an older kubelet it was Docker's.
        Runtime::Containerd => matches!(source, Source::ContainerdState | Source::DockerState),
        Runtime::Crio | Runtime::Podman => source == Source::CrioState,
        Runtime::Docker => source == Source::DockerState,
        Runtime::Unknown => true,
    }
}

/// `None`: there is no such file, or it says nothing of names.
fn read(host: &HostRoot, file: &Path, id: &str, source: Source) -> io::Result<Option<Told>> {
    let bytes = match host.read_reduced(file, SIZE + 1, |bytes| reduced(bytes, source)) {
        Err(error) if is_absence(&error) => return Ok(None),
        read => read?,
    };
    if bytes.len() as u64 > SIZE {
        let why = format!("longer than {} MiB, which no container's state is", SIZE >> 20);
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    let told = match source {
        Source::DockerState => docker(&bytes, id)?,
        _ => oci(&bytes, id)?,
    };
    Ok(told.says_something().then_some(told))
}

/// ENOTDIR: something else bears that name.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Of a state, which holds a container's command line and environment, only what is read here; of what is none, nothing.
fn reduced(bytes: &[u8], source: Source) -> Vec<u8> {
    let kept = match source {
        Source::DockerState => serde_json::from_slice(bytes).and_then(|mut docker: Docker| {
            docker.config.labels.iter_mut().for_each(|labels| labels.retain(|key, _| told::is_read(key)));
            serde_json::to_vec(&docker)
        }),
        _ => serde_json::from_slice(bytes).and_then(|mut oci: Oci| {
            oci.annotations.retain(|key, _| told::is_read(key));
            serde_json::to_vec(&oci)
        }),
    };
    kept.unwrap_or_default()
}

/// Of an OCI configuration what is read here.
#[derive(Deserialize, Serialize)]
struct Oci {
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

fn oci(bytes: &[u8], id: &str) -> Result<Told, serde_json::Error> {
    let Oci { annotations } = serde_json::from_slice(bytes)?;
    Ok(Told::by_labels(id, |key| annotations.get(key).map(String::as_str)))
}

/// Of Docker's description what is read here.
#[derive(Deserialize, Serialize)]
struct Docker {
    #[serde(rename = "Name", default)]
    name: String,
    #[serde(rename = "Config", default)]
    config: DockerConfig,
}

#[derive(Deserialize, Serialize, Default)]
struct DockerConfig {
    /// `null` without labels.
    #[serde(rename = "Labels", default)]
    labels: Option<BTreeMap<String, String>>,
}

fn docker(bytes: &[u8], id: &str) -> Result<Told, serde_json::Error> {
    let Docker { name, config } = serde_json::from_slice(bytes)?;
    let labels = config.labels.unwrap_or_default();
    let mut told = Told::by_labels(id, |key| labels.get(key).map(String::as_str));
    if told.pod.is_none() && told.name.is_none() {
        let name = name.trim_start_matches('/');
        told.name = valid::plain(name).then(|| name.to_owned());
    }
    Ok(told)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn docker_has_a_name_of_its_own_and_labels_of_a_pods() {
        let told = docker(br#"{"Name":"/quirky_name","Config":{"Labels":null}}"#, "x").unwrap();
        assert_eq!((told.name.as_deref(), told.pod), (Some("quirky_name"), None));
        let pods = br#"{"Name":"/k8s_app_web_prod_1_0","Config":{"Labels":{"io.kubernetes.pod.name":"web",
            "io.kubernetes.pod.namespace":"prod","io.kubernetes.container.name":"app"}}}"#;
        let told = docker(pods, "x").unwrap();
        assert_eq!(told.name.as_deref(), Some("app"));
        assert_eq!(docker(br#"{"Name":"/\u001b[2J"}"#, "x").unwrap().name, None);
    }

    #[test]
    fn what_is_left_for_a_tape_says_the_same_and_holds_no_secret() {
        let config = br#"{"process":{"args":["app","--password=hunter2"],"env":["TOKEN=opensesame"]},
            "annotations":{"io.kubernetes.pod.name":"web","io.kubernetes.pod.namespace":"prod",
            "io.kubernetes.container.name":"app","my.example/token":"opensesame"}}"#;
        let left = reduced(config, Source::ContainerdState);
        assert!(oci(config, "x").unwrap().says_something());
        assert_eq!(oci(&left, "x").unwrap(), oci(config, "x").unwrap());
        let description =
            br#"{"Name":"/quirky_name","Args":["--password=hunter2"],"Config":{"Env":["TOKEN=opensesame"],
            "Labels":{"my.example/token":"opensesame"}}}"#;
        let of_docker = reduced(description, Source::DockerState);
        assert_eq!(docker(&of_docker, "x").unwrap(), docker(description, "x").unwrap());
        for bytes in [left, of_docker, reduced(b"TOKEN=opensesame", Source::CrioState)] {
            let text = String::from_utf8(bytes).unwrap();
            assert!(!text.contains("hunter2") && !text.contains("opensesame"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (oci(&bytes, "x"), docker(&bytes, "x"), reduced(&bytes, Source::CrioState));
        }
    }
}
