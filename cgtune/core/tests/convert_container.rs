//! One container's resources against what the kubelet's own tests expect it to send to the runtime.
//!
//! Left out: of every row the memory fields, and `unified_rows` (memory only).

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use cgtune_core::{
    Micros,
    convert::{ContainerCpu, Setting},
};
use serde_json::Value;

#[test]
fn containers_get_the_shares_period_and_quota_that_the_kubelet_sends() {
    let vectors: Value = serde_json::from_str(include_str!("vectors/container_resources.json")).unwrap();
    for row in vectors["rows"].as_array().unwrap() {
        let quantity = |field: &str| row.get(field).and_then(Value::as_str).map(|text| text.parse().unwrap());
        let asked = ContainerCpu {
            request: quantity("cpu_request"),
            limit: quantity("cpu_limit"),
            pod_limit: quantity("pod_level_cpu_limit"),
            ..ContainerCpu::default()
        };
        let setting =
            Setting { cfs_quota: row["cpu_cfs_quota_enabled"].as_bool().unwrap(), ..Setting::default() };
        let done = asked.convert(&setting).unwrap();
        let expected = |field: &str| row["expected"][field].as_u64().unwrap();
        assert_eq!(done.shares.get(), expected("cpu_shares"), "{row}");
        // Upstream's zero is "not sent", and its quota of zero "none".
        let sent =
            done.sent.map_or((0, 0), |sent| (sent.period.get(), sent.quota.limited().map_or(0, Micros::get)));
        assert_eq!(sent, (expected("cpu_period_us"), expected("cpu_quota_us")), "{row}");
    }
}
