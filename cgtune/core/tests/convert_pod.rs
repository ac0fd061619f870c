//! Pods against the tests of component-helpers (what a pod asks for in all) and of the kubelet (what its group gets).
//!
//! Left out: the rows with claims of devices under the gate DRANodeAllocatableResources (alpha in the 1.37 tree): what a
//! claim is worth is known to a node's driver and not to a manifest. They are counted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

use cgtune_core::{
    Micros, Quota,
    convert::{
        Quantity,
        pod::{
            Container, ContainerStatus, Effective, Pod, PodConfig, QosClass, Resources, Role,
            config::Enforcement,
        },
        resources::ResourceList,
    },
};
use serde_json::Value;

fn vectors(text: &str) -> Vec<Value> {
    serde_json::from_str::<Value>(text).unwrap()["rows"].as_array().unwrap().clone()
}

fn list(value: Option<&Value>) -> ResourceList {
    let mut list = ResourceList::default();
    for (name, amount) in value.and_then(Value::as_object).into_iter().flatten() {
        let amount = amount.as_str().unwrap();
        match name.as_str() {
            "cpu" => list.cpu = Some(amount.parse().unwrap()),
            _ => {
                list.others.insert(name.clone(), amount.parse().unwrap());
            }
        }
    }
    list
}

fn resources(value: &Value, requests: &str, limits: &str) -> Resources {
    Resources { requests: list(value.get(requests)), limits: list(value.get(limits)) }
}

fn containers(value: &Value, key: &str, statuses: &str, init: bool) -> Vec<Container> {
    let rows = |key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let statuses = rows(statuses);
    rows(key)
        .iter()
        .map(|row| {
            let name = row["name"].as_str().unwrap();
            let status =
                statuses.iter().find(|status| status["name"] == name).map(|status| ContainerStatus {
                    // A row that names neither has no `resources` at all.
                    resources: (status.get("requests").is_some() || status.get("limits").is_some())
                        .then(|| resources(status, "requests", "limits")),
                    allocated: list(status.get("allocated")),
                });
            let role = match (init, row["restartable"] == true) {
                (false, _) => Role::App,
                (true, false) => Role::Init,
                (true, true) => Role::Sidecar,
            };
            Container { name: name.to_owned(), role, resources: resources(row, "requests", "limits"), status }
        })
        .collect()
}

fn pod(value: &Value) -> Pod {
    let mut all = containers(value, "init_containers", "init_container_status", true);
    all.extend(containers(value, "containers", "container_status", false));
    let own = ["pod_level_requests", "pod_level_limits"];
    let conditions = value.get("conditions").and_then(Value::as_array).cloned().unwrap_or_default();
    Pod {
        containers: all,
        overhead: list(value.get("overhead")),
        resources: own.iter().any(|key| value.get(key).is_some()).then(|| resources(value, own[0], own[1])),
        resize_infeasible: conditions
            .iter()
            .any(|c| c["type"] == "PodResizePending" && c["reason"] == "Infeasible"),
    }
}

/// Without what is zero: upstream's expectations leave that out.
fn present(list: &ResourceList) -> ResourceList {
    let cpu = list.cpu.filter(|cpu| cpu.milli().get() > 0);
    let others = list.others.iter().filter(|(_, amount)| **amount > Quantity::ZERO);
    ResourceList { cpu, others: others.map(|(name, amount)| (name.clone(), *amount)).collect() }
}

#[test]
fn pods_ask_for_what_upstream_counts() {
    let rows = vectors(include_str!("vectors/pod_effective_resources.json"));
    assert_eq!(rows.len(), 47);
    for row in rows {
        let option = |name: &str| row["options"][name] == true;
        let effective = Effective {
            status: option("use_status"),
            overhead: !option("exclude_overhead"),
            pod_level: !option("skip_pod_level"),
        };
        let pod = pod(&row);
        let got = match row["kind"].as_str().unwrap() {
            "requests" => effective.requests(&pod),
            "limits" => effective.limits(&pod),
            other => panic!("{other}"),
        };
        assert_eq!(present(&got), present(&list(row.get("expected"))), "{row}");
    }
}

#[test]
fn a_pods_group_gets_what_the_kubelet_computes() {
    let rows = vectors(include_str!("vectors/resource_config_for_pod.json"));
    let (mut compared, mut left_out) = (0, 0);
    for row in &rows {
        if row["pod"].get("dra_gate") == Some(&Value::Bool(true)) {
            left_out += 1;
            continue;
        }
        let pod = pod(&row["pod"]);
        assert_eq!(QosClass::of(&pod).to_string(), row["qos"].as_str().unwrap(), "{row}");
        let period = Micros::new(row["period_us"].as_u64().unwrap());
        let limits = row["enforce_cpu_limits"].as_bool().unwrap();
        let config = PodConfig::of(&pod, Enforcement { limits, period });
        let expected = |field: &str| row["expected"].get(field).and_then(Value::as_i64);
        assert_eq!(i64::try_from(config.shares.get()).ok(), expected("cpu_shares"), "{row}");
        let quota = config.quota.map(|quota| match quota {
            Quota::Unlimited => -1,
            Quota::Limited(us) => i64::try_from(us.get()).unwrap(),
        });
        assert_eq!(quota, expected("cpu_quota_us"), "{row}");
        assert_eq!(config.period.map(|us| us.get() as i64), expected("cpu_period_us"), "{row}");
        assert_eq!(config.memory.map(|bytes| bytes as i64), expected("memory_bytes"), "{row}");
        compared += 1;
    }
    assert_eq!((compared, left_out), (rows.len() - 5, 5), "rows with claims");
}
