//! Shares → weight against upstream's rows, and the whole logarithmic table against one hash.
//!
//! Left out: 0 shares ("leave it unset", which is an absent [`Shares`] here), 1 share and more than 262144 (no
//! kernel keeps them, so [`Shares`] has no such value; the wrapped weights of old runtimes for them never arise).

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::fmt::Write as _;

use cgtune_core::{Shares, convert::WeightFormula};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/shares_to_weight.json")).unwrap()
}

/// Compares one formula with a list of rows, and gives the shares that no value can ask for.
fn compare(formula: WeightFormula, rows: &Value) -> Vec<u64> {
    let mut left_out = Vec::new();
    for row in rows.as_array().unwrap() {
        let (shares, weight) = (row["shares"].as_u64().unwrap(), row["weight"].as_u64().unwrap());
        match Shares::new(shares) {
            Ok(shares) => assert_eq!(formula.weight(shares).get(), weight, "{formula} {row}"),
            Err(_) => left_out.push(shares),
        }
    }
    left_out
}

#[test]
fn runtimes_rows_hold() {
    let vectors = vectors();
    let new = &vectors["new_formula"];
    assert_eq!(compare(WeightFormula::Logarithmic, &new["upstream_rows"]["rows"]), [0, 1, 262_145]);
    assert_eq!(compare(WeightFormula::Logarithmic, &new["youki_rows"]["rows"]), [0; 0]);
    assert_eq!(compare(WeightFormula::Logarithmic, &new["derived_rows"]), [0, 1, 262_145, 1_000_000]);
    let old = &vectors["old_linear_formula"];
    assert_eq!(compare(WeightFormula::Linear, &old["upstream_rows"]["rows"]), [0]);
    assert_eq!(compare(WeightFormula::Linear, &old["derived_rows"]), [0, 262_145]);
}

#[test]
fn the_whole_logarithmic_table_is_upstreams_byte_for_byte() {
    // The three lines below 2 and above 262144 are the table's own convention, not values of ours.
    let mut table = String::from("0 0\n1 1\n");
    for shares in 2..=262_144 {
        let weight = WeightFormula::Logarithmic.weight(Shares::new(shares).unwrap());
        writeln!(table, "{shares} {}", weight.get()).unwrap();
    }
    table += "262145 10000\n262146 10000\n";
    let hash = Sha256::digest(table.as_bytes())
        .iter()
        .fold(String::new(), |hash, byte| hash + &format!("{byte:02x}"));
    assert_eq!(hash, vectors()["new_formula"]["full_table"]["sha256"]);
}

/// Rows derived from systemd 252.39, src/core/cgroup.c `cgroup_cpu_shares_to_weight`.
#[test]
fn systemds_own_scale_is_proportional_and_clamped() {
    for (shares, weight) in [
        (2, 1),
        (10, 1),
        (102, 9),
        (512, 50),
        (1024, 100),
        (2048, 200),
        (10_240, 1000),
        (102_400, 10_000),
        (262_144, 10_000),
    ] {
        assert_eq!(
            WeightFormula::SystemdScale.weight(Shares::new(shares).unwrap()).get(),
            weight,
            "{shares}"
        );
    }
}
