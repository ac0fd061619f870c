//! Names of the kubelet's cgroups against upstream's tables, and against whole paths: built here, and compared.
//!
//! Left out here: `full_paths` seen from elsewhere (kind on its host, conmon, crun's nested group, Docker alone): those are
//! *found*, not built, and tested in cgtune-node with what `koordinator_parsers` reads, and `pod_log_dirs`; `proc_cgroup`,
//! `cgroup_procs` and `get_cgroup_cpu_config`, which are about files and tested with their parsers in `parse_files.rs`;
//! of `container_dir` pouch, a runtime that has no CRI any more, and an id without a runtime, which is no id.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use cgtune_core::convert::{
    CgroupDriver,
    cgroup_name::{self, CgroupName, ContainerNaming},
    pod::QosClass,
};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/cgroup_naming.json")).unwrap()
}

fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn name(components: &Value) -> CgroupName {
    rows(components).fold(CgroupName::default(), |name, component| name.child(text(component)))
}

fn driver(value: &Value) -> CgroupDriver {
    match text(value) {
        "systemd" => CgroupDriver::Systemd,
        "cgroupfs" => CgroupDriver::Cgroupfs,
        other => panic!("{other}"),
    }
}

#[test]
fn components_become_folders_or_slices() {
    let vectors = vectors();
    for row in rows(&vectors["to_systemd"]["rows"]) {
        assert_eq!(name(&row["components"]).path(CgroupDriver::Systemd), text(&row["path"]), "{row}");
    }
    for row in rows(&vectors["to_systemd"]["basename_rows"]) {
        assert_eq!(name(&row["components"]).slice(), text(&row["basename"]), "{row}");
    }
    for row in rows(&vectors["to_cgroupfs"]["rows"]) {
        assert_eq!(name(&row["components"]).path(CgroupDriver::Cgroupfs), text(&row["path"]), "{row}");
    }
}

#[test]
fn slices_become_components() {
    let vectors = vectors();
    for row in rows(&vectors["parse_systemd"]["rows"]) {
        assert_eq!(CgroupName::from_systemd(text(&row["input"])), name(&row["components"]), "{row}");
    }
    // And back, whatever the kubelet names.
    for row in rows(&vectors["to_systemd"]["rows"]) {
        let name = name(&row["components"]);
        assert_eq!(CgroupName::from_systemd(&name.path(CgroupDriver::Systemd)), name, "{row}");
    }
    for row in rows(&vectors["expand_slice"]["derived_rows"]) {
        assert_eq!(cgroup_name::expand_slice(text(&row["slice"])).as_deref(), row["path"].as_str(), "{row}");
    }
}

#[test]
fn an_empty_component_is_kept_as_upstream_keeps_it() {
    for row in rows(&vectors()["new_name_keeps_empty_component"]["rows"]) {
        let base = CgroupName::from_cgroupfs(text(&row["base"]));
        let name = rows(&row["add"]).fold(base, |name, component| name.child(text(component)));
        assert_eq!(Value::from(name.components().to_vec()), row["components"], "{row}");
    }
}

#[test]
fn the_group_of_all_pods_lies_below_the_kubelets_root() {
    let vectors = vectors();
    for row in rows(&vectors["node_allocatable_root"]["rows"]) {
        let root = CgroupName::of_all_pods(text(&row["cgroup_root"]), row["cgroups_per_qos"] == true);
        assert_eq!(root.path(driver(&row["driver"])), text(&row["path"]), "{row}");
    }
    for row in rows(&vectors["pod_suffix"]["rows"]) {
        let pod = CgroupName::of_pod(CgroupName::default(), QosClass::Guaranteed, text(&row["uid"]));
        assert_eq!(pod.components(), [text(&row["suffix"])], "{row}");
    }
}

#[test]
fn whole_paths_are_built_as_kubelet_and_runtime_build_them() {
    let vectors = vectors();
    let mut built = 0;
    for row in rows(&vectors["full_paths"]["rows"]) {
        let (Some(root), Some(qos)) = (row.get("cgroup_root"), row.get("qos")) else { continue };
        let naming = match text(&row["runtime"]) {
            "containerd" => ContainerNaming::Containerd,
            "crio" => ContainerNaming::CriO,
            "docker" => ContainerNaming::Docker,
            other => panic!("{other}"),
        };
        let qos = match text(qos) {
            "guaranteed" => QosClass::Guaranteed,
            "burstable" => QosClass::Burstable,
            "besteffort" => QosClass::BestEffort,
            other => panic!("{other}"),
        };
        let driver = driver(&row["driver"]);
        let all = CgroupName::of_all_pods(text(root), true);
        let pod = CgroupName::of_pod(all, qos, text(&row["pod_uid"])).path(driver);
        let container = naming.component(driver, text(&row["container_id"]));
        assert_eq!(format!("{pod}/{container}"), text(&row["path"]), "{row}");
        built += 1;
    }
    assert_eq!(built, 24);
}

#[test]
fn the_oci_path_is_a_slice_and_a_name_or_a_folder() {
    for row in rows(&vectors()["containerd_cgroups_path"]["rows"]) {
        let path = cgroup_name::oci_cgroups_path(text(&row["parent"]), text(&row["id"]));
        assert_eq!(path, text(&row["oci_cgroups_path"]), "{row}");
    }
}

#[test]
fn a_containers_folder_is_named_after_its_runtime() {
    let vectors = vectors();
    let mut left_out = 0;
    for row in rows(&vectors["koordinator_parsers"]["container_dir"]) {
        let naming = match text(&row["container_id"]).split_once("://") {
            Some(("containerd", id)) => Some((ContainerNaming::Containerd, id)),
            Some(("cri-o", id)) => Some((ContainerNaming::CriO, id)),
            Some(("docker", id)) => Some((ContainerNaming::Docker, id)),
            _ => None,
        };
        match naming {
            Some((naming, id)) => {
                assert_eq!(naming.component(driver(&row["driver"]), id), text(&row["dir"]), "{row}");
            }
            None => left_out += 1,
        }
    }
    assert_eq!(left_out, 2, "pouch, and no id");
}
