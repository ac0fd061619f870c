//! Kernel files as the kubelet and opencontainers/cgroups read them in their own tests.
//!
//! Left out: `cgroup_procs`, as lists of processes are read in cgtune-sys, line by line as the kernel writes them (it writes
//! no empty lines, which upstream's reader passes over). Where only one of a file's readers refuses a text the
//! difference is said below.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use cgtune_core::{
    Quota, Shares, Weight,
    convert::kubelet,
    parse::{cpu_max, proc_cgroup, scalar},
};
use serde_json::Value;

fn rows(table: &str) -> Vec<Value> {
    let vectors: Value = serde_json::from_str(include_str!("vectors/cgroup_naming.json")).unwrap();
    vectors[table]["rows"].as_array().unwrap().clone()
}

#[test]
fn a_groups_settings_are_read_as_the_kubelet_reads_them() {
    for row in rows("get_cgroup_cpu_config") {
        let file = |version: &str, name: &str| {
            row.get(version).and_then(|files| files.get(name)).and_then(Value::as_str)
        };
        let max = file("v2", "cpu.max").map(|text| cpu_max::parse(text.as_bytes()));
        if row["error"] == true {
            assert!(max.unwrap().is_err(), "{row}");
            assert!(
                file("v1", "cpu.cfs_quota_us").is_none_or(|text| scalar::quota(text.as_bytes()).is_err())
            );
            continue;
        }
        let quota = match row["quota_us"].as_i64().unwrap() {
            -1 => Quota::Unlimited,
            us => Quota::Limited(cgtune_core::Micros::new(us.unsigned_abs())),
        };
        let (read, period) = max.unwrap().unwrap();
        assert_eq!((read, period.get()), (quota, row["period_us"].as_u64().unwrap()), "{row}");
        assert_eq!(scalar::quota(file("v1", "cpu.cfs_quota_us").unwrap().as_bytes()).unwrap(), quota);
        let shares = Shares::new(row["shares"].as_u64().unwrap()).unwrap();
        let weight =
            Weight::new(scalar::unsigned(file("v2", "cpu.weight").unwrap().as_bytes()).unwrap()).unwrap();
        assert_eq!(kubelet::shares_read_back(weight), shares, "{row}");
    }
}

#[test]
fn a_process_is_in_the_v2_group_that_upstream_finds() {
    for row in rows("proc_cgroup") {
        let found = proc_cgroup::parse(row["text"].as_str().unwrap().as_bytes()).unwrap();
        let v2 = found.iter().find(|membership| membership.controllers.is_empty());
        let path = v2.map(|membership| std::str::from_utf8(&membership.path).unwrap());
        assert_eq!(path, row["v2_path"].as_str(), "{row}");
    }
}
