//! The kubelet's arithmetic against the rows of its own tests.
//!
//! Left out, each because no value of this crate's types can ask for it: requests below zero ([`MilliCpu`] has
//! none), shares below 2 and above 262144 ([`Shares`] has none; whoever reads a file checks first), and a quota of
//! zero as upstream's sign for "none", which is [`Quota::Unlimited`] here.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use cgtune_core::{Micros, MilliCpu, Quota, Shares, Weight, convert::kubelet};
use serde_json::Value;

/// The rows of every group of a table, in order.
fn rows(table: &str) -> Vec<Value> {
    let vectors: Value = serde_json::from_str(include_str!("vectors/kubelet_millicpu.json")).unwrap();
    let groups = vectors[table].as_array().unwrap();
    groups.iter().flat_map(|group| group["rows"].as_array().unwrap().clone()).collect()
}

/// A field that upstream may hold as a negative number.
fn unsigned(row: &Value, field: &str) -> Option<u64> {
    row[field].as_u64()
}

fn shares(row: &Value) -> Option<Shares> {
    unsigned(row, "shares").and_then(|shares| Shares::new(shares).ok())
}

#[test]
fn requests_become_the_kubelets_shares() {
    let mut left_out = 0;
    for row in rows("milli_cpu_to_shares") {
        match unsigned(&row, "milli") {
            Some(milli) => assert_eq!(Some(kubelet::shares(MilliCpu::new(milli))), shares(&row), "{row}"),
            None => left_out += 1,
        }
    }
    assert_eq!(left_out, 2, "requests below zero");
}

#[test]
fn limits_become_the_kubelets_quota() {
    for row in rows("milli_cpu_to_quota") {
        let get = |field| unsigned(&row, field).unwrap();
        let expected = if get("quota_us") == 0 {
            Quota::Unlimited
        } else {
            Quota::Limited(Micros::new(get("quota_us")))
        };
        assert_eq!(
            kubelet::quota(MilliCpu::new(get("milli")), Micros::new(get("period_us"))),
            expected,
            "{row}"
        );
    }
}

#[test]
fn shares_are_read_back_as_the_kubelet_reads_them() {
    let mut left_out = 0;
    for row in rows("shares_to_milli_cpu") {
        match shares(&row) {
            Some(shares) => {
                assert_eq!(Some(kubelet::request_of(shares).get()), unsigned(&row, "milli"), "{row}");
            }
            None => left_out += 1,
        }
    }
    assert_eq!(left_out, 3, "0, 1 and -1 shares");
}

#[test]
fn every_request_from_2m_to_256_cpus_survives_the_way_through_shares() {
    for milli in 0..=256_000 {
        let back = kubelet::request_of(kubelet::shares(MilliCpu::new(milli)));
        assert_eq!(back, MilliCpu::new(milli.max(2)));
    }
}

/// Upstream answers 0 for "no quota"; here that is `None`, as it is in its `CPULimitsFromConfig`.
#[test]
fn quotas_are_read_back_as_the_kubelet_reads_them() {
    let quota = |row: &Value| {
        unsigned(row, "quota_us").map_or(Quota::Unlimited, |us| Quota::Limited(Micros::new(us)))
    };
    let limit = |row: &Value| {
        kubelet::limit_of(quota(row), Micros::new(unsigned(row, "period_us").unwrap())).map(MilliCpu::get)
    };
    for row in rows("quota_to_milli_cpu") {
        assert_eq!(limit(&row).unwrap_or(0), unsigned(&row, "milli").unwrap(), "{row}");
    }
    for row in rows("from_config") {
        if row.get("quota_us").is_some() {
            assert_eq!(limit(&row), unsigned(&row, "limit_milli"), "{row}");
        } else {
            assert_eq!(
                shares(&row).map(|s| kubelet::request_of(s).get()),
                unsigned(&row, "request_milli"),
                "{row}"
            );
        }
    }
}

#[test]
fn the_kubelets_own_groups_are_weighed_linearly() {
    let mut left_out = 0;
    for row in rows("kubelet_linear_weight") {
        match shares(&row) {
            Some(shares) => {
                assert_eq!(Some(kubelet::weight(shares).get()), unsigned(&row, "weight"), "{row}");
            }
            None => left_out += 1,
        }
    }
    assert_eq!(left_out, 1, "300000 shares");
    for row in rows("kubelet_weight_to_shares") {
        let weight = Weight::new(unsigned(&row, "weight").unwrap()).unwrap();
        assert_eq!(Some(kubelet::shares_read_back(weight)), shares(&row), "{row}");
    }
    for row in rows("shares_equal_after_v2_round_trip") {
        let wanted = kubelet::shares(MilliCpu::new(unsigned(&row, "allocated_milli").unwrap()));
        assert_eq!(Some(wanted.get()), unsigned(&row, "allocated_shares"), "{row}");
        let read_back = kubelet::shares_read_back(kubelet::weight(wanted)).get();
        assert_eq!(Some(read_back) == unsigned(&row, "read_back_shares"), row["equal"] == true, "{row}");
    }
}
