//! The choice of CPUs against the rows of the kubelet's own tests.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod topologies;

use std::num::NonZeroUsize;

use cgtune_core::{
    CpuSet, Topology,
    assign::{NotEnough, Sorting, Uncore, distributed, packed},
};
use serde_json::Value;

fn cases() -> Vec<Value> {
    let vectors: Value =
        serde_json::from_str(include_str!("vectors/cpumanager_take_by_topology.json")).unwrap();
    vectors["cases"].as_array().unwrap().clone()
}

fn taken(case: &Value, topology: &Topology) -> Result<CpuSet, NotEnough> {
    let available: CpuSet = case["available"].as_str().unwrap().parse().unwrap();
    let number = |field: &str| usize::try_from(case[field].as_u64().unwrap()).unwrap();
    let sorting = match case["strategy"].as_str().unwrap() {
        "packed" => Sorting::Packed,
        "spread" => Sorting::Spread,
        other => panic!("{other}"),
    };
    match case["fn"].as_str().unwrap() {
        "packed" => {
            let uncore = match case["prefer_align_uncore"].as_bool().unwrap() {
                true => Uncore::WholeCores,
                false => Uncore::Ignored,
            };
            packed(topology, &available, number("num_cpus"), sorting, uncore)
        }
        "distributed" => {
            let group = NonZeroUsize::new(number("cpu_group_size")).unwrap();
            let found = distributed(topology, &available, number("num_cpus"), group, sorting)?;
            assert!(!found.bounded, "{case}");
            Ok(found.cpus)
        }
        other => panic!("{other}"),
    }
}

#[test]
fn cpus_are_taken_as_the_kubelet_takes_them() {
    let topologies = topologies::read();
    let cases = cases();
    assert_eq!(cases.len(), 41);
    for case in cases {
        let topology = &topologies[case["topology"].as_str().unwrap()];
        match (taken(&case, topology), case["error"].as_str().unwrap()) {
            (Ok(cpus), "") => {
                let expected: CpuSet = case["result"].as_str().unwrap().parse().unwrap();
                assert_eq!(cpus, expected, "{case}");
            }
            (Err(error), expected) => assert_eq!(error.to_string(), expected, "{case}"),
            (Ok(cpus), _) => panic!("{case}: {cpus}"),
        }
    }
}
