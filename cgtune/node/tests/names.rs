//! What paths say, against whole paths of every driver, runtime and nesting, and against koordinator's parsers.
//!
//! Left out: of `koordinator_parsers` the folders by driver (built in cgtune-core). Its container ids are five digits long there and
//! 64 on any node, so they are made longer here; a bare id below a slice is one to us, who do not know the driver. A pod is told by its path from the root here, so the rows about a last component
//! alone are put below the group that such a component has on a node.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::path::Path;

use cgtune_node::{
    names::{Kind, Resident, path::container_id},
    owner::{self, Role},
};
use cgtune_sys::HostRoot;
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../core/tests/vectors/cgroup_naming.json")).unwrap()
}

/// The UID of the pod that a path lies in.
fn pod_uid(path: &str) -> Option<String> {
    let owners = owner::of(Path::new(path), &HostRoot::new("/nonexistent")).owners;
    owners.into_iter().find_map(|owner| match owner.role {
        Role::Kubelet(kubelet) => kubelet.pod_uid,
        _ => None,
    })
}

#[test]
fn whole_paths_name_their_pod_and_container() {
    let vectors = vectors();
    let mut inside = Vec::new();
    for row in vectors["full_paths"]["rows"].as_array().unwrap() {
        let path = row["path"].as_str().unwrap();
        // What a container makes below its own group is its own: crun's nested group is told by the group above.
        let named = path.strip_suffix("/container").unwrap_or(path);
        assert_eq!(container_id(Path::new(named)), row["container_id"].as_str(), "{path}");
        if path.contains("crio-conmon") {
            inside.push(path);
            continue;
        }
        assert_eq!(pod_uid(path).as_deref(), row["pod_uid"].as_str(), "{path}");
    }
    // The monitor beside a container is in the pod's group and none of the kubelet's.
    assert_eq!(inside.len(), 1);
}

#[test]
fn whole_paths_have_a_resident() {
    for row in vectors()["full_paths"]["rows"].as_array().unwrap() {
        let path = row["path"].as_str().unwrap();
        let found = Resident::of(Path::new(path));
        let uid = found.pod.as_ref().and_then(|pod| pod.uid.as_deref());
        assert_eq!(uid, row["pod_uid"].as_str(), "{path}");
        let id = found.container.as_ref().map(|container| container.id.as_str());
        if found.kind == Kind::Monitor {
            // Beside a container, whose id it bears.
            assert!(path.contains("crio-conmon") && id.is_some_and(|id| path.contains(id)), "{path}");
        } else {
            assert_eq!(id, row["container_id"].as_str(), "{path}");
        }
        // A kind node's own container, where there is one.
        assert_eq!(found.node.is_some(), path.contains(&"f".repeat(64)), "{path}");
    }
}

#[test]
fn a_pods_group_is_told_by_its_driver() {
    let vectors = vectors();
    for row in vectors["koordinator_parsers"]["pod_id"].as_array().unwrap() {
        let above = match row["driver"].as_str().unwrap() {
            "systemd" => "/kubepods.slice",
            _ => "/kubepods",
        };
        let name = row["basename"].as_str().unwrap();
        // A slice below a folder, and a folder below a slice, are on no node: upstream asks with the driver known.
        if row["id"].is_null() {
            continue;
        }
        assert_eq!(pod_uid(&format!("{above}/{name}")).as_deref(), row["id"].as_str(), "{row}");
    }
}

#[test]
fn a_containers_id_is_the_end_of_its_folders_name() {
    let vectors = vectors();
    let id = "0123456789abcdef".repeat(4);
    for row in vectors["koordinator_parsers"]["container_id"].as_array().unwrap() {
        let name = row["basename"].as_str().unwrap().replace("12345", &id);
        let path = format!("/kubepods/podx/{name}");
        assert_eq!(container_id(Path::new(&path)), Some(id.as_str()), "{row}");
    }
}
