//! What an NRI plugin returns from `CreateContainer`.
//!
//! Checked against `ContainerAdjustment`, `LinuxResources`, `LinuxCPU` and `OptionalInt64`/`OptionalUInt64` in
//! pkg/api/api.proto of containerd/nri at 05777497: numbers are in messages of one field, `value`, so that unset and
//! zero differ, and `LinuxCPU` has no burst. The JSON is that of the Go structs; protobuf's own mapping would quote
//! 64-bit numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::convert::{
    container::Conversion,
    setting::Setting,
    target::{Document, Form, oci::InLinux},
};

/// The CPU part of the message.
pub type ContainerAdjustment = InLinux<LinuxResources>;

/// `LinuxResources`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinuxResources {
    /// `cpu`.
    pub cpu: LinuxCpu,
    /// Files of cgroup v2 and their texts; left out where empty.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub unified: BTreeMap<&'static str, String>,
}

/// `LinuxCPU`. What is `None` is left as the kubelet sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LinuxCpu {
    /// Shares as cgroup v1 has them.
    pub shares: Wrapped<u64>,
    /// CPU time per period, in µs; −1 is no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<Wrapped<i64>>,
    /// The period, in µs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Wrapped<u64>>,
}

/// `OptionalInt64` and `OptionalUInt64`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Wrapped<T> {
    /// The number.
    pub value: T,
}

pub(super) fn of(conversion: &Conversion, setting: &Setting) -> (Form, Vec<String>) {
    let wrapped = |value| Wrapped { value };
    let cpu = LinuxCpu {
        shares: wrapped(conversion.shares.get()),
        quota: conversion.sent_quota().map(|value| Wrapped { value }),
        period: conversion.sent.map(|sent| wrapped(sent.period.get())),
    };
    let burst = conversion.wanted_burst().map(|burst| ("cpu.max.burst", burst.get().to_string()));
    let mut cannot = vec![conversion.shares_travel("the NRI", &setting.runtime)];
    if burst.is_some() {
        cannot.push(
            "burst: the NRI has no field for it; through the unified map it works on cgroup v2 alone"
                .to_owned(),
        );
        cannot.push(
            "update: containerd keeps the map and writes it again on every update, so that a quota lowered below this \
             burst is refused"
                .to_owned(),
        );
    }
    cannot.push(
        "plugin: one has to run and return this, and containerd 1.7 has the NRI switched off by default"
            .to_owned(),
    );
    let resources = LinuxResources { cpu, unified: burst.into_iter().collect() };
    (Form::Document(Document::Nri(ContainerAdjustment::new(resources))), cannot)
}
