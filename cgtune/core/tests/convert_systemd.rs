//! The systemd driver's arithmetic against the tests of opencontainers/cgroups and of systemd.
//!
//! Left out: of `cpu_mask_bytes` the rows whose texts this project doesn't read as CPU lists (empty elements, blanks
//! around elements: liberties of that parser), counted below; of `unit_type` the rows with a container's name, as no
//! unit is started here; of `unified_to_properties` the keys that are not `cpu.` ones (they give no property there
//! either).

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use cgtune_core::{
    CpuSet, Micros, Quota, Shares, Weight,
    convert::{
        WeightFormula,
        systemd::{self, WeightProperty},
    },
};
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/systemd.json")).unwrap()
}

fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

/// A number, also where it is written as a text.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

fn micros(value: &Value) -> Micros {
    Micros::new(number(value).unwrap())
}

/// Upstream: zero and below are none.
fn quota(value: &Value) -> Quota {
    match value.as_i64().unwrap() {
        ..=0 => Quota::Unlimited,
        us => Quota::Limited(Micros::new(us.unsigned_abs())),
    }
}

#[test]
fn quotas_are_rounded_up_to_whole_percents() {
    let vectors = vectors();
    let table = &vectors["add_cpu_quota"];
    for row in rows(&table["rows"]).chain(rows(&table["derived_rows"])) {
        let done = systemd::rounded(quota(&row["quota_us"]), micros(&row["period_us"]));
        let per_second = match number(&row["cpu_quota_per_sec_usec"]).unwrap() {
            u64::MAX => Quota::Unlimited,
            us => Quota::Limited(Micros::new(us)),
        };
        assert_eq!(done.per_second, per_second, "{row}");
        assert_eq!(done.quota, quota(&row["quota_after_us"]), "{row}");
    }
}

#[test]
fn systemd_raises_the_period_until_the_quota_is_legal() {
    let vectors = vectors();
    for row in rows(&vectors["adjust_period"]["rows"]) {
        let period = systemd::adjusted_period(micros(&row["period_us"]), micros(&row["quota_per_sec_usec"]));
        assert_eq!(period, micros(&row["expected_us"]), "{row}");
    }
    for row in rows(&vectors["cpu_max_written"]["derived_rows"]) {
        let (quota, period) =
            systemd::written(Quota::Limited(micros(&row["quota_per_sec_usec"])), micros(&row["period_us"]));
        let text = format!("{} {}", quota.limited().unwrap().get(), period.get());
        assert_eq!(row["cpu_max"], text, "{row}");
    }
}

#[test]
fn systemd_scales_shares_and_weights_its_own_way() {
    let vectors = vectors();
    for (index, row) in rows(&vectors["weight_conversion"]["derived_rows"]).enumerate() {
        let shares = Shares::new(number(&row["shares"]).unwrap()).unwrap();
        let weight = Weight::new(number(&row["weight"]).unwrap()).unwrap();
        // The first nine rows go from shares to a weight, the others back.
        if index < 9 {
            assert_eq!(WeightFormula::SystemdScale.weight(shares), weight, "{row}");
        } else {
            assert_eq!(systemd::shares(weight), shares, "{row}");
        }
    }
}

#[test]
fn cpu_masks_are_those_of_the_driver() {
    let vectors = vectors();
    let mut left_out = Vec::new();
    for row in rows(&vectors["cpu_mask_bytes"]["rows"]) {
        let text = row["input"].as_str().unwrap();
        let set = text.parse::<CpuSet>();
        if row["error"] == true {
            // The driver refuses the empty list; to the kernel it is a set, so the mask is empty.
            assert!(set.map_or(true, |set| systemd::mask(&set).is_empty()), "{row}");
            continue;
        }
        match set {
            Ok(set) => assert_eq!(Value::from(systemd::mask(&set)), row["bytes"], "{row}"),
            Err(_) => left_out.push(text),
        }
    }
    assert_eq!(left_out, [",0,1,", "1, 2, 1-2", "    , 1   , 3  ,  5-7,\t"]);
}

#[test]
fn idle_and_weight_are_one_property() {
    let vectors = vectors();
    for row in rows(&vectors["unified_to_properties"]["rows"]) {
        let file = |name: &str| row["unified"].get(name).and_then(Value::as_str);
        let weight = file("cpu.weight").map(|text| Weight::new(text.parse().unwrap()).unwrap());
        let property =
            systemd::weight_property(file("cpu.idle") == Some("1"), weight).map(|property| match property {
                WeightProperty::Idle => 0,
                WeightProperty::Weight(weight) => weight.get(),
            });
        assert_eq!(property, row["props"].get("CPUWeight").and_then(Value::as_u64), "{row}");
    }
}
