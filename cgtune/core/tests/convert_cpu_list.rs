//! Lists of CPUs against the kubelet's dialect (k8s.io/utils/cpuset).
//!
//! Deviations: the kubelet reads elements with Go's `Atoi`, so it takes `+5` and the kernel does not; this crate
//! refuses it. Everything else in its tables agrees. The kernel's own rows (`0,`, blanks, `0-1:1/2`, `N`, `all`) are
//! its parser's liberties, which this crate never writes and refuses to read.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use cgtune_core::CpuSet;
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors/cpu_list.json")).unwrap()
}

fn set(cpus: &Value) -> CpuSet {
    cpus.as_array().unwrap().iter().map(|cpu| u32::try_from(cpu.as_u64().unwrap()).unwrap()).collect()
}

#[test]
fn the_kubelets_valid_lists_are_read_alike() {
    for row in vectors()["kubelet"]["valid"].as_array().unwrap() {
        assert_eq!(row["input"].as_str().unwrap().parse(), Ok(set(&row["cpus"])), "{row}");
    }
}

#[test]
fn what_the_kubelet_refuses_is_refused() {
    for text in vectors()["kubelet"]["invalid"].as_array().unwrap() {
        assert!(text.as_str().unwrap().parse::<CpuSet>().is_err(), "{text}");
    }
}

#[test]
fn sets_are_written_as_the_kubelet_writes_them() {
    for row in vectors()["kubelet"]["format"].as_array().unwrap() {
        assert_eq!(set(&row["cpus"]).to_string(), row["text"].as_str().unwrap(), "{row}");
    }
}

#[test]
fn a_leading_plus_and_the_kernel_parsers_liberties_are_refused() {
    for text in ["+5", "1-+5", "0,", " 0 , 1 ", "0-1:1/2", "N", "all"] {
        assert!(text.parse::<CpuSet>().is_err(), "{text}");
    }
}
