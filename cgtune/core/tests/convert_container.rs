//! One container's resources against what the kubelet's own tests expect it to send to the runtime.
//!
//! Left out: the row with a pod-level limit (a fact about the pod, not the container) and the row with
//! `cpuCFSQuota` off (a setting of the node); of every row the memory fields, and `unified_rows` (memory only).

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use cgtune_core::{
    Micros,
    convert::{ContainerCpu, WeightFormula},
};
use serde_json::Value;

#[test]
fn containers_get_the_shares_period_and_quota_that_the_kubelet_sends() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/container_resources.json")).unwrap();
    let mut left_out = Vec::new();
    for row in vectors["rows"].as_array().unwrap() {
        if row.get("pod_level_cpu_limit").is_some() || row["cpu_cfs_quota_enabled"] == false {
            left_out.push(row["name"].as_str().unwrap());
            continue;
        }
        let quantity = |field: &str| row[field].as_str().map(|text| text.parse().unwrap());
        let asked = ContainerCpu {
            request: quantity("cpu_request"),
            limit: quantity("cpu_limit"),
            ..ContainerCpu::default()
        };
        let done = asked.convert(WeightFormula::Logarithmic).unwrap();
        let expected = |field: &str| row["expected"][field].as_u64().unwrap();
        assert_eq!(done.shares.get(), expected("cpu_shares"), "{row}");
        assert_eq!(done.bandwidth.period().get(), expected("cpu_period_us"), "{row}");
        // Upstream's quota of 0 is "none".
        assert_eq!(
            done.bandwidth.quota().limited().map_or(0, Micros::get),
            expected("cpu_quota_us"),
            "{row}"
        );
    }
    assert_eq!(left_out, ["request 1, pod-level limit 3", "best effort"]);
}
